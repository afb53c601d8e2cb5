"""What the screen counts of decisions and fills."""

import pytest

from jobs.watch import Tally
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.domain.trading import Decision, OrderStatus
from pipelines.domain.universe import Instrument
from pipelines.execution.open_order import NOT_SENT
from tests.support.evidence import event, order, report

ORDERS, EVENTS = OrderCodec(1), EventCodec(2)


def tally() -> Tally:
    return Tally({"KO": Instrument("KO", "sim", "KO", 0.01, 1.0)})


def test_cancels_and_notices_are_no_orders() -> None:
    seen = tally()
    for number, action in enumerate(Decision):
        seen.order(ORDERS, ORDERS.encode(order(f"order-{number}", action=action, reason="said")))
    assert (seen.counts["orders"], seen.counts["refused"]) == (1, 1)
    assert any("notice said" in line for line in seen.latest)


def test_a_fill_that_is_taken_back_leaves_the_position_and_its_profit_as_they_were() -> None:
    seen = tally()
    words = (
        report("order-1", "x-1", 10, last_price=60.0),
        report("order-1", "x-2", 0, amends="x-1", amended_quantity=10, amended_price=60.0),
        report("order-1", "x-3", 4, last_price=61.0),
    )
    for word in words:
        (made,) = event(f"report/sim/{word.exec_id}", word).values()
        seen.event(EVENTS, EVENTS.encode(made))
    (line,), realised, _ = seen.positions()
    assert (line.lots, line.average_price, realised) == (4, pytest.approx(61.0), 0.0)


def test_children_are_counted_apart_and_one_that_was_not_sent_is_no_order_less() -> None:
    seen = tally()
    words = {
        "intent/order-1": order("order-1"),
        "intent/child-1": order("child-1", target="order-1"),
        "report/N/x-1": report(
            "order-1", "x-1", 0, status=OrderStatus.REJECTED, text=f"{NOT_SENT}why", child="child-1"
        ),
    }
    for name, word in words.items():
        (made,) = event(name, word).values()
        seen.event(EVENTS, EVENTS.encode(made))
    assert (seen.counts["intents"], seen.counts["children"], seen.counts["not_sent"]) == (1, 1, 0)
