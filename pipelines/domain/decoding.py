"""What a protocol gives: frames of a feed session made into rows, what could not be read, what was found missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DECODED = np.dtype(
    [
        ("position", "i8"),
        ("instrument", "i4"),
        ("kind", "i4"),
        ("flags", "i4"),
        ("code", "i4"),
        ("event_ns", "i8"),
        ("venue_sequence", "i8"),
        ("bid", "f8"),
        ("bid_size", "f8"),
        ("ask", "f8"),
        ("ask_size", "f8"),
    ]
)
"""A row before any check of its worth. `position`: of its frame in the batch; `instrument`: index in the listing;
`event_ns`: 0 where the frame tells no time; `venue_sequence`: trade id of a trade, numbered without holes, or update id
of a quote, which only rises; -1 where the venue gives none. The others as in `TICK`."""

DecodedRows = NDArray[np.void]
"""A structured array of `DECODED`, shape (n,), positions never falling."""


class Reason(StrEnum):
    """Why a frame or a row of it was set aside, or what was found before one."""

    UNDECODABLE = "undecodable"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    GAP = "gap"
    CROSSED = "crossed"
    LOCKED = "locked"
    NON_POSITIVE = "non_positive"
    OFF_TICK = "off_tick"
    OUTLIER = "outlier"
    STALE = "stale"
    HALTED = "halted"
    FUTURE = "future"
    BAD_RECORD = "bad_record"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a frame that could not be made into rows. `detail`: field, value, what is wrong. `offset`: where in
    the frame, bytes; `symbol`: of the instrument, where one is named."""

    position: int
    reason: Reason
    detail: str
    offset: int = 0
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A gap that a protocol's own numbering or checksum shows before a frame. `symbol`: empty for a whole session;
    `count`: messages that never came, 0 where nobody knows. Told by a reject of reason GAP, which counts no frame."""

    position: int
    detail: str
    symbol: str = ""
    count: int = 0


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch of frames decoded, all by position, never falling. A frame may give no row, one, or many; one that gives
    none and has no fault said nothing that is kept (a heartbeat, an answer to a subscription). `messages`: how many
    there were, by the venue's name of their type."""

    rows: DecodedRows
    faults: tuple[Fault, ...] = ()
    missing: tuple[Missing, ...] = ()
    messages: Mapping[str, int] = field(default_factory=dict)


class Decoder(Protocol):
    """Reads the frames of one feed session in their order. What it remembers from one to the next, a venue's books
    among it, follows from the frames alone."""

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        """Never raises for a frame, whatever is in it. `receive_ns`: of each frame, UTC ns, 0 where nobody knows."""

    def dump(self) -> bytes:
        """What it remembers; empty where that is nothing."""

    def load(self, data: bytes) -> None:
        """Take up what `dump` gave. ValueError for other bytes."""


class OpenDecoder(Protocol):
    """A protocol: a decoder for a new session. `index`: the place of each symbol in the listing, asked by
    `index.get(symbol, -1)`, -1 for one that is not in it."""

    def __call__(self, index: Mapping[str, int]) -> Decoder: ...


class Discovered(dict[str, int]):
    """An index of symbols that takes in each it is asked for: for files of which nobody said what is in them."""

    def get(self, symbol: str, default: object = None) -> int:
        """The symbol's place: the next, at its first use."""
        return self.setdefault(symbol, len(self))
