"""Changes of live orders: what of a replacement can be done, and whether the order keeps its place in the queue."""

from enum import Enum

from pipelines.domain.venue_matching import Matching
from pipelines.domain.venue_orders import OrderKind, VenueReplace, VenueWord
from pipelines.domain.venue_working import Working


class Change(Enum):
    """What became of a replacement: not done, done in its place, or done and out of the book, to come in again."""

    NONE = "none"
    STAYS = "stays"
    COMES_AGAIN = "comes again"


def change(book: Matching, order: Working, request: VenueReplace) -> Change:
    """Change an order, and say so. It stays where its price is the same and its quantity not more."""
    price = _price(book, order, request)
    told = order.bound
    if told is not None and (told.word, told.request) != (VenueWord.REPLACED, request.client_order_id):
        return Change.NONE
    reason = _fault(book, order, request, price) if told is None else ""
    if reason:
        book.say(order, VenueWord.REQUEST_REJECTED, reason, request.client_order_id)
        return Change.NONE
    stays = order.resting and price == order.price and request.quantity <= order.quantity
    if stays and order.price is not None and request.quantity < order.quantity:
        book.book.reduce(order.side, order.price, order.key, order.quantity - request.quantity)
    elif not stays:
        book.unrest(order)
    order.quantity, order.price, order.name = request.quantity, price, request.client_order_id
    book.say(order, VenueWord.REPLACED, "", request.client_order_id)
    return Change.STAYS if stays else Change.COMES_AGAIN


def _any_price(order: Working, request: VenueReplace) -> bool:
    kind = order.order.kind
    return kind is OrderKind.MARKET or (kind is OrderKind.MIDPOINT and request.price == 0)


def _price(book: Matching, order: Working, request: VenueReplace) -> int | None:
    return None if _any_price(order, request) else book.display.order_ticks(request.price)


def _fault(book: Matching, order: Working, request: VenueReplace, price: int | None) -> str:
    if request.quantity <= order.filled:
        return f"quantity {request.quantity} lots: {order.filled} are filled, give more or cancel"
    if _any_price(order, request):
        return ""
    if price is None or price <= 0:
        return f"price {request.price}: give a multiple of {book.instrument.tick_size} above 0"
    if order.order.post_only and book.trading and price != order.price:
        return "post only: it would trade at once" if next(book.offers(order, price), None) is not None else ""
    return ""
