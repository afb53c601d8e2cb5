"""A file of frames as a source: what is decoded from a file alone travels through Kafka as the same frames."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import merge

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import DecodedRows, Discovered
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece, UnknownFormat
from pipelines.feeds.source import MOST_FRAMES, Batch, Mark, Run, Session, tells_time

HEARTBEAT_NS = NS_PER_S
"""Event time without a frame after which a file's session tells the time: files hold days, quiet nights among them."""

Times = NDArray[np.int64]

RECORD_BYTES = 512 * 1024
"""About as much in one record, where frames hold many messages each."""


@dataclass(frozen=True)
class FileSource:
    """One file, or several merged by their format, as one session. `venue`: the strategy's name of it. `broken`: where
    the file breaks off and why, empty where it is whole; all before goes on."""

    file: FrameFile
    venue: str
    clock_skew_ns: int = 0
    heartbeat_ns: int = HEARTBEAT_NS
    broken: str = field(default="", init=False)
    resumes: bool = field(default=True, init=False)
    _symbols: tuple[str, ...] = field(init=False)
    _frames: int = field(init=False)
    _start_ns: int = field(init=False)
    _most: int = field(init=False)

    def __post_init__(self) -> None:
        """Reads the file through once, for its symbols, its first time and whether it is whole. Raises UnknownFormat
        where nothing is in it."""
        index, frames, octets, start_ns, broken = Discovered(), 0, 0, 0, ""
        try:
            for run in self._runs(index):
                frames += len(run.frames)
                octets += sum(map(len, run.frames))
                start_ns = start_ns or int(run.event_ns[0])
        except BrokenFile as error:
            broken = str(error)
        if not frames:
            raise UnknownFormat(broken or f"{self.file.path}: there are no frames in it")
        most = min(max(RECORD_BYTES * frames // octets, 1), MOST_FRAMES)
        found = {"_symbols": tuple(index), "_frames": frames, "_start_ns": start_ns, "broken": broken, "_most": most}
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def name(self) -> str:
        """Of the session: after the file, so that the same file has the same name wherever it lies."""
        name = self.file.name or self.file.path.name
        return name if len(name) <= 80 else f"{name[:71]}-{zlib.crc32(name.encode()):08x}"

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        return {self.name: self._symbols}

    @property
    def expected_frames(self) -> int:
        return self._frames

    def batches(self, marks: Mapping[str, Mark], window_ns: int = 0) -> Iterator[Batch]:
        session = Session(self.venue, self.name, self._symbols, self.heartbeat_ns, self._most)
        start_ns = self._start_ns - 1
        return session.batches(self._unbroken(), start_ns, marks.get(self.name), window_ns)

    def _unbroken(self) -> Iterator[Run]:
        with suppress(BrokenFile):  # as `broken` says
            yield from self._runs(Discovered())

    def _runs(self, index: Discovered) -> Iterator[Run]:
        decoder, time_ns = self.file.protocol(index), 0
        for piece in self.file.pieces():
            if not piece.frames:
                continue
            received = np.array(piece.receive_ns, np.int64)
            rows = decoder.decode(piece.frames, piece.receive_ns).rows
            first, last = _span(len(piece.frames), rows[tells_time(rows, received, self.clock_skew_ns)])
            stated = np.where(received > 0, received + self.clock_skew_ns, 0)
            # The session's clock goes by the first event of each frame: a heartbeat must not be ahead of any row to
            # come. What is received at no stated time is received when its last event is there.
            times = np.maximum.accumulate(np.maximum(np.where(first > 0, first, stated), time_ns))
            lasts = np.maximum(np.where(last > 0, last, stated), times)
            time_ns = int(times[-1])
            yield Run(times, _received(piece, lasts, self.clock_skew_ns), piece.frames)


@dataclass(frozen=True)
class FileSources:
    """Several files of a venue at once, each a session of its own, in the order of their times."""

    sources: tuple[FileSource, ...]
    resumes: bool = field(default=True, init=False)

    @property
    def venue(self) -> str:
        return self.sources[0].venue

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        return {name: symbols for source in self.sources for name, symbols in source.sessions.items()}

    @property
    def expected_frames(self) -> int:
        return sum(source.expected_frames for source in self.sources)

    def batches(self, marks: Mapping[str, Mark], window_ns: int = 0) -> Iterator[Batch]:
        return merge(*(source.batches(marks, window_ns) for source in self.sources), key=lambda batch: batch.due_ns)


def _span(frames: int, timed: DecodedRows) -> tuple[Times, Times]:
    """The earliest and the latest event of each frame, of its rows that tell a time; 0 where it has none."""
    first, last = np.full(frames, np.iinfo(np.int64).max), np.zeros(frames, np.int64)
    np.minimum.at(first, timed["position"], timed["event_ns"])
    np.maximum.at(last, timed["position"], timed["event_ns"])
    return np.where(last > 0, first, 0), last


def _received(piece: Piece, times: Times, skew_ns: int) -> list[int]:
    """When frames were received; where the file does not say, at their event time."""
    stated = zip(piece.receive_ns, times.tolist(), strict=True)
    return [received or event_ns - skew_ns for received, event_ns in stated]
