"""Topics as Flink SQL tables. That Flink takes them is tested where signals are."""

import json
import re
from typing import Any

import pytest

from pipelines.contracts import ddl
from pipelines.contracts.ddl import sink_ddl, table_ddl
from pipelines.contracts.schemas import avro_json, records

HERE: dict[str, Any] = {"bootstrap": "host:9092", "registry_url": "http://host/apis/ccompat/v7"}


def columns(text: str) -> list[str]:
    body = text.split("(\n", 1)[1].split("\n) WITH (", 1)[0]
    return [line.strip().rstrip(",") for line in body.splitlines()]


def options(text: str) -> dict[str, str]:
    body = text.rsplit("\n) WITH (\n", 1)[1].removesuffix("\n)")
    return dict(re.fullmatch(r"  '(.+?)' = '(.*?)',?", line).groups() for line in body.splitlines())  # type: ignore[union-attr]


def test_a_table_has_the_records_columns_its_event_time_and_a_watermark_a_millisecond_behind() -> None:
    assert columns(table_ddl("spreads", "helios.market.SpreadEvent", "t.market.spreads", **HERE))[-4:] == [
        "`slope` DOUBLE NOT NULL",
        "`flags` INT NOT NULL",
        "`event_time` AS TO_TIMESTAMP_LTZ(`event_time_ms`, 3)",
        "WATERMARK FOR `event_time` AS `event_time` - INTERVAL '0.001' SECOND",
    ]


def test_a_table_reads_its_topic_from_the_start_with_the_registrys_schemas() -> None:
    text = table_ddl("spreads", "helios.market.SpreadEvent", "t.market.spreads", **HERE)
    assert text.startswith("CREATE TABLE `spreads` (\n")
    assert options(text) == {
        "connector": "kafka",
        "topic": "t.market.spreads",
        "properties.bootstrap.servers": "host:9092",
        "scan.startup.mode": "earliest-offset",
        "format": "avro-confluent",
        "avro-confluent.url": "http://host/apis/ccompat/v7",
        "avro-confluent.schema": avro_json("helios.market.SpreadEvent").replace("'", "''"),
        "scan.watermark.emit.strategy": "on-event",
    }


def test_options_given_win_over_those_by_default() -> None:
    given = {"scan.startup.mode": "latest-offset", "properties.isolation.level": "read_committed"}
    text = table_ddl("events", "helios.trading.TradingEvent", "t.trading.events", **HERE, options=given)
    assert options(text).items() >= given.items()


def test_without_a_watermark_the_time_is_a_plain_column() -> None:
    text = table_ddl("spreads", "helios.market.SpreadEvent", "t", **HERE, watermark=False)
    assert "`event_time` AS" in text
    assert "WATERMARK" not in text
    assert "watermark" not in text


def test_a_record_without_a_time_has_no_time_column() -> None:
    text = table_ddl("ticks", "helios.market.TickBlock", "t", **HERE)
    assert "event_time" not in text
    assert "watermark" not in text


def test_arrays_records_and_nullable_parts_become_arrays_rows_and_nullable_columns() -> None:
    ticks = columns(table_ddl("ticks", "helios.market.TickBlock", "t", **HERE))
    assert ticks[-2] == "`instruments` ARRAY<STRING NOT NULL> NOT NULL"
    assert ticks[-1].startswith("`ticks` ARRAY<ROW<`sequence` BIGINT NOT NULL, `frame` BIGINT NOT NULL, ")
    assert ticks[-1].endswith("`ask_size` DOUBLE NOT NULL> NOT NULL> NOT NULL")
    events = columns(table_ddl("events", "helios.trading.TradingEvent", "t", **HERE))
    command = next(column for column in events if column.startswith("`command`"))
    assert command == (
        "`command` ROW<`command` STRING NOT NULL, `scope` STRING NOT NULL, "
        "`operator` STRING NOT NULL, `reason` STRING NOT NULL, `signature` STRING NOT NULL>"
    )


@pytest.mark.parametrize("record", records())
def test_every_record_has_a_table_with_all_of_its_fields(record: str) -> None:
    names = [field["name"] for field in json.loads(avro_json(record))["fields"]]
    found = [column.split("`")[1] for column in columns(table_ddl("t", record, "t", **HERE, watermark=False))]
    assert [name for name in found if name != "event_time"] == names


def test_a_sink_writes_our_schema_under_our_subject_with_a_text_key_and_the_time_given() -> None:
    text = sink_ddl("out", "helios.trading.OrderRequest", "t.trading.orders", key="account", **HERE)
    assert columns(text)[-1] == "`kafka_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'"
    assert options(text) == {
        "connector": "kafka",
        "topic": "t.trading.orders",
        "properties.bootstrap.servers": "host:9092",
        "key.format": "raw",
        "key.fields": "account",
        "format": "avro-confluent",
        "avro-confluent.url": "http://host/apis/ccompat/v7",
        "avro-confluent.subject": "helios.trading.OrderRequest",
        "avro-confluent.schema": avro_json("helios.trading.OrderRequest"),
    }


def test_quotes_in_a_schema_are_doubled_in_sql() -> None:
    text = sink_ddl("out", "helios.trading.Marks", "t", key="shard", **HERE)
    assert "'" in avro_json("helios.trading.Marks")
    assert options(text)["avro-confluent.schema"].replace("''", "'") == avro_json("helios.trading.Marks")


def test_a_table_of_some_fields_has_them_alone_in_its_columns_and_in_the_schema_that_it_reads_by() -> None:
    text = table_ddl(
        "samples", "helios.market.SpreadSamples", "t", **HERE, watermark=False, only=("samples", "pair", "z")
    )
    assert columns(text) == ["`samples` ARRAY<ROW<`pair` STRING NOT NULL, `z` DOUBLE NOT NULL> NOT NULL> NOT NULL"]
    schema = json.loads(options(text)["avro-confluent.schema"].replace("''", "'"))
    assert [each["name"] for each in schema["fields"]] == ["samples"]
    assert [each["name"] for each in schema["fields"][0]["type"]["items"]["fields"]] == ["pair", "z"]


def test_a_key_that_is_no_column_is_refused_with_those_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"table out: key 'acount' is no field of .*: use one of client_order_id, action"
    ):
        sink_ddl("out", "helios.trading.OrderRequest", "t", key="acount", **HERE)


def test_a_schema_that_sql_has_no_type_for_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    enum = {"type": "enum", "name": "E", "symbols": ["A"]}
    monkeypatch.setattr(ddl, "avro_json", lambda record: json.dumps({"fields": [{"name": "side", "type": enum}]}))
    with pytest.raises(TypeError, match=r"t\.A\.side: .* has no place in a table"):
        table_ddl("t", "t.A", "t", **HERE)
