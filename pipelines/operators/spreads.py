"""The spreads operator: blocks of ticks of a shard in; marks, bars and spread events of its pairs out."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.spreads import BarWriter, Encoded, MarksWriter, SpreadWriter
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import BadRecord, Codec, SchemaOf
from pipelines.domain.market import TICK
from pipelines.domain.shard import Shard
from pipelines.domain.spread_state import SpreadState
from pipelines.domain.spreads import advance, new_out
from pipelines.domain.universe import Strategy
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

LATEST_NS = 1 << 62
"""Year 2116: an event time beyond it is none."""


class SpreadEngine:
    """The kernel and the writers of one shard: a block in, Avro out. All that is remembered is in `state`."""

    def __init__(self, shard: Shard, state: SpreadState, account: str, schema_ids: Mapping[str, int]) -> None:
        self.state = state
        self._shard = shard
        self._out = new_out(len(shard.instruments), len(shard.pairs))
        self._spreads = SpreadWriter(schema_ids["helios.market.SpreadEvent"], shard)
        self._bars = BarWriter(schema_ids["helios.market.Bar"], shard)
        self._marks = MarksWriter(schema_ids["helios.trading.TradingEvent"], shard, account)
        self._block_instruments: tuple[str, ...] = ()
        self._places = shard.places(())

    def take(self, block: TickBlock) -> tuple[Encoded, Encoded, Encoded]:
        """Marks, bars and spread events that the rows of a block make."""
        state, out = self.state, self._out
        session = state.session(block.venue, block.session)
        if block.instruments != self._block_instruments:
            self._block_instruments, self._places = block.instruments, self._shard.places(block.instruments)
        made: tuple[Encoded, Encoded, Encoded] = ([], []), ([], []), ([], [])
        row = 0
        while True:
            row = advance(block.ticks, row, session, self._places, self._shard.legs, state.kernel, out)
            spreads, marks, marked, bars = out.counts.tolist()
            encoded = (
                self._marks.encode(out.marks[:marks], out.marked[:marked]),
                self._bars.encode(out.bars[:bars]),
                self._spreads.encode(out.spreads[:spreads], state.sessions),
            )
            for (values, times_ms), (more, their_times) in zip(made, encoded, strict=True):
                values += more
                times_ms += their_times
            if row == block.ticks.size:
                return made


class Spreads(KeyedProcessFunction):
    """One block of market.ticks in; per topic at most one row of records out. State: SpreadState bytes by shard.

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
        self._engines = {}
        self._warm_up()

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        try:
            block = self._blocks.decode(value.value)
            self._check(block, value.key)
        except BadRecord as error:
            yield self._bad_record(value, str(error))
            return
        engine = self._engine(block.shard)
        marks, bars, spreads = engine.take(block)
        self._state.update(engine.state.dump())
        topics, key = self._topics, value.key
        for topic, its_key, (values, times_ms) in (
            (topics.events, self._strategy.account, marks),  # first: a signal should find its marks in the log
            (topics.bars, key, bars),
            (topics.spreads, key, spreads),
        ):
            if values:
                yield emit(topic, its_key, values, times_ms)

    def _engine(self, number: int) -> SpreadEngine:
        """A shard's engine. Its bytes are read once: from then on, all that changes them is what it writes itself."""
        engine = self._engines.get(number)
        if engine is None:
            shard = Shard.of(self._strategy, number)
            state = SpreadState.load(self._state.value(), shard)
            engine = self._engines[number] = SpreadEngine(shard, state, self._strategy.account, self._schema_ids)
        return engine

    def _warm_up(self) -> None:
        """Have the kernels compiled before the first block waits for them."""
        shard = Shard.of(self._strategy, 0)
        engine = SpreadEngine(shard, SpreadState(shard), self._strategy.account, self._schema_ids)
        engine.take(TickBlock("", "", 0, 0, 0, (), np.empty(0, TICK)))

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
        """It held ticks, of no frame that is known: it counts none. Venue: ourselves, it is a topic of our own."""
        topic = self._topics.ticks
        time_ms = max(value.timestamp, 0)
        record = self._rejects.encode(
            {
                "venue": "helios",
                "session": f"{topic}/{value.partition}",
                "frame": -1 - value.offset,
                "frames": 0,
                "reason": "bad_record",
                "detail": f"{topic} partition {value.partition} offset {value.offset}: {' '.join(error.split())}",
                "event_time_ms": time_ms,
                "raw_topic": topic,
                "raw_partition": value.partition,
                "raw_offset": value.offset,
                "payload": bytes(value.value or b"")[:512],
            }
        )
        return emit(self._topics.rejects, "helios", [record], [time_ms])
