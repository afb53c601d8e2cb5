"""Old records read by new code, new records by old code: recorded bytes of every released version, by every codec."""

import io
from typing import Any

import numpy as np
import pytest

from pipelines.contracts.blocks import RECORD as BLOCK
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.columns import Columns, ResolvedColumns
from pipelines.contracts.evolution.check import check
from pipelines.contracts.evolution.released import versions
from pipelines.contracts.frames import RECORD as FRAMES
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.schemas import Json, Schema, expanded, load, parse, records
from pipelines.contracts.trading import EVENT, KINDS, ORDER, EventCodec, OrderCodec
from pipelines.contracts.wire import HEAD_BYTES, Codec, frame, read_body
from pipelines.domain.market import TICK
from tests.support.golden_records import from_plain, golden, values

OURS, THEIRS = 1, 2
RELEASED = [(record, number) for record in records() for number in versions(record)]
GOLDEN = golden()


def as_read_by(schema: Json, value: Any) -> Any:
    """A value by the fields of another schema of its record: by name, defaults for what it lacks, no others."""
    match schema:
        case ["null", other]:
            return None if value is None else as_read_by(other, value)
        case {"type": "array", "items": items}:
            return [as_read_by(items, each) for each in value]
        case {"type": "record", "fields": list(fields)}:
            return {
                f["name"]: as_read_by(f["type"], value[f["name"]]) if f["name"] in value else f["default"]
                for f in fields
            }
    return value


def golden_values(record: str, number: int) -> list[tuple[bytes, dict[str, Any]]]:
    """Framed bytes as that version wrote them, and what was written, as it reads today."""
    kept = GOLDEN[record][str(number)]
    return [
        (frame(THEIRS, bytes.fromhex(each["hex"])), as_read_by(expanded(record), from_plain(each["value"])))
        for each in kept
    ]


def theirs(record: str, number: int) -> dict[int, Schema]:
    return {THEIRS: versions(record)[number]}


def test_every_record_may_go_out_as_it_is_now() -> None:
    assert [str(fault) for fault in check().faults] == []


def test_every_released_version_has_records_to_be_read() -> None:
    lacking = [f"{record} version {number}" for record, number in RELEASED if str(number) not in GOLDEN.get(record, {})]
    assert not lacking, "python -m tests.support.golden_records"


@pytest.mark.parametrize(("record", "number"), RELEASED)
def test_a_record_of_a_released_version_is_read_by_todays_codec(record: str, number: int) -> None:
    codec = Codec(record, OURS, theirs(record, number).__getitem__)
    for data, value in golden_values(record, number):
        assert codec.decode(data) == value


@pytest.mark.parametrize(("record", "number"), RELEASED)
def test_a_record_of_today_is_read_by_code_of_a_released_version(record: str, number: int) -> None:
    old = versions(record)[number]
    for value in values(expanded(record), "today"):
        body = io.BytesIO(Codec(record, OURS).encode(value))
        body.seek(HEAD_BYTES)
        assert read_body(body, load(record), OURS, parse(old)) == as_read_by(old, value)


@pytest.mark.parametrize("number", versions(BLOCK))
def test_blocks_of_a_released_version_are_read_as_columns(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Codec, "decode", None)  # tick by tick
    codec = BlockCodec(OURS, theirs(BLOCK, number).__getitem__)
    for data, value in golden_values(BLOCK, number):
        block = codec.decode(data)
        assert {
            name: getattr(block, name) for name in ("venue", "session", "shard", "raw_partition", "raw_offset")
        } == {name: value[name] for name in ("venue", "session", "shard", "raw_partition", "raw_offset")}
        assert list(block.instruments) == value["instruments"]
        rows = [tuple(tick[name] for name in TICK.names or ()) for tick in value["ticks"]]
        np.testing.assert_array_equal(block.ticks, np.array(rows, TICK))


@pytest.mark.parametrize("number", versions("helios.market.Tick"))
def test_ticks_of_today_are_columns_to_code_of_a_released_version(number: int) -> None:
    today, old = load("helios.market.Tick"), parse(versions("helios.market.Tick")[number])
    ticks = values(expanded("helios.market.Tick"), "rows")
    rows = np.array([tuple(tick[name] for name in TICK.names or ()) for tick in ticks], TICK)
    read, _ = ResolvedColumns.of(old, today).read(Columns.of(today).write(rows))
    np.testing.assert_array_equal(read, rows[list(Columns.of(old).names)].astype(read.dtype))


@pytest.mark.parametrize("number", versions(FRAMES))
def test_frames_of_a_released_version_are_read(number: int) -> None:
    codec = FramesCodec(OURS, theirs(FRAMES, number).__getitem__)
    for data, value in golden_values(FRAMES, number):
        raw = codec.decode(data)
        assert {name: getattr(raw, name) for name in value} == value | {"symbols": tuple(value["symbols"])}


@pytest.mark.parametrize("number", versions(EVENT))
def test_trading_events_of_a_released_version_are_read_of_every_kind(number: int) -> None:
    codec = EventCodec(OURS, theirs(EVENT, number).__getitem__)
    read = [codec.decode(data) for data, _ in golden_values(EVENT, number)]
    assert [type(event.body) for event in read] == list(KINDS.values())
    assert [event.event_id for event in read] == [value["event_id"] for _, value in golden_values(EVENT, number)]


@pytest.mark.parametrize("number", versions(ORDER))
def test_orders_of_a_released_version_are_read(number: int) -> None:
    codec = OrderCodec(OURS, theirs(ORDER, number).__getitem__)
    for data, value in golden_values(ORDER, number):
        order = codec.decode(data)
        assert (order.client_order_id, order.action, order.quantity) == (
            value["client_order_id"],
            value["action"],
            value["quantity"],
        )
