"""What the trader does with signals, marks, reports and commands, one behaviour a test."""

import math

import pytest

from pipelines.domain.account import Stance
from pipelines.domain.legs import CLOSE_TRIES
from pipelines.domain.trading import Action, Decision, OrderRequest, OrderStatus, Side
from tests.support.accounts import (
    MS,
    T0,
    Desk,
    canceled,
    command,
    config,
    filled,
    intent,
    marks,
    rejected,
    report,
    signal,
)


def marked() -> Desk:
    desk = Desk()
    desk.give(marks(0, 1), marks(1, 1))
    return desk


def entered(desk: Desk, sequence: int = 1) -> tuple[OrderRequest, OrderRequest]:
    a, b = desk.give(signal("A-B", Action.ENTER_LONG, sequence))
    return a, b


def held() -> Desk:
    desk = marked()
    desk.give(*(filled(order) for order in entered(desk)))
    return desk


def lots(desk: Desk) -> dict[str, int]:
    return {name: position.lots for name, position in desk.state.positions.items() if position.lots}


def reason_of(outputs: tuple[OrderRequest, ...]) -> str:
    (refused,) = outputs
    assert refused.action is Decision.REFUSED
    assert refused.leg == 0
    return refused.reason


# entries


def test_an_entry_buys_the_first_leg_and_sells_beta_of_the_second() -> None:
    a, b = entered(marked())
    assert (a.instrument, a.side, a.quantity, a.leg) == ("A", Side.BUY, 10, 0)
    assert (b.instrument, b.side, b.quantity, b.leg) == ("B", Side.SELL, 7, 1)
    assert a.event_time_ns == b.event_time_ns == T0
    assert a.cause == b.cause == "signal/reversion/v1/A-B/1/enter_long"


def test_a_short_entry_does_the_opposite() -> None:
    a, b = marked().give(signal("A-B", Action.ENTER_SHORT, 1))
    assert (a.side, b.side) == (Side.SELL, Side.BUY)


def test_a_negative_beta_puts_both_legs_on_one_side() -> None:
    a, b = marked().give(signal("D-B", Action.ENTER_LONG, 1))
    assert (a.side, b.side, b.quantity) == (Side.BUY, Side.BUY, 5)


def test_an_entry_is_made_only_when_the_pair_is_flat() -> None:
    desk = marked()
    entered(desk)
    assert reason_of(desk.give(signal("A-B", Action.ENTER_SHORT, 2))) == (
        "pair_not_flat: A-B is entering: filled 0/0 lots, limit 0"
    )


def test_a_pair_is_held_once_both_legs_are_filled() -> None:
    desk = held()
    assert desk.state.pairs["A-B"].stance is Stance.LONG
    assert lots(desk) == {"A": 10, "B": -7}
    assert not desk.state.orders


# exits


def test_an_exit_closes_exactly_what_is_filled() -> None:
    desk = held()
    a, b = desk.give(signal("A-B", Action.EXIT, 2))
    assert (a.instrument, a.side, a.quantity) == ("A", Side.SELL, 10)
    assert (b.instrument, b.side, b.quantity) == ("B", Side.BUY, 7)
    assert desk.give(filled(a), filled(b)) == ()
    assert lots(desk) == {}
    assert "A-B" not in desk.state.pairs


def test_an_exit_of_a_flat_pair_is_refused() -> None:
    assert reason_of(marked().give(signal("A-B", Action.EXIT, 1))) == "nothing_to_close: A-B is flat: filled 0/0 lots"


def test_an_exit_while_entering_is_done_when_the_entry_is_over() -> None:
    desk = marked()
    a, b = entered(desk)
    assert desk.give(signal("A-B", Action.EXIT, 2), filled(a)) == ()
    last = filled(b)
    closing = desk.give(last)
    assert [(order.instrument, order.side, order.quantity) for order in closing] == [
        ("A", Side.SELL, 10),
        ("B", Side.BUY, 7),
    ]
    assert {order.cause for order in closing} == {last.event_id}


def test_a_second_exit_while_closing_is_refused() -> None:
    desk = held()
    desk.give(signal("A-B", Action.EXIT, 2))
    assert reason_of(desk.give(signal("A-B", Action.EXIT, 3))).startswith("already_closing: A-B has 10/-7 lots left")


def test_an_exit_asks_for_no_marks() -> None:
    desk = held()
    assert len(desk.give(signal("A-B", Action.EXIT, 2, T0 + 3600 * 1000 * MS))) == 2


# legs


