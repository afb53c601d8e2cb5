"""Compiled writers under schemas that are ahead of them: newer fields are written as their defaults."""

import io
import json
from typing import Any

import numpy as np
import pytest

from pipelines.contracts import defaults
from pipelines.contracts.schemas import Schema, avro_json, parse
from pipelines.contracts.spreads import BarWriter, MarksWriter, SamplesWriter, SpreadWriter
from pipelines.contracts.wire import HEAD_BYTES, Record, read_body
from pipelines.domain.bars import BAR
from pipelines.domain.spread_rows import MARKED, MARKS, SAMPLED, SAMPLES, SPREAD
from tests.support.shards import shard_of, strategy

ID = 7
SHARD = shard_of(strategy(instruments=("AAA", "B"), pairs=(("AAA", "B", 0.5),)))
NEWER = {"name": "newer", "type": "string", "default": "since today", "doc": "A field"}


def ahead(record: str) -> Schema:
    """Our schema, and one field more at the end of it and of each record in it."""
    return parse(_longer(json.loads(avro_json(record))))


def _longer(kind: Any) -> Any:
    match kind:
        case ["null", other]:
            return ["null", _longer(other)]
        case {"type": "array", "items": items}:
            return kind | {"items": _longer(items)}
        case {"type": "record", "fields": fields}:
            return kind | {"fields": [*({**each, "type": _longer(each["type"])} for each in fields), NEWER]}
    return kind


@pytest.fixture(autouse=True)
def _schemas_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(defaults, "load", ahead)


def decoded(record: str, values: list[bytes]) -> Record:
    """The one value, by the schema that is ahead."""
    (value,) = values
    body = io.BytesIO(value)
    body.seek(HEAD_BYTES)
    read = read_body(body, ahead(record), ID)
    assert body.tell() == len(value)
    return read


def test_a_spread_event() -> None:
    values, _ = SpreadWriter(ID, SHARD).encode(np.zeros(1, SPREAD), [("SIM", "s")])
    assert decoded("helios.market.SpreadEvent", values)["newer"] == "since today"


def test_samples_and_each_sample() -> None:
    values, _ = SamplesWriter(ID, SHARD).encode(np.array([(1, 5, 0, 2)], SAMPLES), np.zeros(2, SAMPLED))
    read = decoded("helios.market.SpreadSamples", values)
    assert [read["newer"], *(each["newer"] for each in read["samples"])] == ["since today"] * 3


def test_a_bar() -> None:
    values, _ = BarWriter(ID, SHARD).encode(np.zeros(1, BAR))
    assert decoded("helios.market.Bar", values)["newer"] == "since today"


def test_marks_and_their_event() -> None:
    marks = np.zeros(1, MARKS)
    marks["count"] = 2
    values, _ = MarksWriter(ID, SHARD, "paper").encode(marks, np.zeros(2, MARKED))
    read = decoded("helios.trading.TradingEvent", values)
    assert (read["newer"], read["marks"]["newer"]) == ("since today", "since today")


def test_a_field_put_elsewhere_than_at_the_end_is_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first(record: str) -> Schema:
        schema = json.loads(avro_json(record))
        return parse(schema | {"fields": [NEWER, *schema["fields"]]})

    monkeypatch.setattr(defaults, "load", first)
    with pytest.raises(
        TypeError, match=r"helios\.market\.Bar: its writer writes kind, venue, .*: add fields at the end"
    ):
        BarWriter(ID, SHARD)
