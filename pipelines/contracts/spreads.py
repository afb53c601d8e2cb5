"""What the spread kernel gives, as Avro: spread events, samples, bars, and marks as trading events, by compiled code.

At a million ticks a second there may be hundreds of thousands of them a second; fastavro writes 200,000 records.
The names that a record can hold are few, so they are written once, as the Avro bytes that they are, and copied. Held to
fastavro and the schemas by tests.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.defaults import tail
from pipelines.contracts.wire import frame
from pipelines.domain.bars import INTERVAL_NS, INTERVAL_S
from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.shard import Indices, Shard
from pipelines.domain.spread_rows import EVENT_KINDS

Bytes = NDArray[np.uint8]
Rows = NDArray[np.void]
Encoded = tuple[list[bytes], list[int]]
"""Framed values, and the event time of each in ms."""

VALUES = ("spread", "mean", "std", "beta", "mid_a", "mid_b")
"""What a z was made of, as `_put_spread` writes it."""
PLACE = ("event_time_ms", "event_time_ns")
SPREAD_EVENT = (
    *("kind", "shard", "sequence", "pair", *PLACE, "rung", "z", "z_before"),
    *(*VALUES, "tick_session", "tick_sequence", "slope", "flags"),
)
SAMPLE = ("pair", "rung", "z", *VALUES, "slope", "flags", "imbalance_a", "imbalance_b")
SAMPLES = ("shard", "sequence", *PLACE, "samples")
BAR = (
    *("kind", "venue", "instrument", "shard", "interval_s", "start_ms", "event_time_ms"),
    *("open", "high", "low", "close", "volume", "trades", "quotes", "bid", "ask"),
)
MARKS = ("shard", "sequence", "instruments", "bid", "ask", "time_ns", "state")
EVENT = ("event_id", "kind", "account", *PLACE, "signal", "marks", "intent", "report", "command", "risk")
"""Fields of the records, as the kernels here write them. What a schema has beyond is written as its default."""

LONG_BYTES = 10
"""The most that a long takes."""
LONGEST_NUMBER = 19
"""Digits of the highest sequence."""
SLACK = 8
"""Texts are copied by words, the last one whole."""


class Texts(NamedTuple):
    """Byte strings in words of eight bytes, each one's last padded: number i is the first `sizes[i]` bytes of
    `words[starts[i]:starts[i + 1]]`. The last string is that of index -1."""

    words: NDArray[np.uint64]
    starts: Indices
    sizes: Indices

    @classmethod
    def of(cls, texts: Iterable[bytes]) -> "Texts":
        found = list(texts)
        padded = [text.ljust(-len(text) // 8 * -8, b"\0") for text in found]
        return cls(
            np.frombuffer(b"".join(padded), np.uint64),
            np.cumsum([0, *(len(text) // 8 for text in padded)], dtype=np.int64),
            np.array([len(text) for text in found], np.int64),
        )

    @property
    def longest(self) -> int:
        return int(self.sizes.max(initial=0))


class SpreadWriter:
    """Spread events of one shard. `sessions`, by whose place the events name theirs, only ever grows."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        number = long_bytes(shard.number)
        self._heads = Texts.of(frame(schema_id, text_bytes(kind) + number) for kind in EVENT_KINDS)
        self._pairs = Texts.of(text_bytes(name) for name in (*(pair.name for pair in shard.pairs), ""))
        self._sessions, self._longest_session = Texts.of(()), 0
        self._tail = Texts.of([tail("helios.market.SpreadEvent", SPREAD_EVENT)])
        self._room = sum(each.longest for each in (self._heads, self._pairs, self._tail)) + 9 * 8 + 6 * LONG_BYTES

    def encode(self, events: Rows, sessions: Sequence[tuple[str, str]]) -> Encoded:
        """`events`: of SPREAD; `sessions`: (venue, session) by place."""
        if not events.size:
            return [], []
        if len(sessions) != self._sessions.sizes.size:
            self._sessions = Texts.of(text_bytes(session) for _, session in sessions)
            self._longest_session = self._sessions.longest
        texts = (self._heads, self._pairs, self._sessions, self._tail)
        room = self._room + self._longest_session
        out, ends = np.empty(room * events.size + SLACK, np.uint8), np.empty(events.size, np.int64)
        _write_spreads(events, *texts, out, ends)
        return _values(out, ends), (events["event_ns"] // NS_PER_MS).tolist()


class SamplesWriter:
    """Once-a-second samples of one shard's pairs."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        self._head = Texts.of([frame(schema_id, long_bytes(shard.number))])
        self._pairs = Texts.of(text_bytes(pair.name) for pair in shard.pairs)
        self._tails = Texts.of(
            [tail("helios.market.SpreadSample", SAMPLE), tail("helios.market.SpreadSamples", SAMPLES)]
        )
        self._room = self._head.longest + 5 * LONG_BYTES + self._tails.longest
        self._room_of_one = self._pairs.longest + 2 * LONG_BYTES + 10 * 8 + self._tails.longest

    def encode(self, samples: Rows, sampled: Rows) -> Encoded:
        """`samples`: of SAMPLES; `sampled`: of SAMPLED, the pairs that they name."""
        if not samples.size:
            return [], []
        room = self._room * samples.size + self._room_of_one * sampled.size
        out, ends = np.empty(room + SLACK, np.uint8), np.empty(samples.size, np.int64)
        _write_samples(samples, sampled, self._head, self._pairs, self._tails, out, ends)
        return _values(out, ends), (samples["event_ns"] // NS_PER_MS).tolist()


class BarWriter:
    """Closed bars of one shard."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        after = long_bytes(shard.number) + long_bytes(INTERVAL_S)
        heads = [("bar", each.venue, each.id) for each in shard.instruments]
        self._heads = Texts.of(
            frame(schema_id, b"".join(map(text_bytes, head)) + after) for head in [*heads, ("heartbeat", "", "")]
        )
        self._tail = Texts.of([tail("helios.market.Bar", BAR)])
        self._room = self._heads.longest + 7 * 8 + 4 * LONG_BYTES + self._tail.longest

    def encode(self, bars: Rows) -> Encoded:
        """`bars`: of BAR. A bar's event time is its end."""
        if not bars.size:
            return [], []
        out, ends = np.empty(self._room * bars.size + SLACK, np.uint8), np.empty(bars.size, np.int64)
        _write_bars(bars, self._heads, self._tail, out, ends)
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
            tail("helios.trading.Marks", MARKS),
            tail("helios.trading.TradingEvent", EVENT),
        )
        self._texts = Texts.of(texts)
        self._names = Texts.of(text_bytes(instrument.id) for instrument in shard.instruments)
        self._room = int(self._texts.sizes.sum()) + LONGEST_NUMBER + 20 * LONG_BYTES
        self._room_of_one = self._names.longest + 16 + 2 * LONG_BYTES

    def encode(self, marks: Rows, marked: Rows) -> Encoded:
        """`marks`: of MARKS; `marked`: of MARKED, the quotes that they name."""
        if not marks.size:
            return [], []
        room = self._room * marks.size + self._room_of_one * marked.size
        out, ends = np.empty(room + SLACK, np.uint8), np.empty(marks.size, np.int64)
        _write_marks(marks, marked, self._texts, self._names, out, ends)
        return _values(out, ends), (marks["event_ns"] // NS_PER_MS).tolist()


def text_bytes(text: str) -> bytes:
    """A string as Avro has it."""
    data = text.encode()
    return long_bytes(len(data)) + data


def long_bytes(value: int) -> bytes:
    """An int or long as Avro has it."""
    out = np.empty(LONG_BYTES, np.uint8)
    return out[: _put_long(out, 0, value)].tobytes()


def _values(out: Bytes, ends: Indices) -> list[bytes]:
    places = ends.tolist()
    data = out[: places[-1]].tobytes() if places else b""
    return [data[start:end] for start, end in pairwise((0, *places))]


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
def _put_word(out: Bytes, at: int, word: np.uint64) -> int:
    """Write eight bytes, lowest first. Spelled out, the compiler makes one store of it; a loop is ten times slower."""
    out[at] = np.uint8(word)
    out[at + 1] = np.uint8(word >> np.uint64(8))
    out[at + 2] = np.uint8(word >> np.uint64(16))
    out[at + 3] = np.uint8(word >> np.uint64(24))
    out[at + 4] = np.uint8(word >> np.uint64(32))
    out[at + 5] = np.uint8(word >> np.uint64(40))
    out[at + 6] = np.uint8(word >> np.uint64(48))
    out[at + 7] = np.uint8(word >> np.uint64(56))
    return at + 8


@inlined
def _put_double(out: Bytes, at: int, value: float) -> int:
    return _put_word(out, at, np.float64(value).view(np.uint64))


@inlined
def _put_text(out: Bytes, at: int, texts: Texts, index: int) -> int:
    """Copy a text by words; its padding lies where the next thing is written."""
    place = index if index >= 0 else texts.sizes.size - 1
    end: int = at + texts.sizes[place]
    for word in range(texts.starts[place], texts.starts[place + 1]):
        at = _put_word(out, at, texts.words[word])
    return end


@inlined
def _put_digits(out: Bytes, at: int, value: int, digits: int) -> int:
    for place in range(at + digits - 1, at - 1, -1):
        out[place] = 48 + value % 10
        value //= 10
    return at + digits


@inlined
def _put_spread(out: Bytes, at: int, row: Any) -> int:
    """What the z of a row of SPREAD or SAMPLED was made of."""
    at = _put_double(out, at, row.spread)
    at = _put_double(out, at, row.mean)
    at = _put_double(out, at, row.std)
    at = _put_double(out, at, row.beta)
    at = _put_double(out, at, row.mid_a)
    return _put_double(out, at, row.mid_b)


@compiled
def _write_spreads(
    events: Rows, heads: Texts, pairs: Texts, sessions: Texts, tails: Texts, out: Bytes, ends: Indices
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
        at = _put_double(out, at, event.z)
        at = _put_double(out, at, event.z_before)
        at = _put_spread(out, at, event)
        at = _put_text(out, at, sessions, event.session)
        at = _put_long(out, at, event.tick_sequence)
        at = _put_double(out, at, event.slope)
        at = _put_long(out, at, event.flags)
        at = _put_text(out, at, tails, 0)
        ends[row] = at


@compiled
def _write_samples(
    samples: Rows, sampled: Rows, head: Texts, pairs: Texts, tails: Texts, out: Bytes, ends: Indices
) -> None:
    at = 0
    for row in range(samples.size):
        second = samples[row]
        at = _put_text(out, at, head, 0)
        at = _put_long(out, at, second.sequence)
        at = _put_long(out, at, second.event_ns // NS_PER_MS)
        at = _put_long(out, at, second.event_ns)
        if second.count:
            at = _put_long(out, at, second.count)
        for place in range(second.first, second.first + second.count):
            sample = sampled[place]
            at = _put_text(out, at, pairs, sample.pair)
            at = _put_long(out, at, sample.rung)
            at = _put_double(out, at, sample.z)
            at = _put_spread(out, at, sample)
            at = _put_double(out, at, sample.slope)
            at = _put_long(out, at, sample.flags)
            at = _put_double(out, at, sample.imbalance_a)
            at = _put_double(out, at, sample.imbalance_b)
            at = _put_text(out, at, tails, 0)
        at = _put_long(out, at, 0)
        at = _put_text(out, at, tails, 1)
        ends[row] = at


@compiled
def _write_bars(bars: Rows, heads: Texts, tails: Texts, out: Bytes, ends: Indices) -> None:
    at = 0
    for row in range(bars.size):
        bar = bars[row]
        at = _put_text(out, at, heads, bar.instrument)
        at = _put_long(out, at, bar.start_ns // NS_PER_MS)
        at = _put_long(out, at, (bar.start_ns + INTERVAL_NS) // NS_PER_MS)
        at = _put_double(out, at, bar.open)
        at = _put_double(out, at, bar.high)
        at = _put_double(out, at, bar.low)
        at = _put_double(out, at, bar.close)
        at = _put_double(out, at, bar.volume)
        at = _put_long(out, at, bar.trades)
        at = _put_long(out, at, bar.quotes)
        at = _put_double(out, at, bar.bid)
        at = _put_double(out, at, bar.ask)
        at = _put_text(out, at, tails, 0)
        ends[row] = at


@compiled
def _write_marks(marks: Rows, marked: Rows, texts: Texts, names: Texts, out: Bytes, ends: Indices) -> None:
    at = 0
    for row in range(marks.size):
        mark = marks[row]
        first, last = mark.first, mark.first + mark.count
        digits, rest = 1, mark.sequence // 10
        while rest > 0:
            digits, rest = digits + 1, rest // 10
        at = _put_text(out, at, texts, 0)
        at = _put_long(out, at, texts.sizes[1] + digits)
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
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_double(out, at, marked[place].bid)
        at = _put_long(out, at, 0)
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_double(out, at, marked[place].ask)
        at = _put_long(out, at, 0)
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_long(out, at, marked[place].time_ns)
        at = _put_long(out, at, 0)
        at = _put_long(out, at, mark.count)
        for place in range(first, last):
            at = _put_long(out, at, marked[place].state)
        at = _put_long(out, at, 0)
        at = _put_text(out, at, texts, 4)
        for _ in range(4):  # intent, report, command, risk: null
            at = _put_long(out, at, 0)
        at = _put_text(out, at, texts, 5)
        ends[row] = at
