"""The storage of books of price levels: room for them as they grow, and their bytes."""

import struct

import numpy as np

from pipelines.domain.decoding import DECODED, DecodedRows
from pipelines.domain.level_book import COUNT, LIVE, ROOM, STARTS, Changes, Floats, Ints, Pool, Stamp, change_book

FIRST_ROOM = 64
"""Levels of a side before it first grows."""


class LevelBooks:
    """The storage of the books of a session, numbered from 0. `digits`: keep those of prices and sizes."""

    def __init__(self, digits: bool = False) -> None:
        self.digits = digits
        self.pool = Pool(np.zeros((0, 4), np.int64), np.zeros(0), np.zeros(0), np.zeros((0, 2), np.int64))
        self._used = 0

    def __len__(self) -> int:
        return len(self.pool.sides) // 2

    def add(self, count: int = 1) -> None:
        """Make room for further books, empty at first."""
        sides = np.concatenate((self.pool.sides, np.zeros((2 * count, 4), np.int64)))
        self.pool = self.pool._replace(sides=sides)

    def count(self, book: int) -> int:
        """Levels of both sides of a book."""
        return int(self.pool.sides[2 * book : 2 * book + 2, LIVE].sum())

    def clear(self, book: int) -> None:
        """Forget a book's levels, without a row."""
        self.pool.sides[2 * book : 2 * book + 2, COUNT:] = 0

    def make_room(self, book: int, bids: int, asks: int) -> None:
        """Room for so many further levels on the sides of a book."""
        for place, more in ((2 * book, bids), (2 * book + 1, asks)):
            _, room, count, live = self.pool.sides[place].tolist()
            if room >= count + more:
                continue
            new = max(FIRST_ROOM, 2 * live, live + more + more // 4)
            self._reserve(new)
            self._move(place, self.pool, self.pool, self._used)
            self.pool.sides[place, ROOM] = new
            self._used += new

    def change(
        self,
        book: int,
        changes: Changes,
        stamp: Stamp,
        snapshot: bool = False,
        depth: int = 0,
        quotes: bool = True,
    ) -> DecodedRows:
        """`change_book` with room made for it: its rows."""
        asks = int(changes["side"].sum())
        self.make_room(book, len(changes) - asks, asks)
        rows = np.zeros(2 * len(changes) + self.count(book) + 1, DECODED)
        count = change_book(self.pool, book, changes, 0, len(changes), snapshot, depth, quotes, stamp, rows, 0)
        return rows[:count]

    def side(self, book: int, side: int) -> list[tuple[float, float]]:
        """Price and size of the levels of a side (0 bid, 1 ask), best first."""
        prices, sizes, _ = self._levels(2 * book + side, self.pool)
        return list(zip(prices[::-1].tolist(), sizes[::-1].tolist(), strict=True))

    def dump(self, book: int) -> bytes:
        """A book's levels as bytes, both sides."""
        parts = []
        for place in (2 * book, 2 * book + 1):
            levels = self._levels(place, self.pool)
            parts.append(struct.pack("<I", len(levels[0])))
            parts.extend(array.tobytes() for array in levels)
        return b"".join(parts)

    def load(self, book: int, data: memoryview) -> memoryview:
        """Take up a book's levels from the start of `data`; what comes after them. ValueError where it is cut short."""
        for side in (0, 1):
            count, size = _side_of(data, self.digits)
            self.make_room(book, 0 if side else count, count if side else 0)
            start = int(self.pool.sides[2 * book + side, STARTS])
            levels = slice(start, start + count)
            self.pool.prices[levels] = np.frombuffer(data, np.float64, count, 4)
            self.pool.sizes[levels] = np.frombuffer(data, np.float64, count, 4 + 8 * count)
            if self.digits:
                self.pool.digits[levels] = np.frombuffer(data, np.int64, 2 * count, 4 + 16 * count).reshape(-1, 2)
            self.pool.sides[2 * book + side, COUNT:] = count
            data = data[size:]
        return data

    @staticmethod
    def skip(data: memoryview, digits: bool) -> memoryview:
        """What comes after a book's levels. ValueError where they are cut short."""
        for _ in (0, 1):
            data = data[_side_of(data, digits)[1] :]
        return data

    def _reserve(self, more: int) -> None:
        """Room at the end of the pool; what sides that have moved left behind is closed up first."""
        size = len(self.pool.prices)
        if self._used + more <= size:
            return
        room = int(self.pool.sides[:, ROOM].sum())
        grown = max(1024, 2 * (room + more))
        digits = np.zeros((grown if self.digits else 0, 2), np.int64)
        old, new = self.pool, Pool(self.pool.sides, np.zeros(grown), np.zeros(grown), digits)
        self._used = 0
        for place in range(len(old.sides)):
            self._move(place, old, new, self._used)
            self._used += int(old.sides[place, ROOM])
        self.pool = new

    def _move(self, place: int, old: Pool, new: Pool, to: int) -> None:
        """The levels of a side to another place, without those that are gone."""
        levels = self._levels(place, old)
        count = len(levels[0])
        for array, kept in zip(new[1:], levels, strict=True):
            array[to : to + len(kept)] = kept
        new.sides[place, STARTS], new.sides[place, COUNT] = to, count

    def _levels(self, place: int, pool: Pool) -> tuple[Floats, Floats, Ints]:
        """Prices, sizes and digits of a side's levels, worst first."""
        start, _, count, _ = pool.sides[place].tolist()
        taken = slice(start, start + count)
        live = pool.sizes[taken] > 0.0
        digits = pool.digits[taken][live] if self.digits else pool.digits
        return pool.prices[taken][live], pool.sizes[taken][live], digits


def _side_of(data: memoryview, digits: bool) -> tuple[int, int]:
    """The levels of a side that `data` begins with, and their bytes."""
    if len(data) < 4:
        raise ValueError("levels of a book: cut short")
    (count,) = struct.unpack_from("<I", data)
    size = 4 + count * (32 if digits else 16)
    if len(data) < size:
        raise ValueError(f"levels of a book: {size} bytes expected, {len(data)} found")
    return count, size
