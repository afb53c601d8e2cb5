"""What the spread kernel gives, as Avro: spread events, bars, and marks as trading events, written by compiled code.

At a million ticks a second there are 300,000 spread events and 200,000 marks a second; fastavro writes 200,000 records.
The names that a record can hold are few, so they are written once, as the Avro bytes that they are, and copied. Held to
fastavro and the schemas by tests.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.wire import frame
from pipelines.domain.bars import BAR, INTERVAL_NS, INTERVAL_S
from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.shard import Indices, Shard
from pipelines.domain.spreads import EVENT_KINDS, MARKED, SPREAD

Bytes = NDArray[np.uint8]
Rows = NDArray[np.void]
Encoded = tuple[list[bytes], list[int]]
"""Framed values, and the event time of each in ms."""

LONG_BYTES = 10
"""The most that a long takes."""


class Texts(NamedTuple):
    """Byte strings end to end: number i is `data[starts[i]:starts[i + 1]]`. The last is that of index -1."""

    data: Bytes
    starts: Indices
    longest: int

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> "Texts":
        found = list(texts)
        starts = np.cumsum([0, *map(len, found)], dtype=np.int64)
        return cls(np.frombuffer(b"".join(found), np.uint8), starts, max(map(len, found), default=0))


class SpreadWriter:
    """Spread events of one shard. `sessions`, by whose place the events name theirs, only ever grows."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        number = long_bytes(shard.number)
        self._heads = Texts.of(frame(schema_id, text_bytes(kind) + number) for kind in EVENT_KINDS)
        self._pairs = Texts.of(text_bytes(name) for name in (*(pair.name for pair in shard.pairs), ""))
        self._sessions = Texts.of(())

    def encode(self, events: Rows, sessions: Sequence[tuple[str, str]]) -> Encoded:
        """`events`: of SPREAD; `sessions`: (venue, session) by place."""
        if len(sessions) != self._sessions.starts.size - 1:
            self._sessions = Texts.of(text_bytes(session) for _, session in sessions)
        texts = (self._heads, self._pairs, self._sessions)
        room = sum(each.longest for each in texts) + _SPREAD_DOUBLES + 5 * LONG_BYTES
        out, ends = np.empty(room * events.size, np.uint8), np.empty(events.size, np.int64)
        _write_spreads(events, _raw(events), *texts, out, ends)
        return _values(out, ends), (events["event_ns"] // NS_PER_MS).tolist()


class BarWriter:
    """Closed bars of one shard."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        after = long_bytes(shard.number) + long_bytes(INTERVAL_S)
        self._heads = Texts.of(
            frame(schema_id, text_bytes("bar") + text_bytes(each.venue) + text_bytes(each.id) + after)
            for each in shard.instruments
        )

    def encode(self, bars: Rows) -> Encoded:
        """`bars`: of BAR. A bar's event time is its end."""
        out = np.empty((self._heads.longest + _BAR_DOUBLES + 4 * LONG_BYTES) * bars.size, np.uint8)
        ends = np.empty(bars.size, np.int64)
        _write_bars(bars, _raw(bars), self._heads, out, ends)
        return _values(out, ends), ((bars["start_ns"] + INTERVAL_NS) // NS_PER_MS).tolist()


class MarksWriter:
    """Marks of one shard as events of an account's log."""

    def __init__(self, schema_id: int, shard: Shard, account: str) -> None:
        number = long_bytes(shard.number)
        texts = (
            frame(schema_id, b""),
            f"marks/{shard.number}/".encode(),
            text_bytes("marks") + text_bytes(account),
            number,
        )
        self._texts = Texts.of(texts)
        self._names = Texts.of(text_bytes(instrument.id) for instrument in shard.instruments)

    def encode(self, marks: Rows, marked: Rows) -> Encoded:
        """`marks`: of MARKS; `marked`: of MARKED, the quotes that they name."""
        fixed = self._texts.data.size + 20 + 8 * LONG_BYTES + 10
        room = fixed * marks.size + (self._names.longest + 16 + LONG_BYTES) * marked.size
        out, ends = np.empty(room, np.uint8), np.empty(marks.size, np.int64)
        _write_marks(marks, marked, _raw(marked), self._texts, self._names, out, ends)
        return _values(out, ends), (marks["event_ns"] // NS_PER_MS).tolist()


def text_bytes(text: str) -> bytes:
    """A string as Avro has it."""
    data = text.encode()
    return long_bytes(len(data)) + data


def long_bytes(value: int) -> bytes:
    """An int or long as Avro has it."""
    out = np.empty(LONG_BYTES, np.uint8)
    return out[: _put_long(out, 0, value)].tobytes()


def _raw(rows: Rows) -> Bytes:
    """The same memory, one row of bytes a row."""
    return rows.view(np.uint8).reshape(rows.size, rows.dtype.itemsize)


def _values(out: Bytes, ends: Indices) -> list[bytes]:
    places = ends.tolist()
    data = out[: places[-1]].tobytes() if places else b""
    return [data[start:end] for start, end in pairwise((0, *places))]


_SPREAD_DOUBLES, _BAR_DOUBLES = 7 * 8, 7 * 8


def _place(dtype: np.dtype[np.void], name: str) -> int:
    """Where a field lies in a row, in bytes."""
    assert dtype.fields is not None
    return int(dtype.fields[name][1])


_Z_AT = _place(SPREAD, "z")
_BID_AT, _ASK_AT = _place(MARKED, "bid"), _place(MARKED, "ask")
_OPEN_AT, _BAR_BID_AT = _place(BAR, "open"), _place(BAR, "bid")


@inlined
def _put_long(out: Bytes, at: int, value: int) -> int:
    """Write a zig-zag varint; the place after it."""
    raw = np.uint64((np.int64(value) << 1) ^ (np.int64(value) >> 63))
    while raw > np.uint64(0x7F):
        out[at] = (raw & np.uint64(0x7F)) | np.uint64(0x80)
        raw >>= np.uint64(7)
        at += 1
    out[at] = raw
    return at + 1


@inlined
def _put_text(out: Bytes, at: int, texts: Texts, index: int) -> int:
    place = index if index >= 0 else texts.starts.size - 2
    for source in range(texts.starts[place], texts.starts[place + 1]):
        out[at] = texts.data[source]
        at += 1
    return at


@inlined
def _put_raw(out: Bytes, at: int, raw: Bytes, row: int, first: int, count: int) -> int:
    """Copy bytes of a row as they lie in memory: doubles, which Avro has little-endian too."""
    for offset in range(count):
        out[at + offset] = raw[row, first + offset]
    return at + count


@inlined
def _put_digits(out: Bytes, at: int, value: int, digits: int) -> int:
    for place in range(at + digits - 1, at - 1, -1):
        out[place] = 48 + value % 10
        value //= 10
    return at + digits


@compiled
def _write_spreads(
    events: Rows, raw: Bytes, heads: Texts, pairs: Texts, sessions: Texts, out: Bytes, ends: Indices
) -> None:
    at = 0
    for row in range(events.size):
        event = events[row]
        at = _put_text(out, at, heads, event.kind)
        at = _put_long(out, at, event.sequence)
        at = _put_text(out, at, pairs, event.pair)
        at = _put_long(out, at, event.event_ns // NS_PER_MS)
        at = _put_long(out, at, event.event_ns)
        at = _put_long(out, at, event.rung)
        at = _put_raw(out, at, raw, row, _Z_AT, _SPREAD_DOUBLES)
        at = _put_text(out, at, sessions, event.session)
        at = _put_long(out, at, event.tick_sequence)
        ends[row] = at


@compiled
def _write_bars(bars: Rows, raw: Bytes, heads: Texts, out: Bytes, ends: Indices) -> None:
    at = 0
    for row in range(bars.size):
        bar = bars[row]
        at = _put_text(out, at, heads, bar.instrument)
        at = _put_long(out, at, bar.start_ns // NS_PER_MS)
        at = _put_long(out, at, (bar.start_ns + INTERVAL_NS) // NS_PER_MS)
        at = _put_raw(out, at, raw, row, _OPEN_AT, 5 * 8)
        at = _put_long(out, at, bar.trades)
        at = _put_long(out, at, bar.quotes)
        at = _put_raw(out, at, raw, row, _BAR_BID_AT, 2 * 8)
        ends[row] = at


@compiled
def _write_marks(marks: Rows, marked: Rows, raw: Bytes, texts: Texts, names: Texts, out: Bytes, ends: Indices) -> None:
    at = 0
    for row in range(marks.size):
        mark = marks[row]
        first, last = mark.first, mark.first + mark.count
        digits, rest = 1, mark.sequence // 10
        while rest > 0:
            digits, rest = digits + 1, rest // 10
        at = _put_text(out, at, texts, 0)
        at = _put_long(out, at, texts.starts[2] - texts.starts[1] + digits)
        at = _put_text(out, at, texts, 1)
        at = _put_digits(out, at, mark.sequence, digits)
        at = _put_text(out, at, texts, 2)
        at = _put_long(out, at, mark.event_ns // NS_PER_MS)
        at = _put_long(out, at, mark.event_ns)
        at = _put_long(out, at, 0)  # signal: null
        at = _put_long(out, at, 1)  # marks: filled
        at = _put_text(out, at, texts, 3)
        at = _put_long(out, at, mark.sequence)
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_text(out, at, names, marked[place].instrument)
        at = _put_long(out, at, 0)
        for column in (_BID_AT, _ASK_AT):
            at = _put_long(out, at, mark.count)
            for place in range(first, last):
                at = _put_raw(out, at, raw, place, column, 8)
            at = _put_long(out, at, 0)
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_long(out, at, marked[place].time_ns)
        at = _put_long(out, at, 0)
        for _ in range(4):  # intent, report, command, risk: null
            at = _put_long(out, at, 0)
        ends[row] = at
