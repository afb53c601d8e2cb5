"""Ticks in PostgreSQL's binary COPY format, whole columns at a time.

A row of that format is a count of fields, then each field's length and its bytes, big-endian (PostgreSQL manual, COPY,
"Binary Format"). Rows whose texts are equally long have the same layout: one template, tiled, with the columns that
vary written over it. So a batch is cut into a few classes, by kind and by length of the instrument's name.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import TICK, Flag, Kind, Ticks
from pipelines.history.tables import TICKS

HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TAIL = b"\xff\xff"

KIND_NAMES = {int(Kind.QUOTE): "quote", int(Kind.TRADE): "trade"}
"""Rows of other kinds only move time; they are not kept."""

_PG_EPOCH_US = 946_684_800_000_000
"""2000-01-01 in Unix microseconds: where PostgreSQL's timestamps start."""

_TEXTS = ("session_id", "venue", "feed_session", "instrument", "kind")
_NUMBERS = {
    "sequence": ">i8",
    "event_time": ">i8",
    "flags": ">i4",
    **dict.fromkeys(("event_ns", "receive_ns", "frame"), ">i8"),
    **dict.fromkeys(("bid", "bid_size", "ask", "ask_size"), ">f8"),
}


def home(instruments: Sequence[str], ticks: Ticks) -> Ticks:
    """The rows of a block that are kept: quotes and trades in their home shard's copy.

    Raises ValueError where one of them names an instrument that the block has not.
    """
    kinds = ticks["kind"]
    kept: Ticks = ticks[((ticks["flags"] & int(Flag.HOME)) != 0) & ((kinds == Kind.QUOTE) | (kinds == Kind.TRADE))]
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


def copy_stream(
    session_id: str, venue: str, feed_session: str, instruments: Sequence[str], ticks: Ticks
) -> Iterator[bytes]:
    """Rows of COPY for what `merge` gave: a piece for each class of equal layout, without head and tail."""
    names = [_text(name) for name in instruments]
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    for kind, word in KIND_NAMES.items():
        of_kind = ticks[ticks["kind"] == kind]
        length_of = lengths[of_kind["instrument"]]
        for length in np.unique(length_of):
            every = length_of == length
            rows = of_kind if every.all() else of_kind[every]
            constants = (_text(session_id), _text(venue), _text(feed_session), bytes(length), _text(word))
            yield _rows(constants, names, rows).tobytes()


def _rows(constants: tuple[bytes, ...], names: Sequence[bytes], ticks: Ticks) -> NDArray[np.uint8]:
    layout = _layout(constants)
    length = len(constants[_TEXTS.index("instrument")])
    rows = np.empty((len(ticks), len(layout.template)), dtype=np.uint8)
    rows[:] = np.frombuffer(layout.template, dtype=np.uint8)
    if length:
        table = np.frombuffer(b"".join(name.ljust(length)[:length] for name in names), dtype=np.uint8)
        rows[:, layout.name_at : layout.name_at + length] = table.reshape(len(names), length)[ticks["instrument"]]
    numbers = rows.view(layout.numbers)[:, 0]
    for name in _NUMBERS:
        numbers[name] = ticks[name] if name != "event_time" else ticks["event_ns"] // 1000 - _PG_EPOCH_US
    return rows


class _Layout:
    """Of rows with the given texts: the bytes that do not vary, where the name goes, and the numbers as a dtype."""

    def __init__(self, constants: tuple[bytes, ...]) -> None:
        texts = dict(zip(_TEXTS, constants, strict=True))
        template = bytearray(len(TICKS.columns).to_bytes(2, "big"))
        offsets = {}
        for column in TICKS.columns:
            value = texts[column] if column in texts else bytes(np.dtype(_NUMBERS[column]).itemsize)
            template += len(value).to_bytes(4, "big")
            offsets[column] = len(template)
            template += value
        self.template = bytes(template)
        self.name_at = offsets["instrument"]
        self.numbers = np.dtype(
            {
                "names": list(_NUMBERS),
                "formats": list(_NUMBERS.values()),
                "offsets": [offsets[name] for name in _NUMBERS],
                "itemsize": len(template),
            }
        )


@lru_cache(maxsize=256)
def _layout(constants: tuple[bytes, ...]) -> _Layout:
    return _Layout(constants)


def _text(value: str) -> bytes:
    """UTF-8 without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "\ufffd").encode()
