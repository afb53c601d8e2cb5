"""What FIX says about an order, as values: requests as they are sent, reports as they come. FIX 4.2 and 4.4 alike."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class OrdStatus(StrEnum):
    """OrdStatus (39) by its names in Appendix D. UNKNOWN: sent, and no word of it."""

    UNKNOWN = "Unknown"
    PENDING_NEW = "Pending New"
    NEW = "New"
    REJECTED = "Rejected"
    ACCEPTED_FOR_BIDDING = "Accepted for Bidding"
    REPLACED = "Replaced"
    PARTIALLY_FILLED = "Partially Filled"
    CANCELED = "Canceled"
    EXPIRED = "Expired"
    SUSPENDED = "Suspended"
    STOPPED = "Stopped"
    FILLED = "Filled"
    CALCULATED = "Calculated"
    DONE_FOR_DAY = "Done for Day"
    PENDING_REPLACE = "Pending Replace"
    PENDING_CANCEL = "Pending Cancel"


PRECEDENCE: Mapping[OrdStatus, int] = {
    OrdStatus.PENDING_CANCEL: 12,
    OrdStatus.PENDING_REPLACE: 11,
    OrdStatus.DONE_FOR_DAY: 10,
    OrdStatus.CALCULATED: 9,
    OrdStatus.FILLED: 8,
    OrdStatus.STOPPED: 7,
    OrdStatus.SUSPENDED: 6,
    OrdStatus.CANCELED: 5,
    OrdStatus.EXPIRED: 5,
    OrdStatus.PARTIALLY_FILLED: 4,
    OrdStatus.REPLACED: 3,
    OrdStatus.NEW: 2,
    OrdStatus.REJECTED: 2,
    OrdStatus.PENDING_NEW: 2,
    OrdStatus.ACCEPTED_FOR_BIDDING: 2,
    OrdStatus.UNKNOWN: 0,
}
"""Of several states that an order is in at once, the highest is told (Appendix D)."""

FINAL = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED})
"""The venue's last word, but for a reinstatement. A late fill still counts."""

STATUS_OF: Mapping[str, OrdStatus] = {
    "0": OrdStatus.NEW,
    "1": OrdStatus.PARTIALLY_FILLED,
    "2": OrdStatus.FILLED,
    "3": OrdStatus.DONE_FOR_DAY,
    "4": OrdStatus.CANCELED,
    "5": OrdStatus.REPLACED,
    "6": OrdStatus.PENDING_CANCEL,
    "7": OrdStatus.STOPPED,
    "8": OrdStatus.REJECTED,
    "9": OrdStatus.SUSPENDED,
    "A": OrdStatus.PENDING_NEW,
    "B": OrdStatus.CALCULATED,
    "C": OrdStatus.EXPIRED,
    "D": OrdStatus.ACCEPTED_FOR_BIDDING,
    "E": OrdStatus.PENDING_REPLACE,
}
"""OrdStatus by the value of tag 39."""


class ExecKind(StrEnum):
    """What a report is about: ExecType (150), and in FIX 4.2 ExecTransType (20) with it."""

    NEW = "New"
    TRADE = "Trade"
    TRADE_CORRECT = "Trade Correct"
    TRADE_CANCEL = "Trade Cancel"
    DONE_FOR_DAY = "Done for Day"
    CANCELED = "Canceled"
    REPLACED = "Replace"
    PENDING_CANCEL = "Pending Cancel"
    STOPPED = "Stopped"
    REJECTED = "Rejected"
    SUSPENDED = "Suspended"
    PENDING_NEW = "Pending New"
    CALCULATED = "Calculated"
    EXPIRED = "Expired"
    RESTATED = "Restated"
    PENDING_REPLACE = "Pending Replace"
    STATUS = "Order Status"
    TRIGGERED = "Triggered"


