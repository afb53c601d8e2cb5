"""Arrays of flat Avro records as NumPy columns, in one pass: the ticks of a block are never decoded one by one.

An Avro array is a row of blocks: a count, that many records one after another, and a count of zero at the end. A
negative count means its absolute value, followed by the block's size in bytes. A flat record is its fields in order:
int and long as zig-zag varints, float and double little-endian, boolean one byte.

One kernel serves every record: it walks a table of field types and offsets, so that it is compiled once and cached.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipelines.contracts.schemas import Json, Schema

Bytes = NDArray[np.uint8]
Codes = NDArray[np.int64]
Kernel = TypeVar("Kernel", bound=Callable[..., object])

INT, LONG, FLOAT, DOUBLE, BOOLEAN = 0, 1, 2, 3, 4

_CODES = {"int": INT, "long": LONG, "float": FLOAT, "double": DOUBLE, "boolean": BOOLEAN}
_DTYPES = {"int": "i4", "long": "i8", "float": "f4", "double": "f8", "boolean": "?"}
_LEAST_BYTES = {"int": 1, "long": 1, "float": 4, "double": 8, "boolean": 1}
_MOST_BYTES = {"int": 5, "long": 10, "float": 4, "double": 8, "boolean": 1}


NONE, TRUNCATED, OVERLONG, INT_RANGE, NOT_BOOLEAN = 0, 1, 2, 3, 4

_SAYS = {
    TRUNCATED: "the value ends too early",
    OVERLONG: "a number of more than 64 bits",
    INT_RANGE: "a number out of the range of int",
    NOT_BOOLEAN: "neither 0 nor 1 for a boolean",
}


class ColumnFault(ValueError):
    """Bytes that are not an array of the record; `position` is that of the byte at fault in the data."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"byte {position}: {message}")
        self.position = position


@dataclass(frozen=True, slots=True)
class Columns:
    """Reads and writes `array<record>` as structured arrays of `dtype`, field for field the record."""

    record: str
    dtype: np.dtype[np.void]
    names: tuple[str, ...]
    least_bytes: int
    most_bytes: int
    _codes: Codes = field(repr=False)
    _offsets: Codes = field(repr=False)

    @classmethod
    def of(cls, schema: Schema) -> "Columns":
        """Of a flat record schema. Raises TypeError, naming the field, for one that is not."""
        fields = schema.get("fields")
        if schema.get("type") != "record" or not isinstance(fields, list) or not fields:
            raise TypeError(f"a record schema with fields expected, not {schema.get('name', schema)}")
        kinds = {str(each["name"]): _flat(schema, each) for each in fields if isinstance(each, dict)}
        dtype = np.dtype([(name, _DTYPES[kind]) for name, kind in kinds.items()])
        assert dtype.fields is not None
        return cls(
            record=str(schema["name"]),
            dtype=dtype,
            names=tuple(kinds),
            least_bytes=sum(_LEAST_BYTES[kind] for kind in kinds.values()),
            most_bytes=sum(_MOST_BYTES[kind] for kind in kinds.values()),
            _codes=np.array([_CODES[kind] for kind in kinds.values()], dtype=np.int64),
            _offsets=np.array([dtype.fields[name][1] for name in kinds], dtype=np.int64),
        )

    def write(self, rows: NDArray[np.void]) -> bytes:
        """The Avro array of `rows`, shape (n,), as one block. Raises TypeError for rows of another dtype or shape."""
        if rows.dtype != self.dtype or rows.ndim != 1:
            raise TypeError(
                f"{self.record}: rows of {self.dtype} and shape (n,) expected, not {rows.dtype}, {rows.shape}"
            )
        if not rows.size:
            return b"\x00"
        out = np.empty(10 + rows.size * self.most_bytes + 1, dtype=np.uint8)
        flat = np.ascontiguousarray(rows).view(np.uint8)
        flat.setflags(write=False)
        end = _write_rows(flat, rows.size, self.dtype.itemsize, self._codes, self._offsets, out)
        return out[:end].tobytes()

    def read(self, data: bytes, start: int = 0) -> tuple[NDArray[np.void], int]:
        """The rows of the Avro array at `start`, shape (n,), and where it ends. Raises ColumnFault for anything else.

        No more is ever allocated than rows that the data could hold.
        """
        source = np.frombuffer(data, dtype=np.uint8)
        source.setflags(write=False)
        position = start
        blocks: list[NDArray[np.void]] = []
        while True:
            count, size, position = self._block(source, position)
            if not count:
                break
            rows = np.empty(count, dtype=self.dtype)
            end, fault, row, column = _read_rows(
                source, position, count, self.dtype.itemsize, self._codes, self._offsets, rows.view(np.uint8)
            )
            if fault:
                raise ColumnFault(f"row {_rows(blocks) + row}, {self.names[column]}: {_SAYS[fault]}", end)
            if size is not None and end != position + size:
                raise ColumnFault(f"a block of {end - position} bytes that says it has {size}", position)
            blocks.append(rows)
            position = end
        if len(blocks) == 1:
            return blocks[0], position
        return np.concatenate(blocks) if blocks else np.empty(0, dtype=self.dtype), position

    def _block(self, source: Bytes, position: int) -> tuple[int, int | None, int]:
        """Rows of the next block, its size in bytes where it tells, and where the rows start."""
        count, after = _number(source, position, "the count of a block")
        size = None
        if count < 0:
            count = -count
            size, after = _number(source, after, "the size of a block")
        if count * self.least_bytes > source.size - after:
            raise ColumnFault(
                f"a block of {count} rows of at least {self.least_bytes} bytes, with {source.size - after} bytes left",
                position,
            )
        return count, size, after


