"""Pairs at full minutes and snapshots of instruments, as Avro: few enough that fastavro writes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.spreads import Encoded
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS, Status
from pipelines.domain.shard import Shard
from pipelines.domain.spread_rows import PAIR_BAR, SNAPSHOT

Rows = NDArray[np.void]

PAIR_BARS, SNAPSHOTS = "helios.market.PairBars", "helios.market.Snapshots"
STATUS_NAMES = {0: ""} | {int(status): status.name.lower() for status in Status}


class PairBarsWriter:
    """What a minute leaves of the pairs of one shard; a minute without rows is a heartbeat."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        self._codec = Codec(PAIR_BARS, schema_id)
        self._shard = shard.number
        self._pairs = tuple(pair.name for pair in shard.pairs)

    def encode(self, minutes: Rows, pair_bars: Rows) -> Encoded:
        """`minutes`: of TOLD; `pair_bars`: of PAIR_BAR, the rows that they name."""
        return _encoded(self._codec, self._shard, minutes, "bars", [self._record(row) for row in pair_bars.tolist()])

    def _record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        record = dict(zip(PAIR_BAR.names or (), row, strict=True))
        return record | {"pair": self._pairs[record["pair"]]}


class SnapshotsWriter:
    """What an interval leaves of the instruments of one shard."""

    def __init__(self, schema_id: int, shard: Shard) -> None:
        self._codec = Codec(SNAPSHOTS, schema_id)
        self._shard = shard.number
        self._fixed = [
            {
                "instrument": instrument.id,
                "venue": instrument.venue,
                "home": home,
                "legs": [
                    {"pair": pair.name, "leg": leg}
                    for pair in shard.pairs
                    for leg, name in (("a", pair.a), ("b", pair.b))
                    if name == instrument.id
                ],
            }
            for instrument, home in zip(shard.instruments, shard.homes, strict=True)
        ]

    def encode(self, intervals: Rows, snapshots: Rows) -> Encoded:
        """`intervals`: of TOLD; `snapshots`: of SNAPSHOT, the rows that they name."""
        told = [self._record(row) for row in snapshots.tolist()]
        return _encoded(self._codec, self._shard, intervals, "snapshots", told)

    def _record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        record = dict(zip(SNAPSHOT.names or (), row, strict=True))
        record["status"] = STATUS_NAMES.get(record["status"], "")
        record["status_time_ns"] = record.pop("status_ns")
        record["status_changed"] = bool(record["status_changed"])
        fixed: dict[str, Any] = self._fixed[record["instrument"]]
        return record | fixed


def _encoded(codec: Codec, shard: int, told: Rows, field: str, rows: list[dict[str, Any]]) -> Encoded:
    values, times_ms = [], []
    for sequence, event_ns, first, count in told.tolist():
        times_ms.append(event_ns // NS_PER_MS)
        record = {"shard": shard, "sequence": sequence, "event_time_ms": times_ms[-1], "event_time_ns": event_ns}
        values.append(codec.encode(record | {field: rows[first : first + count]}))
    return values, times_ms
