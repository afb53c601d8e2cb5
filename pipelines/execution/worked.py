"""Orders that are worked, beside the gateway's core: what it asks of them at each step, and what it writes of them.

The core handles their children as it handles any order. What a venue says of a child is written as its parent's word.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipelines.domain.parent_orders import ParentOrders, Work
from pipelines.domain.scopes import scope_of, scopes
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, OrderRequest, TradingEvent


def concerns(trader: TraderConfig | None, kill: Command, order: OrderRequest) -> bool:
    """Whether a kill is about an order; without what the account trades it is about all of them."""
    if trader is None:
        return True
    among = scopes(trader, order.pair, order.strategy)
    return (scope_of(trader, kill.scope, (order.pair,)) or trader.account) in among


def killed_by(kill: Command) -> str:
    """A kill in words: what, by whom, why."""
    return f"{kill.scope} was killed by {kill.operator}: {kill.reason}"


@dataclass(slots=True)
class Worked:
    """The orders of a gateway that are worked; without rules there are none, but those that the log has."""

    parents: ParentOrders = field(default_factory=ParentOrders)
    _read: set[str] = field(default_factory=set)
    """Parents that this process has read in trading.orders: drains there wait for those before them."""
    _kills: list[tuple[TradingEvent, Command, frozenset[str]]] = field(default_factory=list)
    """Of the log, while it is read: each kill, and the orders that were worked then."""
    _unsaid: list[TradingEvent] = field(default_factory=list)

    def recover(self, event: TradingEvent) -> None:
        """Take an event of the log, in its order."""
        self.parents.recover(event)
        if isinstance(event.body, Command) and event.body.command == "kill":
            self._kills.append((event, event.body, frozenset(self.parents.working())))

    def recovered(self, trader: TraderConfig | None) -> None:
        """The log is read: what it left to be said goes with the first step."""
        for event, kill, then in self._kills:
            self._unsaid += self._killed(event, kill, trader, then).events
        self._kills.clear()
        self._unsaid += self.parents.settle().events

    def unsaid(self) -> list[TradingEvent]:
        """Events to be written first; given once."""
        events, self._unsaid = self._unsaid, []
        return events

    def killed(self, event: TradingEvent, kill: Command, trader: TraderConfig | None) -> tuple[TradingEvent, ...]:
        """Words on the orders that a kill stops."""
        return self._killed(event, kill, trader, self.parents.working()).events

    def _killed(self, event: TradingEvent, kill: Command, trader: TraderConfig | None, among: Iterable[str]) -> Work:
        names = frozenset(among)
        return self.parents.stop(
            lambda order: order.client_order_id in names and concerns(trader, kill, order),
            event.event_time_ns,
            killed_by(kill),
        )

    def read(self, order_id: str) -> bool:
        """Note that an order stands in trading.orders; whether it is one that is worked."""
        if order_id not in self.parents.parents:
            return False
        self._read.add(order_id)
        return True

    def waited_for(self) -> set[str]:
        """Orders that a drain waits for: those read before it that have no last word."""
        return self._read.intersection(self.parents.working())

    def over(self, order_id: str) -> bool:
        """Whether it is worked and has had its last word."""
        parent = self.parents.parents.get(order_id)
        return parent is not None and parent.ended is not None
