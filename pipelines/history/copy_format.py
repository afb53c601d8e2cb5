"""Ticks in PostgreSQL's binary COPY format, whole columns at a time.

A row of that format is a count of fields, then each field's length and its bytes, big-endian (PostgreSQL manual, COPY,
"Binary Format"). Rows whose texts are equally long have the same layout: one template, tiled, with the columns that
vary written over it. So a batch is cut into a few classes, by kind and by length of the instrument's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import TICK, Flag, Kind, Ticks
from pipelines.history.tables import BOOKS, TICKS, Table

HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TAIL = b"\xff\xff"

KEPT = frozenset(Kind) - {Kind.HEARTBEAT, Kind.END}
"""Kinds of the rows that are kept; the others only move time."""

KIND_NAMES = {int(kind): kind.name.lower() for kind in sorted(KEPT - {Kind.LEVEL})}
"""Kinds of the table ticks; levels are in the table books."""

SIDE_NAMES = {0: "bid", int(Flag.ASK): "ask"}

Feeds = Mapping[tuple[str, str], tuple[tuple[str, ...], Ticks]]
"""(venue, feed session) -> instruments, and rows that index them."""

PG_EPOCH_NS = 946_684_800_000_000_000
"""2000-01-01 in Unix ns: where PostgreSQL's timestamps start, which are in microseconds."""

_NUMBERS = {
    "sequence": ">i8",
    "event_time": ">i8",
    "flags": ">i4",
    "code": ">i4",
    **dict.fromkeys(("event_ns", "receive_ns", "frame"), ">i8"),
    **dict.fromkeys(("bid", "bid_size", "ask", "ask_size", "price", "quantity"), ">f8"),
}
_LEVEL_FIELDS = {"price": "bid", "quantity": "bid_size"}


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
    names = [_text(name) for name in instruments]
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    words, told_by = (SIDE_NAMES, ticks["flags"] & int(Flag.ASK)) if table is BOOKS else (KIND_NAMES, ticks["kind"])
    for value, word in words.items():
        so_told = told_by == value
        of_word = ticks if so_told.all() else ticks[so_told]
        length_of = lengths[of_word["instrument"]]
        for length in np.unique(length_of):
            every = length_of == length
            rows = of_word if every.all() else of_word[every]
            texts = {
                "session_id": _text(session_id),
                "venue": _text(venue),
                "feed_session": _text(feed_session),
                "instrument": bytes(length),
                "side" if table is BOOKS else "kind": word.encode(),
            }
            yield _rows(table, tuple(texts.items()), names, rows).tobytes()


def _rows(
    table: Table, texts: tuple[tuple[str, bytes], ...], names: Sequence[bytes], ticks: Ticks
) -> NDArray[np.uint8]:
    layout = _layout(table, texts)
    length = len(dict(texts)["instrument"])
    rows = np.empty((len(ticks), len(layout.template)), dtype=np.uint8)
    rows[:] = np.frombuffer(layout.template, dtype=np.uint8)
    if length:
        characters = np.frombuffer(b"".join(name.ljust(length)[:length] for name in names), dtype=np.uint8)
        named = characters.reshape(len(names), length)[ticks["instrument"]]
        rows[:, layout.name_at : layout.name_at + length] = named
    numbers = rows.view(layout.numbers)[:, 0]
    for name in layout.numbers.names or ():
        if name == "event_time":
            numbers[name] = (ticks["event_ns"] - PG_EPOCH_NS) // 1000
        else:
            numbers[name] = ticks[_LEVEL_FIELDS.get(name, name)]
    return rows


class _Layout:
    """Of rows with the given texts: the bytes that do not vary, where the name goes, and the numbers as a dtype."""

    def __init__(self, table: Table, constants: tuple[tuple[str, bytes], ...]) -> None:
        texts = dict(constants)
        template = bytearray(len(table.columns).to_bytes(2, "big"))
        offsets = {}
        for column in table.columns:
            value = texts[column] if column in texts else bytes(np.dtype(_NUMBERS[column]).itemsize)
            template += len(value).to_bytes(4, "big")
            offsets[column] = len(template)
            template += value
        numbers = [column for column in table.columns if column not in texts]
        self.template = bytes(template)
        self.name_at = offsets["instrument"]
        self.numbers = np.dtype(
            {
                "names": numbers,
                "formats": [_NUMBERS[name] for name in numbers],
                "offsets": [offsets[name] for name in numbers],
                "itemsize": len(template),
            }
        )


@lru_cache(maxsize=256)
def _layout(table: Table, texts: tuple[tuple[str, bytes], ...]) -> _Layout:
    return _Layout(table, texts)


def _text(value: str) -> bytes:
    """UTF-8 without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "\ufffd").encode()
