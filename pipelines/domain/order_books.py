"""The order books of a venue: their memory, which grows, their bytes, and what a person asks of them."""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.order_book import (
    ALL_KNOWN,
    FIRST_ROOM,
    LADDER,
    LEVEL,
    LEVELS_FREE,
    LEVELS_USED,
    LIVE,
    NOTHING_KNOWN,
    ORDER,
    ORDERS_FREE,
    ORDERS_USED,
    RUNG,
    RUNGS_USED,
    WIDEST,
    Books,
    add,
    clear,
    has_room,
)
from pipelines.domain.order_references import free_slots, move

PRICED = np.dtype([("ladder", "i4"), ("price", "i4"), ("reference", "i8"), ("size", "i8")])
"""An order as it is kept: ladders one after the other, each from its worst price on, each price in order of arrival."""

_HEADER = struct.Struct("<BIQ")
_VERSION = 1


class OrderBooks:
    """Books numbered from 0. Sizes are whole numbers, prices whole numbers above 0 and below 2^31."""

    def __init__(self, books: int = 0, orders: int = 1 << 12) -> None:
        pool = np.zeros(7, np.int64)
        pool[[ORDERS_FREE, LEVELS_FREE]] = -1
        pool[WIDEST] = FIRST_ROOM
        self.memory = Books(
            free_slots(4 * orders),
            np.zeros(orders, ORDER),
            np.zeros(orders, LEVEL),
            np.zeros(0, LADDER),
            np.zeros(orders + 4 * FIRST_ROOM, RUNG),
            pool,
        )
        self.count = 0
        for _ in range(books):
            self.open()

    def open(self, whole: bool = True) -> int:
        """A new book, empty; its number. `whole`: all that it will hold is read from its first order on."""
        if 2 * self.count == len(self.memory.ladders):
            more = np.zeros(max(64, 2 * self.count), LADDER)
            self.memory = self.memory._replace(ladders=np.concatenate((self.memory.ladders, more)))
        self.count += 1
        self.memory.ladders["bound"][2 * self.count - 2 : 2 * self.count] = ALL_KNOWN if whole else NOTHING_KNOWN
        return self.count - 1

    def grow(self) -> None:
        """More of what `has_room` misses: twice as much."""
        memory = self.memory
        pool = memory.pool
        if pool[ORDERS_FREE] < 0 and pool[ORDERS_USED] == len(memory.orders):
            memory = memory._replace(orders=_twice(memory.orders))
        if pool[LEVELS_FREE] < 0 and pool[LEVELS_USED] == len(memory.levels):
            memory = memory._replace(levels=_twice(memory.levels))
        if pool[RUNGS_USED] + 2 * pool[WIDEST] > len(memory.rungs):
            memory = memory._replace(rungs=_twice(memory.rungs))
        if 2 * pool[LIVE] >= len(memory.slots) - 2:
            slots = free_slots(2 * len(memory.slots))
            move(memory.slots, slots)
            memory = memory._replace(slots=slots)
        self.memory = memory

    def add(self, book: int, ask: bool, price: int, reference: int, size: int) -> None:
        """Put an order into a book, at the end of the queue at its price."""
        while not _has_room(self.memory):
            self.grow()
        _add(self.memory, 2 * book + ask, price, reference, size)

    def lose(self, book: int) -> None:
        """Nothing is known of a book any more: its orders go, and what rests at the venue may be anything."""
        clear(self.memory, book, NOTHING_KNOWN)

    @property
    def orders(self) -> int:
        """How many rest on all books."""
        return int(self.memory.pool[LIVE])

    def filled(self) -> list[int]:
        """The books that have orders."""
        counts = self.memory.ladders["count"][: 2 * self.count].reshape(self.count, 2)
        return [int(book) for book in np.flatnonzero(counts.any(axis=1))]

    def depth(self, book: int, ask: bool) -> list[tuple[int, int, int]]:
        """A side from the best on: price, total size, number of orders."""
        found = self.memory.levels[self._levels(2 * book + ask)]
        return [(int(level["price"]), int(level["total"]), int(level["orders"])) for level in found]

    def queue(self, book: int, ask: bool, price: int) -> list[tuple[int, int]]:
        """The orders at a price in order of arrival: reference and size."""
        return [order for level in self._levels(2 * book + ask) for order in self._queue(level, price)]

    def _levels(self, ladder: int) -> list[int]:
        start, count = (int(self.memory.ladders[ladder][name]) for name in ("start", "count"))
        return [int(level) for level in self.memory.rungs["level"][start : start + count][::-1]]

    def _queue(self, level: int, price: int) -> Iterator[tuple[int, int]]:
        at = int(self.memory.levels[level]["first"]) if self.memory.levels[level]["price"] == price else -1
        while at >= 0:
            order = self.memory.orders[at]
            yield int(order["reference"]), int(order["size"])
            at = int(order["after"])

    def dump(self) -> bytes:
        """All orders in their queues, and how far each side is known."""
        kept = np.empty(int(self.memory.pool[LIVE]), PRICED)
        _keep(self.memory, 2 * self.count, kept)
        bounds = np.ascontiguousarray(self.memory.ladders["bound"][: 2 * self.count])
        return _HEADER.pack(_VERSION, self.count, len(kept)) + bounds.tobytes() + kept.tobytes()

    @classmethod
    def load(cls, data: bytes) -> "OrderBooks":
        """Books as they were at `dump`. ValueError for other bytes."""
        if len(data) < _HEADER.size or data[0] != _VERSION:
            raise ValueError(f"order books: {len(data)} bytes that are not of version {_VERSION}")
        _, count, orders = _HEADER.unpack_from(data)
        if len(data) != _HEADER.size + 8 * count + PRICED.itemsize * orders:
            raise ValueError(f"order books: {len(data)} bytes, not those of {count} books and {orders} orders")
        kept = np.frombuffer(data, PRICED, orders, _HEADER.size + 8 * count)
        in_range = (kept["ladder"] >= 0) & (kept["ladder"] < 2 * count) & (kept["price"] > 0) & (kept["size"] > 0)
        if not in_range.all():
            raise ValueError(f"order books: order {int(np.argmin(in_range))} of {orders} is of no book")
        books = cls(count, max(1 << 12, 1 << int(orders).bit_length()))
        at = 0
        while (at := _restore(books.memory, kept, at)) < orders:
            books.grow()
        books.memory.ladders["bound"][: 2 * count] = np.frombuffer(data, np.int32, 2 * count, _HEADER.size)
        return books


def _twice(array: NDArray[np.void]) -> NDArray[np.void]:
    return np.concatenate((array, np.zeros(len(array), array.dtype)))


@compiled
def _has_room(books: Books) -> bool:
    return has_room(books)


@compiled
def _add(books: Books, ladder: int, price: int, reference: int, size: int) -> None:
    add(books, ladder, price, reference, size)


@compiled
def _keep(books: Books, ladders: int, kept: NDArray[np.void]) -> None:
    count = 0
    for ladder in range(ladders):
        side = books.ladders[ladder]
        for rung in range(side.start, side.start + side.count):
            level = books.levels[books.rungs[rung].level]
            at = level.first
            while at >= 0:
                row = kept[count]
                row.ladder, row.price = ladder, level.price
                row.reference, row.size = books.orders[at].reference, books.orders[at].size
                count += 1
                at = books.orders[at].after


@compiled
def _restore(books: Books, kept: NDArray[np.void], at: int) -> int:
    while at < len(kept) and has_room(books):
        add(books, int(kept[at].ladder), int(kept[at].price), kept[at].reference, kept[at].size)
        at += 1
    return at
