"""The returns that an account's risk is told by: a rolling window of rows, each of all instruments over one time.

A row is of a closed minute, or of a row of a file of closing prices, each scaled to a day. Where everything rested (no
bar of any instrument, as over a night) there is no row, and the next one is of the whole pause: it is scaled by the
minutes that it took, and from a day on not at all.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.bars import INTERVAL_NS
from pipelines.domain.universe import CorporateAction

Floats = NDArray[np.float64]

VOLUME_ROWS = 60
"""Minutes by which the volume of a day is told."""

NEVER_NS = -(1 << 62)
"""Before all times."""

MOST_MINUTES = 2_000
"""A shard that has fallen silent holds minutes up, but not for ever: of more than so many the first is closed."""


@dataclass(slots=True)
class Window:
    """`prices` and `row_ns`: the last of each instrument, and the end of the last row; NaN and NEVER before the first.
    `rows`: shape (instruments, rows), oldest first, daily returns; `volumes` (units) of the last minutes, likewise."""

    prices: Floats
    row_ns: int = NEVER_NS
    rows: Floats = field(default_factory=lambda: np.empty((0, 0)))
    volumes: Floats = field(default_factory=lambda: np.empty((0, 0)))

    @classmethod
    def empty(cls, instruments: int) -> "Window":
        return cls(np.full(instruments, np.nan), NEVER_NS, np.empty((instruments, 0)), np.empty((instruments, 0)))

    def take(self, end_ns: int, prices: Floats, most: int, day_minutes: int) -> bool:
        """Take the prices at the end of a row, NaN where an instrument was silent, and keep `most` rows; whether that
        made a row: the first prices of all make none."""
        known = ~np.isnan(prices)
        both = known & ~np.isnan(self.prices)
        first = self.row_ns == NEVER_NS
        if not first:
            moves = np.zeros(len(prices))
            moves[both] = prices[both] / self.prices[both] - 1.0
            self.rows = _pushed(self.rows, moves * day_scale(end_ns - self.row_ns, day_minutes), most)
        self.prices = np.where(known, prices, self.prices)
        self.row_ns = max(self.row_ns, end_ns)
        return not first

    def take_volumes(self, volumes: Floats) -> None:
        """Units that traded in the minute of the last row."""
        self.volumes = _pushed(self.volumes, volumes, VOLUME_ROWS)

    def volume_per_day(self, day_minutes: int) -> Floats:
        """Units of each instrument; 0 where none is known."""
        if not self.volumes.shape[1]:
            return np.zeros(len(self.prices))
        found: Floats = self.volumes.mean(axis=1) * day_minutes
        return found

    def act(self, action: CorporateAction, place: int) -> None:
        """Have a split or dividend of the instrument at `place` change its last price: it is no return."""
        changed = self.prices[place] * action.factor - action.amount
        self.prices[place] = changed if changed > 0 else np.nan


def day_scale(elapsed_ns: int, day_minutes: int) -> float:
    """What a return over some time is multiplied by to be a day's: the root of how often it goes into one. Where a file
    of prices ends after the first minutes, no time has passed between them: that is taken for a minute."""
    minutes = (elapsed_ns if elapsed_ns > 0 else INTERVAL_NS) / INTERVAL_NS
    return math.sqrt(max(1.0, day_minutes / minutes))


def fill(window: Window, times_ns: NDArray[np.int64], prices: Floats, most: int, day_minutes: int) -> None:
    """Take rows of closing prices from before the first minute. `prices`: shape (instruments, times), NaN for none."""
    for number, time_ns in enumerate(times_ns.tolist()):
        window.take(time_ns, prices[:, number], most, day_minutes)


def _pushed(rows: Floats, row: Floats, most: int) -> Floats:
    """With a row after the others, and without those before the last `most`."""
    return np.column_stack((rows[:, max(0, rows.shape[1] + 1 - most) :], row))


@dataclass(slots=True)
class Minutes:
    """Minutes that are not closed yet. `shard_ns`: up to which time all bars of each shard are here."""

    instruments: int
    shard_ns: NDArray[np.int64]
    closed_ns: int = 0
    """End of the last minute that was closed."""
    pending: dict[int, tuple[Floats, Floats]] = field(default_factory=dict)
    """End of a minute, ns -> prices (NaN for none) and volumes, shape (instruments,)."""

    @classmethod
    def empty(cls, instruments: int, shards: int) -> "Minutes":
        return cls(instruments, np.zeros(shards, np.int64))

    def beat(self, shard: int, time_ns: int) -> None:
        """No more bars of a shard end at this time or before."""
        self.shard_ns[shard] = max(int(self.shard_ns[shard]), time_ns)

    def add(self, shard: int, start_ns: int, place: int, price: float, volume: float) -> None:
        """The bar of the instrument at `place`. One of a minute that is closed was taken before: it changes nothing."""
        end_ns = start_ns + INTERVAL_NS
        if end_ns > max(self.closed_ns, int(self.shard_ns.min())):
            if end_ns not in self.pending:
                self.pending[end_ns] = np.full(self.instruments, np.nan), np.zeros(self.instruments)
            prices, volumes = self.pending[end_ns]
            prices[place], volumes[place] = price, volume
        self.beat(shard, start_ns)

    def close(self) -> list[tuple[int, Floats, Floats]]:
        """Take out the minutes that all shards have passed: end (ns), prices, volumes; in order."""
        passed_ns = int(self.shard_ns.min())
        due = sorted(end_ns for end_ns in self.pending if end_ns <= passed_ns)
        due = due or sorted(self.pending)[: max(0, len(self.pending) - MOST_MINUTES)]
        self.closed_ns = max([self.closed_ns, *due])
        return [(end_ns, *self.pending.pop(end_ns)) for end_ns in due]
