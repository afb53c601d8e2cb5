"""Whether records written under one schema can be read under another: Avro's own check, told by field.

The verdict is that of `avro.compatibility`, the Python port of Avro's SchemaCompatibility (specification, "Schema
Resolution"). It says where by positions; here they are names.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import avro.errors
import avro.schema
from avro.compatibility import (
    ReaderWriterCompatibilityChecker,
    SchemaCompatibilityType,
    lookup_writer_field,
    schema_name_equals,
)

from pipelines.contracts.schemas import Json, SchemaError

AvroSchema: TypeAlias = avro.schema.Schema


@dataclass(frozen=True, slots=True)
class Verdict:
    """`compatible`: whatever the writer may write, the reader can read. Else why not, in Avro's words, and where."""

    compatible: bool
    messages: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What the reader cannot read: the field by its path (`ticks[].bid`; empty for the record itself), and why."""

    field: str
    reason: str


def verdict(reader: Json, writer: Json) -> Verdict:
    """Of any two schemas. SchemaError for what is no schema."""
    return _verdict(_parsed(_text(reader)), _parsed(_text(writer)))


def obstacles(reader: Json, writer: Json) -> list[Obstacle]:
    """What keeps the reader from what the writer may write, field by field; empty exactly where it is compatible."""
    ours, theirs = _parsed(_text(reader)), _parsed(_text(writer))
    whole = _verdict(ours, theirs)
    if whole.compatible:
        return []
    return list(_obstacles(ours, theirs, "")) or [Obstacle("", "; ".join(whole.messages))]


def _obstacles(reader: AvroSchema, writer: AvroSchema, where: str) -> Iterator[Obstacle]:
    match reader, writer:
        case avro.schema.RecordSchema(), avro.schema.RecordSchema():
            if not schema_name_equals(reader, writer):
                yield Obstacle(where, f"record {reader.fullname} cannot be read from record {writer.fullname}")
                return
            for field in reader.fields:
                path = f"{where}.{field.name}" if where else field.name
                written = lookup_writer_field(writer, field)
                if written is not None:
                    yield from _obstacles(field.type, written.type, path)
                elif not field.has_default:
                    yield Obstacle(path, "it was not written, and the reader has no default for it")
        case avro.schema.ArraySchema(), avro.schema.ArraySchema():
            yield from _obstacles(reader.items, writer.items, f"{where}[]")
        case avro.schema.UnionSchema(), avro.schema.UnionSchema() if (ours := _only(reader)) and (its := _only(writer)):
            yield from _obstacles(ours, its, where)
        case _ if not _verdict(reader, writer).compatible:
            yield Obstacle(where, f"{_name(writer)} was written where the reader has {_name(reader)}")


def _only(union: avro.schema.UnionSchema) -> AvroSchema | None:
    """x, of a union of null and x."""
    branches = [branch for branch in union.schemas if branch.type != "null"]
    return branches[0] if len(branches) == 1 and len(union.schemas) == 2 else None


def _name(schema: AvroSchema) -> str:
    match schema:
        case avro.schema.UnionSchema():
            return f"[{', '.join(_name(branch) for branch in schema.schemas)}]"
        case avro.schema.ArraySchema():
            return f"array of {_name(schema.items)}"
        case avro.schema.NamedSchema():
            return f"{schema.type} {schema.fullname}"
    return str(schema.type)


def _verdict(reader: AvroSchema, writer: AvroSchema) -> Verdict:
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    found = checker.get_compatibility(reader, writer)
    if found.compatibility is SchemaCompatibilityType.compatible:
        return Verdict(True)
    return Verdict(False, tuple(sorted(found.messages)), tuple(sorted(found.locations)))


def _text(schema: Json) -> str:
    return json.dumps(schema)


@cache
def _parsed(text: str) -> AvroSchema:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of logical types, which are read as what they stand on
            return avro.schema.parse(text)
    except (avro.errors.AvroException, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise SchemaError(f"not an Avro schema: {' '.join(str(error).split())[:300]}") from None
