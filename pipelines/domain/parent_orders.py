"""Orders that are worked: cut in time, split over venues, legs in step. The trader sees its own order, venues children.

`ParentOrders` is a fold of the account's log (parents' and children's intents, children's reports told as their
parents', words of the gateway's own) and decides from that state, an event time and books as of it, and nothing else.
So a gateway that starts again goes on as the one before it would have. Pure: no I/O, no clock.

Of a parent no more is ever out than its quantity: filled, working and unknown lots of its children together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from pipelines.domain.parent_log import ParentLog
from pipelines.domain.parent_posts import look, posted_ns
from pipelines.domain.parent_rules import WORKED, Books, WorkRules
from pipelines.domain.parent_state import Parent
from pipelines.domain.parent_steps import act, next_ns, send_ns
from pipelines.domain.parent_volume import Volumes
from pipelines.domain.parent_words import (
    ENDED_WORD,
    NOTHING_WORD,
    STOPPED_WORD,
    as_told,
    cancel_of,
    intent_of,
    own_word,
)
from pipelines.domain.trading import OrderRequest, Report, TradingEvent


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done: children to intend and send, requests that children be canceled, events to write first."""

    children: tuple[OrderRequest, ...] = ()
    cancels: tuple[OrderRequest, ...] = ()
    events: tuple[TradingEvent, ...] = ()


@dataclass(slots=True)
class ParentOrders:
    """Every order of an account that is worked."""

    rules: WorkRules = field(default_factory=WorkRules)
    _log: ParentLog = field(init=False)

    def __post_init__(self) -> None:
        self._log = ParentLog(self.rules)

    @property
    def parents(self) -> Mapping[str, Parent]:
        """All of them, those that are over too."""
        return self._log.parents

    def takes(self, order: OrderRequest) -> bool:
        """Whether it is worked, and goes to no venue as it is."""
        return not order.target and self.rules.of(order) is not None

    def is_child(self, order_id: str) -> bool:
        return order_id in self._log.of_child

    def working(self) -> list[str]:
        """Parents without a last word."""
        return [each.order.client_order_id for each in self._log.active() if each.ended is None]

    def take(self, order: OrderRequest) -> Work:
        """Work an order from its event time on: its intent is to be written; children come of `moved`. Raises
        ScheduleError where it cannot be scheduled."""
        rule = self.rules.of(order)
        if rule is None or order.client_order_id in self.parents:
            return Work()
        rule.schedule(order)
        event = intent_of(replace(order, order_type=WORKED, reason=rule.told))
        self._log.take(event)
        return Work(events=(event,))

    def recover(self, event: TradingEvent) -> None:
        """Take an event of the log, in its order: what is not about these orders does nothing."""
        self._log.take(event)

    def told(self, event: TradingEvent) -> tuple[tuple[TradingEvent, ...], Work]:
        """What is to be written of a report that is about to be, and what follows from it. A child's becomes its
        parent's; one that was told before is nothing; any other is written as it is."""
        report = event.body
        if not isinstance(report, Report) or report.client_order_id not in self._log.of_child:
            return (event,), Work()
        if event.event_id in self._log.told:
            return (), Work()
        parent = self.parents[self._log.of_child[report.client_order_id]]
        self._log.told.add(event.event_id)
        parent.hear_child(report, event.event_time_ns)
        told = as_told(parent, event, self._log.over(parent))
        assert isinstance(told.body, Report)
        self._log.end(parent, told.body)
        return (told, *self._endings(event.event_time_ns)), Work(cancels=self.cancels())

    def moved(
        self,
        time_ns: int,
        books: Books,
        held: Callable[[OrderRequest], bool] = lambda _: False,
        volumes: Volumes = MappingProxyType({}),
    ) -> Work:
        """What falls due by an event time, with books as of it, and volumes where it ends a step. Give `due_ns` as the
        time, and it is the same at every replay. `held`: orders that wait."""
        children: list[OrderRequest] = []
        events: list[TradingEvent] = []
        for parent in self._log.active():
            if held(parent.order):
                continue
            legs, posted = self._log.legs_of(parent), posted_ns(parent)
            if posted is not None and posted <= time_ns:
                look(parent, time_ns, books)
            due_ns = send_ns(parent, legs)
            if due_ns is None or due_ns > time_ns:
                continue
            found = act(parent, legs, time_ns, books, volumes)
            for order in found:
                self._log.take(intent_of(order))
            children += found
            if not found and parent.due(time_ns) > parent.committed and not self._log.over(parent):
                number = NOTHING_WORD - len(parent.fruitless_ns)
                events.append(self._own_word(parent, number, time_ns, "nothing of it is sent now"))
        return Work(tuple(children), self.cancels(), (*events, *self._endings(time_ns)))

    def due_ns(self, held: Callable[[OrderRequest], bool] = lambda _: False) -> int | None:
        """The event time as of which something is to be decided next, as far as is known; None where nothing is."""
        times = [next_ns(each, self._log.legs_of(each)) for each in self._log.active() if not held(each.order)]
        return min((each for each in times if each is not None), default=None)

    def cancel(self, request: OrderRequest) -> Work:
        """Send no more of an order, and have its children canceled, at its account's request."""
        return self.stop(lambda order: order.client_order_id == request.target, request.event_time_ns, "canceled")

    def stop(self, which: Callable[[OrderRequest], bool], time_ns: int, why: str) -> Work:
        """Send no more of orders, and have their children canceled."""
        events: list[TradingEvent] = []
        for parent in self._log.active():
            if parent.ended is not None or parent.stopped or not which(parent.order):
                continue
            parent.stopped, parent.stopped_ns = why, time_ns
            if not parent.settled:
                events.append(self._own_word(parent, STOPPED_WORD, time_ns, why))
        return Work(cancels=self.cancels(), events=(*events, *self._endings(time_ns)))

    def settle(self) -> Work:
        """What the state asks for by itself, as after a recovery."""
        return Work(cancels=self.cancels(), events=self._endings(0))

    def cancels(self) -> tuple[OrderRequest, ...]:
        """Requests for all children that are out and should not be: the same until they are over."""
        found = []
        for parent in self._log.active():
            excess = parent.committed > parent.order.quantity  # filled beyond what a venue had said was its last word
            for child in parent.unsettled.values():
                if child.over:
                    continue
                if parent.stopped or excess or child.cancel_ns is not None:
                    since_ns = parent.stopped_ns or child.cancel_ns or parent.changed_ns
                    found.append(cancel_of(child, max(since_ns, child.order.event_time_ns), parent.order.cause))
        return tuple(found)

    def _endings(self, time_ns: int) -> tuple[TradingEvent, ...]:
        """Last words on orders of which nothing is out and no more is sent."""
        events = []
        for parent in [*self._log.active(), *self._log.active()]:  # the end of one leg may be that of the other
            if parent.ended is None and self._log.over(parent):
                why = parent.stopped or "what is left of it is not sent"
                at_ns = max(time_ns, parent.changed_ns, parent.order.event_time_ns)
                events.append(self._own_word(parent, ENDED_WORD, at_ns, why))
        return tuple(events)

    def _own_word(self, parent: Parent, number: int, time_ns: int, why: str) -> TradingEvent:
        event = own_word(parent, number, self._log.over(parent), time_ns, why)
        self._log.take(event)
        return event
