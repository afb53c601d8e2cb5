"""What trading cost: each order's implementation shortfall, split into what made it; what its price did after.

The paper portfolio trades at the decision's price, at once and for nothing (Perold, "The implementation shortfall:
paper versus reality", Journal of Portfolio Management, 1988). Of what was filled the shortfall is, exactly, the sum of

- delay: from the decision's price to the mid when the order came to its venue;
- spread: half of what bid and ask were apart then;
- timing: from that mid to the mid of each fill;
- impact: from that to the price of the fill, beyond half the spread;
- fees.

Of what was not filled it is opportunity: from the decision's price to the mid at the order's last word. Costs are
positive. A mark-out is how far the mid has gone in the order's favour some time after a fill, from the fill's price.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from pipelines.domain.impact_laws import SHORTEST_DAYS, almgren_2005, square_root

HORIZONS_S = (1, 5, 30, 60, 300)
"""Of mark-outs, in seconds."""

FEWEST = 20
"""Orders that a coefficient of impact takes at least."""


@dataclass(frozen=True, slots=True)
class Fill:
    """Lots at a price; `mid` then, and after each of `HORIZONS_S`, None where it is not known."""

    time_ns: int
    lots: int
    price: float
    mid: float | None = None
    after: tuple[float | None, ...] = (None,) * len(HORIZONS_S)
    fees: tuple[float, float] | None = None
    """Bps and money a lot that its venue takes, where it is another than the order's."""
    venue: str = ""
    """Where it is another than the order's."""


@dataclass(frozen=True, slots=True)
class Traded:
    """An order and what became of it. `sign` 1 bought, -1 sold; prices in the instrument's currency, `lot_size` in
    units. `deviation`: of a day's return, a share; `volume`: lots a day; 0 where they are not known."""

    order_id: str
    pair: str
    strategy: str
    venue: str
    instrument: str
    sign: int
    lots: int
    lot_size: float
    decided_ns: int
    decision: float
    arrival: float
    spread: float
    last: float
    fills: tuple[Fill, ...]
    over: bool = True
    """Nothing more of it can fill."""
    fee_bps: float = 0.0
    fee_per_lot: float = 0.0
    deviation: float = 0.0
    volume: float = 0.0
    days: float = SHORTEST_DAYS
    """From its arrival to its last fill, in trading days."""
    schedule: str = "direct"
    """The algorithm that it was worked by; direct, where it went to its venue as it was."""
    hindsight: bool = False
    """Deviation and volume are those of its session, and not what was known before."""

    @property
    def filled(self) -> int:
        return sum(fill.lots for fill in self.fills)

    @property
    def volumes(self) -> float:
        """Its lots, in days' volumes; 0 where that is not known."""
        return self.lots / self.volume if self.volume > 0 else 0.0


LAWS: Mapping[str, Callable[[Traded], float]] = {
    "square_root": lambda order: square_root(order.deviation, order.volumes),
    "almgren_2005": lambda order: almgren_2005(order.deviation, order.volumes, order.days)[1],
}
"""Of impact beyond half the spread, as a share of the price; 0 where deviation or volume is not known."""

LAW_NAMES = {"square_root": "square root", "almgren_2005": "Almgren 2005"}
"""Of laws, to be read."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of orders together, in money; they add up to the shortfall."""

    delay: float = 0.0
    spread: float = 0.0
    timing: float = 0.0
    impact: float = 0.0
    fees: float = 0.0
    opportunity: float = 0.0

    @property
    def total(self) -> float:
        return self.delay + self.spread + self.timing + self.impact + self.fees + self.opportunity

    def __add__(self, other: "Costs") -> "Costs":
        return Costs(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Costs)))


@dataclass(frozen=True, slots=True)
class Cost:
    """A line of the account of costs. `notional`: at the decisions' prices; `error`: the standard error of the total's
    bps over the orders, NaN of one; `after_bps`: mark-outs by `HORIZONS_S`; `expected_bps`: by `LAWS`, what was to be
    expected before the trade, None where deviation or volume is not known of any order."""

    name: str
    orders: int
    lots: int
    filled: int
    notional: float
    costs: Costs
    error_bps: float
    after_bps: tuple[float | None, ...]
    expected_bps: Mapping[str, float | None]

    def bps(self, of: str = "total") -> float:
        """A part of the costs, in 1/10,000 of the notional."""
        return _bps(float(getattr(self.costs, of)), self.notional)


