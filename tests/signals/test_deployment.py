"""The ledger of deployments as values: what is live where, before and after a switch, and over being written down."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.deployments import signal_job_prefix
from pipelines.signals.deployment import ALWAYS, END, NEVER, Deployment, Ledger, State, Switch, Window
from pipelines.signals.plan import FROM, UNTIL, windowed
from pipelines.signals.signal_file import BoundSignal

TIMES = st.integers(0, END - 1)
OLD = Deployment(BoundSignal("turns", "0a1b2c3d4e", "SELECT 1", "turns.sql", 4, inputs=("crossings",)), "paper", 2)
NEW = replace(OLD, signal=replace(OLD.signal, version="5f6a7b8c9d"), window=NEVER)
CHANGE = Switch("turns", OLD.version, NEW.version)


def live(window: Window, at_ns: int) -> bool:
    """As the CASE in a plan has it."""
    return window.from_ns <= at_ns < window.until_ns


@given(from_ns=TIMES, turn_ns=TIMES, at_ns=TIMES)
def test_after_a_turn_each_event_time_that_was_live_is_live_in_one_version(
    from_ns: int, turn_ns: int, at_ns: int
) -> None:
    old = replace(OLD, window=Window(from_ns))
    turned = Ledger((old, NEW)).begun(CHANGE).turned(CHANGE, max(turn_ns, from_ns))
    windows = [each.window for each in turned.deployments]
    assert [live(window, at_ns) for window in windows].count(True) == live(old.window, at_ns)


def test_a_turn_makes_the_old_one_leave_and_the_new_one_live() -> None:
    turned = Ledger((OLD, NEW)).turned(CHANGE, 7)
    assert [each.state for each in turned.deployments] == [State.LEAVING, State.LIVE]
    assert turned.live("turns") == turned.get("turns", NEW.version)
    assert turned.switch("turns") == replace(CHANGE, turn_ns=7)
    assert turned.ended(CHANGE).switches == ()


@pytest.mark.parametrize(
    ("window", "retired", "state"),
    [
        (ALWAYS, False, "live"),
        (Window(5), False, "live"),
        (Window(5, 9), False, "leaving"),
        (NEVER, False, "shadow"),
        (Window(5, 9), True, "retired"),
    ],
)
def test_a_version_is_what_its_window_says(window: Window, retired: bool, state: str) -> None:
    assert replace(OLD, window=window, retired=retired).state == state


def test_a_ledger_is_the_same_once_it_was_written_and_read() -> None:
    ledger = Ledger((replace(OLD, savepoint="file:/s", covered_ms=3, job_id="ab"), NEW)).begun(CHANGE)
    assert Ledger.load(ledger.dump()) == ledger


def test_a_version_keeps_its_place_in_the_ledger() -> None:
    ledger = Ledger((OLD, NEW)).put(replace(OLD, retired=True))
    assert [each.version for each in ledger.deployments] == [OLD.version, NEW.version]
    assert list(ledger.current) == [NEW]
    assert ledger.without(NEW).of("turns") == (replace(OLD, retired=True),)


def test_a_window_is_closed_wherever_a_plan_has_it() -> None:
    plan = f'{{"a": {FROM}, "b": "CASE((x < {FROM}), (x < {UNTIL}))"}}'
    assert windowed(plan, Window(5, 9)) == '{"a": 5, "b": "CASE((x < 5), (x < 9))"}'


@pytest.mark.parametrize(
    ("job", "prefix"),
    [
        ("signal-turns-0a1b2c3d4e", ""),
        ("calm.signal-pair_stop-0a1b2c3d4e", "calm."),
        ("calm.signals", None),
        ("market", None),
        ("signal-turns-later", None),
    ],
)
def test_a_signal_job_is_known_by_its_name(job: str, prefix: str | None) -> None:
    assert signal_job_prefix(job) == prefix
