"""What the gateway decides: which events to write, which orders to send, which to ask about. Pure: no I/O, no clock.

`Gateway.step` takes what has happened and gives a plan. The plan is carried out in order: `write` is committed to the
log first, then orders are sent, then statuses asked. If any of it fails the process ends, so a state never has to
take anything back; what was lost with it is found again from the log and from the venues.

Why an order reaches its venue at most once: it is sent only by the process that wrote its intent and has not given it
to a link yet, or after the venue said, on the present link, that it does not know it; and a venue drops the older link,
with all that is still in it, before it answers a newer one.

A kill is the trader's to obey. But while a gateway was away orders may wait that were decided before the kill: they are
not sent. The log says which kills there are, and a decision that one caused that the trader has come to it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipelines.domain.identity import intent_id, report_id
from pipelines.domain.matching import exec_id
from pipelines.domain.scopes import scope_of, scopes
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import TERMINAL, Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.plan import (
    Ask,
    Cancel,
    Input,
    LinkDown,
    LinkUp,
    Look,
    NotKnown,
    Ordered,
    Plan,
    Refused,
    Send,
    Told,
)

MAX_LOTS = 1 << 31
"""No report that counts more lots than this is believed."""

UNKNOWN_WORD = -1
REFUSED_WORD = -2
CANCELED_WORD = -3
"""Numbers of the reports that the gateway itself makes of an order; a venue's own count from 0."""


NOT_SENT = "not sent: "
"""How the report of an order begins that has no intent, as a kill came first."""


class Stage(StrEnum):
    """Where an order with an intent in the log is, as far as this process knows."""

    PLANNED = "planned"  # by this process, and given to no link yet
    DOUBTFUL = "doubtful"  # may have been given to a link that is gone
    ASKED = "asked"  # doubtful, and its venue has been asked on the present link
    SENT = "sent"  # on the present link, no word yet
    WORKING = "working"  # its venue has it


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: without a word an order is written down as unknown; and how often venues are asked about open ones."""

    unknown_after_s: float = 2.0
    ask_every_s: float = 1.0


@dataclass(slots=True)
class _Open:
    """An order that is not settled: it has no terminal report, or not yet every fill that one counts."""

    order: OrderRequest
    stage: Stage
    sent_s: float | None = None
    asked_s: float | None = None
    acknowledged: bool = False
    read: bool = False
    filled: int = 0
    final: int | None = None
    cancel: OrderRequest | None = None
    """The trader's request that it be canceled, and the link that it was last given to."""
    cancel_link: int | None = None

    @property
    def settled(self) -> bool:
        return self.final is not None and self.filled >= self.final


@dataclass(slots=True)
class _Drain:
    account: str
    event_time_ns: int
    waits_for: set[str]


