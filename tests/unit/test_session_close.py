"""Hours of an account: entries until a time of day, everything closed at another. T0 is 22:13:20 UTC."""

from datetime import time

from pipelines.domain.session_times import SessionTimes
from pipelines.domain.unwinding import Unwinding
from tests.support.accounts import lots
from tests.support.clocked import LONG, cancels, clocked, new, words

S = 1_000
"""ms"""
ALL = {"unwinding": Unwinding(fraction=1.0)}

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
