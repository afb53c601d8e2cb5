"""Ticks in binary COPY, read back by a parser written from PostgreSQL's manual."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.market import TICK, Flag, Ticks
from pipelines.history.binary_copy import HEAD, TAIL
from pipelines.history.copy_format import copy_stream, home, merge
from pipelines.history.tables import TICKS
from tests.support.session_log import INSTRUMENTS, ticks


def parsed(stream: bytes) -> list[dict[str, Any]]:
    """Rows of a COPY ... (FORMAT BINARY), texts and numbers decoded by column name."""
    assert stream.startswith(HEAD)
    assert stream.endswith(TAIL)
    at, rows = len(HEAD), []
    while stream[at : at + 2] != TAIL or at + 2 < len(stream):
        (fields,) = struct.unpack_from(">h", stream, at)
        assert fields == len(TICKS.columns)
        at += 2
        row = {}
        for column in TICKS.columns:
            (length,) = struct.unpack_from(">i", stream, at)
            row[column] = decoded(column, stream[at + 4 : at + 4 + length])
            at += 4 + length
        rows.append(row)
    return rows


def decoded(column: str, value: bytes) -> object:
    if column in ("session_id", "venue", "feed_session", "instrument", "kind"):
        return value.decode()
    form = {"flags": ">i", "code": ">i", "bid": ">d", "bid_size": ">d", "ask": ">d", "ask_size": ">d"}.get(column, ">q")
    (number,) = struct.unpack(form, value)
    if column == "event_time":
        return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=number)
    return number


def copied(instruments: tuple[str, ...], rows: Ticks, venue: str = "binance") -> list[dict[str, Any]]:
    names, merged = merge([(instruments, home(instruments, rows))])
    return parsed(b"".join([HEAD, *copy_stream("session-1", venue, "recording-1", names, merged), TAIL]))


def test_every_column_of_a_tick_arrives_as_it_was() -> None:
    rows = ticks(50)
    by_sequence = {row["sequence"]: row for row in copied(INSTRUMENTS, rows)}
    assert len(by_sequence) == 50
    for tick in rows:
        row = by_sequence[int(tick["sequence"])]
        for name in ("flags", "event_ns", "receive_ns", "frame", "bid", "bid_size", "ask", "ask_size"):
            assert row[name] == tick[name].item()
        assert row["instrument"] == INSTRUMENTS[tick["instrument"]]
        assert row["kind"] == ("quote", "trade")[tick["kind"]]
        assert (row["session_id"], row["venue"], row["feed_session"]) == ("session-1", "binance", "recording-1")


def test_event_time_is_the_nanoseconds_cut_to_microseconds() -> None:
    rows = ticks(1)
    rows["event_ns"] = 1_700_000_000_123_456_789
    (row,) = copied(INSTRUMENTS, rows)
    assert row["event_time"] == datetime(2023, 11, 14, 22, 13, 20, 123_456, tzinfo=UTC)
    assert row["event_ns"] == 1_700_000_000_123_456_789


def test_an_event_before_1970_is_cut_downwards_too() -> None:
    rows = ticks(1)
    rows["event_ns"] = -1
    (row,) = copied(INSTRUMENTS, rows)
    assert row["event_time"] == datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def test_heartbeats_the_end_and_copies_for_other_shards_are_left_out() -> None:
    rows = ticks(40, kinds=(0, 8, 1, 9))
    rows["flags"][:8] = int(Flag.LATE)
    kept = copied(INSTRUMENTS, rows)
    assert sorted(row["sequence"] for row in kept) == [sequence for sequence in range(9, 41) if sequence % 4 in (0, 2)]


def test_names_of_all_lengths_keep_their_length() -> None:
    names = ("A", "", "BRK.B", "ÅÄÖ", "a name with spaces and 漢字")
    rows = ticks(25)
    rows["instrument"] = np.arange(25) % len(names)
    for row in copied(names, rows, venue="børse"):
        assert row["instrument"] == names[(row["sequence"] - 1) % len(names)]
        assert row["venue"] == "børse"


def test_a_nul_in_a_name_is_replaced_because_postgres_refuses_it() -> None:
    rows = ticks(1)
    rows["instrument"] = 0
    (row,) = copied(("A\x00B",), rows)
    assert row["instrument"] == "A\ufffdB"


def test_blocks_with_different_instrument_lists_are_merged_by_name() -> None:
    first, second = ticks(4), ticks(4, first=5)
    names, merged = merge([(INSTRUMENTS, first), (INSTRUMENTS[::-1], second)])
    found = [names[code] for code in merged["instrument"]]
    assert found == [INSTRUMENTS[code] for code in first["instrument"]] + [
        INSTRUMENTS[::-1][code] for code in second["instrument"]
    ]


def test_merging_leaves_the_blocks_as_they_were() -> None:
    rows = ticks(4)
    before = rows.copy()
    merge([(INSTRUMENTS[::-1], rows), (INSTRUMENTS, rows)])
    assert (rows == before).all()


@pytest.mark.parametrize("index", [-1, 4, 1_000_000])
def test_a_tick_of_an_instrument_that_the_block_has_not_is_an_error(index: int) -> None:
    rows = ticks(3)
    rows["instrument"][1] = index
    with pytest.raises(ValueError, match="it has 4"):
        home(INSTRUMENTS, rows)


def test_nothing_to_copy_is_an_empty_stream() -> None:
    assert copied(INSTRUMENTS, np.empty(0, dtype=TICK)) == []


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=9),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    data=st.data(),
)
def test_any_values_survive(names: list[str], data: st.DataObject) -> None:
    count = data.draw(st.integers(0, 12))
    rows = ticks(count)
    whole = st.integers(-(2**62), 2**62)
    for position in range(count):
        rows[position]["instrument"] = data.draw(st.integers(0, len(names) - 1))
        rows[position]["kind"] = data.draw(st.integers(0, 1))
        rows[position]["event_ns"] = data.draw(whole)
        rows[position]["receive_ns"] = data.draw(whole)
        rows[position]["bid"] = data.draw(st.floats(allow_nan=False))
    kept = {row["sequence"]: row for row in copied(tuple(names), rows)}
    assert len(kept) == count
    for tick in rows:
        row = kept[int(tick["sequence"])]
        assert row["instrument"] == names[tick["instrument"]]
        assert (row["event_ns"], row["receive_ns"], row["bid"]) == (tick["event_ns"], tick["receive_ns"], tick["bid"])
