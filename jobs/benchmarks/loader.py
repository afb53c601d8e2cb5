"""Kafka to TimescaleDB by the loader, beside COPY alone of the same rows in the same run.

`python -m jobs.benchmarks.loader [ticks]` prints one JSON object; topics and database are its own, and removed after.
"""

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import numpy as np

from infra.settings import Settings, load_settings
from infra.topics import create_topics, delete_topics
from jobs.benchmarks.broker import bulk_producer
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.domain.market import TICK, Flag, Ticks
from pipelines.history.copy_format import HEAD, TAIL, copy_stream
from pipelines.history.loader import Loader, LoaderConfig
from pipelines.history.tables import TICKS
from pipelines.history.timescale import connect, migrate

VENUE, FEED = "bench", "bench-1"
T0_NS = 1_700_000_000_000_000_000
COPY_ROWS = 50_000


def measure(settings: Settings, ticks: int = 500_000, block_ticks: int = 500, instruments: int = 200) -> dict[str, Any]:
    """Rows a second of the loader and of COPY alone: into a table without an index, and into the hypertable."""
    rows = _market(ticks, instruments)
    names = tuple(f"SIM{number:03}USDT" for number in range(instruments))
    topics = Topics(f"bench-{uuid.uuid4().hex[:8]}.")
    with _database(settings.timescale.dsn) as dsn:
        plain = _copy_seconds(dsn, "plain", names, rows)
        bare = _copy_seconds(dsn, TICKS.name, names, rows)
        create_topics(settings.kafka.bootstrap, topics, (VENUE,), 1)
        try:
            _send(settings, topics, names, rows, block_ticks)
            loaded = _load_seconds(settings, topics, dsn, -(-ticks // block_ticks))
        finally:
            delete_topics(settings.kafka.bootstrap, topics, (VENUE,))
    return {
        "ticks": ticks,
        "block_ticks": block_ticks,
        "rows_per_second": round(ticks / loaded),
        "copy_rows_per_second": round(ticks / bare),
        "copy_without_index_rows_per_second": round(ticks / plain),
        "ratio_to_copy": round(bare / loaded, 3),
        "ratio_to_copy_without_index": round(plain / loaded, 3),
    }


def _market(count: int, instruments: int) -> Ticks:
    random = np.random.default_rng(1)
    made = np.zeros(count, dtype=TICK)
    made["sequence"] = np.arange(1, count + 1)
    made["frame"] = np.arange(count)
    made["instrument"] = random.integers(0, instruments, count)
    made["kind"] = random.random(count) < 0.1
    made["flags"] = int(Flag.HOME)
    made["event_ns"] = T0_NS + np.arange(count) * 10_000
    made["receive_ns"] = made["event_ns"] + 1_000_000
    made["bid"] = 100 + random.random(count).round(2)
    made["ask"] = made["bid"] + 0.01
    made["bid_size"], made["ask_size"] = random.random((2, count)).round(3)
    return made


@contextmanager
def _database(dsn: str) -> Iterator[str]:
    """A new database on the server, with the history's tables."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with connect(dsn, application="bench") as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    try:
        own = f"{dsn.rpartition('/')[0]}/{name}"
        with connect(own, application="bench") as connection:
            migrate(connection)
            connection.execute("CREATE TABLE plain (LIKE ticks)")
        yield own
    finally:
        with connect(dsn, application="bench") as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _copy_seconds(dsn: str, table: str, names: tuple[str, ...], rows: Ticks) -> float:
    """COPY of rows that are bytes already, in transactions as large as the loader's."""
    streams = [
        b"".join((HEAD, *copy_stream("bench", VENUE, FEED, names, rows[first : first + COPY_ROWS]), TAIL))
        for first in range(0, len(rows), COPY_ROWS)
    ]
    statement = f"COPY {table} ({', '.join(TICKS.columns)}) FROM STDIN (FORMAT BINARY)".encode()
    with connect(dsn, application="bench", settings={"synchronous_commit": "off"}) as connection:
        started = time.perf_counter()
        for stream in streams:
            with connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(stream)
        took = time.perf_counter() - started
        connection.execute(f"TRUNCATE {table}".encode())
    return took


def _send(settings: Settings, topics: Topics, names: tuple[str, ...], rows: Ticks, block_ticks: int) -> None:
    codec = BlockCodec(SchemaRegistry(settings.registry.url).register_all()[RECORDS["market.ticks"]])
    key = shard_key(0, 1).encode()
    with bulk_producer(settings.kafka.bootstrap) as producer:
        for first in range(0, len(rows), block_ticks):
            part = rows[first : first + block_ticks]
            value = codec.encode(TickBlock(VENUE, FEED, 0, 0, first, names, part))
            producer.send(topics.ticks, value, key=key, timestamp_ms=int(part["event_ns"][-1]) // 1_000_000)
        producer.flush()


def _load_seconds(settings: Settings, topics: Topics, dsn: str, blocks: int) -> float:
    """By the transactions of a loader that has begun: from the end of its first to that of its last, made whole."""
    stop = Event()
    config = LoaderConfig(settings.kafka.bootstrap, settings.registry.url, dsn, topics)
    thread = Thread(target=Loader(config, stop).run)
    thread.start()
    try:
        with connect(dsn, application="bench") as connection:

            def loaded() -> int:
                row = connection.execute("SELECT coalesce(sum(next_offset), 0)::bigint FROM loader_offsets").fetchone()
                return 0 if row is None else int(row[0])

            first = _until(lambda: loaded() > 0)
            already = loaded()
            last = _until(lambda: loaded() >= blocks)
    finally:
        stop.set()
        thread.join()
    return (last - first) * blocks / (blocks - already)


def _until(condition: Callable[[], bool]) -> float:
    while not condition():
        time.sleep(0.01)
    return time.perf_counter()


def main() -> None:
    settings = load_settings()
    print(json.dumps(measure(settings, *(int(word) for word in sys.argv[1:2])), indent=1))


if __name__ == "__main__":
    main()
