"""Blocks of ticks: what the market job writes and the spreads job reads, the ticks as columns."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

import numpy as np

from pipelines.contracts.columns import Columns, ResolvedColumns
from pipelines.contracts.flat_avro import ArrayFault
from pipelines.contracts.names import read_names, write_names
from pipelines.contracts.schemas import Json, Schema, load
from pipelines.contracts.wire import (
    HEAD_BYTES,
    BadRecord,
    Codec,
    ForeignBody,
    Record,
    SchemaOf,
    frame,
    read_body,
    trailing,
    unframe,
    write_body,
)
from pipelines.domain.market import TICK, Ticks

RECORD = "helios.market.TickBlock"


@dataclass(frozen=True, slots=True, eq=False)
class TickBlock:
    """Ticks of one feed session for one shard. `instruments` are named by the ticks' indices; `ticks` is of `TICK`."""

    venue: str
    session: str
    shard: int
    raw_partition: int
    raw_offset: int
    instruments: tuple[str, ...]
    ticks: Ticks


@dataclass(slots=True)
class BlockCodec:
    """TickBlocks as framed bytes. Written under `schema_id`; read under it, or any other that `schema_of` knows.

    Ticks of any schema that resolves to ours are read as columns, as long as they are flat records.
    """

    schema_id: int
    schema_of: SchemaOf | None = None
    _whole: Codec = field(init=False, repr=False, compare=False)
    _layouts: dict[int, "_Layout | None"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._whole = Codec(RECORD, self.schema_id, self.schema_of)

    def encode(self, block: TickBlock) -> bytes:
        return frame(self.schema_id, _ours().write(block))

    def decode(self, data: bytes) -> TickBlock:
        """The block in framed bytes. Raises BadRecord; a block that is returned has an instrument for every index."""
        schema_id, _ = unframe(data)
        if schema_id not in self._layouts:
            self._layouts[schema_id] = _layout_of(self._whole.writer(schema_id))
        layout = self._layouts[schema_id]
        block = _resolved(self._whole.decode(data)) if layout is None else layout.read(data, schema_id)
        index = block.ticks["instrument"]
        low, high = int(index.min(initial=-1)), int(index.max(initial=-1))
        if low < -1 or high >= len(block.instruments):
            wrong, count = low if low < -1 else high, len(block.instruments)
            raise BadRecord(f"{RECORD}: field ticks: an instrument index of {wrong}, of {count} instruments")
        return block


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a block lies in the bytes of one schema: its parts in their order, `instruments`, `ticks`, and between them
    runs of other fields, each run as it was written and as ours."""

    parts: tuple["str | _Run", ...]
    columns: Columns | ResolvedColumns

    @classmethod
    def of(cls, writer: Schema, reader: Schema) -> "_Layout":
        """TypeError where ticks are no array of flat records, instruments no array of strings, or types differ."""
        written, ours = (dict(_named_fields(schema)) for schema in (writer, reader))
        if _items(written["instruments"]) != "string":
            raise TypeError(f"{RECORD}: instruments are an array of strings")
        tick, their_tick = _items(ours["ticks"]), _items(written["ticks"])
        if not isinstance(tick, dict) or not isinstance(their_tick, dict):
            raise TypeError(f"{RECORD}: ticks are an array of records")
        columns = Columns.of(tick) if writer is reader else ResolvedColumns.of(tick, their_tick)
        missing: list[Json] = [it for name, it in ours.items() if name not in written]
        parts: list[str | _Run] = []
        for array, names in groupby(written, lambda name: name if name in _ARRAYS else ""):
            if array:
                parts.append(array)
                continue
            run = list(names)
            plain = writer | {"fields": [written[name] for name in run]}
            kept = reader | {"fields": [*(ours[name] for name in run if name in ours), *missing]}
            parts.append(_Run(plain, None if writer is reader else kept, tuple(n for n in run if n in _HEADER)))
            missing = []  # once: their defaults come with the first run
        return cls(tuple(parts), columns)

    def write(self, block: TickBlock) -> bytes:
        assert isinstance(self.columns, Columns)
        out = io.BytesIO()
        for part in self.parts:
            if isinstance(part, _Run):
                write_body(out, part.written, {name: getattr(block, name) for name in part.names})
            else:
                out.write(write_names(block.instruments) if part == "instruments" else self.columns.write(block.ticks))
        return out.getvalue()

    def read(self, data: bytes, schema_id: int) -> TickBlock:
        """The block in framed bytes of this layout's schema."""
        body = io.BytesIO(data) if isinstance(self.columns, Columns) else ForeignBody(data)
        end = HEAD_BYTES
        values: Record = {}
        for part in self.parts:
            if isinstance(part, _Run):
                body.seek(end)
                values |= read_body(body, part.written, schema_id, part.ours)
                end = body.tell()
                continue
            try:
                values[part], end = read_names(data, end) if part == "instruments" else self.columns.read(data, end)
            except ArrayFault as fault:
                raise BadRecord(f"{RECORD} (schema id {schema_id}): field {part}: {fault} of {len(data)}") from fault
        if end != len(data):
            raise trailing(RECORD, schema_id, end, len(data))
        return TickBlock(**{name: values[name] for name in (*_HEADER, *_ARRAYS)})


@dataclass(frozen=True, slots=True)
class _Run:
    """Fields that follow one another and are neither instruments nor ticks. `ours` is None where it is the same."""

    written: Schema
    ours: Schema | None
    names: tuple[str, ...]
    """Those of a TickBlock: the schema may be ahead of it by fields with a default."""


_ARRAYS = ("instruments", "ticks")
_HEADER = tuple(name for name in TickBlock.__dataclass_fields__ if name not in _ARRAYS)


@cache
def _ours() -> _Layout:
    schema = load(RECORD)
    return _Layout.of(schema, schema)


def _layout_of(writer: Schema | None) -> _Layout | None:
    """Of a schema that is not ours; None where only fastavro can read it."""
    try:
        return _ours() if writer is None else _Layout.of(writer, load(RECORD))
    except (TypeError, KeyError):
        return None


def _resolved(record: Record) -> TickBlock:
    """A block as fastavro read it, tick by tick."""
    try:
        ticks = np.array([tuple(row[name] for name in TICK.names or ()) for row in record["ticks"]], dtype=TICK)
    except OverflowError as error:
        raise BadRecord(f"{RECORD}: field ticks: {error}") from error
    values = {name: record[name] for name in _HEADER}
    return TickBlock(**values, instruments=tuple(record["instruments"]), ticks=ticks)


def _named_fields(schema: Schema) -> Iterator[tuple[str, dict[str, Json]]]:
    fields = schema["fields"]
    assert isinstance(fields, list)
    return ((str(each["name"]), each) for each in fields if isinstance(each, dict))


def _items(field: dict[str, Json]) -> Json:
    """What an array holds; TypeError for another type."""
    kind = field["type"]
    if not isinstance(kind, dict) or kind.get("type") != "array":
        raise TypeError(f"{RECORD}.{field['name']}: an array expected")
    return kind["items"]
