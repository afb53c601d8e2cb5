"""Children of a parent that wait in a queue: when they are looked at, and whether they are better placed elsewhere.

What is not in the log is decided again after a restart, by the same books as of the same times, and so alike.
"""

from pipelines.domain.parent_routes import limit_ticks, open_places
from pipelines.domain.parent_rules import Books
from pipelines.domain.parent_state import Child, Parent
from pipelines.domain.repeg import Move, repeg
from pipelines.domain.route_costs import How
from pipelines.domain.routing import Child as Routed
from pipelines.domain.venue_books import ParentOrder, RoutingError, VenueBook


def posted_ns(parent: Parent) -> int | None:
    """When its posted children are to be looked at next; None where there are none."""
    if parent.rule is None or parent.stopped or parent.ended:
        return None
    times = [_look_ns(parent, child) for child in _waiting(parent)]
    return min(times, default=None)


def look(parent: Parent, time_ns: int, books: Books) -> None:
    """Have those canceled that are better placed elsewhere, and all once the time that they may wait is over."""
    for child in _waiting(parent):
        if _look_ns(parent, child) > time_ns:
            continue
        child.looked_ns = time_ns
        if time_ns >= parent.deadline_ns or _moves(parent, child, books):
            child.cancel_ns = time_ns


def _waiting(parent: Parent) -> list[Child]:
    return [each for each in parent.unsettled.values() if each.posted and not each.over and each.cancel_ns is None]


def _look_ns(parent: Parent, child: Child) -> int:
    assert parent.rule is not None
    since_ns = max(child.looked_ns, child.order.event_time_ns)
    return min(since_ns + parent.rule.repeg_ns, max(parent.deadline_ns, since_ns))


def _moves(parent: Parent, child: Child, books: Books) -> bool:
    """Whether another place, or to take, is expected to cost less. All that its venue displays at its price is taken to
    be before it."""
    rule, order = parent.rule, child.order
    assert rule is not None
    venues, shown = open_places(parent, books)
    price_ticks = round(order.limit_price / rule.model.tick_size)
    left = order.quantity - child.filled
    posted = Routed(order.venue, How.POST, left, price_ticks, 0, 0.0, 0.0, 0.0, "")
    asked = ParentOrder(order.side, left, limit_ticks(parent), rule.urgency)
    try:
        best = repeg(posted, asked, shown, venues, rule.model, _ahead(order.venue, price_ticks, asked, shown))
    except RoutingError:
        return False
    return best.move is not Move.STAY


def _ahead(venue: str, price_ticks: int, asked: ParentOrder, books: list[VenueBook]) -> int:
    levels = [level for book in books if book.venue == venue for level in book.near(asked.side)]
    return sum(level.lots for level in levels if level.price_ticks == price_ticks)
