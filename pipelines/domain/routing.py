"""A parent order split over venues to the least expected cost: a pure function of it, the books and the model.

A sweep arrives everywhere at once, so that no venue sees it before another: each child waits for the slowest venue that
is used. A slow venue therefore costs all others chances of a fill; each latency is tried as the last one to wait for,
and the best of them is exact, as each is (`route_costs`). Where two splits cost the same, the earlier arrival counts,
then what is displayed, the nearer venue, and the name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.domain.route_costs import How, Market, Slice, Split, market
from pipelines.domain.venue_books import ParentOrder, RouteModel, RouteVenue, VenueBook


@dataclass(frozen=True, slots=True)
class Child:
    """An order for one venue. `price_ticks`: its limit; `delay_ns`: sent so long after the decision; `chance`: the
    expected share that fills; `fee_ticks`, `expected_ticks`: of a lot on average, the latter signed. `reason`: why."""

    venue: str
    how: How
    lots: int
    price_ticks: int
    delay_ns: int
    chance: float
    fee_ticks: float
    expected_ticks: float
    reason: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where a parent goes. The lots of the children and `left_lots`, which are kept back, are those of the parent.

    `arrival_ns`: when the sweep arrives, after the decision. `expected_ticks`: ticks times lots, of the whole parent,
    signed (below zero for what a seller gets); `later_ticks`: what a lot costs that is not filled.
    """

    children: tuple[Child, ...]
    left_lots: int
    arrival_ns: int
    expected_ticks: float
    later_ticks: float


def route(parent: ParentOrder, books: Sequence[VenueBook], venues: Sequence[RouteVenue], model: RouteModel) -> Route:
    """The children of a parent. Raises RoutingError where nobody quotes, or books and venues contradict each other."""
    return route_in(market(parent, books, venues, model))


def route_in(made: Market) -> Route:
    """The children of a parent in a market that is made ready."""
    posts = [each for name in made.venues for each in made.slices(name, How.POST, 0)]
    best: tuple[float, int, list[tuple[Slice, int]]] | None = None
    for arrival_ns in _arrivals(made):
        offered = list(posts)
        for name, venue in made.venues.items():
            if venue.latency_ns <= arrival_ns:
                offered += made.slices(name, How.TAKE if venue.dark is None else How.MIDPOINT, arrival_ns)
        chosen = _cheapest(offered, made.parent.lots)
        saved = sum(lots * each.saving_ticks for each, lots in chosen)
        if best is None or saved > best[0]:
            best = saved, arrival_ns, chosen
    assert best is not None  # there is always one latency to try
    return _route(made, best[2], best[1])


def split_of(routed: Route) -> Split:
    """The lots of a route by venue, as `Market.expected_ticks` takes them."""
    return {(child.venue, child.how): child.lots for child in routed.children}


def _arrivals(made: Market) -> list[int]:
    """The latencies that a sweep may wait for: those of venues that have something to take."""
    found = {venue.latency_ns for name, venue in made.venues.items() if venue.dark is not None or name in made.books}
    return sorted(found) or [0]


def _cheapest(offered: list[Slice], lots: int) -> list[tuple[Slice, int]]:
    """The slices that save most, and how much of each; those that save nothing are left."""
    chosen = []
    for each in sorted(offered, key=_order):
        if not lots or each.saving_ticks < 0:
            break
        taken = min(lots, each.lots)
        chosen.append((each, taken))
        lots -= taken
    return chosen


def _order(each: Slice) -> tuple[float, int, int, str]:
    return -each.saving_ticks, each.how, each.venue.latency_ns, each.venue.name  # and then as a venue offers them


def _route(made: Market, chosen: list[tuple[Slice, int]], tried_ns: int) -> Route:
    by_child: dict[tuple[str, How], list[tuple[Slice, int]]] = {}
    for each, lots in chosen:
        by_child.setdefault((each.venue.name, each.how), []).append((each, lots))
    arrival_ns = made.arrival_ns(dict.fromkeys(by_child, 1))
    order = sorted(by_child, key=lambda key: (key[1], key[0]))
    children = tuple(_child(made, by_child[key], arrival_ns, tried_ns) for key in order)
    saved = sum(lots * each.saving_ticks for each, lots in chosen)
    left = made.parent.lots - sum(lots for _, lots in chosen)
    return Route(children, left, arrival_ns, made.parent.lots * made.later_ticks - saved, made.later_ticks)


def _child(made: Market, parts: list[tuple[Slice, int]], arrival_ns: int, tried_ns: int) -> Child:
    first, last = parts[0][0], parts[-1][0]
    lots = sum(each for _, each in parts)
    chance = sum(each * part.chance for part, each in parts) / lots
    fee = sum(each * part.fee_ticks for part, each in parts) / lots
    expected = sum(each * (made.later_ticks - part.saving_ticks) for part, each in parts) / lots
    delay_ns = max(0, arrival_ns - first.venue.latency_ns)
    reason = _reason(made, parts, lots, chance, fee, expected, tried_ns)
    return Child(first.venue.name, first.how, lots, last.price_ticks, delay_ns, chance, fee, expected, reason)


def _reason(
    made: Market, parts: list[tuple[Slice, int]], lots: int, chance: float, fee: float, expected: float, after_ns: int
) -> str:
    tick, sign = made.model.tick_size, made.parent.sign
    first = parts[0][0]
    if first.how == How.TAKE:
        by_price: dict[int, int] = {}
        for part, each in parts:
            by_price[part.price_ticks] = by_price.get(part.price_ticks, 0) + each
        what = "takes " + " and ".join(f"{each} at {shown(price, tick)}" for price, each in by_price.items())
    elif first.how == How.MIDPOINT:
        what = (
            f"asks for {lots} at the midpoint, {reckoned(sign * (first.filled_ticks - first.fee_ticks) * tick, tick)}"
        )
    else:
        what = f"posts {lots} at {shown(first.price_ticks, tick)} behind {first.ahead_lots}"
    charged = f"fee {fee * tick:.4g}" if fee >= 0 else f"rebate {-fee * tick:.4g}"
    when = "" if first.how == How.POST else f" at {after_ns / 1e6:g} ms"
    cost, later = reckoned(sign * expected * tick, tick), reckoned(sign * made.later_ticks * tick, tick)
    return f"{what}, {charged} a unit; fills with {100 * chance:.1f} %{when}; expected {cost} a unit, kept back {later}"


def shown(price_ticks: int, tick_size: float) -> str:
    """A price in its currency, as its tick has decimals."""
    return f"{price_ticks * Decimal(str(tick_size)):f}"


def reckoned(price: float, tick_size: float) -> str:
    """An expected price, to a hundredth of what a tick shows."""
    exponent = Decimal(str(tick_size)).as_tuple().exponent
    return f"{price:.{max(0, -exponent if isinstance(exponent, int) else 0) + 2}f}"
