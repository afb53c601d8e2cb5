"""A simulated feed whose frames are drawn beforehand, so that a benchmark measures what takes them and not the drawing.

It is written to raw.<venue> as a feed handler does, or, where reading frames costs more than the machine has, to
market.ticks as the blocks that the market job would make of them.
"""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from jobs.benchmarks.broker import bulk_producer
from pipelines.contracts.blocks import RECORD, BlockCodec, TickBlock
from pipelines.contracts.frames import RECORD as FRAMES
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.topics import Topics, shard_key
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.normalise import Listing, by_shard, heartbeat, hello, normalise
from pipelines.domain.sequencing import new_session
from pipelines.domain.universe import Strategy
from pipelines.feeds.protocols.catalogue import protocol
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.source import Batch


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record to write once the feed has run for `due_ns`; it holds `count` things, from number `first` on."""

    topic: str
    key: bytes
    value: bytes
    time_ms: int
    due_ns: int
    first: int
    count: int


def raw_records(simulation: Simulation, ids: Mapping[str, int], topics: Topics, linger_ms: float) -> list[Record]:
    """A simulation of one shard as records of its raw topic; its things are frames."""
    codec, topic = FramesCodec(ids[FRAMES]), topics.raw(simulation.venue)
    found = []
    for batch in _batches(simulation, linger_ms):
        raw, due_ns = batch.record, batch.due_ns - simulation.start_ns
        time_ms = (raw.receive_ns[-1] if raw.receive_ns else raw.clock_ns) // NS_PER_MS
        key = raw.session.encode()
        found.append(Record(topic, key, codec.encode(raw), time_ms, due_ns, raw.first_sequence, len(raw.frames)))
    return found


def tick_records(
    simulation: Simulation, strategy: Strategy, ids: Mapping[str, int], topics: Topics, linger_ms: float
) -> list[Record]:
    """The same as records of market.ticks, as the market job would write them; its things are ticks."""
    listing = Listing.of(strategy, simulation.venue)
    decoder = protocol(strategy.venue_by_name[simulation.venue].protocol)(listing.index)
    codec, state = BlockCodec(ids[RECORD]), new_session(len(listing.symbols))
    key, found = shard_key(0, simulation.shards).encode(), []
    for offset, batch in enumerate(_batches(simulation, linger_ms)):
        raw = batch.record
        if raw.symbols:
            state = hello(state, listing, raw.symbols)
        made = normalise(state, listing, decoder, raw.first_sequence, raw.receive_ns, raw.frames)
        ticks = made.ticks
        if raw.end or (raw.clock_ns and not raw.frames):
            made = heartbeat(made.state, raw.clock_ns, raw.end)
            ticks = np.concatenate((ticks, made.ticks))
        state = made.state
        for shard, instruments, rows in by_shard(state, listing, ticks):
            value = codec.encode(TickBlock(raw.venue, raw.session, shard, 0, offset, instruments, rows))
            time_ms, due_ns = int(rows["event_ns"][-1]) // NS_PER_MS, batch.due_ns - simulation.start_ns
            found.append(Record(topics.ticks, key, value, time_ms, due_ns, int(rows["sequence"][0]), len(rows)))
    return found


def _batches(simulation: Simulation, linger_ms: float) -> Iterator[Batch]:
    return SimulatedSource(simulation).batches({}, int(linger_ms * NS_PER_MS))


@dataclass
class Sent:
    """When the things of a feed were handed to Kafka."""

    began_ns: int = 0
    things: int = 0
    seconds: float = 0.0
    _first: list[int] = field(default_factory=list)
    _at_ns: list[int] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.things / self.seconds if self.seconds else 0.0

    def take(self, record: Record, now_ns: int) -> None:
        if record.count:
            self._first.append(record.first)
            self._at_ns.append(now_ns)
            self.things += record.count

    def at_ns(self, number: int) -> int:
        """Wall time of the record that holds a frame, or a tick, by its number."""
        return self._at_ns[bisect_right(self._first, number) - 1]


def play(bootstrap: str, records: Sequence[Record], now_ns: Callable[[], int] = time.time_ns) -> Sent:
    """Write records when they are due; what is late is written at once. Returns when the broker has all of them."""
    sent = Sent()
    with bulk_producer(bootstrap, linger_ms=0) as producer:
        producer.partitions_for(records[0].topic)
        sent.began_ns = now_ns()
        for record in records:
            wait_ns = sent.began_ns + record.due_ns - now_ns()
            if wait_ns > 0:
                time.sleep(wait_ns / NS_PER_S)
            sent.take(record, now_ns())
            producer.send(record.topic, record.value, key=record.key, timestamp_ms=record.time_ms)
        sent.seconds = (now_ns() - sent.began_ns) / NS_PER_S
        producer.flush()
    return sent
