"""State too big to be written for each record: a base, and the records taken since. It is read by taking them again."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.operators.flink import BytesListState, BytesState, RuntimeContext, bytes_list_state, bytes_state

LEAST_BYTES = 256 * 1024
"""A journal below this is not worth a new base."""

TIMES_BASE = 4
"""How many times its base a journal grows to before the base is made anew."""

MOST_RECORDS = 4096

_HEAD = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as it was taken, and the two numbers that its taking left behind."""

    numbers: tuple[int, int]
    record: bytes


class Journal:
    """Of the key at hand: `base` and `entries` as they were left; `add` a record, `renew` the base when `due`."""

    def __init__(self, context: RuntimeContext, name: str) -> None:
        self._base: BytesState = context.get_state(bytes_state(name))
        self._entries: BytesListState = context.get_list_state(bytes_list_state(f"{name}-since"))

    def base(self) -> bytes | None:
        return self._base.value()

    def entries(self) -> Iterator[Entry]:
        for data in self._entries.get() or ():
            first, second = _HEAD.unpack_from(data)
            yield Entry((first, second), bytes(data[_HEAD.size :]))

    def add(self, entry: Entry) -> int:
        """Write a record down; its bytes."""
        self._entries.add(_HEAD.pack(*entry.numbers) + entry.record)
        return len(entry.record)

    def renew(self, base: bytes) -> None:
        """The whole state: the records until now are in it."""
        self._base.update(base)
        self._entries.clear()


@dataclass(slots=True)
class Size:
    """How big a journal has grown since its base."""

    base: int = 0
    bytes: int = 0
    records: int = 0

    def take(self, added: int) -> None:
        self.bytes += added
        self.records += 1

    @property
    def due(self) -> bool:
        """Whether the base is to be made anew."""
        return self.bytes > max(LEAST_BYTES, TIMES_BASE * self.base) or self.records >= MOST_RECORDS
