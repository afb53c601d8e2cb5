"""What a lot sent to a venue is expected to cost: the price and fee if it fills, what is paid later if it does not.

A venue's lots are offered in slices, each dearer than the one before: prices get worse, and the chance of a fill falls
from lot to lot. So the cost of what is sent to a venue is convex, and taking the cheapest slices of all venues first
gives the least expected cost of all splits (Federgruen and Groenevelt, "The greedy procedure for resource allocation
problems", 1986; held against every split of small cases by tests/unit/test_routing.py).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from pipelines.domain.venue_books import (
    Level,
    ParentOrder,
    RouteModel,
    RouteVenue,
    RoutingError,
    Touch,
    VenueBook,
    touch,
)

SLICES = 4
"""Of a level or a posted order: the chance of a fill is that of a slice's middle."""


class How(IntEnum):
    """How a child trades; of two that cost the same the lower comes first."""

    TAKE = 0
    MIDPOINT = 1
    POST = 2


@dataclass(frozen=True, slots=True)
class Slice:
    """Lots of one venue at one price. `filled_ticks`: what one costs if it fills, fee included; `fee_ticks`: of that;
    `missed_ticks`: what it costs later if it does not; all signed, so that less is better. `saving_ticks`: expected,
    against keeping the lot back. `ahead_lots`: the queue before it, if posted."""

    venue: RouteVenue
    how: How
    price_ticks: int
    lots: int
    chance: float
    filled_ticks: float
    fee_ticks: float
    missed_ticks: float
    saving_ticks: float
    ahead_lots: int = 0


Split = Mapping[tuple[str, How], int]
"""Lots by venue and how they trade."""


@dataclass(frozen=True, slots=True)
class Market:
    """A parent order among venues and books, made ready: what a split of it is expected to cost. `best`: of all books.

    `later_ticks`: what a lot costs that is kept back or does not fill: the price, fee included, at which the lot after
    the parent's last one is expected to stand (a tick behind the last one where there is none), with impact and drift.
    """

    parent: ParentOrder
    venues: Mapping[str, RouteVenue]
    books: Mapping[str, VenueBook]
    model: RouteModel
    later_ticks: float
    best: Touch | None

    def slices(self, name: str, how: How, arrival_ns: int) -> list[Slice]:
        """What a venue offers to an order that arrives so long after the decision, the cheapest first."""
        venue = self.venues[name]
        if how == How.TAKE:
            return list(self._displayed(venue, arrival_ns)) if name in self.books else []
        if how == How.MIDPOINT:
            return list(self._midpoint(venue, arrival_ns))
        return list(self._queue(venue))

    def arrival_ns(self, split: Split) -> int:
        """When the sweep of a split arrives, everywhere at once: the latency of its slowest venue."""
        return max(
            (self.venues[name].latency_ns for (name, how), lots in split.items() if lots and how != How.POST), default=0
        )

    def expected_ticks(self, split: Split) -> float:
        """The expected cost of a whole parent so split, in ticks times lots. What is sent beyond what a venue offers
        does not fill. Raises RoutingError where more is sent than the parent has."""
        if sum(split.values()) > self.parent.lots:
            raise RoutingError(f"{sum(split.values())} lots sent of {self.parent.lots}")
        arrival_ns = self.arrival_ns(split)
        total = self.parent.lots * self.later_ticks
        for (name, how), lots in sorted(split.items()):
            for each in self.slices(name, how, arrival_ns):
                taken = min(lots, each.lots)
                total -= taken * each.saving_ticks
                lots -= taken
        return total

    def _displayed(self, venue: RouteVenue, arrival_ns: int) -> Iterator[Slice]:
        levels = [each for each in self.books[venue.name].far(self.parent.side) if self.parent.allows(each.price_ticks)]
        depth, before, most = sum(each.lots for each in levels), 0, 1.0
        for level in levels:
            most = min(most, level.chance * venue.stands(level.age_ns + arrival_ns))
            yield from self._thinning(venue, How.TAKE, level.price_ticks, level.lots, (before, depth), most)
            before += level.lots

    def _midpoint(self, venue: RouteVenue, arrival_ns: int) -> Iterator[Slice]:
        best = self.best
        if venue.dark is None or best is None or best.bid_ticks >= best.ask_ticks:
            return
        if not self.parent.allows(best.half_ticks / 2):
            return
        far, limit = best.far(self.parent.side), self.parent.limit_ticks
        price = far if limit is None or self.parent.allows(far) else limit
        lots, stands = venue.dark.lots, venue.dark.chance * venue.stands(arrival_ns)
        yield from self._thinning(venue, How.MIDPOINT, price, lots, (0, lots), stands, best.half_ticks / 2)

    def _thinning(
        self,
        venue: RouteVenue,
        how: How,
        price_ticks: int,
        lots: int,
        within: tuple[int, int],
        stands: float,
        at_ticks: float | None = None,
    ) -> Iterator[Slice]:
        before, depth = within
        paid = float(price_ticks) if at_ticks is None else at_ticks
        fee = venue.taker.ticks(paid, self.model.tick_size)
        filled = self.parent.sign * paid + fee
        for first, last in _cut(lots, SLICES if self.model.thinning else 1):
            chance = stands * (1.0 - self.model.thinning * (before + (first + last) / 2) / depth)
            saving = chance * (self.later_ticks - filled)
            yield Slice(venue, how, price_ticks, last - first, chance, filled, fee, self.later_ticks, saving)

    def _queue(self, venue: RouteVenue) -> Iterator[Slice]:
        """Posted at the best near price. Volume that trades there is exponential with the venue's turnover as mean."""
        best = self.best
        if self.parent.urgency >= 1.0 or venue.turnover_lots <= 0 or venue.dark is not None or best is None:
            return
        price = best.near(self.parent.side)
        if best.bid_ticks >= best.ask_ticks or not self.parent.allows(price):
            return
        book = self.books.get(venue.name, VenueBook(venue.name))
        ahead = sum(each.lots for each in book.near(self.parent.side) if each.price_ticks == price)
        yield from self.queued(venue, price, ahead)

    def queued(self, venue: RouteVenue, price_ticks: int, ahead_lots: int) -> Iterator[Slice]:
        """Lots of the parent posted at a price, behind others."""
        fee = venue.maker.ticks(price_ticks, self.model.tick_size)
        filled = self.parent.sign * price_ticks + fee + self.model.adverse_ticks
        waited = self.parent.urgency * self.model.wait_ticks
        missed = self.later_ticks + waited
        for first, last in _cut(self.parent.lots, SLICES):
            chance = _traded_through(ahead_lots + first, last - first, venue.turnover_lots)
            saving = chance * (missed - filled) - waited
            yield Slice(
                venue, How.POST, price_ticks, last - first, chance, filled, fee, missed, saving, ahead_lots + first
            )


