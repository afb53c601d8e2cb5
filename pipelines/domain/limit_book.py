"""A book of single orders (level 3): price-time priority, prices in whole ticks, sizes in whole lots.

An entry without an owner stands for orders of the recorded market, of which only the sum at a price is known: their
growth joins the queue at its end, and what goes of them without a trade goes from each in proportion to its size, in
whole lots, the rest of that from the end of the queue on.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.domain.trading import Side

Owner = tuple[str, str]
"""Participant and client order id that an order came with."""

OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}


@dataclass(slots=True)
class Entry:
    """Lots at a place of a queue; `owner` None: the recorded market's."""

    lots: int
    owner: Owner | None = None


@dataclass(slots=True)
class Level:
    """The queue at one price, its front first."""

    queue: list[Entry] = field(default_factory=list)

    @property
    def anonymous(self) -> int:
        return sum(entry.lots for entry in self.queue if entry.owner is None)

    def find(self, owner: Owner) -> Entry:
        """The entry of an owner. Raises KeyError."""
        for entry in self.queue:
            if entry.owner == owner:
                return entry
        raise KeyError(f"no order {owner} at this price")

    def ahead(self, owner: Owner) -> int:
        """Lots before the owner's. Raises KeyError."""
        lots = 0
        for entry in self.queue:
            if entry.owner == owner:
                return lots
            lots += entry.lots
        raise KeyError(f"no order {owner} at this price")

    def join(self, lots: int, owner: Owner | None = None) -> None:
        """At the end of the queue; anonymous lots that meet there are one entry."""
        if owner is None and self.queue and self.queue[-1].owner is None:
            self.queue[-1].lots += lots
        elif lots > 0:
            self.queue.append(Entry(lots, owner))

    def show(self, lots: int) -> None:
        """Make the anonymous lots so many."""
        gone = self.anonymous - lots
        if gone <= 0:
            self.join(-gone)
            return
        total, left = gone + lots, gone
        for entry in self.queue:
            if entry.owner is None:
                part = gone * entry.lots // total
                entry.lots -= part
                left -= part
        for entry in reversed(self.queue):
            if entry.owner is None:
                part = min(left, entry.lots)
                entry.lots -= part
                left -= part
        self.tidy()

    def tidy(self) -> None:
        """Forget entries of which nothing is left."""
        self.queue = [entry for entry in self.queue if entry.lots > 0]


class LimitBook:
    """Levels by side and price. Only what somebody has put there: a level goes with its last owned order."""

    def __init__(self) -> None:
        self._levels: dict[Side, dict[int, Level]] = {Side.BUY: {}, Side.SELL: {}}
        self._keys: dict[Side, list[int]] = {Side.BUY: [], Side.SELL: []}

    def copy(self) -> "LimitBook":
        made = LimitBook()
        for side, levels in self._levels.items():
            made._keys[side] = list(self._keys[side])
            made._levels[side] = {
                price: Level([Entry(entry.lots, entry.owner) for entry in level.queue])
                for price, level in levels.items()
            }
        return made

    def level(self, side: Side, price: int) -> Level | None:
        return self._levels[side].get(price)

    def best(self, side: Side) -> int | None:
        """The price in front; None where the side is empty."""
        keys = self._keys[side]
        return None if not keys else keyed(side, keys[0])

    def prices(self, side: Side) -> Iterator[int]:
        """The best first."""
        for key in self._keys[side]:
            yield keyed(side, key)

    def add(self, side: Side, price: int, owner: Owner, lots: int, ahead: int = 0) -> None:
        """Put an order at the end of the queue at its price. `ahead`: anonymous lots there, where the level is new."""
        level = self._levels[side].get(price)
        if level is None:
            level = self._levels[side][price] = Level()
            level.join(ahead)
            insort(self._keys[side], keyed(side, price))
        level.join(lots, owner)

    def reduce(self, side: Side, price: int, owner: Owner, lots: int) -> None:
        """Take lots off an order; one of which nothing is left goes. Raises KeyError."""
        level = self._levels[side][price]
        entry = level.find(owner)
        entry.lots -= lots
        if entry.lots <= 0:
            self.remove(side, price, owner)

    def remove(self, side: Side, price: int, owner: Owner) -> None:
        """Raises KeyError."""
        level = self._levels[side][price]
        level.queue.remove(level.find(owner))
        if all(entry.owner is None for entry in level.queue):
            del self._levels[side][price]
            del self._keys[side][bisect_left(self._keys[side], keyed(side, price))]


def keyed(side: Side, price: int) -> int:
    """Between a price and its key, which is the lower the better: a bid's is minus its price."""
    return -price if side is Side.BUY else price


def reaches(side: Side, limit: float | None, price: float) -> bool:
    """Whether an order of this side and limit (None: any price) trades at a price."""
    return limit is None or (price <= limit if side is Side.BUY else price >= limit)
