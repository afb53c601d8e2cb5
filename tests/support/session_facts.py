"""What the topics of a session say, each thing once: to hold one run against another."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from jobs.session import TradingSession
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.topics import RECORDS
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec, Record
from pipelines.domain.market import Ticks
from pipelines.domain.trading import OrderRequest, Report, Signal, TradingEvent

NO_AVRO = b"no Avro"
"""What a test writes among the records to see what becomes of it."""


@dataclass
class SessionFacts:
    """Read from Kafka when first asked for; a session that still runs may say more later."""

    session: TradingSession

    @cached_property
    def blocks(self) -> list[TickBlock]:
        codec = BlockCodec(self._id("market.ticks"))
        return [codec.decode(value) for value in self._values(self.session.topics.ticks)]

    @cached_property
    def ticks(self) -> dict[str, Ticks]:
        """By feed session, each sequence once, in order."""
        parts: dict[str, list[Ticks]] = {}
        for block in self.blocks:
            parts.setdefault(block.session, []).append(block.ticks)
        whole = {name: np.concatenate(them) for name, them in parts.items()}
        return {name: rows[np.unique(rows["sequence"], return_index=True)[1]] for name, rows in whole.items()}

    @cached_property
    def spreads(self) -> dict[tuple[int, int], Record]:
        """By shard and sequence."""
        records = self._records("market.spreads", self.session.topics.spreads)
        return {(each["shard"], each["sequence"]): each for each in records}

    @cached_property
    def rejects(self) -> set[tuple[str, int, str]]:
        """Feed session, frame, reason."""
        records = self._records("market.rejects", self.session.topics.rejects)
        return {(each["session"], each["frame"], each["reason"]) for each in records}

    @cached_property
    def events(self) -> list[TradingEvent]:
        """The trading log, as it lies there."""
        return [event for event, _ in self._events]

    @cached_property
    def _events(self) -> list[tuple[TradingEvent, bytes]]:
        codec = EventCodec(self._id("trading.events"))
        return [(codec.decode(value), value) for value in self._values(self.session.topics.events)]

    @property
    def signals(self) -> dict[str, TradingEvent]:
        return {event.event_id: event for event in self.events if isinstance(event.body, Signal)}

    @property
    def signal_values(self) -> dict[str, list[bytes]]:
        """The bytes of each signal, as often as it lies in the log."""
        found: dict[str, list[bytes]] = {}
        for event, value in self._events:
            if isinstance(event.body, Signal):
                found.setdefault(event.event_id, []).append(value)
        return found

    @property
    def fills(self) -> dict[str, TradingEvent]:
        return {
            event.event_id: event
            for event in self.events
            if isinstance(event.body, Report) and event.body.last_quantity
        }

    @cached_property
    def orders(self) -> list[OrderRequest]:
        """Each once, in the order in which they were first written."""
        codec = OrderCodec(self._id("trading.orders"))
        found = (codec.decode(value) for value in self._values(self.session.topics.orders))
        return list({(order.client_order_id, order.action): order for order in found}.values())

    def now(self) -> "SessionFacts":
        """The same session, read anew."""
        return SessionFacts(self.session)

    def received_at_venues(self) -> dict[str, int]:
        """How often each order id came to its venue, by the venues' own journals."""
        found: dict[str, int] = {}
        for journal in self.session.folder.glob("venue-*/*.sqlite3"):
            with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
                found |= dict(db.execute("SELECT client_order_id, received FROM orders").fetchall())
        return found

    def _id(self, name: str) -> int:
        return self.session.schema_ids[RECORDS[name]]

    def _records(self, name: str, topic: str) -> Iterator[Record]:
        codec = Codec(RECORDS[name], self._id(name))
        return (codec.decode(value) for value in self._values(topic) if value != NO_AVRO)

    def _values(self, topic: str) -> Iterator[bytes]:
        """Committed records of a topic, partition by partition."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.session.settings.kafka.bootstrap,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        with closing(consumer):
            for number in sorted(consumer.partitions_for_topic(topic)):
                yield from _to_the_end(consumer, TopicPartition(topic, number))


def _to_the_end(consumer: KafkaConsumer, partition: TopicPartition) -> Iterator[bytes]:
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    consumer.seek_to_beginning(partition)
    while consumer.position(partition) < end:
        records: Sequence[object] = consumer.poll(timeout_ms=500).get(partition, ())
        yield from (record.value for record in records)  # type: ignore[attr-defined]
