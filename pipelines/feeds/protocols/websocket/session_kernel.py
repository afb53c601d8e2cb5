"""The kernel that makes rows of a session's messages, in their order: quotes, trades, and changes of books that are in
step with their venue. What needs a decision (a snapshot, a gap, a wrong checksum) it hands to Python.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.decoding import DecodedRows
from pipelines.domain.level_book import COUNT, NO_ROOM, STARTS, Pool, Stamp, change_book, sign
from pipelines.domain.market import Flag, Kind
from pipelines.feeds.protocols.websocket.fields import BROKEN, Column, Columns, Items
from pipelines.feeds.protocols.websocket.frame_reader import Role


class Numbering(IntEnum):
    """How a venue tells that no update of a book is missing, and from which one a snapshot goes on."""

    NONE = 0
    """Not at all: the snapshot comes first on the stream, and the stream is whole."""
    CHECKSUM = 1
    """As NONE, and updates carry a checksum of the best ten levels of both sides."""
    UPDATE_IDS = 2
    """Binance: updates name the ids that they span; a snapshot comes by another way, and names its last one."""
    TIMES = 3
    """Updates and a snapshot that comes by another way carry a time: what is older than the snapshot is in it."""


class Status(IntEnum):
    """Of a book: whether it can be believed."""

    ABSENT = 0
    """There was no snapshot yet."""
    LOST = 1
    PRIMED = 2
    """A snapshot, and no update after it yet."""
    LIVE = 3


class Stop(IntEnum):
    """Why the kernel stopped before a message, or at the end."""

    END = 0
    ROOM = 1
    """Of rows or levels."""
    SNAPSHOT = 2
    WAITING = 3
    """An update of a book without a snapshot."""
    GAP = 4
    CHECKSUM = 5
    BROKEN = 6


class Turn(IntEnum):
    """What is to be done with an update by its number."""

    DROP = 0
    APPLY = 1
    GAP = 2


TICKER_RANK, SPREAD_RANK, BOOK_RANK, DIRECT_RANK = 1, 2, 3, 4
"""How good a source of quotes is: a ticker at each trade, a stream of spreads, a book, a stream of best quotes. One
below the best that is there gives none."""

CHECKED_LEVELS = 10

STATE = np.dtype(
    [("status", "i8"), ("last", "i8"), ("quoted", "i8"), ("traded", "i8"), ("depth", "i8"), ("instrument", "i8")]
)
"""Of a symbol of the session: its book's `Status` and last update id; the best rank of quotes and the stream of trades
seen (0 for none); levels a side that its book is of (0 for all); its place in the listing."""

States = NDArray[np.void]

Text = NDArray[np.uint8]


class Venue(NamedTuple):
    """What the kernel knows of a venue. `roles`, by shape: role and rank; `crc`: the table of CRC-32; `scratch`: 20
    characters."""

    roles: NDArray[np.int64]
    numbering: int
    crc: NDArray[np.uint32]
    scratch: Text


_SHAPE, _SYMBOL, _EVENT, _SEQUENCE = int(Column.SHAPE), int(Column.SYMBOL), int(Column.EVENT), int(Column.SEQUENCE)
_FIRST, _PREVIOUS, _BUYER = int(Column.FIRST), int(Column.PREVIOUS), int(Column.BUYER)
_CHECKSUM, _DEPTH, _ITEMS, _ITEMS_END = (
    int(Column.CHECKSUM), int(Column.DEPTH), int(Column.ITEMS), int(Column.ITEMS_END),
)  # fmt: skip
_QUOTE, _TRADE, _TRADES, _UPDATE = int(Role.QUOTE), int(Role.TRADE), int(Role.TRADES), int(Role.UPDATE)
_SNAPSHOT, _SUBSCRIBED, _BROKEN = int(Role.SNAPSHOT), int(Role.SUBSCRIBED), int(BROKEN)
_BY_CHECKSUM, _BY_IDS, _BY_TIMES = int(Numbering.CHECKSUM), int(Numbering.UPDATE_IDS), int(Numbering.TIMES)
_ABSENT, _LOST, _PRIMED, _LIVE = int(Status.ABSENT), int(Status.LOST), int(Status.PRIMED), int(Status.LIVE)
_STOP_END, _STOP_ROOM, _STOP_SNAPSHOT = int(Stop.END), int(Stop.ROOM), int(Stop.SNAPSHOT)
_STOP_WAITING, _STOP_GAP, _STOP_CHECKSUM = int(Stop.WAITING), int(Stop.GAP), int(Stop.CHECKSUM)
_STOP_BROKEN = int(Stop.BROKEN)
_DROP, _APPLY, _GAP = int(Turn.DROP), int(Turn.APPLY), int(Turn.GAP)
_BOOK_RANK = BOOK_RANK
_ROW_QUOTE, _ROW_TRADE, _BUYER_FLAG = int(Kind.QUOTE), int(Kind.TRADE), int(Flag.BUYER_AGGRESSOR)


@compiled
def turn_of(numbering: int, primed: bool, last: int, first: int, sequence: int, previous: int) -> int:
    """Whether an update goes on from a book whose last id (or time) is `last`, as its venue prescribes: `Turn`.

    Binance spot: drop u <= last, then U <= last + 1 <= u for the first after a snapshot, U = last + 1 for the others.
    USD-M ("How to manage a local order book correctly"): drop u < last, then U <= last <= u for the first, pu = last.
    """
    if numbering == _BY_TIMES:
        return _DROP if sequence < last else _APPLY
    if numbering != _BY_IDS:
        return _APPLY
    if previous >= 0 and primed:
        if sequence < last:
            return _DROP
        return _APPLY if first <= last else _GAP
    if sequence <= last:
        return _DROP
    if previous >= 0:
        return _APPLY if previous == last else _GAP
    if primed:
        return _APPLY if first <= last + 1 else _GAP
    return _APPLY if first == last + 1 else _GAP


@inlined
def _crc_number(number: int, crc: np.uint32, venue: Venue) -> np.uint32:
    """A CRC-32 taken further by the digits of a number."""
    at = 20
    while True:
        at -= 1
        venue.scratch[at] = 48 + number % 10
        number //= 10
        if number <= 0 or at == 0:
            break
    for j in range(at, 20):
        crc = venue.crc[(crc ^ np.uint32(venue.scratch[j])) & np.uint32(255)] ^ (crc >> np.uint32(8))
    return crc


@compiled
def checksum(pool: Pool, book: int, venue: Venue) -> int:
    """Kraken's: CRC-32 of the best ten asks, then bids, best first: digits of price and size, no leading zeros."""
    crc = np.uint32(0xFFFFFFFF)
    for place in (2 * book + 1, 2 * book):
        start, count = pool.sides[place, STARTS], pool.sides[place, COUNT]
        level, left = start + count - 1, CHECKED_LEVELS
        while left > 0 and level >= start:
            if pool.sizes[level] > 0.0:
                crc = _crc_number(pool.digits[level, 0], crc, venue)
                crc = _crc_number(pool.digits[level, 1], crc, venue)
                left -= 1
            level -= 1
    return int(np.int64(crc ^ np.uint32(0xFFFFFFFF)))


