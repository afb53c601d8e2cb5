"""Blocks of ticks and records of frames: as written, by fastavro too, and what they refuse."""

import io
import json
import pickle
from dataclasses import replace

import fastavro
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.blocks import RECORD, BlockCodec, TickBlock
from pipelines.contracts.flat_avro import ArrayFault
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.names import read_names, write_names
from pipelines.contracts.schemas import Schema, avro_json, load, parse
from pipelines.contracts.wire import BadRecord, Codec, Record
from pipelines.domain.market import TICK, Kind

CODEC = BlockCodec(3)


def block(rows: int = 4, instruments: tuple[str, ...] = ("KO", "PEP", "Ünï")) -> TickBlock:
    ticks = np.zeros(rows, TICK)
    ticks["sequence"] = 10 + np.arange(rows)
    ticks["instrument"] = np.arange(rows) % (len(instruments) + 1) - 1
    ticks["kind"] = np.where(ticks["instrument"] < 0, Kind.HEARTBEAT, Kind.QUOTE)
    ticks["event_ns"] = 1_700_000_000_000_000_000
    ticks["bid"] = 1.5
    return TickBlock("sim", "session-1", 2, 1, 77, instruments, ticks)


def same(first: TickBlock, second: TickBlock) -> bool:
    header = [replace(each, ticks=None) for each in (first, second)]  # type: ignore[arg-type]
    names = TickBlock.__dataclass_fields__
    return (
        all(getattr(header[0], name) == getattr(header[1], name) for name in names)
        and first.ticks.dtype == second.ticks.dtype
        and first.ticks.tobytes() == second.ticks.tobytes()
    )


@pytest.mark.parametrize("rows", [0, 1, 500])
def test_a_block_is_read_as_it_was_written(rows: int) -> None:
    assert same(CODEC.decode(CODEC.encode(block(rows))), block(rows))


def test_a_block_is_byte_for_byte_the_record_that_fastavro_writes() -> None:
    ours = CODEC.encode(block())
    assert Codec(RECORD, 3).encode(Codec(RECORD, 3).decode(ours)) == ours
    assert [row["sequence"] for row in Codec(RECORD, 3).decode(ours)["ticks"]] == [10, 11, 12, 13]


def test_a_block_of_another_schema_is_resolved_to_the_same_rows() -> None:
    newer = load(RECORD)
    newer = parse(newer | {"fields": [*newer["fields"], {"name": "more", "type": "int", "default": 0}]})  # type: ignore[misc]
    data = written(newer, Codec(RECORD, 3).decode(CODEC.encode(block())))
    assert same(BlockCodec(3, {4: newer}.__getitem__).decode(data), block())


SPARE = st.sampled_from(["int", "long", "float", "double", "boolean"])
SPARES = st.lists(st.tuples(st.integers(0, 12), SPARE), max_size=4)
ZERO = {"int": 0, "long": 0, "float": 0.0, "double": 0.0, "boolean": False}
WITH_DEFAULT = ("code",)


@settings(max_examples=60, deadline=None)
@given(SPARES, SPARES, st.booleans(), st.integers(0, 9))
def test_ticks_of_any_schema_that_resolves_to_ours_are_columns_and_what_fastavro_reads(
    in_ticks: list[tuple[int, str]], in_block: list[tuple[int, str]], before_code: bool, rows: int
) -> None:
    theirs = schema_with(in_ticks, in_block, WITH_DEFAULT if before_code else ())
    data = written(theirs, Codec(RECORD, 3).decode(CODEC.encode(block(rows))))
    by_row = Codec(RECORD, 3, {4: theirs}.__getitem__).decode(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Codec, "decode", None)  # tick by tick
        read = BlockCodec(3, {4: theirs}.__getitem__).decode(data)
    assert read.ticks.dtype == TICK
    assert read.ticks.tolist() == [tuple(tick[name] for name in TICK.names or ()) for tick in by_row["ticks"]]
    assert same(replace(read, ticks=block(rows).ticks), block(rows))
    with pytest.raises(BadRecord):
        BlockCodec(3, {4: theirs}.__getitem__).decode(data[:-1])


@pytest.mark.parametrize(
    "spare",
    [{"name": "text", "type": "string", "default": ""}, {"name": "x", "type": ["null", "int"], "default": None}],
)
def test_ticks_that_are_not_flat_are_still_read(spare: dict[str, object]) -> None:
    theirs = json.loads(avro_json(RECORD))
    theirs["fields"][-1]["type"]["items"]["fields"].append(spare)
    schema = parse(theirs)
    data = written(schema, Codec(RECORD, 3).decode(CODEC.encode(block())))
    assert same(BlockCodec(3, {4: schema}.__getitem__).decode(data), block())


def test_a_promoted_column_is_still_read() -> None:
    theirs = json.loads(avro_json(RECORD))
    frame_field = next(each for each in theirs["fields"][-1]["type"]["items"]["fields"] if each["name"] == "frame")
    frame_field["type"] = "int"
    schema = parse(theirs)
    data = written(schema, Codec(RECORD, 3).decode(CODEC.encode(block())))
    assert same(BlockCodec(3, {4: schema}.__getitem__).decode(data), block())


def test_a_codec_that_has_met_another_schema_travels_by_pickle() -> None:
    theirs = schema_with([(3, "double")], [], ())
    data = written(theirs, Codec(RECORD, 3).decode(CODEC.encode(block())))
    codec = BlockCodec(3, {4: theirs}.__getitem__)
    codec.decode(data)
    assert same(pickle.loads(pickle.dumps(codec)).decode(data), block())


