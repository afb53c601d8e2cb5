"""Two strategies in the same pairs: `test` hears reversion, `other` momentum. A-B is 10 and -7 lots a unit."""

from typing import Any

import pytest

from pipelines.domain.account import Stance, Target
from pipelines.domain.sizing import Broken, Sizing
from pipelines.domain.universe import SignalUse
from tests.support.accounts import canceled, command, filled, lots, rejected
from tests.support.clocked import EXIT, LONG, SHORT, Clocked, clocked, moves, new, words

SIGNALS: dict[str, Any] = {
    "signals": (SignalUse("a", {}, "reversion", "test"), SignalUse("b", {}, "momentum", "other"))
}


def desk(units: int = 1, flips: bool = False, broken: Broken = Broken.UNWIND, **limits: Any) -> Clocked:
    return clocked(of=SIGNALS | {"sizing": Sizing(1_000.0, units=units, flips=flips, broken=broken)}, **limits)


def targets(at: Clocked) -> dict[str, Target]:
    return dict(at.state.pairs["A-B"].targets)


def books_add_up(at: Clocked) -> None:
    for name, position in at.state.positions.items():
        legs = [
            book.legs[leg]
            for of in at.state.books.values()
            for pair, book in of.items()
            for leg in (0, 1)
            if pair.split("-")[leg] == name
        ]
        assert sum(each.lots for each in legs) == position.lots
        assert sum(each.cash for each in legs) == position.cash


def test_two_strategies_that_want_the_same_hold_twice_of_it() -> None:
    at = desk().hold("A-B").hold("A-B", name="momentum")
    assert at.lots_of("A-B") == (20, -14)
    assert targets(at) == {"test": (10, -7, 1), "other": (10, -7, 1)}


def test_an_exit_of_one_leaves_what_the_other_wants() -> None:
    at = desk().hold("A-B").hold("A-B", name="momentum")
    at.fill(at.sign("A-B", EXIT, "momentum"))
    assert at.lots_of("A-B") == (10, -7)
    assert targets(at) == {"test": (10, -7, 1)}


def test_an_exit_of_a_strategy_that_wants_nothing_does_nothing() -> None:
    at = desk().hold("A-B")
    assert at.sign("A-B", EXIT, "momentum") == ()


def test_an_exit_of_each_while_the_first_works_closes_all() -> None:
    #  test exits ... other exits while it works ... the first is filled: the second goes
    at = desk().hold("A-B").hold("A-B", name="momentum")
    first = at.sign("A-B", EXIT)
    assert at.sign("A-B", EXIT, "momentum") == ()
    assert moves(at.fill(first)) == [("A-B", "A", -10), ("A-B", "B", 7)]


