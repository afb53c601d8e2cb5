"""The gateway: takes orders from their log, writes each intent before its venue hears of it, writes back what it says.

All deciding is in `core`; here one thread carries its plans out, in order, and ends the process if one fails.
Other threads only listen: one to trading.orders, one to each venue.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from pipelines.contracts.fix_sessions import FixVenue
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.parent_orders import ParentOrders
from pipelines.domain.parent_rules import WorkRules
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import OrderRequest, Report
from pipelines.execution.book_watch import BookWatch
from pipelines.execution.core import Gateway
from pipelines.execution.fault_points import FaultPoints, Place
from pipelines.execution.fix.dialect import Dialect
from pipelines.execution.fix.link import FixLinks
from pipelines.execution.journal import TradingLog
from pipelines.execution.log_watch import LogWatch
from pipelines.execution.notes import Notes
from pipelines.execution.open_order import Patience
from pipelines.execution.plan import Ask, Cancel, Input, Look, Ordered, Plan, Send
from pipelines.execution.protocol import Logon
from pipelines.execution.session import VenueAddress, VenueSession
from pipelines.execution.worked import Worked

BATCH = 500
"""Inputs taken into one transaction, at most."""

LOOK_S = 0.5
_POLL_MS = 200

log = logging.getLogger("helios.gateway")


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """Where a gateway reads, writes and sends. `session` is the id of the trading session. Venues are reached by the
    line protocol, or by FIX, whose sessions are kept in `folder`."""

    bootstrap: str
    events_topic: str
    orders_topic: str
    account: str
    session: str
    transactional_id: str
    """What its successor goes by too, and shuts it out with."""
    venues: tuple[VenueAddress, ...]
    patience: Patience = field(default_factory=Patience)
    trader: TraderConfig | None = None
    group: str = ""
    """Of an account with several gateways, which one this is."""
    fix: tuple[FixVenue, ...] = ()
    folder: Path = Path()
    faults: FaultPoints = field(default_factory=lambda: FaultPoints({}))
    rules: WorkRules = field(default_factory=WorkRules)
    """Of orders that are worked; `books` tells what they need to see of the market."""
    books: BookWatch | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset([*(each.name for each in self.venues), *(each.name for each in self.fix)])


class Link(Protocol):
    """A venue that can be spoken to. `link` numbers its connections: words for one that is gone are dropped."""

    def send(self, link: int, words: Iterable[Send | Ask | Cancel]) -> None: ...


class GatewayService:
    """One account's gateway. `run` returns when stopped, and raises what makes it unsafe to go on."""

    def __init__(self, config: GatewayConfig, events: EventCodec, orders: OrderCodec) -> None:
        self._config = config
        self._events = events
        self._orders = orders
        self._inputs: queue.SimpleQueue[Input | Exception | None] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._links: dict[str, Link] = {}
        self._notes = Notes(log)
        self._running: list[VenueSession | FixLinks | LogWatch | BookWatch] = []

    def stop(self) -> None:
        self._stopped.set()
        self._inputs.put(None)

    def run(self, now_ns: Callable[[], int]) -> None:
        config = self._config
        journal = TradingLog(
            config.bootstrap, config.events_topic, config.account, self._events, config.transactional_id, config.faults
        )
        reader = threading.Thread(target=self._read_orders, name="orders", daemon=True)
        try:
            epoch = journal.start(now_ns())
            restraints = {each.name: each.restraint for each in config.fix}
            worked = Worked(ParentOrders(config.rules))
            core = Gateway(config.names, config.patience, config.trader, restraints, worked, config.group)
            core.recover(journal.before(epoch))
            log.info("state=started epoch=%d session=%s open_orders=%d", epoch, config.session, len(core.open))
            self._connect(epoch)
            reader.start()
            self._loop(core, journal)
        finally:
            self._stopped.set()
            for each in reversed(self._running):
                each.stop()
            if reader.is_alive():
                reader.join(timeout=5)
            journal.close()

    def _connect(self, epoch: int) -> None:
        """Begin to listen, and to speak to every venue."""
        config, hear = self._config, self._inputs.put
        prices = any(each.restraint.order_worth for each in config.fix)
        watch = LogWatch(
            config.bootstrap,
            config.events_topic,
            config.account,
            config.transactional_id,
            self._events,
            hear,
            prices=prices,
        )
        self._running.append(watch)
        watch.start(epoch)
        if config.books is not None:
            self._running.append(config.books)
            config.books.start(hear)
        for address in config.venues:
            session = VenueSession(address, Logon(config.session, epoch), hear, hear)
            self._links[address.name] = session
            self._running.append(session)
            session.start()
        if config.fix:
            instruments = config.trader.instruments.values() if config.trader else ()
            dialects = {each.name: Dialect(each.name, config.account, instruments, each.account) for each in config.fix}
            links = FixLinks(config.fix, dialects, config.folder, hear, hear, self._notes)
            self._links.update(links.links())
            self._running.append(links)
            links.start()

    def _loop(self, core: Gateway, journal: TradingLog) -> None:
        look_s, wake_s, config = time.monotonic(), None, self._config
        while not self._stopped.is_set():
            until_s = look_s + LOOK_S if wake_s is None else min(wake_s, look_s + LOOK_S)
            inputs = self._take(until_s - time.monotonic())
            now_s = time.monotonic()
            if now_s >= look_s + LOOK_S:
                look_s = now_s
                inputs.append(Look())
            plan = core.step(inputs, now_s)
            wake_s = plan.wake_s
            self._carry_out(plan, journal)
            self._note(plan)
            if config.books is not None:
                config.books.want(plan.due_ns)

    def _carry_out(self, plan: Plan, journal: TradingLog) -> None:
        intents = any(isinstance(event.body, OrderRequest) for event in plan.write)
        reports = any(isinstance(event.body, Report) for event in plan.write)
        passed = self._config.faults.passed
        if intents:
            passed(Place.BEFORE_INTENT)
        if reports:
            passed(Place.BEFORE_RECORD)
        if plan.write:
            journal.write(plan.write)
        if intents:
            passed(Place.INTENT_WRITTEN)
        if reports:
            passed(Place.RECORDED)
        self._say(plan)
        if plan.send:
            passed(Place.SENT)

    def _take(self, wait_s: float) -> list[Input]:
        """What has happened since, or the first thing that does within `wait_s`. Raises what a listener failed of."""
        inputs: list[Input] = []
        try:
            each = self._inputs.get(timeout=max(0.0, wait_s))
            while True:
                if isinstance(each, Exception):
                    raise each
                if each is not None:
                    inputs.append(each)
                if len(inputs) >= BATCH:
                    return inputs
                each = self._inputs.get_nowait()
        except queue.Empty:
            return inputs

    def _say(self, plan: Plan) -> None:
        by_link: dict[tuple[str, int], list[Send | Ask | Cancel]] = {}
        words: list[Send | Ask | Cancel] = [*plan.send, *plan.ask, *plan.cancel]
        for each in words:
            by_link.setdefault((each.order.venue, each.link), []).append(each)
        for (venue, link), found in by_link.items():
            self._links[venue].send(link, found)

    def _note(self, plan: Plan) -> None:
        for note in plan.notes:
            self._notes.tell("any", note, time.monotonic())
        for event in plan.write:
            match event.body:
                case OrderRequest() as order:
                    log.debug("intent=%s", order.client_order_id)
                case Report(status="rejected" | "unknown") as report:
                    log.warning(
                        "order=%s venue=%s status=%s text=%r",
                        report.client_order_id, report.venue, report.status.value, report.text,
                    )  # fmt: skip

    def _read_orders(self) -> None:
        """Read trading.orders from its beginning: the core drops what the log says was intended."""
        topic = self._config.orders_topic
        try:
            consumer = KafkaConsumer(
                bootstrap_servers=self._config.bootstrap.split(","),
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                isolation_level="read_committed",
            )
            partition = TopicPartition(topic, 0)
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            while not self._stopped.is_set():
                for record in consumer.poll(timeout_ms=_POLL_MS).get(partition, ()):
                    self._order(record.value, f"{topic}/0@{record.offset}")
            consumer.close()
        except (KafkaError, OSError) as error:
            self._inputs.put(RuntimeError(f"cannot read {topic}: {type(error).__name__}: {error}"))

    def _order(self, value: bytes, where: str) -> None:
        try:
            order = self._orders.decode(value)
        except BadRecord as bad:
            log.warning("unreadable record=%s error=%r", where, str(bad))
            return
        if order.account != self._config.account:
            log.warning("skipped record=%s account=%s ours=%s", where, order.account, self._config.account)
            return
        self._inputs.put(Ordered(order))
