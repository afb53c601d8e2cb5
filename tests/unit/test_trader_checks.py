"""What the trader refuses, and in which words; and an operator's commands."""

import math
from dataclasses import replace

import pytest

from pipelines.domain.identity import marks_id
from pipelines.domain.trading import Action, Decision, Marks, OrderStatus, Signal, TradingEvent
from tests.support.accounts import (
    ACCOUNT,
    MS,
    T0,
    Desk,
    command,
    config,
    entered,
    filled,
    marked,
    marks,
    reason_of,
    rejected,
    report,
    signal,
)


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


def test_a_leg_that_was_quoted_since_its_last_mark_is_not_stale() -> None:
    #  marks   |0 A 100, B 100 ............ 1500 A 100|      B at 102 is in the signal, and not in marks yet
    desk = marked()
    desk.give(marks(0, 2, T0 + 1500 * MS, ("A",)))
    event = signal("A-B", Action.ENTER_LONG, 1, T0 + 1500 * MS)
    assert isinstance(event.body, Signal)
    assert len(desk.give(replace(event, body=replace(event.body, mid_b=102.0)))) == 2


def test_a_leg_that_was_marked_with_one_side_is_refused() -> None:
    desk = marked()
    one_sided = Marks(0, 2, ("B",), (99.99,), (0.0,), (T0 + MS,))
    desk.give(TradingEvent(marks_id(0, 2), ACCOUNT, T0 + MS, one_sided))
    refused = reason_of(desk.give(signal("A-B", Action.ENTER_LONG, 1, T0 + MS)))
    assert refused == "stale_marks: B was marked with no ask"


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
        "unknown_command: resume: 'A-B' is no desk, all, strategy:NAME, pair:NAME or venue:NAME of this account"
    )
    assert desk.state.killed


def test_a_drain_is_passed_on_once() -> None:
    desk = Desk()
    (mark,) = desk.give(command("drain", "drain-1"))
    assert (mark.action, mark.client_order_id, mark.account) == (Decision.DRAIN, "drain-1", "desk")
    assert desk.give(command("drain", "drain-1")) == ()
