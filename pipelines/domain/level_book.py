"""Books of price levels (L2) of many instruments, in arrays: messages of level changes in, rows of what changed out.

A side of a book is a run of a pool in order of price, the best last. A level that goes leaves its place behind, at size
0, for one that comes near it: prices come and go on the same ticks, so that little is ever moved. A kernel changes a
book by one message, or says that there is no room and leaves it as it was; Python then makes room.
"""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.decoding import DECODED, DecodedRows
from pipelines.domain.market import Flag, Kind

CHANGE = np.dtype([("price", "f8"), ("size", "f8"), ("price_digits", "i8"), ("size_digits", "i8"), ("side", "i8")])
"""A level as a message gives it: `size` is its new total, 0 where it is gone; `side`: 0 bid, 1 ask. `digits`: of the
texts, without their point, for checksums; kept only by books that are asked to."""

Changes = NDArray[np.void]
"""A structured array of `CHANGE`, shape (n,)."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STARTS, ROOM, COUNT, LIVE = 0, 1, 2, 3

FIRST_ROOM = 64
"""Levels of a side before it first grows."""

NO_ROOM = -1

_LEVEL, _QUOTE, _ASK, _SNAPSHOT = int(Kind.LEVEL), int(Kind.QUOTE), int(Flag.ASK), int(Flag.SNAPSHOT)


class Pool(NamedTuple):
    """Where books lie. `sides`, by 2 * book + side: first place, room, places taken (the last by a level), levels.
    `digits`, shape (n, 2), or (0, 2)."""

    sides: NDArray[np.int64]
    prices: Floats
    sizes: Floats
    digits: NDArray[np.int64]


class Stamp(NamedTuple):
    """Whose a message's rows are; as `DECODED` has it."""

    position: int
    instrument: int
    event_ns: int
    sequence: int


@inlined
def sign(rows: DecodedRows, at: int, stamp: Stamp) -> None:
    """Whose row it is."""
    row = rows[at]
    row.position = stamp.position
    row.instrument = stamp.instrument
    row.event_ns = stamp.event_ns
    row.venue_sequence = stamp.sequence


@inlined
def worse(level: float, price: float, ask: int) -> bool:
    return bool(level > price if ask else level < price)


@inlined
def find_level(pool: Pool, place: int, price: float, near: int) -> int:
    """The number of places of a side that are worse than a price: where it is, or would go. `near`: a guess; changes of
    a message mostly come in order of price, so the place of the one before is a good one."""
    start, count = pool.sides[place, STARTS], pool.sides[place, COUNT]
    ask = place & 1
    low, high = 0, count
    step = 1
    near = min(max(near, 0), count)
    if near < count and worse(pool.prices[start + near], price, ask):
        low = near + 1
        while low + step <= count and worse(pool.prices[start + low + step - 1], price, ask):
            low += step
            step *= 2
        high = min(low + step - 1, count)
    else:
        high = near
        while high - step >= 0 and not worse(pool.prices[start + high - step], price, ask):
            high -= step
            step *= 2
        low = max(high - step + 1, 0)
    while low < high:
        middle = (low + high) >> 1
        if worse(pool.prices[start + middle], price, ask):
            low = middle + 1
        else:
            high = middle
    return int(low)


@inlined
def best_of(pool: Pool, place: int) -> tuple[float, float]:
    """Price and size of a side's best level; 0 at 0 where it has none."""
    count = pool.sides[place, COUNT]
    if count == 0:
        return 0.0, 0.0
    last = pool.sides[place, STARTS] + count - 1
    return pool.prices[last], pool.sizes[last]


@inlined
def write_level(rows: DecodedRows, at: int, price: float, size: float, place: int, flags: int, stamp: Stamp) -> None:
    """What a level has become."""
    row = rows[at]
    sign(rows, at, stamp)
    row.kind = _LEVEL
    row.flags = flags | (_ASK if place & 1 else 0)
    row.code = 0
    row.bid = row.ask = price
    row.bid_size = row.ask_size = size


@inlined
def put_level(pool: Pool, at: int, price: float, changes: Changes, i: int) -> None:
    """A level at a place of the pool."""
    pool.prices[at] = price
    pool.sizes[at] = changes[i].size
    if len(pool.digits):
        pool.digits[at, 0] = changes[i].price_digits
        pool.digits[at, 1] = changes[i].size_digits


@inlined
def move_level(pool: Pool, source: int, target: int) -> None:
    pool.prices[target] = pool.prices[source]
    pool.sizes[target] = pool.sizes[source]
    if len(pool.digits):
        pool.digits[target, 0] = pool.digits[source, 0]
        pool.digits[target, 1] = pool.digits[source, 1]


@inlined
def open_place(pool: Pool, place: int, at: int) -> int:
    """Make a free place for a level before the one at `at`, of the nearest that is free; where it is in the pool."""
    start = pool.sides[place, STARTS]
    end = start + pool.sides[place, COUNT]
    here = start + at
    away = 0
    while True:
        right, left = here + away, here - 1 - away
        if right >= end or pool.sizes[right] == 0.0:
            if right >= end:
                right = end
                pool.sides[place, COUNT] += 1
            for j in range(right, here, -1):
                move_level(pool, j - 1, j)
            return int(here)
        if left >= start and pool.sizes[left] == 0.0:
            for j in range(left, here - 1):
                move_level(pool, j + 1, j)
            return int(here - 1)
        away += 1


