"""What a simulated venue says, as fields of a FIX message: ExecutionReport (8), OrderCancelReject (9) and rejects."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.domain.fix_words import STATUS_OF, OrdStatus
from pipelines.domain.matching import exec_id
from pipelines.domain.venue_orders import VenueReport, VenueWord
from pipelines.execution.fix.standing import Standing
from pipelines.execution.fix.symbols import Symbols, decimal_text
from pipelines.execution.fix.venue_requests import StatusAsked
from pipelines.execution.fix_time import write_time

EXECUTION, CANCEL_REJECT, BUSINESS_REJECT = "8", "9", "j"
"""MsgType (35)."""

KINDS: Mapping[VenueWord, str] = {
    VenueWord.NEW: "0",
    VenueWord.REJECTED: "8",
    VenueWord.FILL: "F",
    VenueWord.CANCELED: "4",
    VenueWord.EXPIRED: "C",
    VenueWord.REPLACED: "5",
}
"""ExecType (150) of a word."""
BUST, CORRECT, STATUS = "H", "G", "I"

_CODES = {status: code for code, status in STATUS_OF.items()}
_UNKNOWN_ORDER = 5
_NO_ORDER = "NONE"


@dataclass(frozen=True, slots=True)
class OrderNames:
    """An order's names on the wire. `client_order_id`: the one that it came with; `echo`: tags of it that are said
    again; `instrument`: empty where it names none that is known."""

    venue: str
    participant: str
    client_order_id: str
    instrument: str
    echo: Mapping[int, str] = field(default_factory=dict)

    @property
    def order_id(self) -> str:
        text = f"order\x1f{self.venue}\x1f{self.participant}\x1f{self.client_order_id}"
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def exec_id(self, number: int, kind: str = "") -> str:
        """Of the `number`-th report of the order; with a `kind`, of what amends it. The same at every telling."""
        return exec_id(self.venue, f"{self.participant}\x1f{self.client_order_id}{kind and f'{chr(31)}{kind}'}", number)


Message = dict[int, str]


def report(names: OrderNames, standing: Standing, word: VenueReport, symbols: Symbols, asked: str = "") -> Message:
    """An ExecutionReport of a word, `standing` as of after it. `asked`: the ClOrdID that a participant's request it
    answers was about."""
    made = _execution(names, standing, symbols) | {
        17: names.exec_id(word.number),
        150: KINDS[word.word],
        11: word.request if asked else standing.name,
        60: write_time(word.time_ns),
    }
    if asked:
        made[41] = asked
    if word.word is VenueWord.FILL:
        made |= _last(names, word.last_quantity, word.last_price, symbols) | {851: "1" if word.maker else "2"}
    if word.word is VenueWord.REJECTED:
        made[103] = "99"
    if word.text:
        made[58] = word.text
    return made


def amendment(
    names: OrderNames, standing: Standing, fill: VenueReport, kind: str, price: float, symbols: Symbols
) -> Message:
    """An ExecutionReport that takes a fill back (BUST) or gives it another price (CORRECT)."""
    return (
        _execution(names, standing, symbols)
        | _last(names, fill.last_quantity, price, symbols)
        | {17: names.exec_id(fill.number, kind), 19: names.exec_id(fill.number), 150: kind}
        | {851: "1" if fill.maker else "2"}
    )


def unfit(names: OrderNames, text: str, code: int, time_ns: int | None) -> Message:
    """An ExecutionReport that rejects an order that could not be read; `time_ns` None: its time could not either."""
    made = {tag: value for tag, value in names.echo.items() if tag != 44} | {
        37: names.order_id, 11: names.client_order_id, 17: names.exec_id(0), 150: "8", 39: "8",
        14: "0", 151: "0", 6: "0", 30: names.venue, 103: str(code), 58: text,
    }  # fmt: skip
    return made if time_ns is None else made | {60: write_time(time_ns)}


def status(names: OrderNames, standing: Standing, symbols: Symbols, last: Message | None, text: str = "") -> Message:
    """An ExecutionReport with ExecType I: an order as its last word left it; `last` is that word."""
    if not names.instrument and last is not None:
        made = {tag: value for tag, value in last.items() if tag not in (17, 58, 150)}
    else:
        made = _execution(names, standing, symbols) | {11: standing.name, 60: write_time(standing.time_ns)}
    made |= {17: "0", 150: STATUS}
    return made | {58: text} if text else made


def unknown(asked: StatusAsked) -> Message:
    """The status of an order that never came."""
    made = {
        37: _NO_ORDER, 11: asked.client_order_id, 17: "0", 150: STATUS, 39: "8", 103: str(_UNKNOWN_ORDER),
        55: asked.symbol, 54: asked.side, 14: "0", 151: "0", 6: "0", 58: "unknown order",
    }  # fmt: skip
    return made | {790: asked.request} if asked.request else made


def none_open(request: str) -> Message:
    """The answer to a mass status request of a participant that has no order open."""
    return {
        37: _NO_ORDER, 17: "0", 150: STATUS, 39: "8", 103: str(_UNKNOWN_ORDER), 55: "[N/A]", 54: "7",
        14: "0", 151: "0", 6: "0", 584: request, 911: "0", 912: "Y", 58: "no order is open",
    }  # fmt: skip


def cancel_reject(
    order_id: str, request: str, target: str, status: OrdStatus, replaces: bool, code: int, text: str,
    time_ns: int | None = None,
) -> Message:  # fmt: skip
    """OrderCancelReject. `code`: CxlRejReason (102); `order_id` empty: of an order that is not known."""
    made = {
        37: order_id or _NO_ORDER, 11: request, 41: target, 39: _CODES[status], 434: "2" if replaces else "1",
        102: str(code), 58: text,
    }  # fmt: skip
    return made if time_ns is None else made | {60: write_time(time_ns)}


def business_reject(of_type: str, of_number: str, text: str, code: int, reference: str = "") -> Message:
    """BusinessMessageReject. `code`: BusinessRejectReason (380); `reference`: the id of what is refused."""
    made = {45: of_number, 372: of_type, 380: str(code), 58: text}
    return made | {379: reference} if reference else made


def _execution(names: OrderNames, standing: Standing, symbols: Symbols) -> Message:
    instrument = names.instrument
    made = dict(names.echo) | {
        37: names.order_id,
        39: _CODES[standing.status],
        55: symbols.of(instrument).symbol,
        38: symbols.units(instrument, standing.quantity),
        14: symbols.units(instrument, standing.cumulative),
        151: symbols.units(instrument, standing.leaves),
        6: decimal_text(standing.average),
        60: write_time(standing.time_ns),
        11: standing.name,
        30: names.venue,
    }
    if standing.price:
        made[44] = decimal_text(standing.price)
    return made


def _last(names: OrderNames, lots: int, price: float, symbols: Symbols) -> Message:
    return {32: symbols.units(names.instrument, lots), 31: decimal_text(price)}
