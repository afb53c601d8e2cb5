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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.domain.identity import report_id
from pipelines.domain.parent_rules import WORKED
from pipelines.domain.parent_words import as_child, intent_of
from pipelines.domain.restraint import Restraint
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import TERMINAL, Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.kills import Kills
from pipelines.execution.open_order import (
    CANCELED_WORD,
    NOT_SENT,
    REFUSED_WORD,
    UNKNOWN_WORD,
    Drain,
    OpenOrder,
    Patience,
    Stage,
    own_word,
)
from pipelines.execution.outlet import Outlet
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
from pipelines.execution.told_reports import MAX_LOTS, ToldReports, believable, stated_report
from pipelines.execution.worked import Worked


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
    group: str = ""
    """Where an account has several gateways, each with venues of its own: which one this is. It leaves the orders of
    other venues alone, and tells of a drain for itself."""
    open: dict[str, OpenOrder] = field(default_factory=dict)
    _known: dict[str, OrderRequest | None] = field(default_factory=dict)
    """Every order that was intended; None where only a report in the log tells of it."""
    _told: ToldReports = field(default_factory=ToldReports)
    _links: dict[str, int] = field(default_factory=dict)
    _drains: dict[str, Drain] = field(default_factory=dict)
    _drained: set[str] = field(default_factory=set)
    _asked: int = 0
    _kills: Kills = field(init=False)
    _outlet: Outlet = field(init=False)
    _write: list[TradingEvent] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._kills = Kills(self.trader)
        self._outlet = Outlet(self.restraints, self.trader)

    @property
    def name(self) -> str:
        """By which it tells of drains."""
        return f"gateway {self.group}" if self.group else "gateway"

    def recover(self, events: Iterable[TradingEvent]) -> None:
        """Learn from the log, from its beginning to this process's own first event, what was intended and told."""
        for event in events:
            self.worked.recover(event)
            match event.body:
                case OrderRequest(target="") as order if order.order_type == WORKED:
                    self._known.setdefault(order.client_order_id, order)
                case OrderRequest() as order if self._is_others(order):
                    pass
                case OrderRequest() as order if order.client_order_id not in self._known:
                    self._known[order.client_order_id] = order
                    self.open[order.client_order_id] = OpenOrder(order, Stage.DOUBTFUL)
                case Report():
                    own = as_child(event)
                    assert isinstance(own.body, Report)
                    self._take(own, own.body)
                case Command(command="drained", operator=self.name):
                    self._drained.add(event.body.scope)
                case Command(command="kill"):
                    self._kills.lies_there(event, event.body)
        self.worked.recovered(self.trader)

    def step(self, inputs: Sequence[Input], now_s: float) -> Plan:
        """Take what has happened, and time (seconds of any steady clock); give what is to be done about it."""
        self._write, self._notes = self.worked.unsaid(), []
        touched = self._outlet.held()
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
                    if isinstance(event.body, Command) and self._kills.lies_there(event, event.body):
                        self._write += self.worked.killed(event, event.body, self.trader)
                case Moved():
                    touched.update(self._moved(each, now_s))
                case Priced(mids):
                    self._outlet.mids.update(mids)
                case Look():
                    self._look(now_s)
                    touched.update(dict.fromkeys(self.open))
        for request in self.worked.parents.cancels():
            touched.update(self._cancel(request))
        self._close_drains()
        return self._plan(touched, now_s)

    def _ordered(self, order: OrderRequest, now_s: float) -> dict[str, None]:
        identity = order.client_order_id
        self._kills.read(order)
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
            if self._is_others(order):
                return {}
            if order.venue not in self.venues:
                names = ", ".join(sorted(self.venues)) or "none"
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"no venue {order.venue!r} here: {names}")
                return {}
            if fault := self._kills.of(order) or self._outlet.fault(order, now_s):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{fault}")
                return {}
            self.open[identity] = OpenOrder(order, Stage.PLANNED, read=True)
            self._write.append(intent_of(order))
            return {identity: None}
        return {}

    def _is_others(self, order: OrderRequest) -> bool:
        """Whether another gateway of the account sends it."""
        return bool(self.group) and order.venue not in self.venues

    def _take_parent(self, order: OrderRequest) -> dict[str, None]:
        """Intend an order that is worked. It has no venue of its own: it is its children that are sent."""
        fault = self._kills.of(order)
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
            self.open[identity] = OpenOrder(order, Stage.PLANNED)
            self._write.append(intent_of(order))
            if order.venue not in self.venues:
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"no venue {order.venue!r} here")
            elif fault := self._outlet.fault(order, now_s):
                self._say(order, REFUSED_WORD, OrderStatus.REJECTED, f"{NOT_SENT}{fault}")
        return dict.fromkeys(order.client_order_id for order in work.children)

    def _is_killed(self, order: OrderRequest) -> bool:
        return bool(self._kills.of(order))

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
        self._drains[identity] = Drain(order.account, order.event_time_ns, waits_for)
        self._close_drains()

    def _close_drains(self) -> None:
        for identity, drain in list(self._drains.items()):
            drain.waits_for = {each for each in drain.waits_for if not self.worked.over(each)}
            if not drain.waits_for:
                del self._drains[identity]
                self._drained.add(identity)
                body = Command("drained", identity, self.name, "every order before it is settled")
                event_id = f"drained/{identity}" + (f"/{self.group}" if self.group else "")
                self._write.append(TradingEvent(event_id, drain.account, drain.event_time_ns, body))

    def _heard(self, told: Told, now_s: float) -> dict[str, None]:
        report = told.event.body
        assert isinstance(report, Report)
        identity = report.client_order_id
        if identity not in self._known or report.venue != told.venue:
            self._note(f"stray report of {identity} from {told.venue}: not an order of ours there")
            return {}
        if not believable(report):
            self._note(f"report {report.exec_id} of {identity} from {told.venue} is not believable: {report}")
            return {}
        item = self.open.get(identity)
        late = item is None or item.acknowledged
        if item is not None:
            self._note(item.heard(now_s))
        event_id = told.event.event_id
        if event_id in self._told or (late and report.status == OrderStatus.NEW and not report.amends):
            return {}  # told before; or an acknowledgement that later words have overtaken: nothing to learn from it
        if self._told.is_covered(report):
            self._told.cover(event_id, report)
            self._note(f"fill {report.exec_id} of {identity} is within what {told.venue} had stated: not again")
            return self._amended_early(event_id, now_s)
        event = self._told.explained(told, report, self._known[identity])
        if event is None:
            self._note(f"{report.exec_id} from {told.venue} amends {report.amends}, which was not told yet")
            return {}
        assert isinstance(event.body, Report)
        self._tell(event, event.body)
        touched = {identity: None} if item is not None and item.cancel is not None else {}
        return touched | self._amended_early(event_id, now_s)

    def _amended_early(self, fill: str, now_s: float) -> dict[str, None]:
        early = self._told.early(fill)
        return self._heard(early, now_s) if early else {}

    def _note(self, note: str) -> None:
        if note:
            self._notes.append(note)

    def _stated(self, said: Stated, now_s: float) -> dict[str, None]:
        """Where an order stands: what is told of it lacks nothing afterwards."""
        identity = said.client_order_id
        item = self.open.get(identity)
        if item is None:
            if identity not in self._known:
                self._note(f"{said.venue} states an order {identity}, which is not ours there")
            return {}
        self._note(item.heard(now_s))
        lots = said.cumulative_quantity - item.filled
        if lots < 0 or said.cumulative_quantity > MAX_LOTS:
            told = f"{said.venue} states {said.cumulative_quantity} lots filled of {identity}"
            self._note(f"{told}, and {item.filled} were told")
            return {}
        ended = said.status in TERMINAL and item.final is None
        if lots or ended or not item.acknowledged:
            self._state(item, said, lots)
        return {identity: None} if item.cancel is not None else {}

    def _state(self, item: OpenOrder, said: Stated, lots: int) -> None:
        order = item.order
        report = stated_report(order, said, lots, item.value)
        if not believable(report):
            self._note(f"what {order.venue} states of {order.client_order_id} is not believable: {said}")
            return
        event = TradingEvent(report_id(order.venue, report.exec_id), order.account, said.event_time_ns, report)
        if event.event_id not in self._told:
            self._tell(event, report)

    def _doubted(self, doubted: Doubted) -> dict[str, None]:
        self._note(f"{doubted.venue}: {doubted.text}")
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
        self._told.count(event, report)
        identity = report.client_order_id
        self._known.setdefault(identity)
        if identity not in self.open:
            return
        item = self.open[identity]
        item.counts(report)
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
        if item.stage == Stage.ASKED and (fault := self._kills.of(item.order)):
            self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, f"{NOT_SENT}{fault}")
            return {}
        # Asked after it was sent on this link, a venue that does not know it will not: its message was passed over when
        # both sides agreed on their numbers.
        if item.stage == Stage.ASKED or (item.stage == Stage.SENT and answer.ask > item.asks):
            item.stage, item.again = Stage.PLANNED, True
            return {answer.client_order_id: None}
        if item.stage == Stage.WORKING:
            self._note(f"{answer.venue} no longer knows {answer.client_order_id}, which it had taken")
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
        """Write a report of our own."""
        item = self.open.get(order.client_order_id)
        event = own_word(order, item.filled if item else 0, number, status, text)
        if event.event_id not in self._told:
            assert isinstance(event.body, Report)
            self._tell(event, event.body)

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
            if item.stage == Stage.PLANNED and (fault := self._kills.of(item.order)):
                self._say(item.order, CANCELED_WORD, OrderStatus.CANCELED, f"{NOT_SENT}{fault}")
                continue
            if item.stage == Stage.PLANNED:
                if not self._outlet.takes(item.order, now_s):
                    continue
                item.sent(self._asked, now_s)
                send.append(Send(link, item.order, item.again))
            elif item.to_be_asked(self.patience, now_s) and self._outlet.takes(item.order, now_s):
                item.asked(now_s)
                self._asked += 1
                ask.append(Ask(link, item.order, self._asked))
            if item.cancel is not None and item.cancel_link != link and item.stage in (Stage.SENT, Stage.WORKING):
                cancel.append(Cancel(link, item.order, item.cancel, item.cancel_link is not None))
                item.cancel_link = link
                self._outlet.passes(item.order.venue, now_s)
        due_ns = self.worked.parents.due_ns(self._is_killed)
        said = tuple(self._write), tuple(send), tuple(ask), tuple(cancel), tuple(self._notes)
        return Plan(*said, self._outlet.wake_s(self.open, now_s), due_ns)
