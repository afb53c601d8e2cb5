"""Children of a parent order: lots that are due, split over the venues that its rule names, by what these display."""

from dataclasses import dataclass

from pipelines.domain.identity import child_order_id
from pipelines.domain.parent_rules import Books, Takes, WorkRule
from pipelines.domain.parent_state import POSTED, Parent
from pipelines.domain.route_costs import How
from pipelines.domain.routing import route
from pipelines.domain.trading import Decision, OrderRequest
from pipelines.domain.venue_books import ParentOrder, RouteVenue, RoutingError, VenueBook


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lots for one venue, at what limit, why."""

    venue: str
    how: How
    lots: int
    price_ticks: int
    reason: str


def routed(parent: Parent, lots: int, time_ns: int, books: Books, *, rest: bool, urgency: float) -> list[OrderRequest]:
    """Children for lots that are due. `rest`: what the router keeps back is sent all the same. None where nobody quotes
    what it takes."""
    rule = parent.rule
    assert rule is not None, f"{parent.order.client_order_id} has no rule"
    venues, shown = open_places(parent, books)
    asked = ParentOrder(parent.order.side, lots, limit_ticks(parent), urgency)
    try:
        found = route(asked, shown, venues, rule.model)
    except RoutingError:
        return []
    pieces = [_Piece(each.venue, each.how, each.lots, each.price_ticks, each.reason) for each in found.children]
    if rest and found.left_lots:
        pieces = _with_rest(pieces, found.left_lots, asked, shown)
    return [_child(parent, rule, number, piece, time_ns) for number, piece in enumerate(pieces, len(parent.children))]


def open_places(parent: Parent, books: Books) -> tuple[list[RouteVenue], list[VenueBook]]:
    """Venues that take more of an order, and what those that are lit display."""
    places = [] if parent.rule is None else [p for p in parent.rule.places if p.venue.name not in parent.barred]
    lit = [books[p.instrument] for p in places if p.venue.dark is None and p.instrument in books]
    return [place.venue for place in places], lit


def limit_ticks(parent: Parent) -> int | None:
    """The worst price of an order; None of one at the market."""
    order, rule = parent.order, parent.rule
    return round(order.limit_price / rule.model.tick_size) if rule is not None and order.limit_price else None


def _with_rest(pieces: list[_Piece], lots: int, asked: ParentOrder, books: list[VenueBook]) -> list[_Piece]:
    """Lots that the router would keep back go where most are taken; where none are, to the best price within the
    limit."""
    takers = [each for each in pieces if each.how is How.TAKE]
    if takers:
        most = max(takers, key=lambda each: each.lots)
        more = _Piece(most.venue, most.how, most.lots + lots, most.price_ticks, f"{most.reason}; and the last {lots}")
        return [more if each is most else each for each in pieces]
    best = [(asked.sign * level.price_ticks, b.venue, level) for b in books for level in b.far(asked.side)[:1]]
    best = [each for each in best if asked.allows(each[2].price_ticks)]
    if not best:
        return pieces
    _, venue, level = min(best, key=lambda each: each[:2])
    return [*pieces, _Piece(venue, How.TAKE, lots, level.price_ticks, f"takes the last {lots}, whatever it costs")]


def _child(parent: Parent, rule: WorkRule, number: int, piece: _Piece, time_ns: int) -> OrderRequest:
    order, instrument = parent.order, next(p.instrument for p in rule.places if p.venue.name == piece.venue)
    market = piece.how is not How.POST and rule.takes is Takes.MARKET and not order.limit_price
    kind = POSTED if piece.how is How.POST else Takes.MARKET.value if market else Takes.IMMEDIATE.value
    return OrderRequest(
        client_order_id=child_order_id(order.client_order_id, number),
        action=Decision.NEW,
        account=order.account,
        event_time_ns=time_ns,
        venue=piece.venue,
        instrument=instrument,
        side=order.side,
        quantity=piece.lots,
        order_type=kind,
        limit_price=0.0 if market else round(piece.price_ticks * rule.model.tick_size, 12),
        pair=order.pair,
        leg=order.leg,
        cause=order.cause,
        reason=piece.reason,
        strategy=order.strategy,
        target=order.client_order_id,
    )
