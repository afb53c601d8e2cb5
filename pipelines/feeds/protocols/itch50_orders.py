"""TotalView-ITCH 5.0's messages about displayed orders: placed, executed, cancelled, deleted, replaced.

Each kernel gives the place of the next row, or below 0 what is wrong: `-(code * FIELDS + field offset)`. One that finds
a message wrong has changed nothing.
"""

from pipelines.domain.compiled import inlined
from pipelines.domain.market import Condition, Flag, Kind, Status
from pipelines.domain.order_book import Books, add, best, find, reduce, remove
from pipelines.feeds.protocols.itch50_layouts import LARGEST_PRICE
from pipelines.feeds.protocols.itch50_quotes import Where, tell_level, tell_partly_known, tell_quote, tell_status
from pipelines.feeds.protocols.itch50_wire import Bytes, Made, Market, u32, u64, write_row

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
    LOCATE_UNKNOWN,
) = range(1, 16)
"""What may be wrong with a message."""

_TRADE = int(Kind.TRADE)
_BUYER = int(Flag.BUYER_AGGRESSOR)
_LOST = int(Status.BOOK_LOST)
_NOT_LAST = int(Condition.NOT_LAST)
_REFERENCE, _MISSING = 11, NEVER_READ * FIELDS + 11
_B, _S, _N, _Y = ord("B"), ord("S"), ord("N"), ord("Y")


@inlined
def _settled(made: Made, row: int, where: Where, market: Market, books: Books, bid_bound: int, ask_bound: int) -> int:
    if market.tops[where.book].whole:
        return tell_quote(made, row, where, market, books)
    return tell_partly_known(made, row, where, market, books, bid_bound, ask_bound)


@inlined
def _found(books: Books, reference: int, where: Where) -> int:
    """An order of the book; or what is wrong, below 0."""
    order = find(books, reference)
    if order < 0:
        return -_MISSING
    if books.levels[books.orders[order].level].ladder >> 1 != where.book:
        return -(ELSEWHERE * FIELDS + _REFERENCE)
    return order


@inlined
def _key(price: int, ladder: int) -> int:
    return -price if ladder & 1 else price


@inlined
def _enter(
    made: Made,
    row: int,
    where: Where,
    market: Market,
    books: Books,
    ladder: int,
    price: int,
    reference: int,
    shares: int,
) -> int:
    """Put an order into the book. While trading goes on, it says where older ones of the other side cannot be."""
    level = add(books, ladder, price, reference, shares)
    key = _key(price, ladder)
    if not market.tops[where.book].whole and not market.tops[where.book].halted:
        other = books.ladders[ladder ^ 1]
        other.bound = min(other.bound, -key)
    return tell_level(made, row, where, market, books, ladder, key, books.levels[level].total)


