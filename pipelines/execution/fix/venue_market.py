"""market.ticks as rows for a venue's engine: read on and on, and again from further back where the engine asks."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from kafka import KafkaConsumer

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import NS_PER_S, Kind
from pipelines.domain.venue_rows import BEGINNING_NS, MARKET_ROW, MarketRows
from pipelines.execution.shard_clock import ShardClock
from pipelines.execution.tick_log import POLL_MS, MarketSilent, TickLog

_SETTLE_NS = NS_PER_S
"""Read before what is asked for: shard time is that of the whole log once its rows are no later than this."""

_PATIENCE_S = 30.0
_KEPT_ROWS = 1_000_000
_TAKEN = (Kind.QUOTE, Kind.TRADE, Kind.LEVEL, Kind.STATUS)
_SAME = ("kind", "code", "flags", "bid", "bid_size", "ask", "ask_size")

log = logging.getLogger("helios.venue")


class RowReader:
    """Blocks of one shard's log in, rows of a venue out. `numbers`: places of its instruments that live there."""

    def __init__(self, venue: str, numbers: Mapping[str, int]) -> None:
        self._venue, self._numbers = venue, numbers
        self._clock = ShardClock()

    @property
    def time_ns(self) -> int:
        return self._clock.time_ns

    def rows(self, block: TickBlock) -> MarketRows:
        """The venue's rows that come for the first time; behind them one that moves time, where others are later."""
        ticks = block.ticks
        if not len(ticks):
            return np.zeros(0, MARKET_ROW)
        times, fresh = self._clock.take(block)
        # The last entry is for instrument -1, of heartbeats.
        numbers = np.array([self._numbers.get(name, -1) for name in block.instruments] + [-1], "i4")[
            ticks["instrument"]
        ]
        ours = (numbers >= 0) & np.isin(ticks["kind"], _TAKEN)
        ends = (ticks["kind"] == Kind.END) & ((numbers >= 0) | (ticks["instrument"] < 0)) & (block.venue == self._venue)
        kept = np.flatnonzero((ours | ends) & fresh)
        moves = not len(kept) or times[kept[-1]] < times[-1]
        rows = np.zeros(len(kept) + moves, MARKET_ROW)
        rows["time_ns"][: len(kept)], rows["instrument"][: len(kept)] = times[kept], numbers[kept]
        for name in _SAME:
            rows[name][: len(kept)] = ticks[name][kept]
        if moves:
            rows[-1] = (times[-1], -1, Kind.HEARTBEAT, 0, 0, 0.0, 0.0, 0.0, 0.0)
        return rows


@dataclass(frozen=True, slots=True)
class _Kept:
    """Rows of a shard that were read again, from one time and before another: late orders mostly come together."""

    from_ns: int
    to_ns: int
    rows: MarketRows

    def lately(self, count: int) -> "_Kept":
        """No more than the last `count` rows."""
        if len(self.rows) <= count:
            return self
        from_ns = int(self.rows["time_ns"][-count - 1]) + 1
        return _Kept(from_ns, self.to_ns, self.rows[_first(self.rows, from_ns) :].copy())


