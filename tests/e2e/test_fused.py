"""One market.ticks through jobs apart and through the fused job: the same signals byte for byte, also after kills."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from infra.flink_jobs import FlinkError
from infra.parts.flink import TASKMANAGER
from infra.parts.part import Unhealthy
from infra.settings import Settings
from infra.supervision import Supervision
from jobs.bad_records import restart_without
from jobs.session import TOPOLOGIES, SessionPlan, TradingSession
from jobs.submit import FUSED, submit
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.signing import trader_config
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.market import NS_PER_S
from pipelines.domain.replay import replay
from pipelines.domain.trading import Signal
from pipelines.domain.universe import SignalUse
from pipelines.feeds.simulated import Simulation
from tests.conftest import OpenSessions
from tests.support.session_facts import SessionFacts
from tests.support.tick_log import LoggedBlock, tick_log, write

SIMULATION = Simulation(seed=5, instruments=8, seconds=40.0, ticks_per_second=300.0, shards=2, jumps_per_minute=4.0)
LAST_SAMPLES_NS = SIMULATION.start_ns + 38 * NS_PER_S
"""Samples have no end: a signal of theirs is through when time has come to the last of them."""
QUIET_S = 5.0
STOP = SignalUse(
    "sql/signals/pair_stop.sql", {"out_z": 1.5, "patience": "3 seconds", "longest": "10 seconds"}, "pair_stop"
)
"""Reads samples too: a signal of another topic than pair_reversion's."""
PATIENCE_S = 180.0

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]


@pytest.fixture
def strategy_file(tmp_path: Path) -> Path:
    strategy = SIMULATION.strategy()
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(replace(strategy, signals=(*strategy.signals, STOP))))
    return file


def test_signals_of_both_topologies_are_the_same_bytes(
    stack: Settings, open_session: OpenSessions, strategy_file: Path
) -> None:
    split, fused = both(open_session, strategy_file, lambda: None)
    assert_the_same_signals(split, fused)
    for facts in (split, fused):
        assert all(len(copies) == 1 for copies in facts.signal_values.values())
        assert_orders_follow_from_the_log(facts)
    assert {event_id.split("/")[1] for event_id in split.signal_values} == {"pair_reversion", "pair_stop"}
    with pytest.raises(FlinkError, match=r"fused does the work of spreads, signals, trading"):
        submit(stack, [FUSED], strategy_file, split.session.plan.prefix)
    with pytest.raises(FlinkError, match=r"fused does not read .*market\.spreads"):
        restart_without(stack, fused.session.plan.prefix)


@pytest.mark.long
def test_kills_of_the_taskmanager_in_the_middle_of_both_change_no_signal(
    stack: Settings, open_session: OpenSessions, strategy_file: Path
) -> None:
    pids: set[int] = set()

    def kill() -> None:
        (worker,) = (each for each in Supervision(stack).processes() if each.program == TASKMANAGER)
        os.kill(worker.pid, signal.SIGKILL)
        pids.add(worker.pid)

    split, fused = both(open_session, strategy_file, kill)
    assert len(pids) == 2
    assert_the_same_signals(split, fused)
    for facts in (split, fused):
        assert_orders_follow_from_the_log(facts)


def both(
    open_session: OpenSessions, strategy_file: Path, disturb: Callable[[], None]
) -> tuple[SessionFacts, SessionFacts]:
    """The same log through both topologies at once; `disturb` is called twice, each time while both have work."""
    opened = {fused: open_session((SIMULATION.venue,), SIMULATION.shards) for fused in (False, True)}
    settings = opened[True].settings
    ids = SchemaRegistry(settings.registry.url).register_all()
    blocks = tick_log(SIMULATION, ids)
    found: list[SessionFacts] = []
    for fused, session in opened.items():
        submit(settings, TOPOLOGIES[fused][1:], strategy_file, session.prefix)
        running = TradingSession(settings, SessionPlan(strategy_file, session.prefix, fused=fused))
        running.session_id, running.schema_ids = session.session_id, ids
        found.append(SessionFacts(running))
    cuts = [len(blocks) * part // 100 for part in (0, 30, 60, 100)]
    for number, (first, last) in enumerate(pairwise(cuts)):
        _write(found, blocks[first:last])
        if number < 2:
            before = len(found[1].signal_values) * number
            until(lambda more=before: all(len(each.now().signal_values) > more for each in found), "signals of both")
            _write(found, blocks[last : last + 1])  # the same again, as a market job that was killed writes it
            disturb()
    until(lambda: all(each.session.signals_done(LAST_SAMPLES_NS) for each in found), "the last signal")
    until_quiet(found)
    for each in found:
        until(lambda each=each: orders_follow_from_the_log(each.now()), "the last order")
    return found[0].now(), found[1].now()


def _write(found: Sequence[SessionFacts], blocks: Sequence[LoggedBlock]) -> None:
    for each in found:
        write(each.session.settings.kafka.bootstrap, each.session.topics.ticks, blocks)


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        with suppress(Unhealthy):  # a cluster that is busy, or on its way back, does not answer in time
            if condition():
                return
        assert time.monotonic() < deadline, f"{what} did not come in {PATIENCE_S:.0f} s"
        time.sleep(0.5)


def until_quiet(found: Sequence[SessionFacts]) -> None:
    """Return when no signal has come for a while."""
    deadline, counts, since = time.monotonic() + PATIENCE_S, [0], time.monotonic()
    while time.monotonic() - since < QUIET_S:
        assert time.monotonic() < deadline, f"signals still come after {PATIENCE_S:.0f} s"
        now = [len(each.now().signal_values) for each in found]
        if now != counts:
            counts, since = now, time.monotonic()
        time.sleep(0.5)


def assert_the_same_signals(split: SessionFacts, fused: SessionFacts) -> None:
    """The same ids with the same bytes, any id's copies alike, and the same order within a pair of what one branch of a
    signal gives. Rows that match a pattern and rows that pass a filter come from tasks of their own, in any order."""
    values = [{of: set(copies) for of, copies in each.signal_values.items()} for each in (split, fused)]
    assert values[0] == values[1]
    assert values[0]
    assert all(len(copies) == 1 for each in values for copies in each.values())
    assert in_order(fused) == in_order(split)


def in_order(facts: SessionFacts) -> dict[tuple[str, str, bool, bool], list[str]]:
    """Event ids by signal, pair, whether a pattern gave it and whether a sample did (they are at whole seconds), as
    they first lie in the log."""
    found: dict[tuple[str, str, bool, bool], list[str]] = {}
    for event_id, event in facts.signals.items():
        of = event.body
        assert isinstance(of, Signal)
        branch = (of.first_sequence < of.last_sequence, event.event_time_ns % NS_PER_S == 0)
        found.setdefault((of.name, of.pair, *branch), []).append(event_id)
    return found


def orders_follow_from_the_log(facts: SessionFacts) -> bool:
    config = trader_config(facts.session.strategy, facts.session.session_id)
    return facts.orders == list(replay(config, facts.events)[1])


def assert_orders_follow_from_the_log(facts: SessionFacts) -> None:
    assert facts.orders
    assert orders_follow_from_the_log(facts)
