"""The thread of a live connection: an event loop of its own, a decoder that watches the frames, and the recorder.

It reads each frame with the venue's decoder, to know its books, its clock and what is missing; what is handed on is
what came, unparsed.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from tenacity.wait import wait_base

from pipelines.domain.decoding import Decoded, Decoder
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.feeds.live.connection import BACKOFF, Connection
from pipelines.feeds.live.recorder import Recorder
from pipelines.feeds.live.venues import Addresses, LiveVenue
from pipelines.feeds.protocols.catalogue import protocol

log = logging.getLogger("helios.feed")

LINGER_S = 0.002
"""How long a frame waits for others to be read and written with."""


@runtime_checkable
class Books(Protocol):
    """A decoder that keeps books: `wants` has the symbols whose book is not known."""

    def wants(self) -> tuple[str, ...]: ...


@dataclass(slots=True)
class Health:
    """How a venue's connection does. Counts are of this run; times UTC ns."""

    venue: str
    connected: bool = False
    connections: int = 0
    drops: int = 0
    frames: int = 0
    gaps: int = 0
    undecodable: int = 0
    recoveries: int = 0
    books_lost: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    last_frame_ns: int = 0
    last_event_ns: int = 0
    last_drop: str = ""


@dataclass(frozen=True, slots=True)
class LiveConfig:
    """What is read live, and how. `quiet_s`: a symbol of which nothing came for so long is told as quiet; `silent_s`:
    without any frame for so long a connection is dead (0: as the venue's limits say)."""

    name: str
    venue: LiveVenue
    symbols: tuple[str, ...]
    addresses: Addresses
    record_in: Path | None = None
    quiet_s: float = 60.0
    silent_s: float = 0.0
    backoff: wait_base = BACKOFF


@dataclass(frozen=True, slots=True)
class Came:
    """Some frames of a session, and the latest event time in them (0: they tell none); without frames its begin."""

    session: str
    receive_ns: list[int] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    event_ns: int = 0


class Reader:
    """Runs until `cancel`. What comes is handed over in order; `health` is up to date, read from any thread."""

    def __init__(self, config: LiveConfig, hand_over: Callable[[Came], None]) -> None:
        self.health = Health(config.name)
        self.fault: BaseException | None = None
        self._config = config
        self._hand_over = hand_over
        self._open = protocol(config.venue.protocol)
        self._index = {symbol: place for place, symbol in enumerate(config.symbols)}
        self._decoder: Decoder = self._open(self._index)
        self._session = ""
        self._recorder: Recorder | None = None
        self._pending = Came("")
        self._heard_ns: list[int] = []
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """The thread's function."""
        self._open(self._index).decode([b"\x00"], [1])  # kernels are compiled now, and not when a frame waits
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            self.fault = error
            log.exception("%s: ended", self._config.name)
        finally:
            self._end_session()

    def cancel(self) -> None:
        """From another thread: end."""
        if self._loop is not None and self._task is not None:
            with suppress(RuntimeError):  # the loop is over already
                self._loop.call_soon_threadsafe(self._task.cancel)

    async def _run(self) -> None:
        config = self._config
        self._loop = asyncio.get_running_loop()
        silent_s = config.silent_s or config.venue.limits.silent_s
        connection = Connection(config.venue, config.symbols, self, config.addresses, silent_s, config.backoff)
        watching = asyncio.create_task(self._watch())
        self._task = asyncio.create_task(connection.run())
        try:
            await self._task
        finally:
            watching.cancel()

    def connected(self) -> None:
        """A connection is made: a session begins, of which nothing is known."""
        now_ns = time.time_ns()
        stamp = datetime.fromtimestamp(now_ns / NS_PER_S, UTC).strftime("%Y%m%dT%H%M%S")
        self._session = f"{self._config.name}-{stamp}-{now_ns % NS_PER_S // NS_PER_MS:03d}"
        self._decoder = self._open(self._index)
        self._pending = Came(self._session)
        self._heard_ns = [now_ns] * len(self._config.symbols)
        if self._config.record_in is not None:
            self._recorder = Recorder(self._config.record_in, self._session)
        self.health.connected = True
        self.health.connections += 1
        self._hand_over(Came(self._session))
        log.info("%s: connected, session %s", self._config.name, self._session)

    def frame(self, receive_ns: int, frame: bytes) -> None:
        """A frame as it came."""
        if self._recorder is not None:
            self._recorder.take(receive_ns, frame)
        if not self._pending.frames:
            asyncio.get_running_loop().call_later(LINGER_S, self._take, self._pending)
        self._pending.receive_ns.append(receive_ns)
        self._pending.frames.append(frame)

    def lost_books(self) -> Sequence[str]:
        """The symbols whose book is not known."""
        lost = self._decoder.wants() if isinstance(self._decoder, Books) else ()
        self.health.recoveries += len(set(self.health.books_lost) - set(lost))
        self.health.books_lost = lost
        return lost

    def dropped(self, why: str) -> None:
        """The connection is gone."""
        self._take(self._pending)
        self.health.connected = False
        self.health.drops += 1
        self.health.last_drop = why
        self._end_session()
        log.warning("%s: connection lost: %s", self._config.name, why)

    def _take(self, came: Came) -> None:
        """Read what has come, and hand it on."""
        if came is not self._pending or not came.frames:
            return  # a session that is over, or taken already
        self._pending = Came(self._session)
        decoded = self._decoder.decode(came.frames, came.receive_ns)
        event_ns = self._note(decoded, came)
        self._hand_over(Came(came.session, came.receive_ns, came.frames, event_ns))

    def _note(self, decoded: Decoded, came: Came) -> int:
        rows, health = decoded.rows, self.health
        event_ns = int(rows["event_ns"].max()) if len(rows) else 0
        for place in set(rows["instrument"].tolist()):
            self._heard_ns[place] = came.receive_ns[-1]
        for fault in decoded.faults:
            log.warning("%s: %s: %s", self._config.name, fault.reason, fault.detail)
        for gap in decoded.missing:
            log.warning("%s: gap: %s", self._config.name, gap.detail)
        health.frames += len(came.frames)
        health.undecodable += len(decoded.faults)
        health.gaps += len(decoded.missing)
        health.last_frame_ns = came.receive_ns[-1]
        health.last_event_ns = max(health.last_event_ns, event_ns)
        return event_ns

    async def _watch(self) -> None:
        """Tell of symbols that have gone quiet, once, and of their return."""
        while True:
            await asyncio.sleep(min(1.0, self._config.quiet_s / 4))
            since_ns = time.time_ns() - int(self._config.quiet_s * NS_PER_S)
            heard = zip(self._config.symbols, self._heard_ns, strict=False)
            quiet = tuple(symbol for symbol, at_ns in heard if at_ns < since_ns)
            if quiet != self.health.quiet:
                named = (
                    f"nothing of {', '.join(quiet)} for {self._config.quiet_s:g} s" if quiet else "all are heard again"
                )
                log.warning("%s: %s", self._config.name, named)
            self.health.quiet = quiet

    def _end_session(self) -> None:
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
