"""A fill taken back or corrected by its venue, long after it was told or before it was."""

from msgspec.structs import replace

from pipelines.domain.account import AMENDED_KEPT, Stance, TraderState
from pipelines.domain.booking import Booked, after_lots, corrected, kept, moved, ticks_of
from pipelines.domain.checks import Check, reason
from pipelines.domain.moves import onward
from pipelines.domain.orders import EXEC_IDS_KEPT, MAX_LOTS, Order, OrderState
from pipelines.domain.outputs import refusal
from pipelines.domain.sizing import Broken
from pipelines.domain.trading import Report, TradingEvent


def amend(state: TraderState, event: TradingEvent, report: Report) -> Booked:
    """The account after a bust or a correction: position, books and pair as if the fill had been as it is told now.

    A pair that is held and loses a leg by it is closed, or completed where the sizing says so. An order that the
    account has forgotten is what the report says of it; where it does not say, the position alone moves. Of one that it
    knows, an amendment and what was told before it may come in any order.
    """
    if report.word in state.amended:
        return state, ()
    known = state.orders.get(report.client_order_id) or state.closed.get(report.client_order_id)
    order = known or _told(state, report)
    was, now = ticks_of(state, report.instrument, report.amended_price), None
    if report.last_quantity:
        now = ticks_of(state, report.instrument, report.last_price)
    quantities = (report.amended_quantity, report.last_quantity)
    if order is None or was is None or (report.last_quantity and now is None) or not _plausible(quantities):
        told = f"{report.exec_id} amends {report.amends} of order {report.client_order_id}"
        was_told = f"{report.amended_quantity} lots at {report.amended_price:g}"
        why = f"{told}: {was_told} become {report.last_quantity} at {report.last_price:g}"
        return state, (refusal(state.config, event, report.pair, reason(Check.IMPLAUSIBLE_REPORT, why)),)
    state = replace(state, amended=(*state.amended[1 - AMENDED_KEPT :], report.word))
    lots_back, value, order = _taken_back(order, report, was)
    venue = report.venue if report.child else ""
    if lots_back:
        state = moved(state, order, -order.sign * lots_back, value // lots_back, venue)
        state = corrected(state, order, -(value % lots_back))
    if now is not None:
        state = moved(state, order, order.sign * report.last_quantity, now, venue)
    order = replace(order, filled=order.filled + report.last_quantity)
    if known is not None:
        state = kept(state, report.client_order_id, order)
    lots = order.sign * (report.last_quantity - lots_back)
    if not lots or not order.pair:
        return state, ()
    state, outputs = after_lots(state, event, report.client_order_id, order, lots)
    pair = state.pairs.get(order.pair)
    if (
        outputs
        or pair is None
        or pair.moving
        or pair.stance not in (Stance.LONG, Stance.SHORT)
        or pair.lots == pair.goal
    ):
        return state, outputs
    completes = state.config.sizing.broken is Broken.COMPLETE
    pair = replace(pair, targets=pair.targets if completes else {}, tries=0)
    return onward(state, event, order.pair, pair, order.strategy)


def _told(state: TraderState, report: Report) -> Order | None:
    """A forgotten order, as the report has it from its intent."""
    if report.instrument not in state.config.instruments:
        return None
    quantity, strategy = report.amended_quantity, report.strategy
    order = Order(report.pair, report.leg, report.instrument, report.side, quantity, OrderState.FILLED, quantity)
    return replace(order, exec_ids=(report.amended_word,), strategy=strategy)


def _taken_back(order: Order, report: Report, was: int) -> tuple[int, int, Order]:
    """Lots, what they are booked at in price ticks x lots, and the order without it. A fill that has not been told
    itself may be among those known by their sum; if not there is nothing to take back, and it does not count when it
    comes."""
    exec_ids = (*order.exec_ids[1 - EXEC_IDS_KEPT :], report.word)
    if report.amended_word in order.exec_ids:
        filled = order.filled - report.amended_quantity
        booked = report.amended_quantity * was
        return report.amended_quantity, booked, replace(order, exec_ids=exec_ids, amended=True, filled=filled)
    lots = min(report.amended_quantity, order.unpriced)
    value = order.guessed_value * lots // order.unpriced if lots else 0
    order = replace(
        order,
        exec_ids=exec_ids,
        void=(*order.void, report.amended_word),
        amended=True,
        filled=order.filled - lots,
        unpriced=order.unpriced - lots,
        guessed_value=order.guessed_value - value,
    )
    return lots, value, order


def _plausible(quantities: tuple[int, int]) -> bool:
    return all(0 <= each <= MAX_LOTS for each in quantities) and quantities[0] > 0
