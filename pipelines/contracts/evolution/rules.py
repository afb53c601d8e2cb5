"""What our schemas must be, besides Avro: readable by SQL, and documented."""

from collections.abc import Iterator

from pipelines.contracts.schemas import Json, Schema

PLAIN = ("int", "long", "float", "double", "boolean", "string", "bytes")
"""Types that Flink SQL and our columns know."""


def breaches(schema: Schema) -> Iterator[tuple[str, str]]:
    """What a record, written out whole, must not be: the field by its path, and why."""
    yield from _record(schema, "")


def _record(schema: Schema, where: str) -> Iterator[tuple[str, str]]:
    if not schema.get("doc"):
        yield where, f"record {schema['name']} has no doc: say what it is, its key and its id"
    fields = schema["fields"]
    assert isinstance(fields, list)
    for field in fields:
        assert isinstance(field, dict)
        path = f"{where}.{field['name']}" if where else str(field["name"])
        if not field.get("doc"):
            yield path, "it has no doc: say what it is, with its unit"
        yield from _type(field["type"], path)


def _type(kind: Json, where: str) -> Iterator[tuple[str, str]]:
    match kind:
        case ["null", str() | dict() as other]:
            yield from _type(other, where)
        case list():
            yield where, "the only unions are [null, x]: SQL has no other"
        case {"type": "array", "items": items}:
            yield from _type(items, f"{where}[]")
        case dict() if kind["type"] == "record":
            yield from _record(kind, where)
        case {"type": "enum"}:
            yield where, "an enum: kinds are strings, as SQL has none and a new symbol stops old readers"
        case {"type": str(other)}:
            yield where, f"a {other}: use records, arrays, [null, x] and plain types"
        case str() if kind == "null" or (kind not in PLAIN and not kind[:1].isupper() and "." not in kind):
            yield where, f"of type {kind}: use {', '.join(PLAIN)}"
