"""What the trader makes of reports: late, repeated, out of order, impossible."""

import math

import pytest

from pipelines.domain.trading import OrderStatus, Side
from tests.support.accounts import canceled, entered, filled, held, intent, lots, marked, reason_of, rejected, report


def test_a_repeated_report_does_nothing() -> None:
    desk = marked()
    a, _ = entered(desk)
    part = report(a, "e1", OrderStatus.PARTIALLY_FILLED, 4, 4)
    desk.give(part)
    before = desk.state
    assert desk.give(part) == ()
    assert desk.state is before
    assert lots(desk) == {"A": 4}


def test_an_older_report_that_comes_late_adds_nothing() -> None:
    desk = marked()
    a, _ = entered(desk)
    desk.give(report(a, "e2", OrderStatus.PARTIALLY_FILLED, 8, 3), report(a, "e1", OrderStatus.PARTIALLY_FILLED, 5, 5))
    assert lots(desk) == {"A": 8}


def test_a_late_fill_after_cancel_still_moves_the_position_and_is_closed() -> None:
    desk = marked()
    a, b = entered(desk)
    desk.give(canceled(a), rejected(b))
    late = report(a, "late", OrderStatus.PARTIALLY_FILLED, 4, 4)
    (closing,) = desk.give(late)
    assert lots(desk) == {"A": 4}
    assert (closing.instrument, closing.side, closing.quantity, closing.cause) == ("A", Side.SELL, 4, late.event_id)
    assert desk.give(late) == ()


def test_a_repeated_fill_of_a_forgotten_order_does_nothing() -> None:
    desk = held()
    before = desk.state
    assert desk.give(*(filled(order) for order in desk.outputs)) == ()
    assert desk.state is before


def test_an_order_that_is_unknown_keeps_its_exposure_until_the_venue_answers() -> None:
    desk = marked()
    a, b = entered(desk)
    desk.give(report(a, "u1", OrderStatus.UNKNOWN), report(b, "u2", OrderStatus.UNKNOWN))
    assert desk.state.exposure("A").long == 10
    desk.give(rejected(a), rejected(b))
    assert desk.state.exposure("A").long == 0


def test_fills_out_of_order_end_at_their_own_prices() -> None:
    in_order, reordered = marked(), marked()
    for desk, order in ((in_order, (0, 1, 2)), (reordered, (2, 0, 1))):
        a, _ = entered(desk)
        fills = [
            report(a, "e0", OrderStatus.PARTIALLY_FILLED, 5, 5, 99.0),
            report(a, "e1", OrderStatus.PARTIALLY_FILLED, 8, 3, 101.0),
            report(a, "e2", OrderStatus.FILLED, 10, 2, 103.0),
        ]
        desk.give(*(fills[index] for index in order))
    assert in_order.state.position("A").cash == -(5 * 9900 + 3 * 10100 + 2 * 10300)
    assert reordered.state.position("A") == in_order.state.position("A")


def test_a_repeated_fill_does_not_take_the_place_of_one_that_is_missing() -> None:
    desk = marked()
    a, _ = entered(desk)
    first, last = (
        report(a, "e0", OrderStatus.PARTIALLY_FILLED, 3, 3, 90.0),
        report(a, "e2", OrderStatus.FILLED, 10, 2, 103.0),
    )
    desk.give(first, last, first)
    assert desk.state.position("A").cash == -(3 * 9000 + 7 * 10300)
    desk.give(report(a, "e1", OrderStatus.PARTIALLY_FILLED, 8, 5, 101.0))
    assert desk.state.position("A").cash == -(3 * 9000 + 5 * 10100 + 2 * 10300)


def test_a_status_answer_books_fills_at_the_mark_until_their_price_comes() -> None:
    desk = marked()
    a, _ = entered(desk)
    desk.give(report(a, "status", OrderStatus.FILLED, 10, 0))
    assert desk.state.position("A").cash == -10 * 10000
    desk.give(report(a, "e1", OrderStatus.FILLED, 10, 10, 101.0))
    assert desk.state.position("A").cash == -10 * 10100


@pytest.mark.parametrize(("cumulative", "last"), [(-1, 0), (5, -5), (2**40, 1)])
def test_an_impossible_quantity_is_refused_and_moves_nothing(cumulative: int, last: int) -> None:
    desk = marked()
    a, _ = entered(desk)
    assert reason_of(desk.give(report(a, "bad", OrderStatus.PARTIALLY_FILLED, cumulative, last))).startswith(
        "implausible_report: bad of order"
    )
    assert lots(desk) == {}


@pytest.mark.parametrize("price", [math.nan, math.inf, 1e300])
def test_a_fill_without_a_usable_price_still_moves_the_position(price: float) -> None:
    desk = marked()
    a, _ = entered(desk)
    desk.give(report(a, "e1", OrderStatus.FILLED, 10, 10, price))
    assert lots(desk) == {"A": 10}


def test_a_report_of_an_order_never_made_does_nothing() -> None:
    desk = marked()
    a, _ = entered(marked())
    before = desk.state
    assert desk.give(filled(a)) == ()
    assert desk.state is before


def test_an_intent_marks_its_order_as_sent() -> None:
    desk = marked()
    a, _ = entered(desk)
    desk.give(intent(a))
    assert desk.state.orders[a.client_order_id].state == "sent"
