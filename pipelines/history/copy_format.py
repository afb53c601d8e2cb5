"""Ticks as rows of COPY: a batch is cut into a few classes of equal layout, by kind and by length of the name."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import TICK, Flag, Kind, Ticks
from pipelines.history.binary_copy import RowLayout, stored_text, timestamps
from pipelines.history.tables import BOOKS, TICKS, Table

KEPT = frozenset(Kind) - {Kind.HEARTBEAT, Kind.END}
"""Kinds of the rows that are kept; the others only move time."""

KIND_NAMES = {int(kind): kind.name.lower() for kind in sorted(KEPT - {Kind.LEVEL})}
"""Kinds of the table ticks; levels are in the table books."""

SIDE_NAMES = {0: "bid", int(Flag.ASK): "ask"}

Feeds = Mapping[tuple[str, str], tuple[tuple[str, ...], Ticks]]
"""(venue, feed session) -> instruments, and rows that index them."""

_NUMBERS = {
    "sequence": ">i8",
    "event_time": ">i8",
    "flags": ">i4",
    "code": ">i4",
    **dict.fromkeys(("event_ns", "receive_ns", "frame"), ">i8"),
    **dict.fromkeys(("bid", "bid_size", "ask", "ask_size", "price", "quantity"), ">f8"),
}
_FIELDS = {"event_time": "event_ns", "price": "bid", "quantity": "bid_size"}
"""Columns that are not named as the field of a tick that they are of."""


def home(instruments: Sequence[str], ticks: Ticks) -> Ticks:
    """The rows of a block that are kept: those that do not only move time, in their home shard's copy.

    Raises ValueError where one of them names an instrument that the block has not.
    """
    kinds = ticks["kind"]
    kept: Ticks = ticks[((ticks["flags"] & int(Flag.HOME)) != 0) & (kinds >= min(KEPT)) & (kinds <= max(KEPT))]
    named = kept["instrument"]
    if named.size and not (named.min() >= 0 and named.max() < len(instruments)):
        raise ValueError(f"its ticks name instruments {named.min()} to {named.max()}, it has {len(instruments)}")
    return kept


def merge(blocks: Sequence[tuple[tuple[str, ...], Ticks]]) -> tuple[tuple[str, ...], Ticks]:
    """Blocks of one feed session, as `home` gave them, as one: instruments merged, rows one behind the other."""
    index: dict[str, int] = {}
    codes: dict[tuple[str, ...], NDArray[np.int32]] = {}
    merged = np.empty(sum(len(ticks) for _, ticks in blocks), dtype=TICK)
    at = 0
    for instruments, ticks in blocks:
        if instruments not in codes:
            codes[instruments] = np.array([index.setdefault(name, len(index)) for name in instruments], dtype=np.int32)
        rows = merged[at : at + len(ticks)]
        rows[:] = ticks
        if len(ticks):
            rows["instrument"] = codes[instruments][ticks["instrument"]]
        at += len(ticks)
    return tuple(index), merged


def of_table(table: Table, feeds: Feeds) -> Feeds:
    """The rows of some feeds that belong in a table, TICKS or BOOKS; feeds without any are left out."""
    chosen = {}
    for feed, (instruments, ticks) in feeds.items():
        wanted = (ticks["kind"] == Kind.LEVEL) == (table is BOOKS)
        if wanted.any():
            chosen[feed] = instruments, ticks if wanted.all() else ticks[wanted]
    return chosen


def copy_stream(
    session_id: str, venue: str, feed_session: str, instruments: Sequence[str], ticks: Ticks, table: Table = TICKS
) -> Iterator[bytes]:
    """Rows of COPY for what `merge` gave: a piece for each class of equal layout, without head and tail."""
    names = [stored_text(name) for name in instruments]
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    of_books = table is BOOKS
    words, told_by = (SIDE_NAMES, ticks["flags"] & int(Flag.ASK)) if of_books else (KIND_NAMES, ticks["kind"])
    head = (stored_text(session_id), stored_text(venue), stored_text(feed_session))
    for value, word in words.items():
        so_told = told_by == value
        of_word = ticks if so_told.all() else ticks[so_told]
        length_of = lengths[of_word["instrument"]]
        for length in np.unique(length_of):
            every = length_of == length
            rows = of_word if every.all() else of_word[every]
            layout = _layout(table, (*head, word.encode()), int(length))
            numbers = {column: rows[_FIELDS.get(column, column)] for column in layout.numbers}
            numbers["event_time"] = timestamps(numbers["event_time"])
            yield layout.rows(names, rows["instrument"], numbers)


@lru_cache(maxsize=256)
def _layout(table: Table, texts: tuple[bytes, bytes, bytes, bytes], length: int) -> RowLayout:
    columns = ("session_id", "venue", "feed_session", "side" if table is BOOKS else "kind")
    return RowLayout(table.columns, dict(zip(columns, texts, strict=True)), ("instrument", length), _NUMBERS)
