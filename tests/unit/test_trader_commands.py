"""An operator's words by scope: kill, resume, flatten; what is canceled, what is told, and who is obeyed."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.domain.account import Stops
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Decision, TradingEvent
from pipelines.domain.universe import Instrument, SignalUse, Venue
from tests.support.accounts import NAMES, T0, command, config, filled, lots, marked
from tests.support.clocked import EXIT, LONG, Clocked, cancels, clocked, moves, new, words

# A, B and C trade at sim, D at alt; `test` hears reversion, `other` momentum.
DESK: dict[str, Any] = {
    "venues": (Venue("sim", "binance"), Venue("alt", "binance")),
    "instruments": tuple(Instrument(name, "alt" if name == "D" else "sim", name, 0.01, 1.0) for name in NAMES),
    "signals": (SignalUse("a", {}, "reversion", "test"), SignalUse("b", {}, "momentum", "other")),
}


def desk() -> Clocked:
    """A-B is entering for `test`, D-B for `other`, A-C is held by `other`, A-D is leaving for `test`."""
    at = clocked(of=DESK).hold("A-D").hold("A-C", name="momentum")
    at.sign("A-B", LONG)
    at.sign("D-B", LONG, "momentum")
    at.sign("A-D", EXIT)
    return at


SCOPES = {
    "desk": {"A-B", "D-B", "A-D"},
    "all": {"A-B", "D-B", "A-D"},
    "strategy:test": {"A-B", "A-D"},
    "strategy:other": {"D-B"},
    "pair:A-B": {"A-B"},
    "pair:A-D": {"A-D"},
    "venue:sim": {"A-B", "D-B", "A-D"},
    "venue:alt": {"D-B", "A-D"},
    "pair:A-C": set(),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_a_kill_cancels_what_works_in_its_scope_exits_too(scope: str) -> None:
    at = desk()
    asked = cancels(at.say("kill", scope))
    assert {each.pair for each in asked} == SCOPES[scope]
    assert len(asked) == 2 * len(SCOPES[scope])
    working = {name for pair in at.state.pairs.values() for name in pair.working}
    assert {each.target for each in asked} <= working
    assert all(each.client_order_id != each.target for each in asked)


@pytest.mark.parametrize("scope", ["desk", "strategy:test", "pair:A-B", "venue:sim"])
def test_a_kill_is_told_with_who_and_why(scope: str) -> None:
    (told, *_) = desk().say("kill", scope)
    assert (told.action, told.reason) == (Decision.NOTICE, f"killed: {scope} by alice: because")


@pytest.mark.parametrize(
    ("scope", "stopped"),
    [
        ("desk", {"A-B", "A-C", "D-B", "A-D", "other A-B"}),
        ("all", {"A-B", "A-C", "D-B", "A-D", "other A-B"}),
        ("strategy:test", {"A-B", "A-C", "D-B", "A-D"}),
        ("strategy:other", {"other A-B"}),
        ("pair:A-B", {"A-B", "other A-B"}),
        ("venue:sim", {"A-B", "A-C", "D-B", "A-D", "other A-B"}),
        ("venue:alt", {"D-B", "A-D"}),
    ],
)
def test_no_entry_goes_in_a_killed_scope_and_all_others_do(scope: str, stopped: set[str]) -> None:
    found = set()
    for name in ("A-B", "A-C", "D-B", "A-D", "other A-B"):
        at = clocked(of=DESK)
        at.say("kill", scope)
        outputs = at.sign(name[-3:], LONG, "momentum" if name.startswith("other") else "reversion")
        if not new(outputs):
            (refused,) = words(outputs)
            named = "account desk" if scope in ("desk", "all") else scope
            assert refused == f"kill_switch: {named} was killed by alice: because"
            found.add(name)
    assert found == stopped


@pytest.mark.parametrize("scope", ["desk", "strategy:test", "pair:A-B", "venue:sim"])
def test_no_exit_goes_in_a_killed_scope_and_it_goes_after_resume(scope: str) -> None:
    at = clocked(of=DESK).hold("A-B")
    at.say("kill", scope)
    assert words(at.sign("A-B", EXIT))[0].startswith("kill_switch: ")
    assert words(at.say("resume", scope)) == [f"resumed: {scope} by alice: because"]
    assert len(new(at.sign("A-B", EXIT))) == 2


def test_a_kill_of_an_unknown_scope_kills_the_account() -> None:
    at = desk()
    assert words(at.say("kill", "pair:X-Y")) == ["killed: desk by alice: because"]
    assert at.state.killed


@pytest.mark.parametrize("word", ["resume", "flatten"])
def test_an_unknown_scope_is_refused_by_all_but_kill(word: str) -> None:
    says = "is no desk, all, strategy:NAME, pair:NAME or venue:NAME of this account"
    assert words(desk().say(word, "venue:moon")) == [f"unknown_command: {word}: 'venue:moon' {says}"]


def test_a_resume_of_what_is_not_stopped_is_refused() -> None:
    at = desk()
    at.say("kill", "pair:A-B")
    assert words(at.say("resume", "pair:A-C")) == ["out_of_place: resume: pair:A-C is not stopped"]
    assert words(at.say("resume")) == ["out_of_place: resume: desk is not stopped"]
    assert at.state.stops["pair:A-B"].kind is Stops.KILL


def test_a_resume_of_the_account_leaves_a_kill_of_a_pair() -> None:
    at = desk()
    at.say("kill", "pair:A-B")
    at.say("kill")
    at.say("resume", "all")
    assert (at.state.killed, set(at.state.stops)) == ("", {"pair:A-B"})


def test_an_order_is_asked_to_be_canceled_once() -> None:
    at = desk()
    assert len(cancels(at.say("kill", "pair:A-B"))) == 2
    assert {each.pair for each in cancels(at.say("kill"))} == {"D-B", "A-D"}


def test_a_command_that_is_delivered_twice_does_nothing() -> None:
    at = desk()
    for word in ("kill", "resume", "flatten"):
        assert at.say(word)
        assert at.give(at.events[-1]) == ()


def test_a_kill_cancels_an_order_of_what_the_strategy_no_longer_trades() -> None:
    at = desk()
    order = next(each for each in at.outputs if each.instrument == "D")
    fewer = dict(list(at.config.instruments.items())[:3])
    pairs = {name: pair for name, pair in at.config.pairs.items() if "D" not in name}
    at.state = type(at.state)(
        replace(at.config, instruments=fewer, pairs=pairs),
        pairs=at.state.pairs,
        orders=at.state.orders,
    )
    assert order.instrument in {each.instrument for each in cancels(at.say("kill"))}


# Flatten.


@pytest.mark.parametrize(
    ("scope", "closed"),
    [
        ("desk", {"A-B", "A-C", "D-B", "A-D"}),
        ("strategy:test", {"A-B", "A-D"}),
        ("strategy:other", {"A-C", "D-B"}),
        ("pair:A-C", {"A-C"}),
        ("venue:alt", {"D-B", "A-D"}),
    ],
)
def test_a_flatten_closes_its_scope_in_stages_and_nothing_else(scope: str, closed: set[str]) -> None:
    at = clocked(of=DESK).hold("A-B", "A-D").hold("A-C", "D-B", name="momentum")
    assert words(at.say("flatten", scope)) == [f"flattening: {scope} by alice: because"]
    for second in range(20):
        at.stage(1_000 * second + 100)
    assert {"A-B", "A-C", "D-B", "A-D"} - at.state.pairs.keys() == closed
    assert at.state.stops[scope].kind is Stops.HALT
    assert words(at.outputs)[-1] == "halted: all is closed: alice: because"


def test_a_flatten_cancels_entries_and_not_exits() -> None:
    assert {each.pair for each in cancels(desk().say("flatten"))} == {"A-B", "D-B"}


def test_entries_are_refused_in_what_is_flattened_until_a_resume() -> None:
    at = clocked(of=DESK).hold("A-B")
    at.say("flatten", "pair:A-B")
    assert words(at.sign("A-B", LONG)) == ["reducing: pair:A-B is being closed: alice: because"]
    assert len(new(at.sign("D-B", LONG))) == 2
    for second in range(12):
        at.stage(1_000 * second + 100)
    assert words(at.sign("A-B", LONG)) == ["halted: pair:A-B is halted: all is closed: alice: because"]
    at.say("resume", "pair:A-B")
    assert len(new(at.sign("A-B", LONG))) == 2


def test_a_flatten_is_called_off_by_a_resume() -> None:
    at = clocked(of=DESK).hold("A-B")
    at.say("flatten")
    at.stage(100)
    assert words(at.say("resume")) == ["resumed: desk by alice: because"]
    assert at.at(1_200) == ()
    assert lots(at) == {"A": 8, "B": -6}


def test_a_flatten_of_what_is_killed_is_refused() -> None:
    at = clocked(of=DESK).hold("A-B")
    at.say("kill", "pair:A-B")
    assert words(at.say("flatten", "pair:A-B")) == ["out_of_place: flatten: pair:A-B is killed: resume it first"]


def test_a_flatten_of_nothing_halts() -> None:
    at = clocked(of=DESK)
    at.say("flatten", "pair:A-B")
    assert words(at.at(100)) == ["halted: all is closed: alice: because"]


# Who is obeyed.


def unsigned() -> TraderConfig:
    return replace(config(), refused=lambda event: f"{event.event_id} has no signature")


@pytest.mark.parametrize("word", ["resume", "flatten", "limit"])
def test_a_command_that_is_not_signed_is_refused(word: str) -> None:
    at = marked(unsigned())
    at.give(command("kill", "k1"))
    outputs = at.give(command(word, "c1", "order_lots=1" if word == "limit" else "desk"))
    scope = "order_lots=1" if word == "limit" else "desk"
    assert words(outputs) == [f"not_signed: {word} of {scope!r}: c1 has no signature"]
    assert at.state.killed


@pytest.mark.parametrize("word", ["kill", "drain", "drained", "gateway_started"])
def test_a_kill_and_what_services_say_need_no_signature(word: str) -> None:
    at = marked(unsigned())
    assert not any(each.startswith("not_signed") for each in words(at.give(command(word, "c1"))))
    assert bool(at.state.killed) is (word == "kill")


def test_an_unknown_word_is_refused() -> None:
    assert words(marked().give(command("dance", "c1"))) == ["unknown_command: 'dance' of scope 'desk' by alice"]


def test_what_a_command_sends_bears_the_time_of_the_marks() -> None:
    at = clocked().hold("A-B")
    at.sign("D-B", LONG)
    at.at(5_000)
    event = command("kill", "k1")
    late = TradingEvent("k2", event.account, T0 + 10**15, event.body)
    assert {each.event_time_ns for each in at.give(late)} == {T0 + 5_000 * 10**6}


def test_a_fill_after_a_kill_stays_and_moves_the_position() -> None:
    at = clocked()
    a, b = at.sign("A-B", LONG)
    at.say("kill")
    outputs = at.give(filled(a), filled(b))
    assert lots(at) == {"A": 10, "B": -7}
    assert words(outputs)[0].startswith("kill_switch: ")
    at.say("resume")
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -10), ("A-B", "B", 7)]
