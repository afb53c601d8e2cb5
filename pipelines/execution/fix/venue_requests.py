"""What a participant asks of a simulated venue: fields of a FIX message in, a request out."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueCancel, VenueOrder, VenueReplace
from pipelines.execution.fix.fields import Fields
from pipelines.execution.fix.symbols import SIDES, Symbols, Unfit, lots_of, read_decimal
from pipelines.execution.fix_time import read_time

FORCES: Mapping[str, TimeInForce] = {
    "0": TimeInForce.DAY,
    "2": TimeInForce.OPENING,
    "3": TimeInForce.IMMEDIATE,
    "4": TimeInForce.ALL_OR_NOTHING,
    "7": TimeInForce.CLOSING,
}
"""TimeInForce (59)."""

ECHOED = (1, 18, 38, 40, 44, 54, 55, 59)
"""Tags of an order that reports on it carry, as it had them, but for what replacements have changed."""

POST_ONLY, MIDPOINT = "6", "M"
"""ExecInst (18): participate don't initiate; mid-price peg."""

_ALL_OF_A_PARTICIPANT = "7"
_NO_TIME_NS = 2**62
"""In the year 2116: what is later is a slip, and would not be a number of 64 bits once a day is added."""


@dataclass(frozen=True, slots=True)
class StatusAsked:
    """OrderStatusRequest (H). `request`: OrdStatusReqID (790)."""

    participant: str
    client_order_id: str
    request: str
    symbol: str
    side: str


@dataclass(frozen=True, slots=True)
class AllStatusAsked:
    """OrderMassStatusRequest (AF), of all open orders. `request`: MassStatusReqID (584)."""

    participant: str
    request: str


def time_of(fields: Fields) -> int | None:
    """TransactTime in ns; None for what is no time, or none that an order can have."""
    found = read_time(fields.get(60))
    return found if found is not None and 0 <= found < _NO_TIME_NS else None


def is_resent(fields: Fields) -> bool:
    """Whether a session sends it again (PossDupFlag), which is no second order of its sender's."""
    return fields.get(43) == "Y"


def echo(fields: Fields) -> dict[int, str]:
    """What reports on an order repeat."""
    return {tag: fields[tag] for tag in ECHOED if fields.get(tag)}


def new_order(participant: str, fields: Fields, symbols: Symbols) -> VenueOrder:
    """NewOrderSingle (D). Raises Unfit."""
    instrument = symbols.find(fields.get(55, ""))
    side = SIDES.get(fields.get(54, ""))
    if side is None:
        raise Unfit(f"Side (54) {fields.get(54, '')!r}: this venue takes 1, 2, 5 and 6")
    kind, post_only = _kind(fields)
    force = FORCES.get(fields.get(59, "0"))
    if force is None:
        raise Unfit(f"TimeInForce (59) {fields.get(59)!r}: this venue takes {', '.join(FORCES)}", 11)
    return VenueOrder(
        participant=participant,
        client_order_id=fields[11],
        instrument=instrument.id,
        side=side,
        quantity=lots_of(fields.get(38, ""), instrument),
        kind=kind,
        price=_price(fields, kind),
        time_in_force=force,
        event_time_ns=_time(fields),
        post_only=post_only,
    )


def cancel(participant: str, fields: Fields) -> VenueCancel:
    """OrderCancelRequest (F). Raises Unfit."""
    return VenueCancel(participant, fields[11], fields[41], _time(fields))


def replacement(participant: str, fields: Fields, order: VenueOrder, symbols: Symbols) -> VenueReplace:
    """OrderCancelReplaceRequest (G) of an order. Raises Unfit."""
    instrument = symbols.of(order.instrument)
    if fields.get(55) != instrument.symbol or SIDES.get(fields.get(54, "")) is not order.side:
        raise Unfit("Symbol (55) and Side (54) are not the order's: cancel it and send another")
    kind, post_only = _kind(fields)
    if kind is not order.kind or post_only is not order.post_only:
        raise Unfit("OrdType (40) and ExecInst (18) are not the order's: cancel it and send another")
    if FORCES.get(fields.get(59, "0")) not in (order.time_in_force, TimeInForce.DAY):
        raise Unfit("TimeInForce (59) is not the order's: cancel it and send another")
    lots, price = lots_of(fields.get(38, ""), instrument), _price(fields, kind)
    return VenueReplace(participant, fields[11], fields[41], lots, price, _time(fields))


def status(participant: str, fields: Fields) -> StatusAsked:
    """OrderStatusRequest (H)."""
    return StatusAsked(participant, fields[11], fields.get(790, ""), fields.get(55, ""), fields.get(54, ""))


def all_status(participant: str, fields: Fields) -> AllStatusAsked:
    """OrderMassStatusRequest (AF). Raises Unfit."""
    if fields.get(585) != _ALL_OF_A_PARTICIPANT:
        raise Unfit(f"MassStatusReqType (585) {fields.get(585)!r}: this venue takes 7, all orders")
    return AllStatusAsked(participant, fields[584])


def _kind(fields: Fields) -> tuple[OrderKind, bool]:
    """What an order is, and whether it may only rest."""
    told = set(fields.get(18, "").split())
    other = told - {POST_ONLY, MIDPOINT}
    if other:
        raise Unfit(f"ExecInst (18) {sorted(other)[0]!r}: this venue takes 6, post only, and M, midpoint", 11)
    match fields.get(40), MIDPOINT in told:
        case "1", False:
            return OrderKind.MARKET, POST_ONLY in told
        case "2", False:
            return OrderKind.LIMIT, POST_ONLY in told
        case "P", True:
            return OrderKind.MIDPOINT, POST_ONLY in told
    raise Unfit(f"OrdType (40) {fields.get(40)!r}: this venue takes 1 market, 2 limit, P with ExecInst (18) M", 11)


def _price(fields: Fields, kind: OrderKind) -> float:
    if kind is OrderKind.MARKET:
        return 0.0
    if 44 not in fields:
        if kind is OrderKind.LIMIT:
            raise Unfit("Price (44) is missing: a limit order has one")
        return 0.0
    return float(read_decimal(fields[44], "Price (44)"))


def _time(fields: Fields) -> int:
    found = time_of(fields)
    if found is None:
        raise Unfit(f"TransactTime (60) {fields.get(60, '')!r}: give YYYYMMDD-HH:MM:SS with up to nine decimals, UTC")
    return found
