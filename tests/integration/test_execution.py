"""Gateway and venue as processes on a real broker: whatever is killed, each order once, no fill lost, none invented."""

import random
import signal
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.settings import Settings
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Decision, OrderRequest, Report
from pipelines.execution.replay import expected_fills
from tests.integration.execution_session import CONFIG, START_NS, ExecutionSession, fills, repeated

pytestmark = pytest.mark.stack


@pytest.fixture
def session(stack: Settings, tmp_path: Path) -> Iterator[ExecutionSession]:
    session = ExecutionSession(stack, tmp_path, f"exec-{uuid.uuid4().hex[:8]}.")
    yield session
    session.close()


def check(session: ExecutionSession, orders: list[OrderRequest]) -> None:
    """Law 4, and that the fills are the matching function's own."""
    events = list(session.events())
    assert session.orders_at_venue() == {order.client_order_id: 1 for order in orders}
    assert repeated(events) == []
    intents = [event.body.client_order_id for event in events if isinstance(event.body, OrderRequest)]
    assert sorted(intents) == sorted(order.client_order_id for order in orders)
    expected = expected_fills(orders, session.blocks, session.strategy, CONFIG)
    assert fills(events) == fills(expected)
    assert len(expected) > len(orders)


def test_orders_far_behind_the_market_fill_as_of_their_own_time(session: ExecutionSession) -> None:
    session.market(ms=8_000)
    session.end_market()
    session.start_venue("venue", window_s=2)
    session.start_gateway()
    orders = [session.order(number, START_NS + (100 + 25 * number) * NS_PER_MS) for number in range(300)]
    session.order(300, START_NS, Decision.DRAIN)
    session.flush()
    session.until("all orders are settled", lambda: session.drained(300))
    check(session, orders)
    assert session.kill("gateway", signal.SIGTERM) == 0
    assert session.kill("venue", signal.SIGTERM) == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_gateway_and_venue_killed_at_random_lose_and_double_nothing(session: ExecutionSession, seed: int) -> None:
    dice = random.Random(seed)
    session.start_venue()
    session.start_gateway()
    orders: list[OrderRequest] = []
    for victim in ("gateway", "venue", "gateway", "venue", "gateway"):
        for _ in range(dice.randint(10, 40)):
            orders.append(session.order(len(orders), session.clock_ns + dice.randint(0, 20) * NS_PER_MS))
            session.market(ms=20, seed=seed)
            time.sleep(dice.uniform(0, 0.03))
        session.kill(victim)
        session.start_venue() if victim == "venue" else session.start_gateway()
    session.order(len(orders), session.clock_ns, Decision.DRAIN)
    session.end_market()
    session.until("all orders are settled", lambda: session.drained(len(orders)))
    check(session, orders)


def test_a_second_gateway_takes_over_and_the_first_one_ends(session: ExecutionSession) -> None:
    session.market(ms=10_000)
    session.start_venue()
    session.start_gateway("first")
    session.until("the first is up", lambda: "state=up" in session.log_of("first"))
    orders = [session.order(number, START_NS + number * 10 * NS_PER_MS) for number in range(100)]
    session.flush()
    session.start_gateway("second")
    orders += [session.order(number, START_NS + number * 10 * NS_PER_MS) for number in range(100, 300)]
    session.flush()
    assert session.wait_for_exit("first") == 3
    assert "taken over" in session.log_of("first").splitlines()[-1]
    session.order(300, START_NS, Decision.DRAIN)
    session.flush()
    session.until("all orders are settled", lambda: session.drained(300))
    check(session, orders)
    assert session.commands() == ["gateway_started", "gateway_started", "drained"]


def test_orders_wait_for_a_venue_that_is_not_there_yet(session: ExecutionSession) -> None:
    session.market(ms=2_000)
    session.start_gateway()
    orders = [session.order(number, START_NS + 100 * number * NS_PER_MS) for number in range(10)]
    session.order(10, START_NS, Decision.DRAIN)
    session.flush()
    session.until("intents are written", lambda: sum(isinstance(e.body, OrderRequest) for e in session.events()) == 10)
    assert not any(isinstance(event.body, Report) for event in session.events())
    session.start_venue()
    session.until("all orders are settled", lambda: session.drained(10))
    check(session, orders)


def test_a_second_process_of_a_venue_is_refused_in_words(session: ExecutionSession) -> None:
    session.start_venue()
    session.until("the venue is up", lambda: "state=started" in session.log_of("venue"))
    session.start_venue("other", port=session.port + 1)
    assert session.wait_for_exit("other") == 1
    assert "this venue already runs, as process" in session.log_of("other")
