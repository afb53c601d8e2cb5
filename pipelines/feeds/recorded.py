"""Recorded WebSocket captures of Binance as a source, in the forms that `files.captures` reads. Only frames of the
streams asked for are replayed; the clock is the venue's event time in the frames."""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from pathlib import Path

import numpy as np

from pipelines.domain.decoding import Discovered, OpenDecoder
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.files.captures import read_frames
from pipelines.feeds.files.frame_file import BrokenFile
from pipelines.feeds.source import Batch, Mark, Run, Session, tells_time

STREAMS = ("bookTicker", "trade")

CHUNK_FRAMES = 4096

EARLY_NS = 50 * NS_PER_MS
"""How much earlier a session's clock starts than its first frame's receipt says: its event may be that much older."""

_STREAM = b'{"stream":"'

Line = tuple[int, bytes]
"""Receive time (UTC ns) and frame."""


class CaptureError(ValueError):
    """A capture that cannot be replayed: says which file and line, and why."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One file. `frames`, `symbols`: of the streams asked for; `skipped`: frames of other streams, by stream."""

    path: Path
    frames: int
    symbols: tuple[str, ...]
    skipped: Mapping[str, int]
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class RecordedSource:
    """Captures of one venue, merged by receive time into one session, or a session each.

    `clock_skew_ns` as in the strategy: added to the receive time of a frame that tells no time. `protocol` reads
    the others' times.
    """

    venue: str
    captures: tuple[Capture, ...]
    protocol: OpenDecoder
    clock_skew_ns: int = 0
    streams: tuple[str, ...] = STREAMS
    merged: bool = True
    resumes: bool = field(default=True, init=False)

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        return {name: _symbols(captures) for name, captures in self._by_session().items()}

    @property
    def expected_frames(self) -> int:
        return sum(capture.frames for capture in self.captures)

    def batches(self, marks: Mapping[str, Mark], window_ns: int = 0) -> Iterator[Batch]:
        found = self._by_session().items()
        return merge(*(self._session(*one, marks, window_ns) for one in found), key=lambda batch: batch.due_ns)

    def _by_session(self) -> dict[str, tuple[Capture, ...]]:
        """A session is named after its files: the same recording has the same name wherever it lies."""
        if not self.merged:
            return {_stem(capture.path): (capture,) for capture in self.captures}
        stems = "+".join(_stem(capture.path) for capture in self.captures)
        name = stems if len(stems) <= 80 else f"{stems[:71]}-{zlib.crc32(stems.encode()):08x}"
        return {name: self.captures}

    def _session(
        self, name: str, captures: Sequence[Capture], marks: Mapping[str, Mark], window_ns: int
    ) -> Iterator[Batch]:
        start_ns = min(capture.first_ns for capture in captures) + self.clock_skew_ns - EARLY_NS
        session = Session(self.venue, name, _symbols(captures))
        return session.batches(self._runs(captures, start_ns), start_ns, marks.get(name), window_ns)

    def _runs(self, captures: Sequence[Capture], start_ns: int) -> Iterator[Run]:
        decoder = self.protocol(Discovered())
        lines = merge(*(self._lines(capture.path) for capture in captures), key=lambda line: line[0])
        time_ns = start_ns
        while chunk := list(islice(lines, CHUNK_FRAMES)):
            receive_ns = [received for received, _ in chunk]
            frames = [frame for _, frame in chunk]
            times = np.full(len(chunk), time_ns, np.int64)
            rows = decoder.decode(frames, receive_ns).rows
            received = np.array(receive_ns, np.int64)
            known = received[rows["position"]] + self.clock_skew_ns
            told = tells_time(rows, received, self.clock_skew_ns)
            times[rows["position"]] = np.where(told, rows["event_ns"], known)
            times = np.maximum.accumulate(np.maximum(times, time_ns))
            time_ns = int(times[-1])
            yield Run(times, receive_ns, frames)

    def _lines(self, path: Path) -> Iterator[Line]:
        wanted = frozenset(self.streams)
        return ((received, frame) for received, frame in read_lines(path) if stream_of(frame)[1] in wanted)


def read_capture(path: Path, streams: Sequence[str] = STREAMS) -> Capture:
    """Look through a capture: what it holds. Raises CaptureError where it is none."""
    frames, first_ns, last_ns = 0, 0, 0
    symbols: dict[str, None] = {}
    skipped: Counter[str] = Counter()
    for received, frame in read_lines(path):
        symbol, stream = stream_of(frame)
        if stream in streams:
            frames += 1
            symbols.setdefault(symbol)
            first_ns, last_ns = first_ns or received, received
        else:
            skipped[stream] += 1
    if not frames:
        found = ", ".join(f"{stream} ({count})" for stream, count in skipped.items()) or "no frames"
        raise CaptureError(f"{path}: no frames of {', '.join(streams)}: it has {found}")
    return Capture(path, frames, tuple(symbols), dict(skipped), first_ns, last_ns)


def read_lines(path: Path) -> Iterator[Line]:
    """Every frame of a capture. Raises CaptureError at a line that has none, and where the file breaks off."""
    last_ns = 0
    try:
        for received, frame, number, sound in read_frames(path):
            if not sound:
                raise CaptureError(f"{path}:{number}: {frame[:40]!r}: expected a receive time in ns and a frame")
            if received < last_ns:
                raise CaptureError(f"{path}:{number}: received at {received}, before the line above ({last_ns})")
            last_ns = received
            yield received, frame
    except BrokenFile as error:
        raise CaptureError(f"{path}: after line {error.place}: {error.why}") from error


def stream_of(frame: bytes) -> tuple[str, str]:
    """Symbol and stream of a combined stream's frame: `btcusdt@depth@100ms` is BTCUSDT, depth. Others: two empty."""
    if not frame.startswith(_STREAM):
        return "", "no stream"
    name = frame[len(_STREAM) : frame.find(b'"', len(_STREAM))].decode(errors="replace")
    symbol, _, stream = name.partition("@")
    return symbol.upper(), stream.partition("@")[0]


def _symbols(captures: Sequence[Capture]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(symbol for capture in captures for symbol in capture.symbols))


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".jsonl")