def test_opposite_entries_net_to_flat_and_the_pair_stays_with_what_each_wants() -> None:
    at = desk().hold("A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))
    assert lots(at) == {}
    assert at.state.pairs["A-B"].stance is Stance.FLAT
    assert targets(at) == {"test": (10, -7, 1), "other": (-10, 7, 1)}
    books_add_up(at)


def test_an_exit_from_netted_to_flat_leaves_the_other_its_side() -> None:
    at = desk().hold("A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))
    outputs = at.sign("A-B", EXIT)
    assert moves(outputs) == [("A-B", "A", -10), ("A-B", "B", 7)]
    at.fill(outputs)
    assert at.lots_of("A-B") == (-10, 7)
    books_add_up(at)


def test_an_exit_that_would_leave_more_than_limits_allow_closes_all() -> None:
    at = desk(units=2).hold("A-B", "A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))  # 20 less 10
    at.give(command("limit", "l1", "position_lots=9"))
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -10), ("A-B", "B", 7)]
    assert targets(at) == {}


def test_an_entry_that_nets_is_held_to_the_rates() -> None:
    at = desk(orders_per_second=2).hold("A-B")
    assert words(at.sign("A-B", SHORT, "momentum")) == ["order_rate: 4 orders in a second, limit 2"]


def test_an_entry_that_nets_is_not_held_to_the_limits_of_exposure() -> None:
    at = desk().hold("A-B")
    at.give(command("limit", "l1", "position_lots=1"))
    assert len(new(at.sign("A-B", SHORT, "momentum"))) == 2


def test_a_strategy_enters_as_many_times_as_the_sizing_says() -> None:
    at = desk(units=2).hold("A-B", "A-B")
    assert targets(at) == {"test": (20, -14, 2)}
    assert words(at.sign("A-B", LONG)) == ["pair_not_flat: A-B is long: entered 2 times, limit 2"]
    at.hold("A-B", name="momentum")  # units are each strategy's own
    assert at.lots_of("A-B") == (30, -21)


def test_the_other_side_is_refused_where_the_sizing_does_not_flip() -> None:
    at = desk().hold("A-B")
    assert words(at.sign("A-B", SHORT)) == ["pair_not_flat: A-B is long: filled 10/-7 lots, limit 0"]


def test_the_other_side_turns_the_pair_around_in_one_move() -> None:
    at = desk(flips=True).hold("A-B")
    outputs = at.sign("A-B", SHORT)
    assert moves(outputs) == [("A-B", "A", -20), ("A-B", "B", 14)]
    at.fill(outputs)
    assert at.lots_of("A-B") == (-10, 7)
    assert targets(at) == {"test": (-10, 7, 1)}


def test_a_flip_from_several_entries_is_to_one() -> None:
    at = desk(units=2, flips=True).hold("A-B", "A-B")
    at.fill(at.sign("A-B", SHORT))
    assert targets(at) == {"test": (-10, 7, 1)}


def test_a_flip_that_breaks_off_leaves_the_strategy_with_nothing() -> None:
    #  long 10/-7, to -10/7: A sold whole, B rejected: -10/-7 is held, nothing wanted
    at = desk(flips=True).hold("A-B")
    a, b = at.sign("A-B", SHORT)
    at.give(filled(a))
    assert moves(at.give(rejected(b))) == [("A-B", "A", 10), ("A-B", "B", 7)]


def test_a_further_entry_that_breaks_off_leaves_what_was_held_before() -> None:
    at = desk(units=2).hold("A-B")
    a, b = at.sign("A-B", LONG)
    at.give(filled(a))
    closing = at.give(rejected(b))
    assert moves(closing) == [("A-B", "A", -10)]
    at.fill(closing)
    assert at.lots_of("A-B") == (10, -7)
    assert targets(at) == {"test": (10, -7, 1)}


def test_an_entry_that_breaks_off_leaves_what_the_other_strategy_holds() -> None:
    at = desk().hold("A-B")
    a, b = at.sign("A-B", LONG, "momentum")
    at.give(canceled(a, cumulative=4, last=4))
    at.fill(at.give(rejected(b)))
    assert at.lots_of("A-B") == (10, -7)
    assert targets(at) == {"test": (10, -7, 1)}
    books_add_up(at)


# An entry of which a leg lacks, completed.


def test_what_lacks_of_an_entry_is_ordered_again() -> None:
    at = desk(broken=Broken.COMPLETE)
    a, b = at.sign("A-B", LONG)
    at.give(filled(a))
    again = at.give(canceled(b, cumulative=3, last=3))
    assert moves(again) == [("A-B", "B", -4)]
    at.fill(again)
    assert at.lots_of("A-B") == (10, -7)
    assert at.state.pairs["A-B"].stance is Stance.LONG


def test_what_lacks_is_ordered_three_times_and_then_all_is_closed() -> None:
    at = desk(broken=Broken.COMPLETE)
    a, b = at.sign("A-B", LONG)
    at.give(filled(a))
    outputs, tries = at.give(rejected(b)), 0
    while moves(outputs) == [("A-B", "B", -7)]:
        tries, outputs = tries + 1, at.reject(outputs)
    assert tries == 3
    assert moves(outputs) == [("A-B", "A", -10)]


def test_an_entry_of_which_nothing_filled_is_not_completed() -> None:
    at = desk(broken=Broken.COMPLETE)
    assert at.reject(at.sign("A-B", LONG)) == ()
    assert not at.state.pairs


@pytest.mark.parametrize(
    ("word", "scope"), [("kill", "desk"), ("flatten", "pair:A-B"), ("kill", "venue:sim"), ("limit", "position_lots=1")]
)
def test_what_lacks_is_not_completed_where_nothing_new_is_taken(word: str, scope: str) -> None:
    at = desk(broken=Broken.COMPLETE)
    a, b = at.sign("A-B", LONG)
    at.say(word, scope)
    at.give(filled(a))
    assert not [each for each in moves(at.give(rejected(b))) if each[1] == "B"]


def test_an_exit_while_a_leg_is_completed_closes_all() -> None:
    at = desk(broken=Broken.COMPLETE)
    a, b = at.sign("A-B", LONG)
    at.give(filled(a))
    again = at.give(rejected(b))
    at.sign("A-B", EXIT)
    assert moves(at.fill(again)) == [("A-B", "A", -10), ("A-B", "B", 7)]


# Books.


def test_each_fill_is_in_the_book_of_the_strategy_that_ordered_it() -> None:
    at = desk().hold("A-B")
    at.mids["A"] = 110.0
    at.at(100)
    at.fill(at.sign("A-B", LONG, "momentum"))
    assert at.state.books["test"]["A-B"].legs[0].cash == -10 * 10_000
    assert at.state.books["other"]["A-B"].legs[0].cash == -10 * 11_000
    books_add_up(at)


def test_what_strategies_are_long_and_short_of_is_crossed_at_the_mark_when_the_account_is_flat() -> None:
    #  test buys 10 at 100; other sells 10 at 100; at 110 other's exit may not be: all that is wanted goes
    at = desk(units=2).hold("A-B", "A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))  # 20 less 10
    at.at(100, A=110.0)
    at.give(command("limit", "l1", "position_lots=9"))
    at.fill(at.sign("A-B", EXIT))  # sells 10 for test, which had 20
    assert lots(at) == {}
    test, other = at.state.books["test"]["A-B"], at.state.books["other"]["A-B"]
    assert [leg.lots for leg in (*test.legs, *other.legs)] == [0, 0, 0, 0]
    assert test.legs[0].realised == 20 * 1_000
    assert other.legs[0].realised == -10 * 1_000
    books_add_up(at)


def test_a_round_trip_is_counted_for_its_strategy_with_what_it_returned() -> None:
    at = desk().hold("A-B")
    at.at(100, A=110.0)
    at.fill(at.sign("A-B", EXIT))
    book = at.state.books["test"]["A-B"]
    assert (book.trips, book.returns, book.squares) == (1, pytest.approx(0.1), pytest.approx(0.01))
    assert "other" not in at.state.books


def test_a_strategy_that_no_signal_names_is_the_files_own() -> None:
    at = desk()
    a, _ = at.sign("A-B", LONG, "unheard of")
    assert a.strategy == "test"
