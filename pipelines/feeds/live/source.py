"""A venue live, as a source of raw frames: every connection a session of its own, the venue's clock in between."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.contracts.frames import RawFrames
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.feeds.live.reader import Came, Health, LiveConfig, Reader
from pipelines.feeds.source import HEARTBEAT_NS, MOST_FRAMES, Batch, Mark

MARGIN_NS = 50 * NS_PER_MS
"""How far a heartbeat stays behind the venue's clock as it was last told: a later frame is not to be late by it."""


@dataclass
class LiveSource:
    """One venue, some of its symbols. `batches` runs until `stop` is set."""

    config: LiveConfig
    stop: threading.Event = field(default_factory=threading.Event)
    resumes: bool = field(default=False, init=False)
    expected_frames: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        most, given = self.config.venue.limits.symbols, len(self.config.symbols)
        if given > most:
            raise ValueError(f"{self.config.name}: {given} symbols, {most} are the most on one connection: start two")
        self._came: queue.SimpleQueue[Came] = queue.SimpleQueue()
        self._reader = Reader(self.config, self._came.put)

    @property
    def venue(self) -> str:
        return self.config.name

    @property
    def health(self) -> Health:
        return self._reader.health

    @property
    def sessions(self) -> Mapping[str, tuple[str, ...]]:
        """None that is known before: a connection's name has its time in it."""
        return {}

    def batches(self, marks: Mapping[str, Mark], window_ns: int = 0) -> Iterator[Batch]:
        thread = threading.Thread(target=self._reader.run, name=f"live-{self.config.name}", daemon=True)
        thread.start()
        session = _Session(self.config.name, self.config.symbols)
        try:
            while not self.stop.is_set():
                try:
                    came = self._came.get(timeout=HEARTBEAT_NS / NS_PER_S)
                except queue.Empty:
                    if not thread.is_alive():
                        raise RuntimeError(
                            f"{self.config.name}: its connection ended: {self._reader.fault!r}"
                        ) from None
                    yield from session.beat()
                else:
                    yield from session.take(came)
        finally:
            self._reader.cancel()
            thread.join(timeout=5)
        while not self._came.empty():
            yield from session.take(self._came.get())


@dataclass(slots=True)
class _Session:
    """Makes records of what came: a hello at a session's begin, its frames, heartbeats where nothing comes."""

    venue: str
    symbols: tuple[str, ...]
    clock_ns: Callable[[], int] = time.time_ns
    name: str = ""
    sequence: int = 0
    venue_ns: int = 0
    receive_ns: int = 0
    told_ns: int = 0

    def take(self, came: Came) -> Iterator[Batch]:
        if not came.frames:
            self.name, self.sequence, self.venue_ns = came.session, 0, 0
            yield Batch(RawFrames(self.venue, self.name, 0, 0, symbols=self.symbols), 0)
            return
        for at in range(0, len(came.frames), MOST_FRAMES):
            receive_ns, frames = came.receive_ns[at : at + MOST_FRAMES], came.frames[at : at + MOST_FRAMES]
            yield Batch(RawFrames(self.venue, self.name, self.sequence, 0, receive_ns=receive_ns, frames=frames), 0)
            self.sequence += len(frames)
        self.receive_ns = came.receive_ns[-1]
        self.venue_ns = max(self.venue_ns, came.event_ns)

    def beat(self) -> Iterator[Batch]:
        """The venue's clock: the last event's time and what has passed since, less a margin."""
        now_ns = self.venue_ns + self.clock_ns() - self.receive_ns - MARGIN_NS
        if self.venue_ns and now_ns >= self.told_ns + HEARTBEAT_NS:
            self.told_ns = now_ns
            yield Batch(RawFrames(self.venue, self.name, self.sequence, now_ns), 0)
