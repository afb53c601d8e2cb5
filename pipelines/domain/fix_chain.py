"""The ClOrdIDs of one order: the versions that it was accepted in, and the requests to change or cancel it.

What is known does not depend on the order in which reports come: a settled request stays settled, and of the versions
that were accepted the last of the chain is the order.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pipelines.domain.fix_words import (
    FINAL,
    ExecKind,
    Moment,
    NewOrder,
    OrdStatus,
    Report,
    RequestKind,
    older,
)

V = TypeVar("V")

IDS_KEPT = 256
"""Requests and versions remembered of one order: the newest of them."""

PENDING: Mapping[OrdStatus, RequestKind] = {
    OrdStatus.PENDING_CANCEL: RequestKind.CANCEL,
    OrdStatus.PENDING_REPLACE: RequestKind.REPLACE,
}
"""The requests by which an order is in these states."""

_STATUS_BY_KIND = {kind: status for status, kind in PENDING.items()}
_REQUEST_OF: Mapping[ExecKind, RequestKind] = {
    ExecKind.PENDING_CANCEL: RequestKind.CANCEL,
    ExecKind.CANCELED: RequestKind.CANCEL,
    ExecKind.PENDING_REPLACE: RequestKind.REPLACE,
    ExecKind.REPLACED: RequestKind.REPLACE,
}


class Request:
    """A request that the order be canceled or replaced. Once settled, no late word makes it pending again."""

    __slots__ = ("cl_ord_id", "depth", "kind", "pending", "quantity", "settled")

    def __init__(self, cl_ord_id: str, kind: RequestKind, depth: int) -> None:
        self.cl_ord_id = cl_ord_id
        self.kind = kind
        self.depth = depth
        """Which version of the order it would make: one more than the one it asks to change."""
        self.quantity: Decimal | None = None
        self.pending = False
        self.settled = False

    def settle(self) -> None:
        """It is answered: done, or off the table."""
        self.pending, self.settled = False, True


class Version(NamedTuple):
    """The order as first sent, or as replaced: its place in the chain, its quantity and who said so when."""

    depth: int
    quantity: Decimal | None
    moment: Moment


class Chain:
    """The ids of one order."""

    def __init__(self, cl_ord_id: str, quantity: Decimal | None) -> None:
        self.cl_ord_id = cl_ord_id
        """The one that the order goes by."""
        self.versions = {cl_ord_id: Version(0, quantity, Moment())}
        self.requests: dict[str, Request] = {}
        self.forgotten: list[str] = []
        """Ids that are no longer remembered, for who keeps orders by them."""
        self._ahead = ""  # a request of whose quantity the venue speaks before it is accepted

    def __contains__(self, cl_ord_id: str) -> bool:
        return cl_ord_id in self.versions or cl_ord_id in self.requests

    @property
    def quantity(self) -> Decimal | None:
        """What the order is for; None where no word told it."""
        ahead = self.requests.get(self._ahead)
        return self.versions[self.cl_ord_id].quantity if ahead is None or ahead.settled else ahead.quantity

    @property
    def quantities(self) -> list[Decimal]:
        """What the order was, is or may become for."""
        told = [
            *(each.quantity for each in self.versions.values()),
            *(each.quantity for each in self.requests.values()),
        ]
        return [each for each in told if each is not None]

    @property
    def open(self) -> tuple[Request, ...]:
        """Requests without a last answer."""
        return tuple(each for each in self.requests.values() if not each.settled)

    def pending(self) -> list[OrdStatus]:
        """The states that requests which the venue took up put the order in."""
        return [_STATUS_BY_KIND[each.kind] for each in self.requests.values() if each.pending]

    def asked(self, status: OrdStatus) -> bool:
        """Whether any request is known that may put the order in this state."""
        return any(each.kind is PENDING.get(status) for each in self.requests.values())

    def send(self, word: NewOrder) -> None:
        """The first version, of which reports may have told already."""
        version = self.versions[word.cl_ord_id]
        quantity = word.quantity if version.quantity is None else version.quantity
        self.versions[word.cl_ord_id] = Version(version.depth, quantity, word.moment)

    def request(self, cl_ord_id: str, kind: RequestKind, orig: str) -> Request | None:
        """The request of an id, made where it is new; None where the id is the order itself."""
        if cl_ord_id in self.requests or cl_ord_id in self.versions:
            return self.requests.get(cl_ord_id)
        asked = self.versions.get(orig) or self.requests.get(orig) or self.versions[self.cl_ord_id]
        request = Request(cl_ord_id, kind, asked.depth + 1)
        self.forgotten += keep(self.requests, cl_ord_id, request, IDS_KEPT)
        return request

    def hear(self, word: Report, cum: Decimal, surely_newer: bool) -> str | None:
        """What a report does to requests and versions; what is amiss with its OrderQty."""
        if (kind := _REQUEST_OF.get(word.kind)) is not None:
            self.request(word.cl_ord_id, kind, word.orig_cl_ord_id)
        request = self.requests.get(word.cl_ord_id)
        if request is not None and word.kind in _ON_REQUEST:
            _ON_REQUEST[word.kind](self, request, word, cum)
        elif word.kind in (ExecKind.RESTATED, ExecKind.REPLACED) or self.quantity is None:
            self._requantify(word)
        taken_up = word.kind in (ExecKind.PENDING_CANCEL, ExecKind.PENDING_REPLACE)
        if (request is None and taken_up) or (surely_newer and not taken_up):
            self.mark(word.status)  # a venue that goes by the order's id; or one that tells of it in passing
        if word.quantity is None or word.kind is ExecKind.REPLACED or word.quantity in self.quantities:
            return None
        return f"OrderQty {word.quantity}, the order's is {self.quantity}: not taken"

    def mark(self, told: OrdStatus) -> None:
        """Where the order is told to be pending, and no request is known to be: the first not answered yet is."""
        asked = [each for each in self.open if each.kind is PENDING.get(told)]
        if asked and not any(each.pending for each in asked):
            asked[0].pending = True

    def look_ahead(self, quantity: Decimal) -> None:
        """Take a quantity as told, be it that of a request that is still to be accepted (matrix D.2.b)."""
        accepted = any(quantity == each.quantity for each in self.versions.values())
        ahead = [each.cl_ord_id for each in self.open if each.quantity == quantity and not accepted]
        self._ahead = ahead[0] if ahead else ""

    def _on_pending(self, request: Request, word: Report, cum: Decimal) -> None:
        request.pending = not request.settled

    def _on_end(self, request: Request, word: Report, cum: Decimal) -> None:
        request.settle()

    def _on_replaced(self, request: Request, word: Report, cum: Decimal) -> None:
        """The replacement is the order; below what is filled, it is for what is filled."""
        self._accept(request, word, word.cum if word.cum is not None else cum)

    def _on_fill(self, request: Request, word: Report, cum: Decimal) -> None:
        """A fill of the replacement: it was accepted, though the report of that is still to come."""
        pending = word.status in PENDING and len(self.open) == 1  # itself: some tell fills by the id of the request
        if request.kind is RequestKind.REPLACE and not request.settled and not pending:
            self._accept(request, word, Decimal(0))

    def _accept(self, request: Request, word: Report, least: Decimal) -> None:
        request.settle()
        told = (word.quantity, request.quantity, self.versions[self.cl_ord_id].quantity)
        quantity = next((max(each, least) for each in told if each is not None), None)
        known = self.versions.get(request.cl_ord_id)
        if known is None or not older(word.moment, known.moment):
            version = Version(request.depth, quantity, word.moment)
            self.forgotten += keep(self.versions, request.cl_ord_id, version, IDS_KEPT, but=self.cl_ord_id)
        if request.depth >= self.versions[self.cl_ord_id].depth:
            self.cl_ord_id = request.cl_ord_id

    def _requantify(self, word: Report) -> None:
        at = word.cl_ord_id if word.cl_ord_id in self.versions else self.cl_ord_id
        version, quantity = self.versions[at], word.quantity
        if quantity is None and word.cum is not None and word.leaves is not None and word.status not in FINAL:
            quantity = word.cum + word.leaves
        if quantity is not None and not older(word.moment, version.moment):
            self.versions[at] = Version(version.depth, quantity, word.moment)


_ON_REQUEST: Mapping[ExecKind, Callable[[Chain, Request, Report, Decimal], None]] = {
    ExecKind.PENDING_CANCEL: Chain._on_pending,
    ExecKind.PENDING_REPLACE: Chain._on_pending,
    ExecKind.CANCELED: Chain._on_end,
    ExecKind.REJECTED: Chain._on_end,
    ExecKind.REPLACED: Chain._on_replaced,
    ExecKind.TRADE: Chain._on_fill,
    ExecKind.TRADE_CORRECT: Chain._on_fill,
    ExecKind.TRADE_CANCEL: Chain._on_fill,
}
"""What a report on a request (its ClOrdID the request's) does to the request."""


def keep(of: dict[str, V], key: str, value: V, kept: int, but: str = "") -> list[str]:
    """Remember a value, and forget the oldest beyond what is kept: its key."""
    of[key] = value
    if len(of) <= kept:
        return []
    oldest = next(each for each in of if each not in (key, but))
    del of[oldest]
    return [oldest]
