"""A gateway that works orders over two venues, in miniature: a log with fencing, links that break, processes that die.

As gateway_world, one small act at a time; but with a market whose time moves, and a link to each venue.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.domain.matching import MatchConfig, Quote
from pipelines.domain.parent_orders import ParentOrders
from pipelines.domain.parent_rules import Place, WorkRule, WorkRules
from pipelines.domain.trading import Command, Decision, OrderRequest, Side, TradingEvent
from pipelines.domain.universe import Instrument
from pipelines.domain.universe import Venue as VenueName
from pipelines.domain.venue_books import Level, RouteModel, RouteVenue, VenueBook
from pipelines.execution.core import Gateway
from pipelines.execution.plan import Ask, Cancel, Input, LinkDown, LinkUp, Look, Moved, NotKnown, Ordered, Send, Told
from pipelines.execution.protocol import (
    CancelOrder,
    Execution,
    FromVenue,
    Logon,
    LogonAccepted,
    NewOrder,
    NotKnownHere,
    Reject,
    StatusRequest,
    encode,
)
from pipelines.execution.venue import Venue
from pipelines.execution.venue_journal import Journal
from pipelines.execution.worked import Worked
from tests.unit.gateway_world import STRATEGY as ONE_VENUE

S = 1_000_000_000
NAMES = ("Q", "N")
STRATEGY = replace(
    ONE_VENUE,
    venues=tuple(VenueName(name, "binance") for name in NAMES),
    instruments=tuple(Instrument(f"{what}.{name}", name, what, 0.01, 1.0) for what in "AB" for name in NAMES),
    pairs=(replace(ONE_VENUE.pairs[0], a="A.Q", b="B.Q"),),
)
QUOTE = Quote(99.0, 2.0, 101.0, 2.0)
BOOKS: Mapping[str, VenueBook] = {
    f"{what}.{name}": VenueBook(name, (Level(9_900, 2),), (Level(10_100, 2),)) for what in "AB" for name in NAMES
}


def rule(what: str = "A", **changes: object) -> WorkRule:
    """Of an instrument at both venues."""
    places = tuple(Place(RouteVenue(name, 1_000_000), f"{what}.{name}") for name in NAMES)
    made = WorkRule(places, RouteModel(0.01, drift_ticks=0.5), instrument=f"{what}.Q")
    return replace(made, **changes)  # type: ignore[arg-type]


def order(number: int, action: Decision = Decision.NEW, leg: int = 0, **changes: object) -> OrderRequest:
    made = OrderRequest(
        client_order_id=f"{action}-{number}-{leg}",
        action=action,
        account="desk",
        event_time_ns=10 * S + number,
        venue="Q",
        instrument="A.Q" if leg == 0 else "B.Q",
        side=Side.BUY if leg == 0 else Side.SELL,
        quantity=6,
        order_type="market",
        limit_price=0.0,
        pair="A-B",
        leg=leg,
        cause=f"signal/{number}",
        reason="",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass(slots=True)
class Connection:
    venue: str
    number: int
    to_venue: deque[bytes] = field(default_factory=deque)
    to_gateway: deque[FromVenue] = field(default_factory=deque)


@dataclass(slots=True)
class Process:
    """A gateway process: its core, what it has yet to take in, and what it is in the middle of doing."""

    epoch: int
    core: Gateway
    inbox: list[Input] = field(default_factory=list)
    acts: deque[tuple[TradingEvent, ...] | Send | Ask | Cancel] = field(default_factory=deque)
    links: dict[str, Connection] = field(default_factory=dict)
    position: int = 0
    due_ns: int | None = None


class World:
    def __init__(self, folder: Path, *rules: WorkRule) -> None:
        self.rules = WorkRules(rules)
        self.log: list[TradingEvent] = []
        self.orders: list[OrderRequest] = []
        self.connections: list[Connection] = []
        self.process: Process | None = None
        self.now_s = 0.0
        self._folder = folder
        self.venues = {name: self._open(name) for name in NAMES}

    def _open(self, name: str) -> Venue:
        return Venue(name, "s1", STRATEGY, MatchConfig(), Journal(self._folder / f"{name}.sqlite3"))

    def close(self) -> None:
        for venue in self.venues.values():
            venue.journal.close()

    def start_gateway(self) -> Process:
        """A new process, instead of the one that is there: it learns from the log."""
        self.log.append(TradingEvent(f"started/{len(self.log)}", "desk", 0, Command("gateway_started", "", "", "")))
        core = Gateway(frozenset(NAMES), worked=Worked(ParentOrders(self.rules)))
        core.recover(self.log)
        self.process = Process(len(self.log) - 1, core)
        return self.process

    def restart_venue(self, name: str) -> None:
        self.venues[name].journal.close()
        self.venues[name] = self._open(name)
        self.drop(name)

    def drop(self, name: str) -> None:
        """The link to a venue breaks: what the venue has received of it, it may still read."""
        if self.process is not None and (gone := self.process.links.pop(name, None)) is not None:
            self.process.inbox.append(LinkDown(name, gone.number))

    def acts(self) -> list[str]:
        """What can happen next, in the order of a plain session."""
        process = self.process
        if process is None:
            return ["start"]
        found = ["act"] if process.acts else []
        found += [f"connect {name}" for name in NAMES if name not in process.links]
        found += [f"venue {n}" for n, each in enumerate(self.connections) if each.to_venue]
        found += [f"hear {n}" for n, each in process.links.items() if each.to_gateway]
        found += ["read"] if process.position < len(self.orders) else []
        found += ["step"] if process.inbox and not process.acts else []
        found += ["market"] if process.due_ns is not None else []
        found += [f"match {name}" for name, venue in self.venues.items() if venue.waiting()]
        return found

    def do(self, act: str) -> None:
        what, _, which = act.partition(" ")
        process = self.process if self.process is not None else self.start_gateway()
        match what:
            case "act":
                self._act(process)
            case "connect":
                link = process.links[which] = Connection(which, len(self.connections))
                self.connections.append(link)
                link.to_venue.append(encode(Logon("s1", process.epoch)))
            case "venue":
                connection = self.connections[int(which)]
                line = connection.to_venue.popleft().strip()
                connection.to_gateway += self.venues[connection.venue].receive(connection.number, [line])
            case "hear":
                self._hear(process, process.links[which])
            case "read":
                process.inbox.append(Ordered(self.orders[process.position]))
                process.position += 1
            case "step":
                self._step(process)
            case "market" if process.due_ns is not None:
                process.inbox.append(Moved(process.due_ns, BOOKS))
                process.due_ns = None
            case "match":
                self._match(self.venues[which])

    def look(self) -> None:
        self.now_s += 1.1
        if self.process is not None:
            self.process.inbox.append(Look())

    def settle(self, most: int = 2_000) -> None:
        """Let everything happen until nothing more can."""
        quiet = 0
        for _ in range(most):
            found = self.acts()
            if found:
                self.do(found[0])
            else:
                quiet += 1
                if quiet > 6:
                    return
                self.look()
        raise AssertionError("it does not come to rest")

    def _step(self, process: Process) -> None:
        plan = process.core.step(process.inbox, self.now_s)
        process.inbox = []
        process.due_ns = plan.due_ns
        process.acts += [plan.write] if plan.write else []
        process.acts += [*plan.send, *plan.ask, *plan.cancel]

    def _act(self, process: Process) -> None:
        match process.acts.popleft():
            case Send(link, sent):
                self._put(process, sent, link, encode(NewOrder(sent)))
            case Ask(link, asked):
                self._put(process, asked, link, encode(StatusRequest(asked.client_order_id)))
            case Cancel(link, asked, request):
                words = CancelOrder(asked.client_order_id, request.client_order_id, request.event_time_ns)
                self._put(process, asked, link, encode(words))
            case events:
                self.log += events

    def _put(self, process: Process, order: OrderRequest, link: int, data: bytes) -> None:
        connection = process.links.get(order.venue)
        if connection is not None and connection.number == link:
            connection.to_venue.append(data)

    def _match(self, venue: Venue) -> None:
        first, *rest = venue.due(0, 1_000 * S) or [None]
        for waiting in rest:
            venue.put_back(waiting)
        if first is not None:
            for execution in venue.matched(first, QUOTE):
                if venue.current is not None:
                    self.connections[venue.current].to_gateway.append(execution)

    def _hear(self, process: Process, connection: Connection) -> None:
        venue = connection.venue
        match connection.to_gateway.popleft():
            case LogonAccepted():
                process.inbox.append(LinkUp(venue, connection.number))
            case Execution() as told:
                process.inbox.append(Told(venue, told.event()))
            case NotKnownHere(identity):
                process.inbox.append(NotKnown(venue, connection.number, identity))
            case Reject():
                self.drop(venue)
