"""An account's state as bytes: there and back, bounded, and clear about what is not one."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.account import (
    CLOSED_KEPT,
    COMMANDS_KEPT,
    SOURCES_KEPT,
    PairState,
    ShardMarks,
    Stance,
    TraderState,
)
from pipelines.domain.account_bytes import VERSION, dump, dump_changes, load, load_changes
from pipelines.domain.orders import Order, OrderState
from pipelines.domain.positions import Position
from pipelines.domain.trading import Action, OrderStatus, Side, Signal, TradingEvent
from tests.support.accounts import T0, Desk, canceled, command, config, marks, rejected, report, signal

NAMES = st.text(max_size=8)
INTS = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-(2**31), 2**31)

STATES = st.builds(
    TraderState,
    config=st.just(config()),
    killed=NAMES,
    pairs=st.dictionaries(
        NAMES,
        st.builds(
            PairState,
            stance=st.sampled_from(Stance),
            lots=st.tuples(SMALL, SMALL),
            working=st.tuples(NAMES, NAMES),
            wanted=st.tuples(SMALL, SMALL),
            exit_wanted=st.booleans(),
            tries=st.integers(0, 3),
        ),
        max_size=3,
    ),
    orders=st.dictionaries(
        NAMES,
        st.builds(
            Order,
            pair=NAMES,
            leg=st.integers(0, 1),
            instrument=NAMES,
            side=st.sampled_from(Side),
            quantity=SMALL,
            state=st.sampled_from(OrderState),
            filled=SMALL,
            unpriced=SMALL,
            guessed_value=INTS,
            exec_ids=st.lists(NAMES, max_size=3).map(tuple),
        ),
        max_size=3,
    ),
    positions=st.dictionaries(NAMES, st.builds(Position, INTS, INTS, INTS), max_size=3),
    marks=st.dictionaries(
        st.integers(0, 64),
        st.builds(
            ShardMarks,
            INTS,
            st.dictionaries(NAMES, st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False), INTS), max_size=3),
        ),
        max_size=3,
    ),
    taken=st.dictionaries(NAMES, st.dictionaries(NAMES, INTS, max_size=3), max_size=3),
    commands=st.lists(NAMES, max_size=3).map(tuple),
)


@settings(max_examples=60, deadline=None)
@given(STATES)
def test_a_state_comes_back_from_its_bytes(state: TraderState) -> None:
    assert load(dump(state), state.config) == state
    assert dump(load(dump(state), state.config)) == dump(state)


@settings(max_examples=60, deadline=None)
@given(STATES, STATES)
def test_any_state_comes_from_any_other_by_its_changes(then: TraderState, now: TraderState) -> None:
    after = load_changes(load(dump(then), then.config), dump_changes(then, now))
    assert after == now
    assert dump(after) == dump(now)


def test_nothing_is_told_of_what_stayed() -> None:
    desk = Desk()
    desk.give(marks(0, 1), marks(1, 1))
    before = desk.state
    desk.give(marks(0, 2, names=("A",)))
    told = msgspec.msgpack.decode(dump_changes(before, desk.state)[1:], strict=False)
    assert told.keys() == {"marks"}
    assert told["marks"] == [[], {0: {"sequence": 2, "quotes": [[], {"A": [99.99, 100.01, T0]}]}}]


def test_garbage_is_no_changes() -> None:
    state = TraderState(config())
    with pytest.raises(ValueError, match="state of account desk: not readable as format"):
        load_changes(state, VERSION + b"\x81\xa5pairs\xc0")
    with pytest.raises(ValueError, match=r"state of account desk: format b'\\x02'"):
        load_changes(state, b"\x02\x80")


def test_changes_with_a_field_of_a_newer_program_still_load() -> None:
    state = TraderState(config())
    newer = VERSION + msgspec.msgpack.encode({"sectors": {"A": 1}, "killed": "why"})
    assert load_changes(state, newer) == TraderState(config(), killed="why")


def test_an_account_that_has_seen_nothing_loads_from_nothing() -> None:
    assert load(None, config()) == TraderState(config())


def test_bytes_of_another_version_are_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"state of account desk: format b'\\x07'.*savepoint"):
        load(b"\x07" + dump(TraderState(config()))[1:], config())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_garbage_is_an_error_and_no_state(garbage: bytes) -> None:
    with pytest.raises(ValueError, match="state of account desk: not readable"):
        load(VERSION + garbage, config())


def test_bytes_with_a_field_of_a_newer_program_still_load() -> None:
    desk = Desk()
    desk.give(marks(0, 1), command("kill", "k"))
    saved = msgspec.msgpack.decode(dump(desk.state)[1:])
    newer = VERSION + msgspec.msgpack.encode(saved | {"sectors": {"A": 1}})
    assert load(newer, desk.config) == desk.state


def test_closed_orders_are_forgotten_in_the_end() -> None:
    desk = Desk()
    desk.give(marks(0, 1))
    for sequence in range(1, CLOSED_KEPT):
        a, b = desk.give(signal("A-B", Action.ENTER_LONG, sequence))
        desk.give(rejected(a), canceled(b))
    assert len(desk.state.closed) == CLOSED_KEPT
    assert not desk.state.orders
    oldest = next(order for order in desk.outputs if order.client_order_id not in desk.state.closed)
    before = desk.state
    desk.give(report(oldest, "very late", OrderStatus.FILLED, 10, 10))
    assert desk.state is before


def test_commands_are_remembered_up_to_a_bound() -> None:
    desk = Desk()
    for number in range(COMMANDS_KEPT + 10):
        desk.give(command("gateway_started", f"g{number}"))
    assert len(desk.state.commands) == COMMANDS_KEPT


def test_signal_versions_are_remembered_up_to_a_bound_and_the_longest_silent_goes_first() -> None:
    desk = Desk()
    for sequence, number in enumerate((*range(SOURCES_KEPT), 0, SOURCES_KEPT)):
        body = Signal("s", f"v{number}", "A-B", Action.EXIT, 0.0, 0.0, 1.0, 1.0, 1.0, 0, sequence, sequence)
        desk.give(TradingEvent(f"s{sequence}", "desk", T0, body))
    assert len(desk.state.taken) == SOURCES_KEPT
    assert "s/v0" in desk.state.taken
    assert "s/v1" not in desk.state.taken
