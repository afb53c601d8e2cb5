"""Stages of an unwinding: how much at a time, what first; A-B is 10 and -7 lots, A-C 10 and -12, at 100."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.domain.account import Stops
from pipelines.domain.sizing import Sizing
from pipelines.domain.trading import Decision, Signal
from pipelines.domain.universe import SignalUse
from pipelines.domain.unwinding import Unwinding, slice_lots
from tests.support.accounts import command, lots, signal
from tests.support.clocked import EXIT, LONG, SHORT, Clocked, clocked, moves, new, words

S = 1_000
"""ms"""
ALL = {"unwinding": Unwinding(fraction=1.0)}
NO_VOLUMES: dict[str, Any] = {"volume_per_day": (), "deviation_per_lot": ()}


# How much at a time.


@pytest.mark.parametrize(
    ("held", "volume", "deviation", "lots_a_stage", "why"),
    [
        (1000, 0.0, 0.0, 250, "a quarter where volumes are not known"),
        (3, 0.0, 0.0, 1, "rounded up"),
        (1000, 23_400_000.0, 0.0, 100, "a tenth of 1,000 a second"),
        (50, 23_400_000.0, 0.0, 50, "no more than there is"),
        (1000, 1_000.0, 0.0, 1, "one at least"),
        (1000, 23_400_000.0, 0.0, 100, "no impact without a deviation"),
        (1000, 1_000_000.0, 0.2, 4, "a tenth of volume is 4.27"),
        (100_000, 23_400_000.0, 1.0, 93, "0.2 % of impact: 23,400,000 * 0.002 ** 2 = 93.6"),
    ],
)
def test_a_slice(held: int, volume: float, deviation: float, lots_a_stage: int, why: str) -> None:
    assert slice_lots(held, volume, deviation, Unwinding()) == lots_a_stage, why
    assert slice_lots(-held, volume, deviation, Unwinding()) == lots_a_stage, why


def test_a_stage_a_second_takes_a_share_of_both_legs_until_both_are_flat() -> None:
    #  s    0.1     1.1     2.1     3.1 ...            a quarter of the leg of which less may go
    #       8/-6    6/-4    5/-3    4/-2
    at = clocked(daily_loss=50.0).hold("A-B")
    at.mids["A"] = 90.0
    left = []
    for second in range(10):
        at.stage(second * S + 100)
        left.append(at.lots_of("A-B"))
    assert left == [(8, -6), (6, -4), (5, -3), (4, -2), (3, -2), (2, -1), (1, -1), (0, 0), (0, 0), (0, 0)]


def test_no_stage_comes_before_its_time() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.fill(at.at(100, A=90.0))
    assert at.at(1_099) == ()
    assert len(new(at.at(1_100))) == 2


def test_volumes_of_a_risk_update_bound_a_stage() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.measure(volume_per_day=(468_000.0,) * 4, deviation_per_lot=())  # 20 a second: 2 of them
    assert moves(at.at(100, A=90.0)) == [("A-B", "A", -2), ("A-B", "B", 1)]


def test_impact_bounds_a_stage() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.measure(volume_per_day=(2_340_000.0,) * 4, deviation_per_lot=(180.0,) * 4)  # 2 a day's deviation: 2.3 lots of A
    assert moves(at.at(100, A=90.0)) == [("A-B", "A", -2), ("A-B", "B", 1)]


def test_two_pairs_of_an_instrument_share_what_may_go_of_it() -> None:
    at = clocked(daily_loss=50.0).hold("A-B", "A-C")
    at.measure(volume_per_day=(468_000.0,) * 4, deviation_per_lot=())  # 2 of A in a stage
    outputs = at.at(100, A=90.0)
    assert sum(lots for _, instrument, lots in moves(outputs) if instrument == "A") == -2


def test_a_small_pair_does_not_take_the_room_of_a_large_one() -> None:
    at = clocked(daily_loss=50.0).hold("A-B", "A-C")
    at.measure(volume_per_day=(2_808_000.0,) * 4, deviation_per_lot=())  # 12 of A in a stage
    outputs = at.at(100, A=90.0)
    assert sum(lots for _, instrument, lots in moves(outputs) if instrument == "A") == -12


def test_a_leg_ends_no_sooner_than_the_other() -> None:
    #  lots   200/-2   190/-2   ...   20/-1   10/-1   0/0       10 a stage
    at = clocked(daily_loss=50.0, of={"sizing": Sizing(20_000.0)})
    event = signal("A-B", LONG, 1)
    assert isinstance(event.body, Signal)
    at.fill(at.give(replace(event, body=replace(event.body, beta=0.01))))
    assert at.lots_of("A-B") == (200, -2)
    at.at(100)
    at.measure(volume_per_day=(2_340_000.0,) * 4, deviation_per_lot=())  # 10 in a stage
    at.mids["A"] = 90.0
    stages = [moves(at.stage(second * S)) for second in range(1, 21)]
    assert max(-each[0][2] for each in stages if each) == 10
    assert at.lots_of("A-B") == (0, 0)


# What first.


def test_what_adds_most_to_the_risk_goes_first_and_no_more_than_it_takes() -> None:
    #  es 200, limit 110, to 99: 101 to go; A-C has 120 of it, A-B 80
    at = clocked(es=110.0, of=ALL)
    at.measure(1.0, **NO_VOLUMES)
    at.hold("A-B", "A-C")
    at.now_ms = 50
    at.measure(200.0, pairs=("A-B", "A-C"), pair_es=(80.0, 120.0), **NO_VOLUMES)
    assert {pair for pair, _, _ in moves(at.at(100))} == {"A-C"}


def test_the_second_goes_too_where_the_first_is_not_enough() -> None:
    at = clocked(es=50.0, of=ALL)
    at.measure(1.0, **NO_VOLUMES, each=0.5)
    at.hold("A-B", "A-C")
    at.now_ms = 50
    at.measure(200.0, pairs=("A-B", "A-C"), pair_es=(80.0, 120.0), **NO_VOLUMES)
    assert [pair for pair, _, _ in moves(at.at(100))] == ["A-C", "A-C", "A-B", "A-B"]


def test_a_pair_that_lowers_the_risk_stays() -> None:
    at = clocked(es=100.0, of=ALL)
    at.measure(1.0, **NO_VOLUMES)
    at.hold("A-B", "A-C")
    at.now_ms = 50
    at.measure(200.0, pairs=("A-B", "A-C"), pair_es=(250.0, -50.0), **NO_VOLUMES)
    at.stage(100)
    at.stage(30 * S)
    assert (at.lots_of("A-B"), at.lots_of("A-C")) == ((0, 0), (10, -12))


def test_what_was_not_measured_goes_first_by_its_worth() -> None:
    at = clocked(gross_notional=4_000.0, of=ALL)
    at.hold("A-B")
    at.measure(0.0, pairs=("A-B",), pair_es=(5_000.0,), **NO_VOLUMES)
    at.hold("D-B")
    outputs = at.at(100, A=170.0, D=170.0, B=120.0)
    assert moves(outputs)[0][0] == "D-B"


def test_what_is_short_stays_where_the_account_is_too_long() -> None:
    at = clocked(net_notional=1_500.0, of=ALL)
    at.hold("A-B")
    at.fill(at.sign("D-B", SHORT))  # -10 D, -5 B
    outputs = at.at(100, A=400.0, B=50.0)
    assert moves(outputs) == [("A-B", "A", -10), ("A-B", "B", 7)]


# Strategies that want the opposite.

TWO: dict[str, Any] = ALL | {
    "signals": (SignalUse("a", {}, "reversion", "test"), SignalUse("b", {}, "momentum", "other")),
    "sizing": Sizing(1_000.0, units=3),
}


def netted() -> Clocked:
    """`test` is long 2 units of A-B, `other` short 1: 10 and -7 are held."""
    at = clocked(daily_loss=50.0, of=TWO).hold("A-B", "A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))
    assert at.lots_of("A-B") == (10, -7)
    return at


def test_a_pair_in_which_strategies_are_netted_is_never_turned_around() -> None:
    at = netted()
    assert moves(at.stage(100)) == []
    assert moves(at.stage(1_000) or at.stage(2_000)) == []
    assert moves(at.at(3_000, A=90.0)) == [("A-B", "A", -10), ("A-B", "B", 7)]
    at.fill(at.outputs[-2:])
    at.at(4_000)
    assert (lots(at), at.state.pairs) == ({}, {})
    assert at.state.stops["desk"].kind is Stops.HALT


def test_books_of_netted_strategies_are_even_after_an_unwinding() -> None:
    at = netted()
    at.stage(100)
    at.mids["A"] = 90.0
    at.stage(1_000)
    at.stage(2_000)
    at.stage(3_000)
    assert [leg.lots for of in at.state.books.values() for book in of.values() for leg in book.legs] == [0] * 4


def test_what_strategies_want_the_opposite_of_is_not_wanted_after_an_unwinding() -> None:
    at = clocked(daily_loss=50.0, of=TWO).hold("A-B")
    at.fill(at.sign("A-B", SHORT, "momentum"))
    assert lots(at) == {}
    at.fill(at.sign("D-B", LONG))
    at.stage(100)
    at.mids["D"] = 50.0
    at.stage(1_000)
    at.stage(2_000)
    assert at.state.stops["desk"].kind is Stops.HALT
    assert at.state.pairs == {}
    assert at.sign("A-B", EXIT) == ()


def test_a_flatten_of_a_strategy_leaves_what_others_hold() -> None:
    at = netted()
    at.say("flatten", "strategy:other")
    at.stage(100)
    assert at.lots_of("A-B") == (20, -14)
    assert words(at.at(1_200)) == ["halted: all is closed: alice: because"]
    assert words(at.sign("A-B", SHORT, "momentum"))[0].startswith("halted: strategy:other is halted: ")
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -20), ("A-B", "B", 14)]


def test_a_flatten_of_a_strategy_that_would_leave_too_much_closes_the_pair() -> None:
    at = netted()
    at.give(command("limit", "l1", "position_lots=12"))
    at.say("flatten", "strategy:other")
    assert moves(at.at(100)) == [("A-B", "A", -10), ("A-B", "B", 7)]


def test_every_order_of_an_unwinding_has_an_id_of_its_own() -> None:
    at = clocked(daily_loss=50.0).hold("A-B", "A-C")
    at.fill(at.at(100, A=90.0))
    for second in range(1, 12):
        at.stage(second * S + 100)
    ids = [each.client_order_id for each in at.outputs]
    assert len(ids) == len(set(ids))
    assert all(each.cause for each in at.outputs if each.action is Decision.NEW)
