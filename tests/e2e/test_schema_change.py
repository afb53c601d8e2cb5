"""A roll-out of schemas on the running stack: jobs end with savepoints and go on from them in a release whose records
have one more field each, while old and new producers write at once; every tick and every spread once, nothing lost.
"""

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from typer.testing import CliRunner

from infra.flink_jobs import jobs, watermark_ms
from infra.parts.part import http_get
from infra.settings import INSTALLED, ROOT, Settings
from infra.stack import up
from jobs.cli.main import app
from jobs.deployments import signal_job_prefix
from jobs.submit import submit
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.frames import RawFrames
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.schemas import Schema, SchemaError, parse
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.trading import EventCodec
from pipelines.contracts.wire import Codec, frame, unframe
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Signal
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.simulated_faults import FaultRates
from pipelines.feeds.source import Batch
from tests.conftest import OpenSession, OpenSessions

JOBS = ("market", "spreads", "signals")
FRAMES, BLOCK, SPREAD, SAMPLES = (
    f"helios.market.{name}" for name in ("RawFrames", "TickBlock", "SpreadEvent", "SpreadSamples")
)
ADDED = {
    record: {"name": "release", "type": "string", "default": "before", "doc": "Which release wrote it"}
    for record in (FRAMES, BLOCK, SPREAD, SAMPLES)
}
SIMULATION = Simulation(
    seed=11, instruments=8, seconds=30.0, ticks_per_second=300.0, shards=2, faults=FaultRates.each(0.0)
)
PATIENCE_S = 60.0

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]


class Release:
    """A checkout beside this one, whose records have one more field."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.schemas = folder / "schemas"
        for part in ("jobs", "infra", "pipelines", "schemas", "sql"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "helios.yaml", folder)
        (folder / ".local").symlink_to(INSTALLED)
        for record, field in ADDED.items():
            self.change(record, lambda schema, field=field: schema["fields"].append(field))

    def change(self, record: str, how: Callable[[dict[str, Any]], None]) -> None:
        file = self.schemas / f"{record}.avsc"
        schema = json.loads(file.read_text())
        how(schema)
        file.write_text(json.dumps(schema))

    def helios(self, *words: str) -> None:
        """Its own command."""
        command = [sys.executable, "-m", "jobs.cli.main", *words]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=3 * PATIENCE_S)
        assert done.returncode == 0, done.stderr


class Producer:
    """Writes RawFrames under one schema."""

    def __init__(self, session: OpenSession, schema_id: int, schema: Schema, **more: Any) -> None:
        self._producer = KafkaProducer(bootstrap_servers=session.settings.kafka.bootstrap, acks="all", linger_ms=5)
        self._topic = session.topics.raw(SIMULATION.venue)
        self._id, self._schema, self._more = schema_id, parse(schema), more

    def write(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            raw = batch.record
            out = io.BytesIO()
            value = {name: getattr(raw, name) for name in RawFrames.__dataclass_fields__} | self._more
            fastavro.schemaless_writer(out, self._schema, value)
            time_ms = (raw.receive_ns[-1] if raw.receive_ns else raw.clock_ns) // NS_PER_MS
            data = frame(self._id, out.getvalue())
            self._producer.send(self._topic, data, key=raw.session.encode(), timestamp_ms=time_ms)
        self._producer.flush()


class Log:
    """The topics of the session, read by this checkout's code."""

    def __init__(self, session: OpenSession, ids: dict[str, int], registry: SchemaRegistry) -> None:
        self.bootstrap = session.settings.kafka.bootstrap
        self.topics = session.topics
        self.consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        self.blocks = BlockCodec(ids[BLOCK], registry.schema)
        self.spreads = Codec(SPREAD, ids[SPREAD], registry.schema)
        self.samples = Codec(SAMPLES, ids[SAMPLES], registry.schema)
        self.events = EventCodec(ids["helios.trading.TradingEvent"], registry.schema)

    def values(self, topic: str) -> list[bytes]:
        consumer = self.consumer
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        found: list[bytes] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=500).values():
                found += [record.value for record in records]
        return found

    def grown(self, topic: str, beyond: int = 0) -> int:
        """How many records a topic has, once it has more than before and nothing has come for half a second."""
        last, since = -1, time.monotonic()
        deadline = since + PATIENCE_S
        places = [TopicPartition(topic, number) for number in range(SIMULATION.shards)]
        while True:
            count = sum(self.consumer.end_offsets(places).values())
            if count != last:
                last, since = count, time.monotonic()
            elif count > beyond and time.monotonic() - since > 0.5:
                return count
            assert time.monotonic() < deadline, f"{topic}: {count} records, more than {beyond} expected"
            time.sleep(0.1)


@pytest.fixture
def release(stack: Settings, tmp_path: Path) -> Iterator[Release]:
    yield Release(tmp_path / "next")
    up(stack, ["flink"])  # of this checkout again


