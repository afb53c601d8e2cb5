"""Avro's numbers, and rows of them, in compiled code that never reads past the end of what it is given.

One kernel serves every record: it walks a table of field types and offsets, so that it is compiled once and cached on
disk. Source generated for each record would be no faster to speak of, and slower to start in each TaskManager. All
kernels are in this file, because numba's cache does not notice a change of a kernel that one calls in another.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Codes = NDArray[np.int64]
Kernel = TypeVar("Kernel", bound=Callable[..., object])

INT, LONG, FLOAT, DOUBLE, BOOLEAN = 0, 1, 2, 3, 4
"""Types of fields, as the kernels are told them."""

NONE, TRUNCATED, OVERLONG, INT_RANGE, NOT_BOOLEAN = 0, 1, 2, 3, 4
"""What can be wrong at a position, as the kernels tell it."""

_SAYS = {
    TRUNCATED: "the value ends too early",
    OVERLONG: "a number of more than 64 bits",
    INT_RANGE: "a number out of the range of int",
    NOT_BOOLEAN: "neither 0 nor 1 for a boolean",
}


class ArrayFault(ValueError):
    """Bytes that are not the Avro array they should be: the `reason`, and the `position` of the byte at fault."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"byte {position}: {reason}")
        self.reason = reason
        self.position = position


def fault_text(fault: int) -> str:
    return _SAYS[fault]


def byte_array(data: bytes) -> Bytes:
    """Bytes as the kernels take them: not to be written to."""
    source = np.frombuffer(data, dtype=np.uint8)
    source.setflags(write=False)
    return source


def number(source: Bytes, position: int) -> tuple[int, int]:
    """The varint at a position, and the position after it. Raises ArrayFault."""
    value, after, fault = read_varint(source, position)
    if fault:
        raise ArrayFault(fault_text(fault), position)
    return int(value), int(after)


def compiled(function: Kernel) -> Kernel:
    """Compiled on the first call and kept on disk; runs without Python's lock."""
    return cast(Kernel, njit(nogil=True, cache=True)(function))


def _at(context: Any, builder: Any, array_type: Any, array: Any, offset: Any, kind: Any) -> Any:
    """The address of a byte of an array, as one of a `kind`."""
    first = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(first, [offset]), context.get_value_type(kind).as_pointer())


def _store(typing: Any, array: Any, offset: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _at(context, builder, array, arguments[0], arguments[1], value), align=1)
        return context.get_dummy_value()

    return types.void(array, types.intp, value), build


def _load(kind: Any) -> Callable[..., Any]:
    def load(typing: Any, array: Any, offset: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(_at(context, builder, array, arguments[0], arguments[1], kind), align=1)

        return kind(array, types.intp), build

    return load


store: Callable[[Bytes, int, np.int64 | np.int32], None] = intrinsic(_store)
load_8: Callable[[Bytes, int], np.int64] = intrinsic(_load(types.int64))
load_4: Callable[[Bytes, int], np.int32] = intrinsic(_load(types.int32))
"""Words at any byte of an array, aligned or not: byte by byte, rows take twice as long. Bounds are the caller's."""


@compiled
def read_varint(source: Bytes, position: int) -> tuple[np.int64, int, int]:
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


@compiled
def read_rows(
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
                value, after, fault = read_varint(source, position)
                if fault != NONE:
                    return position, fault, row, column
                if code == LONG:
                    store(out, slot, value)
                elif -0x80000000 <= value <= 0x7FFFFFFF:
                    store(out, slot, np.int32(value))
                else:
                    return position, INT_RANGE, row, column
                position = after
                continue
            width = 8 if code == DOUBLE else 4 if code == FLOAT else 1
            if position + width > end:
                return position, TRUNCATED, row, column
            if code == DOUBLE:
                store(out, slot, load_8(source, position))
            elif code == FLOAT:
                store(out, slot, load_4(source, position))
            elif source[position] > 1:
                return position, NOT_BOOLEAN, row, column
            else:
                out[slot] = source[position]
            position += width
    return position, NONE, 0, 0


@compiled
def write_varint(out: Bytes, position: int, value: int | np.int64) -> int:
    raw = np.uint64((value << 1) ^ (value >> 63))
    while raw > 0x7F:
        out[position] = (raw & np.uint64(0x7F)) | np.uint64(0x80)
        raw >>= np.uint64(7)
        position += 1
    out[position] = raw
    return position + 1


@compiled
def write_rows(rows: Bytes, count: int, row_bytes: int, codes: Codes, offsets: Codes, out: Bytes) -> int:
    """Write one block of `count` rows and the closing zero; how many bytes of `out` that took."""
    position = write_varint(out, 0, count)
    for row in range(count):
        base = row * row_bytes
        for column in range(codes.size):
            code = codes[column]
            slot = base + offsets[column]
            if code == LONG:
                position = write_varint(out, position, load_8(rows, slot))
            elif code == INT:
                position = write_varint(out, position, np.int64(load_4(rows, slot)))
            elif code == DOUBLE:
                store(out, position, load_8(rows, slot))
                position += 8
            elif code == FLOAT:
                store(out, position, load_4(rows, slot))
                position += 4
            else:
                out[position] = rows[slot]
                position += 1
    return write_varint(out, position, 0)


@compiled
def end_of_strings(source: Bytes, position: int) -> tuple[int, int]:
    """Where the array of strings at `position` ends, or where it is at fault; and the fault."""
    while True:
        count, after, fault = read_varint(source, position)
        if fault == NONE and count < 0:
            count = -count
            _, after, fault = read_varint(source, after)
        if fault != NONE:
            return position, fault
        position = after
        if count == 0:
            return position, NONE
        for _ in range(int(count)):
            size, after, fault = read_varint(source, position)
            if fault != NONE:
                return position, fault
            if size < 0 or size > source.size - after:
                return position, TRUNCATED
            position = int(after + size)
