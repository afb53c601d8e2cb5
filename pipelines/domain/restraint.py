"""What holds orders back at the last hop: how many messages a venue takes, which orders are not believed."""

from collections import deque
from dataclasses import dataclass, field

from pipelines.domain.trading import OrderRequest
from pipelines.domain.universe import Instrument

_WINDOW_S = 1.0


@dataclass(frozen=True, slots=True)
class Restraint:
    """Of one venue; 0: no limit. What is beyond `messages_per_s` waits, cancels do not. An order beyond the others is
    not sent at all: it is a mistake further up."""

    messages_per_s: int = 0
    orders_per_s: int = 0
    order_worth: float = 0.0
    """Of one order at the last mid, in its instrument's currency."""


@dataclass(slots=True)
class Throttle:
    """At most so many messages in any second. Times are seconds of a steady clock."""

    per_s: int
    _sent_s: deque[float] = field(default_factory=deque)

    def free(self, now_s: float) -> bool:
        self._forget(now_s)
        return not self.per_s or len(self._sent_s) < self.per_s

    def count(self, now_s: float) -> None:
        if self.per_s:
            self._sent_s.append(now_s)

    def free_at_s(self, now_s: float) -> float:
        """When the next message may go, if none goes before."""
        self._forget(now_s)
        over = len(self._sent_s) - self.per_s
        return now_s if over < 0 or not self.per_s else self._sent_s[over] + _WINDOW_S

    def _forget(self, now_s: float) -> None:
        while self._sent_s and self._sent_s[0] <= now_s - _WINDOW_S:
            self._sent_s.popleft()


@dataclass(slots=True)
class LastLook:
    """Whether an order may go out at all, as far as this hop can tell."""

    restraint: Restraint
    _orders: Throttle = field(init=False)

    def __post_init__(self) -> None:
        self._orders = Throttle(self.restraint.orders_per_s)

    def fault(self, order: OrderRequest, instrument: Instrument | None, mid: float | None, now_s: float) -> str:
        """Why it may not; empty where it may, and then it is counted."""
        limit = self.restraint.order_worth
        if limit:
            if instrument is None or not mid:
                return f"last look: no price of {order.instrument} is known, and {order.venue} has a limit on worth"
            worth = order.quantity * instrument.lot_size * mid
            if worth > limit:
                return f"last look: worth {worth:,.2f}, limit of one order at {order.venue} is {limit:,.2f}"
        if not self._orders.free(now_s):
            return f"last look: more than {self.restraint.orders_per_s} orders in a second for {order.venue}"
        self._orders.count(now_s)
        return ""
