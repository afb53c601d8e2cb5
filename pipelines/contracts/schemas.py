"""The Avro schemas of everything on a wire: one record a file, `schemas/<namespace>.<Record>.avsc`."""

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from fastavro import parse_schema
from fastavro.schema import to_parsing_canonical_form

SCHEMAS_DIR = Path(__file__).resolve().parents[2] / "schemas"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema = dict[str, Json]
"""An Avro record schema as JSON, or as fastavro parses it."""

_FIELD_ORDER = ("name", "type", "doc", "default", "aliases")
_RECORD_ORDER = ("type", "name", "namespace", "doc", "fields", "aliases")


class SchemaError(ValueError):
    """What is wrong with schema files, a line each: record, field, and the way out."""


class UnknownRecord(SchemaError, KeyError):
    """A record that has no file: says which there are."""

    __str__ = Exception.__str__


def records(folder: Path = SCHEMAS_DIR) -> tuple[str, ...]:
    """Full names of all records that have a file, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.avsc")))


@cache
def avro_json(record: str, folder: Path = SCHEMAS_DIR) -> str:
    """The schema of a record as one line of JSON, each record that it names written out at its first use.

    Letter for letter what Avro's Java prints: then the schema that Flink's sinks register is ours, under the same id.
    """
    return json.dumps(expanded(record, folder), separators=(",", ":"), ensure_ascii=False)


def expanded(record: str, folder: Path = SCHEMAS_DIR) -> Schema:
    """What `avro_json` prints. UnknownRecord for one without a file; SchemaError for a file that is none."""
    return _expanded(record, set(), folder)


@cache
def load(record: str) -> Schema:
    """The schema of a record, parsed by fastavro. Raises UnknownRecord where there is no file."""
    return parse(json.loads(avro_json(record)))


def parse(schema: Json) -> Schema:
    """What fastavro makes of a record schema, names resolved."""
    parsed: Schema = parse_schema(schema, named_schemas={})
    return parsed


def same_on_the_wire(first: Schema, second: Schema) -> bool:
    """Whether two schemas write the same bytes under the same names (Avro's parsing canonical form)."""
    return bool(to_parsing_canonical_form(first) == to_parsing_canonical_form(second))


def _expanded(name: str, seen: set[str], folder: Path, enclosing: str | None = None) -> Schema:
    """A record at its first use; its namespace only where it is not the enclosing one's."""
    namespace, _, _ = name.rpartition(".")
    path = folder / f"{name}.avsc"
    if not path.is_file():
        raise UnknownRecord(f"no schema {path.name} in {folder}: there are {', '.join(records(folder))}")
    seen.add(name)
    schema = _of_file(path)
    fields: list[Json] = []
    for field in schema["fields"]:
        kind = _inlined(field["type"], seen, folder, namespace, f"{path.name}: {field['name']}")
        fields.append({key: kind if key == "type" else field[key] for key in _FIELD_ORDER if key in field})
    keys = [key for key in _RECORD_ORDER if key in schema and (key != "namespace" or namespace != enclosing)]
    return {key: fields if key == "fields" else schema[key] for key in keys}


def _of_file(path: Path) -> dict[str, Any]:
    """A record as its file has it, known to be one by the name of the file."""
    try:
        schema: dict[str, Any] = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{path}: not JSON: {error}") from None
    match schema:
        case {"type": "record", "name": str(name), "namespace": str(space), "fields": list(fields)}:
            if f"{space}.{name}" != path.stem:
                raise SchemaError(f"{path}: it holds {space}.{name}: name the file after its record")
            for number, field in enumerate(fields):
                if not (isinstance(field, dict) and isinstance(field.get("name"), str) and "type" in field):
                    raise SchemaError(f"{path}: field {number + 1}: an object with name, type and doc expected")
            return schema
    raise SchemaError(f"{path}: an object of type record, with name, namespace and fields expected")


def _inlined(schema: Json, seen: set[str], folder: Path, namespace: str, where: str) -> Json:
    """A type, each record that it names written out at its first use and by its shortest name later."""
    match schema:
        case str() if schema in seen:
            return schema.removeprefix(f"{namespace}.") if schema.rpartition(".")[0] == namespace else schema
        case str():
            return _expanded(schema, seen, folder, namespace) if "." in schema else schema
        case list():
            return [_inlined(branch, seen, folder, namespace, where) for branch in schema]
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _inlined(items, seen, folder, namespace, where)}
        case _:
            raise SchemaError(f"{where}: {json.dumps(schema)}: records, arrays, [null, x] and plain types expected")
