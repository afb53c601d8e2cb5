"""Arrays of flat Avro records as NumPy columns, in one pass: the ticks of a block are never decoded one by one.

An Avro array is a row of blocks: a count, that many records one after another, and a count of zero at the end. A
negative count means its absolute value, followed by the block's size in bytes. A flat record is its fields in order:
int and long as zig-zag varints, float and double little-endian, boolean one byte.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.flat_avro import (
    BOOLEAN,
    DOUBLE,
    FLOAT,
    INT,
    LONG,
    ArrayFault,
    Bytes,
    Codes,
    byte_array,
    fault_text,
    number,
    read_rows,
    write_rows,
)
from pipelines.contracts.schemas import Json, Schema

SLACK = 8
"""Bytes after the last row, for a field that has no place in it."""

_CODES = {"int": INT, "long": LONG, "float": FLOAT, "double": DOUBLE, "boolean": BOOLEAN}
_DTYPES = {"int": "i4", "long": "i8", "float": "f4", "double": "f8", "boolean": "?"}
_LEAST_BYTES = {"int": 1, "long": 1, "float": 4, "double": 8, "boolean": 1}
_MOST_BYTES = {"int": 5, "long": 10, "float": 4, "double": 8, "boolean": 1}


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
        end = write_rows(flat, rows.size, self.dtype.itemsize, self._codes, self._offsets, out)
        return out[:end].tobytes()

    def read(self, data: bytes, start: int = 0) -> tuple[NDArray[np.void], int]:
        """The rows of the Avro array at `start`, shape (n,), and where it ends. Raises ArrayFault for anything else.

        No more is ever allocated than rows that the data could hold.
        """
        source = byte_array(data)
        position = start
        blocks: list[NDArray[np.void]] = []
        while True:
            count, size, position = self._block(source, position)
            if not count:
                break
            size_here = count * self.dtype.itemsize
            out = np.empty(size_here + SLACK, dtype=np.uint8)
            end, fault, row, column = read_rows(
                source, position, count, self.dtype.itemsize, self._codes, self._offsets, out
            )
            rows = out[:size_here].view(self.dtype)
            if fault:
                raise ArrayFault(f"row {_rows(blocks) + row}, {self.names[column]}: {fault_text(fault)}", end)
            if size is not None and end != position + size:
                raise ArrayFault(f"a block of {end - position} bytes that says it has {size}", position)
            blocks.append(rows)
            position = end
        if len(blocks) == 1:
            return blocks[0], position
        return np.concatenate(blocks) if blocks else np.empty(0, dtype=self.dtype), position

    def _block(self, source: Bytes, position: int) -> tuple[int, int | None, int]:
        """Rows of the next block, its size in bytes where it tells, and where the rows start."""
        count, after = number(source, position)
        size = None
        if count < 0:
            count = -count
            size, after = number(source, after)
        if count * self.least_bytes > source.size - after:
            raise ArrayFault(
                f"a block of {count} rows of at least {self.least_bytes} bytes, with {source.size - after} bytes left",
                position,
            )
        return count, size, after


@dataclass(frozen=True, slots=True)
class ResolvedColumns:
    """Reads `array<record>` as another schema of the record wrote it, as fast as our own, into rows of our `dtype`.

    Fields go by name: one that was not written has its default, one that we do not have is passed over.
    """

    dtype: np.dtype[np.void]
    _rows: Columns
    """Written as theirs, laid out as ours."""
    _defaults: tuple[tuple[str, bool | int | float], ...]

    @classmethod
    def of(cls, reader: Schema, writer: Schema) -> "ResolvedColumns":
        """Of two flat record schemas. Raises TypeError, naming the field, where one is not, or a type is another."""
        ours, theirs = Columns.of(reader), Columns.of(writer)
        kinds = {str(each["name"]): each["type"] for each in _fields(writer)}
        defaults: list[tuple[str, bool | int | float]] = []
        for each in _fields(reader):
            name, default = str(each["name"]), each.get("default")
            if name in kinds:
                if kinds[name] != each["type"]:
                    raise TypeError(f"{reader['name']}.{name}: {kinds[name]} was written, {each['type']} is a column")
            elif isinstance(default, bool | int | float):
                defaults.append((name, default))
            else:
                raise TypeError(f"{reader['name']}.{name}: it was not written, and has no default")
        places = dict(zip(ours.names, ours._offsets, strict=True))
        # What has no place here is written over the beginning of the next row, which is written after it: no branch.
        offsets = [places.get(name, ours.dtype.itemsize) for name in theirs.names]
        rows = replace(theirs, dtype=ours.dtype, _offsets=np.array(offsets, dtype=np.int64))
        return cls(ours.dtype, rows, tuple(defaults))

    def read(self, data: bytes, start: int = 0) -> tuple[NDArray[np.void], int]:
        """As `Columns.read`."""
        rows, end = self._rows.read(data, start)
        for name, default in self._defaults:
            rows[name] = default
        return rows, end


def _fields(schema: Schema) -> list[dict[str, Json]]:
    fields = schema["fields"]
    assert isinstance(fields, list)
    return [each for each in fields if isinstance(each, dict)]


def _flat(schema: Schema, each: dict[str, Json]) -> str:
    kind = each["type"]
    if not isinstance(kind, str) or kind not in _CODES:
        raise TypeError(f"{schema['name']}.{each['name']}: only {', '.join(_CODES)} can be a column, not {kind}")
    return kind


def _rows(blocks: list[NDArray[np.void]]) -> int:
    return sum(block.size for block in blocks)
