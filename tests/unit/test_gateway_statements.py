"""What a venue states of an order when it is asked, by its sum alone: no fill is missed or counted twice."""

import math

from pipelines.domain.identity import report_id
from pipelines.domain.trading import OrderStatus, Report, Side, TradingEvent
from pipelines.execution.core import Gateway
from pipelines.execution.open_order import Patience
from pipelines.execution.plan import Doubted, LinkDown, LinkUp, Look, NotKnown, Ordered, Plan, Send, Stated, Told
from tests.unit.gateway_world import order
from tests.unit.test_gateway_core import asked, sent, written

UP = LinkUp("sim", 1)
ID = "new-1"


def fill(
    exec_id: str, lots: int, price: float, cumulative: int, status: str = "partially_filled", **more: object
) -> Told:
    report = Report(
        "sim", exec_id, ID, OrderStatus(status), "A", Side.BUY, lots, price, cumulative, 3 - cumulative, "", **more
    )
    return Told("sim", TradingEvent(report_id("sim", exec_id), "desk", 5, report))


def stated(status: str, cumulative: int, average: float = 0.0) -> Stated:
    return Stated("sim", ID, OrderStatus(status), cumulative, average, 7)


def sending() -> Gateway:
    """A gateway that has sent an order of three lots."""
    core = Gateway(frozenset({"sim"}), Patience(unknown_after_s=2.0, ask_every_s=1.0))
    assert sent(core.step([UP, Ordered(order(1))], 0.0)) == [ID]
    return core


def lots(plan: Plan) -> list[tuple[int, float]]:
    reports = [event.body for event in plan.write if isinstance(event.body, Report)]
    return [(each.last_quantity - each.amended_quantity, each.last_price) for each in reports]


def test_a_lost_acknowledgement_is_made_good_by_a_statement() -> None:
    core = sending()
    assert written(core.step([Look()], 2.5)) == ["unknown"]
    plan = core.step([stated("new", 0)], 3.0)
    assert written(plan) == ["new"]
    assert plan.notes == ("order new-1 was unknown for 3.000 s",)
    assert written(core.step([stated("new", 0)], 4.0)) == []


def test_fills_whose_reports_are_lost_are_one_fill_at_what_is_left_of_the_average() -> None:
    core = sending()
    core.step([fill("x1", 1, 100.0, 1)], 0.1)
    ((count, price),) = lots(core.step([stated("filled", 3, 102.0)], 0.2))
    assert count == 2
    assert math.isclose(price, 103.0)
    assert core.open == {}


def test_a_report_that_comes_after_a_statement_of_its_fill_counts_nothing() -> None:
    core = sending()
    core.step([stated("partially_filled", 2, 101.0)], 0.1)
    late = core.step([fill("x1", 1, 101.0, 1), fill("x2", 1, 101.0, 2)], 0.2)
    assert written(late) == []
    assert lots(core.step([fill("x3", 1, 100.0, 3, "filled")], 0.3)) == [(1, 100.0)]
    assert core.open == {}


def test_a_bust_of_a_fill_within_a_statement_takes_its_lots_back_from_there() -> None:
    core = sending()
    core.step([stated("partially_filled", 2, 101.0), fill("x1", 1, 100.5, 1)], 0.1)
    plan = core.step([fill("b1", 0, 0.0, 1, amends="x1")], 0.2)
    ((event),) = plan.write
    assert isinstance(event.body, Report)
    assert (event.body.amends, event.body.amended_quantity, event.body.amended_price) == (
        "stated-new-1-2-partially_filled",
        1,
        100.5,
    )


def test_a_bust_that_names_its_fill_alone_is_told_with_what_that_was() -> None:
    core = sending()
    core.step([fill("x1", 2, 100.5, 2)], 0.1)
    assert lots(core.step([fill("b1", 0, 0.0, 0, "new", amends="x1")], 0.2)) == [(-2, 0.0)]


def test_a_bust_before_its_fill_waits_for_it() -> None:
    core = sending()
    early = core.step([fill("b1", 0, 0.0, 0, "new", amends="x1")], 0.1)
    assert written(early) == []
    assert early.notes == ("b1 from sim amends x1, which was not told yet",)
    assert lots(core.step([fill("x1", 2, 100.5, 2)], 0.2)) == [(2, 100.5), (-2, 0.0)]


def test_a_canceled_order_is_settled_by_a_statement() -> None:
    core = sending()
    assert written(core.step([stated("canceled", 1, 100.0)], 0.1)) == ["canceled"]
    assert core.open == {}
    assert written(core.step([stated("canceled", 1, 100.0)], 0.2)) == []


def test_a_statement_of_fewer_lots_than_were_told_changes_nothing_and_is_noted() -> None:
    core = sending()
    core.step([fill("x1", 2, 100.0, 2)], 0.1)
    plan = core.step([stated("partially_filled", 1, 100.0)], 0.2)
    assert (written(plan), plan.notes) == ([], ("sim states 1 lots filled of new-1, and 2 were told",))


def test_a_statement_of_an_unknown_order_is_noted() -> None:
    core = Gateway(frozenset({"sim"}))
    plan = core.step([UP, stated("filled", 3, 100.0)], 0.0)
    assert (written(plan), plan.notes) == ([], ("sim states an order new-1, which is not ours there",))


def test_what_is_said_twice_after_a_restart_is_within_the_statement_still() -> None:
    core = sending()
    log = [*core.step([stated("partially_filled", 2, 101.0)], 0.1).write]
    intent = Gateway(frozenset({"sim"})).step([Ordered(order(1))], 0.0).write
    again = Gateway(frozenset({"sim"}))
    again.recover([*intent, *log])
    again.step([LinkUp("sim", 4)], 0.0)
    assert written(again.step([fill("x1", 1, 101.0, 1)], 0.1)) == []


def test_an_order_in_doubt_is_asked_about_at_once() -> None:
    core = sending()
    plan = core.step([Doubted("sim", ID, "a fill of -1 at 100")], 0.1)
    assert (asked(plan), plan.notes) == ([ID], ("sim: a fill of -1 at 100",))


def test_an_order_that_may_have_been_on_an_earlier_link_is_marked_so() -> None:
    core = sending()
    core.step([LinkDown("sim", 1)], 0.1)
    assert asked(core.step([LinkUp("sim", 2)], 0.2)) == [ID]
    plan = core.step([NotKnown("sim", 2, ID)], 0.3)
    assert plan.send == (Send(2, order(1), again=True),)


def test_an_order_that_was_passed_over_on_its_link_is_sent_again_once_its_venue_does_not_know_it() -> None:
    core = sending()
    (asked_for,) = core.step([Look()], 1.5).ask
    plan = core.step([NotKnown("sim", 1, ID, asked_for.number)], 1.6)
    assert plan.send == (Send(1, order(1), again=True),)


def test_an_answer_to_a_question_from_before_an_order_was_sent_says_nothing_of_it() -> None:
    core = sending()
    core.step([LinkDown("sim", 1)], 0.1)
    (first,) = core.step([LinkUp("sim", 2)], 0.2).ask
    (second,) = core.step([Look()], 1.5).ask
    assert sent(core.step([NotKnown("sim", 2, ID, first.number)], 1.6)) == [ID]
    assert sent(core.step([NotKnown("sim", 2, ID, second.number)], 1.7)) == []
