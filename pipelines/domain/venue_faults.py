"""Why a simulated venue does not take an order, whatever its market does."""

import math

from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueOrder

_PASSIVE = (TimeInForce.DAY,)
_ON_TICK = 1e-6


def fault(order: VenueOrder, instrument: Instrument | None, config: EngineConfig) -> str:
    """The reason, empty if there is none."""
    if instrument is None:
        return f"instrument {order.instrument!r} is not traded here"
    if order.quantity <= 0:
        return f"quantity {order.quantity} lots: an order needs 1 or more"
    if config.midpoint != (order.kind is OrderKind.MIDPOINT):
        takes = "midpoint orders alone" if config.midpoint else "market and limit orders"
        return f"order kind {order.kind.value!r}: this venue takes {takes}"
    if order.kind is OrderKind.MIDPOINT and order.time_in_force in (TimeInForce.OPENING, TimeInForce.CLOSING):
        return f"time in force {order.time_in_force.value!r}: a dark venue has no auctions"
    if order.post_only and (order.kind is not OrderKind.LIMIT or order.time_in_force not in _PASSIVE):
        return f"post only: a {order.kind.value} order, {order.time_in_force.value}, does not rest"
    if order.kind is OrderKind.LIMIT or (order.kind is OrderKind.MIDPOINT and order.price):
        return _price_fault(order.price, instrument.tick_size)
    return ""


def _price_fault(price: float, tick_size: float) -> str:
    if not 0 < price < math.inf:
        return f"price {price}: an order's is above 0"
    ticks = price / tick_size
    if abs(ticks - round(ticks)) > _ON_TICK:
        return f"price {price} is not a multiple of the tick, {tick_size}"
    return ""
