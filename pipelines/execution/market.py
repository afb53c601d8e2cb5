"""The market as a simulated venue sees it: market.ticks read on and on, and again where an order lies further back."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from kafka import KafkaConsumer, TopicPartition

from pipelines.contracts.blocks import BlockCodec
from pipelines.domain.market import NS_PER_S
from pipelines.domain.matching import Quote
from pipelines.execution.books import BeforeWindow, ShardBooks
from pipelines.execution.shard_clock import BEGINNING_NS
from pipelines.execution.tick_log import POLL_MS, ConsumerRecord, TickLog
from pipelines.execution.tick_log import MarketSilent as MarketSilent
from pipelines.execution.traded_books import TradedBooks

Answer = TypeVar("Answer")

_BACK_NS = tuple(seconds * NS_PER_S for seconds in (5, 60, 600, 3600))
"""How far before an order to start reading again, step by step, until its instrument has quoted."""

_READ_ON_NS = 10 * NS_PER_S
"""A second reader goes on to an order this far ahead of it; further, it seeks."""

_PATIENCE_S = 30.0


class Market:
    """Quotes of instruments, by their home shards. One thread reads ahead (`run`); any one other asks."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        codec: BlockCodec,
        instruments_of_shard: Mapping[int, Sequence[str]],
        window_ns: int = 60 * NS_PER_S,
        *,
        trades: bool = False,
    ) -> None:
        self._books: type[ShardBooks] = TradedBooks if trades else ShardBooks
        self.log = TickLog(bootstrap, topic, codec)
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
        return self._answer(shard, at_ns, lambda books: books.quote(instrument, at_ns))

    def traded(self, shard: int, instrument: str, after_ns: int, until_ns: int) -> float:
        """Units traded after one time and until another, that shard time has passed. Raises MarketSilent."""

        def ask(books: ShardBooks) -> float:
            assert isinstance(books, TradedBooks), "this market does not keep trades"
            return books.traded(instrument, after_ns, until_ns)

        return self._answer(shard, until_ns, ask)

    def _answer(self, shard: int, at_ns: int, ask: Callable[[ShardBooks], Answer]) -> Answer:
        try:
            with self._guard:
                return ask(self._head[shard])
        except BeforeWindow:
            past = self._past.get(shard)
            if past is None:
                past = self._past[shard] = _Past(self.log.consumer(), self.log.partition(shard), self)
            return past.answer(at_ns, ask)

    def run(self, stopped: threading.Event, moved: Callable[[], None]) -> None:
        """Read on until stopped; `moved` is called after each batch of blocks."""
        consumer = self.log.consumer()
        partitions = {self.log.partition(shard): shard for shard in self._instruments}
        starts = {partition: self.log.recent(consumer, partition, self.window_ns) for partition in partitions}
        consumer.assign(list(partitions))
        for partition, (offset, since_ns) in starts.items():
            consumer.seek(partition, offset)
            self._head[partitions[partition]] = self.books(partitions[partition], since_ns)
        try:
            while not stopped.is_set():
                found = consumer.poll(timeout_ms=POLL_MS)
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
        """Read one record into books; one that cannot be read is left out."""
        block = self.log.block(record)
        if block is not None:
            with self._guard:
                books.take(block)

    def books(self, shard: int, since_ns: int) -> ShardBooks:
        """Books of a shard's instruments, read from an event time on."""
        return self._books(self._instruments[shard], since_ns)


class _Past:
    """A second reader of one shard, for orders from before the window: it follows them, or seeks back."""

    def __init__(self, consumer: KafkaConsumer, partition: TopicPartition, market: Market) -> None:
        self._consumer = consumer
        self._partition = partition
        self._market = market
        self._books: ShardBooks | None = None
        consumer.assign([partition])

    def answer(self, at_ns: int, ask: Callable[[ShardBooks], Answer]) -> Answer:
        if self._books is not None and at_ns < self._books.time_ns + _READ_ON_NS:
            try:
                return self._read_to(self._books, at_ns, ask)
            except BeforeWindow:
                pass
        for back_ns in _BACK_NS:
            books = self._seek(at_ns - back_ns)
            try:
                return self._read_to(books, at_ns, ask)
            except BeforeWindow:
                continue
        return self._read_to(self._seek(None), at_ns, ask)

    def _seek(self, since_ns: int | None) -> ShardBooks:
        """Stand at an event time of the log, at its beginning if None or if there is nothing before."""
        offset, begins_ns = self._market.log.since(self._consumer, self._partition, since_ns)
        self._consumer.seek(self._partition, offset)
        self._books = self._market.books(self._partition.partition, begins_ns)
        return self._books

    def _read_to(self, books: ShardBooks, at_ns: int, ask: Callable[[ShardBooks], Answer]) -> Answer:
        deadline_s = time.monotonic() + _PATIENCE_S
        while books.time_ns <= at_ns:
            found = self._consumer.poll(timeout_ms=POLL_MS, max_records=50)
            for record in found.get(self._partition, ()):
                books.forget(at_ns - self._market.window_ns)
                self._market.take(books, record)
                deadline_s = time.monotonic() + _PATIENCE_S
            if time.monotonic() > deadline_s:
                raise MarketSilent(
                    f"{self._partition.topic}/{self._partition.partition}: read to {books.time_ns} ns, wanted {at_ns}"
                )
        return ask(books)
