"""Entries and exits of the trader, leg by leg, and what a step is."""

import pytest

from pipelines.domain.account import Stance
from pipelines.domain.moves import CLOSE_TRIES
from pipelines.domain.trading import Action, Decision, Side
from tests.support.accounts import (
    MS,
    T0,
    Desk,
    canceled,
    command,
    entered,
    filled,
    held,
    lots,
    marked,
    reason_of,
    rejected,
    signal,
)


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


def test_an_exit_closes_exactly_what_is_filled() -> None:
    desk = held()
    a, b = desk.give(signal("A-B", Action.EXIT, 2))
    assert (a.instrument, a.side, a.quantity) == ("A", Side.SELL, 10)
    assert (b.instrument, b.side, b.quantity) == ("B", Side.BUY, 7)
    assert desk.give(filled(a), filled(b)) == ()
    assert lots(desk) == {}
    assert "A-B" not in desk.state.pairs


def test_an_exit_of_a_flat_pair_asks_for_nothing() -> None:
    assert marked().give(signal("A-B", Action.EXIT, 1)) == ()


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


def test_a_second_exit_while_closing_asks_for_nothing() -> None:
    desk = held()
    desk.give(signal("A-B", Action.EXIT, 2))
    assert desk.give(signal("A-B", Action.EXIT, 3)) == ()


def test_an_exit_asks_for_no_marks() -> None:
    desk = held()
    assert len(desk.give(signal("A-B", Action.EXIT, 2, T0 + 3600 * 1000 * MS))) == 2


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
