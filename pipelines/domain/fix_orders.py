"""All orders of a FIX conversation: whose each message is, and what is known of that order after it.

Nothing that is said stops it: what cannot be is told in `error`, and the order stays what it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.domain.fix_order import FixOrder
from pipelines.domain.fix_words import (
    CancelReject,
    ChangeRequest,
    Moment,
    NewOrder,
    OrdStatus,
    Refusal,
    Report,
    StatusRequest,
    Word,
)

ORDERS_KEPT = 100_000
"""Orders remembered: beyond them the oldest that is done is forgotten, and the oldest where none is."""

SENT_KEPT = 10_000
"""Own messages remembered by MsgSeqNum, for a Reject (3) that names them so."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an order after a message. Quantities are None where nothing told them."""

    cl_ord_id: str
    """The id that the order goes by: of the request only once it is accepted."""
    ord_status: OrdStatus
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal | None
    avg_px: Decimal | None
    order_id: str
    symbol: str
    side: str
    pending: tuple[str, ...]
    """Requests without a last answer, as `cancel Y`."""
    error: str | None


class FixOrders:
    """Orders by each of their ClOrdIDs and OrderIDs."""

    def __init__(self, kept: int = ORDERS_KEPT) -> None:
        self._kept = kept
        self._orders: dict[int, FixOrder] = {}
        self._made = 0
        self._by_client: dict[str, int] = {}
        self._by_venue: dict[str, int] = {}
        self._sent: dict[tuple[str, int], str] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def orders(self) -> list[Known]:
        """What is known of every order."""
        return [_known(order, ()) for order in self._orders.values()]

    def known(self, *ids: str) -> Known | None:
        """What is known of the order that goes, or went, by one of these ClOrdIDs."""
        number = self._find(*ids)
        return None if number is None else _known(self._orders[number], ())

    def hear(self, word: Word) -> Known | None:
        """What is known of an order after a message about it; None for a refusal of what is no order's."""
        match word:
            case NewOrder():
                return self._new_order(word)
            case ChangeRequest():
                return self._change_request(word)
            case StatusRequest():
                return self._status_request(word)
            case Report():
                return self._report(word)
            case CancelReject():
                return self._cancel_reject(word)
            case Refusal():
                return self._refusal(word)

    def _new_order(self, word: NewOrder) -> Known:
        number = self._by_client.get(word.cl_ord_id)
        if number is None:
            number = self._make(FixOrder(word.cl_ord_id, word.symbol, word.side, word.quantity), word.cl_ord_id)
        self._remember(word.moment, word.cl_ord_id)
        return self._told(number, [self._orders[number].hear_order(word)])

    def _change_request(self, word: ChangeRequest) -> Known:
        errors: list[str | None] = []
        number = self._find(word.orig_cl_ord_id, word.cl_ord_id, order_id=word.order_id)
        if number is None:
            errors.append(f"unknown order: nothing in this log sent {word.orig_cl_ord_id or word.order_id}")
            number = self._make(FixOrder(word.orig_cl_ord_id or word.cl_ord_id), word.orig_cl_ord_id)
        errors.append(self._orders[number].hear_request(word))
        self._by_client.setdefault(word.cl_ord_id, number)
        self._remember(word.moment, word.cl_ord_id)
        return self._told(number, errors)

    def _status_request(self, word: StatusRequest) -> Known:
        number = self._find(word.cl_ord_id, order_id=word.order_id)
        return self._unknown(word.cl_ord_id or word.order_id) if number is None else self._told(number, [])

    def _report(self, word: Report) -> Known:
        errors: list[str | None] = []
        number = self._find(word.cl_ord_id, word.orig_cl_ord_id, order_id=word.order_id)
        if number is None:
            root = word.orig_cl_ord_id or word.cl_ord_id or word.order_id
            errors.append(f"unknown order: nothing in this log sent {root}; taken as told")
            number = self._make(FixOrder(root), root)
        order = self._orders[number]
        before = order.order_id
        errors += order.hear_report(word if word.cl_ord_id else word._replace(cl_ord_id=order.chain.cl_ord_id))
        for each in (word.cl_ord_id, word.orig_cl_ord_id):
            if each in order.chain:
                self._by_client.setdefault(each, number)
        if order.order_id and order.order_id != before:
            self._by_venue.pop(before, None)
            self._by_venue[order.order_id] = number
        return self._told(number, errors)

    def _cancel_reject(self, word: CancelReject) -> Known:
        number = self._find(word.cl_ord_id, word.orig_cl_ord_id, order_id=word.order_id)
        if number is None:
            return self._unknown(word.orig_cl_ord_id or word.cl_ord_id)
        return self._told(number, [self._orders[number].hear_reject(word)])

    def _refusal(self, word: Refusal) -> Known | None:
        sent = "" if word.of_number is None else self._sent.get((word.moment.session, word.of_number), "")
        cl_ord_id = word.cl_ord_id or sent
        number = self._find(cl_ord_id)
        if number is None:
            named = cl_ord_id or f"the message with MsgSeqNum {word.of_number}"
            return self._unknown(named) if word.of_type in ("D", "F", "G") else None
        if word.of_type == "H":
            return self._told(number, [f"status request refused: {word.reason}"])
        return self._told(number, [self._orders[number].refuse(cl_ord_id, word.reason)])

    def _find(self, *ids: str, order_id: str = "") -> int | None:
        for each in ids:
            if each and (number := self._by_client.get(each)) is not None:
                return number
        return self._by_venue.get(order_id) if order_id not in ("", "NONE") else None

    def _release(self, number: int) -> None:
        """Ids that the order itself has forgotten."""
        forgotten = self._orders[number].chain.forgotten
        while forgotten:
            if self._by_client.get(each := forgotten.pop()) == number:
                del self._by_client[each]

    def _make(self, order: FixOrder, cl_ord_id: str) -> int:
        self._made += 1
        self._orders[self._made] = order
        self._by_client[cl_ord_id] = self._made
        if len(self._orders) > self._kept:
            self._forget()
        return self._made

    def _forget(self) -> None:
        """Let go of an order: of the oldest hundred the first that is done, else the first."""
        oldest = [number for number, _ in zip(self._orders, range(100), strict=False)]
        number = next((each for each in oldest if self._orders[each].done), oldest[0])
        order = self._orders.pop(number)
        for each in (*order.chain.versions, *order.chain.requests, *order.chain.forgotten):
            if self._by_client.get(each) == number:
                del self._by_client[each]
        if self._by_venue.get(order.order_id) == number:
            del self._by_venue[order.order_id]

    def _remember(self, moment: Moment, cl_ord_id: str) -> None:
        if moment.number is None:
            return
        self._sent[moment.session, moment.number] = cl_ord_id
        if len(self._sent) > SENT_KEPT:
            del self._sent[next(iter(self._sent))]

    def _told(self, number: int, errors: Sequence[str | None]) -> Known:
        self._release(number)
        return _known(self._orders[number], [each for each in errors if each])

    def _unknown(self, named: str) -> Known:
        error = f"unknown order: nothing in this log sent {named}"
        return Known(named, OrdStatus.UNKNOWN, None, Decimal(0), None, None, "", "", "", (), error)


def _known(order: FixOrder, errors: Sequence[str]) -> Known:
    return Known(
        cl_ord_id=order.chain.cl_ord_id,
        ord_status=order.status,
        order_qty=order.order_qty,
        cum_qty=order.cum_qty,
        leaves_qty=order.leaves_qty,
        avg_px=order.avg_px,
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        pending=tuple(f"{each.kind} {each.cl_ord_id}" for each in order.open_requests),
        error="; ".join(errors) or None,
    )
