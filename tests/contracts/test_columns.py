"""Arrays of flat records as columns, held to fastavro both ways, on good bytes and on bad."""

import io
import math
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.contracts.columns import Columns
from pipelines.contracts.flat_avro import ArrayFault
from pipelines.contracts.schemas import load, parse

INT = st.integers(-(2**31), 2**31 - 1)
LONG = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": INT | st.sampled_from([0, -1, 63, 64, -64, -65, 2**31 - 1, -(2**31)]),
    "long": LONG | st.sampled_from([0, -1, 2**63 - 1, -(2**63), 2**31, -(2**31) - 1]),
    "float": st.floats(width=32),
    "double": st.floats(),
    "boolean": st.booleans(),
}
LAW = settings(max_examples=60, deadline=None)


def record_of(kinds: list[str]) -> Any:
    return parse(
        {
            "type": "record",
            "name": "t.Flat",
            "fields": [{"name": f"f{i}", "type": kind} for i, kind in enumerate(kinds)],
        }
    )


def rows_of(kinds: list[str]) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    return st.lists(st.tuples(*(VALUES[kind] for kind in kinds)), max_size=20)


records_and_rows = (
    st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=8)
    .flatmap(lambda kinds: st.tuples(st.just(kinds), rows_of(kinds)))
    .map(lambda drawn: (record_of(drawn[0]), drawn[1]))
)


def reference(schema: Any, rows: list[tuple[Any, ...]]) -> bytes:
    out = io.BytesIO()
    names = [field["name"] for field in schema["fields"]]
    items = [dict(zip(names, row, strict=True)) for row in rows]
    fastavro.schemaless_writer(out, {"type": "array", "items": schema}, items)
    return out.getvalue()


def same_bits(first: NDArray[np.void], second: NDArray[np.void]) -> bool:
    return first.dtype == second.dtype and first.tobytes() == second.tobytes()


