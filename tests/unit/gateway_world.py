"""A world in miniature for the gateway's core: a log with fencing, links that break, a real venue, processes that die.

Everything happens one small act at a time, so a test can stop the world between any two of them.
"""

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.domain.matching import MatchConfig, Quote
from pipelines.domain.trading import Command, Decision, OrderRequest, Side, TradingEvent
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, Sizing, Strategy
from pipelines.domain.universe import Venue as VenueName
from pipelines.execution.core import Gateway
from pipelines.execution.plan import Ask, Input, LinkDown, LinkUp, Look, NotKnown, Ordered, Refused, Send, Told
from pipelines.execution.protocol import (
    Execution,
    FromVenue,
    Heartbeat,
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

STRATEGY = Strategy(
    name="test",
    account="desk",
    shards=1,
    venues=(VenueName("sim", "binance"),),
    instruments=(Instrument("A", "sim", "A", 0.01, 1.0), Instrument("B", "sim", "B", 0.01, 1.0)),
    pairs=(Pair("A-B", "A", "B", 1.0, 0),),
    moments=Moments(),
    signals=(),
    sizing=Sizing(1000.0),
    limits=Limits(100, 1000),
)
QUOTE = Quote(99.0, 2.0, 101.0, 2.0)


def order(number: int, action: Decision = Decision.NEW, quantity: int = 3) -> OrderRequest:
    return OrderRequest(
        client_order_id=f"{action}-{number}",
        action=action,
        account="desk",
        event_time_ns=1_000_000_000 + number,
        venue="sim",
        instrument="A",
        side=Side.BUY,
        quantity=quantity,
        order_type="market",
        limit_price=0.0,
        pair="A-B",
        leg=0,
        cause=f"signal/{number}",
        reason="",
    )


@dataclass(slots=True)
class Connection:
    number: int
    to_venue: deque[bytes] = field(default_factory=deque)
    to_gateway: deque[FromVenue] = field(default_factory=deque)
    open: bool = True


@dataclass(slots=True)
class Process:
    """A gateway process: its core, what it has yet to take in, and what it is in the middle of doing."""

    epoch: int
    core: Gateway
    inbox: list[Input] = field(default_factory=list)
    acts: deque[tuple[TradingEvent, ...] | Send | Ask] = field(default_factory=deque)
    connection: Connection | None = None
    position: int = 0


class World:
    def __init__(self, folder: Path) -> None:
        self.log: list[TradingEvent] = []
        self.orders: list[OrderRequest] = []
        self.processes: list[Process] = []
        self.connections: list[Connection] = []
        self.now_s = 0.0
        self.fence = -1
        self._folder = folder
        self.venue = self._open_venue()

    def _open_venue(self) -> Venue:
        return Venue("sim", "s1", STRATEGY, MatchConfig(), Journal(self._folder / "sim.sqlite3"))

    def start_gateway(self) -> None:
        """A new process: fences every older one out, then learns from the log."""
        self.log.append(TradingEvent(f"started/{len(self.log)}", "desk", 0, Command("gateway_started", "", "", "")))
        core = Gateway(frozenset({"sim"}))
        core.recover(self.log)
        self.fence = len(self.log) - 1
        self.processes.append(Process(self.fence, core))

    def kill(self, process: Process) -> None:
        """Dies where it is. What it has put on its wire may still arrive."""
        if process in self.processes:
            self.processes.remove(process)
            if process.connection:
                process.connection.open = False

    def read_order(self, process: Process) -> None:
        if process.position < len(self.orders):
            process.inbox.append(Ordered(self.orders[process.position]))
            process.position += 1

    def step(self, process: Process) -> None:
        if process.acts:
            return
        plan = process.core.step(process.inbox, self.now_s)
        process.inbox = []
        process.acts += [plan.write] if plan.write else []
        process.acts += [*plan.send, *plan.ask]

    def act(self, process: Process) -> None:
        if not process.acts:
            return
        match process.acts.popleft():
            case Send(link, sent):
                self._put(process, link, encode(NewOrder(sent)))
            case Ask(link, asked):
                self._put(process, link, encode(StatusRequest(asked.client_order_id)))
            case events if process.epoch == self.fence:
                self.log += events
            case _:
                self.kill(process)  # fenced

    def _put(self, process: Process, link: int, data: bytes) -> None:
        if process.connection and process.connection.number == link:
            process.connection.to_venue.append(data)

    def connect(self, process: Process) -> None:
        if process.connection is None:
            process.connection = Connection(len(self.connections))
            self.connections.append(process.connection)
            process.connection.to_venue.append(encode(Logon("s1", process.epoch)))

    def drop(self, process: Process) -> None:
        """The connection breaks: what the venue has received of it, it may still read."""
        if process.connection is not None:
            process.inbox.append(LinkDown("sim", process.connection.number))
            process.connection.open = False
            process.connection = None

    def venue_reads(self, connection: Connection) -> None:
        if not connection.to_venue:
            return
        line = connection.to_venue.popleft()
        before = self.venue.current
        answers = self.venue.receive(connection.number, [line.strip()])
        if self.venue.current != before and before is not None:
            self.connections[before].open = False
        connection.to_gateway += answers

    def venue_matches(self) -> None:
        first, *rest = self.venue.due(0, 2_000_000_000) or [None]
        if first is not None:
            for execution in self.venue.matched(first, QUOTE):
                if self.venue.current is not None:
                    self.connections[self.venue.current].to_gateway.append(execution)
        for waiting in rest:
            self.venue.put_back(waiting)

    def restart_venue(self) -> None:
        self.venue.journal.close()
        self.venue = self._open_venue()
        for connection in self.connections:
            connection.open = False
            connection.to_venue.clear()

    def hear(self, process: Process) -> None:
        connection = process.connection
        if connection is None:
            return
        if not connection.to_gateway:
            if not connection.open:
                self.drop(process)
            return
        match connection.to_gateway.popleft():
            case LogonAccepted():
                process.inbox.append(LinkUp("sim", connection.number))
            case Execution() as told:
                process.inbox.append(Told("sim", told.event()))
            case NotKnownHere(identity):
                process.inbox.append(NotKnown("sim", connection.number, identity))
            case Reject(_, _, True) as reject:
                if "taken over" in reject.reason:
                    self.kill(process)
                else:
                    self.drop(process)
            case Reject(reason, identity):
                process.inbox.append(Refused("sim", identity, reason))
            case Heartbeat():
                pass

    def settle(self) -> None:
        """Let everything run, fairly, until nothing more can happen."""
        if self.fence not in [process.epoch for process in self.processes]:
            self.start_gateway()
        for _ in range(200):
            self.now_s += 0.1
            for process in list(self.processes):
                process.inbox.append(Look())
                self.connect(process)
                self.read_order(process)
                self.hear(process)
                while process.connection and process.connection.to_gateway and process in self.processes:
                    self.hear(process)
                self.step(process)
                while process.acts and process in self.processes:
                    self.act(process)
            for connection in self.connections:
                while connection.to_venue:
                    self.venue_reads(connection)
            self.venue_matches()
