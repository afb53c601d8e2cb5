"""Records in Confluent's wire format: ours, those of other schemas, and bytes that are none."""

import io
import pickle
from typing import Any

import cloudpickle
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.schemas import Schema, load, parse
from pipelines.contracts.wire import BadRecord, Codec, frame, unframe

BAR = "helios.market.Bar"
REJECT = {
    "venue": "sim",
    "session": "s-1",
    "frame": 7,
    "frames": 1,
    "reason": "crossed",
    "instrument": "",
    "detail": "bid 2 above ask 1",
    "event_time_ms": 1_700_000_000_000,
    "raw_topic": "raw.sim",
    "raw_partition": 0,
    "raw_offset": 12,
    "payload": b"{}",
}
CODEC = Codec("helios.market.Reject", 9)
LONG = st.integers(-(2**63), 2**63 - 1)


def test_a_frame_is_a_zero_four_bytes_of_schema_id_and_the_body() -> None:
    assert frame(258, b"body") == b"\x00\x00\x00\x01\x02body"
    schema_id, body = unframe(b"\x00\x00\x00\x01\x02body")
    assert (schema_id, bytes(body)) == (258, b"body")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01body", b'{"a": 1}'])
def test_what_is_not_framed_says_so(data: bytes) -> None:
    with pytest.raises(BadRecord, match=r"not in Confluent's wire format: .* expected, not .* \(\d+ bytes\)"):
        CODEC.decode(data)


@settings(max_examples=50, deadline=None)
@given(st.text(), LONG, st.binary())
def test_a_record_is_read_as_it_was_written(detail: str, offset: int, payload: bytes) -> None:
    record = REJECT | {"detail": detail, "raw_offset": offset, "payload": payload}
    assert CODEC.decode(CODEC.encode(record)) == record


def test_a_truncated_record_names_itself_its_schema_id_and_the_field() -> None:
    data = CODEC.encode(REJECT)
    for size in range(5, len(data)):
        with pytest.raises(BadRecord, match=r"helios\.market\.Reject \(schema id 9\): field \w+ \(from byte \d+ of "):
            CODEC.decode(data[:size])
    with pytest.raises(BadRecord, match=r"field payload \(from byte 58 of 60\): the value ends too early"):
        CODEC.decode(data[:-1])


def test_bytes_after_the_record_are_a_fault() -> None:
    data = CODEC.encode(REJECT)
    with pytest.raises(BadRecord, match=rf"it ends at byte {len(data)} of {len(data) + 1}: nothing should follow it"):
        CODEC.decode(data + b"x")


def test_text_that_is_not_utf_8_is_a_fault_of_its_field() -> None:
    with pytest.raises(BadRecord, match=r"field venue .*utf-8"):
        CODEC.decode(CODEC.encode(REJECT).replace(b"\x06sim", b"\x06s\xffm", 1))


@settings(max_examples=100, deadline=None)
@given(st.integers(5, 59), st.integers(0, 255))
def test_a_changed_byte_gives_a_record_or_a_fault(position: int, byte: int) -> None:
    data = bytearray(CODEC.encode(REJECT))
    data[position] = byte
    try:
        record = CODEC.decode(bytes(data))
    except BadRecord as fault:
        text = str(fault)
    else:
        text = CODEC.record if record.keys() == REJECT.keys() else ""
    assert "helios.market.Reject" in text


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"frame": "seven"}, "helios.market.Reject: cannot be written: "),
        ({"frame": None}, "helios.market.Reject: cannot be written: "),
        ({"surprise": 1}, "helios.market.Reject: cannot be written: .*surprise"),
    ],
)
def test_a_record_that_does_not_fit_is_not_written(change: dict[str, Any], fault: str) -> None:
    with pytest.raises(BadRecord, match=fault):
        CODEC.encode(REJECT | change)


def test_a_field_left_out_is_an_error_that_names_it() -> None:
    with pytest.raises(BadRecord, match="payload"):
        CODEC.encode({name: value for name, value in REJECT.items() if name != "payload"})


