"""Sessions on real parts: simulated feed, Kafka, the four jobs, gateway, simulated venue, TimescaleDB.

One runs undisturbed. In another, of the same seed, every process that can be lost is killed while it trades, and a
record that cannot be decoded stops its SQL job until that is started anew without it.
"""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from infra.flink_jobs import jobs
from infra.parts.flink import TASKMANAGER
from infra.settings import Settings
from infra.supervision import Supervision
from jobs.bad_records import fault_of, restart_without
from jobs.session import TradingSession
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.signing import trader_config
from pipelines.contracts.topics import shard_key
from pipelines.domain.matching import MatchConfig
from pipelines.domain.replay import replay
from pipelines.execution.replay import expected_fills
from pipelines.signals.poison import PoisonRecord
from tests.e2e.sessions import SIMULATION, simulated_session
from tests.support.session_facts import NO_AVRO, SessionFacts

PREFIX = "killed."
VICTIMS = (TASKMANAGER, f"{PREFIX}gateway", f"{PREFIX}loader", f"{PREFIX}venue-simulated")
PAUSE = 8
"""Orders between two kills."""

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@dataclass(frozen=True, slots=True)
class Ran:
    summary: dict[str, Any]
    facts: SessionFacts


@pytest.fixture(scope="module")
def undisturbed(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with simulated_session(stack, tmp_path_factory.mktemp("calm"), "calm.", 17301) as session:
        summary = session.run()
        yield Ran(summary, _facts(stack, session.running, summary))


@pytest.fixture(scope="module")
def killed(
    stack: Settings, undisturbed: Ran, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Ran, "Killer"]]:
    undisturbed.facts.session.close()
    with simulated_session(stack, tmp_path_factory.mktemp("killed"), PREFIX, 17311) as session:
        killer = Killer(stack, VICTIMS, PREFIX)
        killer.start()
        try:
            summary = session.run()
        finally:
            killer.stop()
        yield Ran(summary, _facts(stack, session.running, summary)), killer


def _facts(settings: Settings, session: TradingSession, summary: dict[str, Any]) -> SessionFacts:
    session.session_id = summary["session"]
    session.schema_ids = SchemaRegistry(settings.registry.url).ids()
    return SessionFacts(session)


@dataclass
class Killer:
    """Kills each of some programs once, by SIGKILL, while the session trades: one more for each `PAUSE` orders."""

    settings: Settings
    victims: Sequence[str]
    prefix: str
    killed: dict[str, int] = field(default_factory=dict)
    """Process ids."""
    orders_before: dict[str, int] = field(default_factory=dict)
    skipped: list[PoisonRecord] = field(default_factory=list)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        supervision = Supervision(self.settings)
        for number, victim in enumerate(self.victims):
            while (orders := self._orders()) < PAUSE * (number + 1):
                if self._stopped.wait(0.1):
                    return
            pid = next(each.pid for each in supervision.processes() if each.program == victim and each.pid)
            os.kill(pid, signal.SIGKILL)
            self.killed[victim], self.orders_before[victim] = pid, orders
        self._poison()

    def _poison(self) -> None:
        """Have the signal's job fail at a record, and start it again without it."""
        producer = KafkaProducer(bootstrap_servers=self.settings.kafka.bootstrap)
        with closing(producer):
            where = producer.send(f"{self.prefix}market.spreads", NO_AVRO, key=shard_key(0, 2).encode()).get(10)
        place = f"{self.prefix}market.spreads partition {where.partition} offset {where.offset}"
        while not any(place in fault for fault in self._faults()):
            if self._stopped.wait(0.5):
                return
        self.skipped = restart_without(self.settings, self.prefix)

    def _faults(self) -> list[str]:
        """What `helios jobs` says of the jobs."""
        return [fault_of(self.settings, job) for job in jobs(self.settings.flink.rest)]

    def _orders(self) -> int:
        try:
            consumer = KafkaConsumer(bootstrap_servers=self.settings.kafka.bootstrap)
            with closing(consumer):
                place = TopicPartition(f"{self.prefix}trading.orders", 0)
                return int(consumer.end_offsets([place])[place])
        except KafkaError:  # the session's topics are not there yet
            return 0


def test_a_session_is_conserved_from_frames_to_history(undisturbed: Ran) -> None:
    summary = undisturbed.summary
    assert summary["conservation"] == {"frames": True, "rows": True, "orders": True, "faults": True}
    assert min(summary[name] for name in ("ticks", "rejects", "spreads", "signals", "orders", "fills")) > 0
    assert summary["rejects"] == summary["injected_faults"]


def test_an_undisturbed_session_is_what_its_own_log_says(undisturbed: Ran) -> None:
    assert_orders_and_fills_follow_from_the_log(undisturbed.facts)


@pytest.mark.long
def test_every_victim_was_killed_while_the_session_traded(killed: tuple[Ran, Killer], stack: Settings) -> None:
    ran, killer = killed
    assert set(killer.killed) == set(killer.victims)
    running = {each.program: each.pid for each in Supervision(stack).processes()}
    assert all(running[victim] != pid for victim, pid in killer.killed.items())
    assert ran.summary["orders"] + ran.summary["refused"] > max(killer.orders_before.values())
    assert len(killer.skipped) == 1


@pytest.mark.long
def test_kills_change_no_tick_no_spread_and_no_signal(undisturbed: Ran, killed: tuple[Ran, Killer]) -> None:
    calm, disturbed = undisturbed.facts, killed[0].facts
    assert disturbed.ticks.keys() == calm.ticks.keys()
    for name, rows in calm.ticks.items():
        np.testing.assert_array_equal(disturbed.ticks[name], rows)
    assert disturbed.spreads == calm.spreads
    assert disturbed.signals == calm.signals
    assert disturbed.rejects == calm.rejects


@pytest.mark.long
def test_after_kills_orders_and_fills_follow_from_the_log(killed: tuple[Ran, Killer]) -> None:
    assert_orders_and_fills_follow_from_the_log(killed[0].facts)


@pytest.mark.long
def test_after_kills_no_order_came_to_a_venue_twice(killed: tuple[Ran, Killer]) -> None:
    facts = killed[0].facts
    received = facts.received_at_venues()
    assert received
    assert set(received.values()) == {1}
    assert received.keys() <= {order.client_order_id for order in facts.orders}


@pytest.mark.long
def test_after_kills_rows_are_the_distinct_events(killed: tuple[Ran, Killer]) -> None:
    summary = killed[0].summary
    assert summary["rows"] == summary["distinct_events"]
    assert summary["conservation"] == {"frames": True, "rows": True, "orders": True, "faults": True}


def assert_orders_and_fills_follow_from_the_log(facts: SessionFacts) -> None:
    strategy = facts.session.strategy
    _, decided = replay(trader_config(strategy, facts.session.session_id), facts.events)
    assert facts.orders == list(decided)
    received = facts.received_at_venues()
    ordered = [order for order in facts.orders if order.client_order_id in received]
    expected = expected_fills(ordered, facts.blocks, strategy, MatchConfig(seed=SIMULATION.seed))
    assert facts.fills == {event.event_id: event for event in expected}
    assert facts.fills
