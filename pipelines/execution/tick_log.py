"""market.ticks as those who match orders read it: where to begin in a shard's log, and blocks out of its records."""

import logging
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.wire import BadRecord
from pipelines.domain.market import NS_PER_MS
from pipelines.execution.shard_clock import BEGINNING_NS

POLL_MS = 200

ConsumerRecord = Any
"""kafka-python's, untyped: topic, partition, offset, timestamp, value."""

log = logging.getLogger("helios.venue")


class MarketSilent(RuntimeError):
    """The log did not give what it had given before: the broker is slow or gone, or the data was deleted."""


class TickLog:
    """A topic of ticks. Kafka's time of a record is the event time of its block's last row, in ms."""

    def __init__(self, bootstrap: str, topic: str, codec: BlockCodec) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._codec = codec

    def consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # An order waits for the market's time to pass it: 10 ms more for far fewer fetches.
            fetch_min_bytes=1 << 18,
            fetch_max_wait_ms=10,
        )

    def partition(self, shard: int) -> TopicPartition:
        """One shard, one partition, of the same number: contracts/topics.py chooses the keys so."""
        return TopicPartition(self._topic, shard)

    def block(self, record: ConsumerRecord) -> TickBlock | None:
        """The block of a record; one that cannot be read is logged and left out."""
        try:
            return self._codec.decode(record.value)
        except BadRecord as bad:
            log.warning("unreadable record=%s/%d@%d error=%r", record.topic, record.partition, record.offset, str(bad))
            return None

    def recent(self, consumer: KafkaConsumer, partition: TopicPartition, window_ns: int) -> tuple[int, int]:
        """The offset a window before the log's last block, and the event time from which all is read there."""
        consumer.assign([partition])
        first = int(consumer.beginning_offsets([partition])[partition])
        end = int(consumer.end_offsets([partition])[partition])
        if end - first < 2:
            return first, BEGINNING_NS
        consumer.seek(partition, end - 1)
        last = _first_record(consumer, partition)
        if last is None:
            return first, BEGINNING_NS
        return self.since(consumer, partition, int(last.timestamp) * NS_PER_MS - window_ns)

    def since(self, consumer: KafkaConsumer, partition: TopicPartition, since_ns: int | None) -> tuple[int, int]:
        """The offset of an event time, and that time from which all is read there; the log's beginning if None or if
        there is nothing before."""
        first = int(consumer.beginning_offsets([partition])[partition])
        if since_ns is None:
            return first, BEGINNING_NS
        since_ms = max(0, since_ns // NS_PER_MS)
        found = consumer.offsets_for_times({partition: since_ms})[partition]
        if found is None or found.offset <= first:
            return first, BEGINNING_NS
        return int(found.offset), since_ms * NS_PER_MS


def _first_record(consumer: KafkaConsumer, partition: TopicPartition) -> ConsumerRecord | None:
    """The record where the consumer stands; None if none comes (the end of a log can be a mark of a transaction)."""
    for _ in range(25):
        for record in consumer.poll(timeout_ms=POLL_MS, max_records=1).get(partition, ()):
            return record
    return None
