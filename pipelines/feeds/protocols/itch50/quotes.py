"""What a change of a book is told by: a level's new total, the best quote where it changed, and whether to trust it."""

from typing import NamedTuple

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.market import Flag, Kind, Status
from pipelines.domain.order_book import Books, best, certain
from pipelines.feeds.protocols.itch50.wire import Made, Market, write_row

_QUOTE, _LEVEL, _STATUS = int(Kind.QUOTE), int(Kind.LEVEL), int(Kind.STATUS)
_ASK, _SNAPSHOT = int(Flag.ASK), int(Flag.SNAPSHOT)
_LOST, _BACK = int(Status.BOOK_LOST), int(Status.BOOK_BACK)


class Where(NamedTuple):
    """What rows of a message are given: frame position, event time, book, instrument, whether levels are wanted."""

    position: int
    event_ns: int
    book: int
    instrument: int
    levels: bool


@inlined
def tell_level(
    made: Made, row: int, where: Where, market: Market, books: Books, ladder: int, key: int, total: int
) -> int:
    """A level's new total, where it is wanted and known for certain."""
    if where.levels:
        top = market.tops[where.book]
        if top.whole or (top.sure and key >= books.ladders[ladder].bound):
            flags = _ASK if ladder & 1 else 0
            return _write_level(made, row, where, flags, abs(key), total)
    return row


@inlined
def _write_level(made: Made, row: int, where: Where, flags: int, price: int, total: int) -> int:
    return write_row(
        made, row, where.position, where.instrument, _LEVEL, flags, 0, where.event_ns, price, total, price, total
    )


@inlined
def tell_quote(made: Made, row: int, where: Where, market: Market, books: Books) -> int:
    """The best quote where it is not the one told last."""
    top = market.tops[where.book]
    bid = ask = bid_size = ask_size = 0
    level = best(books, 2 * where.book)
    if level >= 0:
        bid, bid_size = books.levels[level].price, books.levels[level].total
    level = best(books, 2 * where.book + 1)
    if level >= 0:
        ask, ask_size = books.levels[level].price, books.levels[level].total
    if bid == top.bid and ask == top.ask and bid_size == top.bid_size and ask_size == top.ask_size:
        return row
    top.bid, top.bid_size, top.ask, top.ask_size = bid, bid_size, ask, ask_size
    return write_row(
        made, row, where.position, where.instrument, _QUOTE, 0, 0, where.event_ns, bid, bid_size, ask, ask_size
    )


@inlined
def tell_status(made: Made, row: int, where: Where, code: int, number: int) -> int:
    return write_row(made, row, where.position, where.instrument, _STATUS, 0, code, where.event_ns, 0, number, 0, 0)


@compiled
def tell_partly_known(
    made: Made, row: int, where: Where, market: Market, books: Books, bid_bound: int, ask_bound: int
) -> int:
    """After a change of a book that is known in part. While its best quote is in doubt there are no quotes and levels
    of it; BOOK_BACK with all levels that are certain ends that, and BOOK_LOST brings it. `bid_bound`, `ask_bound`:
    before the change; a level that has come to be certain with it is told."""
    top = market.tops[where.book]
    sure = certain(books, 2 * where.book) and certain(books, 2 * where.book + 1)
    if not sure:
        if top.sure:
            top.sure = 0
            row = tell_status(made, row, where, _LOST, 0)
        return row
    if not top.sure:
        top.sure, top.bid, top.ask = 1, -1, -1
        bid_bound = ask_bound = 1 << 32
        row = tell_status(made, row, where, _BACK, 0)
    if where.levels:
        for ladder in range(2 * where.book, 2 * where.book + 2):
            side = books.ladders[ladder]
            above = ask_bound if ladder & 1 else bid_bound
            flags = _SNAPSHOT | (_ASK if ladder & 1 else 0)
            for rung in range(side.start + side.count - 1, side.start - 1, -1):
                key = books.rungs[rung].key
                if key < side.bound:
                    break
                if key < above:
                    level = books.levels[books.rungs[rung].level]
                    row = _write_level(made, row, where, flags, int(level.price), level.total)
    return tell_quote(made, row, where, market, books)


@inlined
def tell_change(
    made: Made, row: int, where: Where, market: Market, books: Books, bid_bound: int, ask_bound: int
) -> int:
    """What a message's change of a book comes to."""
    if market.tops[where.book].whole:
        return tell_quote(made, row, where, market, books)
    return tell_partly_known(made, row, where, market, books, bid_bound, ask_bound)