def test_jobs_go_on_from_savepoints_with_new_fields_and_nothing_is_lost(
    release: Release, open_session: OpenSessions, tmp_path: Path
) -> None:
    session = open_session((SIMULATION.venue,), SIMULATION.shards)
    settings, rest = session.settings, session.settings.flink.rest
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(SIMULATION.strategy()))
    registry = SchemaRegistry(settings.registry.url)
    ids = registry.register_all()
    log = Log(session, ids, registry)
    source = SimulatedSource(SIMULATION)
    batches = list(source.batches({}, 20 * NS_PER_MS))
    cut = [len(batches) * part // 100 for part in (0, 30, 40, 50, 60, 100)]
    pieces = [batches[first:last] for first, last in pairwise(cut)]
    old = Producer(session, ids[FRAMES], registry.schema(ids[FRAMES]))

    submit(settings, JOBS, strategy, session.prefix)
    old.write(pieces[0])
    spreads, ticks = log.grown(session.topics.spreads), log.grown(session.topics.ticks)
    until(lambda: signals(log) > 0, "a signal")
    saved = []
    for name, topic, before, piece in (  # the last one first: each later job has old records to begin with
        ("signals", session.topics.spreads, spreads, pieces[1]),
        ("spreads", session.topics.ticks, ticks, pieces[2]),
        ("market", "", 0, pieces[3]),
    ):
        saved.append(stopped(name, session.prefix))
        old.write(piece)
        if topic:
            log.grown(topic, before)
    signals_before = signals(log)

    newer_ids = registry.register_all(release.schemas)
    assert {record for record in ids if newer_ids[record] != ids[record]} == set(ADDED)
    release.helios("up", "--parts", "flink")
    again = [word for savepoint in saved for word in ("--from", savepoint)]
    release.helios("submit", *JOBS, "--strategy", str(strategy), "--prefix", session.prefix, *again)
    new = Producer(session, newer_ids[FRAMES], registry.schema(newer_ids[FRAMES]), release="next")
    by_session = [[batch for batch in pieces[4] if batch.record.session == name] for name in source.sessions]
    with ThreadPoolExecutor(2) as at_once:
        list(at_once.map(Producer.write, (old, new), by_session))
    until_through(rest, session.prefix)

    assert {unframe(value)[0] for value in log.values(session.topics.raw(SIMULATION.venue))} == {
        ids[FRAMES],
        newer_ids[FRAMES],
    }
    assert_every_tick_once(log, source, {ids[BLOCK], newer_ids[BLOCK]})
    assert_every_spread_once(log, {ids[SPREAD], newer_ids[SPREAD]})
    assert signals(log) > signals_before > 0
    assert log.values(session.topics.rejects) == []
    assert_a_breaking_change_is_refused(release, registry)


def stopped(name: str, prefix: str) -> str:
    """End a job by our own command; JOB=SAVEPOINT."""
    done = CliRunner().invoke(app, ["cancel", name, "--prefix", prefix, "--savepoint"], catch_exceptions=False)
    return done.stdout.strip()


def until_through(rest: str, prefix: str) -> None:
    """Return when the signal's job has passed the end of the sessions: so has all before it."""
    end_ms = (SIMULATION.start_ns // NS_PER_MS) + 3_600_000
    (job,) = [job for job in jobs(rest) if signal_job_prefix(job.name) == prefix]
    until(lambda: watermark_ms(rest, job.id) > end_ms, f"a watermark of {end_ms} of {job}")


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in {PATIENCE_S:.0f} s"
        time.sleep(0.2)


def assert_every_tick_once(log: Log, source: SimulatedSource, schema_ids: set[int]) -> None:
    values = log.values(log.topics.ticks)
    assert {unframe(value)[0] for value in values} == schema_ids
    blocks = [log.blocks.decode(value) for value in values]
    ticks = 0
    for name in source.sessions:
        rows = np.concatenate([block.ticks for block in blocks if block.session == name])
        np.testing.assert_array_equal(np.sort(rows["sequence"]), np.arange(1, rows.size + 1))
        ticks += int((rows["instrument"] >= 0).sum())
    assert ticks == source.ticks_expected > 0


def assert_every_spread_once(log: Log, schema_ids: set[int]) -> None:
    """Spread events and samples of a shard share one count, which heartbeats repeat."""
    values = log.values(log.topics.spreads)
    assert {unframe(value)[0] for value in values} == schema_ids
    events = [log.spreads.decode(value) for value in values]
    samples = [log.samples.decode(value) for value in log.values(log.topics.samples)]
    for shard in range(SIMULATION.shards):
        counted = [each for each in events if each["kind"] != "heartbeat"] + [
            each for each in samples if each["samples"]
        ]
        sequences = sorted(each["sequence"] for each in counted if each["shard"] == shard)
        assert sequences == list(range(1, len(sequences) + 1))


def signals(log: Log) -> int:
    """Distinct signals in the log."""
    events = [log.events.decode(value) for value in log.values(log.topics.events)]
    return len({event.event_id for event in events if isinstance(event.body, Signal)})


def assert_a_breaking_change_is_refused(release: Release, registry: SchemaRegistry) -> None:
    versions = http_get(f"{registry.url}/subjects/{BLOCK}/versions")
    release.change(BLOCK, lambda schema: schema["fields"][0].update(type="long"))
    with pytest.raises(SchemaError) as refused:
        registry.register_all(release.schemas)
    assert (
        "helios.market.TickBlock: field venue: version 1: new code reads old records: "
        "string was written where the reader has long"
    ) in str(refused.value).splitlines()
    assert http_get(f"{registry.url}/subjects/{BLOCK}/versions") == versions
