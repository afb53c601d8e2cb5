"""TotalView-ITCH 5.0's messages about displayed orders: placed, executed, cancelled, deleted, replaced.

Each kernel gives the place of the next row, or below 0 what is wrong: `-(code * FIELDS + field offset)`. One that finds
a message wrong has changed nothing. What all types share is there once: each place where a kernel is inlined costs
compile time, seconds in all.
"""

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.market import Condition, Flag, Kind, Status
from pipelines.domain.order_book import Books, add, best, find, reduce
from pipelines.feeds.protocols.itch50.layouts import LARGEST_PRICE
from pipelines.feeds.protocols.itch50.quotes import Where, tell_level, tell_status
from pipelines.feeds.protocols.itch50.wire import Bytes, Made, Market, u32, u64, write_row

FIELDS = 64
"""More than a message has bytes."""

(
    CUT,
    TYPE,
    LENGTH,
    TIME,
    SIDE,
    PRICE,
    SHARES,
    STOCK,
    TAKEN,
    TOO_MANY,
    ELSEWHERE,
    CODE,
    COUNT,
    NEVER_READ,
) = range(1, 15)
"""What may be wrong with a message."""

_TRADE = int(Kind.TRADE)
_BUYER = int(Flag.BUYER_AGGRESSOR)
_LOST = int(Status.BOOK_LOST)
_NOT_LAST = int(Condition.NOT_LAST)
_REFERENCE, _MISSING = 11, NEVER_READ * FIELDS + 11
_B, _S, _N, _Y = ord("B"), ord("S"), ord("N"), ord("Y")
_A, _C, _D, _E, _F, _U, _X = (ord(letter) for letter in "ACDEFUX")


@inlined
def _key(price: int, ladder: int) -> int:
    return -price if ladder & 1 else price


@inlined
def _enter(
    made: Made, row: int, where: Where, market: Market, books: Books, ladder: int, price: int, reference: int,
    shares: int,
) -> int:  # fmt: skip
    """Put an order into the book. While trading goes on, it says where older ones of the other side cannot be."""
    level = add(books, ladder, price, reference, shares)
    key = _key(price, ladder)
    if not market.tops[where.book].whole and not market.tops[where.book].halted:
        other = books.ladders[ladder ^ 1]
        other.bound = min(other.bound, -key)
    return tell_level(made, row, where, market, books, ladder, key, books.levels[level].total)


@inlined
def _misfit(buffer: Bytes, at: int, kind: int) -> int:
    """What is wrong with a message by itself; 0 for nothing."""
    if kind in (_A, _F):
        if buffer[at + 19] != _B and buffer[at + 19] != _S:
            return -(SIDE * FIELDS + 19)
        shares_at, price_at = 20, 32
    elif kind == _U:
        shares_at, price_at = 27, 31
    elif kind == _C:
        if buffer[at + 31] != _N and buffer[at + 31] != _Y:
            return -(CODE * FIELDS + 31)
        shares_at, price_at = 19, 32
    else:
        shares_at, price_at = 19 if kind != _D else 0, 0
    if shares_at and u32(buffer, at + shares_at) == 0:
        return -(SHARES * FIELDS + shares_at)
    if price_at and not 0 < u32(buffer, at + price_at) <= LARGEST_PRICE:
        return -(PRICE * FIELDS + price_at)
    return 0


@inlined
def change_book(
    kind: int, buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books
) -> int:
    """A, F: an order enters. E, C: it is executed, at its price or another; X: cancelled in part; D: it leaves. U: it
    gives way to a new one of its side, with a reference, size and price of its own, that is last in its queue."""
    wrong = _misfit(buffer, at, kind)
    if wrong < 0:
        return wrong
    reference = u64(buffer, at + 11)
    order, ladder, shares, price = find(books, reference), 0, 0, 0
    if kind in (_A, _F):
        if order >= 0:
            return -(TAKEN * FIELDS + 11)
        ladder = 2 * where.book + (1 if buffer[at + 19] == _S else 0)
        shares, price = u32(buffer, at + 20), u32(buffer, at + 32)
    else:
        if kind == _U:
            reference, shares, price = u64(buffer, at + 19), u32(buffer, at + 27), u32(buffer, at + 31)
            if find(books, reference) >= 0:
                return -(TAKEN * FIELDS + 19)
        if order < 0:
            return -_MISSING
        rested = books.levels[books.orders[order].level]
        ladder, rested_price, gone = int(rested.ladder), int(rested.price), int(books.orders[order].size)
        if ladder >> 1 != where.book:
            return -(ELSEWHERE * FIELDS + _REFERENCE)
        if kind in (_E, _C, _X):
            executed = u32(buffer, at + 19)
            if executed > gone:
                return -(TOO_MANY * FIELDS + 19)
            gone = executed
            if kind != _X:
                row = _trade(kind, buffer, at, made, row, where, market, books, ladder, rested_price, gone)
        left = reduce(books, order, gone)
        if rested_price != price:  # where its successor has its price, that one's coming tells the level's change
            row = tell_level(made, row, where, market, books, ladder, _key(rested_price, ladder), left)
    if kind in (_A, _F, _U):
        row = _enter(made, row, where, market, books, ladder, price, reference, shares)
    return row


@inlined
def _trade(
    kind: int, buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books, ladder: int,
    price: int, shares: int,
) -> int:  # fmt: skip
    """The trade of an execution. One at the order's own price says that nothing better rests."""
    paid, code = price, 0
    if kind == _C:
        paid, code = u32(buffer, at + 32), _NOT_LAST if buffer[at + 31] == _N else 0
    elif not market.tops[where.book].whole:
        side = books.ladders[ladder]
        side.bound = min(side.bound, _key(price, ladder) + 1)
    flags = _BUYER if ladder & 1 else 0
    return write_row(
        made, row, where.position, where.instrument, _TRADE, flags, code, where.event_ns, paid, shares, paid, shares
    )


@compiled
def replace_unread(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """U of an order that was never read: its side is not said. A price at which the book would be crossed on one side
    belongs to the other; between the best prices it may be either, and puts both in doubt there."""
    new, shares, price = u64(buffer, at + 19), u32(buffer, at + 27), u32(buffer, at + 31)
    bid, ask = best(books, 2 * where.book), best(books, 2 * where.book + 1)
    bids, asks = books.ladders[2 * where.book], books.ladders[2 * where.book + 1]
    top = market.tops[where.book]
    is_ask = not top.halted and ask >= 0 and price >= books.levels[ask].price
    if is_ask or (not top.halted and bid >= 0 and price <= books.levels[bid].price):
        ladder = 2 * where.book + (1 if is_ask else 0)
        return _enter(made, row, where, market, books, ladder, price, new, shares)
    if top.sure:
        top.sure = 0
        row = tell_status(made, row, where, _LOST, 0)
    bids.bound, asks.bound = max(bids.bound, price + 1), max(asks.bound, 1 - price)
    return row
