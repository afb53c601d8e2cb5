"""What comes in from a participant: written to the journal at once, and handed on as work for the floor."""

from dataclasses import dataclass, replace

from pipelines.domain.fix_words import OrdStatus
from pipelines.domain.venue_orders import VenueOrder, VenueWord
from pipelines.domain.venue_rows import MarketRows
from pipelines.execution.fix import venue_answers as answers
from pipelines.execution.fix import venue_requests as requests
from pipelines.execution.fix.fields import Fields
from pipelines.execution.fix.standing import Standing
from pipelines.execution.fix.symbols import Symbols, Unfit
from pipelines.execution.fix.venue_answers import EXECUTION, Message, OrderNames
from pipelines.execution.fix.venue_journal import Entry, FixVenueJournal, Request, Telling
from pipelines.execution.fix.venue_record import VenueRecord
from pipelines.execution.fix.venue_requests import AllStatusAsked, StatusAsked

TOO_LATE, UNKNOWN_ORDER, DUPLICATE, OTHER = 0, 1, 6, 99
"""CxlRejReason (102); DUPLICATE is OrdRejReason (103) too."""


@dataclass(frozen=True, slots=True)
class TakeUp:
    """An order that is in the journal."""

    order: VenueOrder


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is in the journal."""

    request: Request


@dataclass(frozen=True, slots=True)
class Say:
    """A word that is in the journal."""

    telling: Telling


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that is of no order's story."""

    participant: str
    message: str
    fields: Message


@dataclass(frozen=True, slots=True)
class OrderAgain:
    """A new order whose id is known."""

    participant: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class RequestAgain:
    """A request whose id is known."""

    participant: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class Came:
    """A participant has logged on. `cancels`: its open orders are to be canceled when it goes."""

    participant: str
    cancels: bool


@dataclass(frozen=True, slots=True)
class Gone:
    """A participant's session is over."""

    participant: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The market of a shard went on."""

    shard: int
    rows: MarketRows


Work = (
    TakeUp | Ask | Say | Answer | OrderAgain | RequestAgain | StatusAsked | AllStatusAsked | Came | Gone | Moved
)  # fmt: skip


class Intake:
    """Reads messages of participants, on the sessions' thread. Nothing is lost once a call has returned."""

    def __init__(self, venue: str, symbols: Symbols, journal: FixVenueJournal) -> None:
        self._venue, self._symbols, self._journal = venue, symbols, journal
        self._record = VenueRecord(journal)

    def receive(self, participant: str, fields: Fields) -> Work | None:
        """The work that a message makes; None for one of a type that is not taken here."""
        match fields[35]:
            case "D":
                with self._journal.together():
                    return self._order(participant, fields)
            case "F" | "G":
                with self._journal.together():
                    return self._request(participant, fields)
            case "H":
                return requests.status(participant, fields)
            case "AF":
                try:
                    return requests.all_status(participant, fields)
                except Unfit as unfit:
                    return refuse(participant, fields, str(unfit), fields.get(584, ""))
        return None

    def has(self, participant: str, fields: Fields) -> bool:
        """Whether what a message asks for is in the journal."""
        key = participant, fields.get(11, "")
        return self._record.entry(*key) is not None or self._record.request(*key) is not None

    def _order(self, participant: str, fields: Fields) -> Work:
        key = participant, fields[11]
        if self._journal.came_again(key, resent=requests.is_resent(fields)):
            return OrderAgain(*key)
        names = OrderNames(self._venue, *key, "", requests.echo(fields))
        try:
            if self._record.request(*key) is not None:
                if self._record.entry(*key) is not None:
                    self._journal.asked_again(key)
                    return OrderAgain(*key)
                raise Unfit(f"ClOrdID (11) {fields[11]!r} is that of a request: give another", DUPLICATE)
            order = requests.new_order(participant, fields, self._symbols)
        except Unfit as unfit:
            return Say(self._unfit(names, unfit, requests.time_of(fields)))
        standing = Standing(order.client_order_id, order.quantity, order.price, order.event_time_ns)
        self._journal.take(Entry(replace(names, instrument=order.instrument), standing, order))
        return TakeUp(order)

    def _unfit(self, names: OrderNames, unfit: Unfit, time_ns: int | None) -> Telling:
        standing = Standing(names.client_order_id, 0, 0.0, time_ns or 0, OrdStatus.REJECTED)
        entry = Entry(names, standing)
        self._journal.take(entry)
        fields = answers.unfit(names, str(unfit), unfit.code, time_ns)
        return self._journal.tell(Telling(entry.key, VenueWord.REJECTED, EXECUTION, fields, time_ns or 0), standing)

    def _request(self, participant: str, fields: Fields) -> Work:
        key, replaces = (participant, fields[11]), fields[35] == "G"
        if self._journal.asked_again(key):
            return RequestAgain(*key)
        entry = self._record.entry(participant, fields[41])
        if entry is None:
            return self._refused(participant, fields, None, UNKNOWN_ORDER, f"order {fields[41]!r} is not known")
        if self._record.entry(*key) is not None:
            text = f"ClOrdID (11) {fields[11]!r} is that of an order: give another"
            return self._refused(participant, fields, entry, DUPLICATE, text)
        if entry.order is None:
            return self._refused(participant, fields, entry, TOO_LATE, "the order was rejected")
        try:
            request: Request = (
                requests.replacement(participant, fields, entry.order, self._symbols)
                if replaces
                else requests.cancel(participant, fields)
            )
        except Unfit as unfit:
            return self._refused(participant, fields, entry, OTHER, str(unfit))
        self._journal.ask(request, entry.names.client_order_id)
        return Ask(request)

    def _refused(self, participant: str, fields: Fields, entry: Entry | None, code: int, text: str) -> Answer:
        order_id, status = ("", OrdStatus.REJECTED) if entry is None else (entry.names.order_id, entry.standing.status)
        time_ns, replaces = requests.time_of(fields), fields[35] == "G"
        made = answers.cancel_reject(order_id, fields[11], fields[41], status, replaces, code, text, time_ns)
        return Answer(participant, answers.CANCEL_REJECT, made)


def refuse(participant: str, fields: Fields, text: str, reference: str = "", code: int = 0) -> Answer:
    """A BusinessMessageReject of a message. `code`: BusinessRejectReason (380)."""
    made = answers.business_reject(fields[35], fields.get(34, ""), text, code, reference)
    return Answer(participant, answers.BUSINESS_REJECT, made)
