"""Words about children told as their parent's, and back: what the trader hears, and what a gateway finds in its log."""

from dataclasses import replace

from pipelines.domain.identity import child_cancel_id, intent_id, report_id
from pipelines.domain.matching import exec_id
from pipelines.domain.parent_state import Child, Parent
from pipelines.domain.trading import TERMINAL, Decision, OrderRequest, OrderStatus, Report, TradingEvent

STOPPED_WORD = -4
ENDED_WORD = -5
NOTHING_WORD = -100
"""Numbers of the words of the gateway's own about a parent: no more of it is sent; all of it is over; nothing was found
to send, from there on down."""


def as_told(parent: Parent, event: TradingEvent, over: bool) -> TradingEvent:
    """A child's report as its parent's. It is counted already: the sums are the parent's after it.

    Venue and exec id stay the child's, so that it is the same event, counted once, and its fee is that venue's.
    """
    report = event.body
    assert isinstance(report, Report)
    order, status = parent.order, parent.status(over)
    told = replace(
        report,
        client_order_id=order.client_order_id,
        status=status,
        instrument=order.instrument,
        side=order.side,
        cumulative_quantity=max(0, parent.filled),
        leaves_quantity=_leaves(parent, status),
        child=report.client_order_id,
        child_status=report.status.value,
        child_cumulative=report.cumulative_quantity,
    )
    return replace(event, body=told)


def as_child(event: TradingEvent) -> TradingEvent:
    """A child's report as its venue told it, of one that was told as its parent's; any other as it is. ValueError for
    a status that is none."""
    report = event.body
    if not isinstance(report, Report) or not report.child:
        return event
    own = replace(
        report,
        client_order_id=report.child,
        status=OrderStatus(report.child_status),
        cumulative_quantity=report.child_cumulative,
        child="",
        child_status="",
        child_cumulative=0,
    )
    return replace(event, body=own)


def gateway_word(
    order: OrderRequest, number: int, status: OrderStatus, cumulative: int, leaves: int, time_ns: int, text: str
) -> TradingEvent:
    """A report without lots that the gateway itself makes of an order. `number`: below 0; a venue counts from 0."""
    identity = exec_id(order.venue, order.client_order_id, number)
    report = Report(
        venue=order.venue,
        exec_id=identity,
        client_order_id=order.client_order_id,
        status=status,
        instrument=order.instrument,
        side=order.side,
        last_quantity=0,
        last_price=0.0,
        cumulative_quantity=cumulative,
        leaves_quantity=leaves,
        text=text,
    )
    return TradingEvent(report_id(order.venue, identity), order.account, time_ns, report)


def own_word(parent: Parent, number: int, over: bool, time_ns: int, text: str) -> TradingEvent:
    """A word of the gateway's own about a parent."""
    status = parent.status(over)
    return gateway_word(parent.order, number, status, max(0, parent.filled), _leaves(parent, status), time_ns, text)


def is_stop(report: Report) -> bool:
    """Whether it says that no more of a parent is sent."""
    return not report.child and report.exec_id == exec_id(report.venue, report.client_order_id, STOPPED_WORD)


def is_nothing(parent: Parent, report: Report) -> bool:
    """Whether it says, once more, that nothing was found to send."""
    number = NOTHING_WORD - len(parent.fruitless_ns)
    return not report.child and report.exec_id == exec_id(report.venue, report.client_order_id, number)


def intent_of(order: OrderRequest) -> TradingEvent:
    return TradingEvent(intent_id(order.client_order_id), order.account, order.event_time_ns, order)


def cancel_of(child: Child, time_ns: int, cause: str) -> OrderRequest:
    """The request that a child be canceled: the same however often it is made."""
    order = child.order
    return replace(
        order,
        client_order_id=child_cancel_id(order.client_order_id),
        action=Decision.CANCEL,
        event_time_ns=time_ns,
        quantity=max(0, order.quantity - child.filled),
        cause=cause,
        reason="",
        checks=(),
        target=order.client_order_id,
    )


def _leaves(parent: Parent, status: OrderStatus) -> int:
    """Lots that may still fill: all that is not filled, until its last word."""
    return 0 if status in TERMINAL else max(0, parent.order.quantity - parent.filled)
