"""Blocks of a shard's log as rows of one venue, read on and read again."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import NS_PER_MS, TICK, Kind
from pipelines.domain.venue_rows import BEGINNING_NS
from pipelines.execution.fix.venue_market import RowReader, VenueMarket
from pipelines.execution.tick_log import TickLog

NAMES = ("A", "OTHER", "B")
S = 1_000 * NS_PER_MS


def block(first: int, *rows: tuple[int, Kind, int], venue: str = "sim") -> TickBlock:
    """Rows as (instrument, kind, time), numbered from `first`."""
    ticks = np.zeros(len(rows), TICK)
    ticks["sequence"] = first + np.arange(len(rows))
    for place, (instrument, kind, time_ns) in enumerate(rows):
        ticks[place]["instrument"], ticks[place]["kind"], ticks[place]["event_ns"] = instrument, kind, time_ns
        ticks[place]["bid"] = first + place
    return TickBlock(venue, "s1", 0, 0, 0, NAMES, ticks)


def told(reader: RowReader, *blocks: TickBlock) -> list[tuple[int, int, int]]:
    rows = np.concatenate([reader.rows(each) for each in blocks])
    return [(int(row["time_ns"]), int(row["instrument"]), int(row["kind"])) for row in rows]


def reader() -> RowReader:
    return RowReader("sim", {"A": 4, "B": 5})


def test_rows_of_others_move_time_and_are_left_out() -> None:
    rows = told(reader(), block(1, (0, Kind.QUOTE, 10), (1, Kind.QUOTE, 20), (2, Kind.TRADE, 15), (1, Kind.QUOTE, 30)))
    assert rows == [(10, 4, Kind.QUOTE), (20, 5, Kind.TRADE), (30, -1, Kind.HEARTBEAT)]


def test_a_repeated_block_moves_nothing_and_says_nothing() -> None:
    first = block(1, (0, Kind.QUOTE, 10), (0, Kind.QUOTE, 20))
    assert told(reader(), first, first, block(3, (0, Kind.LEVEL, 5))) == [
        (10, 4, Kind.QUOTE),
        (20, 4, Kind.QUOTE),
        (20, -1, Kind.HEARTBEAT),
        (20, 4, Kind.LEVEL),
    ]


def test_the_end_of_another_venue_is_not_ours() -> None:
    end = (-1, Kind.END, 50)
    assert told(reader(), block(1, end, venue="else")) == [(50, -1, Kind.HEARTBEAT)]
    assert told(reader(), block(1, end)) == [(50, -1, Kind.END)]


def test_what_no_engine_reads_is_left_out() -> None:
    assert told(reader(), block(1, (0, Kind.AUCTION, 7), (0, Kind.INDICATIVE, 8))) == [(8, -1, Kind.HEARTBEAT)]


class Log(TickLog):
    """A log in memory, one block a record; counts how often it is read from anew."""

    def __init__(self, blocks: list[TickBlock]) -> None:
        self.blocks, self.place, self.seeks = blocks, 0, 0

    def consumer(self) -> Any:
        return SimpleNamespace(poll=self._poll, assign=lambda of: None, seek=self._seek)

    def since(self, consumer: Any, partition: Any, since_ns: int | None) -> tuple[int, int]:
        times = [int(each.ticks["event_ns"][-1]) for each in self.blocks]
        wanted = BEGINNING_NS if since_ns is None else since_ns
        return next((place for place, time_ns in enumerate(times) if time_ns >= wanted), len(times)), wanted

    def block(self, record: Any) -> TickBlock | None:
        return self.blocks[record]

    def partition(self, shard: int) -> Any:
        return shard

    def _seek(self, partition: Any, offset: int) -> None:
        self.place, self.seeks = offset, self.seeks + 1

    def _poll(self, timeout_ms: int) -> dict[Any, list[int]]:
        self.place += 1
        return {0: [self.place - 1]} if self.place <= len(self.blocks) else {}


def test_history_is_what_was_read_and_is_read_once_for_orders_that_come_together() -> None:
    log = Log([block(2 * at + 1, (0, Kind.QUOTE, at * S), (2, Kind.QUOTE, at * S + 1)) for at in range(20)])
    market = VenueMarket(log, "sim", ("A", "B"), {"A": 0, "B": 0}, 60 * S)

    def times(instrument: str, low: int, high: int) -> list[int]:
        rows = market.history(instrument, low, high)
        return [int(time_ns) for time_ns in rows["time_ns"][rows["instrument"] >= 0]]

    assert times("A", 3 * S, 8 * S) == [at * S for at in range(3, 8)]
    assert log.seeks == 1
    assert times("B", 4 * S, 8 * S) == [at * S + 1 for at in range(4, 8)]
    assert log.seeks == 1
    assert times("A", 5 * S, 12 * S) == [at * S for at in range(5, 12)]
    assert log.seeks == 2
    assert times("A", 5 * S, 12 * S) == [at * S for at in range(5, 12)]
    assert times("A", 1 * S, 3 * S) == [1 * S, 2 * S]
    assert times("B", BEGINNING_NS, 2 * S) == [1, S + 1]
