"""A file of frames read through: the same decoder and checks as in the market job, and what was found."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Flag, Ticks
from pipelines.domain.normalise import KIND_NAMES, Listing, Reject, normalise
from pipelines.domain.sequencing import new_session
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece

SHOWN_REJECTS = 1000
"""Of which places are kept."""

TOLD_FLAGS = tuple(flag for flag in Flag if flag not in (Flag.HOME, Flag.BUYER_AGGRESSOR, Flag.ASK, Flag.SNAPSHOT))


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file something was set aside, or missing before it. `at`: line (from 1) or byte offset."""

    at: int
    reason: Reason
    instrument: str
    detail: str


@dataclass(slots=True)
class Found:
    """What a file holds. Counts by name: messages by the venue's type, ticks by kind, rejects by reason (rows), flags.
    `skew_ns`: by how much event times lead receive times at most: at least so far our clock was behind the venue's."""

    frames: int = 0
    messages: Counter[str] = field(default_factory=Counter)
    ticks: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    first_event_ns: int | None = None
    last_event_ns: int | None = None
    skew_ns: int | None = None
    seconds: float = 0.0
    broken: str = ""
    places: list[Place] = field(default_factory=list)
    symbols: tuple[str, ...] = ()

    @property
    def messages_per_second(self) -> float:
        return sum(self.messages.values()) / self.seconds if self.seconds else 0.0

    def take_ticks(self, ticks: Ticks, timed: bool) -> None:
        if not len(ticks):
            return
        for kind, count in zip(*np.unique(ticks["kind"], return_counts=True), strict=True):
            self.ticks[KIND_NAMES[int(kind)]] += int(count)
        for flag in TOLD_FLAGS:
            count = int(np.count_nonzero(ticks["flags"] & int(flag)))
            if count:
                self.flags[str(flag.name).lower()] += count
        first, last = int(ticks["event_ns"].min()), int(ticks["event_ns"].max())
        self.first_event_ns = first if self.first_event_ns is None else min(first, self.first_event_ns)
        self.last_event_ns = last if self.last_event_ns is None else max(last, self.last_event_ns)
        if timed:
            ahead = int((ticks["event_ns"] - ticks["receive_ns"]).max())
            self.skew_ns = ahead if self.skew_ns is None else max(ahead, self.skew_ns)

    def take_reject(self, reject: Reject, at: int) -> None:
        if reject.reason is Reason.GAP:
            self.gaps += 1
        else:
            self.rejects[reject.reason.value] += reject.rows
        if len(self.places) < SHOWN_REJECTS:
            self.places.append(Place(at, reject.reason, reject.instrument, reject.detail))


def read_through(
    file: FrameFile,
    listing: Listing | None = None,
    take: Callable[[Ticks, tuple[str, ...]], None] | None = None,
    report: Callable[[Found], None] = lambda found: None,
) -> Found:
    """Read a file from its first frame to where it ends or breaks off. `take`: is given the ticks of each piece and the
    instruments that they index; `report`: how far it is. Without a listing every symbol is taken in."""
    listing = listing or Listing.discovering(file.venue)
    _compile(file)
    decoder, found = file.protocol(listing.index), Found()
    state = new_session(len(listing.index))
    for piece in _whole(file, found):
        began = time.perf_counter()
        first = state.next_frame
        made = normalise(state, listing, decoder, first, piece.receive_ns, piece.frames)
        state = made.state
        found.seconds += time.perf_counter() - began
        found.frames += sum(piece.count) if piece.count is not None else len(piece.frames)
        found.messages.update(made.messages)
        found.take_ticks(made.ticks, bool(piece.receive_ns[-1]))
        for reject in made.rejects:
            inside = reject.offset if file.unit == "byte" else 0
            found.take_reject(reject, piece.places[reject.frame - first] + inside)
        if take is not None:
            take(made.ticks, listing.instruments or listing.symbols)
        report(found)
    found.symbols = listing.symbols
    return found


def _whole(file: FrameFile, found: Found) -> Iterator[Piece]:
    """The pieces; where the file breaks off, that is noted as a reject of its own."""
    try:
        yield from (piece for piece in file.pieces() if piece.frames)
    except BrokenFile as error:
        found.broken = str(error)
        found.rejects[Reason.UNDECODABLE.value] += 1
        found.places.append(Place(error.place, Reason.UNDECODABLE, "", error.why))


def _compile(file: FrameFile) -> None:
    """Kernels are compiled at their first use, seconds long: not to be taken for time that reading needs."""
    try:
        first = next((piece for piece in file.pieces() if piece.frames), None)
    except BrokenFile:
        return
    if first is not None:
        listing = Listing.discovering(file.venue)
        decoder = file.protocol(listing.index)
        normalise(new_session(0), listing, decoder, 0, first.receive_ns[:64], first.frames[:64])
