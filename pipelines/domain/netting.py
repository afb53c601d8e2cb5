"""Orders of one event against each other: what one pair sells and another buys never goes to a venue.

Both would pay the spread and a fee to end where they began, and might trade with each other, which a venue takes for a
wash trade. They are crossed inside the account at the mark, the first ordered first; what is left goes out.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from pipelines.domain import books
from pipelines.domain.account import TraderState
from pipelines.domain.booking import marked_ticks
from pipelines.domain.moves import Decided, settled
from pipelines.domain.outputs import booking
from pipelines.domain.trading import Booked, Decision, OrderRequest, TradingEvent

_One = tuple[TraderState, OrderRequest]


def netted(state: TraderState, event: TradingEvent, outputs: tuple[OrderRequest, ...]) -> Decided:
    """The account, and what it decided at an event, once its orders of both sides of an instrument are crossed. Where
    an instrument has no mark, all of them go out."""
    opposed = _opposed(outputs)
    if not opposed:
        return state, outputs
    kept: list[OrderRequest] = []
    told: list[OrderRequest] = []
    for request in outputs:
        left = opposed.get(request.instrument, {}) if request.action is Decision.NEW else {}
        lots = min(request.quantity, left.get(request.side, 0))
        price = marked_ticks(state, request.instrument) if lots else 0
        if not price:
            kept.append(request)
            continue
        left[request.side] -= lots
        state, word = _crossed(state, event, request, lots, price)
        told.append(word)
        if lots < request.quantity:
            kept.append(_less(request, lots))
    for pair, strategy in {word.pair: word.strategy for word in told}.items():
        state, more = _settled(state, event, pair, strategy)
        told += more
    return state, (*kept, *told)


def _opposed(outputs: Iterable[OrderRequest]) -> dict[str, dict[str, int]]:
    """Lots of each side to be crossed, of instruments that are both bought and sold."""
    lots: dict[str, dict[str, int]] = defaultdict(lambda: {"buy": 0, "sell": 0})
    for each in outputs:
        if each.action is Decision.NEW:
            lots[each.instrument][each.side] += each.quantity
    return {name: dict.fromkeys(of, min(of.values())) for name, of in lots.items() if min(of.values())}


def _crossed(state: TraderState, event: TradingEvent, request: OrderRequest, lots: int, price_ticks: int) -> _One:
    """So many lots of an order as if they were filled: its pair and its strategy's book have them, the account has
    what it had."""
    order_id, pair, leg = request.client_order_id, state.pairs[request.pair], request.leg
    order = state.orders[order_id]
    had, working, orders = list(pair.lots), list(pair.working), dict(state.orders)
    had[leg] += order.sign * lots
    if lots == order.quantity:
        del orders[order_id]
        working[leg] = ""
    else:
        orders[order_id] = replace(order, quantity=order.quantity - lots)
    pair = replace(pair, lots=(had[0], had[1]), working=(working[0], working[1]))
    state = replace(state, orders=orders, pairs=state.pairs | {request.pair: pair})
    state = books.filled(state, order, order.sign * lots, price_ticks, free=True)
    instrument = state.config.instruments[request.instrument]
    price = price_ticks * instrument.tick_size
    of = request.strategy, request.pair, leg
    text = f"{lots} of {request.quantity} lots against other pairs, order {order_id}"
    return state, booking(state.config, event, Booked.CROSSED, instrument, of, order.sign * lots, price, 0.0, text)


def _less(request: OrderRequest, lots: int) -> OrderRequest:
    return dataclasses.replace(request, quantity=request.quantity - lots)


def _settled(state: TraderState, event: TradingEvent, name: str, strategy: str) -> Decided:
    """A pair of which all has been crossed is where it was to go."""
    pair = state.pairs[name]
    if pair.moving:
        return state, ()
    state, outputs = settled(state, event, name, pair, strategy)
    if name in state.pairs:
        return state, outputs
    state, more = books.crossed(state, event, name)
    return state, outputs + more
