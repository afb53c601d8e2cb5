"""Whether a posted order stays in its queue, moves to another, or takes what is displayed: the least expected cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from pipelines.domain.route_costs import How, Market, Slice, market
from pipelines.domain.routing import Child, reckoned, route_in, shown
from pipelines.domain.venue_books import ParentOrder, RouteModel, RouteVenue, RoutingError, VenueBook


class Move(IntEnum):
    """What to do with a posted order; of two that cost the same the lower comes first."""

    STAY = 0
    REPEG = 1
    TAKE = 2


@dataclass(frozen=True, slots=True)
class Repeg:
    """Cancel and post `venue`, `price_ticks` instead (REPEG), cancel and route anew at urgency 1 (TAKE), or STAY.
    `expected_ticks`: of a lot, signed."""

    move: Move
    venue: str
    price_ticks: int
    expected_ticks: float
    reason: str


def repeg(
    child: Child,
    parent: ParentOrder,
    books: Sequence[VenueBook],
    venues: Sequence[RouteVenue],
    model: RouteModel,
    ahead_lots: int,
) -> Repeg:
    """What to do with a posted child of which `child.lots` are left, and `ahead_lots` of its venue's queue before it.

    `books`: without the child itself. Volume reaches better prices first, on whatever venue. Raises RoutingError for a
    child that is not posted, and as `route` does.
    """
    if child.how != How.POST:
        raise RoutingError(f"{child.venue}: {child.how.name} order: only a posted one is re-pegged")
    if ahead_lots < 0:
        raise RoutingError(f"{child.venue}: {ahead_lots} lots ahead: give 0 or more")
    rest = replace(parent, lots=child.lots)
    made = market(rest, books, venues, model)
    if child.venue not in made.venues:
        raise RoutingError(f"{child.venue}: no venue of that name: there is {', '.join(made.venues)}")
    found = [*_stay(made, child, ahead_lots), *_posts(made, child), *_take(made, child)]
    best = min(found, key=lambda each: (each.expected_ticks, each.move, each.venue != child.venue, each.venue))
    told = "; ".join(f"{each.reason}: {_cost(made, each)}" for each in found)
    return replace(best, reason=f"{best.reason} at {_cost(made, best)} a unit (of {told})")


def _stay(made: Market, child: Child, ahead_lots: int) -> list[Repeg]:
    venue = made.venues[child.venue]
    if venue.turnover_lots <= 0 or not made.parent.allows(child.price_ticks):
        return []
    sign = made.parent.sign
    better = sum(
        level.lots
        for book in made.books.values()
        for level in book.near(made.parent.side)
        if sign * level.price_ticks > sign * child.price_ticks
    )
    slices = list(made.queued(venue, child.price_ticks, ahead_lots + better))
    ahead = f"{ahead_lots} ahead" + (f" and {better} at better prices" if better else "")
    reason = f"stay on {child.venue} at {shown(child.price_ticks, made.model.tick_size)}, {ahead}"
    return [Repeg(Move.STAY, child.venue, child.price_ticks, _average(made, slices), reason)]


def _posts(made: Market, child: Child) -> list[Repeg]:
    found = []
    for name in made.venues:
        slices = made.slices(name, How.POST, 0)
        if not slices or (name, slices[0].price_ticks) == (child.venue, child.price_ticks):
            continue  # where it is posted already, it would only go to the end of the queue
        price, ahead = slices[0].price_ticks, slices[0].ahead_lots
        reason = f"post on {name} at {shown(price, made.model.tick_size)} behind {ahead}"
        found.append(Repeg(Move.REPEG, name, price, _average(made, slices), reason))
    return found


def _take(made: Market, child: Child) -> list[Repeg]:
    now = market(replace(made.parent, urgency=1.0), list(made.books.values()), list(made.venues.values()), made.model)
    routed = route_in(now)
    if not routed.children:
        return [Repeg(Move.STAY, child.venue, child.price_ticks, made.later_ticks, "nothing within the limit")]
    reason = f"take on {' and '.join(each.venue for each in routed.children)}"
    far = max((each.price_ticks for each in routed.children), key=lambda price: made.parent.sign * price)
    return [Repeg(Move.TAKE, routed.children[0].venue, far, routed.expected_ticks / made.parent.lots, reason)]


def _average(made: Market, slices: list[Slice]) -> float:
    """The expected cost of a lot of the parent, all of it in these slices."""
    return made.later_ticks - sum(each.lots * each.saving_ticks for each in slices) / made.parent.lots


def _cost(made: Market, each: Repeg) -> str:
    tick = made.model.tick_size
    return reckoned(made.parent.sign * each.expected_ticks * tick, tick)
