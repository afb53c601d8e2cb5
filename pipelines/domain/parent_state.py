"""A parent order and its children, as the log tells of them. Quantities in lots, times in ns of event time."""

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from itertools import accumulate

from pipelines.domain.parent_rules import STEP_NS, OnReject, WorkRule
from pipelines.domain.participation import Participation
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
    stopped: str = ""
    """Why no more of it is sent."""
    stopped_ns: int = 0
    ended: OrderStatus | None = None
    """Its last word."""
    children: dict[str, Child] = field(default_factory=dict)
    unsettled: dict[str, Child] = field(default_factory=dict)
    """Those of its children of which something may still come."""
    filled: int = 0
    committed: int = 0
    """Lots that are or may be filled: never more than its quantity, whatever comes in whatever order."""
    barred: set[str] = field(default_factory=set)
    """Venues that rejected a child of it."""
    changed_ns: int = 0
    """When a venue last said anything of it."""
    filled_ns: int = 0
    acted_ns: int = field(init=False)
    """When it was last decided what to send."""
    routed_ns: list[int] = field(default_factory=list)
    """When children that take were sent, rising."""
    fruitless_ns: list[int] = field(default_factory=list)
    """When nothing was found to send of what was due, rising."""
    slices_ns: list[int] = field(init=False)
    """When lots come due, rising; and when those that wait in queues are to wait no more."""
    _due: list[int] = field(init=False)
    """Lots that are due by each of them."""
    _said: Counter[OrderStatus | None] = field(default_factory=Counter)
    """How many children are at which word."""

    participation: Participation | None = field(init=False)
    seen: float = 0.0
    """Units traded since its start, where it takes part in the volume; up to when; and until its last child."""
    seen_ns: int = field(init=False)
    seen_before: float = 0.0

    def __post_init__(self) -> None:
        self.acted_ns = self.order.event_time_ns - 1
        self.seen_ns = -(-self.order.event_time_ns // STEP_NS) * STEP_NS
        self.participation = self.rule.participation(self.order) if self.rule and self.schedule else None
        by_time = self.schedule if self.participation is None else None
        slices = [each for each in by_time.slices if each.lots] if by_time else []
        self.slices_ns = [self.order.event_time_ns + each.at_ns for each in slices]
        self._due = list(accumulate(each.lots for each in slices))
        if by_time is not None and self.rule is not None and self.rule.urgency < 1:
            self.slices_ns.append(self.deadline_ns)
            self._due.append(self.order.quantity)

    @property
    def settled(self) -> bool:
        return not self.unsettled

    @property
    def taking(self) -> bool:
        """Whether a child that takes is still out."""
        return any(not each.over and not each.posted for each in self.unsettled.values())

    @property
    def deadline_ns(self) -> int:
        """From when on nothing is posted."""
        return self.order.event_time_ns + (self.rule.duration_ns if self.rule is not None else 0)

    def due(self, time_ns: int) -> int:
        """Lots that its schedule wants sent by then."""
        begun = bisect_right(self.slices_ns, time_ns)
        return self._due[begun - 1] if begun else 0

    def slice_ns(self, time_ns: int) -> int:
        """When the slice began that it is in; its own time before the first."""
        begun = bisect_right(self.slices_ns, time_ns)
        return self.slices_ns[begun - 1] if begun else self.order.event_time_ns

    def next_slice_ns(self, after_ns: int) -> int | None:
        begun = bisect_right(self.slices_ns, after_ns)
        return self.slices_ns[begun] if begun < len(self.slices_ns) else None

    def rounds(self, since_ns: int) -> int:
        """How often it was routed since then, with and without anything found."""
        return sum(len(times) - bisect_left(times, since_ns) for times in (self.routed_ns, self.fruitless_ns))

    def find_nothing(self, time_ns: int) -> None:
        self.fruitless_ns.append(time_ns)
        self.acted_ns = max(self.acted_ns, time_ns)

    def take_child(self, order: OrderRequest) -> None:
        child = self.children[order.client_order_id] = self.unsettled[order.client_order_id] = Child(order)
        self.committed += child.committed
        self._said[None] += 1
        if not child.posted and self.routed_ns[-1:] != [order.event_time_ns]:
            self.routed_ns.append(order.event_time_ns)
        self.acted_ns = max(self.acted_ns, order.event_time_ns)

    def hear_child(self, report: Report, time_ns: int) -> None:
        """Take a child's own word."""
        child = self.children[report.client_order_id]
        filled, committed, status = child.filled, child.committed, child.status
        child.hear(report)
        self.filled += child.filled - filled
        self.committed += child.committed - committed
        self._said[status] -= 1
        self._said[child.status] += 1
        if child.settled:
            self.unsettled.pop(report.client_order_id, None)
        self.changed_ns = max(self.changed_ns, time_ns)
        if report.last_quantity:
            self.filled_ns = max(self.filled_ns, time_ns)
        if child.status is OrderStatus.REJECTED:
            self.barred.add(report.venue)
            if self.rule is not None and self.rule.on_reject is OnReject.END:
                self.stopped = self.stopped or f"{report.venue} rejects a child: {report.text}"

    def status(self, over: bool) -> OrderStatus:
        """As it is told. `over`: all of it is, and what is left will not be sent."""
        if self.filled >= self.order.quantity:
            return OrderStatus.FILLED
        if self.ended is not None:
            return self.ended
        refused = self._said[OrderStatus.REJECTED]
        if over:
            alone = refused and refused == len(self.children) and not self.filled
            return OrderStatus.REJECTED if alone else OrderStatus.CANCELED
        if self.filled:
            return OrderStatus.PARTIALLY_FILLED
        unknown = self._said[OrderStatus.UNKNOWN]
        silent = unknown and unknown + refused + self._said[None] == len(self.children)
        return OrderStatus.UNKNOWN if silent else OrderStatus.NEW
