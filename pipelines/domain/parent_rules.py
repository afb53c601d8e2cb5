"""How orders are worked: which rule is an order's, where its children may go, and when its lots are due.

Times are ns of event time, quantities whole lots.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from pipelines.domain.almgren_chriss import Impact, optimum
from pipelines.domain.market import NS_PER_S
from pipelines.domain.participation import Participation
from pipelines.domain.schedules import Jitter, Planned, plan, twap
from pipelines.domain.trading import OrderRequest
from pipelines.domain.venue_books import RouteModel, RouteVenue, VenueBook
from pipelines.domain.volume_curve import VolumeCurve, vwap

Books = Mapping[str, VenueBook]
"""By instrument id: what its venue displays, as of an event time."""

STEP_NS = NS_PER_S
"""Volume is looked at in steps of this length, that end at multiples of it."""

WORKED = "worked"
"""Order type of the intent of an order that is worked: it goes to no venue itself."""


class Algo(StrEnum):
    """When lots are due: all at once, evenly, as volume was on past days, by least cost and risk, or as volume is."""

    NOW = "now"
    TWAP = "twap"
    VWAP = "vwap"
    IS = "is"
    POV = "pov"


class Takes(StrEnum):
    """What a child is that takes: any price, or its limit and what is not there at once is canceled."""

    MARKET = "market"
    IMMEDIATE = "immediate"


class OnReject(StrEnum):
    """What a venue's reject does: its venue gets no more of the order, or the order ends."""

    REROUTE = "reroute"
    END = "end"


@dataclass(frozen=True, slots=True)
class Place:
    """A venue that an order may go to: what it costs, and the instrument's id there."""

    venue: RouteVenue
    instrument: str


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What implementation shortfall weighs, by the paper's names: `aversion` is its lambda, 1/$; a day is `day_ns`."""

    impact: Impact
    aversion: float
    day_ns: int = round(6.5 * 3600 * NS_PER_S)


@dataclass(frozen=True, slots=True)
class WorkRule:
    """How orders are worked that it is of. `pair`, `strategy`: empty is any; `instrument`: empty is any of its places.

    `tries`: how often what did not fill is routed again after each slice. `rest`: the last time all of it is sent,
    also what the router would keep back. `legs_in_step`: with the other leg of the same decision.
    """

    places: tuple[Place, ...]
    model: RouteModel
    instrument: str = ""
    pair: str = ""
    strategy: str = ""
    algo: Algo = Algo.NOW
    duration_ns: int = 0
    slices: int = 1
    least: int = 1
    jitter_seed: int | None = None
    urgency: float = 1.0
    repeg_ns: int = NS_PER_S
    """How often it is asked whether a posted child is better placed elsewhere."""
    tries: int = 3
    rest: bool = True
    retry_ns: int = NS_PER_S
    """How long after a route that sent nothing the next is tried."""
    takes: Takes = Takes.MARKET
    on_reject: OnReject = OnReject.REROUTE
    legs_in_step: bool = False
    together_ns: int = 100_000_000
    """How long a leg waits for the other to be told of."""
    curve: VolumeCurve | None = None
    zone: str = "UTC"
    """Of the curve's clock."""
    shortfall: Shortfall | None = None
    rate: float = 0.1
    """Of a parent that takes part in the volume: its share of what is traded on its places since its start."""
    cap: float = 1.0
    """Of what is traded since its last child it is no more than this share."""

    @property
    def told(self) -> str:
        """In words, its algorithm before a colon."""
        over = f" over {self.duration_ns / NS_PER_S:g} s" if self.duration_ns else ""
        how = {Algo.NOW: "at once", Algo.POV: f"{self.rate:.3g} of the volume{over}"}
        step = "; legs in step" if self.legs_in_step else ""
        return f"{self.algo}: {how.get(self.algo, f'{self.slices} slices{over}')}{step}"

    def fits(self, order: OrderRequest) -> bool:
        """Whether it is an order's: what it names is the order's, and its venues trade what the order is of."""
        instruments = {self.instrument} if self.instrument else {place.instrument for place in self.places}
        wanted = ((self.pair, order.pair), (self.strategy, order.strategy))
        return order.instrument in instruments and all(not mine or mine == its for mine, its in wanted)

    def schedule(self, order: OrderRequest) -> Planned:
        """When its lots are due, after its event time. Raises ScheduleError."""
        lots = order.quantity
        jitter = None if self.jitter_seed is None else Jitter(self.jitter_seed, order.client_order_id)
        if self.algo is Algo.POV:
            self.participation(order)
        if self.algo in (Algo.NOW, Algo.POV):
            return twap(lots, max(1, self.duration_ns), 1)
        if self.algo is Algo.TWAP:
            return twap(lots, self.duration_ns, self.slices, self.least, jitter)
        if self.algo is Algo.VWAP and self.curve is not None:
            start_ns = _of_day_ns(order.event_time_ns, self.zone)
            return vwap(lots, start_ns, self.duration_ns, self.slices, self.curve, self.least, jitter)
        assert self.shortfall is not None, f"{self.algo} without what it goes by"
        units, days = lots * self.model.lot_size, self.duration_ns / self.shortfall.day_ns
        best = optimum(units, days, self.slices, self.shortfall.impact, self.shortfall.aversion)
        return plan(lots, self.duration_ns, best.trades.tolist(), self.least, jitter)

    def participation(self, order: OrderRequest) -> Participation | None:
        """What it goes by where it takes part in the volume. Raises ScheduleError."""
        if self.algo is not Algo.POV:
            return None
        return Participation(order.quantity, self.rate, self.cap, self.model.lot_size, self.least)


@dataclass(frozen=True, slots=True)
class WorkRules:
    """The first that fits is an order's."""

    rules: Sequence[WorkRule] = field(default_factory=tuple)

    def of(self, order: OrderRequest) -> WorkRule | None:
        return next((rule for rule in self.rules if rule.fits(order)), None)


def _of_day_ns(time_ns: int, zone: str) -> int:
    """Of the day, by the clock of a zone."""
    seconds, below_ns = divmod(time_ns, NS_PER_S)
    clock = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))
    return (clock.hour * 3600 + clock.minute * 60 + clock.second) * NS_PER_S + below_ns
