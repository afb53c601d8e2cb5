"""A crash made from a recording: AIG falls by 8 % in ten minutes, a limit breaks, the account takes itself down; in the
middle of it the TaskManager is killed.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from kafka import KafkaConsumer
from kafka.errors import KafkaError
from rich.console import Console

from infra.parts.flink import TASKMANAGER
from infra.settings import Settings
from infra.supervision import Supervision
from jobs.demo import Stopwatch, run_session
from jobs.replay_plans import replayed_plan
from jobs.session import SessionPlan, TradingSession
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import REPOSITORY
from pipelines.contracts.topics import RECORDS
from pipelines.contracts.trading import OrderCodec
from pipelines.domain.account import Stops, TraderState
from pipelines.domain.replay import take
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Decision, OrderRequest
from tests.support.crash_day import Crash, make, ms_of_day, recorded
from tests.support.session_facts import SessionFacts

pytestmark = [pytest.mark.stack, pytest.mark.long, pytest.mark.timeout(600)]

PREFIX = "crash."
LIMIT = 400.0
EXAMPLE = (REPOSITORY / "examples/aig-bac-spy.yaml").read_text()
STRATEGY = f"""\
moments: {{every: tick, span: 8000, warmup: 2000}}
levels: 0.5, 2.5..
signals:
  - {{file: sql/signals/pair_reversion.sql, parameters: {{entry_z: 2.5, exit_z: 0.5}}}}
sizing: {{leg_notional: 50000}}
limits: {{position_lots: 20000, stale_marks_ms: 5000, gross_notional: 800000, daily_loss: {LIMIT:g}}}
"""


@dataclass
class Killer:
    """Kills the TaskManager after a few orders of the unwinding."""

    settings: Settings
    after: int = 4
    killed: bool = False
    _stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        ids = SchemaRegistry(self.settings.registry.url).register_all()
        codec = OrderCodec(ids[RECORDS["trading.orders"]])
        while not self._stopped.wait(0.2):
            try:
                unwound = [order for order in self._orders(codec) if order.cause.startswith("marks/")]
            except KafkaError:  # the session's topics are not there yet
                continue
            if len(unwound) >= self.after:
                pid = next(p.pid for p in Supervision(self.settings).processes() if p.program == TASKMANAGER and p.pid)
                os.kill(pid, signal.SIGKILL)
                self.killed = True
                return

    def _orders(self, codec: OrderCodec) -> Iterator[OrderRequest]:
        consumer = KafkaConsumer(
            f"{PREFIX}trading.orders",
            bootstrap_servers=self.settings.kafka.bootstrap,
            auto_offset_reset="earliest",
            consumer_timeout_ms=500,
        )
        with closing(consumer):
            yield from (codec.decode(record.value) for record in consumer)


@pytest.fixture(scope="module")
def crashed(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SessionFacts, Killer]]:
    if not recorded():
        pytest.skip("no recordings of AIG, BAC and SPY")
    folder = tmp_path_factory.mktemp("crash")
    made = make(folder, Crash({"AIG": -0.08}, from_ms=ms_of_day("10:38"), until_ms=ms_of_day("12:04")))
    strategy = folder / "strategy.yaml"
    strategy.write_text(EXAMPLE.partition("moments:")[0] + STRATEGY)
    files = [file for file in made if "spy" not in file.parts or "quote" in file.name]
    plan, feed = replayed_plan(strategy, files, 60)
    plan = SessionPlan(plan.strategy_file, PREFIX, venue_port=17331)
    session, killer = TradingSession(stack, plan), Killer(stack)
    try:
        summary = run_session(stack, plan, feed, Console(stderr=True), Stopwatch.started())
        session.session_id = summary["session"]
        session.schema_ids = SchemaRegistry(stack.registry.url).ids()
        assert summary["conserved"]
        yield SessionFacts(session), killer
    finally:
        killer.stop()
        session.close()


def test_the_taskmanager_died_in_the_middle_of_the_unwinding(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, killer = crashed
    assert killer.killed
    assert len(unwinding(facts)) > killer.after


def test_a_broken_limit_reduces_and_what_is_left_is_flat_and_halted(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, _ = crashed
    words = [order.reason for order in facts.orders if order.action is Decision.NOTICE]
    assert words[0].startswith("reducing: daily_loss ")
    assert words[-1].startswith("halted: all is closed: daily_loss ")
    last = states(facts)[-1]
    assert last.stops["paper"].kind is Stops.HALT
    assert not last.pairs
    assert all(position.lots == 0 for position in last.positions.values())


def test_nothing_new_is_taken_once_the_limit_broke(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, _ = crashed
    begun = next(n for n, order in enumerate(facts.orders) if order.reason.startswith("reducing: daily_loss"))
    after = [order for order in facts.orders[begun:] if order.action is Decision.NEW]
    assert after
    assert not [order for order in after if "/enter_" in order.cause]


def test_pairs_are_hedged_while_they_go(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, _ = crashed
    stages: dict[tuple[str, str], int] = {}
    for order in unwinding(facts):
        stages[order.cause, order.pair] = stages.get((order.cause, order.pair), 0) + 1
    legs = list(stages.values())
    assert legs.count(2) > 0.8 * len(legs)


def test_the_log_replayed_gives_the_same_orders_byte_for_byte(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, _ = crashed
    config = TraderConfig.of(facts.session.strategy, facts.session.session_id)
    state, decided = TraderState(config), list[OrderRequest]()
    for event in facts.events:
        state, orders, _ = take(state, event)
        decided += orders
    codec = OrderCodec(facts.session.schema_ids[RECORDS["trading.orders"]])
    assert [codec.encode(order) for order in facts.orders] == [codec.encode(order) for order in decided]


def test_no_order_came_to_the_venue_twice(crashed: tuple[SessionFacts, Killer]) -> None:
    facts, _ = crashed
    assert set(facts.received_at_venues().values()) == {1}


def unwinding(facts: SessionFacts) -> list[OrderRequest]:
    return [order for order in facts.orders if order.action is Decision.NEW and order.cause.startswith("marks/")]


def states(facts: SessionFacts) -> list[TraderState]:
    state = TraderState(TraderConfig.of(facts.session.strategy, facts.session.session_id))
    found = []
    for event in facts.events:
        state, _, _ = take(state, event)
        found.append(state)
    return found
