"""The gateway's journal is the log itself: trading.events, written in transactions that a newer gateway fences out."""

import logging
import time
from collections.abc import Iterator, Sequence

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import InvalidProducerEpochError, KafkaError, ProducerFencedError

from pipelines.contracts.trading import EventCodec
from pipelines.contracts.wire import HEAD_BYTES, BadRecord
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Command, OrderRequest, TradingEvent
from pipelines.execution.fault_points import FaultPoints, Place

TRANSACTION_TIMEOUT_MS = 2_000
"""How long a dead gateway's open transaction may hold back readers of the log, at most."""

_SEND_TIMEOUT_S = 10.0
_NEWER_PATIENCE_S = 3.0
_POLL_MS = 200

log = logging.getLogger("helios.gateway")


class WriteFailed(RuntimeError):
    """The gateway cannot know whether it wrote: its process must end, and the next one look."""


class Fenced(WriteFailed):
    """A newer gateway has taken over: its process must end, and not come back."""


class TradingLog:
    """The log of one account, read to its own start and written from there. One thread writes."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        account: str,
        codec: EventCodec,
        transactional_id: str,
        faults: FaultPoints | None = None,
    ) -> None:
        self._faults = faults or FaultPoints({})
        self._bootstrap = bootstrap
        self._topic = topic
        self._key = account.encode()
        self._account = account
        self._codec = codec
        self._transactional_id = transactional_id
        self._epoch: int | None = None
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                transactional_id=transactional_id,
                transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
                retry_backoff_ms=2,  # back to back transactions: 4 ms each, 106 ms at the default (DESIGN)
                acks="all",
            )
        except (KafkaError, OSError) as error:
            raise WriteFailed(f"no Kafka broker answers on {bootstrap}: {_told(error)}") from error

    def start(self, now_ns: int) -> int:
        """Fence every older gateway out and say so in the log. The offset of that word is this gateway's epoch."""
        try:
            self._producer.init_transactions()
        except (KafkaError, OSError) as error:
            raise WriteFailed(
                f"no transactions for {self._transactional_id} at {self._bootstrap}: {_told(error)}"
            ) from error
        command = Command("gateway_started", self._account, self._transactional_id, "")
        event = TradingEvent(f"gateway_started/{self._transactional_id}/{now_ns}", self._account, now_ns, command)
        self._epoch = self.write([event])
        return self._epoch

    def write(self, events: Sequence[TradingEvent]) -> int:
        """Commit events in one transaction; the offset of the first. Raises WriteFailed, Fenced if known."""
        try:
            self._producer.begin_transaction()
            sent = [
                self._producer.send(
                    self._topic,
                    key=self._key,
                    value=self._codec.encode(event),
                    timestamp_ms=max(0, event.event_time_ns // NS_PER_MS),
                )
                for event in events
            ]
            offsets = [int(each.get(timeout=_SEND_TIMEOUT_S).offset) for each in sent]
            if any(isinstance(event.body, OrderRequest) for event in events):
                self._faults.passed(Place.IN_TRANSACTION)
            self._producer.commit_transaction()
        except (KafkaError, OSError, AssertionError) as error:
            what = f"cannot write to {self._topic} as {self._transactional_id}"
            # A fenced producer may be told so, or only that something failed: then the log tells.
            if isinstance(error, ProducerFencedError | InvalidProducerEpochError) or self._newer_gateway():
                raise Fenced(f"{what}: a newer gateway has taken over ({type(error).__name__})") from error
            raise WriteFailed(f"{what}: {_told(error)}: helios status") from error
        return offsets[0]

    def before(self, epoch: int) -> Iterator[TradingEvent]:
        """What was committed to the log before this gateway's first word, in order. Unreadable records are logged."""
        consumer, partition = self._reader()
        try:
            consumer.seek_to_beginning(partition)
            while True:
                for record in consumer.poll(timeout_ms=_POLL_MS).get(partition, ()):
                    if record.offset >= epoch:
                        return
                    if _of_no_interest(record.value):
                        continue
                    try:
                        event = self._codec.decode(record.value)
                    except BadRecord as bad:
                        log.warning("unreadable record=%s/%d@%d error=%s", self._topic, 0, record.offset, bad)
                        continue
                    if event.account == self._account:
                        yield event
        finally:
            consumer.close()

    def _newer_gateway(self) -> bool:
        """Whether another gateway has said, after this one, that it has started. It fences first and then says so."""
        if self._epoch is None:
            return False
        deadline = time.monotonic() + _NEWER_PATIENCE_S
        try:
            consumer, partition = self._reader()
            try:
                consumer.seek(partition, self._epoch + 1)
                while time.monotonic() < deadline:
                    for record in consumer.poll(timeout_ms=_POLL_MS).get(partition, ()):
                        if f"gateway_started/{self._transactional_id}/".encode() in record.value:
                            return True
            finally:
                consumer.close()
        except (KafkaError, OSError):
            return False
        return False

    def close(self) -> None:
        self._producer.close(timeout=2)

    def _reader(self) -> tuple[KafkaConsumer, TopicPartition]:
        consumer = KafkaConsumer(
            bootstrap_servers=self._bootstrap.split(","),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=5_000,
            max_partition_fetch_bytes=4 << 20,
        )
        partition = TopicPartition(self._topic, 0)
        consumer.assign([partition])
        return consumer, partition


def _of_no_interest(value: bytes) -> bool:
    """Whether it is marks, most of the log, which say nothing of orders. The kind is the record's second field."""
    length, at = value[HEAD_BYTES : HEAD_BYTES + 1], HEAD_BYTES + 1
    # Zig-zag: an id of fewer than 64 bytes has its length, doubled, in one byte; a longer one is not skipped.
    return bool(length) and length[0] < 128 and value.startswith(b"\x0amarks", at + length[0] // 2)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}".rstrip(": ")
