"""What a session's books are, as bytes: a version, then by symbol what was seen, levels, and updates kept."""

import struct
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipelines.domain.level_book import CHANGE, Changes
from pipelines.domain.level_books import LevelBooks
from pipelines.feeds.protocols.websocket.fields import Column
from pipelines.feeds.protocols.websocket.session_kernel import STATE, States

VERSION = 1

MOST_KEPT = 2000
"""Updates of a book kept while its snapshot is awaited; then the oldest go, and an older snapshot is of no use."""

_HEAD = struct.Struct("<BII")
_NAME = struct.Struct("<Hi")
_KEPT = struct.Struct("<qqqqI")

TakeLevels = Callable[[LevelBooks, int], None]
"""Puts the levels read into a book of a number."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An update of a book: its numbers, as `Column` says, and the levels."""

    first: int
    sequence: int
    previous: int
    event_ns: int
    changes: Changes

    @classmethod
    def of(cls, whole: np.ndarray[tuple[int], np.dtype[np.int64]], items: Changes, by_time: bool) -> "Kept":
        """A message of a batch, numbered by its time where nothing else numbers it; its levels are copied."""
        first, last = int(whole[Column.ITEMS]), int(whole[Column.ITEMS_END])
        wanted = (Column.FIRST, Column.SEQUENCE, Column.PREVIOUS, Column.EVENT)
        first_id, sequence, previous, event_ns = (int(whole[column]) for column in wanted)
        return cls(first_id, event_ns if by_time else sequence, previous, event_ns, items[first:last].copy())


def dump_books(names: Sequence[str], states: States, books: LevelBooks, kept: Mapping[int, Sequence[Kept]]) -> bytes:
    """All symbols of a session, in their order; nothing where there is none."""
    if not names:
        return b""
    parts = [_HEAD.pack(VERSION, len(names), int(books.digits))]
    for number, name in enumerate(names):
        updates = kept.get(number)
        parts.append(_NAME.pack(len(name), -1 if updates is None else len(updates)))
        parts.extend((name.encode(), states[number].tobytes(), books.dump(number)))
        for each in updates or ():
            parts.append(_KEPT.pack(each.first, each.sequence, each.previous, each.event_ns, len(each.changes)))
            parts.append(each.changes.tobytes())
    return b"".join(parts)


def load_books(data: bytes, digits: bool) -> Iterator[tuple[str, np.void, deque[Kept] | None, TakeLevels]]:
    """By symbol: its name, its state, the updates kept, and what puts its levels into a book. ValueError for bytes that
    `dump_books` did not write."""
    if not data:
        return
    try:
        version, count, with_digits = _HEAD.unpack_from(data)
        if version != VERSION or bool(with_digits) != digits:
            raise ValueError(f"version {version}, this code reads {VERSION}")
        rest = memoryview(data)[_HEAD.size :]
        for _ in range(count):
            size, updates = _NAME.unpack_from(rest)
            name = bytes(rest[_NAME.size : _NAME.size + size]).decode()
            rest = rest[_NAME.size + size :]
            state = np.frombuffer(rest, STATE, 1)[0]
            levels = rest[STATE.itemsize :]
            rest = LevelBooks.skip(levels, digits)
            kept = None if updates < 0 else deque[Kept](maxlen=MOST_KEPT)
            for _ in range(updates):
                first, sequence, previous, event_ns, count = _KEPT.unpack_from(rest)
                taken = np.frombuffer(rest, CHANGE, count, _KEPT.size)
                rest = rest[_KEPT.size + taken.nbytes :]
                assert kept is not None
                kept.append(Kept(first, sequence, previous, event_ns, taken.copy()))
            yield name, state, kept, partial(_take, levels)
        if len(rest):
            raise ValueError(f"{len(rest)} bytes too many")
    except (struct.error, ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"state of a session's books: {len(data)} bytes: {error}") from error


def _take(levels: memoryview, books: LevelBooks, number: int) -> None:
    books.load(number, levels)