def costs(order: Traded) -> Costs:
    """The shortfall of an order, by what made it. What may still fill counts in nothing."""
    unit, half = order.lot_size, 0.5 * order.spread
    spread = timing = impact = fees = 0.0
    for fill in order.fills:
        mid = order.arrival if fill.mid is None else fill.mid
        spread += half * fill.lots
        timing += order.sign * (mid - order.arrival) * fill.lots
        impact += (order.sign * (fill.price - mid) - half) * fill.lots
        bps, per_lot = fill.fees or (order.fee_bps, order.fee_per_lot)
        fees += fill.lots * (per_lot + fill.price * unit * bps / 1e4)
    left = order.lots - order.filled if order.over else 0
    return Costs(
        delay=order.sign * (order.arrival - order.decision) * order.filled * unit,
        spread=spread * unit,
        timing=timing * unit,
        impact=impact * unit,
        fees=fees,
        opportunity=order.sign * (order.last - order.decision) * left * unit,
    )


def expected_bps(order: Traded, law: str, coefficient: float = 1.0) -> float | None:
    """Before the trade: half the spread, and a law's impact times a coefficient. None where it cannot be told."""
    moved = LAWS[law](order)
    return 1e4 * (0.5 * order.spread / order.arrival + coefficient * moved) if moved > 0 and order.arrival > 0 else None


def coefficients(orders: Sequence[Traded]) -> dict[str, float | None]:
    """Of each law, fitted to own fills."""
    return {law: _coefficient(orders, LAWS[law]) for law in LAWS}


def _coefficient(orders: Iterable[Traded], law: Callable[[Traded], float]) -> float | None:
    """By least squares through zero, each order weighed by its notional: what its fills cost beyond half the spread,
    from the mid at arrival. None of fewer than `FEWEST` orders."""
    of = [(each, moved) for each in orders if each.filled and each.arrival > 0 and (moved := law(each)) > 0]
    if len(of) < FEWEST:
        return None
    above = below = 0.0
    for order, moved in of:
        made, notional = costs(order), order.arrival * order.filled * order.lot_size
        above += moved * (made.timing + made.impact)
        below += moved * moved * notional
    return above / below


def at_venues(order: Traded) -> list[Traded]:
    """An order as one for each venue that filled it, with its lots; what was not filled is its own venue's. Their costs
    add up to the order's."""
    by_venue: dict[str, list[Fill]] = {}
    for fill in order.fills:
        by_venue.setdefault(fill.venue or order.venue, []).append(fill)
    left = order.lots - order.filled
    if left or not by_venue:
        by_venue.setdefault(order.venue, [])
    return [
        replace(order, venue=venue, fills=tuple(fills), lots=sum(f.lots for f in fills) + left * (venue == order.venue))
        for venue, fills in by_venue.items()
    ]


def summed(
    orders: Sequence[Traded], key: Callable[[Traded], str], fitted: Mapping[str, float | None] | None = None
) -> tuple[Cost, ...]:
    """Costs by a key, sorted, and then all together. `fitted`: the laws' coefficients; 1 where there are none."""
    scales = {law: 1.0 if fitted is None or (of := fitted.get(law)) is None else of for law in LAWS}
    names = sorted({key(order) for order in orders})
    parts = [_sum(name, [order for order in orders if key(order) == name], scales) for name in names]
    return (*parts, _sum("all", orders, scales))


def _sum(name: str, orders: Sequence[Traded], scales: Mapping[str, float]) -> Cost:
    each = [(_notional(order), costs(order)) for order in orders]
    notional = sum(worth for worth, _ in each)
    whole = sum((made for _, made in each), Costs())
    mean = _bps(whole.total, notional)
    spread_of = sum((worth * (_bps(made.total, worth) - mean)) ** 2 for worth, made in each)
    return Cost(
        name,
        len(orders),
        sum(order.lots for order in orders),
        sum(order.filled for order in orders),
        notional,
        whole,
        math.sqrt(spread_of) / notional if len(each) > 1 and notional > 0 else math.nan,
        tuple(_after(orders, place) for place in range(len(HORIZONS_S))),
        {law: _expected(orders, law, scale) for law, scale in scales.items()},
    )


def _expected(orders: Sequence[Traded], law: str, scale: float) -> float | None:
    found = [(_notional(order), expected_bps(order, law, scale)) for order in orders]
    return _mean([(worth, bps) for worth, bps in found if bps is not None])


def _after(orders: Sequence[Traded], place: int) -> float | None:
    found = [
        (fill.lots * fill.price * order.lot_size, 1e4 * order.sign * (mid - fill.price) / fill.price)
        for order in orders
        for fill in order.fills
        if (mid := fill.after[place]) is not None
    ]
    return _mean(found)


def _mean(weighed: Sequence[tuple[float, float]]) -> float | None:
    weight = sum(worth for worth, _ in weighed)
    return sum(worth * value for worth, value in weighed) / weight if weight > 0 else None


def _notional(order: Traded) -> float:
    return order.decision * order.lots * order.lot_size


def _bps(money: float, notional: float) -> float:
    return 1e4 * money / notional if notional > 0 else 0.0
