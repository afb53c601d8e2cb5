"""Children that wait in queues: posted, moved as the market does, and taken when the time is over."""

from dataclasses import replace

import pytest

from pipelines.domain.parent_rules import Place, WorkRule
from pipelines.domain.trading import OrderStatus
from pipelines.domain.venue_books import Fee, Level, RouteModel, RouteVenue, VenueBook
from tests.unit.parent_world import T0, Desk, S, order, rules

Q = RouteVenue("Q", 1_000_000, maker=Fee(per_unit=-0.002), taker=Fee(per_unit=0.003), turnover_lots=20.0)
N = replace(Q, name="N", turnover_lots=10.0)
PATIENT = WorkRule(
    (Place(Q, "A.Q"), Place(N, "A.N")),
    RouteModel(0.01, drift_ticks=0.5, wait_ticks=0.1),
    duration_ns=10 * S,
    urgency=0.1,
    repeg_ns=S,
)


def at(bid: int, q: int = 5, n: int = 5) -> dict[str, VenueBook]:
    """Both venues, so many lots bid at a price in ticks and asked ten above."""
    shown = {"Q": q, "N": n}
    return {f"A.{v}": VenueBook(v, (Level(bid, lots),), (Level(bid + 10, lots),)) for v, lots in shown.items()}


@pytest.fixture
def desk() -> Desk:
    desk = Desk(rules(PATIENT))
    desk.take(order(lots=4))
    return desk


def test_what_is_cheaper_to_wait_for_is_posted_at_the_near_price(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    assert (child.venue, child.order_type, child.limit_price, child.quantity) == ("Q", "limit", 100.0, 4)
    assert desk.orders.due_ns() == T0 + S


def test_it_stays_where_it_is_while_that_is_best(desk: Desk) -> None:
    desk.move(shown=at(10_000))
    for second in range(1, 5):
        assert desk.orders.due_ns() == T0 + second * S
        assert desk.move(shown=at(10_000)) == []
    assert desk.cancels == {}


def test_it_is_moved_when_the_market_has_moved_once_its_venue_has_let_it_go(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    assert desk.move(shown=at(10_005, q=60)) == []
    assert desk.cancels[child.client_order_id].event_time_ns == T0 + S
    assert desk.orders.due_ns() is None
    desk.say(child, "canceled", cumulative=0)
    (again,) = desk.move(shown=at(10_005, q=60))
    assert (again.order_type, again.limit_price) == ("limit", 100.05)


def test_a_fill_that_comes_before_its_venue_lets_it_go_is_not_sent_again(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    desk.move(shown=at(10_005, q=60))
    desk.say(child, "partially_filled", 3, 3)
    desk.say(child, "canceled", cumulative=3)
    (again,) = desk.move(shown=at(10_005, q=60))
    assert again.quantity == 1


def test_when_the_time_is_over_what_waits_is_taken(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    desk.move(T0 + 10 * S, at(10_000))
    assert desk.cancels[child.client_order_id].event_time_ns == T0 + 10 * S
    desk.say(child, "canceled")
    (taken,) = desk.move(shown=at(10_000))
    assert (taken.order_type, taken.quantity) == ("market", 4)
    assert desk.fill(taken).status is OrderStatus.FILLED


def test_after_a_restart_it_is_moved_at_the_same_time(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    desk.move(shown=at(10_000))
    desk.move(shown=at(10_005, q=60))
    before = desk.cancels.pop(child.client_order_id)
    desk.restart()
    assert desk.orders.due_ns() == T0 + S
    desk.move(shown=at(10_000))
    desk.move(shown=at(10_005, q=60))
    assert desk.cancels[child.client_order_id] == before


def test_a_cancel_of_the_order_cancels_what_waits(desk: Desk) -> None:
    (child,) = desk.move(shown=at(10_000))
    desk.cancel()
    assert set(desk.cancels) == {child.client_order_id}
    assert desk.say(child, "canceled").status is OrderStatus.CANCELED
    assert desk.orders.due_ns() is None
