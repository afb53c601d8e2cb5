"""A tape of the best quote of all exchanges, and what it tells of each of them.

A consolidated tape names, at each change, the exchange whose quote is best; what another shows meanwhile is not said.
But of each side something is known. An exchange that showed a price is there no longer once the best is worse than it.
Until then it may be: it is *believed* to stand as last told, with no more than the best one shows where the prices are
the same (of equal prices the larger size is named). It is *proven* to have stood where it is named again at that price,
while the best was never worse; proof looks ahead, and is for judging what was done, never for deciding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.venue_books import Level

Ints = NDArray[np.int64]
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class SideTape:
    """The changes of one side's best quote, each shape (n,). `better`: 1 for bids, -1 for asks. `gone`: the first row
    later whose price is worse; `named`: the rows of each exchange, in order. A price of 0: nobody quotes."""

    better: int
    time_ns: Ints
    price_ticks: Ints
    lots: Ints
    exchange: Ints
    gone: Ints
    named: dict[int, Ints]

    def row(self, at_ns: int) -> int:
        """The row that holds at a time; -1 before the first."""
        return int(np.searchsorted(self.time_ns, at_ns, "right")) - 1

    def believed(self, at_ns: int) -> Iterator[tuple[int, Level]]:
        """What each exchange is believed to show, by what was told until then; age 0: the one that is named."""
        now = self.row(at_ns)
        for exchange, row in self._last(now):
            age_ns = 0 if row == now else max(1, at_ns - int(self.time_ns[row + 1]))
            yield exchange, Level(int(self.price_ticks[row]), self._at_most(row, now), age_ns)

    def proven(self, at_ns: int, within_ns: int) -> Iterator[tuple[int, Level]]:
        """What exchanges showed: the one that is named, and those named again within a time at the same price."""
        now = self.row(at_ns)
        for exchange, row in self._last(now):
            lots = self._at_most(row, now)
            if row != now:
                rows = self.named[exchange]
                place = int(np.searchsorted(rows, now, "right"))
                again = int(rows[place]) if place < len(rows) else -1
                if (
                    again < 0
                    or again >= self.gone[row]
                    or self.price_ticks[again] != self.price_ticks[row]
                    or self.time_ns[again] > at_ns + within_ns
                ):
                    continue
                lots = min(lots, int(self.lots[again]))
            yield exchange, Level(int(self.price_ticks[row]), lots)

    def _last(self, now: int) -> Iterator[tuple[int, int]]:
        """Each exchange that may stand, and the row that told of it last."""
        if now < 0 or self.price_ticks[now] <= 0:
            return
        for exchange, rows in self.named.items():
            place = int(np.searchsorted(rows, now, "right")) - 1
            if place >= 0 and self.gone[rows[place]] > now:
                yield exchange, int(rows[place])

    def _at_most(self, row: int, now: int) -> int:
        told = int(self.lots[row])
        return min(told, int(self.lots[now])) if self.price_ticks[row] == self.price_ticks[now] else told


def side_tape(better: int, time_ns: Ints, price_ticks: Ints, lots: Ints, exchange: Ints) -> SideTape:
    """A side's tape of its quotes in their order; those that repeat what holds are left out. Times that fall count as
    the time before them."""
    told = np.stack([price_ticks, lots, exchange])
    new = np.ones(len(time_ns), bool)
    new[1:] = (told[:, 1:] != told[:, :-1]).any(axis=0)
    time_ns, price_ticks = np.maximum.accumulate(time_ns)[new], price_ticks[new]
    named = {int(each): np.flatnonzero(exchange[new] == each) for each in np.unique(exchange[new][price_ticks > 0])}
    return SideTape(better, time_ns, price_ticks, lots[new], exchange[new], _gone(price_ticks, better), named)


def _gone(price_ticks: Ints, better: int) -> Ints:
    gone = np.full(len(price_ticks), NEVER)
    waiting: list[tuple[int, int]] = []  # of rows whose price is not yet left, the best at the end
    for row, price in enumerate(price_ticks.tolist()):
        worth = better * price if price > 0 else -NEVER
        while waiting and waiting[-1][0] > worth:
            gone[waiting.pop()[1]] = row
        waiting.append((worth, row))
    return gone