KIND_OF: Mapping[str, ExecKind] = {
    "0": ExecKind.NEW,
    "1": ExecKind.TRADE,
    "2": ExecKind.TRADE,
    "3": ExecKind.DONE_FOR_DAY,
    "4": ExecKind.CANCELED,
    "5": ExecKind.REPLACED,
    "6": ExecKind.PENDING_CANCEL,
    "7": ExecKind.STOPPED,
    "8": ExecKind.REJECTED,
    "9": ExecKind.SUSPENDED,
    "A": ExecKind.PENDING_NEW,
    "B": ExecKind.CALCULATED,
    "C": ExecKind.EXPIRED,
    "D": ExecKind.RESTATED,
    "E": ExecKind.PENDING_REPLACE,
    "F": ExecKind.TRADE,
    "G": ExecKind.TRADE_CORRECT,
    "H": ExecKind.TRADE_CANCEL,
    "I": ExecKind.STATUS,
    "L": ExecKind.TRIGGERED,
}
"""What a report is about by the value of tag 150."""

FILLS = frozenset({ExecKind.TRADE, ExecKind.TRADE_CORRECT, ExecKind.TRADE_CANCEL})
"""Reports that change what is filled, each by its own LastQty."""


class Moment(NamedTuple):
    """When a counterparty said something: TransactTime, SendingTime (a resend's first one), session and MsgSeqNum."""

    transact_ns: int | None = None
    sent_ns: int | None = None
    session: str = ""
    number: int | None = None


def older(one: Moment, other: Moment) -> bool:
    """Whether `one` was surely said before `other`: by the first of the clocks, then numbers, in which they differ."""
    for mine, theirs in ((one.transact_ns, other.transact_ns), (one.sent_ns, other.sent_ns)):
        if mine is not None and theirs is not None and mine != theirs:
            return mine < theirs
    if one.session != other.session or one.number is None or other.number is None:
        return False
    return one.number < other.number


class NewOrder(NamedTuple):
    """NewOrderSingle (D). `again`: marked as possibly sent before. `day`: good for the day only."""

    cl_ord_id: str
    symbol: str
    side: str
    quantity: Decimal
    moment: Moment = Moment()
    again: bool = False
    day: bool = True


class RequestKind(StrEnum):
    """What is asked for: OrderCancelRequest (F) or OrderCancelReplaceRequest (G)."""

    CANCEL = "cancel"
    REPLACE = "replace"


class ChangeRequest(NamedTuple):
    """A request that an order be canceled or replaced. `quantity` is the replacement's OrderQty, None if not told."""

    kind: RequestKind
    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str = ""
    quantity: Decimal | None = None
    moment: Moment = Moment()


class StatusRequest(NamedTuple):
    """OrderStatusRequest (H)."""

    cl_ord_id: str
    order_id: str = ""
    moment: Moment = Moment()


class Report(NamedTuple):
    """ExecutionReport (8). Quantities as told, None where they are not."""

    cl_ord_id: str
    kind: ExecKind
    status: OrdStatus
    exec_id: str
    orig_cl_ord_id: str = ""
    order_id: str = ""
    refers: str = ""
    """ExecRefID: the execution that is busted or corrected."""
    symbol: str = ""
    side: str = ""
    quantity: Decimal | None = None
    cum: Decimal | None = None
    leaves: Decimal | None = None
    last: Decimal | None = None
    price: Decimal | None = None
    average: Decimal | None = None
    duplicate_order: bool = False
    """OrdRejReason 6: a second order with the id of the first was rejected."""
    corporate_action: bool = False
    """ExecRestatementReason 0: what was filled before is restated too."""
    moment: Moment = Moment()


class CancelReject(NamedTuple):
    """OrderCancelReject (9). `status` is the order's, once the request is off the table."""

    cl_ord_id: str
    orig_cl_ord_id: str
    status: OrdStatus | None
    order_id: str = ""
    moment: Moment = Moment()


class Refusal(NamedTuple):
    """Reject (3) or BusinessMessageReject (j) of a message: which one, by MsgSeqNum or by its ClOrdID, and why."""

    of_type: str
    of_number: int | None
    cl_ord_id: str
    reason: str
    moment: Moment = Moment()


Word = NewOrder | ChangeRequest | StatusRequest | Report | CancelReject | Refusal