def test_a_filled_leg_is_closed_at_once_when_the_other_is_rejected() -> None:
    desk = marked()
    a, b = entered(desk)
    assert desk.give(filled(a)) == ()
    word = rejected(b)
    (closing,) = desk.give(word)
    assert (closing.instrument, closing.side, closing.quantity, closing.leg) == ("A", Side.SELL, 10, 0)
    assert (closing.cause, closing.event_time_ns) == (word.event_id, word.event_time_ns)
    desk.give(filled(closing))
    assert lots(desk) == {}
    assert "A-B" not in desk.state.pairs


def test_a_leg_filled_in_part_closes_both() -> None:
    desk = marked()
    a, b = entered(desk)
    desk.give(filled(a))
    closing = desk.give(canceled(b, cumulative=3, last=3))
    assert [(order.instrument, order.quantity) for order in closing] == [("A", 10), ("B", 3)]


def test_two_rejected_legs_leave_the_pair_flat() -> None:
    desk = marked()
    a, b = entered(desk)
    assert desk.give(rejected(a), rejected(b)) == ()
    assert not desk.state.pairs
    assert len(desk.give(signal("A-B", Action.ENTER_LONG, 2))) == 2


def test_a_closing_order_is_tried_three_times_and_then_the_pair_is_held() -> None:
    desk = held()
    a, b = desk.give(signal("A-B", Action.EXIT, 2))
    desk.give(filled(a))
    outputs = desk.give(rejected(b))
    tries = 1
    while outputs[0].action is Decision.NEW:
        tries += 1
        outputs = desk.give(rejected(outputs[0]))
    assert tries == CLOSE_TRIES
    assert reason_of(outputs) == "close_tries: A-B tried 3 times, limit 3, 0/-7 lots left open"
    (again,) = desk.give(signal("A-B", Action.EXIT, 3))
    assert (again.instrument, again.side, again.quantity) == ("B", Side.BUY, 7)


# reports


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


# checks


def test_an_unknown_pair_is_refused() -> None:
    assert reason_of(marked().give(signal("X-Y", Action.ENTER_LONG, 1))) == (
        "unknown_pair: 'X-Y' is not one of the strategy's 4 pairs"
    )


def test_a_signal_without_marks_is_refused() -> None:
    assert reason_of(Desk().give(signal("A-B", Action.ENTER_LONG, 1))) == "stale_marks: A has no mark, limit 1000 ms"


def test_a_signal_on_a_stale_leg_is_refused() -> None:
    desk = marked()
    desk.give(marks(0, 2, T0 + 1500 * MS, ("A",)))
    refused = reason_of(desk.give(signal("A-B", Action.ENTER_LONG, 1, T0 + 1500 * MS)))
    assert refused == "stale_marks: B was marked 1500.000 ms ago, limit 1000 ms"


def test_a_mark_as_old_as_the_limit_is_fresh() -> None:
    assert len(marked().give(signal("A-B", Action.ENTER_LONG, 1, T0 + 1000 * MS))) == 2


def test_marks_of_an_older_sequence_are_dropped() -> None:
    desk = marked()
    desk.give(marks(0, 5, T0 + MS, mid=101.0), marks(0, 4, T0, mid=99.0))
    quote = desk.state.mark(desk.config.pairs["A-B"], 0)
    assert quote is not None
    assert quote[0] == pytest.approx(100.99)


def test_marks_of_what_is_not_traded_are_not_kept() -> None:
    desk = Desk()
    desk.give(marks(0, 1, T0, ("A", "Z")), marks(9, 1, T0, ("A",)))
    assert list(desk.state.marks) == [0]
    assert list(desk.state.marks[0].quotes) == ["A"]


def test_marks_of_unequal_arrays_are_an_error() -> None:
    event = marks(0, 1)
    body = type(event.body)(0, 1, ("A", "B"), (1.0,), (1.0,), (T0,))  # type: ignore[call-arg,arg-type]
    with pytest.raises(ValueError):
        Desk().give(type(event)("m", event.account, T0, body))


def test_the_position_limit_counts_filled_and_working_and_unknown() -> None:
    desk = Desk(config(position_lots=25))
    desk.give(marks(0, 1), marks(1, 1))
    a, b = entered(desk)  # A +10 working
    desk.give(filled(a), filled(b))  # A +10 filled
    first, _ = desk.give(signal("A-C", Action.ENTER_LONG, 1))
    desk.give(report(first, "u", OrderStatus.UNKNOWN))  # A +10 unknown
    assert desk.state.exposure("A").long == 20
    tight = Desk(config(position_lots=19))
    tight.give(marks(0, 1), marks(1, 1))
    entered(tight)
    assert reason_of(tight.give(signal("A-C", Action.ENTER_LONG, 1))) == (
        "position_limit: A would be 20 lots long, limit 19 (filled 0, working or unknown 10, new 10)"
    )