@inlined
def placed(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """A, F: an order enters its book."""
    reference, side, shares, price = u64(buffer, at + 11), buffer[at + 19], u32(buffer, at + 20), u32(buffer, at + 32)
    if side != _B and side != _S:
        return -(SIDE * FIELDS + 19)
    if shares == 0:
        return -(SHARES * FIELDS + 20)
    if price == 0 or price > LARGEST_PRICE:
        return -(PRICE * FIELDS + 32)
    if find(books, reference) >= 0:
        return -(TAKEN * FIELDS + 11)
    bids, asks = books.ladders[2 * where.book].bound, books.ladders[2 * where.book + 1].bound
    ladder = 2 * where.book + (1 if side == _S else 0)
    row = _enter(made, row, where, market, books, ladder, price, reference, shares)
    return _settled(made, row, where, market, books, bids, asks)


@inlined
def reduced(buffer: Bytes, at: int, kind: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """E, C, X: shares of an order are executed, at its price or another, or cancelled."""
    order = _found(books, u64(buffer, at + 11), where)
    if order < 0:
        return order
    shares = u32(buffer, at + 19)
    if shares == 0 or shares > books.orders[order].size:
        return -((SHARES if shares == 0 else TOO_MANY) * FIELDS + 19)
    level = books.levels[books.orders[order].level]
    ladder, price = level.ladder, level.price
    bids, asks = books.ladders[2 * where.book].bound, books.ladders[2 * where.book + 1].bound
    if kind != 88:
        paid, code = price, 0
        if kind == 67:
            printable, paid = buffer[at + 31], u32(buffer, at + 32)
            if printable != _N and printable != _Y:
                return -(CODE * FIELDS + 31)
            if paid == 0 or paid > LARGEST_PRICE:
                return -(PRICE * FIELDS + 32)
            code = _NOT_LAST if printable == _N else 0
        elif not market.tops[where.book].whole:
            side = books.ladders[ladder]
            side.bound = min(side.bound, _key(price, ladder) + 1)
        row = write_row(
            made, row, where.position, where.instrument, _TRADE, _BUYER if ladder & 1 else 0, code, where.event_ns,
            paid, shares, paid, shares,
        )  # fmt: skip
    left = reduce(books, order, shares)
    row = tell_level(made, row, where, market, books, ladder, _key(price, ladder), left)
    return _settled(made, row, where, market, books, bids, asks)


@inlined
def _leave(made: Made, row: int, where: Where, market: Market, books: Books, order: int, price_after: int) -> int:
    """Take an order out of the book. Where its successor has its price, that one's coming tells the level's change."""
    level = books.levels[books.orders[order].level]
    ladder, price, left = level.ladder, level.price, level.total - books.orders[order].size
    remove(books, order)
    if price == price_after:
        return row
    return tell_level(made, row, where, market, books, ladder, _key(price, ladder), left)


@inlined
def deleted(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """D: an order leaves its book."""
    order = _found(books, u64(buffer, at + 11), where)
    if order < 0:
        return order
    bids, asks = books.ladders[2 * where.book].bound, books.ladders[2 * where.book + 1].bound
    row = _leave(made, row, where, market, books, order, 0)
    return _settled(made, row, where, market, books, bids, asks)


@inlined
def replaced(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """U: an order gives way to a new one of its side, with a reference, size and price of its own, and no longer first
    in any queue."""
    order = _found(books, u64(buffer, at + 11), where)
    new, shares, price = u64(buffer, at + 19), u32(buffer, at + 27), u32(buffer, at + 31)
    if order < 0 and order != -_MISSING:
        return order
    if shares == 0:
        return -(SHARES * FIELDS + 27)
    if price == 0 or price > LARGEST_PRICE:
        return -(PRICE * FIELDS + 31)
    if find(books, new) >= 0:
        return -(TAKEN * FIELDS + 19)
    if order < 0:
        return order
    bids, asks = books.ladders[2 * where.book].bound, books.ladders[2 * where.book + 1].bound
    ladder = books.levels[books.orders[order].level].ladder
    row = _leave(made, row, where, market, books, order, price)
    row = _enter(made, row, where, market, books, ladder, price, new, shares)
    return _settled(made, row, where, market, books, bids, asks)


@inlined
def replaced_unread(buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """U of an order that was never read: its side is not said. A price at which the book would be crossed on one side
    belongs to the other; between the best prices it may be either, and puts both in doubt there."""
    new, shares, price = u64(buffer, at + 19), u32(buffer, at + 27), u32(buffer, at + 31)
    bid, ask = best(books, 2 * where.book), best(books, 2 * where.book + 1)
    bids, asks = books.ladders[2 * where.book], books.ladders[2 * where.book + 1]
    bid_bound, ask_bound = bids.bound, asks.bound
    halted = market.tops[where.book].halted
    if not halted and ask >= 0 and price >= books.levels[ask].price:
        row = _enter(made, row, where, market, books, 2 * where.book + 1, price, new, shares)
    elif not halted and bid >= 0 and price <= books.levels[bid].price:
        row = _enter(made, row, where, market, books, 2 * where.book, price, new, shares)
    else:
        if market.tops[where.book].sure:
            market.tops[where.book].sure = 0
            row = tell_status(made, row, where, _LOST, 0)
        bids.bound, asks.bound = max(bids.bound, price + 1), max(asks.bound, 1 - price)
    return _settled(made, row, where, market, books, bid_bound, ask_bound)
