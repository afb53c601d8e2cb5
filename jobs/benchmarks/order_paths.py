"""Orders followed back to what they came of: when each record on the way was appended, by the broker's clock."""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from jobs.benchmarks.broker import percentiles
from jobs.benchmarks.paced_feed import Sent
from pipelines.contracts.blocks import RECORD, BlockCodec
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.trading import Decision, Signal


@dataclass(frozen=True, slots=True)
class OrderPath:
    """Wall times of one order, ns: sent by the feed's clock, read by an onlooker's, appended by the broker's (ms)."""

    sent_ns: int
    appended_ns: Mapping[str, int]
    read_ns: int

    @property
    def took_ms(self) -> float:
        return (self.read_ns - self.sent_ns) / NS_PER_MS

    def hops_ms(self) -> dict[str, float]:
        """How long after the one before each record of the way was there; `read` is the order at the onlooker."""
        times = {**self.appended_ns, "read": self.read_ns}
        before = [self.sent_ns, *times.values()]
        return {name: (at - last) / NS_PER_MS for (name, at), last in zip(times.items(), before, strict=False)}


def stamp_on_arrival(bootstrap: str, names: Sequence[str]) -> None:
    """From now on the records of these topics carry the time at which the broker has them, and not their event time."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        stamped = {"message.timestamp.type": "LogAppendTime"}
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=stamped) for name in names])
    finally:
        admin.close()


class Onlooker:
    """Notes when each order is read, from its making on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="latest")
        place = TopicPartition(topic, 0)
        self._consumer.assign([place])
        self._consumer.seek_to_end(place)
        self._consumer.position(place)
        self.seen: list[tuple[int, Any]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._over.is_set():
            for records in self._consumer.poll(timeout_ms=200).values():
                now = time.time_ns()
                self.seen.extend((now, record) for record in records)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()


class OrderPaths:
    """The topics of a session from now on, read when the orders are there. `fused`: market.spreads is not on the way,
    but beside it."""

    def __init__(self, bootstrap: str, topics: Topics, venue: str, ids: Mapping[str, int], *, fused: bool) -> None:
        self._bootstrap, self._topics, self._ids, self._fused = bootstrap, topics, ids, fused
        self._raw = topics.raw(venue)
        self._from = {name: self._ends(name) for name in (self._raw, topics.ticks, topics.spreads, topics.events)}
        self._onlooker = Onlooker(bootstrap, topics.orders)

    def close(self) -> None:
        self._onlooker.close()

    def found(self, sent: Sent, session: str, from_s: float) -> list[OrderPath]:
        """The way of each order by an entry signal, of what the feed session sent once `from_s` had passed.

        `sent` is of frames, or of ticks where the feed wrote ticks itself: then a path has no raw record.
        """
        self.close()
        orders, signals = OrderCodec(self._ids[RECORDS["trading.orders"]]), self._signals()
        crossings, ticks = self._crossings(), _Ticks.read(self._records(self._topics.ticks), self._ids, session)
        raw = {(each.partition, each.offset): each.timestamp for each in self._records(self._raw)}
        taken: dict[str, OrderPath] = {}
        for read_ns, record in self._onlooker.seen:
            order = orders.decode(record.value)
            if order.action != Decision.NEW or order.cause in taken or order.cause not in signals:
                continue
            signal_ms, number = signals[order.cause]
            spread_ms, crossing = crossings[number]
            if crossing["tick_session"] != session:
                continue
            frame, ticks_ms, origin = ticks.of(crossing["tick_sequence"])
            sent_ns = sent.at_ns(frame if raw else crossing["tick_sequence"])
            if sent_ns < sent.began_ns + from_s * NS_PER_S:
                continue
            stamps = {"raw": raw[origin]} if raw else {}
            stamps |= {"ticks": ticks_ms} if self._fused else {"ticks": ticks_ms, "spread": spread_ms}
            stamps |= {"signal": signal_ms, "order": record.timestamp}
            taken[order.cause] = OrderPath(sent_ns, {name: at * NS_PER_MS for name, at in stamps.items()}, read_ns)
        return list(taken.values())

    def _signals(self) -> dict[str, tuple[int, int]]:
        """Entry signals by id: when the first copy was there (ms), and the sequence of its crossing."""
        codec = EventCodec(self._ids[RECORDS["trading.events"]])
        found: dict[str, tuple[int, int]] = {}
        for record in self._records(self._topics.events):
            if b"signal/" not in record.value[:16]:
                continue
            event = codec.decode(record.value)
            if isinstance(event.body, Signal) and event.body.action.startswith("enter"):
                found.setdefault(event.event_id, (record.timestamp, event.body.last_sequence))
        return found

    def _crossings(self) -> dict[int, tuple[int, Mapping[str, Any]]]:
        codec = Codec(RECORDS["market.spreads"], self._ids[RECORDS["market.spreads"]])
        read = ((record.timestamp, codec.decode(record.value)) for record in self._records(self._topics.spreads))
        return {each["sequence"]: (at, each) for at, each in read if each["kind"] == "crossing"}

    def _ends(self, topic: str) -> dict[TopicPartition, int]:
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap)
        try:
            places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
            return dict(consumer.end_offsets(places))
        finally:
            consumer.close()

    def _records(self, topic: str) -> Iterator[Any]:
        """What a topic got since this was made."""
        ends, begins = self._ends(topic), self._from[topic]
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap, isolation_level="read_committed")
        try:
            consumer.assign(list(ends))
            for place, offset in begins.items():
                consumer.seek(place, offset)
            while any(consumer.position(place) < end for place, end in ends.items()):
                for records in consumer.poll(timeout_ms=500, max_records=10_000).values():
                    yield from records
        finally:
            consumer.close()


@dataclass(frozen=True, slots=True)
class _Ticks:
    """Blocks of one feed session: of each its first tick, when it was there (ms), its raw record, its ticks' frames."""

    firsts: list[int]
    blocks: list[tuple[int, tuple[int, int], Any]]

    @classmethod
    def read(cls, records: Iterator[Any], ids: Mapping[str, int], session: str) -> "_Ticks":
        codec = BlockCodec(ids[RECORD])
        found: dict[int, tuple[int, tuple[int, int], Any]] = {}
        for record in records:
            block = codec.decode(record.value)
            if block.session == session and block.ticks.size:
                place = (block.raw_partition, block.raw_offset)
                rows = block.ticks[["sequence", "frame"]].copy()
                found.setdefault(int(rows["sequence"][0]), (record.timestamp, place, rows))
        firsts = sorted(found)
        return cls(firsts, [found[first] for first in firsts])

    def of(self, sequence: int) -> tuple[int, int, tuple[int, int]]:
        """Of a tick: its frame, when its block was there, and the place of its raw record."""
        at, place, rows = self.blocks[bisect_left(self.firsts, sequence + 1) - 1]
        return int(rows["frame"][np.searchsorted(rows["sequence"], sequence)]), at, place


def summed_up(paths: Sequence[OrderPath]) -> dict[str, Any]:
    """Percentiles of the whole way, and the median and 99th percentile of each hop, in ms."""
    hops = [path.hops_ms() for path in paths]
    by_hop = {name: percentiles([each[name] for each in hops]) for name in hops[0]}
    return {
        "ms": percentiles([path.took_ms for path in paths]),
        "hops_ms": {name: {at: found[at] for at in ("p50", "p99")} for name, found in by_hop.items()},
    }
