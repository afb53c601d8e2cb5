"""What was told of orders, each word once: fills, what takes them back, and sums that venues state when asked."""

import math
from dataclasses import dataclass, field, replace

from pipelines.domain.identity import report_id
from pipelines.domain.trading import TERMINAL, OrderRequest, Report, TradingEvent
from pipelines.execution.plan import Stated, Told

MAX_LOTS = 1 << 31
"""No report that counts more lots than this is believed."""

STATED = "stated-"
"""How the exec id of a report begins that this process made of a venue's answer."""


@dataclass(slots=True)
class ToldReports:
    """Of all orders, by event id."""

    _told: set[str] = field(default_factory=set)
    _fills: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Lots and price of each fill: what a bust takes back."""
    _early: dict[str, Told] = field(default_factory=dict)
    """Busts and corrections of fills that were not told yet, by the fill."""
    _covered: dict[str, Report] = field(default_factory=dict)
    """By order, the fill that was made of a venue's answer."""
    _within: dict[str, str] = field(default_factory=dict)
    """Fill that such a one covers -> exec id of that."""

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._told

    def count(self, event: TradingEvent, report: Report) -> None:
        """Remember a report that is in the log, or is about to be."""
        self._told.add(event.event_id)
        if report.last_quantity:
            self._fills[event.event_id] = (report.last_quantity, report.last_price)
            if report.exec_id.startswith(STATED):
                self._covered[report.client_order_id] = report

    def is_covered(self, report: Report) -> bool:
        """Whether a fill is within what its venue had stated: it counts no more."""
        if not report.last_quantity or report.amends:
            return False
        stated = self._covered.get(report.client_order_id)
        return stated is not None and report.cumulative_quantity <= stated.cumulative_quantity

    def cover(self, event_id: str, report: Report) -> None:
        """Remember a fill that is covered, so that a bust of it is understood."""
        self._told.add(event_id)
        self._fills[event_id] = (report.last_quantity, report.last_price)
        self._within[event_id] = self._covered[report.client_order_id].exec_id

    def explained(self, told: Told, report: Report, order: OrderRequest | None) -> TradingEvent | None:
        """What amends a fill, with what that was and what its order was of: the account may have forgotten it. None:
        the fill itself was not told yet, and this waits for it."""
        if not report.amends:
            return told.event
        if not report.amended_quantity:
            fill = report_id(report.venue, report.amends)
            if fill not in self._fills:
                self._early[fill] = told
                return None
            lots, price = self._fills[fill]
            amends = self._within.get(fill, report.amends)
            report = replace(report, amends=amends, amended_quantity=lots, amended_price=price)
        if order is not None:
            report = replace(report, pair=order.pair, leg=order.leg, strategy=order.strategy)
        return replace(told.event, body=report)

    def early(self, fill: str) -> Told | None:
        """The bust or correction that came before a fill; given once."""
        return self._early.pop(fill, None)


def stated_report(order: OrderRequest, said: Stated, lots: int, value: float) -> Report:
    """What a venue states of an order as a report: `lots` beyond those that were told, of which `value` is lots times
    prices."""
    price = (said.average_price * said.cumulative_quantity - value) / lots if lots else 0.0
    left = 0 if said.status in TERMINAL else order.quantity - said.cumulative_quantity
    return Report(
        venue=order.venue,
        exec_id=f"{STATED}{order.client_order_id}-{said.cumulative_quantity}-{said.status.value}",
        client_order_id=order.client_order_id,
        status=said.status,
        instrument=order.instrument,
        side=order.side,
        last_quantity=lots,
        last_price=price,
        cumulative_quantity=said.cumulative_quantity,
        leaves_quantity=max(0, left),
        text=said.text or "as its venue stated when it was asked",
    )


def believable(report: Report) -> bool:
    """Whether its numbers can be an order's: anything else is not written to the log."""
    quantities = (report.last_quantity, report.cumulative_quantity, report.leaves_quantity)
    return all(0 <= each <= MAX_LOTS for each in quantities) and 0 <= report.last_price < math.inf
