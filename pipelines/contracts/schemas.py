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

_SPECIFIC = ("type", "fields", "items", "values")
"""Where a schema may name another; everything else in it is its own."""


def records() -> tuple[str, ...]:
    """Full names of all records that have a file, sorted."""
    return tuple(sorted(path.stem for path in SCHEMAS_DIR.glob("*.avsc")))


@cache
def avro_json(record: str) -> str:
    """The schema of a record as one line of JSON, each record that it names written out at its first use."""
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


def _expanded(name: str, seen: set[str]) -> Json:
    if name in seen:
        return name
    path = SCHEMAS_DIR / f"{name}.avsc"
    if not path.is_file():
        raise KeyError(f"no schema {path.name} in {SCHEMAS_DIR}: there are {', '.join(records())}")
    seen.add(name)
    return _inlined(json.loads(path.read_text()), seen)


def _inlined(schema: Json, seen: set[str]) -> Json:
    match schema:
        case str():
            return _expanded(schema, seen) if "." in schema else schema
        case list():
            return [_inlined(branch, seen) for branch in schema]
        case dict():
            return {key: _inlined(value, seen) if key in _SPECIFIC else value for key, value in schema.items()}
        case _:
            return schema