@dataclass(slots=True)
class Gateway:
    """Every order that was ever intended, and the venues that are reached now."""

    venues: frozenset[str]
    patience: Patience = field(default_factory=Patience)
    trader: TraderConfig | None = None
    """Of the account, to tell what a kill is about; without it a kill is about all of it."""
    open: dict[str, _Open] = field(default_factory=dict)
    _known: dict[str, OrderRequest | None] = field(default_factory=dict)
    """Every order that was intended; None where only a report in the log tells of it."""
    _told: set[str] = field(default_factory=set)
    _links: dict[str, int] = field(default_factory=dict)
    _drains: dict[str, _Drain] = field(default_factory=dict)
    _drained: set[str] = field(default_factory=set)
    _kills: dict[str, Command] = field(default_factory=dict)
    """Kills in the log, by event id, that the account's decisions read so far have not come to: what it decided before
    them is not sent any more."""
    _write: list[TradingEvent] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def recover(self, events: Iterable[TradingEvent]) -> None:
        """Learn from the log, from its beginning to this process's own first event, what was intended and told."""
        for event in events:
            match event.body:
                case OrderRequest() as order if order.client_order_id not in self._known:
                    self._known[order.client_order_id] = order
                    self.open[order.client_order_id] = _Open(order, Stage.DOUBTFUL)
                case Report() as report:
                    self._take(event, report)
                case Command(command="drained"):
                    self._drained.add(event.body.scope)
                case Command(command="kill"):
                    self._kills[event.event_id] = event.body

    def step(self, inputs: Sequence[Input], now_s: float) -> Plan:
        """Take what has happened, and time (seconds of any steady clock); give what is to be done about it."""
        self._write, self._notes = [], []
        touched: dict[str, None] = {}
        for each in inputs:
            match each:
                case Ordered():
                    touched.update(self._ordered(each.order))
                case LinkUp():
                    self._doubt(each.venue)
                    self._links[each.venue] = each.link
                    touched.update(dict.fromkeys(self._of(each.venue)))
                case LinkDown() if self._links.get(each.venue) == each.link:
                    del self._links[each.venue]
                    self._doubt(each.venue)
                case Told():
                    touched.update(self._heard(each, now_s))
                case NotKnown() if self._links.get(each.venue) == each.link:
                    touched.update(self._not_known(each))
                case Refused():
                    self._refused(each)
                case Look():
                    self._look(now_s)
                    touched.update(dict.fromkeys(self.open))
        return self._plan(touched, now_s)

    def _ordered(self, order: OrderRequest) -> dict[str, None]:
        identity = order.client_order_id
        self._kills.pop(order.cause, None)
        if order.action == Decision.DRAIN:
            self._drain(order)
        elif order.action == Decision.CANCEL:
            return self._cancel(order)
        elif order.action == Decision.NEW and identity in self._known:
            if identity in self.open:
                self.open[identity].read = True
        elif order.action == Decision.NEW:
            self._known[identity] = order
            if order.venue not in self.venues:
                names = ", ".join(sorted(self.venues)) or "none"
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"no venue {order.venue!r} here: {names}")
                return {}
            if kill := self._kill_of(order):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{_killed(kill)}")
                return {}
            self.open[identity] = _Open(order, Stage.PLANNED, read=True)
            self._write.append(TradingEvent(intent_id(identity), order.account, order.event_time_ns, order))
            return {identity: None}
        return {}

    def _kill_of(self, order: OrderRequest) -> Command | None:
        """The kill that an order may not be sent for."""
        if self.trader is None or not self._kills:
            return next(iter(self._kills.values()), None)
        among = scopes(self.trader, order.pair, order.strategy)
        for kill in self._kills.values():
            if (scope_of(self.trader, kill.scope, (order.pair,)) or self.trader.account) in among:
                return kill
        return None

    def _cancel(self, request: OrderRequest) -> dict[str, None]:
        """What no link was given is canceled here; of all else its venue is asked, unless it is settled already."""
        item = self.open.get(request.target)
        if item is None:
            return {}
        item.cancel = request
        if item.stage == Stage.PLANNED:
            self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, "canceled before it was sent")
            return {}
        return {request.target: None}

    def _drain(self, order: OrderRequest) -> None:
        identity = order.client_order_id
        if identity in self._drained or identity in self._drains:
            return
        waits_for = {each for each, item in self.open.items() if item.read}
        self._drains[identity] = _Drain(order.account, order.event_time_ns, waits_for)
        self._close_drains()

    def _close_drains(self) -> None:
        for identity, drain in list(self._drains.items()):
            if not drain.waits_for:
                del self._drains[identity]
                self._drained.add(identity)
                body = Command("drained", identity, "gateway", "every order before it is settled")
                self._write.append(TradingEvent(f"drained/{identity}", drain.account, drain.event_time_ns, body))

    def _heard(self, told: Told, now_s: float) -> dict[str, None]:
        report = told.event.body
        assert isinstance(report, Report)
        identity = report.client_order_id
        if identity not in self._known or report.venue != told.venue:
            self._notes.append(f"stray report of {identity} from {told.venue}: not an order of ours there")
            return {}
        if not _believable(report):
            self._notes.append(f"report {report.exec_id} of {identity} from {told.venue} is not believable: {report}")
            return {}
        item = self.open.get(identity)
        late = item is None or item.acknowledged
        if item is not None:
            item.stage, item.asked_s = Stage.WORKING, now_s
        if told.event.event_id in self._told or (late and report.status == OrderStatus.NEW):
            return {}  # told before; or an acknowledgement that later words have overtaken: nothing to learn from it
        self._write.append(self._explained(told.event, report))
        self._take(told.event, report)
        return {identity: None} if item is not None and item.cancel is not None else {}

    def _explained(self, event: TradingEvent, report: Report) -> TradingEvent:
        """What amends a fill, with what its order was of: the account may have forgotten it."""
        order = self._known[report.client_order_id]
        if not report.amends or order is None:
            return event
        return replace(event, body=replace(report, pair=order.pair, leg=order.leg, strategy=order.strategy))

    def _take(self, event: TradingEvent, report: Report) -> None:
        """Count a report that is in the log, or is about to be."""
        self._told.add(event.event_id)
        identity = report.client_order_id
        self._known.setdefault(identity)
        if identity not in self.open:
            return
        item = self.open[identity]
        item.filled += report.last_quantity - report.amended_quantity
        item.acknowledged = item.acknowledged or report.status != OrderStatus.UNKNOWN
        if report.status in TERMINAL:
            item.final = report.cumulative_quantity
        if item.settled:
            del self.open[identity]
            for drain in self._drains.values():
                drain.waits_for.discard(identity)
            self._close_drains()

    def _not_known(self, answer: NotKnown) -> dict[str, None]:
        item = self.open.get(answer.client_order_id)
        if item is None:
            return {}
        if item.stage == Stage.ASKED and item.cancel is not None:
            self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, "canceled before its venue had it")
            return {}
        if item.stage == Stage.ASKED and (kill := self._kill_of(item.order)):
            self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, f"{NOT_SENT}{_killed(kill)}")
            return {}
        if item.stage == Stage.ASKED:
            item.stage = Stage.PLANNED
            return {answer.client_order_id: None}
        if item.stage == Stage.WORKING:
            self._notes.append(f"{answer.venue} no longer knows {answer.client_order_id}, which it had taken")
        return {}

    def _refused(self, refused: Refused) -> None:
        item = self.open.get(refused.client_order_id)
        if item is not None and item.stage == Stage.SENT:
            self._say(item.order, REFUSED_WORD, OrderStatus.REJECTED, refused.text)

    def _look(self, now_s: float) -> None:
        for item in list(self.open.values()):
            if item.stage == Stage.PLANNED or item.acknowledged:
                continue
            item.sent_s = now_s if item.sent_s is None else item.sent_s
            if now_s - item.sent_s >= self.patience.unknown_after_s:
                self._say(item.order, UNKNOWN_WORD, OrderStatus.UNKNOWN, "sent, and no word from the venue")

    def _say(self, order: OrderRequest, number: int, status: OrderStatus, text: str) -> None:
        """Write a report of our own; where an order is unknown, all of it may be working."""
        identity = exec_id(order.venue, order.client_order_id, number)
        item = self.open.get(order.client_order_id)
        filled = item.filled if item else 0
        leaves = order.quantity - filled if status == OrderStatus.UNKNOWN else 0
        report = Report(
            venue=order.venue,
            exec_id=identity,
            client_order_id=order.client_order_id,
            status=status,
            instrument=order.instrument,
            side=order.side,
            last_quantity=0,
            last_price=0.0,
            cumulative_quantity=filled,
            leaves_quantity=leaves,
            text=text,
        )
        event = TradingEvent(report_id(order.venue, identity), order.account, order.event_time_ns, report)
        if event.event_id not in self._told:
            self._write.append(event)
            self._take(event, report)

    def _of(self, venue: str) -> list[str]:
        return [identity for identity, item in self.open.items() if item.order.venue == venue]

    def _doubt(self, venue: str) -> None:
        """The link is gone: what was given to it may have arrived or not. What was never given waits as it is."""
        for identity in self._of(venue):
            item = self.open[identity]
            if item.stage != Stage.PLANNED:
                item.stage = Stage.DOUBTFUL

    def _plan(self, touched: Iterable[str], now_s: float) -> Plan:
        send: list[Send] = []
        ask: list[Ask] = []
        cancel: list[Cancel] = []
        for identity in touched:
            item = self.open.get(identity)
            link = self._links.get(item.order.venue) if item else None
            if item is None or link is None:
                continue
            if item.stage == Stage.PLANNED:
                item.stage, item.sent_s, item.asked_s = Stage.SENT, now_s, now_s
                send.append(Send(link, item.order))
            elif item.stage == Stage.DOUBTFUL or self._due(item, now_s):
                item.stage = Stage.ASKED if item.stage == Stage.DOUBTFUL else item.stage
                item.asked_s = now_s
                ask.append(Ask(link, item.order))
            if item.cancel is not None and item.cancel_link != link and item.stage in (Stage.SENT, Stage.WORKING):
                item.cancel_link = link
                cancel.append(Cancel(link, item.order, item.cancel))
        return Plan(tuple(self._write), tuple(send), tuple(ask), tuple(cancel), tuple(self._notes))

    def _due(self, item: _Open, now_s: float) -> bool:
        return item.asked_s is None or now_s - item.asked_s >= self.patience.ask_every_s


def _killed(kill: Command) -> str:
    return f"{kill.scope} was killed by {kill.operator}: {kill.reason}"


def _believable(report: Report) -> bool:
    """Whether its numbers can be an order's: anything else is not written to the log."""
    quantities = (report.last_quantity, report.cumulative_quantity, report.leaves_quantity)
    return all(0 <= each <= MAX_LOTS for each in quantities) and 0 <= report.last_price < math.inf
