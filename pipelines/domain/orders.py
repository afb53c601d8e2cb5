"""The life of an order: what each word about it makes of it, in whatever order the words come.

The cumulative quantity decides how much is filled: a repeated or older report adds nothing, a late fill of a canceled
order still counts. Fills that are known only by their sum (a later report came first, or a status answer told of them)
are booked at a guessed price, and corrected when their own report comes.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import msgspec

from pipelines.domain.trading import OrderStatus, Report, Side

EXEC_IDS_KEPT = 256
"""Reports of an order remembered by id: the newest of them. Quantities are safe without; a price may not be."""

MAX_LOTS = 1 << 31
"""No order, and no believable report, is of more lots than this."""


class OrderState(StrEnum):
    """Where an order is. PENDING: decided; SENT: its intent is in the log; the rest as its venue says."""

    PENDING = "pending"
    SENT = "sent"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


CLOSED = frozenset({OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED})
"""No more is expected of the order. A late fill still moves the position."""

_AS_TOLD: Mapping[OrderStatus, OrderState] = {status: OrderState(status.value) for status in OrderStatus}
_STAYS: Mapping[OrderState, Mapping[OrderStatus, OrderState]] = {
    state: dict.fromkeys(OrderStatus, state) for state in OrderState
}

TRANSITIONS: Mapping[OrderState, Mapping[OrderStatus, OrderState]] = {
    OrderState.PENDING: _AS_TOLD,
    OrderState.SENT: _AS_TOLD,
    OrderState.NEW: _AS_TOLD,
    OrderState.PARTIALLY_FILLED: {**_AS_TOLD, OrderStatus.NEW: OrderState.PARTIALLY_FILLED},
    OrderState.UNKNOWN: _AS_TOLD,
    OrderState.FILLED: _STAYS[OrderState.FILLED],
    OrderState.CANCELED: _STAYS[OrderState.CANCELED],
    OrderState.REJECTED: _STAYS[OrderState.REJECTED],
}
"""State, word -> state. Quantities then have the last word: filled to its quantity is FILLED whatever was said."""


class Order(msgspec.Struct, frozen=True, array_like=True):
    """One order. Quantities in lots, unsigned; money in price ticks x lots. New fields go last, with a default.

    `unpriced` of the `filled` lots are booked at a guess, worth `guessed_value` together.
    """

    pair: str
    leg: int
    instrument: str
    side: Side
    quantity: int
    state: OrderState = OrderState.PENDING
    filled: int = 0
    unpriced: int = 0
    guessed_value: int = 0
    exec_ids: tuple[str, ...] = ()
    strategy: str = ""
    cancel: str = ""
    """Client id of the request that it be canceled; empty where there is none."""
    amended: bool = False
    """A fill of it was taken back or corrected: from then on each fill counts by its own report alone, as sums told
    before and after that do not go together."""
    void: tuple[str, ...] = ()
    """Exec ids of fills that were amended before they were told: their lots do not count when they come."""

    @property
    def sign(self) -> int:
        return 1 if self.side is Side.BUY else -1

    @property
    def closed(self) -> bool:
        return self.state in CLOSED

    @property
    def leaves(self) -> int:
        """Lots that may still fill: all that is not filled until the venue's last word, UNKNOWN included."""
        return 0 if self.state in CLOSED else max(0, self.quantity - self.filled)

    @property
    def settled(self) -> bool:
        """Nothing that may still come can change anything: filled whole, and every lot priced."""
        return self.filled >= self.quantity and not self.unpriced


def reach(lots: int, order: Order | None) -> tuple[int, int]:
    """The fewest and the most signed lots that a leg of `lots` may come to, whatever becomes of its order."""
    if order is None:
        return lots, lots
    return (lots, lots + order.leaves) if order.side is Side.BUY else (lots - order.leaves, lots)


class Filled(NamedTuple):
    """What a report adds to an order's fills: lots at its own price, lots at a guess, a correction of older guesses.

    `correction` in price ticks x lots: what the lots were worth by their own reports less what was guessed.
    """

    priced: int
    guessed: int
    correction: int

    @property
    def lots(self) -> int:
        return self.priced + self.guessed


def hear(order: Order, report: Report, price_ticks: int | None, guess_ticks: int) -> tuple[Order, Filled]:
    """The order after a report, and the fills that were news. `price_ticks` is None where the report prices nothing.

    The caller has dropped reports whose exec id is in `order.exec_ids`, and quantities outside 0..MAX_LOTS.
    """
    told = report.last_quantity if price_ticks is not None and report.word not in order.void else 0
    news = max(0, told - order.unpriced) if order.amended else max(0, report.cumulative_quantity - order.filled)
    priced = min(told, news)
    corrected = min(told - priced, order.unpriced)  # counted before, by a sum
    guessed = news - priced
    unpriced = order.unpriced + guessed
    guessed_value = order.guessed_value + guessed * guess_ticks
    correction = 0
    if corrected and price_ticks is not None:
        released = guessed_value * corrected // unpriced
        correction = corrected * price_ticks - released
        unpriced -= corrected
        guessed_value -= released
    filled = order.filled + news
    return msgspec.structs.replace(
        order,
        state=_state_after(order, report.status, filled),
        filled=filled,
        unpriced=unpriced,
        guessed_value=guessed_value,
        exec_ids=(*order.exec_ids[1 - EXEC_IDS_KEPT :], report.word),
    ), Filled(priced, guessed, correction)


def sent(order: Order) -> Order:
    """The order after its intent was seen in the log."""
    if order.state is not OrderState.PENDING:
        return order
    return msgspec.structs.replace(order, state=OrderState.SENT)


def _state_after(order: Order, told: OrderStatus, filled: int) -> OrderState:
    if filled >= order.quantity:
        return OrderState.FILLED
    state = TRANSITIONS[order.state][told]
    if filled and state is OrderState.NEW:
        return OrderState.PARTIALLY_FILLED
    return state
