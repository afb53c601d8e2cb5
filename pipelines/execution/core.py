"""What the gateway decides: which events to write, which orders to send, which to ask about. Pure: no I/O, no clock.

`Gateway.step` takes what has happened and gives a plan. The plan is carried out in order: `write` is committed to the
log first, then orders are sent, then statuses asked. If any of it fails the process ends, so a state never has to
take anything back; what was lost with it is found again from the log and from the venues.

Why an order reaches its venue at most once: it is sent only by the process that wrote its intent and has not given it
to a link yet, or after the venue said, on the present link, that it does not know it; and a venue drops the older link,
with all that is still in it, before it answers a newer one.

A kill is the trader's to obey. But orders may wait that were decided before the kill, for a gateway that was away or
for a venue that takes only so many messages: they are not sent. The log says which kills there are, and a decision that
one caused that the trader has come to it.

A venue that answers where an order stands, by its sum of fills alone, may tell of fills whose reports are lost: what it
counts beyond them is a fill of its own, and reports that come after all are within it.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipelines.domain.identity import intent_id, report_id
from pipelines.domain.matching import exec_id
from pipelines.domain.parent_rules import WORKED
from pipelines.domain.parent_words import as_child
from pipelines.domain.restraint import LastLook, Restraint, Throttle
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import TERMINAL, Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.plan import (
    Ask,
    Cancel,
    Doubted,
    Input,
    Killed,
    LinkDown,
    LinkUp,
    Look,
    Moved,
    NotKnown,
    Ordered,
    Plan,
    Priced,
    Refused,
    Send,
    Stated,
    Told,
)
from pipelines.execution.worked import Worked, concerns

MAX_LOTS = 1 << 31
"""No report that counts more lots than this is believed."""

UNKNOWN_WORD = -1
REFUSED_WORD = -2
CANCELED_WORD = -3
"""Numbers of the reports that the gateway itself makes of an order; a venue's own count from 0."""


STATED = "stated-"
"""How the exec id of a report begins that this process made of a venue's answer."""

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
    """Seconds: without a word an order is written down as unknown; when its venue is asked again, twice as long after
    each time that it has not answered, up to the last."""

    unknown_after_s: float = 2.0
    ask_every_s: float = 1.0
    ask_at_last_s: float = 32.0


