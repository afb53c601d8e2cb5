"""Lines of several LEAN files in one order of event time, cut into frames.

Lines of one file stay in their order: one whose time falls back counts as of the time before it, one that cannot be
read too. Files that say something at the same time follow each other as they were given. A frame ends where time moves
on, so that a bid and its ask stay together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.frame_file import BrokenFile, Piece
from pipelines.feeds.files.lean_archive import BLOCK_BYTES, Member, blocks
from pipelines.feeds.protocols.lean.fields import read_dated, read_time
from pipelines.feeds.protocols.lean.stream import FIRST_TAG, MOST_STREAMS, LeanStream, write_header

FRAME_LINES = 1000
FRAME_SPAN_NS = 5 * NS_PER_S
"""Event time that a frame may span: its lines are received at once, and none may be of the future then, or stale."""
PIECE_FRAMES = 64
MOST_LINES = 2 * FRAME_LINES
"""Of a frame whose lines all have one time: then it is cut all the same."""

MOST_BYTES = 4 * BLOCK_BYTES
"""Of lines in memory that wait for a later time: more are let go, as of a file in which no time can be read."""

Ints = NDArray[np.int64]
_BEFORE_ALL = -(1 << 62)
_AFTER_ALL = (1 << 62) - 1


@dataclass(slots=True)
class Tape:
    """A file being read: the lines that are in memory, from place `at` on. `line`: the number of the first of them."""

    member: Member
    order: int
    source: Iterator[bytes] | None = None
    text: bytes = b""
    begins: Ints = field(default_factory=lambda: np.zeros(1, np.int64))
    times: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    at: int = 0
    line: int = 1
    ended: bool = False
    broken: BrokenFile | None = None

    @property
    def known_to_ns(self) -> int:
        """All its lines before this time are in memory."""
        if self.ended:
            return _AFTER_ALL
        if self.source is None:
            return self.member.stream.start_ns() if self.member.stream.day else _BEFORE_ALL
        return int(self.times[-1]) if len(self.times) else _BEFORE_ALL

    def read_on(self) -> None:
        """Read a further block behind the lines that are left, or note that there is none."""
        if self.source is None:
            self.source = blocks(self.member)
        try:
            block = next(self.source, None)
        except BrokenFile as error:
            block, self.broken = None, error
        if block is None:
            self.ended = True
            return
        latest = int(self.times[-1]) if len(self.times) else _BEFORE_ALL
        self.text = self.text[self.begins[self.at] :] + block
        self.line += self.at
        kept = len(self.times) - self.at
        begins, times = line_times(self.text, self.member.stream)
        times[:kept] = self.times[self.at :]
        times[kept:] = np.maximum.accumulate(np.maximum(times[kept:], latest))
        self.begins, self.times, self.at = begins, times, 0

    def take(self, until_ns: int) -> slice:
        """The lines before a time; they are no longer left."""
        end = int(np.searchsorted(self.times, until_ns, "left")) if until_ns < _AFTER_ALL else len(self.times)
        taken = slice(self.at, max(self.at, end))
        self.at = taken.stop
        return taken


def merged(members: Sequence[Member]) -> Iterator[Piece]:
    """The frames of all files. Where one breaks off, those of all files up to there, and then BrokenFile."""
    tapes = [Tape(member, order) for order, member in enumerate(members)]
    while tapes:
        broken = next((tape for tape in tapes if tape.broken is not None), None)
        until_ns = min(tape.known_to_ns for tape in tapes)
        if broken is not None:
            until_ns = min(until_ns, int(broken.times[-1]) + 1 if len(broken.times) else _BEFORE_ALL)
        limiting = [tape for tape in tapes if tape.known_to_ns == until_ns and not tape.ended]
        crowded = any(len(tape.text) > MOST_BYTES for tape in limiting)
        parts = [(tape, tape.take(until_ns + crowded)) for tape in tapes if tape.source is not None]
        parts = [(tape, taken) for tape, taken in parts if taken.stop > taken.start]
        if parts:
            yield from _pieces(parts)
        if broken is not None and broken.at == len(broken.times) and broken.broken is not None:
            raise broken.broken
        tapes = [tape for tape in tapes if not (tape.ended and tape.at == len(tape.times) and tape.broken is None)]
        for tape in limiting:
            tape.read_on()


def line_times(text: bytes, stream: LeanStream) -> tuple[Ints, Ints]:
    """Where each line begins, and one place behind; and its event time, UTC ns, never falling: of a bar its end. A line
    whose time cannot be read has that of the line before."""
    count = text.count(b"\n")
    begins, times = np.empty(count + 1, np.int64), np.empty(count, np.int64)
    clock = stream.clock
    dated = stream.day is None
    told_ns = stream.midnight_ns + stream.told_after_ns
    _line_times(np.frombuffer(text, np.uint8), dated, told_ns, clock[0], clock[1], clock[2], begins, times)
    return begins, times


def _pieces(parts: Sequence[tuple[Tape, slice]]) -> Iterator[Piece]:
    """Lines of several tapes in one order, in frames."""
    texts, times, begins, sizes, tapes, numbers = [], [], [], [], [], []
    base = 0
    for place, (tape, taken) in enumerate(parts):
        starts = tape.begins[taken.start : taken.stop + 1]
        texts.append(tape.text[starts[0] : starts[-1]])
        begins.append(starts[:-1] - starts[0] + base)
        sizes.append(np.diff(starts))
        times.append(tape.times[taken])
        tapes.append(np.full(len(starts) - 1, place, np.int64))
        numbers.append(np.arange(taken.start, taken.stop) + tape.line)
        base += len(texts[-1])
    when, of = np.concatenate(times), np.concatenate(tapes)
    order = np.argsort(when, kind="stable") if len(parts) > 1 else np.arange(len(when))
    when, of = when[order], of[order]
    begin, size, number = np.concatenate(begins)[order], np.concatenate(sizes)[order], np.concatenate(numbers)[order]
    text = b"".join(texts)
    frames: list[bytes] = []
    places: list[int] = []
    counts: list[int] = []
    first = 0
    while first < len(when):
        end = _frame_end(when, of, first, len(parts) > MOST_STREAMS)
        frames.append(_frame(parts, text, of[first:end], begin[first:end], size[first:end], number[first:end]))
        places.append(int(number[first]))
        counts.append(end - first)
        first = end
        if len(frames) == PIECE_FRAMES or first == len(when):
            yield Piece([0] * len(frames), frames, places, counts)
            frames, places, counts = [], [], []


def _frame_end(when: Ints, of: Ints, first: int, many: bool) -> int:
    spanned = int(np.searchsorted(when, when[first] + FRAME_SPAN_NS, "left"))
    end = min(first + FRAME_LINES, spanned)
    if end < len(when):
        whole = int(np.searchsorted(when, when[end - 1], "right"))
        end = min(whole, first + MOST_LINES)
    if not many:
        return end
    streams = np.unique(of[first:end], return_index=True)[1]
    return end if len(streams) <= MOST_STREAMS else first + int(np.sort(streams)[MOST_STREAMS])


def _frame(parts: Sequence[tuple[Tape, slice]], text: bytes, of: Ints, begin: Ints, size: Ints, number: Ints) -> bytes:
    alone = len(parts) == 1
    present, firsts = (of[:1], np.zeros(1, np.int64)) if alone else np.unique(of, return_index=True)
    streams = [parts[place][0].member.stream for place in present.tolist()]
    header = write_header(list(zip(streams, number[firsts].tolist(), strict=True)))
    if len(present) == 1:
        return header + text[begin[0] : begin[-1] + size[-1]]
    made = np.empty(int(size.sum()) + len(size), np.uint8)
    _gather(np.frombuffer(text, np.uint8), begin, size, np.searchsorted(present, of) + FIRST_TAG, made)
    return header + made.tobytes()


@compiled
def _line_times(
    text: NDArray[np.uint8],
    dated: bool,
    told_ns: int,
    ahead_ns: int,
    changes_ns: int,
    then_ahead_ns: int,
    begins: Ints,
    times: Ints,
) -> None:
    at = 0
    size = len(text)
    latest = _BEFORE_ALL
    for i in range(len(times)):
        begins[i] = at
        end = at
        while end < size and text[end] != 44 and text[end] != 10:
            end += 1
        time = read_dated(text, at, end) if dated else read_time(text, at, end)
        if time >= 0:
            event = told_ns + time - (ahead_ns if time < changes_ns else then_ahead_ns)
            latest = max(latest, event)
        times[i] = latest
        while end < size and text[end] != 10:
            end += 1
        at = end + 1
    begins[len(times)] = size


@compiled
def _gather(text: NDArray[np.uint8], begin: Ints, size: Ints, tags: Ints, made: NDArray[np.uint8]) -> None:
    at = 0
    for i in range(len(begin)):
        made[at] = tags[i]
        at += 1
        for place in range(begin[i], begin[i] + size[i]):
            made[at] = text[place]
            at += 1
