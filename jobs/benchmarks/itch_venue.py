"""A venue that trades at random, for the benchmark of TotalView-ITCH 5.0: it makes drawn messages possible ones."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_S

MIX = (("A", 40.0), ("D", 35.0), ("U", 10.0), ("E", 8.0), ("X", 2.0), ("F", 2.0), ("C", 0.5), ("P", 1.5), ("I", 1.0))
"""Types, and their share of the messages in percent."""

MOST_ALIVE = 256
"""Most orders of an instrument at once; then one is deleted where one would come."""

TICKS = 512
"""Prices of an instrument, a cent each, around its first."""

OPENS_NS = (9 * 3600 + 1800) * NS_PER_S

MESSAGES = np.dtype(
    [(name, "i8") for name in ("kind", "instrument", "reference", "new", "side", "shares", "price", "match", "time_ns")]
)
"""Messages as they are drawn, and then as they can be. `price`: the tick."""

_ORDER = np.dtype([("reference", "i8"), ("shares", "i8"), ("tick", "i4"), ("side", "i4")])

KINDS = tuple(ord(name) for name, _ in MIX)
_A, _D, _U, _E, _X, _F, _C, _P, _I = KINDS


class RandomVenue(NamedTuple):
    """Orders alive by instrument; how many rest at each tick and side; the tick between the sides; what is counted."""

    live: NDArray[np.void]
    alive: NDArray[np.int64]
    resting: NDArray[np.int64]
    middle: NDArray[np.int64]
    counters: NDArray[np.int64]


def opened(instruments: int) -> RandomVenue:
    """A venue before its first order."""
    return RandomVenue(
        np.zeros((instruments, MOST_ALIVE), _ORDER), np.zeros(instruments, np.int64),
        np.zeros((instruments, 2, TICKS), np.int64), np.full(instruments, TICKS // 2), np.array([1000, 1, OPENS_NS]),
    )  # fmt: skip


@compiled
def trade(
    venue: RandomVenue,
    rows: NDArray[np.void],
    chance: NDArray[np.float64],
    pick: NDArray[np.float64],
    away: NDArray[np.int64],
) -> None:
    """Make the messages drawn possible ones: of orders that live, at prices that do not cross."""
    for at in range(len(rows)):
        row = rows[at]
        who = row.instrument
        live, count = venue.live[who], venue.alive[who]
        venue.counters[2] += row.time_ns
        row.time_ns = venue.counters[2]
        middle = venue.middle[who]
        if row.kind == _P or row.kind == _I:
            row.price = middle
            row.side = 0
            venue.counters[1] += 1
            row.match = venue.counters[1]
            continue
        places = row.kind == _A or row.kind == _F
        if places and count == MOST_ALIVE:
            row.kind, places = _D, False
        elif not places and count < 8:
            row.kind, places = _A, True
        if places:
            venue.counters[0] += 1 + np.int64(4 * pick[at])
            side = 1 if chance[at] < 0.5 else 0
            tick = _tick(middle, side, away[at])
            order = live[count]
            order.reference, order.shares, order.tick, order.side = venue.counters[0], row.shares, tick, side
            venue.alive[who] = count + 1
            venue.resting[who, side, tick] += 1
            row.reference, row.side, row.price = order.reference, side, tick
            continue
        # Recent orders go first: of those deleted, half are among the last eighth that came.
        chosen = count - 1 - np.int64(count * pick[at] ** 3.0)
        if row.kind == _E or row.kind == _C:
            chosen = 0
            for other in range(count):
                better = (
                    live[other].tick - live[chosen].tick
                    if live[other].side == 0
                    else live[chosen].tick - live[other].tick
                )
                if live[other].side == live[chosen].side and (
                    better > 0 or (better == 0 and live[other].reference < live[chosen].reference)
                ):
                    chosen = other
        order = live[chosen]
        row.reference, row.side, row.price = order.reference, order.side, order.tick
        gone = order.shares
        if row.kind == _E or row.kind == _C or row.kind == _X:
            gone = min(row.shares, order.shares)
            if row.kind == _X and gone == order.shares:
                row.kind = _D
            row.shares = gone
            venue.counters[1] += 1
            row.match = venue.counters[1]
        side = order.side
        if row.kind == _U:
            venue.counters[0] += 1 + np.int64(4 * chance[at])
            venue.resting[who, side, order.tick] -= 1
            row.new = venue.counters[0]
            order.reference, order.shares = row.new, row.shares
            order.tick = _tick(middle, side, away[at])
            row.price = order.tick
            venue.resting[who, side, order.tick] += 1
        else:
            order.shares -= gone
            if order.shares == 0:
                venue.resting[who, side, order.tick] -= 1
                for other in range(chosen, count - 1):
                    live[other].reference, live[other].shares = live[other + 1].reference, live[other + 1].shares
                    live[other].tick, live[other].side = live[other + 1].tick, live[other + 1].side
                venue.alive[who] = count - 1
        _drift(venue, who, middle, chance[at])


@compiled
def _tick(middle: int, side: int, away: int) -> int:
    return min(middle + away, TICKS - 1) if side else max(middle - away, 0)


@compiled
def _drift(venue: RandomVenue, who: int, middle: int, chance: float) -> None:
    """The market moves by a cent where nothing rests in its way."""
    if chance < 0.05 and venue.resting[who, 1, middle + 1] == 0 and middle < TICKS - 40:
        venue.middle[who] = middle + 1
    elif chance > 0.95 and venue.resting[who, 0, middle - 1] == 0 and middle > 40:
        venue.middle[who] = middle - 1
