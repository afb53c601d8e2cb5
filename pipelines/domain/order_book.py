"""Full order books (level 3): every order by its reference, queued by arrival at its price, prices in order a side.

Kernels over arrays; `order_books.OrderBooks` gives them room. A side of a book is a ladder: rungs sorted by key, the
best last. A key is the price of a bid and minus the price of an ask, so that higher is better on both sides. Books
change at their best prices nearly always, so a rung is looked for from the best down.

A book that is not read from its venue's first order on is known in part. Orders from before can rest only at keys below
its ladder's `bound`; what is at or above it is known for certain. Two things bring the bound down: an order placed on
the other side (a book is never locked or crossed while trading goes on), and an execution (nothing better rests).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.order_references import Slots, drop, find_slot, put

ORDER = np.dtype(
    [("reference", "i8"), ("size", "i8"), ("level", "i4"), ("before", "i4"), ("after", "i4"), ("spare", "i4")]
)
"""`before`, `after`: its neighbours in the queue at its price, -1 at the ends; `after` links what is free."""

LEVEL = np.dtype(
    [("total", "i8"), ("price", "i4"), ("ladder", "i4"), ("first", "i4"), ("last", "i4"), ("orders", "i4"),
     ("spare", "i4")]
)  # fmt: skip
"""A price with orders: their total size, the ends of their queue. `first` links what is free."""

LADDER = np.dtype([("start", "i4"), ("room", "i4"), ("count", "i4"), ("bound", "i4")])
"""A side: its rungs' place. Ladder 2 b is the bids of book b, 2 b + 1 the asks."""

RUNG = np.dtype([("key", "i4"), ("level", "i4")])

ALL_KNOWN = -(1 << 31)
"""Bound of a ladder of which every order was read."""

NOTHING_KNOWN = (1 << 31) - 1

ORDERS_FREE, ORDERS_USED, LEVELS_FREE, LEVELS_USED, RUNGS_USED, WIDEST, LIVE = range(7)
"""Places in `Books.pool`: first free order and how many were ever used, the same of levels, rungs handed out, the
widest ladder's room, orders alive."""

FIRST_ROOM = 16
"""Rungs that a ladder gets at its first order; doubled when they are taken."""


class Books(NamedTuple):
    """The memory of a venue's books."""

    slots: Slots
    orders: NDArray[np.void]
    levels: NDArray[np.void]
    ladders: NDArray[np.void]
    rungs: NDArray[np.void]
    pool: NDArray[np.int64]


@inlined
def has_room(books: Books) -> bool:
    """Whether one more order, level and widening of a ladder have room."""
    pool = books.pool
    return bool(
        (pool[ORDERS_FREE] >= 0 or pool[ORDERS_USED] < len(books.orders))
        and (pool[LEVELS_FREE] >= 0 or pool[LEVELS_USED] < len(books.levels))
        and 2 * pool[LIVE] < len(books.slots) - 2
        and pool[RUNGS_USED] + 2 * pool[WIDEST] <= len(books.rungs)
    )


@inlined
def find(books: Books, reference: int) -> int:
    """The order of a reference; -1 where none is known."""
    at = find_slot(books.slots, reference)
    return int(books.slots[at].order) if at >= 0 else -1


@inlined
def _rung(books: Books, ladder: int, key: int) -> int:
    """Place, from the ladder's start, of the last rung whose key is not above `key`; -1 where there is none."""
    start, at = books.ladders[ladder].start, books.ladders[ladder].count - 1
    least = max(at - 16, -1)
    while at > least and books.rungs[start + at].key > key:
        at -= 1
    if at < 0 or books.rungs[start + at].key <= key:
        return int(at)
    low, high = -1, at
    while high - low > 1:
        middle = (low + high) >> 1
        if books.rungs[start + middle].key <= key:
            low = middle
        else:
            high = middle
    return low


@compiled
def _widen(books: Books, ladder: int) -> None:
    """Move a ladder to twice the room: what it leaves is not used again, in all never more than what is in use."""
    side, pool = books.ladders[ladder], books.pool
    room = max(2 * side.room, FIRST_ROOM)
    start = pool[RUNGS_USED]
    for at in range(side.count):
        books.rungs[start + at].key = books.rungs[side.start + at].key
        books.rungs[start + at].level = books.rungs[side.start + at].level
    side.start, side.room = start, room
    pool[RUNGS_USED] = start + room
    pool[WIDEST] = max(pool[WIDEST], room)


