"""Two versions compared, and the tape of what comes."""

from dataclasses import replace

from jobs.signal_log import Given
from jobs.signal_watch import Tape
from pipelines.domain.trading import Action, Signal, TradingEvent
from pipelines.signals.comparison import Agreement, compare


def event(at_ns: int, pair: str = "KO-PEP", action: Action = Action.EXIT, version: str = "old") -> TradingEvent:
    signal = Signal("turns", version, pair, action, 0.4, 0.0, 1.0, 1.0, 1.0, 0, at_ns, at_ns)
    return TradingEvent(f"signal/turns/{version}/{pair}/{at_ns}/{action}", "paper", at_ns, signal)


def test_what_both_give_is_equal_though_their_ids_differ() -> None:
    found = compare([event(1)], [event(1, version="new")], 10)
    assert (found.total, found.only_old, found.only_new) == (Agreement(equal=1), (), ())


def test_what_one_gives_alone_is_told_by_pair_and_in_time() -> None:
    old = [event(5), event(3), event(4, "EWA-EWC")]
    new = [event(3, action=Action.ENTER_LONG), event(4, "EWA-EWC")]
    found = compare(old, new, 10)
    assert found.by_pair == {"EWA-EWC": Agreement(1, 0, 0), "KO-PEP": Agreement(0, 2, 1)}
    assert [each.event_time_ns for each in found.only_old] == [3, 5]
    assert [each.action for each in found.only_new] == ["enter_long"]


def test_what_only_one_has_covered_is_no_difference() -> None:
    assert compare([event(1), event(9), event(10)], [event(1), event(9)], 10).total == Agreement(equal=2)


def test_a_signal_that_comes_again_is_on_the_tape_once() -> None:
    tape = Tape()
    first = event(1)
    given = Given(first, first.body, live=True)  # type: ignore[arg-type]
    assert tape.take([given, given], 0.0) == [given]
    assert tape.take([given], 1.0) == []
    shadow = replace(given, live=False)
    assert tape.take([shadow], 1.0) == [shadow]


def test_the_rate_is_of_the_last_minute_or_of_the_time_since_the_beginning() -> None:
    tape = Tape()
    events = [event(at) for at in range(1, 7)]
    tape.take([Given(each, each.body, live=True) for each in events], 0.0)  # type: ignore[arg-type]
    version = ("turns", "old", True)
    assert tape.per_minute(30.0) == {version: 12.0}
    assert tape.per_minute(60.0) == {version: 6.0}
    assert tape.per_minute(61.0) == {version: 0.0}
