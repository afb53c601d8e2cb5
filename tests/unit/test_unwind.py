"""An account that takes itself down when a limit breaks, in stages; A-B is 10 and -7 lots, A-C 10 and -12, at 100."""

from dataclasses import replace
from datetime import time
from typing import Any

import pytest

from pipelines.domain.account import Stops
from pipelines.domain.session_times import SessionTimes
from pipelines.domain.sizing import Sizing
from pipelines.domain.trading import Decision, Signal
from pipelines.domain.universe import SignalUse
from pipelines.domain.unwinding import Unwinding, slice_lots
from tests.support.accounts import canceled, command, lots, signal
from tests.support.clocked import EXIT, LONG, SHORT, Clocked, cancels, clocked, moves, new, words

S = 1_000
"""ms"""
ALL = {"unwinding": Unwinding(fraction=1.0)}
FASTER = {"unwinding": Unwinding(fraction=0.5, patience=3)}
NO_VOLUMES: dict[str, Any] = {"volume_per_day": (), "deviation_per_lot": ()}


def broken(limit: str, of: dict[str, Any] | None = None, pairs: tuple[str, ...] = ("A-B",)) -> Clocked:
    """Each limit as it breaks, at 100 ms, with pairs held."""
    at = clocked(of=of, **{limit: LIMITS[limit]})
    at.measure(1.0, 1.0, **NO_VOLUMES)
    at.hold(*pairs)
    at.now_ms = 100
    if limit in ("es", "var"):
        at.measure(**{limit: 2 * LIMITS[limit]}, **NO_VOLUMES)
    else:
        at.at(100, **MARKS[limit])
    return at


LIMITS = {
    "daily_loss": 50.0,
    "drawdown": 50.0,
    "es": 100.0,
    "var": 100.0,
    "gross_notional": 2_000.0,
    "net_notional": 1_100.0,
}
MARKS = {
    "daily_loss": {"A": 90.0},
    "drawdown": {"A": 90.0},
    "gross_notional": {"A": 160.0},
    "net_notional": {"A": 200.0},
}
SAYS = {
    "daily_loss": "daily_loss 100.00, limit 50.00",
    "drawdown": "drawdown 100.00, limit 50.00",
    "es": "es 200.00, limit 100.00",
    "var": "var 200.00, limit 100.00",
    "gross_notional": "gross_notional 2300.00, limit 2000.00",
    "net_notional": "net_notional 1300.00, limit 1100.00",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_that_breaks_is_told_and_the_account_is_reducing(limit: str) -> None:
    at = broken(limit)
    assert f"reducing: {SAYS[limit]}" in words(at.outputs)
    assert (at.state.stops["desk"].kind, at.state.stops["desk"].limit) == (Stops.REDUCE, limit)


@pytest.mark.parametrize("limit", LIMITS)
def test_entries_are_refused_while_reducing(limit: str) -> None:
    at = broken(limit)
    assert words(at.sign("D-B", LONG)) == [f"reducing: account desk is being closed: {SAYS[limit]}"]


@pytest.mark.parametrize("limit", LIMITS)
def test_exits_go_while_reducing(limit: str) -> None:
    at = broken(limit, pairs=("A-B",))
    left = at.lots_of("A-B")
    if at.state.pairs["A-B"].moving:  # the first stage
        at.fill(at.outputs[-2:])
        left = at.lots_of("A-B")
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -left[0]), ("A-B", "B", -left[1])]


@pytest.mark.parametrize("limit", LIMITS)
def test_each_limit_ends_as_it_is_to(limit: str) -> None:
    """A loss: all is closed, and halted. What mends: inside again, and active."""
    at = broken(limit)
    at.fill(at.outputs)
    for second in range(1, 30):
        if limit in ("es", "var"):
            at.now_ms = second * S - 1
            held = sum(map(abs, at.lots_of("A-B"))) / 17
            at.measure(**{limit: 200.0 * held}, **NO_VOLUMES)
        at.stage(second * S)
    if limit in ("daily_loss", "drawdown"):
        assert at.state.stops["desk"].kind is Stops.HALT
        assert lots(at) == {}
        assert words(at.outputs)[-1].startswith(f"halted: all is closed: {limit} ")
    else:
        assert not at.state.stops
        assert words(at.outputs)[-1].startswith(f"active: {limit} ")
        assert lots(at)