@inlined
def _level(books: Books, ladder: int, key: int) -> int:
    """The level of a key, made where there is none."""
    side = books.ladders[ladder]
    at = _rung(books, ladder, key)
    if at >= 0 and books.rungs[side.start + at].key == key:
        return int(books.rungs[side.start + at].level)
    if side.count == side.room:
        _widen(books, ladder)
    pool = books.pool
    level = pool[LEVELS_FREE]
    if level >= 0:
        pool[LEVELS_FREE] = books.levels[level].first
    else:
        level = pool[LEVELS_USED]
        pool[LEVELS_USED] = level + 1
    for move in range(side.start + side.count, side.start + at + 1, -1):
        books.rungs[move].key = books.rungs[move - 1].key
        books.rungs[move].level = books.rungs[move - 1].level
    books.rungs[side.start + at + 1].key = key
    books.rungs[side.start + at + 1].level = level
    side.count += 1
    made = books.levels[level]
    made.total, made.price, made.ladder = 0, abs(key), ladder
    made.first, made.last, made.orders = -1, -1, 0
    return int(level)


@inlined
def add(books: Books, ladder: int, price: int, reference: int, size: int) -> int:
    """Put an order at the end of the queue at its price; the reference is a new one, and `has_room` was asked. Its
    level."""
    level = _level(books, ladder, -price if ladder & 1 else price)
    pool = books.pool
    order = pool[ORDERS_FREE]
    if order >= 0:
        pool[ORDERS_FREE] = books.orders[order].after
    else:
        order = pool[ORDERS_USED]
        pool[ORDERS_USED] = order + 1
    queue, made = books.levels[level], books.orders[order]
    made.reference, made.size, made.level = reference, size, level
    made.before, made.after = queue.last, -1
    if queue.last >= 0:
        books.orders[queue.last].after = order
    else:
        queue.first = order
    queue.last = order
    queue.total += size
    queue.orders += 1
    put(books.slots, reference, order)
    pool[LIVE] += 1
    return level


@inlined
def reduce(books: Books, order: int, size: int) -> int:
    """Take size off an order; one of which nothing is left goes. What is left at its level, which goes at 0."""
    books.levels[books.orders[order].level].total -= size
    books.orders[order].size -= size
    left = int(books.levels[books.orders[order].level].total)
    if books.orders[order].size == 0:
        remove(books, order)
    return left


@inlined
def remove(books: Books, order: int) -> None:
    """Take an order out of its queue, and an empty level off its ladder."""
    gone = books.orders[order]
    level, pool = gone.level, books.pool
    queue = books.levels[level]
    queue.total -= gone.size
    queue.orders -= 1
    if gone.before >= 0:
        books.orders[gone.before].after = gone.after
    else:
        queue.first = gone.after
    if gone.after >= 0:
        books.orders[gone.after].before = gone.before
    else:
        queue.last = gone.before
    drop(books.slots, find_slot(books.slots, gone.reference))
    gone.after = pool[ORDERS_FREE]
    pool[ORDERS_FREE] = order
    pool[LIVE] -= 1
    if queue.orders == 0:
        side = books.ladders[queue.ladder]
        at = _rung(books, int(queue.ladder), int(-queue.price if queue.ladder & 1 else queue.price))
        for move in range(side.start + at, side.start + side.count - 1):
            books.rungs[move].key = books.rungs[move + 1].key
            books.rungs[move].level = books.rungs[move + 1].level
        side.count -= 1
        queue.first = pool[LEVELS_FREE]
        pool[LEVELS_FREE] = level


@inlined
def best(books: Books, ladder: int) -> int:
    """The best level of a side; -1 where it is empty."""
    side = books.ladders[ladder]
    return int(books.rungs[side.start + side.count - 1].level) if side.count > 0 else -1


@inlined
def certain(books: Books, ladder: int) -> bool:
    """Whether the best price of a side, or that there is none, is beyond doubt."""
    side = books.ladders[ladder]
    if side.bound == ALL_KNOWN:
        return True
    return bool(side.count > 0 and books.rungs[side.start + side.count - 1].key >= side.bound)


@compiled
def clear(books: Books, book: int, bound: int) -> None:
    """Take all orders out of a book. `bound`: of both its sides from then on."""
    for ladder in range(2 * book, 2 * book + 2):
        while books.ladders[ladder].count > 0:
            remove(books, books.levels[best(books, ladder)].last)
        books.ladders[ladder].bound = bound
