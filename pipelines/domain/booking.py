"""A report booked: the order it is about, the position, whose it is, and the pair that the order belongs to."""

import math

from msgspec.structs import replace

from pipelines.domain import books
from pipelines.domain.account import CLOSED_KEPT, Day, TraderState
from pipelines.domain.checks import Check, reason
from pipelines.domain.exposure import mid_of
from pipelines.domain.measure import filled_since
from pipelines.domain.moves import settle
from pipelines.domain.orders import MAX_LOTS, Order, hear
from pipelines.domain.outputs import refusal
from pipelines.domain.trading import OrderRequest, Report, TradingEvent

MAX_PRICE_TICKS = 1 << 31

Booked = tuple[TraderState, tuple[OrderRequest, ...]]


def book(state: TraderState, event: TradingEvent, report: Report) -> Booked:
    """The account after a venue's word. One about an order that is not known, or taken before, does nothing.

    What the order is of (instrument, side, pair) is what the trader decided, whatever the report says of it.
    """
    order_id = report.client_order_id
    order = state.orders.get(order_id) or state.closed.get(order_id)
    if order is None or report.word in order.exec_ids:
        return state, ()
    quantities = (report.cumulative_quantity, report.last_quantity)
    if not all(0 <= each <= MAX_LOTS for each in quantities):
        told = f"{report.exec_id} of order {order_id}: {report.last_quantity} lots, {report.cumulative_quantity} in all"
        refused = reason(Check.IMPLAUSIBLE_REPORT, f"{told}, limit 0 to {MAX_LOTS}")
        return state, (refusal(state.config, event, order.pair, refused),)
    price = ticks_of(state, order.instrument, report.last_price)
    guess = price if price is not None else marked_ticks(state, order.instrument)
    venue = report.venue if report.child else ""
    heard, filled = hear(order, report, price, guess)
    if filled.priced and price is not None:
        state = moved(state, order, order.sign * filled.priced, price, venue)
    if filled.guessed:
        state = moved(state, order, order.sign * filled.guessed, guess, venue)
    if filled.correction:
        state = corrected(state, order, filled.correction)
    state = kept(state, order_id, heard)
    if not filled.lots and heard.closed == order.closed:
        return state, ()
    return after_lots(state, event, order_id, heard, order.sign * filled.lots)


def after_lots(state: TraderState, event: TradingEvent, order_id: str, order: Order, lots: int) -> Booked:
    """The pair of an order after signed lots of it came or went."""
    state, outputs = settle(state, event, order_id, order, lots)
    if order.pair in state.pairs:
        return state, outputs
    state, crossed = books.crossed(state, event, order.pair)
    return state, outputs + crossed


def moved(state: TraderState, order: Order, lots: int, price_ticks: int, venue: str = "") -> TraderState:
    """Position, day and book after signed lots of an order at a price. `venue`: whose fee, if not the instrument's."""
    position = state.position(order.instrument).traded(lots, price_ticks)
    state = replace(state, positions=state.positions | {order.instrument: position})
    instrument = state.config.instruments.get(order.instrument)
    if instrument is not None:
        worth = lots * order.sign * abs(price_ticks) * instrument.tick_size * instrument.lot_size
        worth *= state.limits.rate(instrument.currency)
        day: Day = state.day  # lots that are taken back are less than none
        state = replace(state, day=replace(day, turnover=max(0.0, day.turnover + worth)))
    return books.filled(filled_since(state, order.instrument, lots), order, lots, price_ticks, venue=venue)


def corrected(state: TraderState, order: Order, value: int) -> TraderState:
    """Position and book after lots of an order turn out to be worth `value` more, in price ticks x lots."""
    position = state.position(order.instrument).corrected(value, order.sign)
    state = replace(state, positions=state.positions | {order.instrument: position})
    return books.corrected(state, order, value)


def kept(state: TraderState, order_id: str, order: Order) -> TraderState:
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


def ticks_of(state: TraderState, instrument: str, price: float) -> int | None:
    """A price in ticks, to the nearest; None where it is none (0, not a number, absurd)."""
    known = state.config.instruments.get(instrument)
    if known is None or not math.isfinite(price) or price == 0:
        return None
    ticks = round(price / known.tick_size)
    return ticks if abs(ticks) <= MAX_PRICE_TICKS else None


def marked_ticks(state: TraderState, instrument: str) -> int:
    """An instrument at its last mark, in ticks; 0 where there is none."""
    return ticks_of(state, instrument, mid_of(state, instrument)) or 0
