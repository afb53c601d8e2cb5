"""Kills in the log, and whether an order was decided before one: then it may not be sent any more."""

from dataclasses import dataclass, field

from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, Decision, OrderRequest, TradingEvent
from pipelines.execution.worked import concerns, killed_by


@dataclass(slots=True)
class Kills:
    """Those that the account's decisions read so far have not come to."""

    trader: TraderConfig | None
    """Of the account, to tell what a kill is about; without it a kill is about all of it."""
    _kills: dict[str, Command] = field(default_factory=dict)
    _causes: set[str] = field(default_factory=set)
    """Of decisions that are no orders: the kills among them are obeyed."""

    def lies_there(self, event: TradingEvent, kill: Command) -> bool:
        """A kill is in the log; whether it is news to the account's decisions."""
        if event.event_id in self._causes:
            return False
        self._kills[event.event_id] = kill
        return True

    def read(self, order: OrderRequest) -> None:
        """A decision of the account: it has come to the kill that caused it."""
        self._kills.pop(order.cause, None)
        if order.action in (Decision.NOTICE, Decision.CANCEL):
            self._causes.add(order.cause)

    def of(self, order: OrderRequest) -> str:
        """Why an order may not be sent; empty where no kill is about it."""
        for kill in self._kills.values():
            if concerns(self.trader, kill, order):
                return killed_by(kill)
        return ""
