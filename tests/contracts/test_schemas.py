"""The schema files: named as what they hold, documented, and the mirror of the domain's words."""

import dataclasses
import json
from typing import Any

import fastavro
import pytest

from pipelines.contracts.columns import Columns
from pipelines.contracts.schemas import SCHEMAS_DIR, avro_json, load, parse, records, same_on_the_wire
from pipelines.contracts.trading import KINDS
from pipelines.domain.market import TICK


def source(record: str) -> dict[str, Any]:
    text: dict[str, Any] = json.loads((SCHEMAS_DIR / f"{record}.avsc").read_text())
    return text


@pytest.mark.parametrize("record", records())
def test_a_file_is_named_as_its_record(record: str) -> None:
    assert f"{source(record)['namespace']}.{source(record)['name']}" == record


@pytest.mark.parametrize("record", records())
def test_a_record_and_each_of_its_fields_say_what_they_are(record: str) -> None:
    assert source(record).get("doc")
    assert [field["name"] for field in source(record)["fields"] if not field.get("doc")] == []


@pytest.mark.parametrize("record", records())
def test_sql_can_read_it_no_enums_maps_or_unions_but_with_null(record: str) -> None:
    for field in json.loads(avro_json(record))["fields"]:
        assert_plain(field["type"])


def assert_plain(kind: Any) -> None:
    if isinstance(kind, list):
        assert len(kind) == 2
        assert kind[0] == "null"
        assert_plain(kind[1])
    elif isinstance(kind, dict):
        assert kind["type"] in ("array", "record")
        for inner in [kind["items"]] if kind["type"] == "array" else [field["type"] for field in kind["fields"]]:
            assert_plain(inner)
    else:
        assert kind in ("int", "long", "float", "double", "boolean", "string", "bytes")


@pytest.mark.parametrize("record", records())
def test_expanded_it_is_what_fastavro_makes_of_the_files(record: str) -> None:
    theirs = fastavro.schema.load_schema(SCHEMAS_DIR / f"{record}.avsc")
    assert same_on_the_wire(load(record), theirs)


def test_a_record_named_twice_is_written_out_once_and_its_namespace_where_it_changes() -> None:
    event = json.loads(avro_json("helios.trading.TradingEvent"))
    signal = next(field for field in event["fields"] if field["name"] == "signal")["type"][1]
    assert event["namespace"] == "helios.trading"
    assert "namespace" not in signal


def test_ticks_in_memory_are_field_for_field_ticks_on_the_wire() -> None:
    assert Columns.of(load("helios.market.Tick")).dtype == TICK


@pytest.mark.parametrize("kind", KINDS)
def test_the_domain_and_the_wire_have_the_same_words_for_events(kind: str) -> None:
    body = KINDS[kind]
    words = [field.name for field in dataclasses.fields(body)]
    wire = [field["name"] for field in source(f"helios.trading.{body.__name__}")["fields"]]
    assert words == [name for name in wire if name != "event_time_ms"]


def test_schemas_that_differ_in_their_docs_alone_are_the_same_on_the_wire() -> None:
    plain = {"type": "record", "name": "t.A", "fields": [{"name": "a", "type": "int"}]}
    assert same_on_the_wire(parse(plain), parse(plain | {"doc": "something"}))
    assert not same_on_the_wire(parse(plain), parse(plain | {"fields": [{"name": "a", "type": "long"}]}))


def test_an_unknown_record_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(KeyError, match=r"no schema helios\.market\.Nothing\.avsc in .*: there are helios\.market\.Bar"):
        load("helios.market.Nothing")