def test_an_entry_that_works_is_canceled_and_its_fill_is_not_kept() -> None:
    #  ms   0 A-B held, D-B entering   100 loss: cancels of D-B   150 canceled, 4 lots filled   closed at once
    at = clocked(daily_loss=50.0).hold("A-B")
    a, b = at.sign("D-B", LONG)
    outputs = at.at(100, A=90.0)
    assert [(each.target, each.instrument, each.quantity) for each in cancels(outputs)] == [
        (a.client_order_id, "D", 10),
        (b.client_order_id, "B", 5),
    ]
    assert not at.state.pairs["D-B"].targets
    at.give(canceled(b))
    assert moves(at.give(canceled(a, cumulative=4, last=4))) == [("D-B", "D", -4)]


def test_an_entry_that_fills_whole_before_its_cancel_is_closed() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    entry = at.sign("D-B", LONG)
    at.at(100, A=90.0)
    assert moves(at.fill(entry)) == [("D-B", "D", -10), ("D-B", "B", -5)]


def test_an_exit_that_works_is_not_canceled() -> None:
    at = clocked(daily_loss=50.0).hold("A-B", "D-B")
    at.sign("D-B", EXIT)
    assert cancels(at.at(100, A=90.0)) == []


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


# Measured risk.


def test_the_next_stage_waits_for_a_measure_that_has_seen_the_last() -> None:
    #  s    0.1 es breaks   0.2 stage   1.5 nothing   1.9 measured   2.0 stage
    at = broken("es")
    assert len(new(at.stage(200))) == 2
    assert at.stage(1_500) == ()
    at.now_ms = 1_900
    at.measure(150.0, **NO_VOLUMES)
    assert len(new(at.stage(2_000))) == 2


def test_stages_go_on_after_so_long_without_a_measure() -> None:
    at = broken("var")
    at.stage(200)
    assert at.stage(10 * S) == ()
    assert len(new(at.stage(10 * S + 200))) == 2


def test_a_limit_of_money_waits_for_no_measure() -> None:
    at = broken("gross_notional")
    at.fill(at.outputs)
    assert len(new(at.stage(1_200))) == 2


# The end.


def test_it_is_over_only_below_the_limit_by_the_hysteresis() -> None:
    at = broken("es", pairs=("A-B", "A-C"))
    at.stage(200)
    at.now_ms = 900
    at.measure(95.0, **NO_VOLUMES)
    assert len(new(at.stage(1_300))) == 2  # 90 is where it ends
    at.now_ms = 1_900
    at.measure(90.0, **NO_VOLUMES)
    assert words(at.stage(2_300)) == ["active: es 90.00, limit 100.00"]
    assert len(at.sign("D-B", LONG)) == 1  # and the check of entries sees what this one adds
    at.measure(10.0, **NO_VOLUMES)


def test_entries_are_taken_again_when_it_is_over() -> None:
    at = broken("var")
    at.stage(200)
    at.now_ms = 900
    at.measure(1.0, 1.0, **NO_VOLUMES)
    at.stage(1_300)
    assert len(new(at.sign("D-B", LONG))) == 2


def test_a_loss_that_comes_while_reducing_takes_everything_down() -> None:
    at = clocked(es=100.0, daily_loss=50.0, of=ALL)
    at.measure(1.0, **NO_VOLUMES)
    at.hold("A-B", "A-C")
    at.now_ms = 50
    at.measure(150.0, pairs=("A-B", "A-C"), pair_es=(100.0, 50.0), **NO_VOLUMES)
    at.stage(100)
    assert lots(at) == {"A": 10, "C": -12}
    outputs = at.stage(1_200) + at.at(2_000, A=90.0)
    assert "reducing: daily_loss 100.00, limit 50.00" in words(outputs)
    at.fill(outputs)
    at.stage(3 * S)
    at.stage(4 * S)
    assert at.state.stops["desk"].kind is Stops.HALT
    assert lots(at) == {}


