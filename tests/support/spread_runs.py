"""The spread engine run over a log, and what it gave: as bytes, or decoded."""

from collections.abc import Iterable
from typing import Any

from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.schemas import records
from pipelines.contracts.wire import Codec
from pipelines.domain.shard import Shard
from pipelines.domain.spread_state import Saved, SpreadState
from pipelines.domain.universe import Strategy
from pipelines.operators.spread_engine import SpreadEngine

SCHEMA_IDS = {record: number for number, record in enumerate(records(), 1)}
MADE = (
    "helios.trading.TradingEvent",
    "helios.market.Bar",
    "helios.market.SpreadSamples",
    "helios.market.SpreadEvent",
    "helios.market.PairBars",
    "helios.market.Snapshots",
)
"""Records of what `SpreadEngine.take` gives: marks, bars, samples, spread events, pairs at minutes, snapshots."""

Output = tuple[list[tuple[bytes, int]], ...]
"""Of each of MADE, the values and their times in ms."""


def engine(of: Strategy, saved: Saved | None = None, shard: int = 0) -> SpreadEngine:
    its_shard = Shard.of(of, shard)
    return SpreadEngine(its_shard, SpreadState.load(saved, its_shard), of.account, SCHEMA_IDS)


def save(running: SpreadEngine) -> Saved:
    state = running.state
    slow = state.dump_slow()
    return Saved(state.dump_names(), state.dump(), slow)


def feed(running: SpreadEngine, blocks: Iterable[TickBlock]) -> Output:
    made: Output = tuple([] for _ in MADE)
    for block in blocks:
        for kept, (values, times_ms) in zip(made, running.take(block), strict=True):
            kept.extend(zip(values, times_ms, strict=True))
    return made


def but_heartbeats(made: Output) -> Output:
    """All that is a function of the rows alone; heartbeats hang on the blocks."""
    *before, events, minutes, snapshots = made
    told = [each for each in events if each[0][5:][:10] != b"\x12heartbeat"]
    return *before, told, minutes, snapshots


def run(of: Strategy, blocks: Iterable[TickBlock]) -> Output:
    return feed(engine(of), blocks)


def decoded(made: Output) -> tuple[list[dict[str, Any]], ...]:
    """All that was made as records; each one's Kafka time is its event time. Without the heartbeats of samples, bars
    and of pairs at minutes."""
    found = tuple(
        [Codec(record, SCHEMA_IDS[record]).decode(value) for value, _ in values]
        for record, values in zip(MADE, made, strict=True)
    )
    for values, those in zip(made, found, strict=True):
        assert [time_ms for _, time_ms in values] == [each["event_time_ms"] for each in those]
    marks, bars, samples, events, minutes, snapshots = found
    bars = [bar for bar in bars if bar["kind"] == "bar"]
    samples = [second for second in samples if second["samples"]]
    return marks, bars, samples, events, [minute for minute in minutes if minute["bars"]], snapshots


def joined(*parts: Output) -> Output:
    return tuple([each for part in parts for each in part[place]] for place in range(len(MADE)))
