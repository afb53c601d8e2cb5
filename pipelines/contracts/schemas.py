"""The Avro schemas of everything on a wire: one record a file, `schemas/<namespace>.<Record>.avsc`."""

import json
from functools import cache
from pathlib import Path
from typing import TypeAlias

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

SCHEMAS_DIR = Path(__file__).resolve().parents[2] / "schemas"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema = dict[str, Json]
"""An Avro record schema as JSON, or as fastavro parses it."""

_FIELD_ORDER = ("name", "type", "doc", "default")
_RECORD_ORDER = ("type", "name", "namespace", "doc", "fields")


def records() -> tuple[str, ...]:
    """Full names of all records that have a file, sorted."""
    return tuple(sorted(path.stem for path in SCHEMAS_DIR.glob("*.avsc")))


@cache
def avro_json(record: str) -> str:
    """The schema of a record as one line of JSON, each record that it names written out at its first use.

    Letter for letter what Avro's Java prints: then the schema that Flink's sinks register is ours, under the same id.
    """
    return json.dumps(_expanded(record, set()), separators=(",", ":"), ensure_ascii=False)


@cache
def load(record: str) -> Schema:
    """The schema of a record, parsed by fastavro. Raises KeyError, naming what there is, where there is no file."""
    return parse(json.loads(avro_json(record)))


def parse(schema: Json) -> Schema:
    """What fastavro makes of a record schema, names resolved."""
    parsed: Schema = parse_schema(schema, named_schemas={})
    return parsed


def same_on_the_wire(first: Schema, second: Schema) -> bool:
    """Whether two schemas write the same bytes under the same names (Avro's parsing canonical form)."""
    return bool(to_parsing_canonical_form(first) == to_parsing_canonical_form(second))


def _expanded(name: str, seen: set[str], enclosing: str | None = None) -> Json:
    """A record at its first use, its bare name later; its namespace only where it is not the enclosing one's."""
    namespace, _, short = name.rpartition(".")
    if name in seen:
        return short if namespace == enclosing else name
    path = SCHEMAS_DIR / f"{name}.avsc"
    if not path.is_file():
        raise KeyError(f"no schema {path.name} in {SCHEMAS_DIR}: there are {', '.join(records())}")
    seen.add(name)
    schema = json.loads(path.read_text())
    fields: list[Json] = []
    for field in schema["fields"]:
        kind = _inlined(field["type"], seen, namespace)
        fields.append({key: kind if key == "type" else field[key] for key in _FIELD_ORDER if key in field})
    keys = [key for key in _RECORD_ORDER if key != "namespace" or namespace != enclosing]
    return {key: fields if key == "fields" else schema[key] for key in keys}


def _inlined(schema: Json, seen: set[str], namespace: str) -> Json:
    match schema:
        case str():
            return _expanded(schema, seen, namespace) if "." in schema else schema
        case list():
            return [_inlined(branch, seen, namespace) for branch in schema]
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _inlined(items, seen, namespace)}
        case _:
            raise TypeError(f"{namespace}: {schema}: records, arrays, [null, x] and plain types expected")
