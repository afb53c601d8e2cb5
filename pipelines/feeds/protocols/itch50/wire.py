"""What the kernels of TotalView-ITCH 5.0 stand on: big-endian fields, what they are told and tell, a row written."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import inlined
from pipelines.feeds.protocols.itch50.layouts import PRICE_UNIT

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]

LOCATE = np.dtype([("symbol", "i8"), ("book", "i4"), ("known", "i4")])
"""What a locate code stands for: the eight bytes of its symbol, its book or -1. `known`: 0 before it was named."""

TOP = np.dtype(
    [("instrument", "i4"), ("whole", "i4"), ("sure", "i4"), ("halted", "i4"), ("told", "i4"), ("spare", "i4"),
     ("bid", "i4"), ("ask", "i4"), ("bid_size", "i8"), ("ask_size", "i8")]
)  # fmt: skip
"""A book's best quote as last told. `whole`: all its orders were read; `sure`: its best quote is beyond doubt;
`halted`: not trading as usual, when a book may be crossed; `told`: that orders are referred to that were never read."""

FAULT = np.dtype([("frame", "i8"), ("at", "i8"), ("size", "i8"), ("code", "i4"), ("field", "i4"), ("book", "i8")])
"""What is wrong with a message: the place of the bytes in the buffer, with their length in front; the field's offset
in the message."""


class Frames(NamedTuple):
    """A batch in one buffer. Of each frame: where its messages begin and end, how many there should be (-1: not said),
    midnight of its date in New York (UTC ns), its position among those given. `lengths`: of each type."""

    buffer: Bytes
    starts: Integers
    ends: Integers
    counts: Integers
    midnights: Integers
    positions: Integers
    lengths: Integers


class Market(NamedTuple):
    """What is known of the instruments, by locate code and by book."""

    locates: NDArray[np.void]
    tops: NDArray[np.void]


class Made(NamedTuple):
    """What comes of it: rows, faults, messages by type."""

    rows: NDArray[np.void]
    faults: NDArray[np.void]
    messages: Integers


FRAME, AT, LEFT, ROWS, FAULTS, EVENT_NS, BOOK = range(7)
"""Places in the array that says how far it got: frame, byte of its next message (-1: its first), messages that are
still to come in it, rows and faults made, event time of the last message, the book that a stop is about."""


@inlined
def u16(buffer: Bytes, at: int) -> int:
    return int(np.int64(buffer[at]) << 8 | np.int64(buffer[at + 1]))


@inlined
def u32(buffer: Bytes, at: int) -> int:
    return (u16(buffer, at) << 16) | u16(buffer, at + 2)


@inlined
def u48(buffer: Bytes, at: int) -> int:
    return (u16(buffer, at) << 32) | u32(buffer, at + 2)


@inlined
def u64(buffer: Bytes, at: int) -> int:
    """Eight bytes; above 2^63 they come out negative, as the one number they are."""
    return (u32(buffer, at) << 32) | u32(buffer, at + 4)


@inlined
def write_row(
    made: Made,
    place: int,
    position: int,
    instrument: int,
    kind: int,
    flags: int,
    code: int,
    event_ns: int,
    bid: int,
    bid_size: int,
    ask: int,
    ask_size: int,
) -> int:
    """Write a row, prices in 1/10,000 dollar; the place of the next. Given integers of 64 bits alone, it is compiled
    once."""
    row = made.rows[place]
    row.position, row.instrument, row.kind, row.flags, row.code = position, instrument, kind, flags, code
    row.event_ns, row.venue_sequence = event_ns, -1
    row.bid, row.bid_size, row.ask, row.ask_size = bid / PRICE_UNIT, bid_size, ask / PRICE_UNIT, ask_size
    return place + 1
