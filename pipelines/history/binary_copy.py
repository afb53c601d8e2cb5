"""PostgreSQL's binary COPY format, whole columns at a time.

A row is a count of fields, then each field's length and its bytes, big-endian; a null has the length -1 and no bytes
(PostgreSQL manual, COPY, "Binary Format"). Rows whose texts are equally long and whose nulls are the same have the same
layout: one template, tiled, with the columns that vary written over it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

HEAD = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TAIL = b"\xff\xff"

_PG_EPOCH_NS = 946_684_800_000_000_000
"""2000-01-01 in Unix ns: where PostgreSQL's timestamps start."""


def timestamps(ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Unix ns as timestamptz has it: microseconds, cut downwards."""
    return (ns - _PG_EPOCH_NS) // 1000


def stored_text(value: str) -> bytes:
    """UTF-8 without the one character that PostgreSQL's text cannot hold."""
    return value.replace("\x00", "\ufffd").encode()


class RowLayout:
    """Of rows with the given constants (None: null), one text that varies in a fixed length, and numbers."""

    def __init__(
        self,
        columns: Sequence[str],
        constants: Mapping[str, bytes | None],
        name: tuple[str, int],
        formats: Mapping[str, str],
    ) -> None:
        """`name`: the column of the text that varies, and its length; `formats`: of numbers, NumPy's, by column."""
        template = bytearray(len(columns).to_bytes(2, "big"))
        offsets = {}
        for column in columns:
            value = constants[column] if column in constants else bytes(_width(column, name, formats))
            template += (-1 if value is None else len(value)).to_bytes(4, "big", signed=True)
            offsets[column] = len(template)
            template += value or b""
        numbers = [column for column in columns if column not in constants and column != name[0]]
        self._template = np.frombuffer(bytes(template), dtype=np.uint8)
        self._at, self._length = offsets[name[0]], name[1]
        self._numbers = np.dtype(
            {
                "names": numbers,
                "formats": [formats[column] for column in numbers],
                "offsets": [offsets[column] for column in numbers],
                "itemsize": len(template),
            }
        )
        self.numbers = tuple(numbers)

    def rows(
        self, names: Sequence[bytes], which: NDArray[np.int64], numbers: Mapping[str, NDArray[np.generic]]
    ) -> bytes:
        """Rows with the name of each, `which` says of `names`, all of those of the layout's length; and its numbers."""
        made = np.empty((len(which), len(self._template)), dtype=np.uint8)
        made[:] = self._template
        if self._length:
            letters = np.frombuffer(
                b"".join(each.ljust(self._length)[: self._length] for each in names), dtype=np.uint8
            )
            made[:, self._at : self._at + self._length] = letters.reshape(len(names), self._length)[which]
        fields = made.view(self._numbers)[:, 0]
        for column in self.numbers:
            fields[column] = numbers[column]
        return made.tobytes()


def _width(column: str, name: tuple[str, int], formats: Mapping[str, str]) -> int:
    return name[1] if column == name[0] else np.dtype(formats[column]).itemsize
