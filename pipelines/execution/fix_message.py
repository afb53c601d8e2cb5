"""A FIX message's fields as a word about an order: tags in, values out. FIX 4.2 and 4.4, told apart by the fields."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from pipelines.domain.fix_words import (
    KIND_OF,
    STATUS_OF,
    CancelReject,
    ChangeRequest,
    ExecKind,
    Moment,
    NewOrder,
    OrdStatus,
    Refusal,
    Report,
    RequestKind,
    StatusRequest,
    Word,
)
from pipelines.execution.fix_time import read_time

NAMES: Mapping[str, str] = {
    "D": "NewOrderSingle",
    "F": "OrderCancelRequest",
    "G": "OrderCancelReplaceRequest",
    "H": "OrderStatusRequest",
    "8": "ExecutionReport",
    "9": "OrderCancelReject",
    "3": "Reject",
    "j": "BusinessMessageReject",
}
"""Messages about an order, by MsgType (35)."""

_TAGS: Mapping[int, str] = {
    6: "AvgPx",
    11: "ClOrdID",
    14: "CumQty",
    17: "ExecID",
    31: "LastPx",
    32: "LastQty",
    37: "OrderID",
    38: "OrderQty",
    39: "OrdStatus",
    41: "OrigClOrdID",
    45: "RefSeqNum",
    54: "Side",
    55: "Symbol",
    150: "ExecType",
    151: "LeavesQty",
}
_NUMBER = re.compile(r"-?([0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12})")
_COUNT = re.compile(r"[0-9]{1,18}")

Fields = Mapping[int, str]


class Incomplete(ValueError):
    """A message about an order that lacks a field, or has one that cannot be read."""


def word_of(fields: Fields) -> Word | None:
    """What a message says about an order; None for one that is not about any. Raises Incomplete."""
    read = _READ.get(fields.get(35, ""))
    return None if read is None else read(fields)


def _new_order(fields: Fields) -> NewOrder:
    return NewOrder(
        cl_ord_id=_need(fields, 11),
        symbol=fields.get(55, ""),
        side=fields.get(54, ""),
        quantity=_positive(fields, 38),
        moment=_moment(fields),
        again=fields.get(43) == "Y" or fields.get(97) == "Y",
        day=fields.get(59, "0") not in ("1", "6"),
    )


def _cancel(fields: Fields) -> ChangeRequest:
    return _request(fields, RequestKind.CANCEL, None)


def _replace(fields: Fields) -> ChangeRequest:
    return _request(fields, RequestKind.REPLACE, _positive(fields, 38) if 38 in fields else None)


def _request(fields: Fields, kind: RequestKind, quantity: Decimal | None) -> ChangeRequest:
    if not fields.get(41) and not fields.get(37):
        raise Incomplete(f"{_name(41)} is missing")
    return ChangeRequest(kind, _need(fields, 11), fields.get(41, ""), fields.get(37, ""), quantity, _moment(fields))


def _status(fields: Fields) -> StatusRequest:
    return StatusRequest(_need(fields, 11), fields.get(37, ""), _moment(fields))


def _report(fields: Fields) -> Report:
    if not fields.get(11) and fields.get(37, "NONE") == "NONE":
        raise Incomplete(f"{_name(11)} is missing, and OrderID (37) too")
    status = STATUS_OF.get(code := _need(fields, 39))
    if status is None:
        raise Incomplete(f"{_name(39)} {code!r} is not known")
    last = _number(fields, 32)
    kind = _kind(fields, status, last)
    exec_id = fields.get(17, "")
    if not exec_id and kind is not ExecKind.STATUS:
        raise Incomplete(f"{_name(17)} is missing")
    return Report(
        cl_ord_id=fields.get(11, ""),
        kind=kind,
        status=status,
        exec_id=exec_id,
        orig_cl_ord_id=fields.get(41, ""),
        order_id=fields.get(37, ""),
        refers=fields.get(19, "") if kind in (ExecKind.TRADE_CANCEL, ExecKind.TRADE_CORRECT) else "",
        symbol=fields.get(55, ""),
        side=fields.get(54, ""),
        quantity=_number(fields, 38),
        cum=_number(fields, 14),
        leaves=_number(fields, 151),
        last=last,
        price=_number(fields, 31),
        average=_number(fields, 6),
        duplicate_order=fields.get(103) == "6",
        corporate_action=kind is ExecKind.RESTATED and fields.get(378) == "0",
        moment=_moment(fields),
    )


def _kind(fields: Fields, status: OrdStatus, last: Decimal | None) -> ExecKind:
    """What a report is about: by ExecTransType (20) where it has one (FIX 4.2), ExecType (150), else OrdStatus."""
    match fields.get(20, "0"):
        case "0":
            pass
        case "1":
            return ExecKind.TRADE_CANCEL
        case "2":
            return ExecKind.TRADE_CORRECT
        case "3":
            return ExecKind.STATUS
        case other:
            raise Incomplete(f"ExecTransType (20) {other!r} is not known")
    code = fields.get(150, "")
    if not code:  # FIX 4.0
        return ExecKind.TRADE if last else KIND_OF.get(fields[39], ExecKind.STATUS)
    if code not in KIND_OF:
        raise Incomplete(f"{_name(150)} {code!r} is not known")
    return KIND_OF[code]


def _cancel_reject(fields: Fields) -> CancelReject:
    if not fields.get(11) and not fields.get(41):
        raise Incomplete(f"{_name(11)} is missing")
    code = fields.get(39)
    if code is not None and code not in STATUS_OF:
        raise Incomplete(f"{_name(39)} {code!r} is not known")
    status = None if code is None else STATUS_OF[code]
    return CancelReject(fields.get(11, ""), fields.get(41, ""), status, fields.get(37, ""), _moment(fields))


def _refusal(fields: Fields) -> Refusal:
    """The session of its moment is that of the message it refuses: the other way round."""
    number = _count(fields, 45)
    if number is None and not fields.get(379):
        raise Incomplete(f"{_name(45)} is missing")
    return Refusal(
        of_type=fields.get(372, ""),
        of_number=number,
        cl_ord_id=fields.get(379, ""),
        reason=fields.get(58, "") or f"reason {fields.get(373) or fields.get(380) or 'not told'}",
        moment=_moment(fields)._replace(session=f"{fields.get(56, '')}>{fields.get(49, '')}"),
    )


_READ: Mapping[str, Callable[[Fields], Word]] = {
    "D": _new_order,
    "F": _cancel,
    "G": _replace,
    "H": _status,
    "8": _report,
    "9": _cancel_reject,
    "3": _refusal,
    "j": _refusal,
}


def _moment(fields: Fields) -> Moment:
    """A resend says when it was sent at first (122)."""
    sent = fields.get(122) if fields.get(43) == "Y" and 122 in fields else fields.get(52)
    session = f"{fields.get(49, '')}>{fields.get(56, '')}"
    return Moment(read_time(fields.get(60)), read_time(sent), session, _count(fields, 34))


def _need(fields: Fields, tag: int) -> str:
    value = fields.get(tag, "")
    if not value:
        raise Incomplete(f"{_name(tag)} is missing")
    return value


def _count(fields: Fields, tag: int) -> int | None:
    text = fields.get(tag, "")
    return int(text) if _COUNT.fullmatch(text) else None


def _number(fields: Fields, tag: int) -> Decimal | None:
    text = fields.get(tag)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Incomplete(f"{_name(tag)} {text!r} is not a number")
    return Decimal(text)


def _positive(fields: Fields, tag: int) -> Decimal:
    _need(fields, tag)
    value = _number(fields, tag)
    if value is None or value <= 0:
        raise Incomplete(f"{_name(tag)} {value} is not a quantity")
    return value


def _name(tag: int) -> str:
    return f"{_TAGS[tag]} ({tag})"