def varint(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


TICK_COLUMNS = Columns.of(load("helios.market.Tick"))
PAIR = Columns.of(record_of(["int", "double"]))
ROW = varint(5) + b"\0" * 8


@LAW
@given(records_and_rows)
def test_what_fastavro_writes_reads_as_the_same_rows(drawn: tuple[Any, list[tuple[Any, ...]]]) -> None:
    schema, rows = drawn
    columns, data = Columns.of(schema), reference(schema, rows)
    read, end = columns.read(b"before" + data + b"after", 6)
    assert end == 6 + len(data)
    assert same_bits(read, np.array(rows, dtype=columns.dtype))


@LAW
@given(records_and_rows)
def test_what_is_written_is_byte_for_byte_what_fastavro_writes(drawn: tuple[Any, list[tuple[Any, ...]]]) -> None:
    schema, rows = drawn
    columns = Columns.of(schema)
    assert columns.write(np.array(rows, dtype=columns.dtype)) == reference(schema, rows)


@LAW
@given(records_and_rows, st.data())
def test_any_cut_in_blocks_reads_the_same_with_or_without_their_sizes(
    drawn: tuple[Any, list[tuple[Any, ...]]], data: st.DataObject
) -> None:
    schema, rows = drawn
    columns, out, rest = Columns.of(schema), b"", rows
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        block, rest = rest[:cut], rest[cut:]
        body = reference(schema, block)[len(varint(cut)) : -1]
        sized = data.draw(st.booleans())
        out += (varint(-cut) + varint(len(body)) if sized else varint(cut)) + body
    read, end = columns.read(out + b"\0")
    assert end == len(out) + 1
    assert same_bits(read, np.array(rows, dtype=columns.dtype))


@LAW
@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_a_fault(data: bytes) -> None:
    rows, position = read_or_fault(data)
    assert 0 <= position <= len(data)
    assert rows * TICK_COLUMNS.least_bytes <= position


@LAW
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_gives_rows_or_a_fault(position: int, byte: int) -> None:
    data = bytearray(TICK_COLUMNS.write(some_ticks(40)))
    data[position % len(data)] = byte
    rows, end = read_or_fault(bytes(data))
    assert 0 <= end <= len(data)
    assert rows <= 40


def test_a_truncated_array_is_a_fault_wherever_it_is_cut() -> None:
    data = TICK_COLUMNS.write(some_ticks(5))
    for size in range(len(data)):
        with pytest.raises(ArrayFault):
            TICK_COLUMNS.read(data[:size])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "byte 0: the value ends too early"),
        (varint(1), "byte 0: a block of 1 rows of at least 9 bytes, with 0 bytes left"),
        (varint(2**62) + ROW, "byte 0: a block of 4611686018427387904 rows of at least 9 bytes, with 9 bytes left"),
        (varint(-(2**63)) + varint(9) + ROW, "byte 0: a block of 9223372036854775808 rows"),
        (varint(-1) + varint(8) + ROW + b"\0", "byte 2: a block of 9 bytes that says it has 8"),
        (varint(-1) + varint(-9) + ROW + b"\0", "byte 2: a block of 9 bytes that says it has -9"),
        (b"\xff" * 30, "byte 0: a number of more than 64 bits"),
        (varint(1) + b"\x80" * 10 + b"\x01" + ROW, "byte 1: row 0, f0: a number of more than 64 bits"),
        (varint(1) + varint(2**31) + b"\0" * 8, "byte 1: row 0, f0: a number out of the range of int"),
        (varint(1) + varint(-(2**31) - 1) + b"\0" * 8, "byte 1: row 0, f0: a number out of the range of int"),
        (varint(2) + ROW + b"\x80\x80" + b"\0" * 7, "byte 13: row 1, f1: the value ends too early"),
        (varint(1) + ROW + varint(1) + ROW, "byte 20: the value ends too early"),
        (varint(1) + ROW + varint(1) + b"\x80" * 8 + b"\xff", "byte 11: row 1, f0: the value ends too early"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_fault_says_where_it_is_and_what(data: bytes, fault: str) -> None:
    with pytest.raises(ArrayFault) as error:
        PAIR.read(data)
    assert str(error.value).startswith(fault)


def test_a_boolean_is_nothing_but_0_or_1() -> None:
    columns = Columns.of(record_of(["boolean"]))
    assert columns.read(b"\x04\x00\x01\x00")[0]["f0"].tolist() == [False, True]
    with pytest.raises(ArrayFault, match="byte 2: row 1, f0: neither 0 nor 1 for a boolean"):
        columns.read(b"\x04\x00\x02\x00")


def test_a_bad_row_after_good_blocks_is_counted_over_all_of_them() -> None:
    with pytest.raises(ArrayFault, match="row 3, f0"):
        PAIR.read(varint(3) + ROW * 3 + varint(1) + varint(2**40) + b"\0" * 8)


def test_rows_need_not_lie_side_by_side() -> None:
    ticks = some_ticks(11)
    assert same_bits(TICK_COLUMNS.read(TICK_COLUMNS.write(ticks[::-2]))[0], ticks[::-2].copy())


def test_rows_read_are_the_readers_own() -> None:
    data = TICK_COLUMNS.write(some_ticks(2))
    TICK_COLUMNS.read(data)[0]["bid"] = 7.0
    assert TICK_COLUMNS.read(data)[0]["bid"].tolist() == some_ticks(2)["bid"].tolist()


def test_rows_of_another_type_or_shape_are_not_written() -> None:
    with pytest.raises(TypeError, match=r"t\.Flat: rows of"):
        PAIR.write(some_ticks(1))
    with pytest.raises(TypeError, match="shape"):
        TICK_COLUMNS.write(some_ticks(4).reshape(2, 2))


def test_a_record_that_is_not_flat_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"helios\.market\.Bar\.kind: only int, long, float, double, boolean can be"):
        Columns.of(load("helios.market.Bar"))
    with pytest.raises(TypeError, match="a record schema with fields expected"):
        Columns.of({"type": "record", "name": "t.Empty", "fields": []})


def read_or_fault(data: bytes) -> tuple[int, int]:
    """How many rows were read, and where they end, or where the fault is."""
    try:
        rows, end = TICK_COLUMNS.read(data)
    except ArrayFault as fault:
        return 0, fault.position
    return rows.size, end


def some_ticks(count: int) -> NDArray[np.void]:
    rng = np.random.default_rng(7)
    ticks = np.zeros(count, TICK_COLUMNS.dtype)
    ticks["sequence"] = np.arange(count) * 1_000_003
    ticks["instrument"] = rng.integers(-1, 400, count)
    ticks["event_ns"] = 1_700_000_000_000_000_000 + np.arange(count)
    for name in ("bid", "bid_size", "ask", "ask_size"):
        ticks[name] = rng.random(count) * math.pi
    return ticks
