"""An account that takes itself down when a limit breaks, in stages; A-B is 10 and -7 lots, A-C 10 and -12, at 100."""

from typing import Any

import pytest

from pipelines.domain.account import Stops
from pipelines.domain.unwinding import Unwinding
from tests.support.accounts import canceled, command, lots
from tests.support.clocked import EXIT, LONG, Clocked, cancels, clocked, moves, new, words

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


# Measured risk.


def test_the_next_stage_waits_for_a_measure_that_has_seen_the_last() -> None:
    #  s    0.1 es breaks   0.2 stage   1.5 nothing   1.9 measured   2.0 stage
    at = broken("es")
    assert len(new(at.stage(200))) == 2
    assert at.stage(1_500) == ()
    at.now_ms = 1_900
    at.measure(150.0, **NO_VOLUMES)
    assert len(new(at.stage(2_000))) == 2


def test_all_that_is_closed_waits_for_a_measure_before_it_is_halted() -> None:
    #  s    0.1 es breaks   0.2 all closed   1.3 nothing is said   1.4 measured: 0   1.5 active
    at = broken("es", of=ALL)
    at.stage(200)
    assert lots(at) == {}
    assert at.at(1_300) == ()
    at.now_ms = 1_400
    at.measure(0.0, **NO_VOLUMES)
    assert words(at.at(1_500)) == ["active: es 0.00, limit 100.00"]


def test_all_that_is_closed_is_halted_where_no_measure_comes() -> None:
    at = broken("es", of=ALL)
    at.stage(200)
    assert words(at.at(10_200)) == ["halted: all is closed: es 200.00, limit 100.00"]


def test_a_flatten_by_a_person_waits_for_no_measure() -> None:
    at = broken("es")
    at.stage(200)
    at.say("flatten")
    assert len(new(at.stage(300))) == 2
    assert len(new(at.stage(1_300))) == 2


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
