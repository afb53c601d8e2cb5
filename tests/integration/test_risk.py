"""The risk job on Flink and Kafka: what it writes is what the domain tells, and it is found at the log's end."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.flink_jobs import FlinkError, cancel, jobs
from infra.parts.flink import TASKMANAGER
from infra.settings import Settings
from infra.supervision import Supervision
from jobs.risk_log import RiskLogError, latest
from jobs.submit import submit
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.risk_file import load_history
from pipelines.contracts.strategy_file import dump_strategy, load_strategy
from pipelines.contracts.trading import EVENT, POSITION, EventCodec, PositionCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.risk import Bar, RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.standing import Standing
from pipelines.domain.trading import RiskUpdate, TradingEvent
from pipelines.operators.risk import BAR
from tests.conftest import OpenSession
from tests.operators.test_risk import bar_record
from tests.support import risk_records
from tests.support.accounts import ACCOUNT
from tests.support.risk_records import MINUTE_NS, heartbeat, minutes, position, strategy

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

PATIENCE_S = 90.0
POSITIONS = [position(1, "A-B", 10, -7, 0.2), heartbeat(2, 1.0), position(3, "A-C", -5, 6, 1.5), heartbeat(4, 2.0)]
BARS = list(minutes(30))
LATER = [heartbeat(5, 1900.0), position(6, "A-B", 0, 0, 1900.5)]


def test_the_job_writes_what_the_domain_tells(trading_session: OpenSession, tmp_path: Path) -> None:
    settings, prefix = trading_session.settings, trading_session.prefix
    with pytest.raises(RiskLogError, match="has no risk update: there is none before the window has 20 rows"):
        latest(settings.kafka.bootstrap, settings.registry.url, prefix)
    file = strategy_file(tmp_path)
    (job_id,) = submit(settings, ["risk"], file, prefix).values()
    write(trading_session, POSITIONS)
    first = until(trading_session, 4)
    write(trading_session, BARS)
    write(trading_session, [replace(POSITIONS[0], sequence=1)])  # once more: it is not taken twice
    time.sleep(3.0)  # bars and positions are two topics: what comes first is not laid down
    write(trading_session, LATER)
    found = until(trading_session, 6)
    loaded = load_strategy(file)
    state = RiskState.empty(RiskConfig.of(loaded))
    history = load_history(loaded)
    assert history is not None
    state.fill(*history)
    expected = risk_records.given(state, *POSITIONS, *BARS, *LATER)
    assert [event.body for event in first] == expected[:4]
    assert [event.body for event in found] == expected
    assert [event.event_id for event in found] == [
        f"risk/{ACCOUNT}/{told.as_of_ns}/{number}" for told, number in zip(expected, (1, 2, 3, 4, 5, 6), strict=True)
    ]
    last = latest(settings.kafka.bootstrap, settings.registry.url, prefix, ACCOUNT)
    assert last == found[-1]
    assert isinstance(last.body, RiskUpdate)
    assert last.body.scenarios == 30 + 29 + 1
    assert job_id in {job.id for job in jobs(settings.flink.rest)}
    cancel(settings.flink.rest, [job_id])


@pytest.mark.long
def test_a_kill_of_the_taskmanager_changes_nothing_that_is_told(trading_session: OpenSession, tmp_path: Path) -> None:
    file = strategy_file(tmp_path)
    (job_id,) = submit(trading_session.settings, ["risk"], file, trading_session.prefix).values()
    write(trading_session, POSITIONS)
    until(trading_session, 4)
    time.sleep(3.0)  # a checkpoint: what it has not seen is told again
    (worker,) = (each for each in Supervision(trading_session.settings).processes() if each.program == TASKMANAGER)
    os.kill(worker.pid, signal.SIGKILL)
    write(trading_session, LATER)
    found = until(trading_session, 6)
    told = {event.event_id: event.body for event in found}
    assert all(told[event.event_id] == event.body for event in found)
    loaded = load_strategy(file)
    state, history = RiskState.empty(RiskConfig.of(loaded)), load_history(loaded)
    assert history is not None
    state.fill(*history)
    assert list(told.values()) == risk_records.given(state, *POSITIONS, *LATER)
    cancel(trading_session.settings.flink.rest, [job_id])


def test_a_history_that_cannot_be_read_is_told_when_the_job_is_submitted(
    trading_session: OpenSession, tmp_path: Path
) -> None:
    file = strategy_file(tmp_path)
    (tmp_path / "closes.csv").write_text("time,A\n2023-01-01,1\n2023-01-02,-5\n")
    with pytest.raises(FlinkError, match=r"job risk: .*closes\.csv: cannot be read: row 2, A: -5 is no price"):
        submit(trading_session.settings, ["risk"], file, trading_session.prefix)


def strategy_file(folder: Path) -> Path:
    """The small account's, with a month of closing prices."""
    days = [f"2023-10-{day:02},{100 + day % 5},{101 - day % 3},{99 + day % 7},{100}" for day in range(1, 32)]
    (folder / "closes.csv").write_text("\n".join(["time,A,B,C,D", *days]) + "\n")
    settings = RiskSettings(capital=10_000.0, history=str(folder / "closes.csv"))
    file = folder / "strategy.yaml"
    file.write_text(dump_strategy(strategy(settings)))
    return file


def write(session: OpenSession, records: Sequence[risk_records.Record]) -> None:
    ids = SchemaRegistry(session.settings.registry.url).ids()
    bars, positions = Codec(BAR, ids[BAR]), PositionCodec(ids[POSITION])
    producer = KafkaProducer(bootstrap_servers=session.settings.kafka.bootstrap.split(","), acks="all")
    for record in records:
        if isinstance(record, Standing):
            producer.send(session.topics.positions, key=ACCOUNT.encode(), value=positions.encode(record))
            continue
        if isinstance(record, Bar):
            shard, value = record.shard, bar_record(record)
        else:
            shard, time_ns = record
            value = bar_record(Bar(shard, time_ns - MINUTE_NS, "", 0.0, 0.0), kind="heartbeat")
        producer.send(session.topics.bars, key=f"s{shard}".encode(), value=bars.encode(value), partition=shard)
    producer.flush()
    producer.close()


def until(session: OpenSession, count: int) -> list[TradingEvent]:
    """The events of the log, once there are so many."""
    deadline = time.monotonic() + PATIENCE_S
    while len(found := events(session.settings, session.topics.events)) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} updates"
        time.sleep(0.3)
    return found


def events(settings: Settings, topic: str) -> list[TradingEvent]:
    codec = EventCodec(SchemaRegistry(settings.registry.url).ids()[EVENT])
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap.split(","), group_id=None)
    try:
        place = TopicPartition(topic, 0)
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        end, found = consumer.end_offsets([place])[place], []
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=200).values():
                found += [codec.decode(record.value) for record in records]
        return found
    finally:
        consumer.close()
