"""An operator's word to an account: a Command in trading.events, and what the log answers to it."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from infra.topics import session_id
from pipelines.contracts.peek import leading_texts
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.signing import COMMAND, command_id, sign
from pipelines.contracts.topics import Topics, kafka_partition
from pipelines.contracts.trading import EVENT, ORDER, EventCodec, OrderCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Command, Decision, OrderRequest, TradingEvent

HEAD_BYTES = 8
"""At most this much comes before an event's id: the frame, and how long the id is."""

DECISIONS_BACK = 20_000
"""An answer lies within so many records of the end of trading.orders, when it is looked for at once."""

CANCELS_S = 0.3
"""How long after an answer the cancels that go with it may come."""

SILENT_S = 20.0
"""How long a log may give nothing before its end."""

LOOK_BACK = 1_000
"""Records at the end of the log that are read to tell whether an account is in it."""


class AccountLogError(RuntimeError):
    """What the log of an account refuses or lacks, and the way out."""


@dataclass(frozen=True, slots=True)
class Written:
    """A command in the log: its event id, and where it lies."""

    event_id: str
    account: str
    command: str
    topic: str
    partition: int
    offset: int
    signed: bool


class AccountLog:
    """trading.events of one session, for commands. Raises AccountLogError, TopicsError or RegistryError."""

    def __init__(self, bootstrap: str, registry_url: str, prefix: str = "") -> None:
        self._bootstrap = bootstrap
        self._topic = Topics(prefix).events
        self._orders_topic = Topics(prefix).orders
        self._session = session_id(bootstrap, Topics(prefix))  # it is there: a producer would make it
        registry = SchemaRegistry(registry_url)
        self._codec = EventCodec(registry.ids()[EVENT], registry.schema)
        self._orders = OrderCodec(registry.ids()[ORDER], registry.schema)

    @property
    def session(self) -> str:
        return self._session

    def write(
        self,
        account: str,
        word: str,
        *,
        operator: str,
        reason: str,
        time_ns: int,
        scope: str = "",
        key: Ed25519PrivateKey | None = None,
    ) -> Written:
        """Write a command and return when the log has it. `time_ns`: event time, UTC ns. `scope`: what it is about; the
        account, if left out. `key`: the operator's, to sign with."""
        event_id = command_id(word, self._session, uuid.uuid4().hex)
        event = TradingEvent(event_id, account, time_ns, Command(word, scope or account, operator, reason))
        if key is not None:
            event = sign(key, event)
        try:
            producer = KafkaProducer(bootstrap_servers=self._bootstrap.split(","), acks="all")
            try:
                future = producer.send(
                    self._topic,
                    key=account.encode(),
                    value=self._codec.encode(event),
                    timestamp_ms=time_ns // NS_PER_MS,
                )
                at = future.get(timeout=10)
            finally:
                producer.close(timeout=5)
        except (KafkaError, OSError) as error:
            raise AccountLogError(
                f"{word} of {account}: whether {self._topic} at {self._bootstrap} has it is not known"
                f" ({type(error).__name__}): helios status, then give it again"
            ) from error
        return Written(event_id, account, word, self._topic, at.partition, at.offset, key is not None)

    def await_drained(self, written: Written, patience_s: float, groups: Collection[str] = ()) -> bool:
        """Whether the log says, in time, that every order before a drain has had its last report. `groups`: of an
        account with several gateways, each of which tells so."""
        awaited = {f"gateway {group}" for group in groups} or {"gateway"}
        with_place = TopicPartition(written.topic, written.partition)
        deadline = time.monotonic() + patience_s
        consumer = self._consumer()
        try:
            consumer.assign([with_place])
            consumer.seek(with_place, written.offset)
            while (left_s := deadline - time.monotonic()) > 0:
                for records in consumer.poll(timeout_ms=int(min(left_s, 0.2) * 1000) + 1).values():
                    awaited -= {self._drained_by(record.value, written.event_id) for record in records}
                    if not awaited:
                        return True
            return False
        except KafkaError as error:
            raise AccountLogError(f"{written.topic} at {self._bootstrap}: {error}: helios status") from error
        finally:
            consumer.close()

    def await_answer(self, written: Written, patience_s: float) -> tuple[OrderRequest, ...]:
        """What the account decided on a command, in time: a notice, or a refusal, and cancels; nothing without one."""
        deadline = time.monotonic() + patience_s
        found: dict[str, OrderRequest] = {}
        consumer = self._consumer()
        try:
            place = self._place(consumer, written.account, self._orders_topic)
            consumer.assign([place])
            begin, end = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
            consumer.seek(place, max(begin, end - DECISIONS_BACK))
            while (left_s := deadline - time.monotonic()) > 0:
                for records in consumer.poll(timeout_ms=int(min(left_s, 0.2) * 1000) + 1, max_records=5_000).values():
                    for record in records:
                        if written.event_id.encode() in (record.value or b""):
                            with suppress(BadRecord):
                                order = self._orders.decode(record.value)
                                if order.cause == written.event_id and order.action != Decision.DRAIN:
                                    if not found:
                                        deadline = min(deadline, time.monotonic() + CANCELS_S)
                                    found.setdefault(order.client_order_id, order)
            return tuple(found.values())
        except KafkaError as error:
            raise AccountLogError(f"{self._orders_topic} at {self._bootstrap}: {error}: helios status") from error
        finally:
            consumer.close()

    def events(self, account: str, progress: Callable[[int, int], None] | None = None) -> Iterator[TradingEvent]:
        """An account's events until the end of now, in the order of the log. What cannot be read is passed over, as the
        account does. `progress`: told how many records are read, of how many."""
        for value in self._values(self._topic, account, progress):
            with suppress(BadRecord):
                event = self._codec.decode(value)
                if event.account == account:
                    yield event

    def commands(self, account: str, word: str) -> list[TradingEvent]:
        """An account's commands of that word, in the order of the log; each once. What cannot be read is passed over,
        as the account does."""
        start, found = f"{COMMAND}{word}/".encode(), dict[str, TradingEvent]()
        for value in self._values(self._topic, account):
            # An id is the first field: all others are told apart without being decoded.
            if start in value[: HEAD_BYTES + len(start)]:
                with suppress(BadRecord):
                    event = self._codec.decode(value)
                    found.setdefault(event.event_id, event)
        return list(found.values())

    def booked(self, account: str) -> dict[str, list[OrderRequest]]:
        """What an account booked without a fill, by the event that caused it, in its order; each once."""
        found: dict[str, dict[str, OrderRequest]] = {}
        for value in self._values(self._orders_topic, account):
            if leading_texts(value, 2)[1:] == (Decision.BOOKED.encode(),):
                with suppress(BadRecord):
                    order = self._orders.decode(value)
                    found.setdefault(order.cause, {}).setdefault(order.client_order_id, order)
        return {cause: list(orders.values()) for cause, orders in found.items()}

    def _values(self, topic: str, account: str, progress: Callable[[int, int], None] | None = None) -> Iterator[bytes]:
        """Records of an account until the end of now."""
        consumer = self._consumer()
        try:
            place = self._place(consumer, account, topic)
            begin, end = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
            consumer.assign([place])
            consumer.seek(place, begin)
            heard = time.monotonic()
            while (at := consumer.position(place)) < end:
                for record in consumer.poll(timeout_ms=500, max_records=10_000).get(place, ()):
                    if record.offset < end and record.key == account.encode():
                        yield record.value or b""
                if progress is not None:
                    progress(min(consumer.position(place), end) - begin, end - begin)
                if consumer.position(place) > at:
                    heard = time.monotonic()
                elif time.monotonic() - heard > SILENT_S:
                    raise AccountLogError(f"{topic} at {self._bootstrap}: nothing comes any more: helios status")
        except KafkaError as error:
            raise AccountLogError(f"{topic} at {self._bootstrap}: {error}: helios status") from error
        finally:
            consumer.close()

    def accounts(self, account: str) -> Counter[str]:
        """How many of the last records of an account's partition are of which account."""
        consumer = self._consumer()
        try:
            place = self._place(consumer, account)
            end = consumer.end_offsets([place])[place]
            consumer.assign([place])
            consumer.seek(place, max(consumer.beginning_offsets([place])[place], end - LOOK_BACK))
            found: Counter[str] = Counter()
            deadline = time.monotonic() + 5
            while consumer.position(place) < end and time.monotonic() < deadline:
                for records in consumer.poll(timeout_ms=200).values():
                    found.update((record.key or b"").decode(errors="replace") for record in records)
            return found
        except KafkaError as error:
            raise AccountLogError(f"{self._topic} at {self._bootstrap}: {error}: helios status") from error
        finally:
            consumer.close()

    def _place(self, consumer: KafkaConsumer, account: str, topic: str = "") -> TopicPartition:
        name = topic or self._topic
        count = len(consumer.partitions_for_topic(name) or {0})
        return TopicPartition(name, kafka_partition(account.encode(), count))

    def _consumer(self) -> KafkaConsumer:
        return KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )

    def _drained_by(self, value: bytes, event_id: str) -> str:
        """The gateway that tells of a drain; empty where it is no such word."""
        try:
            body = self._codec.decode(value).body
        except BadRecord:
            return ""
        told = isinstance(body, Command) and body.command == "drained" and body.scope == event_id
        return body.operator if told and isinstance(body, Command) else ""