def _flat(schema: Schema, each: dict[str, Json]) -> str:
    kind = each["type"]
    if not isinstance(kind, str) or kind not in _CODES:
        raise TypeError(f"{schema['name']}.{each['name']}: only {', '.join(_CODES)} can be a column, not {kind}")
    return kind


def _rows(blocks: list[NDArray[np.void]]) -> int:
    return sum(block.size for block in blocks)


def _number(source: Bytes, position: int, what: str) -> tuple[int, int]:
    value, after, fault = _read_varint(source, position)
    if fault:
        raise ColumnFault(f"{what}: {_SAYS[fault]}", position)
    return int(value), int(after)


def _compiled(function: Kernel) -> Kernel:
    """Compiled on the first call and kept on disk; runs without Python's lock."""
    return cast(Kernel, njit(nogil=True, cache=True)(function))


@_compiled
def _read_varint(source: Bytes, position: int) -> tuple[np.int64, int, int]:
    """A zig-zag varint of at most 64 bits: the number, the position after it, and a fault."""
    raw = np.uint64(0)
    shift = np.uint64(0)
    while True:
        if position >= source.size:
            return np.int64(0), position, TRUNCATED
        byte = np.uint64(source[position])
        if shift == 63 and byte > 1:
            return np.int64(0), position, OVERLONG
        raw |= (byte & np.uint64(0x7F)) << shift
        position += 1
        if byte < 0x80:
            break
        shift += np.uint64(7)
    return np.int64(raw >> np.uint64(1)) ^ -np.int64(raw & np.uint64(1)), position, NONE


@_compiled
def _read_rows(
    source: Bytes, position: int, count: int, row_bytes: int, codes: Codes, offsets: Codes, out: Bytes
) -> tuple[int, int, int, int]:
    """Fill `out` with `count` rows: the position after them, or that of a fault; the fault; its row and column."""
    end = source.size
    for row in range(count):
        base = row * row_bytes
        for column in range(codes.size):
            code = codes[column]
            slot = base + offsets[column]
            if code in (INT, LONG):
                value, after, fault = _read_varint(source, position)
                if fault != NONE:
                    return position, fault, row, column
                if code == LONG:
                    for i in range(8):
                        out[slot + i] = (value >> (8 * i)) & 0xFF
                elif -0x80000000 <= value <= 0x7FFFFFFF:
                    for i in range(4):
                        out[slot + i] = (value >> (8 * i)) & 0xFF
                else:
                    return position, INT_RANGE, row, column
                position = after
                continue
            width = 8 if code == DOUBLE else 4 if code == FLOAT else 1
            if position + width > end:
                return position, TRUNCATED, row, column
            if code == DOUBLE:
                for i in range(8):
                    out[slot + i] = source[position + i]
            elif code == FLOAT:
                for i in range(4):
                    out[slot + i] = source[position + i]
            elif source[position] > 1:
                return position, NOT_BOOLEAN, row, column
            else:
                out[slot] = source[position]
            position += width
    return position, NONE, 0, 0


@_compiled
def _write_varint(out: Bytes, position: int, value: int | np.int64) -> int:
    raw = np.uint64((value << 1) ^ (value >> 63))
    while raw > 0x7F:
        out[position] = (raw & np.uint64(0x7F)) | np.uint64(0x80)
        raw >>= np.uint64(7)
        position += 1
    out[position] = raw
    return position + 1


@_compiled
def _write_rows(rows: Bytes, count: int, row_bytes: int, codes: Codes, offsets: Codes, out: Bytes) -> int:
    """Write one block of `count` rows and the closing zero; how many bytes of `out` that took."""
    position = _write_varint(out, 0, count)
    for row in range(count):
        base = row * row_bytes
        for column in range(codes.size):
            code = codes[column]
            slot = base + offsets[column]
            if code == LONG:
                value = np.int64(0)
                for i in range(8):
                    value |= np.int64(rows[slot + i]) << (8 * i)
                position = _write_varint(out, position, value)
            elif code == INT:
                narrow = np.uint32(0)
                for i in range(4):
                    narrow |= np.uint32(rows[slot + i]) << np.uint32(8 * i)
                position = _write_varint(out, position, np.int64(np.int32(narrow)))
            elif code == DOUBLE:
                for i in range(8):
                    out[position + i] = rows[slot + i]
                position += 8
            elif code == FLOAT:
                for i in range(4):
                    out[position + i] = rows[slot + i]
                position += 4
            else:
                out[position] = rows[slot]
                position += 1
    return _write_varint(out, position, 0)
