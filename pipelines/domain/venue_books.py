"""What a router knows: an order to be split, the venues with what they charge, and what they display.

Prices are whole ticks and quantities whole lots. Fees, chances and expected costs are no prices: they are floats.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.domain.trading import Side


class RoutingError(ValueError):
    """What cannot be routed, and why."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a venue takes of a fill, below zero a rebate: `per_unit` in the currency a unit, `bps` of the value."""

    per_unit: float = 0.0
    bps: float = 0.0

    def ticks(self, price_ticks: float, tick_size: float) -> float:
        """The fee of a fill at a price, in ticks a unit."""
        return self.per_unit / tick_size + self.bps * 1e-4 * price_ticks


@dataclass(frozen=True, slots=True)
class Dark:
    """Of a venue that displays nothing and fills at the midpoint: the chance that it has `lots` for us."""

    chance: float
    lots: int


@dataclass(frozen=True, slots=True)
class RouteVenue:
    """Where a child can go. `latency_ns`: until an order arrives there.

    A quote stands with `chance` when it is told, and of those that stand, each `lifetime_ns` leaves 1/e (0: all of
    them). `turnover_lots`: what trades at its touch while a posted order may wait; 0 where nothing is posted.
    """

    name: str
    latency_ns: int
    taker: Fee = Fee()
    maker: Fee = Fee()
    chance: float = 1.0
    lifetime_ns: int = 0
    turnover_lots: float = 0.0
    dark: Dark | None = None

    def stands(self, for_ns: int) -> float:
        """The chance that a quote is there after a time."""
        return self.chance * (math.exp(-for_ns / self.lifetime_ns) if self.lifetime_ns else 1.0)


@dataclass(frozen=True, slots=True)
class Level:
    """A price of a book and the lots displayed at it. `age_ns`: how long ago it was told; `chance`: that it stood when
    that was over, as where it is only inferred."""

    price_ticks: int
    lots: int
    age_ns: int = 0
    chance: float = 1.0


@dataclass(frozen=True, slots=True)
class VenueBook:
    """What a lit venue displays, each side from its best price on."""

    venue: str
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()

    def far(self, side: Side) -> tuple[Level, ...]:
        """What an order of this side takes."""
        return self.asks if side == Side.BUY else self.bids

    def near(self, side: Side) -> tuple[Level, ...]:
        """What an order of this side queues behind."""
        return self.bids if side == Side.BUY else self.asks


@dataclass(frozen=True, slots=True)
class ParentOrder:
    """What is to be traded. `limit_ticks`: the worst price. `urgency` from 0 to 1: at 1 nothing is posted."""

    side: Side
    lots: int
    limit_ticks: int | None = None
    urgency: float = 1.0

    def __post_init__(self) -> None:
        if self.lots < 1:
            raise RoutingError(f"{self.lots} lots: an order needs 1 or more")
        if not 0.0 <= self.urgency <= 1.0:
            raise RoutingError(f"urgency {self.urgency:g}: give 0 to 1")

    @property
    def sign(self) -> int:
        """1 to buy, -1 to sell: a price times it is what is paid, the lower the better."""
        return 1 if self.side == Side.BUY else -1

    def allows(self, price_ticks: float) -> bool:
        """Whether a price is within the limit."""
        return self.limit_ticks is None or self.sign * price_ticks <= self.sign * self.limit_ticks


@dataclass(frozen=True, slots=True)
class RouteModel:
    """What costs are reckoned by, in ticks a lot but for the first three.

    `thinning`: by how much the chance of a venue's last displayed lot is below that of its first, as a share.
    `impact_ticks`: what remains pays so much more where the parent is as large as all that is expected to stand.
    `drift_ticks`: what remains after a sweep pays so much more at urgency 1; `wait_ticks`: likewise after a wait in a
    queue. `adverse_ticks`: what a posted lot that fills has lost by then.
    """

    tick_size: float
    lot_size: float = 1.0
    thinning: float = 0.0
    impact_ticks: float = 0.0
    drift_ticks: float = 0.0
    wait_ticks: float = 1.0
    adverse_ticks: float = 0.0


@dataclass(frozen=True, slots=True)
class Touch:
    """The best bid and ask of all books, in ticks."""

    bid_ticks: int
    ask_ticks: int

    @property
    def half_ticks(self) -> int:
        """The midpoint, in half ticks."""
        return self.bid_ticks + self.ask_ticks

    def near(self, side: Side) -> int:
        return self.bid_ticks if side == Side.BUY else self.ask_ticks

    def far(self, side: Side) -> int:
        return self.ask_ticks if side == Side.BUY else self.bid_ticks


def touch(books: Iterable[VenueBook]) -> Touch | None:
    """The best prices of all books; None where a side is empty."""
    bids, asks = [], []
    for book in books:
        bids += [level.price_ticks for level in book.bids[:1]]
        asks += [level.price_ticks for level in book.asks[:1]]
    return Touch(max(bids), min(asks)) if bids and asks else None
