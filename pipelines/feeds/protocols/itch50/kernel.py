"""TotalView-ITCH 5.0 in one pass: frames of messages, each behind its length in two bytes, made into rows.

The kernel stops where it needs what only Python has (more room, the place of a symbol, the end of a book) and goes on
from there. No message is taken twice: a stop for room or a name comes before the message has changed anything.
"""

from enum import IntEnum

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.order_book import Books, has_room
from pipelines.feeds.protocols.itch50.layouts import DAY_NS, offset
from pipelines.feeds.protocols.itch50.notices import (
    broken_trade,
    cross_trade,
    hidden_trade,
    imbalance,
    operational_halt,
    short_sale_rule,
    trading_action,
)
from pipelines.feeds.protocols.itch50.orders import (
    CODE,
    COUNT,
    CUT,
    FIELDS,
    LENGTH,
    NEVER_READ,
    STOCK,
    TIME,
    TYPE,
    change_book,
    replace_unread,
)
from pipelines.feeds.protocols.itch50.quotes import Where, tell_change
from pipelines.feeds.protocols.itch50.wire import (
    AT,
    BOOK,
    EVENT_NS,
    FAULTS,
    FRAME,
    LEFT,
    ROWS,
    Bytes,
    Frames,
    Integers,
    Made,
    Market,
    u16,
    u48,
    u64,
)


class Stop(IntEnum):
    """Why the kernel stopped."""

    DONE = 0
    ROWS_FULL = 1
    FAULTS_FULL = 2
    BOOKS_FULL = 3
    NEW_SYMBOL = 4
    """The message at hand names a locate code's symbol first."""
    DAY_STARTS = 5
    BOOK_WRONG = 6
    """The message before contradicts its book."""
    MESSAGES_LOST = 7
    """The framing broke: messages before this place may be lost, of any instrument."""


_DONE, _ROWS, _FAULTS, _BOOKS = int(Stop.DONE), int(Stop.ROWS_FULL), int(Stop.FAULTS_FULL), int(Stop.BOOKS_FULL)
_NAME, _DAY, _WRONG, _LOST = (
    int(each) for each in (Stop.NEW_SYMBOL, Stop.DAY_STARTS, Stop.BOOK_WRONG, Stop.MESSAGES_LOST)
)
_A, _B, _C, _D, _E, _F, _H, _I, _P, _Q, _R, _S, _U, _X, _Y, _h = (ord(letter) for letter in "ABCDEFHIPQRSUXYh")
_STOCK_FIRST, _STOCK_ADD, _STOCK_CROSS, _STOCK_AUCTION = (offset(name, "stock") for name in "HAQI")
_EVENTS = tuple(ord(letter) for letter in "OSQMEC")


@inlined
def _stock_at(kind: int) -> int:
    """Where a type that makes rows has its symbol; 0 for those that have only the locate code, -1 for the others."""
    if kind in (_A, _F, _P):
        return _STOCK_ADD
    if kind in (_D, _U, _E, _X, _C, _B):
        return 0
    if kind == _I:
        return _STOCK_AUCTION
    if kind == _Q:
        return _STOCK_CROSS
    if kind in (_R, _H, _Y, _h):
        return _STOCK_FIRST
    return -1


@inlined
def _changes_book(kind: int) -> bool:
    return kind in (_A, _F, _D, _U, _E, _X, _C)


@inlined
def _write_fault(made: Made, progress: Integers, at: int, size: int, wrong: int, book: int) -> None:
    fault = made.faults[progress[FAULTS]]
    fault.frame, fault.at, fault.size, fault.book = progress[FRAME], at, size, book
    fault.code, fault.field = wrong // FIELDS, wrong % FIELDS
    progress[FAULTS] += 1


@compiled
def _noticed(kind: int, buffer: Bytes, at: int, made: Made, row: int, where: Where, market: Market) -> int:
    """The rows of a message that changes no book."""
    if kind == _P:
        return hidden_trade(buffer, at, made, row, where)
    if kind == _I:
        return imbalance(buffer, at, made, row, where)
    if kind == _Q:
        return cross_trade(buffer, at, made, row, where)
    if kind == _H:
        return trading_action(buffer, at, made, row, where, market)
    if kind == _Y:
        return short_sale_rule(buffer, at, made, row, where)
    if kind == _h:
        return operational_halt(buffer, at, made, row, where, market)
    if kind == _B:
        return broken_trade(buffer, at, made, row, where)
    return row


