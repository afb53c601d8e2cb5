"""A simulated session as market.ticks would hold it, made without services by the market operator itself."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kafka import KafkaProducer

from pipelines.contracts.frames import RECORD, FramesCodec
from pipelines.contracts.topics import Topics
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.protocols.catalogue import protocol
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.operators.market import Market
from tests.support.fake_flink import KeyedHarness, emitted, record


class LoggedBlock(NamedTuple):
    """A record of market.ticks: a TickBlock under its shard's key."""

    key: str
    value: bytes
    time_ms: int


def tick_log(simulation: Simulation, schema_ids: Mapping[str, int], window_ms: int = 40) -> list[LoggedBlock]:
    """All blocks of a simulation, its ends included; `window_ms`: event time that a raw record spans."""
    strategy, topics = simulation.strategy(), Topics()
    operator = Market(strategy, simulation.venue, protocol(strategy.venues[0].protocol), topics, schema_ids)
    codec, market = FramesCodec(schema_ids[RECORD]), KeyedHarness(operator)
    rows = (
        record(codec.encode(batch.record), key=batch.record.session, offset=offset)
        for offset, batch in enumerate(SimulatedSource(simulation).batches({}, window_ms * NS_PER_MS))
    )
    return [
        LoggedBlock(key, value, time_ms)
        for topic, key, value, time_ms in emitted(market.feed_all(rows))
        if topic == topics.ticks
    ]


def write(bootstrap: str, topic: str, blocks: Sequence[LoggedBlock]) -> None:
    """Put blocks into a topic, in order; they are acknowledged when it returns."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=2)
    for block in blocks:
        producer.send(topic, block.value, key=block.key.encode(), timestamp_ms=block.time_ms)
    producer.flush()
    producer.close()