@inlined
def _write_trade(rows: DecodedRows, at: int, price: float, size: float, buyer: int, stamp: Stamp) -> None:
    row = rows[at]
    sign(rows, at, stamp)
    row.kind = _ROW_TRADE
    row.flags = _BUYER_FLAG if buyer else 0
    row.code = 0
    row.bid = row.ask = price
    row.bid_size = row.ask_size = size


@compiled
def write_rows(
    columns: Columns, items: Items, states: States, pool: Pool, venue: Venue, first: int, rows: DecodedRows, at: int
) -> tuple[int, int, int]:
    """Make rows of the messages from `first` on. The message that it stopped at, the rows there are, and a `Stop`."""
    whole, number = columns.whole, columns.number
    for i in range(first, len(whole)):
        shape, symbol = whole[i, _SHAPE], whole[i, _SYMBOL]
        if shape == _BROKEN:
            return i, at, _STOP_BROKEN
        if shape < 0 or symbol < 0:
            continue
        role, rank = venue.roles[shape, 0], venue.roles[shape, 1]
        state = states[symbol]
        event_ns = whole[i, _EVENT]
        sequence = whole[i, _SEQUENCE]
        begin, end = whole[i, _ITEMS], whole[i, _ITEMS_END]
        if at + end - begin + 1 > len(rows):
            return i, at, _STOP_ROOM
        if role == _QUOTE:
            if rank < state.quoted:
                continue
            state.quoted = rank
            if rank < _BOOK_RANK and state.status >= _PRIMED:
                continue
            row = rows[at]
            sign(rows, at, Stamp(i, state.instrument, event_ns, sequence))
            row.kind = _ROW_QUOTE
            row.flags = row.code = 0
            row.bid, row.bid_size, row.ask, row.ask_size = number[i, 0], number[i, 1], number[i, 2], number[i, 3]
            at += 1
        elif role == _TRADE:
            if state.traded == 0:
                state.traded = rank
            if state.traded == rank:
                stamp = Stamp(i, state.instrument, event_ns, sequence)
                _write_trade(rows, at, number[i, 0], number[i, 1], whole[i, _BUYER], stamp)
                at += 1
        elif role == _TRADES:
            for item in range(begin, end):
                trade = items.changes[item]
                stamp = Stamp(i, state.instrument, items.times[item], items.ids[item])
                _write_trade(rows, at, trade.price, trade.size, trade.side, stamp)
                at += 1
        elif role == _UPDATE:
            if state.status < _PRIMED:
                return i, at, _STOP_WAITING
            if venue.numbering == _BY_TIMES:
                sequence = event_ns
            first_id, previous = whole[i, _FIRST], whole[i, _PREVIOUS]
            turn = turn_of(venue.numbering, state.status == _PRIMED, state.last, first_id, sequence, previous)
            if turn == _DROP:
                continue
            if turn == _GAP:
                return i, at, _STOP_GAP
            quotes = state.quoted <= _BOOK_RANK
            stamp = Stamp(i, state.instrument, event_ns, sequence if venue.numbering == _BY_IDS else -1)
            after = change_book(
                pool, symbol, items.changes, begin, end, False, state.depth, quotes, stamp, rows, at
            )  # fmt: skip
            if after == NO_ROOM:
                return i, at, _STOP_ROOM
            said = whole[i, _CHECKSUM]
            if venue.numbering == _BY_CHECKSUM and said >= 0 and checksum(pool, symbol, venue) != said:
                return i, at, _STOP_CHECKSUM
            at = after
            state.status = _LIVE
            state.last = sequence
        elif role == _SNAPSHOT:
            return i, at, _STOP_SNAPSHOT
        elif role == _SUBSCRIBED:
            state.depth = whole[i, _DEPTH]
    return len(whole), at, _STOP_END
