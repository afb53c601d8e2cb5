"""What the trader makes of orders that are worked: its own order, and nothing of the children."""

from dataclasses import replace

import pytest

from pipelines.domain.trader_config import Fee
from pipelines.domain.trading import OrderRequest, OrderStatus, Report, TradingEvent
from tests.support.accounts import config, entered, intent, lots, marked, report
from tests.unit.parent_world import NOW, books, rules
from tests.unit.parent_world import Desk as Gateway


def filled_at(venue: str, order: OrderRequest, exec_id: str, cumulative: int, last: int) -> TradingEvent:
    """A fill of a child at a venue, as the gateway tells it."""
    event = report(order, exec_id, OrderStatus.PARTIALLY_FILLED, cumulative, last)
    assert isinstance(event.body, Report)
    body = replace(event.body, venue=venue, child=f"child-at-{venue}", child_status="filled", child_cumulative=last)
    return replace(event, event_id=f"report/{venue}/{exec_id}", body=body)


def test_the_intent_of_a_child_changes_nothing() -> None:
    desk = marked()
    order, _ = entered(desk)
    desk.give(intent(order))
    before = desk.state
    assert desk.give(intent(replace(order, client_order_id="child", target=order.client_order_id))) == ()
    assert desk.state is before


def test_fills_of_two_venues_that_use_the_same_exec_id_both_count_once() -> None:
    desk = marked()
    order, _ = entered(desk)
    fills = [filled_at("Q", order, "17", 4, 4), filled_at("N", order, "17", 7, 3)]
    desk.give(*fills, *fills)
    assert lots(desk) == {"A": 7}


def test_a_bust_takes_back_the_fill_of_its_own_venue() -> None:
    desk = marked()
    order, _ = entered(desk)
    desk.give(filled_at("Q", order, "17", 4, 4), filled_at("N", order, "17", 7, 3))
    bust = filled_at("N", order, "18", 4, 0)
    assert isinstance(bust.body, Report)
    desk.give(replace(bust, body=replace(bust.body, amends="17", amended_quantity=3, amended_price=100.0)))
    assert lots(desk) == {"A": 4}


def test_a_fill_costs_what_the_venue_takes_that_filled_it() -> None:
    desk = marked(replace(config(), fees={"Q": Fee(per_lot=0.5), "N": Fee(per_lot=0.25)}))
    order, _ = entered(desk)
    desk.give(filled_at("Q", order, "1", 4, 4), filled_at("N", order, "2", 8, 4))
    assert desk.state.costs == pytest.approx(4 * 0.5 + 4 * 0.25)


def test_an_order_that_is_worked_is_one_order_from_its_intent_to_its_last_fill() -> None:
    desk = marked()
    order, _ = entered(desk)
    gateway = Gateway(rules(replace(NOW, instrument=order.instrument)))
    gateway.take(order)
    while gateway.orders.due_ns() is not None:
        for child in gateway.move(shown=books(Q=3, N=3)):
            gateway.say(child, "new")
            gateway.fill(child)
    assert len(gateway.sent) > 2
    desk.give(*(replace(event, account=order.account) for event in gateway.log))
    assert order.client_order_id not in desk.state.orders
    assert lots(desk) == {"A": order.quantity}