@inlined
def set_level(pool: Pool, place: int, changes: Changes, i: int, near: int) -> tuple[int, bool]:
    """Change one level of a side, where there is room for it: its place, and whether that changed anything."""
    price, size = changes[i].price, changes[i].size
    start, count = pool.sides[place, STARTS], pool.sides[place, COUNT]
    at = find_level(pool, place, price, near)
    here = start + at
    known = at < count and pool.prices[here] == price
    before = pool.sizes[here] if known else 0.0
    if size > 0.0:
        if not known:
            here = open_place(pool, place, at)
        put_level(pool, here, price, changes, i)
        pool.sides[place, LIVE] += 1 if before == 0.0 else 0
    elif before > 0.0:
        pool.sizes[here] = 0.0
        pool.sides[place, LIVE] -= 1
        while pool.sides[place, COUNT] > 0 and pool.sizes[start + pool.sides[place, COUNT] - 1] == 0.0:
            pool.sides[place, COUNT] -= 1
    return at, before != size


@inlined
def cut_side(pool: Pool, place: int, depth: int, rows: DecodedRows, at: int, stamp: Stamp) -> int:
    """Drop the levels of a side beyond its best `depth`, a row each. The number of rows after it."""
    while pool.sides[place, LIVE] > depth:
        start = pool.sides[place, STARTS]
        if pool.sizes[start] > 0.0:
            write_level(rows, at, pool.prices[start], 0.0, place, 0, stamp)
            at += 1
            pool.sides[place, LIVE] -= 1
        pool.sides[place, STARTS] += 1
        pool.sides[place, ROOM] -= 1
        pool.sides[place, COUNT] -= 1
    return at


@inlined
def write_best(pool: Pool, book: int, rows: DecodedRows, at: int, stamp: Stamp) -> None:
    """The best prices of a book as a quote; a side without levels is 0 at 0."""
    row = rows[at]
    sign(rows, at, stamp)
    row.kind = _QUOTE
    row.flags = 0
    row.code = 0
    row.bid, row.bid_size = best_of(pool, 2 * book)
    row.ask, row.ask_size = best_of(pool, 2 * book + 1)


@compiled
def change_book(
    pool: Pool,
    book: int,
    changes: Changes,
    first: int,
    last: int,
    snapshot: bool,
    depth: int,
    quotes: bool,
    stamp: Stamp,
    rows: DecodedRows,
    at: int,
) -> int:
    """Change a book by one message: a row for each level that changed, and with `quotes` one for the best prices where
    these or their sizes did. `snapshot`: the message is the whole book, and levels that it does not have go; `depth`:
    the levels a side that are kept, 0 for all. The number of rows after it, or `NO_ROOM` with nothing changed."""
    bids, asks = 2 * book, 2 * book + 1
    new_bids = 0
    for i in range(first, last):
        new_bids += 1 - changes[i].side
    new_asks = last - first - new_bids
    held = pool.sides[bids, LIVE] + pool.sides[asks, LIVE]
    if len(rows) - at < 2 * (last - first) + held * (snapshot or depth > 0) + 1:
        return NO_ROOM
    if pool.sides[bids, ROOM] < pool.sides[bids, COUNT] + new_bids:
        return NO_ROOM
    if pool.sides[asks, ROOM] < pool.sides[asks, COUNT] + new_asks:
        return NO_ROOM
    bid, bid_size = best_of(pool, bids)
    ask, ask_size = best_of(pool, asks)
    flags = _SNAPSHOT if snapshot else 0
    if snapshot:
        for place in (bids, asks):
            start = pool.sides[place, STARTS]
            for j in range(pool.sides[place, COUNT]):
                if pool.sizes[start + j] > 0.0:
                    write_level(rows, at, pool.prices[start + j], 0.0, place, _SNAPSHOT, stamp)
                    at += 1
            pool.sides[place, COUNT] = pool.sides[place, LIVE] = 0
    near_bid, near_ask = pool.sides[bids, COUNT], pool.sides[asks, COUNT]
    for i in range(first, last):
        if changes[i].side:
            place = asks
            near_ask, changed = set_level(pool, place, changes, i, near_ask)
        else:
            place = bids
            near_bid, changed = set_level(pool, place, changes, i, near_bid)
        if changed:
            write_level(rows, at, changes[i].price, changes[i].size, place, flags, stamp)
            at += 1
    if depth > 0:
        at = cut_side(pool, bids, depth, rows, at, stamp)
        at = cut_side(pool, asks, depth, rows, at, stamp)
    if quotes:
        new_bid, new_bid_size = best_of(pool, bids)
        new_ask, new_ask_size = best_of(pool, asks)
        if new_bid != bid or new_bid_size != bid_size or new_ask != ask or new_ask_size != ask_size:
            write_best(pool, book, rows, at, stamp)
            at += 1
    return at


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
