"""Topics as Flink SQL tables, made from the Avro schemas: CREATE TABLE for reading, and for writing.

Every column is NOT NULL but those whose type is a union with null: Flink derives a schema from the row type, to read by
and to compare a sink's with, and makes a union with null of each nullable column.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from pipelines.contracts.schemas import Json, Schema, avro_json, load

EVENT_TIME = "event_time"
"""The time attribute of every table whose record has `event_time_ms`."""

KAFKA_TIME = "kafka_time"
"""The column of a sink that becomes the Kafka timestamp: give it the event time."""

TOPIC = "topic"
"""The column of a sink of several topics that says which one a row goes to."""

_TYPES = {
    "int": "INT",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "string": "STRING",
    "bytes": "BYTES",
}


def table_ddl(
    name: str,
    record: str,
    topic: str,
    *,
    bootstrap: str,
    registry_url: str,
    watermark: bool = True,
    only: Collection[str] | None = None,
    options: Mapping[str, str] | None = None,
) -> str:
    """CREATE TABLE to read a topic, from its start if `options` say nothing else.

    `only`: the fields that are columns, at any depth; all if left out. A job whose state is to outlive new fields of
    the record names those that it reads: Flink keeps whole rows in its state, also columns that no query names.

    A record with `event_time_ms` has a time column `event_time`, its watermark one millisecond behind it: without the
    millisecond, MATCH_RECOGNIZE drops rows of equal time.
    """
    schema = reader_schema(record, only)
    columns = _columns(record, schema)
    defaults = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": bootstrap,
        "scan.startup.mode": "earliest-offset",
        "format": "avro-confluent",
        "avro-confluent.url": registry_url,
        # Else Flink derives one from the columns, without defaults: it stops at a record older than a column.
        "avro-confluent.schema": schema_text(schema),
    }
    if "event_time_ms" in dict(_fields(schema)):
        columns.append(f"`{EVENT_TIME}` AS TO_TIMESTAMP_LTZ(`event_time_ms`, 3)")
        if watermark:
            columns.append(f"WATERMARK FOR `{EVENT_TIME}` AS `{EVENT_TIME}` - INTERVAL '0.001' SECOND")
            defaults["scan.watermark.emit.strategy"] = "on-event"
    return _create(name, columns, defaults | dict(options or {}))


def column_types(record: str, only: Collection[str] | None = None) -> dict[str, str]:
    """The SQL types of a record's columns, in their order; `only` as in `table_ddl`."""
    named: dict[str, str] = {}
    fields = _fields(_restricted(json.loads(avro_json(record)), only))
    return {name: _sql(kind, f"{record}.{name}", named) for name, kind in fields}


def field_names(record: str) -> tuple[str, ...]:
    """The fields of a record."""
    return tuple(_names(record))


def sink_ddl(
    name: str,
    record: str,
    topic: str,
    *,
    key: str,
    bootstrap: str,
    registry_url: str,
    options: Mapping[str, str] | None = None,
) -> str:
    """CREATE TABLE to write a topic, under our own schema and subject; the column `key` is the Kafka key, as text.

    The last column, `kafka_time` TIMESTAMP_LTZ(3), is the Kafka timestamp. Of several topics, with `;` between them,
    there is one more, `topic`. Raises ValueError where `key` is no column.
    """
    if key not in _names(record):
        raise ValueError(f"table {name}: key {key!r} is no field of {record}: use one of {', '.join(_names(record))}")
    columns = [*_columns(record, load(record)), f"`{KAFKA_TIME}` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'"]
    if ";" in topic:
        columns.append(f"`{TOPIC}` STRING METADATA")
    defaults = {
        "connector": "kafka",
        "topic": topic,
        "properties.bootstrap.servers": bootstrap,
        "key.format": "raw",
        "key.fields": key,
        "format": "avro-confluent",
        "avro-confluent.url": registry_url,
        "avro-confluent.subject": record,
        "avro-confluent.schema": avro_json(record),
    }
    return _create(name, columns, defaults | dict(options or {}))


def reader_schema(record: str, only: Collection[str] | None = None) -> Schema:
    """The schema by which a table of a record reads: with the fields of `only` alone, at any depth; all if left out."""
    schema: Schema = _restricted(json.loads(avro_json(record)), only)
    return schema


def schema_text(schema: Schema) -> str:
    """A schema as the JSON that Flink's formats take."""
    return json.dumps(schema, separators=(",", ":"), ensure_ascii=False)


def _create(name: str, columns: list[str], options: Mapping[str, str]) -> str:
    properties = [f"{_text(key)} = {_text(value)}" for key, value in options.items()]
    return f"CREATE TABLE {_name(name)} (\n  {_lines(columns)}\n) WITH (\n  {_lines(properties)}\n)"


def _lines(parts: list[str]) -> str:
    return ",\n  ".join(parts)


def _names(record: str) -> list[str]:
    return [name for name, _ in _fields(load(record))]


def _columns(record: str, schema: Schema) -> list[str]:
    named: dict[str, str] = {}
    return [f"{_name(name)} {_sql(kind, f'{record}.{name}', named)}" for name, kind in _fields(schema)]


def _restricted(kind: Json, only: Collection[str] | None) -> Any:
    """A type with the fields of these names alone, in every record of it."""
    match kind:
        case list():
            return [_restricted(branch, only) for branch in kind]
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _restricted(items, only)}
        case dict() if isinstance(fields := kind.get("fields"), list):
            kept = [each for each in fields if isinstance(each, dict) and (only is None or each["name"] in only)]
            return {**kind, "fields": [{**each, "type": _restricted(each["type"], only)} for each in kept]}
    return kind


def _fields(schema: Schema) -> list[tuple[str, Json]]:
    fields = schema["fields"]
    assert isinstance(fields, list)
    return [(str(each["name"]), each["type"]) for each in fields if isinstance(each, dict)]


def _sql(kind: Json, where: str, named: dict[str, str]) -> str:
    """The SQL type of an Avro type; `named` keeps those of records met before."""
    match kind:
        case ["null", other] | [other, "null"]:
            return _sql(other, where, named).removesuffix(" NOT NULL")
        case str() if kind in _TYPES:
            return f"{_TYPES[kind]} NOT NULL"
        case str() if kind in named:
            return named[kind]
        case {"type": "array", "items": items}:
            return f"ARRAY<{_sql(items, where, named)}> NOT NULL"
        case {"type": "record", "name": str(name), "fields": inner}:
            fields = [f"{_name(each)} {_sql(of, f'{where}.{each}', named)}" for each, of in _fields({"fields": inner})]
            return named.setdefault(name, f"ROW<{', '.join(fields)}> NOT NULL")
        case _:
            raise TypeError(f"{where}: {kind} has no place in a table: use records, arrays, [null, x] and plain types")


def _name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