def test_a_short_leg_does_not_make_room_for_a_long_one() -> None:
    """Else closing the short would carry the account past its limit."""
    desk = Desk(config(position_lots=14))
    desk.give(marks(0, 1), marks(1, 1))
    desk.give(signal("A-B", Action.ENTER_SHORT, 1))
    desk.give(signal("A-C", Action.ENTER_LONG, 1))
    assert (desk.state.exposure("A").long, desk.state.exposure("A").short) == (10, 10)
    assert desk.state.exposure("B").long == 7


def test_an_entry_whose_second_leg_breaks_the_limit_orders_neither() -> None:
    desk = Desk(config(position_lots=11))
    desk.give(marks(0, 1), marks(1, 1))
    refused = reason_of(desk.give(signal("A-C", Action.ENTER_LONG, 1)))
    assert refused == "position_limit: C would be 12 lots short, limit 11 (filled 0, working or unknown 0, new 12)"
    assert not desk.state.orders


@pytest.mark.parametrize("mid", [0.0, -1.0, math.nan, math.inf, 1e9, 1e-300])
def test_a_price_that_gives_no_quantity_is_refused(mid: float) -> None:
    assert reason_of(marked().give(signal("A-B", Action.ENTER_LONG, 1, mid=mid))).startswith(
        "zero_quantity: A-B sized 0/0"
    )


# commands


def test_no_order_goes_out_while_the_account_is_killed() -> None:
    desk = marked()
    desk.give(command("kill", "k1", reason="fat finger"))
    assert reason_of(desk.give(signal("A-B", Action.ENTER_LONG, 1))) == (
        "kill_switch: account desk was killed by alice: fat finger"
    )
    desk.give(command("resume", "r1"))
    assert len(desk.give(signal("A-B", Action.ENTER_LONG, 2))) == 2


def test_a_killed_account_does_not_close_either_and_the_exit_after_resume_does() -> None:
    desk = marked()
    a, b = entered(desk)
    desk.give(command("kill", "k1"), filled(a))
    assert reason_of(desk.give(rejected(b))).startswith("kill_switch")
    desk.give(command("resume", "r1"))
    (closing,) = desk.give(signal("A-B", Action.EXIT, 2))
    assert (closing.instrument, closing.quantity) == ("A", 10)


def test_a_repeated_resume_does_not_undo_a_later_kill() -> None:
    desk = marked()
    desk.give(command("kill", "k1"), command("resume", "r1"), command("kill", "k2"), command("resume", "r1"))
    assert desk.state.killed


def test_a_resume_of_another_scope_is_refused() -> None:
    desk = Desk()
    desk.give(command("kill", "k1"))
    assert reason_of(desk.give(command("resume", "r1", scope="A-B"))) == (
        "unknown_command: 'resume' of scope 'A-B' by alice"
    )
    assert desk.state.killed


def test_a_drain_is_passed_on_once() -> None:
    desk = Desk()
    (mark,) = desk.give(command("drain", "drain-1"))
    assert (mark.action, mark.client_order_id, mark.account) == (Decision.DRAIN, "drain-1", "desk")
    assert desk.give(command("drain", "drain-1")) == ()


# repeats and purity


def test_a_repeated_signal_is_dropped_silently() -> None:
    desk = marked()
    entered(desk)
    assert desk.give(signal("A-B", Action.ENTER_LONG, 1)) == ()


def test_an_exit_and_an_entry_of_one_sequence_are_two_signals() -> None:
    desk = held()
    assert len(desk.give(signal("A-B", Action.EXIT, 1))) == 2


def test_an_event_of_another_account_is_an_error() -> None:
    event = command("kill", "k1")
    with pytest.raises(ValueError, match="k1 is of account 'other'"):
        Desk().give(type(event)(event.event_id, "other", T0, event.body))


def test_a_step_leaves_the_state_before_it_as_it_was() -> None:
    desk = marked()
    before = desk.state
    first = desk.give(signal("A-B", Action.ENTER_LONG, 1))
    desk.state = before
    assert desk.give(signal("A-B", Action.ENTER_LONG, 1)) == first
