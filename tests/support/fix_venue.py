"""A venue that works one order and reports on it without a fault: histories for laws about what is heard of them."""

from decimal import Decimal
from random import Random

from pipelines.domain.fix_words import (
    CancelReject,
    ChangeRequest,
    ExecKind,
    Moment,
    NewOrder,
    OrdStatus,
    Report,
    RequestKind,
    Word,
)

PENDING = {RequestKind.CANCEL: OrdStatus.PENDING_CANCEL, RequestKind.REPLACE: OrdStatus.PENDING_REPLACE}


class HonestVenue:
    """Steps of one order's life by a seed. `sent` is what the desk said, `heard` what the venue did, in its order."""

    def __init__(self, seed: int, amends: bool, dated: bool) -> None:
        self.random, self.amends, self.dated = Random(seed), amends, dated
        self.client, self.quantity, self.closed = "X", 100, False
        self.fills: dict[str, int] = {}
        self.pending: tuple[RequestKind, str, int] | None = None
        self.acknowledged = self.day_over = False
        self.requests = 0
        self.sent: list[Word] = [NewOrder("X", "IBM", "1", Decimal(100), day=False)]
        self.heard: list[Report | CancelReject] = []

    @property
    def cum(self) -> int:
        return sum(self.fills.values())

    @property
    def status(self) -> OrdStatus:
        if self.closed:
            return OrdStatus.FILLED if self.cum == self.quantity else OrdStatus.CANCELED
        if self.pending and self.acknowledged:
            return PENDING[self.pending[0]]
        if self.day_over:
            return OrdStatus.DONE_FOR_DAY
        if self.cum == self.quantity:
            return OrdStatus.FILLED
        return OrdStatus.PARTIALLY_FILLED if self.cum else OrdStatus.NEW

    @property
    def leaves(self) -> int:
        return 0 if self.closed else self.quantity - self.cum

    def live(self, steps: int) -> "HonestVenue":
        self._report(ExecKind.NEW)
        for _ in range(steps):
            self.random.choice([self._fill, self._fill, self._ask, self._answer, self._amend, self._night, self._end])()
        return self

    def _moment(self) -> Moment:
        number = len(self.heard) + 1
        return Moment(None, number * 10**9, "SELL>BUY", number) if self.dated else Moment()

    def _report(self, kind: ExecKind, client: str = "", orig: str = "", last: int = 0, refers: str = "") -> str:
        exec_id = f"E{len(self.heard)}"
        number = Decimal(last) if kind in (ExecKind.TRADE, ExecKind.TRADE_CORRECT) else Decimal(0)
        told = (Decimal(self.quantity), Decimal(self.cum), Decimal(self.leaves), number, Decimal(7))
        ids = {"cl_ord_id": client or self.client, "orig_cl_ord_id": orig, "exec_id": exec_id, "refers": refers}
        self.heard.append(
            Report(
                kind=kind,
                status=self.status,
                symbol="IBM",
                side="1",
                moment=self._moment(),
                **ids,
                **dict(zip(("quantity", "cum", "leaves", "last", "price"), told, strict=True)),
            )
        )
        return exec_id

    def _fill(self) -> None:
        if self.day_over or self.closed or not self.leaves:
            return
        last = self.random.randint(1, self.leaves)
        exec_id = f"E{len(self.heard)}"
        self.fills[exec_id] = last
        self._report(ExecKind.TRADE, last=last)

    def _ask(self) -> None:
        if self.pending or self.closed or self.day_over:
            return
        self.requests += 1
        kind = self.random.choice([RequestKind.CANCEL, RequestKind.REPLACE])
        quantity = self.random.randint(50, 150)
        new = f"R{self.requests}"
        self.sent.append(
            ChangeRequest(kind, new, self.client, "", Decimal(quantity) if kind is RequestKind.REPLACE else None)
        )
        self.pending, self.acknowledged = (kind, new, quantity), self.random.random() < 0.7
        if self.acknowledged:
            self._report(ExecKind(PENDING[kind].value), new, self.client)

    def _answer(self) -> None:
        if not self.pending:
            return
        (kind, new, quantity), old = self.pending, self.client
        self.pending = None
        if self.random.random() < 0.4 or (kind is RequestKind.CANCEL and not self.leaves):
            self.heard.append(CancelReject(new, old, self.status, moment=self._moment()))
        elif kind is RequestKind.CANCEL:
            self.closed = True
            self._report(ExecKind.CANCELED, new, old)
        else:
            self.client, self.quantity = new, max(quantity, self.cum)
            self._report(ExecKind.REPLACED, new, old)

    def _amend(self) -> None:
        if not self.amends or not self.fills:
            return
        refers = self.random.choice(list(self.fills))
        was = self.fills.pop(refers)
        if self.random.random() < 0.5:
            self._report(ExecKind.TRADE_CANCEL, refers=refers)
            return
        last = self.random.randint(1, was)
        self.fills[f"E{len(self.heard)}"] = last
        self._report(ExecKind.TRADE_CORRECT, last=last, refers=refers)

    def _night(self) -> None:
        if not self.dated or self.closed or self.pending or not self.leaves:
            return
        self.day_over = not self.day_over
        self._report(ExecKind.DONE_FOR_DAY if self.day_over else ExecKind.RESTATED)

    def _end(self) -> None:
        if self.random.random() < 0.1 and not self.closed and not self.pending and not self.day_over and self.leaves:
            self.closed = True
            self._report(ExecKind.CANCELED)
