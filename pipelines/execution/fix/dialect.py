"""What the gateway says and hears, as FIX 4.4: orders in lots out as messages in units, reports in units back in lots.

OrderQty and its like are units, lots x lot size in exact decimals; TransactTime is event time to the nanosecond; Symbol
is the venue's own. Pure: fields in, words out; the engine puts them on a wire.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from pipelines.domain.fix_checks import amiss
from pipelines.domain.fix_words import CancelReject, ExecKind, OrdStatus, Refusal
from pipelines.domain.fix_words import Report as FixReport
from pipelines.domain.identity import report_id
from pipelines.domain.trading import OrderRequest, OrderStatus, Report, Side, TradingEvent
from pipelines.domain.universe import Instrument
from pipelines.execution.fix.symbols import SIDES, decimal_text, units_of
from pipelines.execution.fix_message import Fields, Incomplete, word_of
from pipelines.execution.fix_time import write_time
from pipelines.execution.plan import Ask, Cancel, Doubted, Input, NotKnown, Refused, Send, Stated, Told

_SIDES = {Side.BUY: "1", Side.SELL: "2"}

STATUS: Mapping[OrdStatus, OrderStatus] = {
    OrdStatus.NEW: OrderStatus.NEW,
    OrdStatus.REPLACED: OrderStatus.NEW,
    OrdStatus.STOPPED: OrderStatus.NEW,
    OrdStatus.SUSPENDED: OrderStatus.NEW,
    OrdStatus.ACCEPTED_FOR_BIDDING: OrderStatus.NEW,
    OrdStatus.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    OrdStatus.FILLED: OrderStatus.FILLED,
    OrdStatus.CALCULATED: OrderStatus.FILLED,
    OrdStatus.CANCELED: OrderStatus.CANCELED,
    OrdStatus.EXPIRED: OrderStatus.CANCELED,
    OrdStatus.DONE_FOR_DAY: OrderStatus.CANCELED,
    OrdStatus.REJECTED: OrderStatus.REJECTED,
}
"""Of an order that is pending, its fills decide."""

_ENDS = frozenset({ExecKind.CANCELED, ExecKind.EXPIRED, ExecKind.REJECTED, ExecKind.DONE_FOR_DAY})
_PASSED = frozenset({ExecKind.PENDING_NEW, ExecKind.PENDING_CANCEL, ExecKind.PENDING_REPLACE, ExecKind.TRIGGERED})
_UNKNOWN_ORDER = "5"


class Message(NamedTuple):
    """A message to be sent: its type, its fields in order, and the order that it is about."""

    kind: str
    fields: tuple[tuple[int, str], ...]
    about: str


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message comes to: inputs, and what is to be written down about it."""

    inputs: tuple[Input, ...] = ()
    notes: tuple[str, ...] = ()


class NotTaken(ValueError):
    """An order that cannot be put as a message."""


