"""Where frames come from: one interface over recordings, simulations and live connections."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.frames import RawFrames
from pipelines.domain.decoding import DecodedRows
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.sequencing import FUTURE_LIMIT_NS

HEARTBEAT_NS = 10 * NS_PER_MS
"""Event time in which nothing was written, after which a session tells the time."""

MOST_FRAMES = 500
"""Frames in one record."""

END_NS = 86_400 * NS_PER_S
"""How far the end of a session moves time: past every window."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One record to write, and when: `due_ns` on the source's own clock (event time), or 0 for at once (live)."""

    record: RawFrames
    due_ns: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a session was written already: its next frame, the last heartbeat at that place, and whether it ended."""

    next_frame: int
    clock_ns: int = 0
    ended: bool = False


class Source(Protocol):
    """A feed. A deterministic one (`resumes`) gives the same frames at each reading, so that it can go on from a mark;
    a live one begins a new session at each start."""

    @property
    def venue(self) -> str: ...

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        """The sessions and the symbols of each."""

    @property
    def resumes(self) -> bool: ...

    @property
    def expected_frames(self) -> int:
        """Frames in all sessions together, for progress; 0 where nobody knows."""

    def batches(self, marks: Mapping[str, Mark], window_ns: int) -> Iterator[Batch]:
        """Records of all sessions by rising `due_ns`, without what is written already. `window_ns`: event time that a
        record may span, 0 for any."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive frames of a session. `event_ns`: the venue's time at each, never falling; `receive_ns`: ours."""

    event_ns: NDArray[np.int64]
    receive_ns: Sequence[int]
    frames: Sequence[bytes]


def tells_time(rows: DecodedRows, receive_ns: NDArray[np.int64], clock_skew_ns: int) -> NDArray[np.bool_]:
    """Which rows have an event time that a session's clock may go by. `receive_ns`: by position, 0 where not known.

    A corrupt stamp, that the market job rejects as future, must not carry the clock with it either.
    """
    received = receive_ns[rows["position"]]
    latest = np.where(received > 0, received + clock_skew_ns + FUTURE_LIMIT_NS, np.iinfo(np.int64).max)
    told: NDArray[np.bool_] = (rows["event_ns"] > 0) & (rows["event_ns"] <= latest)
    return told


@dataclass(frozen=True, slots=True)
class Session:
    """Cuts one session into records: a hello, its frames, heartbeats where event time passes without any, an end.

    What is said, and where between the frames, hangs on the frames alone, not on speed: the ticks are the same.
    """

    venue: str
    name: str
    symbols: tuple[str, ...]
    heartbeat_ns: int = HEARTBEAT_NS
    most_frames: int = MOST_FRAMES

    def batches(self, runs: Iterator[Run], start_ns: int, mark: Mark | None, window_ns: int) -> Iterator[Batch]:
        """`start_ns`: event time at which it begins; `mark`: None where nothing is written yet."""
        if mark is not None and mark.ended:
            return
        if mark is None:
            yield Batch(RawFrames(self.venue, self.name, 0, start_ns, symbols=self.symbols), start_ns)
        written = mark or Mark(0)
        sequence, time_ns = 0, start_ns
        for run in runs:
            cuts = self._cuts(run.event_ns, time_ns, window_ns)
            for first, last in pairwise(cuts):
                for beat_ns in self._beats(time_ns, int(run.event_ns[first])):
                    if sequence > written.next_frame or (sequence == written.next_frame and beat_ns > written.clock_ns):
                        yield Batch(RawFrames(self.venue, self.name, sequence, beat_ns), beat_ns)
                taken = first + max(written.next_frame - sequence, 0)
                if taken < last:
                    yield Batch(self._frames(run, sequence - first, taken, last), int(run.event_ns[taken]))
                sequence += last - first
                time_ns = int(run.event_ns[last - 1])
        end_ns = time_ns + END_NS
        yield Batch(RawFrames(self.venue, self.name, sequence, end_ns, end=True), time_ns)

    def _frames(self, run: Run, offset: int, first: int, last: int) -> RawFrames:
        receive_ns, frames = list(run.receive_ns[first:last]), list(run.frames[first:last])
        return RawFrames(self.venue, self.name, offset + first, 0, receive_ns=receive_ns, frames=frames)

    def _cuts(self, event_ns: NDArray[np.int64], before_ns: int, window_ns: int) -> list[int]:
        """Where records begin, and the end: after a heartbeat, at a new window, and at the most frames."""
        times = np.concatenate(([before_ns], event_ns))
        # The stretch of the heartbeat grid that a time lies in; its end belongs to it.
        begins = np.diff((times - 1) // self.heartbeat_ns) > 1
        if window_ns:
            begins |= np.diff(times // window_ns) > 0
        begins[0] = True
        cuts: list[int] = []
        starts = [*np.flatnonzero(begins).tolist(), len(event_ns)]
        for first, last in pairwise(starts):
            cuts.extend(range(first, last, self.most_frames))
        return [*cuts, len(event_ns)]

    def _beats(self, last_ns: int, next_ns: int) -> range:
        """Grid times after a frame (or the start) and before the next, of stretches in which nothing was written."""
        grid = self.heartbeat_ns
        return range(((last_ns - 1) // grid + 2) * grid, next_ns, grid)
