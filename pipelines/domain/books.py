"""What each strategy has of each pair: its fills, what they cost in fees, and how its round trips went.

All books together are the account: for each instrument their lots and cash add up to its position's.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from pipelines.domain.account import Book, TraderState
from pipelines.domain.exposure import mid_of
from pipelines.domain.orders import Order
from pipelines.domain.outputs import booking
from pipelines.domain.trader_config import Fee, TradedPair
from pipelines.domain.trading import Booked, OrderRequest, TradingEvent
from pipelines.domain.universe import Instrument

NO_FEE = Fee()


def filled(
    state: TraderState, order: Order, lots: int, price_ticks: int, *, free: bool = False, venue: str = ""
) -> TraderState:
    """After a fill of signed lots, its fee taken, where it has one; lots that are taken back give theirs back. `venue`:
    whose fee, if not the instrument's."""
    instrument = state.config.instruments.get(order.instrument)
    book = state.books.get(order.strategy, {}).get(order.pair, Book())
    legs = list(book.legs)
    legs[order.leg] = legs[order.leg].traded(lots, price_ticks)
    cost = _fee(state, instrument, lots, price_ticks, venue) if instrument and not free else 0.0
    if lots * order.sign < 0:
        cost = -cost
    book = _trip(state, order.pair, book, replace(book, legs=(legs[0], legs[1]), costs=book.costs + cost))
    return replace(_put(state, order.strategy, order.pair, book), costs=state.costs + cost)


def corrected(state: TraderState, order: Order, value: int) -> TraderState:
    """After lots of an order turn out to be worth `value` more, in price ticks x lots, than was booked."""
    book = state.books.get(order.strategy, {}).get(order.pair, Book())
    legs = list(book.legs)
    legs[order.leg] = legs[order.leg].corrected(value, order.sign)
    return _put(state, order.strategy, order.pair, replace(book, legs=(legs[0], legs[1])))


def crossed(state: TraderState, event: TradingEvent, pair: str) -> tuple[TraderState, tuple[OrderRequest, ...]]:
    """Of a pair that the account is flat in: what one strategy is long in it and another short, crossed between them at
    the mark. Their lots and cash still add up to the account's."""
    books = [(strategy, of[pair]) for strategy, of in state.books.items() if pair in of]
    open_books = [(strategy, book) for strategy, book in books if any(leg.lots for leg in book.legs)]
    traded = state.config.pairs.get(pair)
    if len(open_books) < 2 or traded is None:
        return state, ()
    if any(sum(book.legs[leg].lots for _, book in open_books) for leg in (0, 1)):
        return state, ()  # a late fill is still on its way to one of them
    ticks = [round(mid_of(state, leg.id) / leg.tick_size) for leg in traded.legs]
    told: list[OrderRequest] = []
    for strategy, book in open_books:
        a, b = (leg.traded(-leg.lots, tick) for leg, tick in zip(book.legs, ticks, strict=True))
        state = _put(state, strategy, pair, _trip(state, pair, book, replace(book, legs=(a, b))))
        told += _told(state, event, strategy, traded, book, ticks)
    return state, tuple(told)


def _told(
    state: TraderState, event: TradingEvent, strategy: str, traded: TradedPair, book: Book, ticks: list[int]
) -> Iterator[OrderRequest]:
    for leg, (instrument, position, tick) in enumerate(zip(traded.legs, book.legs, ticks, strict=True)):
        if position.lots:
            of, price = (strategy, traded.name, leg), tick * instrument.tick_size
            text = f"{abs(position.lots)} lots against other strategies"
            yield booking(state.config, event, Booked.CROSSED, instrument, of, -position.lots, price, 0.0, text)


def made_by(state: TraderState, pair: str, book: Book) -> float:
    """Profit of a book in money of the account, realised and at the marks, less its costs."""
    traded = state.config.pairs.get(pair)
    total = -book.costs
    for instrument, leg in zip(traded.legs if traded else (), book.legs, strict=False):
        mid = mid_of(state, instrument.id)
        open_ticks = leg.unrealised(mid / instrument.tick_size) if mid else 0.0
        total += (leg.realised + open_ticks) * _tick(state, instrument)
    return total


def _trip(state: TraderState, pair: str, before: Book, after: Book) -> Book:
    """The round trip that begins, goes on or ends with a fill."""
    if not any(leg.lots for leg in before.legs):
        return replace(after, begun=_realised(state, pair, before), worth=_worth(state, pair, after))
    worth = max(before.worth, _worth(state, pair, after))
    if any(leg.lots for leg in after.legs) or worth <= 0:
        return replace(after, worth=worth)
    gained = (_realised(state, pair, after) - before.begun) / worth
    return replace(
        after,
        trips=after.trips + 1,
        returns=after.returns + gained,
        squares=after.squares + gained * gained,
        worth=0.0,
    )


def _realised(state: TraderState, pair: str, book: Book) -> float:
    traded = state.config.pairs.get(pair)
    legs = zip(traded.legs if traded else (), book.legs, strict=False)
    return sum(leg.realised * _tick(state, instrument) for instrument, leg in legs) - book.costs


def _worth(state: TraderState, pair: str, book: Book) -> float:
    """What the first leg was bought for."""
    traded = state.config.pairs.get(pair)
    return abs(book.legs[0].cost) * _tick(state, traded.legs[0]) if traded else 0.0


def _fee(state: TraderState, instrument: Instrument, lots: int, price_ticks: int, venue: str) -> float:
    fee = state.config.fees.get(venue or instrument.venue, NO_FEE)
    if not (fee.bps or fee.per_lot):
        return 0.0
    worth = abs(price_ticks) * instrument.tick_size * instrument.lot_size
    return abs(lots) * (fee.per_lot + worth * fee.bps / 1e4) * state.limits.rate(instrument.currency)


def _tick(state: TraderState, instrument: Instrument) -> float:
    return instrument.tick_size * instrument.lot_size * state.limits.rate(instrument.currency)


def _put(state: TraderState, strategy: str, pair: str, book: Book) -> TraderState:
    return replace(state, books=state.books | {strategy: state.books.get(strategy, {}) | {pair: book}})
