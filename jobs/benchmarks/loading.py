"""Blocks of ticks from Kafka into the hypertable with its roll-ups, beside a bare COPY of the same rows."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import numpy as np

from infra.settings import ROOT, Settings
from infra.stack import StackError
from infra.topics import create_topics, delete_topics
from jobs.benchmarks.broker import bulk_producer, send_all
from jobs.benchmarks.market import SESSION, VENUE, bench_market, with_trades
from jobs.submit import Progress
from pipelines.contracts.blocks import RECORD, BlockCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics, shard_key
from pipelines.domain.market import NS_PER_MS, Ticks
from pipelines.history.binary_copy import HEAD, TAIL
from pipelines.history.copy_format import copy_stream
from pipelines.history.market_tables import copy_into
from pipelines.history.tables import TICKS
from pipelines.history.timescale import Connection, connect, migrate
from pipelines.history.writer import SETTINGS

PATIENCE_S = 300.0
PIECE_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class LoaderLoad:
    """What to load: `rows` ticks of `instruments`, one in five a trade, in blocks of `block_ticks`."""

    rows: int = 2_000_000
    instruments: int = 200
    block_ticks: int = 500
    seed: int = 1


def measure_loader(settings: Settings, load: LoaderLoad, progress: Progress) -> dict[str, Any]:
    """Rows a second of the bare COPY and of the loader's process, one after the other. Nothing of it is left."""
    progress("drawing the market")
    market = bench_market(load.instruments, 1, load.rows, load.seed)
    ticks = with_trades(market.ticks)
    names = tuple(instrument.id for instrument in market.strategy.instruments)
    ids = SchemaRegistry(settings.registry.url).register_all()
    topics = Topics(f"bench-loader-{uuid4().hex[:6]}.")
    with scratch_database(settings) as dsn:
        progress(f"bare COPY of {load.rows:,} rows")
        bare_s = _bare_copy(dsn, names, ticks)
        progress("writing the log")
        create_topics(settings.kafka.bootstrap, topics, (VENUE,), 1)
        try:
            blocks = market.blocks(BlockCodec(ids[RECORD]), load.block_ticks)
            lasts = np.minimum(np.arange(1, len(blocks) + 1) * load.block_ticks, load.rows) - 1
            with bulk_producer(settings.kafka.bootstrap) as producer:
                times = (market.ticks["event_ns"][lasts] // NS_PER_MS).tolist()
                send_all(producer, topics.ticks, shard_key(0, 1), blocks, times)
            progress(f"the loader, {load.rows:,} rows")
            rows, seconds = _loader(settings, dsn, topics, load)
        finally:
            delete_topics(settings.kafka.bootstrap, topics, (VENUE,))
    rate, bare = rows / seconds, load.rows / bare_s
    return {
        "loader": {
            "rows_per_second": round(rate),
            "ratio_to_copy": round(rate / bare, 3),
            "seconds": round(seconds, 2),
        },
        "copy": {"rows_per_second": round(bare), "seconds": round(bare_s, 2)},
        "rows": load.rows,
        "instruments": load.instruments,
        "block_ticks": load.block_ticks,
        "seed": load.seed,
        "cores": os.cpu_count(),
    }


@contextmanager
def scratch_database(settings: Settings) -> Iterator[str]:
    """A database of the benchmark's own; its address."""
    name = f"bench_{uuid4().hex[:12]}"
    with connect(settings.timescale.dsn, application="bench") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"{settings.timescale.dsn.rpartition('/')[0]}/{name}"
    finally:
        with connect(settings.timescale.dsn, application="bench") as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _bare_copy(dsn: str, names: tuple[str, ...], ticks: Ticks) -> float:
    """Seconds of one COPY of all rows, made ready before, into a table like ticks; then it is gone."""
    cuts = range(0, len(ticks), PIECE_ROWS)
    pieces = [
        piece
        for cut in cuts
        for piece in copy_stream("bench-session-of-22-chr", VENUE, SESSION, names, ticks[cut : cut + PIECE_ROWS])
    ]
    with connect(dsn, application="bench", settings=SETTINGS) as connection:
        migrate(connection)
        connection.execute("CREATE TABLE bare (LIKE ticks INCLUDING ALL)")
        connection.execute("SELECT create_hypertable('bare', 'event_time', create_default_indexes => FALSE)")
        began = time.perf_counter()
        with connection.cursor() as cursor, cursor.copy(copy_into("bare", TICKS, binary=True)) as copy:
            copy.write(HEAD)
            for piece in pieces:
                copy.write(piece)
            copy.write(TAIL)
        took = time.perf_counter() - began
        connection.execute("DROP TABLE bare")
        connection.execute("CHECKPOINT")  # what it wrote is not to be written while the loader is measured
    return took


def _loader(settings: Settings, dsn: str, topics: Topics, load: LoaderLoad) -> tuple[int, float]:
    """Rows, and seconds that they took: from the loader's first transaction to its last."""
    command = [sys.executable, "-m", "jobs.loader", "--bootstrap", settings.kafka.bootstrap]
    command += ["--registry", settings.registry.url, "--prefix", topics.prefix]
    environment = {**os.environ, "HELIOS_LOADER_DSN": dsn}
    log = (settings.home / "bench-loader.log").open("w")
    loader = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment, cwd=ROOT)
    last = -(-load.rows // load.block_ticks)
    try:
        with connect(dsn, application="bench") as connection:
            deadline = time.monotonic() + PATIENCE_S
            began, first = 0.0, 0
            while (loaded := _loaded(connection, topics)) < last:
                if loader.poll() is not None or time.monotonic() > deadline:
                    raise StackError(f"the loader did not load all: it says why in {log.name}")
                if loaded and not first:
                    began, first = time.perf_counter(), loaded
                time.sleep(0.02)
            return load.rows - first * load.block_ticks, time.perf_counter() - began
    finally:
        loader.terminate()
        loader.wait()
        log.close()


def _loaded(connection: Connection, topics: Topics) -> int:
    """Records of the tick topic that are in the tables."""
    row = connection.execute(
        "SELECT coalesce(sum(next_offset), 0) FROM loader_offsets WHERE topic = %s", (topics.ticks,)
    ).fetchone()
    return 0 if row is None else int(row[0])
