"""A session of TotalView-ITCH 5.0 as bytes: directory, best quotes as told, every order in its queue."""

import struct

import numpy as np

from pipelines.domain.order_books import OrderBooks
from pipelines.feeds.protocols.itch50.session import Itch50Session
from pipelines.feeds.protocols.itch50.wire import TOP

VERSION = 1

_HEADER = struct.Struct("<B??qqqII")
_NAMED = np.dtype([("locate", "u2"), ("symbol", "S8"), ("instrument", "i4"), ("book", "i4")])


def dump_session(session: Itch50Session) -> bytes:
    """Version, header, named locate codes, tops, books."""
    named = np.zeros(len(session.locate_of), _NAMED)
    named["locate"] = list(session.locate_of.values())
    named["symbol"] = [symbol.encode() for symbol in session.locate_of]
    named["book"] = session.market.locates["book"][named["locate"]]
    tops = session.market.tops[: session.books.count]
    named["instrument"] = np.where(named["book"] >= 0, np.append(tops["instrument"], -1)[named["book"]], -1)
    header = _HEADER.pack(
        VERSION, session.whole, session.gapped, session.day_ns, session.next_day_ns, session.event_ns,
        len(named), len(tops),
    )  # fmt: skip
    return b"".join((header, named.tobytes(), tops.tobytes(), session.books.dump()))


def load_session(session: Itch50Session, data: bytes) -> None:
    """Take up what `dump_session` gave. Instruments are found by symbol: one that is no longer listed is left, one that
    is listed since begins with a book that is not whole. ValueError for other bytes."""
    if len(data) < _HEADER.size or data[0] != VERSION:
        raise ValueError(f"itch50 decoder: {len(data)} bytes of state that are not of version {VERSION}")
    _, whole, gapped, day_ns, next_day_ns, event_ns, names, count = _HEADER.unpack_from(data)
    books_at = _HEADER.size + names * _NAMED.itemsize + count * TOP.itemsize
    if len(data) < books_at:
        raise ValueError(f"itch50 decoder: {len(data)} bytes of state, cut short")
    named = np.frombuffer(data, _NAMED, names, _HEADER.size)
    tops = np.frombuffer(data, TOP, count, _HEADER.size + named.nbytes)
    books = OrderBooks.load(data[books_at:])
    if books.count != count or (named["book"] >= count).any() or (named["book"] < -1).any():
        raise ValueError(f"itch50 decoder: state of {count} instruments with {books.count} books")
    session.restore(books, tops, whole, gapped, event_ns)
    session.day_ns, session.next_day_ns = day_ns, next_day_ns
    unlisted = named["instrument"] < 0
    for entry in named[np.lexsort((named["instrument"], unlisted))]:
        session.rename(int(entry["locate"]), entry["symbol"].decode(), int(entry["book"]))
