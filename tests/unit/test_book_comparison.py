"""The log's book of orders beside a venue's: what is the same, and what is told of each that is not."""

from dataclasses import replace
from decimal import Decimal

from pipelines.domain.identity import report_id
from pipelines.domain.trading import OrderStatus, Report, Side, TradingEvent
from pipelines.execution.book_comparison import BookedOrder, book_of_log, differences
from pipelines.execution.core import Gateway
from pipelines.execution.plan import LinkUp, Ordered, Stated, Told
from tests.unit.gateway_world import order
from tests.unit.test_restraint import cancel


def told(number: int, exec_id: str, lots: int, cumulative: int, status: str, **more: object) -> Told:
    report = Report(
        "sim", exec_id, f"new-{number}", OrderStatus(status), "A", Side.BUY, lots, 100.0, cumulative, 0, "", **more
    )
    return Told("sim", TradingEvent(report_id("sim", exec_id), "desk", 5, report))


def log(*inputs: Told | Ordered | Stated) -> dict[str, BookedOrder]:
    core = Gateway(frozenset({"sim"}))
    events = [*core.step([LinkUp("sim", 1)], 0.0).write]
    for each in inputs:
        events += core.step([each], 0.1).write
    return book_of_log(events, "sim")


FILLED = BookedOrder(OrderStatus.FILLED, 1, {"x1": (3, Decimal("100.0"))})
SENT, FILL = Ordered(order(1)), told(1, "x1", 3, 3, "filled")


def test_the_same_orders_and_executions_are_the_same_book() -> None:
    assert list(differences(log(SENT, FILL), {"new-1": FILLED})) == []


def test_what_one_side_lacks_is_told() -> None:
    assert list(differences(log(SENT, FILL), {})) == ["new-1: the log has it, filled, the venue has not"]
    assert list(differences({}, {"new-1": FILLED})) == ["new-1: the venue has it, the log has not"]


def test_each_execution_that_is_not_alike_is_told() -> None:
    other = replace(FILLED, executions={"x1": (2, Decimal("100.0")), "x2": (1, Decimal("100.0"))})
    assert list(differences(log(SENT, FILL), {"new-1": other})) == [
        "new-1: execution x1: 3 lots at 100.0 in the log, 2 lots at 100.0 at the venue",
        "new-1: execution x2: none in the log, 1 lots at 100.0 at the venue",
    ]


def test_an_order_that_the_venue_was_given_twice_is_told() -> None:
    assert list(differences(log(SENT, FILL), {"new-1": replace(FILLED, received=2)})) == [
        "new-1: the venue was given it 2 times"
    ]


def test_a_bust_takes_its_execution_out() -> None:
    bust = told(1, "b1", 0, 0, "canceled", amends="x1")
    assert list(differences(log(SENT, FILL, bust), {"new-1": BookedOrder(OrderStatus.CANCELED)})) == []


def test_fills_that_were_told_by_their_sum_are_compared_by_it() -> None:
    stated = Stated("sim", "new-1", OrderStatus.FILLED, 3, 100.0, 7)
    assert list(differences(log(SENT, stated), {"new-1": FILLED})) == []
    dearer = replace(FILLED, executions={"x1": (3, Decimal("100.5"))})
    (line,) = differences(log(SENT, stated), {"new-1": dearer})
    assert line.startswith("new-1: fills worth 300")


def test_an_order_that_was_canceled_before_it_was_sent_is_in_no_book() -> None:
    core = Gateway(frozenset({"sim"}))
    events = [*core.step([SENT], 0.0).write, *core.step([cancel(1)], 0.1).write]
    assert [event.event_id for event in events][:1] == ["intent/new-1"]
    assert book_of_log(events, "sim") == {}
