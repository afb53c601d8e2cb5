"""What the simulated venue does with an order: a pure function of the order and of the quote as of its match time.

An order is matched as of its own event time plus a latency drawn from (seed, client order id): the same orders and the
same ticks give the same fills, however fast they are replayed and however often they are asked for.

Depth behind the touch is synthetic, and said to be: each further level shows the touch's size, one tick worse.
"""

import hashlib
import math
from dataclasses import dataclass, replace
from decimal import Decimal

from pipelines.domain.identity import report_id
from pipelines.domain.trading import OrderRequest, OrderStatus, Report, Side, TradingEvent
from pipelines.domain.universe import Instrument


@dataclass(frozen=True, slots=True)
class MatchConfig:
    """How the simulated venue matches. Latencies in ns of event time, both ends included; `levels` of depth shown."""

    seed: int = 7
    min_latency_ns: int = 1_000_000
    max_latency_ns: int = 5_000_000
    levels: int = 100

    def __post_init__(self) -> None:
        if not 0 <= self.min_latency_ns <= self.max_latency_ns:
            raise ValueError(
                f"latency {self.min_latency_ns}..{self.max_latency_ns} ns: give a minimum of 0 or more, "
                "and a maximum not below it"
            )
        if self.levels < 1:
            raise ValueError(f"levels {self.levels}: give 1 or more")


@dataclass(frozen=True, slots=True)
class Quote:
    """The touch of one instrument: prices in its currency, sizes in units of it."""

    bid: float
    bid_size: float
    ask: float
    ask_size: float


def match_time_ns(order: OrderRequest, config: MatchConfig) -> int:
    """The event time at which an order meets the book: its own plus its latency."""
    return order.event_time_ns + latency_ns(order.client_order_id, config)


def latency_ns(client_order_id: str, config: MatchConfig) -> int:
    """Uniform in [min, max] by a hash of (seed, client order id): no state, no clock."""
    digest = hashlib.blake2b(f"{config.seed}\x1f{client_order_id}".encode(), digest_size=8).digest()
    return config.min_latency_ns + int.from_bytes(digest, "big") % (config.max_latency_ns - config.min_latency_ns + 1)


def exec_id(venue: str, client_order_id: str, number: int) -> str:
    """Id of a venue's `number`-th report of an order: the same at every telling."""
    return hashlib.blake2b(f"{venue}\x1f{client_order_id}\x1f{number}".encode(), digest_size=10).hexdigest()


def fault(order: OrderRequest, instrument: Instrument | None) -> str:
    """Why an order cannot be taken, whatever the market does; empty if it can."""
    if instrument is None:
        return f"instrument {order.instrument!r} is not traded here"
    if instrument.venue != order.venue:
        return f"instrument {order.instrument!r} trades on {instrument.venue}, not on {order.venue}"
    if order.quantity <= 0:
        return f"quantity {order.quantity} lots: an order needs 1 or more"
    if order.order_type != "market":
        return f"order type {order.order_type!r}: this venue takes market orders"
    return ""


def acknowledge(order: OrderRequest, instrument: Instrument | None, config: MatchConfig) -> TradingEvent:
    """The venue's first word on an order, number 0: new, or rejected with the reason."""
    reason = fault(order, instrument)
    if reason:
        return _report(order, config, 0, OrderStatus.REJECTED, text=reason)
    return _report(order, config, 0, OrderStatus.NEW, leaves=order.quantity)


def match(
    order: OrderRequest, instrument: Instrument, quote: Quote | None, config: MatchConfig
) -> tuple[TradingEvent, ...]:
    """Every further report of an acknowledged market order, numbered from 1; the last one is terminal.

    `quote` is the touch as of `match_time_ns(order, config)`, None where the instrument had not quoted yet: rejected.
    Each level fills up to the touch's size in whole lots (1 at least), the first at the touch, each next one a tick
    worse. What lies behind `config.levels`, or at a price not above zero, is canceled.
    """
    if quote is None:
        return (_report(order, config, 1, OrderStatus.REJECTED, text=f"no quote of {order.instrument} yet"),)
    touch, size = (quote.ask, quote.ask_size) if order.side == Side.BUY else (quote.bid, quote.bid_size)
    if not (0 < touch < math.inf and 0 <= size < math.inf):
        return (_report(order, config, 1, OrderStatus.REJECTED, text=f"no {order.side} side: {quote}"),)
    shown = max(1, math.floor(size / instrument.lot_size + 1e-9))
    reports: list[TradingEvent] = []
    filled = 0
    for level in range(config.levels):
        price = _price(touch, level, order.side, instrument.tick_size)
        if price <= 0 or filled == order.quantity:
            break
        last = min(shown, order.quantity - filled)
        filled += last
        leaves = order.quantity - filled
        status = OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED
        reports.append(_report(order, config, level + 1, status, last, price, filled, leaves))
    if filled < order.quantity:
        text = f"{order.quantity - filled} of {order.quantity} lots lay beyond the {len(reports)} levels of depth"
        reports.append(_report(order, config, len(reports) + 1, OrderStatus.CANCELED, cumulative=filled, text=text))
    return tuple(reports)


def canceled(order: OrderRequest, at_ns: int, config: MatchConfig) -> TradingEvent:
    """The last word on an order that was canceled before it met the book."""
    word = _report(order, config, 1, OrderStatus.CANCELED, text="canceled at the account's request")
    return replace(word, event_time_ns=at_ns)


def _price(touch: float, level: int, side: Side, tick_size: float) -> float:
    """The price of a level, exact in decimals: the touch itself, then on the tick grid."""
    if level == 0:
        return touch
    step = level if side == Side.BUY else -level
    return float((round(touch / tick_size) + step) * Decimal(str(tick_size)))


def _report(
    order: OrderRequest,
    config: MatchConfig,
    number: int,
    status: OrderStatus,
    last: int = 0,
    price: float = 0.0,
    cumulative: int = 0,
    leaves: int = 0,
    text: str = "",
) -> TradingEvent:
    identity = exec_id(order.venue, order.client_order_id, number)
    return TradingEvent(
        report_id(order.venue, identity),
        order.account,
        match_time_ns(order, config),
        Report(
            venue=order.venue,
            exec_id=identity,
            client_order_id=order.client_order_id,
            status=status,
            instrument=order.instrument,
            side=order.side,
            last_quantity=last,
            last_price=price,
            cumulative_quantity=cumulative,
            leaves_quantity=leaves,
            text=text,
        ),
    )
