"""Ticks as columns: the one representation that every kernel reads."""

from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

TICK = np.dtype(
    [
        ("sequence", "i8"),
        ("frame", "i8"),
        ("instrument", "i4"),
        ("kind", "i4"),
        ("flags", "i4"),
        ("code", "i4"),
        ("event_ns", "i8"),
        ("receive_ns", "i8"),
        ("bid", "f8"),
        ("bid_size", "f8"),
        ("ask", "f8"),
        ("ask_size", "f8"),
    ]
)
"""Field for field the Avro record helios.market.Tick; a test holds the two together."""

Ticks = NDArray[np.void]
"""A structured array of `TICK`, shape (n,)."""


class Kind(IntEnum):
    """What a row of the tick log is, and what its columns hold where they are not bid and ask of a quote."""

    QUOTE = 0
    TRADE = 1
    """Price on both sides, quantity on both sides. `code`: a `Condition`."""
    LEVEL = 2
    """One price of a book: price on both sides, new total quantity on both sides, 0 where it is gone; `Flag.ASK`."""
    STATUS = 3
    """`code`: a `Status`. Prices 0."""
    AUCTION = 4
    """An imbalance: `bid` reference price, `bid_size` paired, `ask_size` not paired, `Flag.ASK` if to sell; `code`: a
    `Condition`, the auction's."""
    INDICATIVE = 5
    """Prices at which an auction would clear: `bid` near (with its book), `ask` far (auction orders alone)."""
    HEARTBEAT = 8
    END = 9


class Flag(IntFlag):
    """What is to be known of a row besides its values."""

    HOME = 1
    LATE = 2
    AFTER_GAP = 4
    LOCKED = 8
    BUYER_AGGRESSOR = 16
    ASK = 32
    SNAPSHOT = 64
    CROSSED = 128
    OFF_TICK = 256
    OUTLIER = 512
    STALE = 1024
    HALTED = 2048
    OUT_OF_ORDER = 4096
    DUPLICATE = 8192


class Status(IntEnum):
    """What a venue says of an instrument."""

    TRADING = 1
    HALTED = 2
    PAUSED = 3
    """A short halt, as of a volatility auction."""
    QUOTING = 4
    """Quotes, no trades: before a halt or an opening ends."""
    CLOSED = 5
    SHORT_SALE_RESTRICTED = 6
    SHORT_SALE_FREE = 7
    BOOK_LOST = 8
    """Updates are missing: its book, and quotes made of it, are not to be had until the next snapshot."""
    BOOK_BACK = 9
    TRADE_BROKEN = 10
    """A trade is undone; `bid_size`: its number at the venue."""


class Condition(IntFlag):
    """How a trade came about, or an auction's kind."""

    OPENING = 1
    CLOSING = 2
    REOPENING = 4
    """After a halt or a pause, or of an initial public offering."""
    CROSS = 8
    """One price for many orders."""
    HIDDEN = 16
    """Against an order that was not displayed."""
    EXTENDED_HOURS = 32
    ODD_LOT = 64
    OUT_OF_SEQUENCE = 128
    """Reported late: moves volume, not the last price."""
    NOT_LAST = 256
    """Counts for volume, not for open, high, low, close (average-price, derivatively priced, contingent, ...)."""
    SUSPICIOUS = 512
    """So marked by who recorded it."""
    SWEEP = 1024
    """Of an intermarket sweep order."""


NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