class Dialect:
    """One venue's FIX. `account` is the desk's own, of the events that reports become."""

    def __init__(self, venue: str, account: str, instruments: Iterable[Instrument], venue_account: str = "") -> None:
        self._venue = venue
        self._account = account
        self._venue_account = venue_account
        self._by_id = {each.id: each for each in instruments if each.venue == venue}
        self._by_symbol = {each.symbol: each for each in self._by_id.values()}

    def message(self, word: Send | Ask | Cancel) -> Message:
        """NewOrderSingle (D), OrderStatusRequest (H) or OrderCancelRequest (F). Raises NotTaken."""
        match word:
            case Send(_, order, again):
                return Message("D", (*_again(again), *self._order(order)), order.client_order_id)
            case Ask(_, order, number):
                identity = order.client_order_id
                of = ((55, self._of(order).symbol), (54, _SIDES[order.side]))
                return Message("H", ((11, identity), *of, (790, f"{identity}/{number}")), identity)
            case Cancel(_, order, request, again):
                instrument = self._of(order)
                fields = (
                    *_again(again),
                    (41, order.client_order_id),
                    (11, request.client_order_id),
                    (55, instrument.symbol),
                    (54, _SIDES[order.side]),
                    (60, write_time(request.event_time_ns)),
                    (38, units_of(order.quantity, instrument)),
                )
                return Message("F", fields, order.client_order_id)

    def _order(self, order: OrderRequest) -> Iterable[tuple[int, str]]:
        instrument = self._of(order)
        yield 11, order.client_order_id
        if self._venue_account:
            yield 1, self._venue_account
        yield 21, "1"
        yield 55, instrument.symbol
        yield 54, _SIDES[order.side]
        yield 60, write_time(order.event_time_ns)
        yield 38, units_of(order.quantity, instrument)
        match order.order_type:
            case "market":
                yield 40, "1"
            case "limit":
                yield from ((40, "2"), (44, decimal_text(order.limit_price)), (59, "0"))
            case "immediate":
                yield from ((40, "2"), (44, decimal_text(order.limit_price)), (59, "3"))
            case other:
                raise NotTaken(f"order type {other!r}: market, limit and immediate orders are sent by FIX")

    def _of(self, order: OrderRequest) -> Instrument:
        found = self._by_id.get(order.instrument)
        if found is None:
            raise NotTaken(f"instrument {order.instrument!r} does not trade on {self._venue}")
        return found

    def read(self, fields: Fields, link: int, sent: Mapping[int, tuple[str, str]]) -> Heard:
        """What a message of the venue comes to. `sent`: type and order of each message of ours, by MsgSeqNum."""
        try:
            word = word_of(fields)
        except Incomplete as error:
            return self._unusable(fields, f"{error}", fields.get(41) or fields.get(11, ""))
        match word:
            case FixReport():
                return self._report(word, fields, link)
            case CancelReject():
                about, why = word.orig_cl_ord_id or word.cl_ord_id, fields.get(58) or f"reason {fields.get(102, '-')}"
                return Heard((Doubted(self._venue, about, f"cancel of {about} is refused: {why}"),))
            case Refusal():
                return self._refusal(word, sent)
        return Heard()

    def _refusal(self, word: Refusal, sent: Mapping[int, tuple[str, str]]) -> Heard:
        kind, about = sent.get(word.of_number if word.of_number is not None else -1, (word.of_type, word.cl_ord_id))
        if not about:
            return Heard(notes=(f"{self._venue} refuses message {word.of_number}: {word.reason}",))
        if kind == "D":
            return Heard((Refused(self._venue, about, word.reason),))
        return Heard(notes=(f"{self._venue} refuses {kind or 'a message'} about {about}: {word.reason}",))

    def _report(self, word: FixReport, fields: Fields, link: int) -> Heard:
        about = _about(word)
        if word.kind is ExecKind.STATUS or (word.kind is ExecKind.REJECTED and fields.get(790)):
            return self._status(word, fields, link, about)
        if word.kind in _PASSED:
            return Heard()
        if word.duplicate_order:
            return Heard((Doubted(self._venue, about, f"{about} is refused as a second order of its id"),))
        if word.kind in (ExecKind.RESTATED, ExecKind.REPLACED, ExecKind.SUSPENDED, ExecKind.STOPPED):
            text = f"{about} is {word.kind.value.lower()} unasked: {fields.get(58, '-')}"
            return Heard((Doubted(self._venue, about, text),))
        word, faults = amiss(word, None)
        instrument = self._by_symbol.get(word.symbol)
        if instrument is None:
            faults.append(f"Symbol {word.symbol!r} is not traded here")
        side = SIDES.get(word.side)
        if side is None:
            faults.append(f"Side {word.side!r} is not known")
        if instrument is None or side is None or faults:
            return self._unusable(fields, "; ".join(faults), about)
        try:
            report, notes = self._as_told(word, fields, about, instrument, side)
        except NotTaken as fault:
            return self._unusable(fields, str(fault), about)
        time_ns = _event_ns(word)
        event = TradingEvent(report_id(self._venue, word.exec_id), self._account, time_ns, report)
        return Heard((Told(self._venue, event),), notes)

    def _as_told(
        self, word: FixReport, fields: Fields, about: str, instrument: Instrument, side: Side
    ) -> tuple[Report, tuple[str, ...]]:
        fill = word.kind in (ExecKind.TRADE, ExecKind.TRADE_CORRECT)
        last = lots(word.last, instrument, "LastQty") if fill else 0
        if fill and (not last or word.price is None or word.price <= 0):
            raise NotTaken(f"a fill of {word.last} at {word.price}")
        if word.kind is ExecKind.TRADE and not word.exec_id:
            raise NotTaken("a fill without ExecID")
        cum = lots(word.cum, instrument, "CumQty")
        leaves = lots(word.leaves, instrument, "LeavesQty") if word.leaves is not None else 0
        status = STATUS.get(word.status)
        if status is None or (fill and status is OrderStatus.NEW):
            status = OrderStatus.NEW if not cum else OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED
        if word.kind in _ENDS:
            status = OrderStatus.REJECTED if word.kind is ExecKind.REJECTED else OrderStatus.CANCELED
        text = fields.get(58, "")
        if word.kind in (ExecKind.EXPIRED, ExecKind.DONE_FOR_DAY):
            text = text or word.kind.value.lower()
        price = float(word.price) if fill and word.price is not None else 0.0
        notes: tuple[str, ...] = ()
        if fill and not _on_tick(word.price, instrument):
            notes = (f"fill {word.exec_id} of {about} at {word.price} is off the tick of {instrument.tick_size}",)
        report = Report(
            venue=self._venue,
            exec_id=word.exec_id,
            client_order_id=about,
            status=status,
            instrument=instrument.id,
            side=side,
            last_quantity=last,
            last_price=price,
            cumulative_quantity=cum,
            leaves_quantity=leaves,
            text=text,
            amends=word.refers,
        )
        return report, notes

    def _status(self, word: FixReport, fields: Fields, link: int, about: str) -> Heard:
        if word.status is OrdStatus.REJECTED and fields.get(103) == _UNKNOWN_ORDER:
            asked, _, number = fields.get(790, "").rpartition("/")
            return Heard((NotKnown(self._venue, link, asked or about, int(number) if number.isdigit() else 0),))
        word, faults = amiss(word, None)
        instrument = self._by_symbol.get(word.symbol)
        if faults or instrument is None:
            return Heard(notes=(f"{self._venue}: status of {about} is not taken: {'; '.join(faults) or word.symbol}",))
        try:
            cum = lots(word.cum, instrument, "CumQty")
        except NotTaken as fault:
            return Heard(notes=(f"{self._venue}: status of {about} is not taken: {fault}",))
        status = STATUS.get(word.status)
        if status is None:
            status = OrderStatus.PARTIALLY_FILLED if cum else OrderStatus.NEW
        average = float(word.average or 0)
        return Heard((Stated(self._venue, about, status, cum, average, _event_ns(word), fields.get(58, "")),))

    def _unusable(self, fields: Fields, why: str, about: str) -> Heard:
        """What cannot be taken is written down, and its venue asked how things are."""
        told = f"message {fields.get(34, '-')} ({fields.get(35, '-')}) about {about or 'no order'} is not taken: {why}"
        return Heard((Doubted(self._venue, about, told),)) if about else Heard(notes=(f"{self._venue}: {told}",))


def _about(word: FixReport) -> str:
    """The order that a report is of: one that answers a cancel goes by the request's id, and names the order's."""
    answers = word.kind in (ExecKind.CANCELED, ExecKind.PENDING_CANCEL, ExecKind.REPLACED, ExecKind.PENDING_REPLACE)
    return word.orig_cl_ord_id if answers and word.orig_cl_ord_id else word.cl_ord_id


def _event_ns(word: FixReport) -> int:
    return word.moment.transact_ns or word.moment.sent_ns or 0


def _again(again: bool) -> tuple[tuple[int, str], ...]:
    """PossResend (97), which is of the header."""
    return ((97, "Y"),) if again else ()


def lots(quantity: Decimal | None, instrument: Instrument, name: str) -> int:
    """Units as lots. Raises NotTaken where they are missing or no whole number of lots."""
    if quantity is None:
        raise NotTaken(f"{name} is missing")
    found, rest = divmod(quantity, Decimal(str(instrument.lot_size)))
    if rest:
        raise NotTaken(f"{name} {quantity} is no whole number of lots of {instrument.lot_size:g}")
    return int(found)


def _on_tick(price: Decimal | None, instrument: Instrument) -> bool:
    return price is None or not price % Decimal(str(instrument.tick_size))
