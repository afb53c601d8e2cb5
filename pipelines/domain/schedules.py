"""Schedules of a parent order: how many of its lots are to be sent by when.

A schedule is a function of the time since the parent's start and of the volume that was seen, so that a gateway can
drive it from its log, and a replay gives the same orders. Times are ns from that start.
"""

import hashlib
import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MOST_SLICES = 100_000
LARGEST = 1e100
"""No number is larger: squares and products of two can still be counted."""


class ScheduleError(ValueError):
    """A number that makes no schedule: names it, and what to give."""


class Schedule(Protocol):
    """What a gateway asks."""

    @property
    def lots(self) -> int:
        """Of the parent."""

    def due(self, elapsed_ns: int, observed_volume: float) -> int:
        """Lots to have been sent by then, of the parent's start on: never falls, and never is above `lots`."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Lots that are sent at `at_ns`, and have until `end_ns` to trade. `number`: from 1."""

    number: int
    start_ns: int
    end_ns: int
    at_ns: int
    lots: int


@dataclass(frozen=True, slots=True)
class Jitter:
    """Times and sizes that others cannot guess: by a hash of (seed, parent, slice), so a replay has the same.

    `sizes`: by which share a slice may be larger or smaller, before they are rounded. `times`: within which share of
    its interval it is sent.
    """

    seed: int
    parent: str = ""
    sizes: float = 0.2
    times: float = 0.5

    def __post_init__(self) -> None:
        check("sizes", self.sizes, least=0.0, most=1.0)
        check("times", self.times, least=0.0, most=1.0)

    def weight(self, number: int) -> float:
        """What the size of a slice is multiplied by."""
        return 1 + self.sizes * (2 * self._uniform("size", number) - 1)

    def delay_ns(self, number: int, span_ns: int) -> int:
        """After its start; below `span_ns`."""
        return min(int(self.times * self._uniform("time", number) * span_ns), span_ns - 1)

    def _uniform(self, what: str, number: int) -> float:
        """In [0, 1)."""
        text = f"{self.seed}\x1f{self.parent}\x1f{what}\x1f{number}"
        return (int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 11) / 2**53


@dataclass(frozen=True, slots=True)
class Planned:
    """A schedule that the clock alone drives: TWAP, VWAP, implementation shortfall."""

    slices: tuple[Slice, ...]

    @property
    def lots(self) -> int:
        return sum(each.lots for each in self.slices)

    def due(self, elapsed_ns: int, observed_volume: float = 0.0) -> int:
        """The lots of all slices whose time to be sent has come."""
        begun = bisect_right(self.slices, elapsed_ns, key=lambda each: each.at_ns)
        return sum(each.lots for each in self.slices[:begun])


def plan(
    lots: int, duration_ns: int, weights: Sequence[float], least: int = 1, jitter: Jitter | None = None
) -> Planned:
    """The parent's lots over slices of one length, in proportion to `weights`, one a slice. No slice has fewer lots
    than `least` but 0. Raises ScheduleError."""
    check("lots", lots, least=1)
    check("slices", len(weights), least=1, most=MOST_SLICES)
    check("least", least, least=1)
    if duration_ns < len(weights):
        raise ScheduleError(f"{len(weights)} slices in {duration_ns} ns: give fewer, or more time")
    varied = weights if jitter is None else [w * jitter.weight(k) for k, w in enumerate(weights, 1)]
    sizes = gather(apportion(lots, varied), least)
    ends = [duration_ns * number // len(sizes) for number in range(len(sizes) + 1)]
    return Planned(
        tuple(
            Slice(
                k, ends[k - 1], ends[k], ends[k - 1] + (jitter.delay_ns(k, ends[k] - ends[k - 1]) if jitter else 0), n
            )
            for k, n in enumerate(sizes, 1)
        )
    )


def twap(lots: int, duration_ns: int, slices: int, least: int = 1, jitter: Jitter | None = None) -> Planned:
    """As much in each slice as in any other. Raises ScheduleError."""
    check("slices", slices, least=1, most=MOST_SLICES)
    return plan(lots, duration_ns, [1.0] * slices, least, jitter)


def apportion(lots: int, weights: Sequence[float]) -> tuple[int, ...]:
    """Whole lots in proportion to weights, which add up: by largest remainders (Hamilton's method), so that each is
    less than one from its share. Of equal remainders those far from each other are taken: a TWAP of 2 lots in 4 slices
    has one in each half. Raises ScheduleError for weights below 0 or all 0."""
    for number, weight in enumerate(weights, 1):
        check(f"weight of slice {number}", weight, least=0.0)
    exact = [weight.as_integer_ratio() for weight in map(float, weights)]
    unit = max(below for _, below in exact)  # all are powers of two
    shares = [above * (unit // below) for above, below in exact]
    whole = sum(shares)
    if not whole:
        raise ScheduleError("no slice has any weight: there is nothing to divide the lots by")
    sizes, by_remainder = [], dict[int, list[int]]()
    for number, share in enumerate(shares):
        size, remainder = divmod(lots * share, whole)
        sizes.append(size)
        by_remainder.setdefault(remainder, []).append(number)
    left = lots - sum(sizes)
    for _, alike in sorted(by_remainder.items(), reverse=True):
        taken = min(left, len(alike))
        for number in range(taken):
            sizes[alike[(2 * number + 1) * len(alike) // (2 * taken)]] += 1
        left -= taken
    return tuple(sizes)


def gather(sizes: Sequence[int], least: int) -> tuple[int, ...]:
    """Slices of fewer lots than `least` wait for those after them; what is left at the end goes with the last that was
    large enough. They add up as before."""
    gathered, waiting, last = [0] * len(sizes), 0, len(sizes) - 1
    for number, size in enumerate(sizes):
        waiting += size
        if waiting >= least:
            gathered[number], waiting, last = waiting, 0, number
    gathered[last] += waiting
    return tuple(gathered)


def lots_of(quantity: float, lot: float) -> int:
    """How many lots a quantity is. Raises ScheduleError where it is no whole number of them."""
    check("X", quantity, above=0.0)
    check("lot", lot, above=0.0)
    lots = round(quantity / lot) if math.isfinite(quantity / lot) else 0
    if not lots or not math.isclose(lots * lot, quantity, rel_tol=1e-9):
        raise ScheduleError(f"X: {quantity:g}: no whole number of lots of {lot:g}: give one, or another lot")
    return lots


def check(
    name: str, value: float, least: float | None = None, above: float | None = None, most: float | None = None
) -> None:
    """ScheduleError where a number is none or out of its bounds."""
    bounds = [f"{least:g} or more"] if least is not None else [f"above {above:g}"] if above is not None else []
    if most is not None or abs(value) > LARGEST:
        bounds.append(f"{LARGEST if most is None else most:g} at most")
    inside = (least is None or value >= least) and (above is None or value > above) and (most is None or value <= most)
    if not (abs(value) <= LARGEST and inside):
        raise ScheduleError(f"{name}: {value:g}: give a number{' ' if bounds else ''}{' and '.join(bounds)}")
