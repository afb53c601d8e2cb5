"""Lines of LEAN's files made into rows: trades with their conditions, updates of the best bid and ask, halts.

Of a bar of quotes its closing bid and ask are a quote at the bar's end: before, nobody knew them. What else a bar says
has no one time, and bars of trades give no rows.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.decoding import DecodedRows
from pipelines.domain.market import Condition, Kind, Status
from pipelines.feeds.protocols.lean.conditions import HALT, NOT_A_QUOTE, NOT_TO_BE_HAD, OFFICIAL, RESUMED, Message
from pipelines.feeds.protocols.lean.fields import GOOD
from pipelines.feeds.protocols.lean.lines import Numbers, Whole
from pipelines.feeds.protocols.lean.stream import Column, LeanStream

BOOK = np.dtype([("bid", "f8"), ("bid_size", "f8"), ("ask", "f8"), ("ask_size", "f8"), ("halted", "i8")])
"""What was last said of an instrument: its best bid and ask, and whether it is halted."""

STREAM = np.dtype(
    [
        ("book", "i4"),
        ("instrument", "i4"),
        ("kind", "i4"),
        ("price", "i4"),
        ("size", "i4"),
        ("bid", "i4"),
        ("bid_size", "i4"),
        ("ask", "i4"),
        ("ask_size", "i4"),
        ("flags", "i4"),
        ("suspicious", "i4"),
        ("one_sided", "i4"),
        ("midnight_ns", "i8"),
        ("ahead_ns", "i8"),
        ("changes_ns", "i8"),
        ("then_ahead_ns", "i8"),
        ("told_after_ns", "i8"),
    ]
)
"""How a stream's lines are made into rows: the fields that hold each thing, -1 for none; `LeanStream.clock`."""

Record = Any
"""One record of an array, as kernels hand it on."""

_KINDS = {"trade": Message.TRADE, "quote": Message.QUOTE, "openinterest": Message.OPEN_INTEREST}
_FIELDS = ("price", "size", "bid", "bid_size", "ask", "ask_size", "flags", "suspicious")
_PLACES = ("price", "quantity", "bid", "bid size", "ask", "ask size", "sale condition", "suspicious")
_OF_BARS = {"bid close": "bid", "ask close": "ask"}


def described(stream: LeanStream, instrument: int, book: int) -> Record:
    """A stream as `fill` takes it. `instrument`: its place in the listing, or -1; `book`: its place among the books."""
    row = np.zeros((), STREAM)
    names = [_OF_BARS.get(name, name) for name, _ in stream.fields]
    columns = dict(stream.fields)
    kind = _KINDS[stream.kind] if stream.resolution == "tick" or stream.kind == "openinterest" else Message.BAR
    row["book"], row["instrument"], row["kind"] = book, instrument, kind
    for field, name in zip(_FIELDS, _PLACES, strict=True):
        row[field] = names.index(name) if name in names else -1
    if columns.get("sale condition") != Column.FLAGS:
        row["flags"] = -1
    row["one_sided"] = stream.asset == "equity"
    row["midnight_ns"], row["told_after_ns"] = stream.midnight_ns, stream.told_after_ns
    row["ahead_ns"], row["changes_ns"], row["then_ahead_ns"] = stream.clock
    return row[()]


_TRADE, _QUOTE, _STATUS = int(Kind.TRADE), int(Kind.QUOTE), int(Kind.STATUS)
_A_TRADE, _A_QUOTE, _OFFICIAL = int(Message.TRADE), int(Message.QUOTE), int(Message.OFFICIAL_PRICE)
_DOUBTED, _INDICATION, _HALTED = int(Message.SUSPICIOUS_QUOTE), int(Message.INDICATION), int(Message.HALT)
_SUSPICIOUS, _LATE = int(Condition.SUSPICIOUS), int(Condition.OUT_OF_SEQUENCE)
_STOPPED, _TRADING = int(Status.HALTED), int(Status.TRADING)


@inlined
def _event_ns(stream: Record, wall: int) -> int:
    ahead_ns = stream.ahead_ns if wall < stream.changes_ns else stream.then_ahead_ns
    return int(stream.midnight_ns + wall - ahead_ns + stream.told_after_ns)


@inlined
def _condition(flags: int, conditions: NDArray[np.int32]) -> int:
    code = 0
    bit = 0
    while flags:
        if flags & 1:
            code |= int(conditions[bit])
        flags >>= 1
        bit += 1
    return code


@inlined
def _take_side(book: Record, stream: Record, numbers: Numbers, i: int, firm: bool) -> None:
    """Take over what a line says of bid and ask; one-sided ones are silent of the side whose price is 0."""
    bid, ask = numbers[i, stream.bid], numbers[i, stream.ask]
    bid_size = numbers[i, stream.bid_size] if stream.bid_size >= 0 else 0.0
    ask_size = numbers[i, stream.ask_size] if stream.ask_size >= 0 else 0.0
    silent = stream.one_sided and (bid != 0.0) != (ask != 0.0)
    if not silent or bid != 0.0:
        book.bid = bid if firm else 0.0
        book.bid_size = bid_size if firm else 0.0
    if not silent or ask != 0.0:
        book.ask = ask if firm else 0.0
        book.ask_size = ask_size if firm else 0.0


