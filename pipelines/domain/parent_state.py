"""A parent order and its children, as the log tells of them. Quantities in lots, times in ns of event time."""

from dataclasses import dataclass, field
from itertools import takewhile

from pipelines.domain.parent_rules import OnReject, WorkRule
from pipelines.domain.schedules import Planned
from pipelines.domain.trading import TERMINAL, OrderRequest, OrderStatus, Report

POSTED = "limit"
"""Order type of a child that waits in a queue; the others take."""


@dataclass(slots=True)
class Child:
    """What its venue said of it. `final`: lots that its last word counts; `most`: that were ever filled or counted."""

    order: OrderRequest
    status: OrderStatus | None = None
    filled: int = 0
    final: int | None = None
    most: int = 0
    settled: bool = False
    """Over, and each fill told that its last word counted; a fill that is taken back later changes nothing of that."""
    cancel_ns: int | None = None
    """When it was asked to be canceled for a better place."""
    looked_ns: int = 0
    """When it was last asked whether there is one. Neither is in the log: after a restart they come about again."""

    @property
    def over(self) -> bool:
        """Whether its venue will not fill more of it."""
        return self.settled or self.final is not None or self.filled >= self.order.quantity

    @property
    def committed(self) -> int:
        """Lots that are or may be filled; one that is unknown keeps them all. What is taken back is not sent again."""
        return self.most if self.over else max(self.most, self.order.quantity)

    @property
    def posted(self) -> bool:
        return self.order.order_type == POSTED

    def hear(self, report: Report) -> None:
        """Take a word about it, each once."""
        self.filled += report.last_quantity - report.amended_quantity
        if report.status in TERMINAL:
            self.final = report.cumulative_quantity
        if self.status not in TERMINAL:
            self.status = report.status
        self.most = max(self.most, self.filled, self.final or 0)
        self.settled = self.settled or (self.over and self.filled >= (self.final or 0))


@dataclass(slots=True)
class Parent:
    """An order that is worked, and all that the log says of it. `schedule` is None where it cannot be worked on."""

    order: OrderRequest
    rule: WorkRule | None
    schedule: Planned | None
    children: dict[str, Child] = field(default_factory=dict)
    stopped: str = ""
    """Why no more of it is sent."""
    stopped_ns: int = 0
    ended: OrderStatus | None = None
    """Its last word."""
    changed_ns: int = 0
    """When a venue last said anything of it."""
    filled_ns: int = 0
    acted_ns: int = 0
    """When it was last decided what to send."""
    fruitless: list[int] = field(default_factory=list)
    """When nothing was found to send of what was due."""

    @property
    def filled(self) -> int:
        return sum(each.filled for each in self.children.values())

    @property
    def committed(self) -> int:
        """Lots that are or may be filled: never more than its quantity, whatever comes in whatever order."""
        return sum(each.committed for each in self.children.values())

    @property
    def settled(self) -> bool:
        return all(each.settled for each in self.children.values())

    @property
    def taking(self) -> bool:
        """Whether a child that takes is still out."""
        return any(not each.over and not each.posted for each in self.children.values())

    @property
    def barred(self) -> frozenset[str]:
        """Venues that rejected a child of it."""
        return frozenset(c.order.venue for c in self.children.values() if c.status is OrderStatus.REJECTED)

    def due(self, time_ns: int) -> int:
        """Lots that its schedule wants sent by then."""
        return self.schedule.due(time_ns - self.order.event_time_ns) if self.schedule else 0

    def slice_ns(self, time_ns: int) -> int:
        """When the slice began that it is in; its own time before the first."""
        begun = takewhile(lambda at_ns: at_ns <= time_ns, self.slice_times())
        return max(begun, default=self.order.event_time_ns)

    def next_slice_ns(self, after_ns: int) -> int | None:
        return next((at_ns for at_ns in self.slice_times() if at_ns > after_ns), None)

    def slice_times(self) -> list[int]:
        """When lots come due, rising; and when those that wait in queues are to wait no more."""
        slices = self.schedule.slices if self.schedule else ()
        times = [self.order.event_time_ns + each.at_ns for each in slices if each.lots]
        return [*times, self.deadline_ns] if self.rule is not None and self.rule.urgency < 1 else times

    @property
    def deadline_ns(self) -> int:
        """From when on nothing is posted."""
        return self.order.event_time_ns + (self.rule.duration_ns if self.rule is not None else 0)

    def rounds(self, since_ns: int) -> int:
        """How often it was routed since then, with and without anything found."""
        times = {c.order.event_time_ns for c in self.children.values() if not c.posted}
        return sum(each >= since_ns for each in (*times, *self.fruitless))

    def find_nothing(self, time_ns: int) -> None:
        self.fruitless.append(time_ns)
        self.acted_ns = max(self.acted_ns, time_ns)

    def take_child(self, order: OrderRequest) -> None:
        self.children[order.client_order_id] = Child(order)
        self.acted_ns = max(self.acted_ns, order.event_time_ns)

    def hear_child(self, report: Report, time_ns: int) -> None:
        """Take a child's own word."""
        child = self.children[report.client_order_id]
        child.hear(report)
        self.changed_ns = max(self.changed_ns, time_ns)
        if report.last_quantity:
            self.filled_ns = max(self.filled_ns, time_ns)
        rejected = report.status is OrderStatus.REJECTED
        if rejected and self.rule is not None and self.rule.on_reject is OnReject.END:
            self.stopped = self.stopped or f"{report.venue} rejects a child: {report.text}"

    def status(self, over: bool) -> OrderStatus:
        """As it is told. `over`: all of it is, and what is left will not be sent."""
        children = self.children.values()
        if self.filled >= self.order.quantity:
            return OrderStatus.FILLED
        if self.ended is not None:
            return self.ended
        if over:
            refused = children and all(each.status is OrderStatus.REJECTED for each in children) and not self.filled
            return OrderStatus.REJECTED if refused else OrderStatus.CANCELED
        if self.filled:
            return OrderStatus.PARTIALLY_FILLED
        said = {each.status for each in children} - {None, OrderStatus.REJECTED}
        return OrderStatus.UNKNOWN if said == {OrderStatus.UNKNOWN} else OrderStatus.NEW