@compiled
def read_messages(frames: Frames, market: Market, books: Books, made: Made, progress: Integers, levels: bool) -> int:
    """Read on from where `progress` says, to the end or the next stop."""
    buffer = frames.buffer
    while progress[FRAME] < len(frames.starts):
        frame = progress[FRAME]
        if progress[AT] < 0:
            progress[AT], progress[LEFT] = frames.starts[frame], frames.counts[frame]
        end = frames.ends[frame]
        at, row, left = progress[AT], progress[ROWS], progress[LEFT]
        stop = _DONE
        while at < end:
            if progress[FAULTS] + 2 > len(made.faults):
                stop = _FAULTS
                break
            size = u16(buffer, at) if end - at >= 2 else 0
            if size == 0 or at + 2 + size > end or left == 0:
                wrong = (COUNT if left == 0 else CUT) * FIELDS
                _write_fault(made, progress, at, end - at, wrong, -1)
                at, left = end, min(left, 0)
                stop = _LOST
                break
            body = at + 2
            kind = int(buffer[body])
            if frames.lengths[kind] != size:
                known = frames.lengths[kind] > 0
                _write_fault(made, progress, at, size + 2, (LENGTH if known else TYPE) * FIELDS, -1)
                at = body + size
                left -= 1
                if known:
                    stop = _LOST
                    break
                continue
            time_ns = u48(buffer, body + 5)
            locate = market.locates[u16(buffer, body + 1)]
            stock_at = _stock_at(kind)
            wrong = 0
            if time_ns >= DAY_NS:
                wrong = TIME * FIELDS + 5
            elif stock_at > 0:
                if locate.known == 0:
                    stop = _NAME
                    break
                if locate.symbol != u64(buffer, body + stock_at):
                    wrong = STOCK * FIELDS + stock_at
            book = int(locate.book) if stock_at >= 0 and locate.known else -1
            if book >= 0 and not has_room(books):
                stop = _BOOKS
                break
            event_ns = frames.midnights[frame] + time_ns
            if book >= 0 and wrong == 0:
                top = market.tops[book]
                room = 8
                if not top.whole:
                    room += books.ladders[2 * book].count + books.ladders[2 * book + 1].count
                if row + room > len(made.rows):
                    stop = _ROWS
                    break
                where = Where(frames.positions[frame], event_ns, book, int(top.instrument), levels)
                bids, asks = books.ladders[2 * book].bound, books.ladders[2 * book + 1].bound
                changes = _changes_book(kind)
                if changes:
                    done = change_book(kind, buffer, body, made, row, where, market, books)
                else:
                    done = _noticed(kind, buffer, body, made, row, where, market)
                if -done // FIELDS == NEVER_READ:
                    if not top.told:
                        top.told = 1
                        _write_fault(made, progress, at, size + 2, -done, book)
                    if top.whole:
                        stop = _WRONG
                    changes = kind == _U and not top.whole
                    if changes:
                        row = replace_unread(buffer, body, made, row, where, market, books)
                elif done < 0:
                    wrong, changes = -done, False
                else:
                    row = done
                if changes:
                    row = tell_change(made, row, where, market, books, bids, asks)
            elif kind == _S and wrong == 0:
                event = int(buffer[body + 11])
                if event not in _EVENTS:
                    wrong = CODE * FIELDS + 11
                elif event == _EVENTS[0]:
                    stop = _DAY
            if wrong != 0:
                _write_fault(made, progress, at, size + 2, wrong, book)
                if book >= 0 and _changes_book(kind):
                    stop = _WRONG
            else:
                made.messages[kind] += 1
                progress[EVENT_NS] = event_ns
            at = body + size
            left -= 1
            if stop != _DONE:
                progress[BOOK] = book
                break
        if stop == _DONE and left > 0:
            _write_fault(made, progress, at, 0, COUNT * FIELDS, -1)
            stop = _LOST
            left = 0
        progress[AT], progress[ROWS], progress[LEFT] = at, row, left
        if stop != _DONE:
            return stop
        progress[FRAME] = frame + 1
        progress[AT] = -1
    return _DONE