@dataclass(slots=True)
class _Open:
    """An order that is not settled: it has no terminal report, or not yet every fill that one counts."""

    order: OrderRequest
    stage: Stage
    sent_s: float | None = None
    asked_s: float | None = None
    acknowledged: bool = False
    read: bool = False
    again: bool = False
    """Whether its venue may have had it before."""
    unanswered: int = 0
    """Questions about it since its venue last spoke of it."""
    asks: int = 0
    """How many questions had been asked, of any order, when it was sent."""
    filled: int = 0
    value: float = 0.0
    """Lots filled times their prices."""
    final: int | None = None
    unknown_s: float | None = None
    """Since when nothing is known of it, if it was written down so."""
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
    restraints: Mapping[str, Restraint] = field(default_factory=dict)
    """By venue; one that is not here has none."""
    worked: Worked = field(default_factory=Worked)
    """Orders that are cut up: their children are orders here, they themselves are not."""
    open: dict[str, _Open] = field(default_factory=dict)
    _known: dict[str, OrderRequest | None] = field(default_factory=dict)
    """Every order that was intended; None where only a report in the log tells of it."""
    _told: set[str] = field(default_factory=set)
    _links: dict[str, int] = field(default_factory=dict)
    _drains: dict[str, _Drain] = field(default_factory=dict)
    _drained: set[str] = field(default_factory=set)
    _asked: int = 0
    _kills: dict[str, Command] = field(default_factory=dict)
    """Kills in the log, by event id, that the account's decisions read so far have not come to: what it decided before
    them is not sent any more."""
    _causes: set[str] = field(default_factory=set)
    """Of decisions that are no orders: the kills among them are obeyed."""
    _fills: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Lots and price of each fill, by event id: what a bust takes back."""
    _early: dict[str, Told] = field(default_factory=dict)
    """Busts and corrections of fills that were not told yet, by the fill's event id."""
    _covered: dict[str, Report] = field(default_factory=dict)
    """By order, the fill that was made of a venue's answer."""
    _within: dict[str, str] = field(default_factory=dict)
    """Fill that such a one covers -> exec id of that."""
    _mids: dict[str, float] = field(default_factory=dict)
    _throttles: dict[str, Throttle] = field(default_factory=dict)
    _looks: dict[str, LastLook] = field(default_factory=dict)
    _held: dict[str, None] = field(default_factory=dict)
    """Orders that wait for their venue to take more messages, in order."""
    _write: list[TradingEvent] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for venue, restraint in self.restraints.items():
            self._throttles[venue] = Throttle(restraint.messages_per_s)
            self._looks[venue] = LastLook(restraint)

    def recover(self, events: Iterable[TradingEvent]) -> None:
        """Learn from the log, from its beginning to this process's own first event, what was intended and told."""
        for event in events:
            self.worked.recover(event)
            match event.body:
                case OrderRequest(target="") as order if order.order_type == WORKED:
                    self._known.setdefault(order.client_order_id, order)
                case OrderRequest() as order if order.client_order_id not in self._known:
                    self._known[order.client_order_id] = order
                    self.open[order.client_order_id] = _Open(order, Stage.DOUBTFUL)
                case Report():
                    own = as_child(event)
                    assert isinstance(own.body, Report)
                    self._take(own, own.body)
                case Command(command="drained"):
                    self._drained.add(event.body.scope)
                case Command(command="kill"):
                    self._kills[event.event_id] = event.body
        self.worked.recovered(self.trader)

    def step(self, inputs: Sequence[Input], now_s: float) -> Plan:
        """Take what has happened, and time (seconds of any steady clock); give what is to be done about it."""
        self._write, self._notes = self.worked.unsaid(), []
        touched, self._held = self._held, {}
        for each in inputs:
            match each:
                case Ordered():
                    touched.update(self._ordered(each.order, now_s))
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
                case Stated():
                    touched.update(self._stated(each, now_s))
                case Doubted():
                    touched.update(self._doubted(each))
                case Killed(event):
                    if event.event_id not in self._causes and isinstance(event.body, Command):
                        self._kills[event.event_id] = event.body
                        self._write += self.worked.killed(event, event.body, self.trader)
                case Moved():
                    touched.update(self._moved(each, now_s))
                case Priced(mids):
                    self._mids.update(mids)
                case Look():
                    self._look(now_s)
                    touched.update(dict.fromkeys(self.open))
        for request in self.worked.parents.cancels():
            touched.update(self._cancel(request))
        self._close_drains()
        return self._plan(touched, now_s)

    def _ordered(self, order: OrderRequest, now_s: float) -> dict[str, None]:
        identity = order.client_order_id
        self._kills.pop(order.cause, None)
        if order.action in (Decision.NOTICE, Decision.CANCEL):
            self._causes.add(order.cause)
        if order.action == Decision.DRAIN:
            self._drain(order)
        elif order.action == Decision.CANCEL:
            return self._cancel(order)
        elif order.action == Decision.NEW and identity in self._known:
            if not self.worked.read(identity) and identity in self.open:
                self.open[identity].read = True
        elif order.action == Decision.NEW:
            self._known[identity] = order
            if self.worked.parents.takes(order):
                return self._take_parent(order)
            if order.venue not in self.venues:
                names = ", ".join(sorted(self.venues)) or "none"
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"no venue {order.venue!r} here: {names}")
                return {}
            if kill := self._kill_of(order):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{_killed(kill)}")
                return {}
            if fault := self._last_look(order, now_s):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{fault}")
                return {}
            self.open[identity] = _Open(order, Stage.PLANNED, read=True)
            self._write.append(TradingEvent(intent_id(identity), order.account, order.event_time_ns, order))
            return {identity: None}
        return {}

    def _take_parent(self, order: OrderRequest) -> dict[str, None]:
        """Intend an order that is worked. It has no venue of its own: it is its children that are sent."""
        fault = _killed(kill) if (kill := self._kill_of(order)) else ""
        try:
            events = () if fault else self.worked.parents.take(order).events
        except ScheduleError as error:
            fault = str(error)
        if fault:
            self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{fault}")
            return {}
        self.worked.read(order.client_order_id)
        self._write += events
        return {}

    def _moved(self, moved: Moved, now_s: float) -> dict[str, None]:
        """Intend the children that have fallen due."""
        work = self.worked.parents.moved(moved.time_ns, moved.books, self._is_killed, moved.volumes)
        self._write += work.events
        for order in work.children:
            identity = order.client_order_id
            self._known[identity] = order
            self.open[identity] = _Open(order, Stage.PLANNED)
            self._write.append(TradingEvent(intent_id(identity), order.account, order.event_time_ns, order))
            if order.venue not in self.venues:
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"no venue {order.venue!r} here")
            elif fault := self._last_look(order, now_s):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{fault}")
        return dict.fromkeys(order.client_order_id for order in work.children)

    def _is_killed(self, order: OrderRequest) -> bool:
        return self._kill_of(order) is not None

    def _last_look(self, order: OrderRequest, now_s: float) -> str:
        look = self._looks.get(order.venue)
        instrument = self.trader.instruments.get(order.instrument) if self.trader else None
        return look.fault(order, instrument, self._mids.get(order.instrument), now_s) if look else ""

    def _kill_of(self, order: OrderRequest) -> Command | None:
        """The kill that an order may not be sent for."""
        return next((kill for kill in self._kills.values() if concerns(self.trader, kill, order)), None)

    def _cancel(self, request: OrderRequest) -> dict[str, None]:
        """What no link was given is canceled here; of all else its venue is asked, unless it is settled already."""
        item = self.open.get(request.target)
        if item is None:
            self._write += self.worked.parents.cancel(request).events
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
        waits_for = {each for each, item in self.open.items() if item.read} | self.worked.waited_for()
        self._drains[identity] = _Drain(order.account, order.event_time_ns, waits_for)
        self._close_drains()

    def _close_drains(self) -> None:
        for identity, drain in list(self._drains.items()):
            drain.waits_for = {each for each in drain.waits_for if not self.worked.over(each)}
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
            self._known_again(item, now_s)
            item.stage, item.asked_s, item.unanswered = Stage.WORKING, now_s, 0
        event_id = told.event.event_id
        if event_id in self._told or (late and report.status == OrderStatus.NEW and not report.amends):
            return {}  # told before; or an acknowledgement that later words have overtaken: nothing to learn from it
        if report.last_quantity and not report.amends and self._is_covered(report):
            self._told.add(event_id)
            self._fills[event_id] = (report.last_quantity, report.last_price)
            self._within[event_id] = self._covered[identity].exec_id
            self._notes.append(f"fill {report.exec_id} of {identity} is within what {told.venue} had stated: not again")
            return self._amended_early(event_id, now_s)
        event = self._explained(told, report)
        if event is None:
            return {}
        assert isinstance(event.body, Report)
        self._tell(event, event.body)
        touched = {identity: None} if item is not None and item.cancel is not None else {}
        return touched | self._amended_early(event_id, now_s)

    def _is_covered(self, report: Report) -> bool:
        stated = self._covered.get(report.client_order_id)
        return stated is not None and report.cumulative_quantity <= stated.cumulative_quantity

    def _amended_early(self, fill: str, now_s: float) -> dict[str, None]:
        """A bust or correction that came before its fill."""
        early = self._early.pop(fill, None)
        return self._heard(early, now_s) if early else {}

    def _explained(self, told: Told, report: Report) -> TradingEvent | None:
        """What amends a fill, with what that was and what its order was of: the account may have forgotten it. None:
        the fill itself was not told yet."""
        order = self._known[report.client_order_id]
        if not report.amends:
            return told.event
        if not report.amended_quantity:
            fill = report_id(report.venue, report.amends)
            if fill not in self._fills:
                self._early[fill] = told
                self._notes.append(f"{report.exec_id} from {told.venue} amends {report.amends}, which was not told yet")
                return None
            lots, price = self._fills[fill]
            amends = self._within.get(fill, report.amends)
            report = replace(report, amends=amends, amended_quantity=lots, amended_price=price)
        if order is not None:
            report = replace(report, pair=order.pair, leg=order.leg, strategy=order.strategy)
        return replace(told.event, body=report)

    def _known_again(self, item: _Open, now_s: float) -> None:
        if item.unknown_s is not None:
            took_s, item.unknown_s = now_s - item.unknown_s, None
            self._notes.append(f"order {item.order.client_order_id} was unknown for {took_s:.3f} s")

    def _stated(self, said: Stated, now_s: float) -> dict[str, None]:
        """Where an order stands: what is told of it lacks nothing afterwards."""
        identity = said.client_order_id
        item = self.open.get(identity)
        if item is None:
            if identity not in self._known:
                self._notes.append(f"{said.venue} states an order {identity}, which is not ours there")
            return {}
        self._known_again(item, now_s)
        item.stage, item.asked_s, item.unanswered = Stage.WORKING, now_s, 0
        lots = said.cumulative_quantity - item.filled
        if lots < 0 or said.cumulative_quantity > MAX_LOTS:
            told = f"{said.venue} states {said.cumulative_quantity} lots filled of {identity}"
            self._notes.append(f"{told}, and {item.filled} were told")
            return {}
        ended = said.status in TERMINAL and item.final is None
        if lots or ended or not item.acknowledged:
            self._state(item, said, lots)
        return {identity: None} if item.cancel is not None else {}

    def _state(self, item: _Open, said: Stated, lots: int) -> None:
        order = item.order
        price = (said.average_price * said.cumulative_quantity - item.value) / lots if lots else 0.0
        left = 0 if said.status in TERMINAL else order.quantity - said.cumulative_quantity
        report = Report(
            venue=order.venue,
            exec_id=f"{STATED}{order.client_order_id}-{said.cumulative_quantity}-{said.status.value}",
            client_order_id=order.client_order_id,
            status=said.status,
            instrument=order.instrument,
            side=order.side,
            last_quantity=lots,
            last_price=price,
            cumulative_quantity=said.cumulative_quantity,
            leaves_quantity=max(0, left),
            text=said.text or "as its venue stated when it was asked",
        )
        if not _believable(report):
            self._notes.append(f"what {order.venue} states of {order.client_order_id} is not believable: {said}")
            return
        event = TradingEvent(report_id(order.venue, report.exec_id), order.account, said.event_time_ns, report)
        if event.event_id not in self._told:
            self._tell(event, report)

    def _doubted(self, doubted: Doubted) -> dict[str, None]:
        self._notes.append(f"{doubted.venue}: {doubted.text}")
        item = self.open.get(doubted.client_order_id)
        if item is None or item.stage == Stage.PLANNED:
            return {}
        item.asked_s = None
        return {doubted.client_order_id: None}

    def _tell(self, event: TradingEvent, report: Report) -> None:
        """Write a report, a child's as its parent's, and count it."""
        self._write += self.worked.parents.told(event)[0]
        self._take(event, report)

    def _take(self, event: TradingEvent, report: Report) -> None:
        """Count a report that is in the log, or is about to be."""
        self._told.add(event.event_id)
        identity = report.client_order_id
        self._known.setdefault(identity)
        if report.last_quantity:
            self._fills[event.event_id] = (report.last_quantity, report.last_price)
            if report.exec_id.startswith(STATED):
                self._covered[identity] = report
        if identity not in self.open:
            return
        item = self.open[identity]
        item.filled += report.last_quantity - report.amended_quantity
        item.value += report.last_quantity * report.last_price - report.amended_quantity * report.amended_price
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
        # Asked after it was sent on this link, a venue that does not know it will not: its message was passed over when
        # both sides agreed on their numbers.
        if item.stage == Stage.ASKED or (item.stage == Stage.SENT and answer.ask > item.asks):
            item.stage, item.again = Stage.PLANNED, True
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
                item.unknown_s = item.sent_s if item.unknown_s is None else item.unknown_s
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
            self._tell(event, report)

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
            if item.stage == Stage.PLANNED and (kill := self._kill_of(item.order)):
                self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, f"{NOT_SENT}{_killed(kill)}")
                continue
            throttle = self._throttles.get(item.order.venue)
            if item.stage == Stage.PLANNED:
                if not self._may_go(identity, throttle, now_s):
                    continue
                item.stage, item.sent_s, item.asked_s = Stage.SENT, now_s, now_s
                item.asks, item.unanswered = self._asked, 0
                send.append(Send(link, item.order, item.again))
            elif self._due(item, now_s) and self._may_go(identity, throttle, now_s):
                item.stage = Stage.ASKED if item.stage == Stage.DOUBTFUL else item.stage
                item.asked_s = now_s
                item.unanswered += 1
                self._asked += 1
                ask.append(Ask(link, item.order, self._asked))
            if item.cancel is not None and item.cancel_link != link and item.stage in (Stage.SENT, Stage.WORKING):
                cancel.append(Cancel(link, item.order, item.cancel, item.cancel_link is not None))
                item.cancel_link = link
                if throttle:
                    throttle.count(now_s)
        due_ns = self.worked.parents.due_ns(self._is_killed)
        said = tuple(self._write), tuple(send), tuple(ask), tuple(cancel), tuple(self._notes)
        return Plan(*said, self._wake_s(now_s), due_ns)

    def _may_go(self, identity: str, throttle: Throttle | None, now_s: float) -> bool:
        """Whether its venue takes a message about an order now; one that waits is held."""
        if throttle is None:
            return True
        if not throttle.free(now_s):
            self._held[identity] = None
            return False
        throttle.count(now_s)
        return True

    def _wake_s(self, now_s: float) -> float | None:
        """When the first of the orders that wait may go."""
        venues = {self.open[identity].order.venue for identity in self._held if identity in self.open}
        return min((self._throttles[venue].free_at_s(now_s) for venue in venues), default=None)

    def _due(self, item: _Open, now_s: float) -> bool:
        if item.stage == Stage.DOUBTFUL or item.asked_s is None:
            return True
        wait_s = self.patience.ask_every_s * (1 << min(max(0, item.unanswered - 1), 16))
        return now_s - item.asked_s >= min(wait_s, self.patience.ask_at_last_s)


def _killed(kill: Command) -> str:
    return f"{kill.scope} was killed by {kill.operator}: {kill.reason}"


def _believable(report: Report) -> bool:
    """Whether its numbers can be an order's: anything else is not written to the log."""
    quantities = (report.last_quantity, report.cumulative_quantity, report.leaves_quantity)
    return all(0 <= each <= MAX_LOTS for each in quantities) and 0 <= report.last_price < math.inf
