"""Books of price levels (L2) of many instruments, in arrays: messages of level changes in, rows of what changed out.

A side of a book is a run of a pool in order of price, the best last. A level that goes leaves its place behind, at size
0, for one that comes near it: prices come and go on the same ticks, so that little is ever moved. A kernel changes a
book by one message, or says that there is no room and leaves it as it was; Python then makes room.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.decoding import DecodedRows
from pipelines.domain.market import Flag, Kind

CHANGE = np.dtype([("price", "f8"), ("size", "f8"), ("price_digits", "i8"), ("size_digits", "i8"), ("side", "i8")])
"""A level as a message gives it: `size` is its new total, 0 where it is gone; `side`: 0 bid, 1 ask. `digits`: of the
texts, without their point, for checksums; kept only by books that are asked to."""

Changes = NDArray[np.void]
"""A structured array of `CHANGE`, shape (n,)."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STARTS, ROOM, COUNT, LIVE = 0, 1, 2, 3

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
