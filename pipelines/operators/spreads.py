"""The spreads operator: blocks of ticks of a shard in; marks, bars, samples and spread events of its pairs out."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.closing_prices import load_closing_prices
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import BadRecord, Codec, SchemaOf
from pipelines.domain.hours import span_ns
from pipelines.domain.market import TICK
from pipelines.domain.shard import Shard
from pipelines.domain.spread_state import Saved, SpreadState
from pipelines.domain.universe import Strategy
from pipelines.operators.bad_record import bad_record
from pipelines.operators.flink import (
    BytesState,
    Context,
    Emitted,
    KeyedProcessFunction,
    RawRecord,
    RuntimeContext,
    bytes_state,
    emit,
)
from pipelines.operators.spread_engine import SpreadEngine

LATEST_NS = 1 << 62
"""Year 2116: an event time beyond it is none."""


class Spreads(KeyedProcessFunction):
    """One block of market.ticks in; per topic at most one row of records out. State: the three parts of SpreadState,
    bytes by shard.

    A block that cannot be read becomes a reject that names topic, partition and offset; nothing stops.
    """

    def __init__(
        self, strategy: Strategy, topics: Topics, schema_ids: Mapping[str, int], schema_of: SchemaOf | None = None
    ) -> None:
        self._strategy = strategy
        self._topics = topics
        self._schema_ids = dict(schema_ids)
        self._blocks = BlockCodec(schema_ids["helios.market.TickBlock"], schema_of)
        self._rejects = Codec("helios.market.Reject", schema_ids["helios.market.Reject"])
        self._engines: dict[int, SpreadEngine] = {}

    def open(self, runtime_context: RuntimeContext) -> None:
        self._state: BytesState = runtime_context.get_state(bytes_state("spreads"))
        self._slow: BytesState = runtime_context.get_state(bytes_state("spreads-bars"))
        self._names: BytesState = runtime_context.get_state(bytes_state("spreads-names"))
        self._engines = {}
        self._warm_up()

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        try:
            block = self._blocks.decode(value.value or b"")
            self._check(block, value.key)
        except BadRecord as error:
            yield self._bad_record(value, str(error))
            return
        engine = self._engine(block.shard)
        made = engine.take(block)
        state = engine.state
        if state.slow_changed:
            self._slow.update(state.dump_slow())
        if state.names_changed:
            self._names.update(state.dump_names())
        self._state.update(state.dump())
        topics, key = self._topics, value.key
        for topic, its_key, (values, times_ms) in (
            # Marks first: a signal finds them in the log.
            (topics.events, self._strategy.account, made.marks),
            (topics.bars, key, made.bars),
            (topics.samples, key, made.samples),
            (topics.pair_bars, key, made.pair_bars),
            (topics.snapshots, key, made.snapshots),
            (topics.spreads, key, made.spreads),
        ):
            if values:
                yield emit(topic, its_key, values, times_ms)

    def _engine(self, number: int) -> SpreadEngine:
        """A shard's engine. Its bytes are read once: from then on, all that changes them is what it writes itself."""
        engine = self._engines.get(number)
        if engine is None:
            shard = Shard.of(self._strategy, number)
            saved = self._saved()
            state = SpreadState.load(saved, shard)
            engine = self._engines[number] = SpreadEngine(shard, state, self._strategy.account, self._schema_ids)
            if saved is None and self._strategy.history:
                names = tuple(instrument.id for instrument in shard.instruments)
                engine.warm_up(load_closing_prices(Path(self._strategy.history), names))
        return engine

    def _saved(self) -> Saved | None:
        """The three are written with the first block, and together."""
        names, fast, slow = self._names.value(), self._state.value(), self._slow.value()
        return None if names is None or fast is None or slow is None else Saved(names, fast, slow)

    def _warm_up(self) -> None:
        """Have the kernels compiled before the first block waits for them."""
        shard = Shard.of(self._strategy, 0)
        engine = SpreadEngine(shard, SpreadState(shard), self._strategy.account, self._schema_ids)
        engine.take(TickBlock("", "", 0, 0, 0, (), np.empty(0, TICK)))
        span_ns(np.zeros(1, TICK))

    def _check(self, block: TickBlock, key: str) -> None:
        """A block that contradicts where it lies, or whose times are none, must not touch a shard's state."""
        shards = self._strategy.shards
        if not 0 <= block.shard < shards:
            raise BadRecord(f"shard {block.shard}: the strategy has shards 0 to {shards - 1}")
        if key != shard_key(block.shard, shards):
            raise BadRecord(f"shard {block.shard} under the key {key!r}: {shard_key(block.shard, shards)!r} expected")
        times = block.ticks["event_ns"]
        if times.size and not 0 <= times.min() <= times.max() < LATEST_NS:
            raise BadRecord(f"event_ns: {times.min()} to {times.max()}: not times")

    def _bad_record(self, value: RawRecord, error: str) -> Emitted:
        return bad_record(self._rejects, self._topics.rejects, value, self._topics.ticks, error)
