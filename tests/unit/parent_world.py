"""Venues in miniature for orders that are worked: each child has a fate, whose words may be told in any order."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipelines.domain.identity import report_id
from pipelines.domain.parent_orders import ParentOrders, Work
from pipelines.domain.parent_rules import Place, WorkRule, WorkRules
from pipelines.domain.trading import Decision, OrderRequest, OrderStatus, Report, Side, TradingEvent
from pipelines.domain.venue_books import Level, RouteModel, RouteVenue, VenueBook

S = 1_000_000_000
T0 = 1_000 * S
PLACES = (Place(RouteVenue("Q", 1_000_000), "A.Q"), Place(RouteVenue("N", 2_000_000), "A.N"))
MODEL = RouteModel(0.01, drift_ticks=0.5)
VOLUME = 30.0
"""Units of each that are traded in a second."""
NOW = WorkRule(PLACES, MODEL)


def order(name: str = "parent", lots: int = 10, leg: int = 0, **changes: object) -> OrderRequest:
    made = OrderRequest(
        client_order_id=name,
        action=Decision.NEW,
        account="desk",
        event_time_ns=T0,
        venue="Q",
        instrument="A.Q",
        side=Side.BUY,
        quantity=lots,
        order_type="market",
        limit_price=0.0,
        pair="A-B",
        leg=leg,
        cause="signal/1",
        reason="",
        strategy="own",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def books(**asks: int) -> Mapping[str, VenueBook]:
    """Of A.Q and A.N, or of the instruments that are named: so many lots bid at 99.99 and asked at 100."""
    shown = asks or {"Q": 4, "N": 4}
    of = {(f"A.{name}" if len(name) == 1 else name): (name[-1:], lots) for name, lots in shown.items()}
    return {
        instrument: VenueBook(venue, (Level(9_999, lots),), (Level(10_000, lots),))
        for instrument, (venue, lots) in of.items()
    }


def rules(*of: WorkRule) -> WorkRules:
    return WorkRules(of or (NOW,))


@dataclass
class Desk:
    """Orders that are worked, the log that was written of them, and the children that venues have."""

    rules: WorkRules = field(default_factory=rules)
    log: list[TradingEvent] = field(default_factory=list)
    sent: dict[str, OrderRequest] = field(default_factory=dict)
    cancels: dict[str, OrderRequest] = field(default_factory=dict)
    words: int = 0
    orders: ParentOrders = field(init=False)

    def __post_init__(self) -> None:
        self.orders = ParentOrders(self.rules)

    def restart(self) -> None:
        """Another process, that knows the log alone."""
        self.orders = ParentOrders(self.rules)
        for event in self.log:
            self.orders.recover(event)
        self._do(self.orders.settle())

    def take(self, *parents: OrderRequest) -> None:
        for each in parents:
            assert self.orders.takes(each)
            self._do(self.orders.take(each))

    def move(self, time_ns: int | None = None, shown: Mapping[str, VenueBook] | None = None) -> list[OrderRequest]:
        """To a time, or to what is due next. The children that were sent."""
        at_ns = time_ns if time_ns is not None else self.orders.due_ns()
        assert at_ns is not None
        volumes = dict.fromkeys(("A.Q", "A.N", "B.Q", "B.N"), VOLUME)
        work = self.orders.moved(at_ns, shown if shown is not None else books(), volumes=volumes)
        self._do(work)
        return list(work.children)

    def cancel(self, name: str = "parent") -> None:
        request = order(f"cancel-{name}", action=Decision.CANCEL, target=name, event_time_ns=T0 + S)
        self._do(self.orders.cancel(request))

    def say(self, child: OrderRequest, status: str, last: int = 0, cumulative: int = 0, **changes: object) -> Report:
        """A venue's word about a child; the last report that was told of it."""
        event = self.word(child, status, last, cumulative, **changes)
        return self.tell(event)

    def word(
        self, child: OrderRequest, status: str, last: int = 0, cumulative: int = 0, **changes: object
    ) -> TradingEvent:
        self.words += 1
        report = Report(
            venue=child.venue,
            exec_id=f"x{self.words}",
            client_order_id=child.client_order_id,
            status=OrderStatus(status),
            instrument=child.instrument,
            side=child.side,
            last_quantity=last,
            last_price=100.0 if last else 0.0,
            cumulative_quantity=cumulative,
            leaves_quantity=0 if status in ("filled", "canceled", "rejected") else child.quantity - cumulative,
            text="",
        )
        report = replace(report, **changes)  # type: ignore[arg-type]
        asked = self.cancels.get(child.client_order_id, child) if status == "canceled" else child
        return TradingEvent(report_id(child.venue, report.exec_id), "desk", asked.event_time_ns + 1_000, report)

    def tell(self, event: TradingEvent) -> Report:
        events, work = self.orders.told(event)
        self.log += events
        self._do(work)
        report = (events[0] if events else event).body
        assert isinstance(report, Report)
        return report

    def fill(self, child: OrderRequest) -> Report:
        """All of it at once."""
        return self.say(child, "filled", child.quantity, child.quantity)

    def told(self, name: str = "parent") -> list[Report]:
        return [e.body for e in self.log if isinstance(e.body, Report) and e.body.client_order_id == name]

    def _do(self, work: Work) -> None:
        self.log += work.events
        for child in work.children:
            assert child.client_order_id not in self.sent
            self.sent[child.client_order_id] = child
            self.log.append(TradingEvent(f"intent/{child.client_order_id}", "desk", child.event_time_ns, child))
        for request in work.cancels:
            self.cancels.setdefault(request.target, request)
