"""A signal changed while ticks flow: deployed in shadow, compared, switched at an event time; then once more, with the
command broken off between its steps and killed. What was live is held against each version run alone over the same log.
"""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from typer.testing import CliRunner

from infra.flink_jobs import cancel
from infra.flink_jobs import jobs as flink_jobs
from infra.settings import ROOT
from jobs.cli.main import app
from jobs.deploy import covered_ms
from jobs.deployments import Deployments
from jobs.signal_log import Given, SignalLog
from jobs.submit import start_signals, submit
from jobs.switch import switch
from pipelines.contracts.frames import RECORD, FramesCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import TradingEvent
from pipelines.feeds.raw_log import RawLog
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.simulated_faults import FaultRates
from pipelines.signals.deployment import ALWAYS, NEVER, Deployment, Ledger
from pipelines.signals.signal_file import load_signal
from tests.conftest import OpenSession, OpenSessions

NAME = "pair_reversion"
SIMULATION = Simulation(
    seed=11, instruments=8, seconds=60.0, ticks_per_second=300.0, shards=2, faults=FaultRates.each(0.0)
)
PATIENCE_S = 180.0

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(1200)]


class Feed(threading.Thread):
    """The simulation's frames to their topic, slowly, up to the share of them that is allowed."""

    def __init__(self, session: OpenSession) -> None:
        super().__init__(daemon=True)
        registry = SchemaRegistry(session.settings.registry.url)
        codec = FramesCodec(registry.ids()[RECORD], registry.schema)
        self._log = RawLog(session.settings.kafka.bootstrap, session.topics.raw(SIMULATION.venue), codec)
        self._batches = list(SimulatedSource(SIMULATION).batches({}, 20 * NS_PER_MS))
        self._allowed = 0.0
        self._pause_s = 0.01
        self._stopped = threading.Event()

    def run(self) -> None:
        for number, batch in enumerate(self._batches, 1):
            while number > self._allowed * len(self._batches):
                if self._stopped.wait(0.02):
                    return
            self._log.write(batch.record)
            if self._stopped.wait(self._pause_s):
                return
        self._log.flush()

    def allow(self, share: float) -> None:
        """Let it go on, while the test does."""
        self._allowed = share

    def finish(self) -> None:
        self._allowed, self._pause_s = 1.0, 0.0
        self.join()

    def close(self) -> None:
        self._stopped.set()
        self.join()
        self._log.close()


@dataclass(frozen=True, slots=True)
class Desk:
    session: OpenSession
    strategy: Path

    @property
    def deployments(self) -> Deployments:
        return Deployments(self.session.settings, self.session.prefix)

    def signals(self, *words: str) -> Any:
        """`helios signals`, as JSON."""
        command = ["signals", *words, "--prefix", self.session.prefix, "--json"]
        done = CliRunner().invoke(app, command, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def deploy(self, entry_z: float) -> str:
        """The version that is in shadow now."""
        words = ("deploy", NAME, "--set", f"entry_z={entry_z}", "--strategy", str(self.strategy))
        told = self.signals(*words)
        assert told["state"] == "shadow"
        return str(told["version"])

    def given(self) -> list[Given]:
        versions = {each.version for each in self.deployments.read().deployments}
        with closing(SignalLog(self.session.settings, self.session.prefix, from_beginning=True)) as log:
            return list(log.to_the_end(versions))

    def through(self, end_ms: int) -> None:
        """Return when every version that runs has given all that it gives before an event time."""
        deployments = self.deployments
        until(
            lambda: all(covered_ms(deployments, each) >= end_ms for each in deployments.read().current),
            f"event time {end_ms}",
        )


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come in {PATIENCE_S:.0f} s"
        time.sleep(0.3)


class Broken(BaseException):
    """What ends a command where SIGKILL would: nobody takes it for a fault."""


def breaking(at: str) -> Callable[[str], None]:
    def progress(doing: str) -> None:
        if at in doing:
            raise Broken

    return progress


@pytest.fixture
def desk(open_session: OpenSessions, tmp_path: Path) -> Desk:
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(SIMULATION.strategy()))
    session = open_session((SIMULATION.venue,), SIMULATION.shards)
    SchemaRegistry(session.settings.registry.url).register_all()
    return Desk(session, strategy)


@pytest.fixture
def feed(desk: Desk) -> Iterator[Feed]:
    made = Feed(desk.session)
    with closing(made):
        yield made


