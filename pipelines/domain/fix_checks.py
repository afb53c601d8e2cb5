"""What a report tells that cannot be: by itself, and for an order of the size that it is of."""

from decimal import Decimal

from pipelines.domain.fix_words import ExecKind, OrdStatus, Report

MAX_QUANTITY = Decimal(10) ** 15
"""No order, and no believable report, is of more."""

_ENDED = frozenset({OrdStatus.CANCELED, OrdStatus.EXPIRED, OrdStatus.REJECTED, OrdStatus.FILLED})
_MAY_HOLD_NOTHING = frozenset({OrdStatus.DONE_FOR_DAY, OrdStatus.CALCULATED})
_ZERO = Decimal(0)


def amiss(word: Report, largest: Decimal | None) -> tuple[Report, list[str]]:
    """The report without the quantities that cannot be, and what is amiss with them.

    `largest` is the largest quantity that the order ever was asked to be of.
    """
    errors: list[str] = []
    word = word._replace(
        quantity=_believable("OrderQty", word.quantity, errors),
        cum=_believable("CumQty", word.cum, errors),
        leaves=_believable("LeavesQty", word.leaves, errors),
        last=_believable("LastQty", word.last, errors),
    )
    trade = word.kind in (ExecKind.TRADE, ExecKind.TRADE_CORRECT)
    limit = max((each for each in (largest, word.quantity) if each is not None), default=None)
    if trade and word.last is not None and limit is not None and word.last > limit:
        errors.append(f"LastQty {word.last} of an order for {limit}: not taken")
        word = word._replace(last=None)
    elif trade and word.last is not None and word.cum is not None and word.last > word.cum:
        errors.append(f"LastQty {word.last} is more than CumQty {word.cum}: not taken")
        word = word._replace(last=None)
    return word, errors


def contradictions(word: Report, order_qty: Decimal | None) -> list[str]:
    """How the report's numbers and status contradict each other."""
    quantity = word.quantity if word.quantity is not None else order_qty
    cum, leaves, status = word.cum, word.leaves, word.status
    if cum is None:
        return []
    errors = []
    if status is OrdStatus.PARTIALLY_FILLED and (not cum or (quantity is not None and cum >= quantity)):
        errors.append(f"OrdStatus {status} at CumQty {cum}" + (f" of {quantity}" if quantity is not None else ""))
    elif status is OrdStatus.FILLED and quantity is not None and cum < quantity:
        errors.append(f"OrdStatus {status} at CumQty {cum} of {quantity}")
    elif status in (OrdStatus.NEW, OrdStatus.PENDING_NEW, OrdStatus.REJECTED) and cum:
        errors.append(f"OrdStatus {status} at CumQty {cum}")
    if leaves is None:
        return errors
    if status in _ENDED:
        if leaves:
            errors.append(f"LeavesQty {leaves} of an order that is {status}")
    elif quantity is not None and not (status in _MAY_HOLD_NOTHING and not leaves):
        remains = max(_ZERO, quantity - cum)
        if leaves != remains:
            errors.append(f"LeavesQty {leaves} is not OrderQty {quantity} - CumQty {cum}")
    return errors


def _believable(name: str, value: Decimal | None, errors: list[str]) -> Decimal | None:
    if value is None or _ZERO <= value <= MAX_QUANTITY:
        return value
    errors.append(f"{name} {value}: not taken")
    return None
