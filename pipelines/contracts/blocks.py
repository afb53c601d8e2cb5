"""Blocks of ticks: what the market job writes and the spreads job reads, the ticks as columns."""

import io
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from pipelines.contracts.columns import Columns
from pipelines.contracts.flat_avro import ArrayFault
from pipelines.contracts.names import read_names, write_names
from pipelines.contracts.schemas import Schema, load
from pipelines.contracts.wire import (
    HEAD_BYTES,
    BadRecord,
    Codec,
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
    """TickBlocks as framed bytes. Written under `schema_id`; read under it, or any other that `schema_of` knows."""

    schema_id: int
    schema_of: SchemaOf | None = None
    _whole: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._whole = Codec(RECORD, self.schema_id, self.schema_of)

    def encode(self, block: TickBlock) -> bytes:
        out = io.BytesIO()
        header = {
            "venue": block.venue,
            "session": block.session,
            "shard": block.shard,
            "raw_partition": block.raw_partition,
            "raw_offset": block.raw_offset,
        }
        write_body(out, _header(), header)
        out.write(write_names(block.instruments))
        out.write(_columns().write(block.ticks))
        return frame(self.schema_id, out.getvalue())

    def decode(self, data: bytes) -> TickBlock:
        """The block in framed bytes. Raises BadRecord; a block that is returned has an instrument for every index."""
        schema_id, _ = unframe(data)
        if self._whole.writer(schema_id) is None:
            block = self._decoded(data, schema_id)
        else:
            block = _resolved(self._whole.decode(data))
        index = block.ticks["instrument"]
        low, high = int(index.min(initial=-1)), int(index.max(initial=-1))
        if low < -1 or high >= len(block.instruments):
            wrong, count = low if low < -1 else high, len(block.instruments)
            raise BadRecord(f"{RECORD}: field ticks: an instrument index of {wrong}, of {count} instruments")
        return block

    def _decoded(self, data: bytes, schema_id: int) -> TickBlock:
        body = io.BytesIO(data)
        body.seek(HEAD_BYTES)
        header = read_body(body, _header(), schema_id)
        field = "instruments"
        try:
            instruments, end = read_names(data, body.tell())
            field = "ticks"
            ticks, end = _columns().read(data, end)
        except ArrayFault as fault:
            raise BadRecord(f"{RECORD} (schema id {schema_id}): field {field}: {fault} of {len(data)}") from fault
        if end != len(data):
            raise trailing(RECORD, schema_id, end, len(data))
        return TickBlock(**header, instruments=instruments, ticks=ticks)


def _resolved(record: Record) -> TickBlock:
    try:
        ticks = np.array([tuple(row[name] for name in TICK.names or ()) for row in record["ticks"]], dtype=TICK)
    except OverflowError as error:
        raise BadRecord(f"{RECORD}: field ticks: {error}") from error
    return TickBlock(**(record | {"instruments": tuple(record["instruments"]), "ticks": ticks}))


@cache
def _header() -> Schema:
    """The record without its last two fields, the instruments and the ticks."""
    schema = load(RECORD)
    fields = schema["fields"]
    assert isinstance(fields, list)
    return schema | {"fields": fields[:-2]}


@cache
def _columns() -> Columns:
    return Columns.of(load("helios.market.Tick"))