def test_a_codec_travels_by_pickle_before_and_after_it_is_used() -> None:
    for codec in (Codec("helios.market.Reject", 9), CODEC):
        for pack in (pickle.dumps, cloudpickle.dumps):
            assert pickle.loads(pack(codec)).decode(CODEC.encode(REJECT)) == REJECT


def test_the_same_schema_under_another_id_is_read_as_ours() -> None:
    data = Codec("helios.market.Reject", 10).encode(REJECT)
    assert Codec("helios.market.Reject", 9, {10: load("helios.market.Reject")}.__getitem__).decode(data) == REJECT


def test_an_older_and_a_newer_schema_are_resolved_to_ours() -> None:
    older, newer = without(load("helios.market.RawFrames"), "end"), load("helios.market.RawFrames")
    newer = parse(newer | {"fields": [*newer["fields"], {"name": "more", "type": "int", "default": 0}]})  # type: ignore[misc]
    frames = {"venue": "v", "session": "s", "first_sequence": 0, "clock_ns": 1, "symbols": ["A"]}
    frames |= {"receive_ns": [5], "frames": [b"x"]}
    codec = Codec("helios.market.RawFrames", 1, {2: older, 3: newer}.__getitem__)
    assert codec.decode(framed(2, older, frames)) == frames | {"end": False}
    assert codec.decode(framed(3, newer, frames | {"end": True, "more": 4})) == frames | {"end": True}


@pytest.mark.parametrize(("kind", "value"), [("double", 1.5), ("float", 1.5), ("string", "ab"), ("bytes", b"ab")])
def test_a_newer_record_cut_in_a_field_that_we_do_not_have_is_bad(kind: str, value: object) -> None:
    reject = load("helios.market.Reject")
    more = {"name": "more", "type": kind, "default": 0.0 if isinstance(value, float) else ""}
    newer = parse(reject | {"fields": [*reject["fields"], more]})  # type: ignore[misc]
    codec = Codec("helios.market.Reject", 9, {10: newer}.__getitem__)
    data = framed(10, newer, REJECT | {"more": value})
    assert codec.decode(data) == REJECT
    for size in range(5, len(data)):
        with pytest.raises(BadRecord):
            codec.decode(data[:size])


def test_a_schema_that_cannot_be_resolved_says_why() -> None:
    missing = without(load("helios.market.Reject"), "payload")
    codec = Codec("helios.market.Reject", 9, {10: missing}.__getitem__)
    data = framed(10, missing, {name: value for name, value in REJECT.items() if name != "payload"})
    with pytest.raises(BadRecord, match=r"helios\.market\.Reject \(schema id 10\): .*payload"):
        codec.decode(data)


def test_another_record_is_refused_by_name() -> None:
    codec = Codec("helios.market.Reject", 9, {10: load(BAR)}.__getitem__)
    with pytest.raises(BadRecord, match=r"helios\.market\.Reject expected, but schema id 10 is helios\.market\.Bar"):
        codec.decode(frame(10, b""))


def test_an_id_that_nobody_knows_is_a_bad_record() -> None:
    with pytest.raises(BadRecord, match="written with schema id 10, ours is 9: no registry to ask"):
        CODEC.decode(frame(10, b""))
    with pytest.raises(BadRecord, match="written with schema id 10: 10"):
        Codec("helios.market.Reject", 9, dict[int, Schema]().__getitem__).decode(frame(10, b""))


def test_a_foreign_schema_is_looked_up_once() -> None:
    asked: list[int] = []

    def schema_of(schema_id: int) -> Schema:
        asked.append(schema_id)
        return load("helios.market.Reject")

    codec = Codec("helios.market.Reject", 9, schema_of)
    for _ in range(3):
        codec.decode(Codec("helios.market.Reject", 10).encode(REJECT))
    assert asked == [10]


def without(schema: Schema, name: str) -> Schema:
    fields = schema["fields"]
    assert isinstance(fields, list)
    return parse({**schema, "fields": [field for field in fields if isinstance(field, dict) and field["name"] != name]})


def framed(schema_id: int, schema: Schema, record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)
    return frame(schema_id, out.getvalue())
