"""The simulated venue: takes orders, waits until the market has passed their match time, and tells what became of them.

Everything it says is in its journal first, so a venue that was killed goes on where it was. No clock: an order meets
the quote as of its own event time plus its latency, `pipelines.domain.matching`.
"""

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipelines.domain.matching import (
    MatchConfig,
    Quote,
    acknowledge,
    canceled,
    fault,
    latency_ns,
    match,
    match_time_ns,
)
from pipelines.domain.trading import OrderRequest, TradingEvent
from pipelines.domain.universe import Strategy
from pipelines.execution.protocol import (
    BadMessage,
    CancelOrder,
    Execution,
    FromVenue,
    Heartbeat,
    Logon,
    LogonAccepted,
    NewOrder,
    NotKnownHere,
    Reject,
    StatusRequest,
    read_from_gateway,
)
from pipelines.execution.venue_journal import Journal


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that was taken and not matched yet, with the shard whose time it waits for."""

    order: OrderRequest
    shard: int
    match_time_ns: int


@dataclass(slots=True)
class Venue:
    """One venue of one trading session. Not thread-safe: its server holds one lock around every call.

    A connection is a number, rising. The one that logged on last is current; nothing is taken from any other.
    """

    name: str
    session: str
    strategy: Strategy
    config: MatchConfig
    journal: Journal
    current: int | None = None
    _waiting: dict[int, list[tuple[int, str, Waiting]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for order in self.journal.open_orders():
            reason = fault(order, self.strategy.instrument_by_id.get(order.instrument))
            if reason:
                raise ValueError(
                    f"{self.journal.path}: open order {order.client_order_id}: {reason}: "
                    "start the venue with the strategy file that the order was made under"
                )
            self._wait(order)

    def receive(self, connection: int, lines: Sequence[bytes | BadMessage]) -> list[FromVenue]:
        """Take what a connection said, in one journal transaction; the answers. After a final Reject, close it."""
        answers: list[FromVenue] = []
        accepted: list[OrderRequest] = []
        with self.journal.together():
            for line in lines:
                answers += self._answer(connection, line, accepted)
        for order in accepted:
            self._wait(order)
        return answers

    def _answer(self, connection: int, line: bytes | BadMessage, accepted: list[OrderRequest]) -> list[FromVenue]:
        try:
            if isinstance(line, BadMessage):
                raise line
            message = read_from_gateway(line)
        except BadMessage as bad:
            return [Reject(str(bad), bad.client_order_id)]
        if isinstance(message, Logon):
            return [self._logon(connection, message)]
        if connection != self.current:
            return [Reject("no session: log on first (a newer logon ends an older session)", final=True)]
        match message:
            case NewOrder(order):
                return self._take(order, accepted)
            case StatusRequest(client_order_id):
                known = self.journal.reports(client_order_id)
                return [Execution.of(event) for event in known] or [NotKnownHere(client_order_id)]
            case CancelOrder():
                while accepted:  # it may be of an order that came just before
                    self._wait(accepted.pop())
                self._cancel(message)
                known = self.journal.reports(message.client_order_id)
                return [Execution.of(event) for event in known] or [NotKnownHere(message.client_order_id)]
            case Heartbeat():
                return [message]

    def _logon(self, connection: int, logon: Logon) -> FromVenue:
        if logon.session != self.session:
            return Reject(f"this venue serves trading session {self.session}, not {logon.session}", final=True)
        highest = self.journal.epoch()
        if logon.epoch < highest:
            return Reject(f"epoch {logon.epoch}: a gateway of epoch {highest} has taken over", final=True)
        self.journal.raise_epoch(logon.epoch)
        self.current = connection
        return LogonAccepted(self.name)

    def _take(self, order: OrderRequest, accepted: list[OrderRequest]) -> list[FromVenue]:
        if self.journal.received_again(order.client_order_id):
            return [Execution.of(event) for event in self.journal.reports(order.client_order_id)]
        instrument = self.strategy.instrument_by_id.get(order.instrument)
        word = acknowledge(order, instrument, self.config)
        self.journal.take(order)
        self.journal.record([word])
        if not fault(order, instrument):
            accepted.append(order)
        return [Execution.of(word)]

    def _cancel(self, asked: CancelOrder) -> None:
        """An order that has not met the book yet, and would only after the request takes effect, is canceled."""
        at_ns = asked.event_time_ns + latency_ns(asked.request_id, self.config)
        for heap in self._waiting.values():
            for _, identity, waiting in heap:
                if identity == asked.client_order_id and at_ns < waiting.match_time_ns:
                    self.journal.record([canceled(waiting.order, at_ns, self.config)])
                    heap.remove((waiting.match_time_ns, identity, waiting))
                    heapq.heapify(heap)
                    return

    def _wait(self, order: OrderRequest) -> None:
        shard = self.strategy.shards_by_instrument[order.instrument][0]
        at_ns = match_time_ns(order, self.config)
        heapq.heappush(self._waiting[shard], (at_ns, order.client_order_id, Waiting(order, shard, at_ns)))

    def due(self, shard: int, time_ns: int) -> list[Waiting]:
        """Orders of a shard whose match time lies before the shard's: handed out once."""
        heap = self._waiting[shard]
        found = []
        while heap and heap[0][0] < time_ns:
            found.append(heapq.heappop(heap)[2])
        return found

    def put_back(self, waiting: Waiting) -> None:
        """An order that was due and could not be matched now (the log did not answer)."""
        self._wait(waiting.order)

    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    def matched(self, waiting: Waiting, quote: Quote | None) -> list[Execution]:
        """Match an order with the quote as of its match time, write the reports, and give what to say."""
        instrument = self.strategy.instrument_by_id[waiting.order.instrument]
        events: tuple[TradingEvent, ...] = match(waiting.order, instrument, quote, self.config)
        with self.journal.together():
            self.journal.record(events)
        return [Execution.of(event) for event in events]
