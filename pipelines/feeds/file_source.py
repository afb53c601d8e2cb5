"""A file of frames as a source: what is decoded from a file alone travels through Kafka as the same frames."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import DecodedRows, Discovered
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.frame_file import FrameFile, Piece
from pipelines.feeds.source import Batch, Mark, Run, Session, tells_time

HEARTBEAT_NS = NS_PER_S
"""Event time without a frame after which a file's session tells the time: files hold days, quiet nights among them."""

Times = NDArray[np.int64]

RECORD_FRAMES = 8
"""Of frames that hold many messages each (64 kB), in one record."""


@dataclass(frozen=True)
class FileSource:
    """One file, or several merged by their format, as one session. `venue`: the strategy's name of it."""

    file: FrameFile
    venue: str
    clock_skew_ns: int = 0
    heartbeat_ns: int = HEARTBEAT_NS
    resumes: bool = field(default=True, init=False)
    _symbols: tuple[str, ...] = field(init=False)
    _frames: int = field(init=False)
    _start_ns: int = field(init=False)

    def __post_init__(self) -> None:
        """Reads the file through once, for its symbols and its first time. Raises BrokenFile."""
        index, frames, start_ns = Discovered(), 0, 0
        for run in self._runs(index):
            frames += len(run.frames)
            start_ns = start_ns or int(run.event_ns[0])
        for name, value in (("_symbols", tuple(index)), ("_frames", frames), ("_start_ns", start_ns)):
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
        session = Session(self.venue, self.name, self._symbols, self.heartbeat_ns, RECORD_FRAMES)
        start_ns = self._start_ns - 1
        return session.batches(self._runs(Discovered()), start_ns, marks.get(self.name), window_ns)

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
