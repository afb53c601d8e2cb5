"""The last hop of orders to their venues: which may go out at all, and which must wait for the venue to take more."""

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field

from pipelines.domain.restraint import LastLook, Restraint, Throttle
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import OrderRequest


@dataclass(slots=True)
class Outlet:
    """By venue; one without a restraint takes everything. Times are seconds of a steady clock."""

    restraints: InitVar[Mapping[str, Restraint]]
    trader: TraderConfig | None
    mids: dict[str, float] = field(default_factory=dict)
    """Of instruments, as the log last told them."""
    _throttles: dict[str, Throttle] = field(init=False)
    _looks: dict[str, LastLook] = field(init=False)
    _held: dict[str, str] = field(default_factory=dict)
    """Orders that wait, in order -> their venues."""

    def __post_init__(self, restraints: Mapping[str, Restraint]) -> None:
        self._throttles = {venue: Throttle(each.messages_per_s) for venue, each in restraints.items()}
        self._looks = {venue: LastLook(each) for venue, each in restraints.items()}

    def fault(self, order: OrderRequest, now_s: float) -> str:
        """Why an order may not go out at all; empty where it may, and then it is counted."""
        look = self._looks.get(order.venue)
        instrument = self.trader.instruments.get(order.instrument) if self.trader else None
        return look.fault(order, instrument, self.mids.get(order.instrument), now_s) if look else ""

    def takes(self, order: OrderRequest, now_s: float) -> bool:
        """Whether its venue takes a message about an order now; then it is counted. One that waits is held."""
        throttle = self._throttles.get(order.venue)
        if throttle is None:
            return True
        if not throttle.free(now_s):
            self._held[order.client_order_id] = order.venue
            return False
        throttle.count(now_s)
        return True

    def passes(self, venue: str, now_s: float) -> None:
        """A message that waits for nothing, a cancel, is counted."""
        if venue in self._throttles:
            self._throttles[venue].count(now_s)

    def held(self) -> dict[str, None]:
        """Orders that waited until now, in order; they wait no more."""
        found, self._held = self._held, {}
        return dict.fromkeys(found)

    def wake_s(self, open_orders: Iterable[str], now_s: float) -> float | None:
        """When the first of those that wait may go."""
        venues = {self._held[each] for each in self._held.keys() & set(open_orders)} if self._held else set()
        return min((self._throttles[venue].free_at_s(now_s) for venue in venues), default=None)
