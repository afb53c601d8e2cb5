"""A file of frames as a source: what is decoded from a file alone travels through Kafka as the same frames."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from pipelines.domain.decoding import Discovered
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.frame_file import FrameFile, Piece
from pipelines.feeds.source import Batch, Mark, Run, Session

HEARTBEAT_NS = NS_PER_S
"""Event time without a frame after which a file's session tells the time: files hold days, quiet nights among them."""

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
        name = self.file.path.name
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
            times = np.zeros(len(piece.frames), np.int64)
            rows = decoder.decode(piece.frames, piece.receive_ns).rows
            np.maximum.at(times, rows["position"], rows["event_ns"])
            received = np.array(piece.receive_ns, np.int64)
            times = np.where(times > 0, times, np.where(received > 0, received + self.clock_skew_ns, 0))
            times = np.maximum.accumulate(np.maximum(times, time_ns))
            time_ns = int(times[-1])
            yield Run(times, _received(piece, times, self.clock_skew_ns), piece.frames)


def _received(piece: Piece, times: np.ndarray[tuple[int], np.dtype[np.int64]], skew_ns: int) -> list[int]:
    """When frames were received; where the file does not say, at their event time."""
    stated = zip(piece.receive_ns, times.tolist(), strict=True)
    return [received or event_ns - skew_ns for received, event_ns in stated]