def schema_with(in_ticks: list[tuple[int, str]], in_block: list[tuple[int, str]], without: tuple[str, ...]) -> Schema:
    """Ours with more fields, each at its place, in ticks and in the block, and without some of ticks."""
    schema = json.loads(avro_json(RECORD))
    ticks = schema["fields"][-1]["type"]["items"]
    ticks["fields"] = [each for each in ticks["fields"] if each["name"] not in without]
    for fields, spares in ((ticks["fields"], in_ticks), (schema["fields"], in_block)):
        for number, (place, kind) in enumerate(spares):
            fields.insert(place, {"name": f"spare_{number}", "type": kind, "default": ZERO[kind]})
    return parse(schema)


def written(schema: Schema, record: Record) -> bytes:
    """A block's record as framed bytes of another schema, under id 4."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return b"\x00\x00\x00\x00\x04" + out.getvalue()


def test_a_number_too_large_for_its_column_is_a_bad_record_whoever_wrote_it() -> None:
    record = Codec(RECORD, 3).decode(CODEC.encode(block()))
    record["ticks"][2]["kind"] = 2**31
    newer = load(RECORD)
    newer = parse(newer | {"fields": [*newer["fields"], {"name": "more", "type": "int", "default": 0}]})  # type: ignore[misc]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, newer, record)
    with pytest.raises(BadRecord, match=r"field ticks: .*int"):
        BlockCodec(3, {4: newer}.__getitem__).decode(b"\x00\x00\x00\x00\x04" + out.getvalue())


def test_a_truncated_block_is_a_bad_record_wherever_it_is_cut() -> None:
    data = CODEC.encode(block())
    for size in range(len(data)):
        with pytest.raises(BadRecord):
            CODEC.decode(data[:size])


def test_a_bad_block_names_the_field_and_the_byte() -> None:
    data = CODEC.encode(block())
    with pytest.raises(BadRecord, match=r"helios\.market\.TickBlock \(schema id 3\): field ticks: byte \d+: .* of \d+"):
        CODEC.decode(data[:-3])
    with pytest.raises(BadRecord, match=r"field instruments: byte \d+: the value ends too early of 30"):
        CODEC.decode(data[:30])
    with pytest.raises(BadRecord, match="field session"):
        CODEC.decode(data[:12])
    with pytest.raises(BadRecord, match="nothing should follow it"):
        CODEC.decode(data + b"\0")


@settings(max_examples=100, deadline=None)
@given(st.integers(5, 400), st.integers(0, 255))
def test_a_changed_byte_gives_a_block_that_holds_together_or_a_bad_record(position: int, byte: int) -> None:
    data = bytearray(CODEC.encode(block()))
    data[position % len(data)] = byte
    try:
        read = CODEC.decode(bytes(data))
    except BadRecord:
        return
    assert all(index in range(-1, len(read.instruments)) for index in read.ticks["instrument"].tolist())


@pytest.mark.parametrize("index", [3, -2])
def test_an_instrument_that_the_block_does_not_name_is_refused(index: int) -> None:
    wrong = block()
    wrong.ticks["instrument"][1] = index
    with pytest.raises(BadRecord, match=f"field ticks: an instrument index of {index}, of 3 instruments"):
        CODEC.decode(CODEC.encode(wrong))


def test_the_codec_travels_by_pickle() -> None:
    assert same(pickle.loads(pickle.dumps(CODEC)).decode(CODEC.encode(block())), block())


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=70))
def test_names_are_written_and_read_as_fastavro_does(names: list[str]) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, {"type": "array", "items": "string"}, names)
    assert write_names(tuple(names)) == out.getvalue()
    assert read_names(b"--" + out.getvalue() + b"--", 2) == (tuple(names), 2 + len(out.getvalue()))


def test_names_in_several_blocks_with_sizes_are_read() -> None:
    assert read_names(b"\x02\x02A\x03\x08\x02B\x02C\x00") == (("A", "B", "C"), 10)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "byte 0: the value ends too early"),
        (b"\x02\x04A", "byte 1: the value ends too early"),
        (b"\x04\x02A\x01\x00", "byte 3: the value ends too early"),
        (b"\xfe\xff\xff\xff\x0f\x02A\x00", "byte 8: the value ends too early"),
        (b"\x01\x02\x02A", "byte 4: the value ends too early"),
        (b"\x80" * 20, "byte 0: a number of more than 64 bits"),
        (b"\x04\x02A\x06B\xffC\x00", "byte 5: string 1 is not UTF-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_names_that_are_none_are_a_fault_with_its_place(data: bytes, fault: str) -> None:
    for before in (b"", b"--"):
        with pytest.raises(ArrayFault) as error:
            read_names(before + data, len(before))
        assert error.value.position - len(before) == int(fault.split()[1].rstrip(":"))
        assert str(error.value).split(": ")[1] == fault.split(": ")[1]


FRAMES = RawFrames("sim", "s-1", 40, 5, False, (), [1, 2], [b"{}", b""])


@pytest.mark.parametrize(
    "raw",
    [
        FRAMES,
        RawFrames("sim", "s-1", 0, 5, symbols=("BTCUSDT", "ETHUSDT")),
        RawFrames("sim", "s-1", 42, 86_400_000_000_000, end=True),
    ],
)
def test_frames_hello_and_end_are_read_as_they_were_written(raw: RawFrames) -> None:
    assert FramesCodec(4).decode(FramesCodec(4).encode(raw)) == raw


def test_frames_without_a_receive_time_each_are_refused() -> None:
    with pytest.raises(BadRecord, match="2 frames but 1 receive times: one for each expected"):
        FramesCodec(4).decode(FramesCodec(4).encode(replace(FRAMES, receive_ns=[1])))
