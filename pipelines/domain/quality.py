"""What is done with doubtful rows: the rules of a venue, and the robust band that tells an outlier."""

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_MS

WINDOW = 31
"""Prices of an instrument that the band stands on."""

LEAST = 9
"""Prices from which on there is a band."""


class Action(IntEnum):
    """What happens to a row that a check finds."""

    PASS = 0
    FLAG = 1
    REJECT = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """A venue's rules: the action on each finding, and what the checks measure by.

    An outlier is further from the median of the last 31 prices (mids, trades) than `outlier_mads` times their median
    absolute deviation (scaled by 1.4826 to a standard deviation) and than `outlier_floor_bp` of that median. Stale is
    what comes `stale_ms` after its event time, the venue's known skew taken off.
    """

    duplicate: Action = Action.REJECT
    out_of_order: Action = Action.REJECT
    crossed: Action = Action.REJECT
    locked: Action = Action.FLAG
    off_tick: Action = Action.FLAG
    outlier: Action = Action.FLAG
    stale: Action = Action.FLAG
    halted: Action = Action.FLAG
    outlier_mads: float = 12.0
    outlier_floor_bp: float = 100.0
    stale_ms: float = 60_000.0


ACTIONS = tuple(each.name for each in fields(Rules) if each.type is Action)
"""The findings that have an action, in the order of `action_codes`."""

MEASURES = tuple(each.name for each in fields(Rules) if each.type is float)


def action_codes(rules: Rules) -> NDArray[np.int8]:
    """The actions as the kernel reads them, shape (8,)."""
    return np.array([getattr(rules, name) for name in ACTIONS], np.int8)


def measures(rules: Rules) -> NDArray[np.float64]:
    """What the checks measure by, as the kernel reads it: deviations, floor (a share), stale (ns)."""
    return np.array([rules.outlier_mads * 1.4826, rules.outlier_floor_bp * 1e-4, rules.stale_ms * NS_PER_MS])


BAND = np.dtype([("count", "i4"), ("next", "i4"), ("ring", "f8", (WINDOW,)), ("ordered", "f8", (WINDOW,))])
"""The last prices of an instrument: as they came (`ring`, the oldest at `next`), and by size."""


@compiled
def outside(
    ring: NDArray[np.float64], ordered: NDArray[np.float64], count: int, price: float, mads: float, floor: float
) -> bool:
    """Whether a price is an outlier of those before it; never, while they are fewer than `LEAST`."""
    if count < LEAST:
        return False
    middle = ordered[count // 2] if count % 2 else 0.5 * (ordered[count // 2 - 1] + ordered[count // 2])
    away = abs(price - middle)
    if away <= floor * middle:
        return False
    return bool(away > mads * _median_deviation(ordered, count, middle))


@compiled
def _median_deviation(ordered: NDArray[np.float64], count: int, middle: float) -> float:
    """The median distance of ordered values from a value: the lower one of two. Walks out from the middle."""
    low = 0
    while low < count and ordered[low] < middle:
        low += 1
    high = low
    low -= 1
    distance = 0.0
    for _ in range((count + 1) // 2):
        below = middle - ordered[low] if low >= 0 else np.inf
        above = ordered[high] - middle if high < count else np.inf
        if below < above:
            distance = below
            low -= 1
        else:
            distance = above
            high += 1
    return distance


@compiled
def remember(ring: NDArray[np.float64], ordered: NDArray[np.float64], count: int, oldest: int, price: float) -> None:
    """Take a price in, the oldest out where there are `WINDOW` already."""
    if count == WINDOW:
        gone = ring[oldest]
        at = 0
        while ordered[at] != gone:
            at += 1
        held = count - 1
        if price >= gone:
            while at < held and ordered[at + 1] < price:
                ordered[at] = ordered[at + 1]
                at += 1
        else:
            while at > 0 and ordered[at - 1] > price:
                ordered[at] = ordered[at - 1]
                at -= 1
    else:
        at = count
        while at > 0 and ordered[at - 1] > price:
            ordered[at] = ordered[at - 1]
            at -= 1
    ordered[at] = price
    ring[oldest] = price
