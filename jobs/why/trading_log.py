"""Orders and events of a session, looked up in its logs in Kafka: by their bytes, and only what is meant is decoded."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from jobs.why.chain import WhyError, Words
from jobs.why.log_reader import LogReader
from pipelines.contracts.peek import leading_texts
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.identity import intent_id
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import OrderRequest, Report, TradingEvent

NEIGHBOURS = 200
"""What one event makes lies within so many records of trading.orders."""

DECISIONS_BACK = 100_000

Place = tuple[int, int]
"""Partition and offset."""


class TradingLog:
    """trading.orders and trading.events, by their ids, which are the first bytes of each record."""

    def __init__(self, reader: LogReader, topics: Topics, events: EventCodec, orders: OrderCodec) -> None:
        self._reader = reader
        self._topics = topics
        self._events = events
        self._orders = orders
        self._notices: dict[Place, OrderRequest] = {}
        self._decided: dict[tuple[str, str], Place] = {}
        self._heard: dict[str, Place] = {}

    def decisions(self, wanted: str) -> Sequence[OrderRequest]:
        """Those whose id, or target, begins so; each once."""
        found: dict[tuple[str, str], OrderRequest] = {}
        for partition, offset, value in self._scan(self._topics.orders):
            texts = leading_texts(value, 2)
            if texts[1:] == (b"notice",) and (notice := self._order(value)):
                self._notices[partition, offset] = notice
            if wanted.encode() not in value or not (order := self._order(value)):
                continue
            if order.client_order_id.startswith(wanted) or (order.target and order.target.startswith(wanted)):
                found.setdefault((order.client_order_id, order.action), order)
                self._decided.setdefault((order.client_order_id, order.action), (partition, offset))
        return list(found.values())

    def decided_with(self, order: OrderRequest) -> Sequence[OrderRequest]:
        """All that its cause made, itself included. It has been looked up by `decisions`."""
        partition, offset = self._decided[order.client_order_id, order.action]
        begin, end = self._reader.bounds(self._topics.orders, partition)
        near = self._reader.read(
            self._topics.orders, partition, max(begin, offset - NEIGHBOURS), min(end, offset + NEIGHBOURS)
        )
        found: dict[tuple[str, str], OrderRequest] = {}
        for record in near:
            made = self._order(record.value) if order.cause.encode() in (record.value or b"") else None
            if made and made.cause == order.cause:
                found.setdefault((made.client_order_id, made.action), made)
        return list(found.values())

    def notices(self, order: OrderRequest) -> Sequence[OrderRequest]:
        """Of its account until it was decided, and with it."""
        partition, offset = self._decided[order.client_order_id, order.action]
        return [
            notice
            for place, notice in sorted(self._notices.items())
            if notice.account == order.account and (place <= (partition, offset) or notice.cause == order.cause)
        ]

    def legs(self, order: OrderRequest) -> dict[int, str]:
        """The instruments of its pair by leg, by what was decided of it before."""
        partition, offset = self._decided[order.client_order_id, order.action]
        found, pair = {order.leg: order.instrument}, order.pair.encode()
        for piece in self._reader.back(self._topics.orders, partition, offset, NEIGHBOURS, DECISIONS_BACK):
            of_pair = [self._order(record.value) for record in piece if pair in (record.value or b"")]
            found |= {each.leg: each.instrument for each in of_pair if each and each.pair == order.pair}
            if len(found) > 1:
                break
        return found

    def event(self, event_id: str, time_ns: int) -> TradingEvent | None:
        """An event: first looked for from its time on, which is Kafka's of its record, then before it."""
        for partition in self._reader.partitions(self._topics.events):
            begin, end = self._reader.bounds(self._topics.events, partition)
            start = self._reader.at(self._topics.events, partition, time_ns // NS_PER_MS)
            for first, last in ((start, end), (begin, start)):
                for record in self._reader.read(self._topics.events, partition, first, last):
                    if leading_texts(record.value, 1) != (event_id.encode(),):
                        continue
                    with suppress(BadRecord):
                        event = self._events.decode(record.value)
                        self._heard[event_id] = (partition, record.offset)
                        return event
        return None

    def words(self, order: OrderRequest) -> Words:
        """What comes after its cause and has its id in it."""
        partition, start = self._heard.get(order.cause, (0, 0))
        begin, end = self._reader.bounds(self._topics.events, partition)
        name, intent = order.client_order_id.encode(), None
        reports: dict[str, TradingEvent] = {}
        children: dict[str, TradingEvent] = {}
        for record in self._reader.read(self._topics.events, partition, max(begin, start), end):
            if name not in (record.value or b""):
                continue
            with suppress(BadRecord):
                event = self._events.decode(record.value)
                if event.event_id == intent_id(order.client_order_id):
                    intent = intent or event
                elif isinstance(event.body, Report) and event.body.client_order_id == order.client_order_id:
                    reports.setdefault(event.event_id, event)
                elif isinstance(event.body, OrderRequest) and event.body.target == order.client_order_id:
                    children.setdefault(event.event_id, event)
        return Words(intent, list(reports.values()), list(children.values()))

    def _scan(self, topic: str) -> Iterator[tuple[int, int, bytes]]:
        partitions = self._reader.partitions(topic)
        if not partitions:
            raise WhyError(f"no topic {topic}: no session is there under this prefix (helios status, or --session ID)")
        for partition in partitions:
            for record in self._reader.read(topic, partition, *self._reader.bounds(topic, partition)):
                if record.value:
                    yield partition, record.offset, record.value

    def _order(self, value: bytes) -> OrderRequest | None:
        """None where it cannot be read: the trader passes such a record over too."""
        try:
            return self._orders.decode(value)
        except BadRecord:
            return None
