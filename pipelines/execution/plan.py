"""What the gateway hears of, and what it may be told to do: the words between its decisions and its wires."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.domain.parent_rules import Books
from pipelines.domain.parent_volume import Volumes
from pipelines.domain.trading import OrderRequest, OrderStatus, TradingEvent


@dataclass(frozen=True, slots=True)
class Ordered:
    """A record of trading.orders."""

    order: OrderRequest


@dataclass(frozen=True, slots=True)
class LinkUp:
    """A venue took our logon. `link` numbers the connections of this process."""

    venue: str
    link: int


@dataclass(frozen=True, slots=True)
class LinkDown:
    venue: str
    link: int


@dataclass(frozen=True, slots=True)
class Told:
    """A venue's report of an order, new or repeated."""

    venue: str
    event: TradingEvent


@dataclass(frozen=True, slots=True)
class NotKnown:
    """A venue's answer that it does not have the order. `ask`: which question it answers, where that is told."""

    venue: str
    link: int
    client_order_id: str
    ask: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A venue could not read an order as we put it, and says so."""

    venue: str
    client_order_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Stated:
    """A venue's answer where an order stands, all of its fills in it: also those whose reports are lost."""

    venue: str
    client_order_id: str
    status: OrderStatus
    cumulative_quantity: int
    average_price: float
    event_time_ns: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Doubted:
    """What a venue said of an order does not fit: it is to be asked where the order stands."""

    venue: str
    client_order_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill in the log, as soon as it lies there."""

    event: TradingEvent


@dataclass(frozen=True, slots=True)
class Priced:
    """Middles of bid and ask, by instrument, as the log's marks have them."""

    mids: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Moved:
    """The market has passed an event time (`Plan.due_ns`); what it displayed then, and what was traded in the step that
    ends then, where one does."""

    time_ns: int
    books: Books
    volumes: Volumes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """The timer: ask again where there was no word, and write down what has become unknown."""


Input = Ordered | LinkUp | LinkDown | Told | NotKnown | Refused | Stated | Doubted | Killed | Priced | Moved | Look


@dataclass(frozen=True, slots=True)
class Send:
    """`again`: its venue may have had it on an earlier link, and said on this one that it has not."""

    link: int
    order: OrderRequest
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """`number`: of all that this process asked, from 1."""

    link: int
    order: OrderRequest
    number: int = 0


@dataclass(frozen=True, slots=True)
class Cancel:
    """Ask the venue to cancel `order`, by the trader's request."""

    link: int
    order: OrderRequest
    request: OrderRequest
    again: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, in this order. `notes` are for the log of the process. Something waits until `wake_s`, of the
    clock that was given; None where nothing does. `due_ns`: the event time as of which orders that are worked want to
    see the market (`Moved`)."""

    write: tuple[TradingEvent, ...] = ()
    send: tuple[Send, ...] = ()
    ask: tuple[Ask, ...] = ()
    cancel: tuple[Cancel, ...] = ()
    notes: tuple[str, ...] = ()
    wake_s: float | None = None
    due_ns: int | None = None
