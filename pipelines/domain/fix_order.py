"""One order by FIX: what is known of it after each word about it, in whatever order the words come.

States that can be at once are kept apart (requests that are pending, what is filled, the venue's last word), and the
one of the highest precedence is told. Quantities are what the executions come to; CumQty fills in for those not seen.
"""

from decimal import Decimal

from pipelines.domain.fix_chain import PENDING, Chain, Request, keep
from pipelines.domain.fix_checks import amiss, contradictions
from pipelines.domain.fix_fills import EXECUTIONS_KEPT, ZERO, Execution, Fills
from pipelines.domain.fix_words import (
    FILLS,
    FINAL,
    PRECEDENCE,
    CancelReject,
    ChangeRequest,
    ExecKind,
    Moment,
    NewOrder,
    OrdStatus,
    Report,
    RequestKind,
    older,
)

DOUBTED_KEPT = 64
"""Fills held back, as they would overfill the order, until a bust makes room for them."""

_OF_QUANTITY = frozenset({OrdStatus.PARTIALLY_FILLED, OrdStatus.FILLED})
_MAY_HOLD_NOTHING = frozenset({OrdStatus.DONE_FOR_DAY, OrdStatus.CALCULATED})


class FixOrder:
    """One order: a chain of ClOrdIDs."""

    def __init__(self, cl_ord_id: str, symbol: str = "", side: str = "", quantity: Decimal | None = None) -> None:
        self.symbol, self.side = symbol, side
        self.order_id = ""
        self.day = True
        self.fills = Fills()
        self.chain = Chain(cl_ord_id, quantity)
        self.final: OrdStatus | None = None
        self._told: OrdStatus | None = None  # by the newest word, but for what requests and quantities decide
        self._told_filled = self._pending_when_full = self._holds_nothing = self._acknowledged = False
        self._newest: Moment | None = None
        self._reinstated: Moment | None = None
        self._unknown_there = False
        self._most_told = ZERO
        self._last_told: Decimal | None = None
        self._last_told_at: Moment | None = None
        self._average: Decimal | None = None
        self._told_pending: OrdStatus | None = None
        self._exec_ids: dict[str, tuple[ExecKind, Decimal | None]] = {}
        self._doubted: list[Execution] = []
        self._order: NewOrder | None = None
        self._sent_twice = False

    # what is known

    @property
    def order_qty(self) -> Decimal | None:
        """What the order is for; None where no word told it."""
        return self.chain.quantity

    @property
    def cum_qty(self) -> Decimal:
        """What is filled, by the executions, or by CumQty where it tells of more than they do."""
        told = (self._last_told or ZERO) if self.fills.amended else self._most_told
        return max(self.fills.quantity, told)

    @property
    def leaves_qty(self) -> Decimal | None:
        """What may still be filled; all that is not, until the venue's last word."""
        if self.final or self._holds_nothing or self._told is OrdStatus.REJECTED:
            return ZERO
        quantity = self.order_qty
        return None if quantity is None else max(ZERO, quantity - self.cum_qty)

    @property
    def avg_px(self) -> Decimal | None:
        """The mean price of the fills; AvgPx as last told where not every fill was seen with its price."""
        return self.fills.average() if self.fills.quantity == self.cum_qty else self._average

    @property
    def status(self) -> OrdStatus:
        """Of all states that the order is in, the one of the highest precedence."""
        quantity, cum = self.order_qty, self.cum_qty
        full = quantity is not None and cum >= quantity > 0
        states = [self.final or self._told or (OrdStatus.NEW if self._acknowledged else OrdStatus.UNKNOWN)]
        if full:
            states.append(OrdStatus.FILLED)
        elif cum:
            states.append(OrdStatus.PARTIALLY_FILLED)
        if not self.final and not (full and self._told_filled):
            states += self.chain.pending()
            states += [self._told_pending] if self._told_pending else []
        return max(states, key=PRECEDENCE.__getitem__)

    @property
    def open_requests(self) -> tuple[Request, ...]:
        """Requests without a last answer."""
        return () if self.final else self.chain.open

    @property
    def done(self) -> bool:
        """Nothing more is expected of it."""
        return self.leaves_qty == 0 and not self.open_requests

    # what is heard

    def hear_order(self, word: NewOrder) -> str | None:
        """Its NewOrderSingle, which may come after the first report."""
        if self._order is not None or word.cl_ord_id not in self.chain.versions:
            if word.again and self._unknown_there:  # its venue was asked, and did not know it
                self.final = self._newest = self._told = None
                self._unknown_there = False
            if word.again or (word == self._order and word.moment.number is not None):
                return None
            self._sent_twice = True
            return f"ClOrdID {word.cl_ord_id} was sent before: the first order stands"
        self._order, self.day = word, word.day
        self.symbol, self.side = word.symbol, word.side
        self.chain.send(word)
        if self._newest is None:
            self._told = None  # a request for it, ahead of it, did not make it known
        if not word.symbol or not word.side:
            return f"{'Side (54)' if word.symbol else 'Symbol (55)'} is missing: the order is taken nonetheless"
        return None

    def hear_request(self, word: ChangeRequest) -> str | None:
        """A request that it be canceled or replaced: nothing but a request until the venue takes it up."""
        known = word.cl_ord_id in self.chain
        request = self.chain.request(word.cl_ord_id, word.kind, word.orig_cl_ord_id)
        if request is None:
            return f"ClOrdID {word.cl_ord_id} is the order's own: a request needs a new one"
        if word.quantity is not None and request.quantity is None:
            request.quantity = word.quantity
        if not known and self.final:
            return f"request to {word.kind} an order that is {self.final}"
        return None

    def refuse(self, cl_ord_id: str, reason: str) -> str | None:
        """A message of the order was rejected as such: the order, or a request about it, never was."""
        if (request := self.chain.requests.get(cl_ord_id)) is not None:
            request.settle()
            return None
        if self._newest is not None:
            return f"the order is refused ({reason}) after the venue told of it: it stands"
        self.final = OrdStatus.REJECTED
        return None

    def hear_reject(self, word: CancelReject) -> str | None:
        """A request is off the table, and the order is what it was."""
        request = self.chain.request(word.cl_ord_id, RequestKind.CANCEL, word.orig_cl_ord_id)
        if request is not None:
            request.settle()
        if word.order_id and word.order_id != "NONE":
            self.order_id = word.order_id
        if word.status is None or (self._newest is not None and older(word.moment, self._newest)):
            return None
        if word.status is OrdStatus.REJECTED:  # it does not know the order
            if self._newest is not None:
                return "the venue no longer knows the order that it told of: it stands"
            self._told = OrdStatus.REJECTED
            return None
        if self._surely_newer(word.moment):
            self.chain.mark(word.status)
        self._newest = word.moment
        self._take_status(word.status, None)
        if word.status in _OF_QUANTITY and self.status in {*_OF_QUANTITY, OrdStatus.NEW} and self.status != word.status:
            return f"OrdStatus {word.status}, but by its fills the order is {self.status}"
        return None

    def hear_report(self, word: Report) -> list[str]:
        """An ExecutionReport; what is amiss with it. What is amiss does not count, the rest does."""
        if (wrong := self._other(word)) is not None:
            return [wrong]
        if (twice := self._again(word)) is not None:
            return [twice] if twice else []
        word, errors = amiss(word, max(self.chain.quantities, default=None))
        if word.order_id and word.order_id != "NONE":
            self.order_id = word.order_id
        late = self._newest is not None and older(word.moment, self._newest)
        before = self.cum_qty
        wrong = self.chain.hear(word, before, self._surely_newer(word.moment))
        errors += [wrong] if wrong else []
        itself = contradictions(word, self.order_qty)
        whole = word.refers in self.fills and before == self.fills.quantity
        if word.kind in FILLS:
            self._fill(word, late, errors)
        if whole and word.cum is not None and word.cum > self.fills.quantity and not late:
            errors.append(f"CumQty {word.cum}, but fills come to {self.fills.quantity}")
            word = word._replace(cum=self.fills.quantity)  # nothing was unseen that it could tell of
        fresh = not late and not self._stale(word, before, errors)
        self._told_quantity(word, fresh, errors)
        self._end(word, fresh, errors)
        if fresh:
            self._take_status(word.status, word)
        if not late:
            self._newest = word.moment
        return [*errors, *itself]

    # parts of a report

    def _other(self, word: Report) -> str | None:
        """Whether the report is of another order, whatever its ids."""
        if word.symbol and self.symbol and word.symbol != self.symbol:
            return f"Symbol {word.symbol}, the order's is {self.symbol}: not counted"
        if word.side and self.side and _selling(word.side) != _selling(self.side):
            return f"Side {word.side}, the order's is {self.side}: not counted"
        self.symbol, self.side = self.symbol or word.symbol, self.side or word.side
        return None

    def _again(self, word: Report) -> str | None:
        """None for news; empty for a report that is known; what is amiss for one with the ExecID of another."""
        if word.kind is ExecKind.STATUS or word.exec_id in ("", "0", "NONE"):
            return None
        known = self._exec_ids.get(word.exec_id)
        if known is not None and word.refers == word.exec_id and known[0] is not word.kind:
            return None  # a bust that goes by the id of the fill
        if known is None:
            keep(self._exec_ids, word.exec_id, (word.kind, word.last), EXECUTIONS_KEPT)
            return None
        if known == (word.kind, word.last):
            return ""
        was, now = f"a {known[0]} of {known[1]}", f"a {word.kind} of {word.last}"
        return f"ExecID {word.exec_id} was {was}, is now {now}: the first stands"

    def _fill(self, word: Report, late: bool, errors: list[str]) -> None:
        """Count a fill, a bust or a correction."""
        bust = word.kind is ExecKind.TRADE_CANCEL
        if word.kind is not ExecKind.TRADE and not word.refers:
            errors.append(f"{word.kind} without an ExecRefID: nothing is taken back")
            return
        quantity = ZERO if bust else word.last
        if quantity is None or (not quantity and not bust):
            errors.append(
                f"{word.kind} without a LastQty: {'not' if word.cum is None else 'only its CumQty is'} counted"
            )
            return
        exec_id = word.exec_id if word.refers != word.exec_id else f"{word.exec_id} {word.kind}"
        if word.refers and word.refers not in self.fills:
            errors.append(f"ExecRefID {word.refers} is not known yet: it will not count when it comes")
        if not word.refers and not self.fills.amended and word.cum is not None:
            behind = word.cum < self.fills.quantity + quantity
            if behind and self.fills.overlaps(word.cum, quantity):
                errors.append(f"CumQty {word.cum}, but fills come to {self.fills.quantity + quantity}")
        execution = Execution(exec_id, word.refers, quantity, word.price, word.cum, word.moment)
        if not word.refers and self._overfills(execution, errors):
            self._doubted = [*self._doubted[1 - DOUBTED_KEPT :], execution]
            return
        known = self.cum_qty
        self.fills.add(execution)
        for each in self._doubted if word.refers else ():
            if not self._overfills(each, []):
                self._doubted = [other for other in self._doubted if other is not each]
                self.fills.add(each)
        if self.final is OrdStatus.REJECTED and self.cum_qty > known:
            errors.append("fill of an order that was rejected: it is counted")
            self.final = None

    def _overfills(self, execution: Execution, errors: list[str]) -> bool:
        """Whether a fill is more than is left, and not even its own CumQty bears it out."""
        limit, made = self.order_qty, self.fills.quantity + execution.quantity
        if limit is None or made <= limit or not self.fills.stands(execution.exec_id):
            return False
        if execution.cum is not None and execution.cum < made:
            errors.append(f"LastQty {execution.quantity} would fill {made} of {limit}: not counted")
            return True
        errors.append(f"filled {made} of {limit}")
        return False

    def _stale(self, word: Report, before: Decimal, errors: list[str]) -> bool:
        """Whether a report that is not surely older tells of less than is known. Tells what contradicts the fills."""
        if word.kind in FILLS and word.refers:
            after = self.fills.quantity
            if word.cum is not None and word.cum < after:
                errors.append(f"CumQty {word.cum}, but fills come to {after}")
            return False
        if word.kind is ExecKind.NEW and self._acknowledged:
            return word.cum is None or word.cum < before
        if word.kind in (ExecKind.PENDING_NEW, ExecKind.NEW):
            return word.kind is ExecKind.PENDING_NEW and self._acknowledged
        if word.cum is None or word.kind is ExecKind.RESTATED or word.cum >= before:
            return False
        if word.kind is not ExecKind.TRADE and word.cum < self.fills.quantity:
            errors.append(f"CumQty {word.cum}, but fills come to {self.fills.quantity}")
        return not self._surely_newer(word.moment)

    def _surely_newer(self, moment: Moment) -> bool:
        return self._newest is not None and older(self._newest, moment)

    def _told_quantity(self, word: Report, fresh: bool, errors: list[str]) -> None:
        """CumQty and AvgPx as told."""
        self._acknowledged = self._acknowledged or word.status is not OrdStatus.REJECTED
        if word.cum is None or (word.kind is ExecKind.TRADE and not self.fills.stands(word.exec_id)):
            return
        if word.kind is ExecKind.RESTATED and word.corporate_action and fresh:
            self.fills.restate(word.cum, word.average, word.moment)
        limit = self.order_qty
        if limit is not None and word.cum > max(limit, self.fills.quantity):
            if word.kind not in FILLS:
                errors.append(f"CumQty {word.cum} of an order for {limit}: not taken")
            return
        self._most_told = max(self._most_told, word.cum)
        at = self._last_told_at
        if at is None or not older(word.moment, at):
            alone = bool(word.refers) and self._order is None  # of an order that was begun before the log
            surely = at is not None and older(at, word.moment)
            self._last_told = word.cum if surely or alone or word.cum <= self.fills.quantity else None
            self._last_told_at = word.moment
        if fresh and word.average is not None:
            self._average = word.average

    def _end(self, word: Report, fresh: bool, errors: list[str]) -> None:
        """The venue's last word, or that it takes it back."""
        if word.kind is ExecKind.RESTATED and word.status not in FINAL and fresh:
            self._reinstated, self.final = word.moment, None
        if word.status not in FINAL or (self._reinstated is not None and older(word.moment, self._reinstated)):
            return
        if word.status is not OrdStatus.REJECTED:
            self.final = word.status
        elif word.cl_ord_id in self.chain.requests:
            return  # a venue that rejects a request by a report on it
        elif self.cum_qty:
            errors.append(f"rejected, with {self.cum_qty} filled: it stands")
        elif word.kind is ExecKind.STATUS and self._acknowledged:
            errors.append("the venue no longer knows the order that it told of: it stands")
        elif not (word.duplicate_order and (self._acknowledged or self._sent_twice)):
            self._unknown_there = word.kind is ExecKind.STATUS and self.final is None
            self.final = self.final or OrdStatus.REJECTED

    def _take_status(self, told: OrdStatus, word: Report | None) -> None:
        """The order's state by the newest word, as far as neither requests nor quantities decide it."""
        if word is not None:
            self._pending_when_full |= told in PENDING and word.leaves == 0
            news = not self._pending_when_full or self._surely_newer(word.moment)
            self._told_filled = told is OrdStatus.FILLED and news
            if word.quantity is not None:
                self.chain.look_ahead(word.quantity)
        if told in FINAL:
            if word is None:
                self.final = told
            return
        self._told_pending = told if told in PENDING and not self.chain.asked(told) else None
        if told in PENDING:
            return
        self._told = None if told in _OF_QUANTITY else told
        self._holds_nothing = told in _MAY_HOLD_NOTHING and (
            self._holds_nothing if word is None else self.day if word.leaves is None else not word.leaves
        )


def _selling(side: str) -> bool:
    """Sell, sell plus, short and short exempt go by one another in reports; so do buy and buy minus."""
    return side in ("2", "4", "5", "6")
