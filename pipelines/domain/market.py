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
    """What a row of the tick log is."""

    QUOTE = 0
    TRADE = 1
    HEARTBEAT = 8
    END = 9


class Flag(IntFlag):
    """What is to be known of a row besides its values."""

    HOME = 1
    LATE = 2
    AFTER_GAP = 4
    LOCKED = 8
    BUYER_AGGRESSOR = 16


NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
