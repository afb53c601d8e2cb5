"""The words of the trading log: what happens to an account, what it decides. Each mirrors an Avro record."""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What a signal asks for."""

    ENTER_LONG = "enter_long"
    ENTER_SHORT = "enter_short"
    EXIT = "exit"


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Decision(StrEnum):
    """What the trader did: sent an order, asked for one to be canceled, refused one, passed a drain mark on, told of a
    change of its state, or booked what no venue fills (`Booked`)."""

    NEW = "new"
    CANCEL = "cancel"
    REFUSED = "refused"
    DRAIN = "drain"
    NOTICE = "notice"
    BOOKED = "booked"


class Booked(StrEnum):
    """What is booked without a fill, the first word of its reason. CROSSED: lots of one pair against those of another,
    at the mark. SPLIT: other lots of the same worth. DIVIDEND: money alone."""

    CROSSED = "crossed"
    SPLIT = "split"
    DIVIDEND = "dividend"


class OrderStatus(StrEnum):
    """Where an order is, as its venue says. UNKNOWN: sent, no word; it keeps its exposure."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


TERMINAL = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED})


@dataclass(frozen=True, slots=True)
class Signal:
    name: str
    version: str
    pair: str
    action: Action
    z: float
    spread: float
    beta: float
    mid_a: float
    mid_b: float
    shard: int
    first_sequence: int
    last_sequence: int


HALTED, CLOSED = 1, 2
"""Bits of `Marks.state`."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Quotes of a shard's instruments that changed since the last marks: parallel tuples, times in event ns."""

    shard: int
    sequence: int
    instruments: tuple[str, ...]
    bid: tuple[float, ...]
    ask: tuple[float, ...]
    time_ns: tuple[int, ...]
    state: tuple[int, ...] = ()
    """Bits of each instrument: HALTED, CLOSED; empty where it is not told."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A decision of the trader; as an intent, what the gateway is about to send. Quantity in lots."""

    client_order_id: str
    action: Decision
    account: str
    event_time_ns: int
    venue: str
    instrument: str
    side: Side
    quantity: int
    order_type: str
    limit_price: float
    pair: str
    leg: int
    cause: str
    reason: str
    strategy: str = ""
    """Of the account; empty where it is for all of them."""
    checks: tuple[str, ...] = ()
    """Of an order that adds risk: each check that it passed, with its value and limit."""
    target: str = ""
    """Of a cancel: the order that is to be canceled. Of a new order: the one that it is a child of."""
    amount: float = 0.0
    """Of what is booked: money that comes with it, in the instrument's currency; less than none where it is owed."""

    @property
    def booked(self) -> Booked:
        """What kind of booking this is. ValueError where it is none."""
        return Booked(self.reason.partition(":")[0])

    @property
    def signed(self) -> int:
        return self.quantity if self.side is Side.BUY else -self.quantity


@dataclass(frozen=True, slots=True)
class Report:
    """A venue's word about an order. Quantities in lots."""

    venue: str
    exec_id: str
    client_order_id: str
    status: OrderStatus
    instrument: str
    side: Side
    last_quantity: int
    last_price: float
    cumulative_quantity: int
    leaves_quantity: int
    text: str
    amends: str = ""
    """Exec id of an earlier fill that this takes back (no lots), or corrects (lots and price as they should have been);
    `amended_*` are that fill's, as it was told."""
    amended_quantity: int = 0
    amended_price: float = 0.0
    pair: str = ""
    """With leg and strategy: of what amends, its order's, as the intent has them. The account may have forgotten it."""
    leg: int = 0
    strategy: str = ""
    child: str = ""
    """Client order id under which the venue had it, where that is a child of the order."""
    child_status: str = ""
    """With its cumulative quantity: of that child alone, as the venue told it; all else is the order's."""
    child_cumulative: int = 0

    @property
    def word(self) -> str:
        """What tells it from every other word about its order: the venues of children may use the same exec ids."""
        return f"{self.venue}/{self.exec_id}" if self.child else self.exec_id

    @property
    def amended_word(self) -> str:
        """`word` of the fill that it amends; empty where it amends none."""
        return f"{self.venue}/{self.amends}" if self.child and self.amends else self.amends


@dataclass(frozen=True, slots=True)
class Command:
    command: str
    scope: str
    operator: str
    reason: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class RiskUpdate:
    """Risk as of an event time, as the Avro record tells it. Losses are positive, money is the account's; tuples of
    instruments, pairs and stress scenarios go together."""

    as_of_ns: int
    var: float
    es: float
    instruments: tuple[str, ...]
    es_per_lot: tuple[float, ...]
    method: str = ""
    confidence: float = 0.0
    scenarios: int = 0
    deviation_per_lot: tuple[float, ...] = ()
    volume_per_day: tuple[float, ...] = ()
    pairs: tuple[str, ...] = ()
    pair_es: tuple[float, ...] = ()
    pair_incremental: tuple[float, ...] = ()
    gross: float = 0.0
    net: float = 0.0
    leverage: float = 0.0
    beta: float = 0.0
    liquidity_s: float = 0.0
    stress: tuple[str, ...] = ()
    stress_loss: tuple[float, ...] = ()
    days: int = 0
    exceptions: int = 0
    zone: str = ""
    position_sequence: int = 0
    """Of the last position told that it knows."""


Body = Signal | Marks | OrderRequest | Report | Command | RiskUpdate


@dataclass(frozen=True, slots=True)
class TradingEvent:
    """One event of an account's log. `body` says its kind: an OrderRequest is an intent."""

    event_id: str
    account: str
    event_time_ns: int
    body: Body
