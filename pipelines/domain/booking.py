"""A report booked: the order it is about, the position, and the pair that the order belongs to."""

import math

from msgspec.structs import replace

from pipelines.domain.account import CLOSED_KEPT, TraderState
from pipelines.domain.checks import Check, reason
from pipelines.domain.legs import refusal, settle
from pipelines.domain.orders import MAX_LOTS, Filled, Order, hear
from pipelines.domain.trading import OrderRequest, Report, TradingEvent

MAX_PRICE_TICKS = 1 << 31


def book(state: TraderState, event: TradingEvent, report: Report) -> tuple[TraderState, tuple[OrderRequest, ...]]:
    """The account after a venue's word. One about an order that is not known, or taken before, does nothing.

    What the order is of (instrument, side, pair) is what the trader decided, whatever the report says of it.
    """
    order_id = report.client_order_id
    order = state.orders.get(order_id) or state.closed.get(order_id)
    if order is None or report.exec_id in order.exec_ids:
        return state, ()
    if not (0 <= report.cumulative_quantity <= MAX_LOTS and 0 <= report.last_quantity <= MAX_LOTS):
        told = f"{report.exec_id} of order {order_id}: {report.last_quantity} lots, {report.cumulative_quantity} in all"
        refused = reason(Check.IMPLAUSIBLE_REPORT, f"{told}, limit 0 to {MAX_LOTS}")
        return state, (refusal(state.config, event, order.pair, refused),)
    price = _ticks(state, order.instrument, report.last_price)
    guess = price if price is not None else _marked(state, order)
    heard, filled = hear(order, report, price, guess)
    if any(filled):
        state = _moved(state, order, filled, price, guess)
    state = _kept(state, order_id, heard)
    if not filled.lots and heard.closed == order.closed:
        return state, ()
    return settle(state, event, order_id, heard, order.sign * filled.lots)


def _moved(state: TraderState, order: Order, filled: Filled, price: int | None, guess: int) -> TraderState:
    position = state.position(order.instrument)
    if filled.priced and price is not None:
        position = position.traded(order.sign * filled.priced, price)
    if filled.guessed:
        position = position.traded(order.sign * filled.guessed, guess)
    if filled.correction:
        position = position.corrected(filled.correction, order.sign)
    return replace(state, positions=state.positions | {order.instrument: position})


def _kept(state: TraderState, order_id: str, order: Order) -> TraderState:
    """An open order among the open ones; a closed one among the closed, as long as anything may still come for it."""
    if not order.closed:
        return replace(state, orders=state.orders | {order_id: order})
    orders = state.orders
    if order_id in orders:
        orders = {name: other for name, other in orders.items() if name != order_id}
    closed = state.closed
    if order.settled and order_id in closed:
        closed = {name: other for name, other in closed.items() if name != order_id}
    elif not order.settled:
        closed = closed | {order_id: order}
        if len(closed) > CLOSED_KEPT:
            del closed[next(iter(closed))]
    return replace(state, orders=orders, closed=closed)


def _ticks(state: TraderState, instrument: str, price: float) -> int | None:
    """A price in ticks, to the nearest; None where it is none (0, not a number, absurd)."""
    known = state.config.instruments.get(instrument)
    if known is None or not math.isfinite(price) or price == 0:
        return None
    ticks = round(price / known.tick_size)
    return ticks if abs(ticks) <= MAX_PRICE_TICKS else None


def _marked(state: TraderState, order: Order) -> int:
    """The order's instrument at its last mark, in ticks; 0 where there is none."""
    pair = state.config.pairs.get(order.pair)
    quote = state.mark(pair, order.leg) if pair else None
    if quote is None or not (quote[0] > 0 and quote[1] > 0):
        return 0
    return _ticks(state, order.instrument, (quote[0] + quote[1]) / 2) or 0