class VenueMarket:
    """`instruments`: as the engine numbers them. One thread reads ahead (`run`); any one other asks for `history`."""

    def __init__(
        self, ticks: TickLog, venue: str, instruments: Sequence[str], shard_of: Mapping[str, int], window_ns: int
    ) -> None:
        self._ticks, self._venue, self._shard_of, self._window_ns = ticks, venue, shard_of, window_ns
        self._numbers: dict[int, dict[str, int]] = {}
        for number, name in enumerate(instruments):
            self._numbers.setdefault(shard_of[name], {})[name] = number
        self._past: KafkaConsumer | None = None
        self._kept: dict[int, _Kept] = {}
        self._stopped = threading.Event()

    def run(self, stopped: threading.Event, moved: Callable[[int, MarketRows], None]) -> None:
        """Read on until stopped; `moved` gets the rows of a shard as they come."""
        self._stopped = stopped
        consumer = self._ticks.consumer()
        shards = {self._ticks.partition(shard): shard for shard in self._numbers}
        starts = {each: self._ticks.recent(consumer, each, self._window_ns) for each in shards}
        readers = {each: RowReader(self._venue, self._numbers[shard]) for each, shard in shards.items()}
        consumer.assign(list(shards))
        for partition, (offset, _) in starts.items():
            consumer.seek(partition, offset)
        try:
            while not stopped.is_set():
                for partition, records in consumer.poll(timeout_ms=POLL_MS).items():
                    blocks = filter(None, map(self._ticks.block, records))
                    found = [readers[partition].rows(block) for block in blocks]
                    rows = np.concatenate(found) if found else np.zeros(0, MARKET_ROW)
                    if len(rows):
                        moved(shards[partition], rows)
        finally:
            consumer.close()

    def history(self, instrument: str, from_ns: int, to_ns: int) -> MarketRows:
        """Rows of an instrument, and of none, with from_ns <= time < to_ns; time past `to_ns` was read already.
        Waits for as long as the log does not answer; raises MarketSilent where it is stopped meanwhile."""
        shard = self._shard_of[instrument]
        number = self._numbers[shard][instrument]
        if from_ns <= BEGINNING_NS + _SETTLE_NS:
            return self._read(shard, from_ns, to_ns, number)
        kept = self._kept.get(shard)
        if kept is None or from_ns > kept.to_ns or to_ns < kept.from_ns:
            kept = _Kept(from_ns, from_ns, np.zeros(0, MARKET_ROW))
        if from_ns < kept.from_ns:
            earlier = self._read(shard, from_ns, kept.from_ns)
            kept = _Kept(from_ns, kept.to_ns, np.concatenate([earlier, kept.rows]))
        if to_ns > kept.to_ns:
            later = self._read(shard, kept.to_ns, to_ns)
            kept = _Kept(kept.from_ns, to_ns, np.concatenate([kept.rows, later]))
        self._kept[shard] = kept.lately(_KEPT_ROWS)
        rows: MarketRows = kept.rows[_first(kept.rows, from_ns) : _first(kept.rows, to_ns)]
        return _of(rows, number)

    def _read(self, shard: int, from_ns: int, to_ns: int, number: int | None = None) -> MarketRows:
        """Rows of a shard between two times, of one instrument and of none if a number is given."""
        if self._past is None:
            self._past = self._ticks.consumer()
        partition, reader = self._ticks.partition(shard), RowReader(self._venue, self._numbers[shard])
        since_ns = None if from_ns <= BEGINNING_NS + _SETTLE_NS else from_ns - _SETTLE_NS
        offset, _ = self._ticks.since(self._past, partition, since_ns)
        self._past.assign([partition])
        self._past.seek(partition, offset)
        found = [np.zeros(0, MARKET_ROW)]
        heard_s = time.monotonic()
        while reader.time_ns < to_ns:
            for record in self._past.poll(timeout_ms=POLL_MS).get(partition, ()):
                block = self._ticks.block(record)
                if block is not None:
                    rows = reader.rows(block)
                    if number is not None:
                        rows = _of(rows, number)
                    found.append(rows[(rows["time_ns"] >= from_ns) & (rows["time_ns"] < to_ns)])
                heard_s = time.monotonic()
            if time.monotonic() - heard_s > _PATIENCE_S:
                log.warning("%s: read to %d ns, wanted %d: waiting on", partition, reader.time_ns, to_ns)
                heard_s = time.monotonic()
            if self._stopped.is_set():
                raise MarketSilent(f"{partition}: read to {reader.time_ns} ns, wanted {to_ns}")
        return np.concatenate(found)


def _first(rows: MarketRows, time_ns: int) -> int:
    """The place of the first row that is not before a time."""
    return int(np.searchsorted(rows["time_ns"], time_ns))


def _of(rows: MarketRows, number: int) -> MarketRows:
    """Rows of an instrument, and of none."""
    mine: MarketRows = rows[(rows["instrument"] == number) | (rows["instrument"] < 0)]
    return mine
