"""The symbols of a session, numbered as they come, in a table that the reading kernel looks them up in."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.feeds.protocols.frame_kernel import Names

_HASH_START = 14695981039346656037
_HASH_STEP = 1099511628211
_BITS = (1 << 64) - 1


def symbol_hash(name: bytes) -> int:
    """FNV-1a of 64 bits, odd so that it is never 0: what the kernel computes."""
    value = _HASH_START
    for character in name:
        value = ((value ^ character) * _HASH_STEP) & _BITS
    return value | 1


class Symbols:
    """Numbers from 0 for the listed symbols, in the order of their first message."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self._index = index
        self._numbers: dict[str, int] = {}
        self.names = _table({})

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def number(self, name: str) -> int:
        """A symbol's number; -1 where it is not listed."""
        known = self._numbers.get(name)
        if known is not None:
            return known
        if self._index.get(name, -1) < 0:
            return -1
        self._numbers[name] = len(self._numbers)
        if 2 * len(self._numbers) > len(self.names.hashes):
            self.names = _table(self._numbers)
        else:
            _put(self.names, name.encode(), len(self._numbers) - 1)
            self.names = self.names._replace(text=_text(self._numbers))
        return self._numbers[name]

    def name(self, number: int) -> str:
        """The symbol of a number."""
        return list(self._numbers)[number]

    def instrument(self, name: str) -> int:
        """A symbol's place in the listing."""
        return self._index.get(name, -1)


def _text(numbers: Mapping[str, int]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer("".join(numbers).encode() or b"\0", np.uint8)


def _table(numbers: Mapping[str, int]) -> Names:
    size = 64
    while size < 4 * len(numbers):
        size *= 2
    spans = np.zeros((size, 2), np.int64)
    names = Names(np.zeros(size, np.uint64), np.zeros(size, np.int64), spans, _text(numbers))
    start = 0
    for name, number in numbers.items():
        _put(names, name.encode(), number, start)
        start += len(name)
    return names


def _put(names: Names, name: bytes, number: int, start: int | None = None) -> None:
    begin = int(names.spans[:, 1].max()) if start is None else start
    value = symbol_hash(name)
    slot = (value >> 8) & (len(names.hashes) - 1)
    while names.hashes[slot]:
        slot = (slot + 1) & (len(names.hashes) - 1)
    names.hashes[slot] = value
    names.ids[slot] = number
    names.spans[slot] = begin, begin + len(name)