def test_a_signal_changed_while_ticks_flow_is_neither_lost_nor_made_twice(
    desk: Desk, feed: Feed, open_session: OpenSessions
) -> None:
    settings, prefix = desk.session.settings, desk.session.prefix
    submit(settings, ("market", "spreads", "signals"), desk.strategy, prefix)
    feed.start()
    feed.allow(0.3)
    first = desk.signals("running")[0]["version"]
    until(lambda: len(desk.given()) > 5, "a signal")

    second = desk.deploy(1.75)
    feed.allow(0.4)
    until(lambda: all(each["event_time_ms"] > 0 for each in desk.signals("running")), "event time of both")
    compared = desk.signals("diff", NAME)
    feed.allow(0.6)
    changed = desk.signals("switch", NAME)
    assert (changed["old"], changed["new"]) == (first, second)

    third = desk.deploy(1.5)
    feed.allow(0.9)
    if not changed["retired"]:
        desk.through(changed["turn_ns"] // NS_PER_MS)
        desk.signals("retire", NAME, first)
    for at in (f"stopping signal-{NAME}-{third}", "choosing the turn", "submitting", f"starting {NAME}"):
        with pytest.raises(Broken):
            switch(desk.deployments, NAME, breaking(at))
    kill_while_it_submits(prefix)
    with pytest.raises(Broken):
        switch(desk.deployments, NAME, breaking("writing down"))
    again = desk.signals("switch", NAME)
    assert (again["old"], again["new"]) == (second, third)
    feed.finish()
    end_ms = (SIMULATION.start_ns // NS_PER_MS) + int(SIMULATION.seconds * 1000)
    desk.through(end_ms)
    until(lambda: at_rest(desk), "the last signals")

    cancel(settings.flink.rest, [job.id for job in flink_jobs(settings.flink.rest) if job.name.startswith(prefix)])
    alone = run_alone(desk, open_session, end_ms)
    turns = (0, changed["turn_ns"], again["turn_ns"], 1 << 62)
    assert list(turns) == sorted(set(turns))
    versions = (first, second, third)
    expected = [
        {id: event for id, event in alone[version].items() if since <= event.event_time_ns < until_ns}
        for version, since, until_ns in zip(versions, turns[:-1], turns[1:], strict=True)
    ]
    assert all(expected)
    given = desk.given()
    live = [each.event for each in given if each.live]
    assert {event.event_id: event for event in live} == expected[0] | expected[1] | expected[2]
    assert len(live) == sum(map(len, expected))
    for version in (second, third):
        both = {each.event.event_id: each.event for each in given if each.signal.version == version}
        assert {id: event for id, event in both.items() if event.event_time_ns < turns[2]} == {
            id: event for id, event in alone[version].items() if event.event_time_ns < turns[2]
        }
    assert_diff(compared, alone[first], alone[second])


def at_rest(desk: Desk) -> bool:
    """Whether the log has come to rest."""
    before = len(desk.given())
    time.sleep(1)
    return len(desk.given()) == before


def kill_while_it_submits(prefix: str) -> None:
    """Run our own command, and SIGKILL it as soon as it hands jobs over."""
    command = [sys.executable, "-m", "jobs.cli.main", "signals", "switch", NAME, "--prefix", prefix]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        told = []
        for line in running.stderr:
            told.append(line)
            if line.startswith("submitting"):
                running.send_signal(signal.SIGKILL)
                break
        running.stderr.close()
        assert running.wait() == -signal.SIGKILL, told


def run_alone(desk: Desk, open_session: OpenSessions, end_ms: int) -> dict[str, dict[str, TradingEvent]]:
    """What each version gives where it alone runs, from the beginning, over a copy of the log: by version and id."""
    session = open_session((SIMULATION.venue,), SIMULATION.shards)
    for source, copy in (
        (desk.session.topics.spreads, session.topics.spreads),
        (desk.session.topics.samples, session.topics.samples),
    ):
        copy_topic(desk.session, source, copy)
    other = Desk(session, desk.strategy)
    strategy = SIMULATION.strategy()
    file = load_signal(ROOT / "sql" / "signals" / f"{NAME}.sql")
    chosen = [
        Deployment(file.bound({"entry_z": entry_z}), strategy.account, strategy.shards, window)
        for entry_z, window in ((2.0, ALWAYS), (1.75, NEVER), (1.5, NEVER))
    ]
    with other.deployments.held() as lock:
        other.deployments.write(Ledger(tuple(chosen)))
        start_signals(other.deployments, chosen, lock)
    other.through(end_ms)
    until(lambda: at_rest(other), "the last signals")
    found: dict[str, dict[str, TradingEvent]] = {each.version: {} for each in chosen}
    for given in other.given():
        found[given.signal.version][given.event.event_id] = given.event
    return found


def copy_topic(session: OpenSession, source: str, copy: str) -> None:
    """Record by record, each to its partition."""
    bootstrap = session.settings.kafka.bootstrap
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    with closing(consumer), closing(KafkaProducer(bootstrap_servers=bootstrap, acks="all")) as producer:
        places = [TopicPartition(source, number) for number in range(SIMULATION.shards)]
        consumer.assign(places)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < end for place, end in ends.items()):
            for place, records in consumer.poll(timeout_ms=500).items():
                for record in records:
                    where = {"partition": place.partition, "timestamp_ms": record.timestamp}
                    producer.send(copy, record.value, key=record.key, **where)
        producer.flush()


def assert_diff(told: Any, old: dict[str, TradingEvent], new: dict[str, TradingEvent]) -> None:
    """That what `diff` told while both ran is what the two give alone before that event time."""
    before = told["until_ns"]
    one, other = (
        {
            (each.event_time_ns, each.body.pair, each.body.action)
            for each in events.values()
            if each.event_time_ns < before
        }  # type: ignore[union-attr]
        for events in (old, new)
    )
    assert (told["equal"], told["only_old"], told["only_new"]) == (len(one & other), len(one - other), len(other - one))