def test_a_loss_with_nothing_held_halts_at_once_in_two_words_of_their_own() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.fill(at.sign("A-B", EXIT), price=0.0)
    at.give(command("limit", "l1", "daily_loss=none"))
    at.hold("A-B")
    at.mids["A"] = 80.0
    at.fill(at.sign("A-B", EXIT))
    at.give(command("limit", "l2", "daily_loss=50"))
    outputs = at.at(200)
    assert words(outputs) == [
        "reducing: daily_loss 200.00, limit 50.00",
        "halted: all is closed: daily_loss 200.00, limit 50.00",
    ]
    assert len({each.client_order_id for each in outputs}) == 2


def test_it_is_halted_when_the_venue_takes_nothing() -> None:
    #  s    0.1 stage, rejected 3 times   1.1 again   2.1   3.1   4.1: the fourth that moved none, patience 3
    at = clocked(daily_loss=50.0, of=FASTER).hold("A-B")
    for second in range(6):
        outputs = at.at(second * S + 100, A=90.0)
        while new(outputs):
            outputs = at.reject(outputs)
    assert at.state.stops["desk"].kind is Stops.HALT
    assert words(at.outputs)[-1] == ("halted: 17 lots left, 4 stages moved none: daily_loss 100.00, limit 50.00")
    assert lots(at) == {"A": 10, "B": -7}


def test_what_a_halt_leaves_an_exit_closes() -> None:
    at = clocked(daily_loss=50.0, of=FASTER).hold("A-B")
    for second in range(6):
        outputs = at.at(second * S + 100, A=90.0)
        while new(outputs):
            outputs = at.reject(outputs)
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -10), ("A-B", "B", 7)]


def halted() -> Clocked:
    at = clocked(daily_loss=50.0, of=ALL).hold("A-B")
    at.stage(0)
    at.fill(at.at(100, A=90.0))
    at.at(1_200)
    assert at.state.stops["desk"].kind is Stops.HALT
    return at


def test_entries_are_refused_while_halted() -> None:
    assert words(halted().sign("D-B", LONG)) == [
        "halted: account desk is halted: all is closed: daily_loss 100.00, limit 50.00"
    ]


def test_a_halt_is_not_resumed_while_its_limit_is_broken() -> None:
    at = halted()
    assert words(at.say("resume")) == [
        "out_of_place: resume: daily_loss 100.00, limit 50.00: change the limit first, or wait until it is not broken"
    ]
    at.give(command("limit", "l1", "daily_loss=500"))
    assert words(at.say("resume")) == ["resumed: desk by alice: because"]
    assert len(new(at.sign("D-B", LONG))) == 2


def test_a_halt_is_resumed_on_the_next_day() -> None:
    at = halted()
    at.at(24 * 3600 * S)
    assert words(at.say("resume")) == ["resumed: desk by alice: because"]


def test_a_halt_is_not_resumed_without_a_name() -> None:
    at = halted()
    at.at(24 * 3600 * S)
    event = command("resume", "r1")
    nameless = type(event)("r2", event.account, event.event_time_ns, type(event.body)("resume", "desk", "", "x"))  # type: ignore[call-arg,arg-type]
    assert words(at.give(nameless)) == ["out_of_place: resume: desk: it needs the name of a person"]


def test_reducing_is_not_resumed() -> None:
    at = broken("es")
    assert words(at.say("resume")) == [
        "out_of_place: resume: desk is being closed: es 200.00, limit 100.00:"
        " wait until it is inside its limits, or halted"
    ]


def test_a_kill_stops_the_stages_and_a_resume_goes_on_with_them() -> None:
    #  s    0.1 stage   0.5 kill   1.1 .. 3.1 nothing   3.5 resume   4.1 stage
    at = clocked(daily_loss=50.0).hold("A-B")
    at.fill(at.at(100, A=90.0))
    at.say("kill")
    assert at.at(1_100) == at.at(3_100) == ()
    assert words(at.say("resume")) == ["resumed: desk by alice: because"]
    assert len(new(at.at(4_100))) == 2
    assert words(at.sign("D-B", LONG))[0].startswith("reducing: ")


def test_a_killed_pair_is_left_out_of_the_stages() -> None:
    at = clocked(daily_loss=50.0, of=ALL).hold("A-B", "A-C")
    at.say("kill", "pair:A-C")
    assert {pair for pair, _, _ in moves(at.at(100, A=90.0))} == {"A-B"}


# Drift.


