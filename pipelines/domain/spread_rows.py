"""The rows that the spread kernel writes, and where it writes them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.bars import BAR, Bars
from pipelines.domain.shard import Indices

Rows = NDArray[np.void]

CROSSING, BEAT, ENDED = 0, 1, 2
EVENT_KINDS = ("crossing", "heartbeat", "end")

_SPREAD_OF_PAIR = [
    ("rung", "i8"),
    ("z", "f8"),
    ("spread", "f8"),
    ("mean", "f8"),
    ("std", "f8"),
    ("beta", "f8"),
    ("mid_a", "f8"),
    ("mid_b", "f8"),
    ("slope", "f8"),
    ("flags", "i8"),
]

SPREAD = np.dtype(
    [
        ("kind", "i8"),
        ("sequence", "i8"),
        ("pair", "i8"),
        ("event_ns", "i8"),
        *_SPREAD_OF_PAIR,
        ("session", "i8"),
        ("tick_sequence", "i8"),
        ("z_before", "f8"),
    ]
)
"""A spread event; `kind` indexes EVENT_KINDS, `pair` the shard's pairs (-1: none), `session` the state's sessions."""

SAMPLED = np.dtype([("pair", "i8"), *_SPREAD_OF_PAIR, ("imbalance_a", "f8"), ("imbalance_b", "f8")])

MARKED = np.dtype([("instrument", "i8"), ("bid", "f8"), ("ask", "f8"), ("time_ns", "i8"), ("state", "i8")])

PAIR_BAR = np.dtype(
    [
        ("pair", "i8"),
        *((name, "f8") for name in ("mid_a", "mid_b", "spread", "z", "mean", "std", "slope", "beta")),
        ("flags", "i8"),
        ("bars", "i8"),
        *((name, "f8") for name in ("half_life_s", "adf_t", "adf_critical", "correlation")),
        ("breaks", "i8"),
    ]
)
"""A pair at a full minute, field for field the Avro record helios.market.PairBar."""

SNAPSHOT = np.dtype(
    [
        ("instrument", "i8"),
        ("quotes", "i8"),
        *((name, "f8") for name in ("bid", "bid_size", "ask", "ask_size", "imbalance")),
        ("trades", "i8"),
        *((name, "f8") for name in ("last", "high", "low", "vwap", "volume", "buy_volume")),
        ("status", "i8"),
        ("status_ns", "i8"),
        ("status_changed", "i8"),
    ]
)
"""An instrument over an interval; `status` of domain.market.Status, 0 before the first."""

SAMPLES = MARKS = TOLD = np.dtype([("sequence", "i8"), ("event_ns", "i8"), ("first", "i8"), ("count", "i8")])
"""One second's samples, or marks, a minute's pairs, an interval's snapshots: rows `first` to `first + count` of
those."""


class Out(NamedTuple):
    """Where `advance` writes, and how many of each it has written: `counts`, in the order of the fields."""

    spreads: Rows
    marks: Rows
    marked: Rows
    bars: Bars
    samples: Rows
    sampled: Rows
    minutes: Rows
    pair_bars: Rows
    intervals: Rows
    snapshots: Rows
    counts: Indices


SPREADS_AT, MARKS_AT, MARKED_AT, BARS_AT, SAMPLES_AT, SAMPLED_AT, MINUTES_AT, PAIR_BARS_AT, INTERVALS_AT, SNAPS_AT = (
    range(10)
)
"""Places in `counts`."""


def new_out(instruments: int, pairs: int, spare: int = 4096) -> Out:
    """Room for the most that one row can make, and `spare` more of each."""
    return Out(
        np.zeros(pairs + 2 + spare, SPREAD),
        np.zeros(2 + spare, MARKS),
        np.zeros(instruments + 1 + 2 * spare, MARKED),
        np.zeros(instruments + 1 + spare, BAR),
        np.zeros(3 + spare, SAMPLES),
        np.zeros(pairs + 2 * spare, SAMPLED),
        np.zeros(2 + spare, TOLD),
        np.zeros(pairs + spare, PAIR_BAR),
        np.zeros(2 + spare, TOLD),
        np.zeros(instruments + spare, SNAPSHOT),
        np.zeros(10, np.int64),
    )
