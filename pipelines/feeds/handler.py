"""A feed handler: takes a source's records at the speed asked for and writes them, until it ends or is told to stop."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.contracts.frames import RawFrames
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.feeds.source import Mark, Source

LINGER_MS = 2.0
"""Wall time that a frame may wait for others to be written with."""

REPORT_NS = NS_PER_S // 4


class Log(Protocol):
    """Where records go. `write` may return before a record is safe; `flush` returns when all are."""

    def write(self, record: RawFrames) -> None: ...

    def flush(self) -> None: ...


@dataclass(slots=True)
class Handled:
    """What a handler has written: in this run, but `position`, which is of the session since its first frame."""

    venue: str
    expected_frames: int
    frames: int = 0
    records: int = 0
    event_ns: int = 0
    behind_ms: float = 0.0
    seconds: float = 0.0
    position: dict[str, int] = field(default_factory=dict)
    ended: dict[str, bool] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Every session is over."""
        return bool(self.ended) and all(self.ended.values())

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.seconds if self.seconds else 0.0

    def take(self, record: RawFrames, due_ns: int) -> None:
        self.frames += len(record.frames)
        self.records += 1
        self.event_ns = max(self.event_ns, due_ns)
        self.position[record.session] = record.first_sequence + len(record.frames)
        self.ended[record.session] = record.end


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a source is written. `speed`: event seconds in a wall second, 0 for as fast as it goes. `linger_ms`:
    wall time that a frame may wait for others: longer means fewer records, and everything after costs less."""

    speed: float = 0.0
    linger_ms: float = LINGER_MS

    @property
    def window_ns(self) -> int:
        """Event time that a record may span; 0 for any."""
        return int(self.linger_ms * NS_PER_MS * self.speed)


AS_FAST = Pace()
"""As fast as it goes."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The wall, for pacing; a test has its own."""

    now_ns: Callable[[], int] = time.monotonic_ns
    sleep_s: Callable[[float], object] = time.sleep


def handle(
    source: Source,
    log: Log,
    marks: Mapping[str, Mark],
    pace: Pace = AS_FAST,
    stop: threading.Event | None = None,
    report: Callable[[Handled], None] = lambda handled: None,
    clock: Clock | None = None,
) -> Handled:
    """Write a source to a log. `marks`: what is written already. Told to `stop`, it writes no end, so that another run
    goes on from there."""
    stop = stop or threading.Event()
    clock = clock or Clock(sleep_s=stop.wait)
    handled = Handled(source.venue, source.expected_frames)
    for session in source.sessions:
        mark = marks.get(session, Mark(0))
        handled.position[session], handled.ended[session] = mark.next_frame, mark.ended
    began_ns = reported_ns = clock.now_ns()
    first_due_ns = 0
    for batch in source.batches(marks, pace.window_ns):
        if stop.is_set():
            break
        now_ns = clock.now_ns()
        if pace.speed and batch.due_ns:
            first_due_ns = first_due_ns or batch.due_ns
            wait_ns = began_ns + int((batch.due_ns - first_due_ns) / pace.speed) - now_ns
            handled.behind_ms = max(-wait_ns, 0) / NS_PER_MS
            if wait_ns > 0:
                clock.sleep_s(wait_ns / NS_PER_S)
                if stop.is_set():
                    break
        log.write(batch.record)
        handled.take(batch.record, batch.due_ns)
        if now_ns - reported_ns > REPORT_NS:
            reported_ns = now_ns
            handled.seconds = (now_ns - began_ns) / NS_PER_S
            report(handled)
    log.flush()
    handled.seconds = (clock.now_ns() - began_ns) / NS_PER_S
    report(handled)
    return handled
