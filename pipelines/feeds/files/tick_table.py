"""Ticks as a table in a file: Parquet or CSV, a row a tick, instruments and kinds by name."""

from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pipelines.domain.market import Ticks
from pipelines.domain.normalise import KIND_NAMES

SCHEMA = pa.schema(
    [
        ("event_ns", pa.int64()),
        ("receive_ns", pa.int64()),
        ("venue", pa.string()),
        ("instrument", pa.string()),
        ("kind", pa.string()),
        ("flags", pa.int32()),
        ("code", pa.int32()),
        ("sequence", pa.int64()),
        ("frame", pa.int64()),
        ("bid", pa.float64()),
        ("bid_size", pa.float64()),
        ("ask", pa.float64()),
        ("ask_size", pa.float64()),
    ]
)
"""Columns as in helios.market.Tick; times UTC ns."""

WRITERS = {".parquet": "Parquet", ".csv": "CSV"}


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


class TickTable:
    """Ticks into a file, as they come. ValueError for a name that is neither .parquet nor .csv."""

    def __init__(self, path: Path, venue: str) -> None:
        if path.suffix not in WRITERS:
            raise ValueError(f"{path}: ticks are written to a file named *.parquet or *.csv")
        self._venue = venue
        self._kinds = pa.array([KIND_NAMES.get(kind, str(kind)) for kind in range(max(KIND_NAMES) + 1)])
        opened = pa.parquet.ParquetWriter if path.suffix == ".parquet" else pa.csv.CSVWriter
        self._writer: _Writer = opened(path, SCHEMA)

    def write(self, ticks: Ticks, instruments: tuple[str, ...]) -> None:
        """Rows of `TICK`, their instruments by place among those given."""
        if not len(ticks):
            return
        columns = {name: pa.array(ticks[name]) for name in ticks.dtype.names or () if name in SCHEMA.names}
        columns["venue"] = pa.array([self._venue]).take(pa.array(np.zeros(len(ticks), np.int64)))
        columns["instrument"] = pa.array(instruments, pa.string()).take(pa.array(ticks["instrument"]))
        columns["kind"] = self._kinds.take(pa.array(ticks["kind"]))
        self._writer.write_table(pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA))

    def __enter__(self) -> "TickTable":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
