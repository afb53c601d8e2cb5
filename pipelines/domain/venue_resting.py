"""What the recorded market does to orders that rest: quotes that come to their prices, and trades in their queues."""

from pipelines.domain.limit_book import OPPOSITE, reaches
from pipelines.domain.trading import Side
from pipelines.domain.venue_matching import MET_ITS_OWN, SIDES, Matching
from pipelines.domain.venue_orders import VenueWord
from pipelines.domain.venue_working import Working


def cross(book: Matching) -> None:
    """Trade what rests with what has come to its price: at the price of the one that stood there first."""
    for side in SIDES:
        for price in list(book.book.prices(side)):
            best, facing = book.display.touch[OPPOSITE[side]], book.book.best(OPPOSITE[side])
            near = [each for each in (best.price if best else None, facing) if each is not None]
            if not any(reaches(side, price, each) for each in near):
                break
            level = book.book.level(side, price)
            for entry in list(level.queue if level else ()):
                if entry.owner is not None and entry.owner in book.orders:
                    _cross(book, book.orders[entry.owner], price)


def _cross(book: Matching, order: Working, ticks: int) -> None:
    for offer in list(book.offers(order, ticks)):
        if order.over:
            return
        if offer.owner is None:
            wanted = order.fillable(book.time_ns, book.display.price(ticks), True)
            if wanted and (order.bound is None or wanted <= offer.lots):
                book.fill(order, book.trade(offer, OPPOSITE[order.side], wanted), ticks, maker=True)
        elif offer.own:
            newer = max(order, book.orders[offer.owner], key=lambda each: each.rank)
            if newer.may(VenueWord.CANCELED, book.time_ns):
                book.say(newer, VenueWord.CANCELED, MET_ITS_OWN)
        else:
            _match(book, order, book.orders[offer.owner])


def _match(book: Matching, one: Working, other: Working) -> None:
    first, second = sorted((one, other), key=lambda each: each.rank)
    assert first.price is not None
    price = book.display.price(first.price)
    most = first.fillable(book.time_ns, price, True), second.fillable(book.time_ns, price, False)
    if (first.bound is None or most[0] <= most[1]) and (second.bound is None or most[1] <= most[0]) and min(most):
        book.fill(first, min(most), first.price, maker=True)
        book.fill(second, min(most), first.price, maker=False)


def printed(book: Matching, side: Side, ticks: int, lots: int) -> None:
    """A trade of the recorded market hit a side: it takes from the front of the queue at its price, after all that
    stood at better ones. Lots that told fills had of it are kept for them."""
    if book.book.best(side) is None:
        return
    kept = 0
    for each in book.orders.values():
        if each.bound is not None and each.side is side and each.resting:
            kept += each.fillable(book.time_ns, book.display.price(each.price or ticks), True)
    for at in list(book.book.prices(side)):
        if not reaches(side, at, ticks):
            return
        level = book.book.level(side, at)
        assert level is not None
        for entry in list(level.queue):
            if entry.owner is None:
                gone = min(entry.lots, lots) if at == ticks else entry.lots
                entry.lots -= gone
                lots -= gone if at == ticks else 0
                continue
            order = book.orders[entry.owner]
            ours = order.fillable(book.time_ns, book.display.price(at), True)
            if order.bound is None:
                ours = min(ours, lots - kept)
            elif ours <= lots:
                kept -= ours
            else:
                ours = 0
            if ours > 0:
                lots -= ours
                book.fill(order, ours, at, maker=True)
        level.tidy()
        if lots <= 0:
            return