@pytest.mark.parametrize(("price", "reduces"), [(149.0, False), (151.0, True)])
def test_what_prices_alone_carry_beyond_a_limit_of_money_is_borne_so_far(price: float, reduces: bool) -> None:
    at = clocked(gross_notional=2_000.0).hold("A-B")  # 10 A and 7 B at 100: 2,200 is a tenth beyond
    at.at(100, A=price)
    assert bool(at.state.stops) is reduces


def test_entries_are_refused_beyond_a_limit_of_money_that_is_borne() -> None:
    at = clocked(gross_notional=2_000.0).hold("A-B")
    at.at(100, A=149.0)
    assert words(at.sign("D-B", LONG))[0].startswith("gross_notional: ")


def test_no_drift_of_a_loss_is_borne() -> None:
    at = clocked(daily_loss=50.0).hold("A-B")
    at.at(100, A=94.9)
    assert at.state.stops


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


# The end of the day: T0 is 22:13:20 UTC.

CLOSE = ALL | {"times": SessionTimes("UTC", None, time(22, 20), time(22, 30))}
AT_CLOSE = (16 * 60 + 40) * S


def test_everything_is_closed_at_its_time_once_and_not_halted() -> None:
    #  22:13:20 held   22:29:59 nothing   22:30:00 closed   22:30:01 flat
    at = clocked(of=CLOSE).hold("A-B", "D-B")
    assert at.stage(AT_CLOSE - 1) == ()
    outputs = at.stage(AT_CLOSE)
    assert words(outputs) == ["flattening: everything is closed at 22:30:00 UTC"]
    assert lots(at) == {}
    assert words(at.at(AT_CLOSE + S)) == ["flat: everything is closed at 22:30:00 UTC"]
    assert not at.state.stops
    assert at.at(AT_CLOSE + 2 * S) == ()


def test_entries_after_their_time_are_refused_and_taken_the_next_day() -> None:
    at = clocked(of=CLOSE)
    at.at(7 * 60 * S)
    assert words(at.sign("A-B", LONG)) == ["session: 22:20:20 UTC, entries from midnight until 22:20:00"]
    at.at(AT_CLOSE)
    assert words(at.sign("A-B", LONG)) == ["session: 22:30:00 UTC, entries from midnight until 22:20:00"]
    at.at(2 * 3600 * S)
    assert len(new(at.sign("A-B", LONG))) == 2


def test_the_next_day_is_flattened_too() -> None:
    at = clocked(of=CLOSE).hold("A-B")
    at.stage(AT_CLOSE)
    at.at(AT_CLOSE + S)
    at.at(2 * 3600 * S)
    at.hold("A-B")
    assert len(new(at.stage(AT_CLOSE + 24 * 3600 * S))) == 2


def test_an_entry_that_works_at_the_end_of_the_day_is_canceled() -> None:
    at = clocked(of=CLOSE)
    entry = at.sign("A-B", LONG)
    assert [each.target for each in cancels(at.at(AT_CLOSE))] == [each.client_order_id for each in entry]


def test_what_cannot_be_closed_at_the_end_of_the_day_is_told() -> None:
    at = clocked(of=CLOSE | {"unwinding": Unwinding(patience=2)}).hold("A-B")
    for second in range(5):
        outputs = at.at(AT_CLOSE + second * S)
        while new(outputs):
            outputs = at.reject(outputs)
    assert "not flat: 17 lots left, 3 stages moved none: everything is closed at 22:30:00 UTC" in words(at.outputs)
    assert not at.state.stops


def test_hours_are_those_of_the_place() -> None:
    times = SessionTimes("America/New_York", time(9, 30), time(15, 50), time(15, 55))
    at = clocked(of={"times": times})  # 17:13:20 in New York
    assert words(at.sign("A-B", LONG)) == ["session: 17:13:20 America/New_York, entries from 09:30:00 until 15:50:00"]


def test_every_order_of_an_unwinding_has_an_id_of_its_own() -> None:
    at = clocked(daily_loss=50.0).hold("A-B", "A-C")
    at.fill(at.at(100, A=90.0))
    for second in range(1, 12):
        at.stage(second * S + 100)
    ids = [each.client_order_id for each in at.outputs]
    assert len(ids) == len(set(ids))
    assert all(each.cause for each in at.outputs if each.action is Decision.NEW)
