"""The market as a simulated venue sees it: market.ticks read on and on, and again where an order lies further back."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.matching import Quote
from pipelines.execution.books import BEGINNING_NS, BeforeWindow, ShardBooks

_BACK_NS = tuple(seconds * NS_PER_S for seconds in (5, 60, 600, 3600))
"""How far before an order to start reading again, step by step, until its instrument has quoted."""

_READ_ON_NS = 10 * NS_PER_S
"""A second reader goes on to an order this far ahead of it; further, it seeks."""

_POLL_MS = 200
_PATIENCE_S = 30.0

ConsumerRecord = Any
"""kafka-python's, untyped: topic, partition, offset, timestamp, value."""

log = logging.getLogger("helios.venue")


class MarketSilent(RuntimeError):
    """The log did not give what it had given before: the broker is slow or gone, or the data was deleted."""


class Market:
    """Quotes of instruments, by their home shards. One thread reads ahead (`run`); any one other asks."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        codec: BlockCodec,
        instruments_of_shard: Mapping[int, Sequence[str]],
        window_ns: int = 60 * NS_PER_S,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._codec = codec
        self._instruments = instruments_of_shard
        self.window_ns = window_ns
        self._guard = threading.Lock()
        self._head: dict[int, ShardBooks] = {}
        self._past: dict[int, _Past] = {}

    def time_ns(self, shard: int) -> int:
        """Shard time as read so far."""
        books = self._head.get(shard)
        return books.time_ns if books else BEGINNING_NS

    def quote(self, shard: int, instrument: str, at_ns: int) -> Quote | None:
        """The touch as of a time that shard time has passed; None if there was none yet. Raises MarketSilent."""
        try:
            with self._guard:
                return self._head[shard].quote(instrument, at_ns)
        except BeforeWindow:
            past = self._past.get(shard)
            if past is None:
                past = self._past[shard] = _Past(self._consumer(), self._partition(shard), self)
            return past.quote(instrument, at_ns)

    def run(self, stopped: threading.Event, moved: Callable[[], None]) -> None:
        """Read on until stopped; `moved` is called after each batch of blocks."""
        consumer = self._consumer()
        partitions = {self._partition(shard): shard for shard in self._instruments}
        starts = {partition: self._start(consumer, partition) for partition in partitions}
        consumer.assign(list(partitions))
        for partition, (offset, since_ns) in starts.items():
            consumer.seek(partition, offset)
            self._head[partitions[partition]] = self.books(partitions[partition], since_ns)
        try:
            while not stopped.is_set():
                found = consumer.poll(timeout_ms=_POLL_MS)
                for partition, records in found.items():
                    for record in records:
                        books = self._head[partitions[partition]]
                        self.take(books, record)
                        with self._guard:
                            books.forget(books.last_quote_ns() - self.window_ns)
                if found:
                    moved()
        finally:
            consumer.close()

    def take(self, books: ShardBooks, record: ConsumerRecord) -> None:
        """Read one record into books; one that cannot be read is logged and left out."""
        try:
            block = self._codec.decode(record.value)
        except BadRecord as bad:
            log.warning("unreadable record=%s/%d@%d error=%r", record.topic, record.partition, record.offset, str(bad))
            return
        with self._guard:
            books.take(block)

    def _start(self, consumer: KafkaConsumer, partition: TopicPartition) -> tuple[int, int]:
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
        since_ms = max(0, int(last.timestamp) - self.window_ns // NS_PER_MS)
        found = consumer.offsets_for_times({partition: since_ms})[partition]
        if found is None or found.offset <= first:
            return first, BEGINNING_NS
        return int(found.offset), since_ms * NS_PER_MS

    def books(self, shard: int, since_ns: int) -> ShardBooks:
        """Books of a shard's instruments, read from an event time on."""
        return ShardBooks(self._instruments[shard], since_ns)

    def _partition(self, shard: int) -> TopicPartition:
        """One shard, one partition, of the same number: contracts/topics.py chooses the keys so."""
        return TopicPartition(self._topic, shard)

    def _consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # An order waits for the market's time to pass it: 10 ms more for far fewer fetches.
            fetch_min_bytes=1 << 18,
            fetch_max_wait_ms=10,
        )


class _Past:
    """A second reader of one shard, for orders from before the window: it follows them, or seeks back."""

    def __init__(self, consumer: KafkaConsumer, partition: TopicPartition, market: Market) -> None:
        self._consumer = consumer
        self._partition = partition
        self._market = market
        self._books: ShardBooks | None = None
        consumer.assign([partition])

    def quote(self, instrument: str, at_ns: int) -> Quote | None:
        if self._books is not None and at_ns < self._books.time_ns + _READ_ON_NS:
            try:
                return self._read_to(self._books, instrument, at_ns)
            except BeforeWindow:
                pass
        for back_ns in _BACK_NS:
            books = self._seek(at_ns - back_ns)
            try:
                return self._read_to(books, instrument, at_ns)
            except BeforeWindow:
                continue
        return self._read_to(self._seek(None), instrument, at_ns)

    def _seek(self, since_ns: int | None) -> ShardBooks:
        """Stand at an event time of the log, at its beginning if None or if there is nothing before."""
        first = int(self._consumer.beginning_offsets([self._partition])[self._partition])
        offset, begins_ns = first, BEGINNING_NS
        if since_ns is not None:
            since_ms = max(0, since_ns // NS_PER_MS)
            found = self._consumer.offsets_for_times({self._partition: since_ms})[self._partition]
            if found is not None and found.offset > first:
                offset, begins_ns = int(found.offset), since_ms * NS_PER_MS
        self._consumer.seek(self._partition, offset)
        self._books = self._market.books(self._partition.partition, begins_ns)
        return self._books

    def _read_to(self, books: ShardBooks, instrument: str, at_ns: int) -> Quote | None:
        deadline_s = time.monotonic() + _PATIENCE_S
        while books.time_ns <= at_ns:
            found = self._consumer.poll(timeout_ms=_POLL_MS, max_records=50)
            for record in found.get(self._partition, ()):
                books.forget(at_ns - self._market.window_ns)
                self._market.take(books, record)
                deadline_s = time.monotonic() + _PATIENCE_S
            if time.monotonic() > deadline_s:
                raise MarketSilent(
                    f"{self._partition.topic}/{self._partition.partition}: read to {books.time_ns} ns, wanted {at_ns}"
                )
        return books.quote(instrument, at_ns)


def _first_record(consumer: KafkaConsumer, partition: TopicPartition) -> ConsumerRecord | None:
    """The record where the consumer stands; None if none comes (the end of a log can be a mark of a transaction)."""
    for _ in range(25):
        for record in consumer.poll(timeout_ms=_POLL_MS, max_records=1).get(partition, ()):
            return record
    return None
