"""Records as bytes: Confluent's frame (a zero, four bytes of schema id, the Avro body) and the codec of one record."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

from fastavro import schemaless_reader, schemaless_writer

from pipelines.contracts.schemas import Schema, load, parse, same_on_the_wire

Record = dict[str, Any]
"""A decoded record: field name to value."""

SchemaOf = Callable[[int], Schema]
"""Where the schema of a foreign id is looked up: `SchemaRegistry.schema`. A LookupError says that there is none, and
makes a BadRecord; any other error is not the record's fault, and passes."""

_HEAD = Struct(">bI")
HEAD_BYTES = _HEAD.size


class BadRecord(ValueError):
    """Bytes that are not the record they should be: says which record, where in it, and what was expected."""


def frame(schema_id: int, body: bytes) -> bytes:
    return _HEAD.pack(0, schema_id) + body


def unframe(data: bytes) -> tuple[int, memoryview]:
    """The schema id and the body of a value."""
    if len(data) < HEAD_BYTES or data[0] != 0:
        raise BadRecord(
            f"not in Confluent's wire format: a zero byte and a four-byte schema id expected, "
            f"not {bytes(data[:HEAD_BYTES]).hex(' ') or 'nothing'} ({len(data)} bytes)"
        )
    return _HEAD.unpack_from(data)[1], memoryview(data)[HEAD_BYTES:]


@dataclass(slots=True)
class Codec:
    """Values of one record. Written under `schema_id`; read under it, or under any other that `schema_of` knows.

    Holds only names until it is first used, so that it travels to workers by pickle.
    """

    record: str
    schema_id: int
    schema_of: SchemaOf | None = None
    _foreign: dict[int, Schema | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def encode(self, value: Mapping[str, Any]) -> bytes:
        """The framed bytes of a value. Raises BadRecord for a missing, unknown or ill-typed field."""
        out = io.BytesIO()
        out.write(_HEAD.pack(0, self.schema_id))
        write_body(out, load(self.record), value)
        return out.getvalue()

    def decode(self, data: bytes) -> Record:
        """The value in framed bytes. Raises BadRecord for anything but exactly one record."""
        schema_id, _ = unframe(data)
        writer = self.writer(schema_id)
        body = io.BytesIO(data) if writer is None else ForeignBody(data)
        body.seek(HEAD_BYTES)
        ours = load(self.record)
        value = read_body(body, ours if writer is None else writer, schema_id, None if writer is None else ours)
        if body.tell() != len(data):
            raise trailing(self.record, schema_id, body.tell(), len(data))
        return value

    def writer(self, schema_id: int) -> Schema | None:
        """The schema of a foreign id; None where it is ours, or reads the same. Raises BadRecord if it is not known."""
        if schema_id == self.schema_id:
            return None
        if schema_id not in self._foreign:
            self._foreign[schema_id] = self._look_up(schema_id)
        return self._foreign[schema_id]

    def _look_up(self, schema_id: int) -> Schema | None:
        if self.schema_of is None:
            raise BadRecord(
                f"{self.record}: written with schema id {schema_id}, ours is {self.schema_id}: no registry to ask"
            )
        try:
            schema = parse(self.schema_of(schema_id))
        except LookupError as error:
            raise BadRecord(f"{self.record}: written with schema id {schema_id}: {error}") from error
        if schema.get("name") != self.record:
            raise BadRecord(f"{self.record} expected, but schema id {schema_id} is {schema.get('name')}")
        return None if same_on_the_wire(schema, load(self.record)) else schema


class ForeignBody(io.BytesIO):
    """Bytes written under another schema. fastavro passes over fields that the reader does not have without a look at
    whether they are all there: a record cut in its last field would be read as whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is None or len(data) != size:
            raise EOFError(f"{size} bytes expected, {len(data)} left")
        return data


def trailing(record: str, schema_id: int, end: int, size: int) -> BadRecord:
    """Bytes after the end of a record: the writer's schema was another than the id says."""
    return BadRecord(f"{record} (schema id {schema_id}): it ends at byte {end} of {size}: nothing should follow it")


def write_body(out: io.BytesIO, schema: Schema, value: Mapping[str, Any]) -> None:
    """Append the Avro body of a value."""
    try:
        schemaless_writer(out, schema, value, strict_allow_default=True)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        raise BadRecord(f"{schema['name']}: cannot be written: {error}") from error


def read_body(body: io.BytesIO, writer: Schema, schema_id: int, reader: Schema | None = None) -> Record:
    """Read one record from where `body` stands, as `reader` has it. Raises BadRecord naming the field at fault."""
    start = body.tell()
    try:
        value: Record = schemaless_reader(body, writer, reader)
    except Exception as error:  # fastavro raises many kinds on hostile bytes; each of them is a bad record
        body.seek(start)
        where = _fault(body, writer)
        raise BadRecord(f"{writer['name']} (schema id {schema_id}): {where}{_reason(error)}") from error
    return value


def _fault(body: io.BytesIO, writer: Schema) -> str:
    """Which field cannot be read, found by reading them one by one; empty when each can be (they do not resolve)."""
    fields = writer["fields"]
    assert isinstance(fields, list)
    for each in fields:
        assert isinstance(each, dict)
        start = body.tell()
        try:
            schemaless_reader(body, {"type": "record", "name": "_", "fields": [each]}, None)
        except Exception:
            return f"field {each['name']} (from byte {start} of {len(body.getvalue())}): "
    return ""


def _reason(error: Exception) -> str:
    if isinstance(error, EOFError):
        return f"the value ends too early{': ' + str(error) if str(error) else ''}"
    return str(error) or type(error).__name__