def market(parent: ParentOrder, books: Sequence[VenueBook], venues: Sequence[RouteVenue], model: RouteModel) -> Market:
    """Make ready what is known at the decision. Raises RoutingError where it contradicts itself or nobody quotes."""
    known = {venue.name: venue for venue in sorted(venues, key=lambda each: each.name)}
    shown = {book.venue: book for book in books}
    if len(known) < len(venues) or len(shown) < len(books):
        raise RoutingError("a venue is named twice: give each venue and its book once")
    for name in shown:
        if name not in known:
            raise RoutingError(f"book of {name}: no venue of that name: there is {', '.join(known)}")
        if known[name].dark is not None:
            raise RoutingError(f"book of {name}: a dark venue displays none: leave one of the two out")
    return Market(parent, known, shown, model, _later_ticks(parent, shown, known, model), touch(books))


def _later_ticks(
    parent: ParentOrder, books: Mapping[str, VenueBook], venues: Mapping[str, RouteVenue], model: RouteModel
) -> float:
    def costs(venue: RouteVenue, level: Level) -> tuple[float, float]:
        paid = parent.sign * level.price_ticks + venue.taker.ticks(level.price_ticks, model.tick_size)
        return paid, level.lots * level.chance * venue.stands(level.age_ns + venue.latency_ns)

    levels = sorted(costs(venues[name], level) for name, book in books.items() for level in book.far(parent.side))
    if not levels:
        raise RoutingError(f"nobody quotes what a {parent.side} order takes: give a book with that side")
    left = float(parent.lots)
    price = levels[-1][0] + 1.0
    for cost, lots in levels:
        if left < lots:
            price = cost
            break
        left -= lots
    expected = max(1.0, sum(lots for _, lots in levels))
    return price + model.impact_ticks * parent.lots / expected + model.drift_ticks * parent.urgency


def _cut(lots: int, parts: int) -> Iterator[tuple[int, int]]:
    """Lots in at most so many parts, as places (first, behind the last)."""
    edges = [lots * part // parts for part in range(parts + 1)]
    for first, last in pairwise(edges):
        if last > first:
            yield first, last


def _traded_through(ahead: int, lots: int, turnover: float) -> float:
    """The mean over `lots` places behind `ahead` of the chance that an exponential volume reaches them."""
    each = math.expm1(-1.0 / turnover)
    return math.exp(-(ahead + 1) / turnover) * (math.expm1(-lots / turnover) / (each * lots) if each else 1.0)
