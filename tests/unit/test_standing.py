"""What is told of where pairs stand: every change once, in the account's time, with heartbeats."""

from dataclasses import replace as copied

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.account import TraderState
from pipelines.domain.account_bytes import VERSION, dump, load
from pipelines.domain.standing import AHEAD_NS, Standing, tell
from pipelines.domain.trader import step
from pipelines.domain.trading import Action, OrderStatus, TradingEvent
from tests.support.accounts import MS, T0, command, config, filled, held, marked, marks, report, signal

SECOND = 1000 * MS


def taken(state: TraderState, *events: TradingEvent) -> tuple[TraderState, list[Standing]]:
    told: list[Standing] = []
    for event in events:
        after, _ = step(state, event)
        state, found = tell(state, after, event)
        told += found
    return state, told


def stances(told: list[Standing]) -> list[tuple[str, str, int, int]]:
    return [(each.pair, each.stance, each.lots_a, each.lots_b) for each in told if each.kind == "position"]


def test_a_turn_is_told_from_flat_to_flat() -> None:
    state, told = taken(TraderState(config()), marks(0, 1), marks(1, 1))
    for sequence, action in enumerate((Action.ENTER_LONG, Action.EXIT), 1):
        event = signal("A-B", action, sequence)
        _, decided = step(state, event)
        state, found = taken(state, event, *(filled(order) for order in decided))
        told += found
    assert stances(told) == [
        ("A-B", "entering", 0, 0),
        ("A-B", "entering", 10, 0),
        ("A-B", "long", 10, -7),
        ("A-B", "exiting", 10, -7),
        ("A-B", "exiting", 0, -7),
        ("A-B", "flat", 0, 0),
    ]
    assert [each.sequence for each in told] == list(range(1, len(told) + 1))
    causes = [each.cause for each in told if each.kind == "position"]
    assert causes[0] == "signal/reversion/v1/A-B/1/enter_long"
    assert all(cause.startswith("report/") for cause in causes[1:3])


def test_what_changes_nothing_tells_nothing() -> None:
    desk = marked()
    state, _ = taken(desk.state, marks(0, 2))
    again, told = taken(state, marks(0, 2), command("resume", "r"))
    assert told == []
    assert again.told == state.told


def test_a_heartbeat_once_in_each_second_of_marks() -> None:
    state, told = taken(TraderState(config()), *(marks(0, n, T0 + n * SECOND // 4) for n in range(1, 13)))
    assert [each.kind for each in told] == ["heartbeat"] * 4
    assert [(each.event_time_ns - T0) // MS for each in told] == [250, 1000, 2000, 3000]
    assert state.told.sequence == 4


@pytest.mark.parametrize(
    ("ahead", "reached"), [(-SECOND, 0), (200 * MS, 200 * MS), (AHEAD_NS, AHEAD_NS), (AHEAD_NS + 1, 0)]
)
def test_a_report_moves_the_time_unless_it_is_far_ahead_of_the_marks(ahead: int, reached: int) -> None:
    desk = marked()
    state, _ = taken(desk.state, marks(0, 2))
    order, _ = step(state, signal("A-B", Action.ENTER_LONG, 1))[1]
    state, told = taken(
        state, signal("A-B", Action.ENTER_LONG, 1), report(order, "e", OrderStatus.FILLED, 10, 10, time_ns=T0 + ahead)
    )
    assert told[-1 if told[-1].kind == "position" else -2].event_time_ns == T0 + reached


def test_a_command_bears_the_time_of_the_wall_and_moves_none() -> None:
    state, _ = taken(TraderState(config()), marks(0, 1))
    kill = copied(command("kill", "k"), event_time_ns=T0 + 10**18)
    assert taken(state, kill)[0].told.time_ns == T0


def test_state_kept_before_this_was_told_of_is_read_and_told_whole_at_the_next_event() -> None:
    saved = msgspec.msgpack.decode(dump(held().state)[1:])
    del saved["told"]
    state = load(VERSION + msgspec.msgpack.encode(saved), config())
    assert state.told.sequence == 0
    _, told = taken(state, marks(0, 2, T0 + SECOND // 2))
    assert stances(told) == [("A-B", "long", 10, -7)]
    assert told[0].event_time_ns == T0 + SECOND // 2


@given(st.lists(st.integers(-10 * SECOND, 10 * SECOND), max_size=30))
def test_time_never_falls_and_numbers_run(offsets: list[int]) -> None:
    _, told = taken(TraderState(config()), *(marks(0, n, T0 + offset) for n, offset in enumerate(offsets, 1)))
    times = [each.event_time_ns for each in told]
    assert times == sorted(times)
    assert [each.sequence for each in told] == list(range(1, len(told) + 1))
