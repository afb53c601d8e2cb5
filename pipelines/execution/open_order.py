"""An order that is not settled, as a gateway sees it, and the reports that the gateway itself makes of one."""

from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain.matching import exec_id
from pipelines.domain.parent_words import gateway_word
from pipelines.domain.trading import OrderRequest, OrderStatus, Report, TradingEvent

UNKNOWN_WORD = -1
REFUSED_WORD = -2
CANCELED_WORD = -3
"""Numbers of the reports that the gateway itself makes of an order; a venue's own count from 0."""

NOT_SENT = "not sent: "
"""How the report of an order begins that was held back at this hop."""


class Stage(StrEnum):
    """Where an order with an intent in the log is, as far as this process knows."""

    PLANNED = "planned"  # by this process, and given to no link yet
    DOUBTFUL = "doubtful"  # may have been given to a link that is gone
    ASKED = "asked"  # doubtful, and its venue has been asked on the present link
    SENT = "sent"  # on the present link, no word yet
    WORKING = "working"  # its venue has it


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: without a word an order is written down as unknown; when its venue is asked again, twice as long after
    each time that it has not answered, up to the last."""

    unknown_after_s: float = 2.0
    ask_every_s: float = 1.0
    ask_at_last_s: float = 32.0


@dataclass(slots=True)
class OpenOrder:
    """It has no terminal report, or not yet every fill that one counts. Times are seconds of a steady clock."""

    order: OrderRequest
    stage: Stage
    sent_s: float | None = None
    asked_s: float | None = None
    acknowledged: bool = False
    read: bool = False
    again: bool = False
    """Whether its venue may have had it before."""
    unanswered: int = 0
    """Questions about it since its venue last spoke of it."""
    asks: int = 0
    """How many questions had been asked, of any order, when it was sent."""
    filled: int = 0
    value: float = 0.0
    """Lots filled times their prices."""
    final: int | None = None
    unknown_s: float | None = None
    """Since when nothing is known of it, if it was written down so."""
    cancel: OrderRequest | None = None
    """The trader's request that it be canceled, and the link that it was last given to."""
    cancel_link: int | None = None

    @property
    def settled(self) -> bool:
        return self.final is not None and self.filled >= self.final

    def heard(self, now_s: float) -> str:
        """Its venue has spoken of it; what is to be noted of that."""
        self.stage, self.asked_s, self.unanswered = Stage.WORKING, now_s, 0
        if self.unknown_s is None:
            return ""
        took_s, self.unknown_s = now_s - self.unknown_s, None
        return f"order {self.order.client_order_id} was unknown for {took_s:.3f} s"

    def sent(self, asks: int, now_s: float) -> None:
        self.stage, self.sent_s, self.asked_s = Stage.SENT, now_s, now_s
        self.asks, self.unanswered = asks, 0

    def asked(self, now_s: float) -> None:
        self.stage = Stage.ASKED if self.stage == Stage.DOUBTFUL else self.stage
        self.asked_s = now_s
        self.unanswered += 1

    def to_be_asked(self, patience: Patience, now_s: float) -> bool:
        """Whether its venue is to be asked about it now."""
        if self.stage == Stage.DOUBTFUL or self.asked_s is None:
            return True
        wait_s = patience.ask_every_s * (1 << min(max(0, self.unanswered - 1), 16))
        return now_s - self.asked_s >= min(wait_s, patience.ask_at_last_s)

    def counts(self, report: Report) -> None:
        """Take a report that is in the log, or is about to be."""
        self.filled += report.last_quantity - report.amended_quantity
        self.value += report.last_quantity * report.last_price - report.amended_quantity * report.amended_price
        self.acknowledged = self.acknowledged or report.status != OrderStatus.UNKNOWN


@dataclass(slots=True)
class Drain:
    """A mark in the orders that is told of once those before it are settled."""

    account: str
    event_time_ns: int
    waits_for: set[str]


def own_word(order: OrderRequest, filled: int, number: int, status: OrderStatus, text: str) -> TradingEvent:
    """A report of the gateway's own; where an order is unknown, all of it may be working."""
    leaves = order.quantity - filled if status == OrderStatus.UNKNOWN else 0
    return gateway_word(order, number, status, filled, leaves, order.event_time_ns, text)


def is_own_last_word(report: Report) -> bool:
    """Whether the gateway itself ended the order: its venue never had it, or could not read it."""
    ours = (exec_id(report.venue, report.client_order_id, number) for number in (REFUSED_WORD, CANCELED_WORD))
    return report.exec_id in ours
