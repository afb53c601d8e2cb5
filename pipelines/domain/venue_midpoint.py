"""A dark venue: orders meet each other, and hidden lots of the market, at the middle of the recorded bid and ask.

At each quote and trade of the log, and when an order arrives, hidden lots for a side are there with `fill_chance`; how
many is drawn evenly from 1 to the smaller of the two sizes shown elsewhere. Seed, instrument, time and place in the log
decide, so that the draws are the same at every run. Orders have priority by time alone.
"""

from pipelines.domain.limit_book import OPPOSITE, reaches
from pipelines.domain.trading import Side
from pipelines.domain.venue_matching import MET_ITS_OWN, SIDES, Matching
from pipelines.domain.venue_orders import TimeInForce, VenueWord
from pipelines.domain.venue_working import Working


def arrive(book: Matching, order: Working) -> None:
    """Meet who waits on the other side, then the hidden lots of the moment; what is left waits, or goes."""
    force = order.order.time_in_force
    if force is TimeInForce.ALL_OR_NOTHING and order.bound is None and (there := _offered(book, order)) < order.leaves:
        text = f"{there} of {order.quantity} lots were to be had at the middle: it was for all or nothing"
        book.say(order, VenueWord.CANCELED, text)
        return
    _meet(book, order)
    if not order.over:
        _hidden(book, order.side, [order], False, *order.key)
    if order.over or force is TimeInForce.DAY or not order.may(VenueWord.CANCELED, book.time_ns):
        return
    text = f"{order.leaves} of {order.quantity} lots found nobody at the middle"
    book.say(order, VenueWord.CANCELED, text)


def moved(book: Matching) -> None:
    """A quote or a trade came: who has waited longest is first."""
    waiting = sorted(book.orders.values(), key=lambda each: each.rank)
    for order in waiting:
        if not order.over:
            _meet(book, order)
    for side in SIDES:
        queue = [order for order in waiting if order.side is side and not order.over]
        if queue:
            _hidden(book, side, queue, True, book.instrument.id, *book.ordinal, side)


def middle(book: Matching) -> float | None:
    """In ticks, halves too; None where the market is crossed, or a side is missing, or nothing is traded."""
    bid, ask = book.display.touch[Side.BUY], book.display.touch[Side.SELL]
    if bid is None or ask is None or bid.price > ask.price or not book.trading:
        return None
    return (bid.price + ask.price) / 2


def _takes(order: Working, ticks: float) -> bool:
    return reaches(order.side, order.price, ticks)


def _meet(book: Matching, order: Working) -> None:
    ticks = middle(book)
    if ticks is None or not _takes(order, ticks):
        return
    price = book.display.price(ticks)
    for other in _facing(book, order, ticks):
        if order.over:
            return
        first, second = sorted((order, other), key=lambda each: each.rank)
        if first.order.participant == second.order.participant:
            if second.may(VenueWord.CANCELED, book.time_ns):
                book.say(second, VenueWord.CANCELED, MET_ITS_OWN)
            continue
        most = first.fillable(book.time_ns, price, True), second.fillable(book.time_ns, price, False)
        if (first.bound is None or most[0] <= most[1]) and (second.bound is None or most[1] <= most[0]) and min(most):
            book.fill(first, min(most), ticks, maker=True)
            book.fill(second, min(most), ticks, maker=False)


def _facing(book: Matching, order: Working, ticks: float) -> list[Working]:
    """Who waits on the other side, the longest first."""
    facing = [each for each in book.orders.values() if each.side is OPPOSITE[order.side] and _takes(each, ticks)]
    return sorted(facing, key=lambda each: each.rank)


def _offered(book: Matching, order: Working) -> int:
    """Lots that an order would find: of others, up to one of its own participant's, and then hidden ones."""
    ticks = middle(book)
    if ticks is None or not _takes(order, ticks):
        return 0
    found, price = 0, book.display.price(ticks)
    for other in _facing(book, order, ticks):
        if other.order.participant == order.order.participant:
            return found
        found += other.fillable(book.time_ns, price, True)
    return found + _hidden_lots(book, *order.key)


def _hidden_lots(book: Matching, *of: object) -> int:
    bid, ask = book.display.touch[Side.BUY], book.display.touch[Side.SELL]
    if bid is None or ask is None or book.config.draw("chance", *of) >= book.config.fill_chance:
        return 0
    return 1 + int(book.config.draw("lots", *of) * min(bid.lots, ask.lots))


def _hidden(book: Matching, side: Side, queue: list[Working], maker: bool, *of: object) -> None:
    ticks = middle(book)
    lots = _hidden_lots(book, *of)
    if ticks is None or not lots:
        return
    price = book.display.price(ticks)
    for order in queue:
        if not _takes(order, ticks):
            continue
        wanted = order.fillable(book.time_ns, price, maker)
        traded = min(wanted, lots) if order.bound is None or wanted <= lots else 0
        if traded > 0:
            lots -= traded
            book.fill(order, traded, ticks, maker)