@inlined
def _bid_of_two(
    i: int, stream: NDArray[np.int32], whole: Whole, numbers: Numbers, fault: NDArray[np.int8], of: Record
) -> bool:
    """Whether a line is the bid of an update whose ask the next line is."""
    following = i + 1
    if not of.one_sided or following == len(stream) or fault[following] != GOOD or stream[following] != stream[i]:
        return False
    return bool(
        whole[following, 0] == whole[i, 0]
        and numbers[i, of.bid] != 0.0
        and numbers[i, of.ask] == 0.0
        and numbers[following, of.bid] == 0.0
        and numbers[following, of.ask] != 0.0
        and whole[following, of.suspicious] == 0
        and whole[following, of.flags] & (HALT | RESUMED | NOT_A_QUOTE) == 0
    )


@inlined
def _closing_quote(i: int, position: int, of: Record, whole: Whole, numbers: Numbers, row: Record) -> None:
    """A bar's closing bid and ask, as of its end; a side that nobody quoted is not there."""
    row.position, row.instrument, row.kind, row.flags, row.code = position, of.instrument, _QUOTE, 0, 0
    row.event_ns, row.venue_sequence = _event_ns(of, whole[i, 0]), -1
    bid, ask = numbers[i, of.bid], numbers[i, of.ask]
    row.bid, row.bid_size = (bid, numbers[i, of.bid_size]) if bid > 0.0 else (0.0, 0.0)
    row.ask, row.ask_size = (ask, numbers[i, of.ask_size]) if ask > 0.0 else (0.0, 0.0)


@compiled
def fill(
    position: int,
    stream: NDArray[np.int32],
    whole: Whole,
    numbers: Numbers,
    fault: NDArray[np.int8],
    streams: NDArray[np.void],
    conditions: NDArray[np.int32],
    books: NDArray[np.void],
    counts: NDArray[np.int64],
    made: DecodedRows,
) -> int:
    """Make the rows of good lines into `made`, which has room for two a line; how many there are. Adds to `counts` by
    `Message`, and moves `books` on."""
    count = 0
    for i in range(len(stream)):
        if fault[i] != GOOD:
            continue
        of = streams[stream[i]]
        kind = of.kind
        if kind != _A_TRADE and kind != _A_QUOTE:
            counts[kind] += 1
            if of.bid >= 0 and of.instrument >= 0:
                _closing_quote(i, position, of, whole, numbers, made[count])
                count += 1
            continue
        flags = int(whole[i, of.flags]) if of.flags >= 0 else 0
        doubted = of.suspicious >= 0 and whole[i, of.suspicious] == 1
        book = books[of.book]
        status = 0
        if kind == _A_TRADE:
            if flags & OFFICIAL:
                counts[_OFFICIAL] += 1
                continue
            counts[_A_TRADE] += 1
            code = _condition(flags, conditions) | (_SUSPICIOUS if doubted else 0)
            if book.halted and not code & (_SUSPICIOUS | _LATE):
                status = _TRADING
        else:
            if flags & NOT_A_QUOTE:
                counts[_INDICATION] += 1
                continue
            if doubted:
                counts[_DOUBTED] += 1
                continue
            code = 0
            if flags & (HALT | RESUMED):
                counts[_HALTED] += 1
                if flags & HALT and not book.halted:
                    status = _STOPPED
                elif flags & RESUMED and not flags & HALT and book.halted:
                    status = _TRADING
            else:
                counts[_A_QUOTE] += 1
                _take_side(book, of, numbers, i, not flags & NOT_TO_BE_HAD)
                if _bid_of_two(i, stream, whole, numbers, fault, of):
                    continue
        if status:
            book.halted = 1 if status == _STOPPED else 0
        if of.instrument < 0:
            continue
        event_ns = _event_ns(of, whole[i, 0])
        if status:
            row = made[count]
            row.position, row.instrument, row.kind, row.flags, row.code = position, of.instrument, _STATUS, 0, status
            row.event_ns, row.venue_sequence = event_ns, -1
            row.bid = row.bid_size = row.ask = row.ask_size = 0.0
            count += 1
        if kind == _A_QUOTE and flags & (HALT | RESUMED):
            continue
        row = made[count]
        row.position, row.instrument, row.flags, row.code = position, of.instrument, 0, code
        row.event_ns, row.venue_sequence = event_ns, -1
        if kind == _A_TRADE:
            row.kind = _TRADE
            row.bid = row.ask = numbers[i, of.price]
            row.bid_size = row.ask_size = numbers[i, of.size]
        else:
            row.kind = _QUOTE
            row.bid, row.bid_size, row.ask, row.ask_size = book.bid, book.bid_size, book.ask, book.ask_size
        count += 1
    return count
