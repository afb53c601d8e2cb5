"""Auctions: orders of ours trade at the price of the recorded auction, up to its volume a side.

Who bid better than the print fills at it, market orders first; at the price itself time decides, and the lots of the
recorded market that stand ahead in the queue have their share before.
"""

from pipelines.domain.limit_book import OPPOSITE, reaches
from pipelines.domain.market import Condition
from pipelines.domain.trading import Side
from pipelines.domain.venue_matching import SIDES, Matching
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueWord
from pipelines.domain.venue_rows import Row
from pipelines.domain.venue_working import AUCTIONS, Working

AUCTION = int(Condition.OPENING | Condition.CLOSING | Condition.REOPENING)


def uncross(book: Matching, row: Row) -> None:
    """Trade at an auction's print, and end the orders that were for this auction alone."""
    price, lots, kind = row[5], book.display.whole_lots(row[6]), row[3]
    ended = _ended(kind)
    for side in SIDES:
        _trade(book, side, price, lots, ended)
    for order in list(book.orders.values()):
        if order.order.time_in_force in ended and order.may(VenueWord.EXPIRED, book.time_ns):
            text = f"{order.leaves} of {order.quantity} lots did not trade in the auction at {price}"
            book.say(order, VenueWord.EXPIRED, text)


def _ended(kind: int) -> frozenset[TimeInForce]:
    found = {Condition.OPENING: TimeInForce.OPENING, Condition.CLOSING: TimeInForce.CLOSING}
    return frozenset(name for bit, name in found.items() if kind & bit)


def _trade(book: Matching, side: Side, price: float, lots: int, ended: frozenset[TimeInForce]) -> None:
    exact = book.display.order_ticks(price)
    near = book.display.ticks(OPPOSITE[side], price)  # between ticks: the first that is no worse for the other side
    for order in sorted(book.orders.values(), key=lambda each: _priority(each, side)):
        force = order.order.time_in_force
        if order.side is not side or (force in AUCTIONS and force not in ended):
            continue
        if not reaches(side, order.price, near) or order.order.kind is OrderKind.MIDPOINT:
            continue
        if order.price == exact and order.resting:
            lots -= _ahead(book, order, lots)
        wanted = order.fillable(book.time_ns, book.display.price(near), True)
        traded = min(wanted, lots) if order.bound is None or wanted <= lots else 0
        if traded > 0:
            lots -= traded
            book.fill(order, traded, near, maker=True)


def _ahead(book: Matching, order: Working, lots: int) -> int:
    """Take what the recorded market has ahead of an order, as far as there is volume: how much it was."""
    assert order.price is not None
    level = book.book.level(order.side, order.price)
    assert level is not None
    taken = 0
    for entry in level.queue:
        if entry.owner == order.key:
            break
        if entry.owner is None:
            part = min(entry.lots, max(0, lots - taken))
            entry.lots -= part
            taken += part
    level.tidy()
    return taken


def _priority(order: Working, side: Side) -> tuple[bool, int, tuple[int, tuple[str, str]]]:
    """Market orders, then the better price, then the earlier."""
    price = order.price or 0
    return order.price is not None, -price if side is Side.BUY else price, order.rank
