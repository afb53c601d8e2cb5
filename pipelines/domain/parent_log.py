"""What the log says of orders that are worked: a fold of its events, and nothing that is not in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from pipelines.domain.parent_legs import Legs, LegsInStep
from pipelines.domain.parent_rules import WORKED, WorkRules
from pipelines.domain.parent_state import Parent
from pipelines.domain.parent_steps import more
from pipelines.domain.parent_words import as_child, is_nothing, is_stop
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.trading import TERMINAL, OrderRequest, Report, TradingEvent

NO_RULE = "no rule of the execution file is for it any more"


@dataclass(slots=True)
class ParentLog:
    """Parents and their children, by the log that was read or written so far."""

    rules: WorkRules = field(default_factory=WorkRules)
    parents: dict[str, Parent] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """Ids of reports that were counted."""
    of_child: dict[str, str] = field(default_factory=dict)
    """Child -> its parent."""
    _active: dict[str, None] = field(default_factory=dict)
    """Parents of which something may still come or go."""
    _in_step: LegsInStep = field(default_factory=LegsInStep)

    def take(self, event: TradingEvent) -> None:
        """Take an event, in the order of the log: what is not about these orders does nothing."""
        match event.body:
            case OrderRequest(target="") as order if order.order_type == WORKED:
                self._take_parent(order)
            case OrderRequest() as order if order.target in self.parents and order.client_order_id not in self.of_child:
                self.of_child[order.client_order_id] = order.target
                self.parents[order.target].take_child(order)
            case Report() as report if event.event_id not in self.told:
                parent = self.parents.get(report.client_order_id)
                if parent is not None:
                    self.told.add(event.event_id)
                    self._hear(parent, event, report)

    def active(self) -> Iterator[Parent]:
        """Parents of which something may still come or go, those that end meanwhile too."""
        for name in list(self._active):
            yield self.parents[name]

    def legs_of(self, parent: Parent) -> Legs | None:
        """Both legs, where the parent is one of two that are kept in step."""
        return self._in_step.of(parent, self.parents)

    def over(self, parent: Parent) -> bool:
        """Whether nothing of it is out and no more is sent."""
        return parent.settled and not more(parent, self.legs_of(parent))

    def end(self, parent: Parent, told: Report) -> None:
        """Note a word about a parent that may be its last."""
        if told.status in TERMINAL:
            parent.ended = told.status
        if parent.ended is not None and parent.settled:
            self._active.pop(parent.order.client_order_id, None)

    def _take_parent(self, order: OrderRequest) -> None:
        if order.client_order_id in self.parents:
            return
        rule = self.rules.of(order)
        try:
            parent = Parent(order, rule, rule.schedule(order)) if rule else Parent(order, None, None, NO_RULE)
        except ScheduleError as error:
            parent = Parent(order, rule, None, str(error))
        self.parents[order.client_order_id] = parent
        self._active[order.client_order_id] = None
        self._in_step.take(parent)

    def _hear(self, parent: Parent, event: TradingEvent, report: Report) -> None:
        """Take a word of the log about a parent."""
        if report.child in parent.children:
            own = as_child(event).body
            assert isinstance(own, Report)
            parent.hear_child(own, event.event_time_ns)
        elif is_stop(report):
            parent.stopped, parent.stopped_ns = report.text, event.event_time_ns
        elif is_nothing(parent, report):
            parent.find_nothing(event.event_time_ns)
        self.end(parent, report)
