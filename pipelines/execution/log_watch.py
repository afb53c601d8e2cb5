"""The account's log as it grows, for a gateway that must not wait: newer gateways, kills, the prices of its marks.

It is read uncommitted: a kill counts as soon as it lies there, also behind a transaction that nobody ends.
"""

import logging
import threading
from collections.abc import Callable

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from pipelines.contracts.peek import leading_texts
from pipelines.contracts.trading import EventCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.trading import Command, Marks, TradingEvent
from pipelines.execution.plan import Input, Killed, Priced
from pipelines.execution.session import TakenOver

_POLL_MS = 200

log = logging.getLogger("helios.gateway")


class LogWatch:
    """A thread that reads the log from a gateway's own first word on. `gateway`: its transactional id, of which a newer
    one has the same. `prices`: whether marks are of interest."""

    def __init__(
        self,
        bootstrap: str,
        topic: str,
        account: str,
        gateway: str,
        codec: EventCodec,
        hear: Callable[[Input | Exception], None],
        *,
        prices: bool,
    ) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._account = account
        self._gateway = gateway
        self._codec = codec
        self._hear = hear
        self._kinds = {b"command", b"marks"} if prices else {b"command"}
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, epoch: int) -> None:
        """`epoch`: the offset of this gateway's first word."""
        self._thread = threading.Thread(target=self._run, args=(epoch + 1,), name="log-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _run(self, offset: int) -> None:
        try:
            consumer = KafkaConsumer(bootstrap_servers=self._bootstrap.split(","), enable_auto_commit=False)
            partition = TopicPartition(self._topic, 0)
            consumer.assign([partition])
            consumer.seek(partition, offset)
            while not self._stopped.is_set():
                for record in consumer.poll(timeout_ms=_POLL_MS).get(partition, ()):
                    if self._kinds.intersection(leading_texts(record.value, 2)[1:]):
                        self._take(record.value)
            consumer.close()
        except (KafkaError, OSError) as error:
            self._hear(RuntimeError(f"cannot read {self._topic}: {type(error).__name__}: {error}"))

    def _take(self, value: bytes) -> None:
        try:
            event = self._codec.decode(value)
        except BadRecord:
            return  # told by those who read it committed
        if event.account == self._account:
            self._event(event)

    def _event(self, event: TradingEvent) -> None:
        match event.body:
            case Command(command="gateway_started", operator=self._gateway):
                self._hear(TakenOver(f"a newer gateway has taken over ({self._gateway})"))
            case Command(command="kill"):
                self._hear(Killed(event))
            case Marks() as marks:
                rows = zip(marks.instruments, marks.bid, marks.ask, strict=True)
                self._hear(Priced({name: (bid + ask) / 2 for name, bid, ask in rows if 0 < bid <= ask}))
