"""The words between a simulated venue's sessions and its engine: orders as they come, and what is said of them.

A venue has any number of participants; an order's name is its participant and its client order id together. Quantities
are lots, prices the instrument's currency, times event ns.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain.trading import Side


class OrderKind(StrEnum):
    """MIDPOINT: dark, at the middle of bid and ask; its price, where it has one, is the worst that it takes."""

    MARKET = "market"
    LIMIT = "limit"
    MIDPOINT = "midpoint"


class TimeInForce(StrEnum):
    """How long an order may stand. OPENING and CLOSING: in that auction alone."""

    DAY = "day"
    IMMEDIATE = "immediate_or_cancel"
    ALL_OR_NOTHING = "fill_or_kill"
    OPENING = "at_the_opening"
    CLOSING = "at_the_close"


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """As its participant put it. `event_time_ns`: its decision's; it meets the book a latency later."""

    participant: str
    client_order_id: str
    instrument: str
    side: Side
    quantity: int
    kind: OrderKind
    price: float
    time_in_force: TimeInForce
    event_time_ns: int
    post_only: bool = False
    """Rejected where it would trade at once."""

    @property
    def key(self) -> tuple[str, str]:
        return self.participant, self.client_order_id


@dataclass(frozen=True, slots=True)
class VenueCancel:
    participant: str
    client_order_id: str
    """Of this request."""
    target: str
    """Client order id of the order."""
    event_time_ns: int


@dataclass(frozen=True, slots=True)
class VenueReplace:
    """The order goes by the request's id from when it is taken up; it keeps its place in the queue where it only gets
    smaller. `quantity` counts what has filled already."""

    participant: str
    client_order_id: str
    target: str
    quantity: int
    price: float
    event_time_ns: int


class VenueWord(StrEnum):
    """What became of an order, or of a request about it."""

    NEW = "new"
    REJECTED = "rejected"
    FILL = "fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REQUEST_REJECTED = "request_rejected"
    """Of a cancel or a replacement; the order is what it was."""


OVER = frozenset({VenueWord.REJECTED, VenueWord.CANCELED, VenueWord.EXPIRED})
"""Words after which an order is no more; so is one that is filled."""


@dataclass(frozen=True, slots=True)
class VenueReport:
    """One word on an order, numbered from 0 in the order of their making: the same at every telling."""

    participant: str
    client_order_id: str
    """Of the order, as it is called then."""
    number: int
    word: VenueWord
    time_ns: int
    last_quantity: int = 0
    last_price: float = 0.0
    cumulative_quantity: int = 0
    leaves_quantity: int = 0
    text: str = ""
    request: str = ""
    """Client order id of the cancel or replacement that this answers."""
    maker: bool = False
    """Of a fill: whether the order stood in the book when it came."""
