"""What the gateway's core does with orders that are worked, one rule at a time."""

from dataclasses import replace

from pipelines.domain.parent_log import NO_RULE
from pipelines.domain.parent_orders import ParentOrders
from pipelines.domain.parent_rules import Algo, WorkRule, WorkRules
from pipelines.domain.restraint import Restraint
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.book_comparison import book_of_log
from pipelines.execution.core import Gateway
from pipelines.execution.plan import Input, Killed, LinkUp, Look, Moved, Ordered, Plan, Priced, Told
from pipelines.execution.worked import Worked
from tests.unit.gateway_parent_world import BOOKS, NAMES, STRATEGY, S, order, rule

OTHER = replace(STRATEGY.pairs[0], name="N-N", a="A.N", b="B.N")
CONFIG = TraderConfig.of(replace(STRATEGY, pairs=(*STRATEGY.pairs, OTHER)), "session-1")
TWAP = replace(rule(), algo=Algo.TWAP, duration_ns=30 * S, slices=3)
PARENT = order(0, quantity=9)


class Run:
    """A core, and the log that it writes."""

    def __init__(self, *rules: WorkRule, log: list[TradingEvent] | None = None, **of: object) -> None:
        self.log = list(log or [])
        worked = Worked(ParentOrders(WorkRules(rules)))
        self.core = Gateway(frozenset(NAMES), trader=CONFIG, worked=worked, **of)  # type: ignore[arg-type]
        self.core.recover(self.log)
        self.step(*(LinkUp(name, 1) for name in NAMES))

    def step(self, *inputs: Input) -> Plan:
        plan = self.core.step(inputs, 0.0)
        self.log += plan.write
        self.due_ns = plan.due_ns
        return plan

    def move(self) -> list[OrderRequest]:
        assert self.due_ns is not None
        return [each.order for each in self.step(Moved(self.due_ns, BOOKS)).send]

    def fill(self, child: OrderRequest) -> Plan:
        report = Report(
            child.venue, f"fill-{child.client_order_id}", child.client_order_id, OrderStatus.FILLED, child.instrument,
            child.side, child.quantity, 101.0, child.quantity, 0, "",
        )  # fmt: skip
        name = f"report/{child.venue}/{report.exec_id}"
        return self.step(Told(child.venue, TradingEvent(name, "desk", child.event_time_ns + 1_000, report)))


def kill(scope: str = "desk") -> TradingEvent:
    return TradingEvent(f"kill/{scope}", "desk", 15 * S, Command("kill", scope, "alice", "it looks wrong"))


def words(events: tuple[TradingEvent, ...] | list[TradingEvent]) -> list[str]:
    return [each.body.status.value if isinstance(each.body, Report) else "intent" for each in events]


def test_an_order_that_no_rule_is_for_goes_to_its_venue_as_before() -> None:
    run = Run(rule("B"))
    plan = run.step(Ordered(PARENT))
    assert [each.order for each in plan.send] == [PARENT]
    assert (words(plan.write), plan.due_ns) == (["intent"], None)


WORKED = replace(PARENT, order_type="worked", reason="twap: 3 slices over 30 s")


def test_an_order_that_is_worked_is_intended_and_asks_for_books_as_of_its_own_time() -> None:
    run = Run(TWAP)
    plan = run.step(Ordered(PARENT))
    assert (plan.send, plan.due_ns) == ((), PARENT.event_time_ns)
    assert plan.write == (TradingEvent("intent/new-0-0", "desk", PARENT.event_time_ns, WORKED),)
    assert run.step(Ordered(PARENT)).write == ()


def test_children_are_intended_in_the_plan_that_sends_them() -> None:
    run = Run(TWAP)
    run.step(Ordered(PARENT))
    plan = run.step(Moved(PARENT.event_time_ns, BOOKS))
    assert [event.body for event in plan.write] == [each.order for each in plan.send]
    assert sum(each.order.quantity for each in plan.send) == 3
    assert {each.order.target for each in plan.send} == {"new-0-0"}


def test_a_child_that_is_unknown_is_told_as_its_order() -> None:
    run = Run(rule())
    run.step(Ordered(PARENT))
    child = run.move()[0]
    report = next(e.body for e in run.core.step([Look()], 5.0).write if isinstance(e.body, Report))
    assert (report.client_order_id, report.status, report.child_status) == ("new-0-0", "unknown", "unknown")
    assert report.child == child.client_order_id


def test_a_kill_stops_what_is_worked_before_its_next_slice() -> None:
    run = Run(TWAP)
    run.step(Ordered(PARENT))
    for child in run.move():
        run.fill(child)
    plan = run.step(Killed(kill()))
    assert (words(plan.write), plan.due_ns) == (["canceled"], None)


def test_a_kill_of_another_pair_stops_nothing() -> None:
    run = Run(TWAP)
    run.step(Ordered(PARENT))
    assert run.step(Killed(kill("pair:N-N"))).due_ns is not None


def test_a_kill_that_lies_in_the_log_behind_an_order_stops_it_after_a_restart() -> None:
    run = Run(TWAP)
    run.step(Ordered(PARENT))
    children = run.move()
    again = Run(TWAP, log=[*run.log, kill()])
    assert again.due_ns is None
    assert words(again.log[len(run.log) + 1 :]) == ["new"]
    for child in children:
        plan = again.fill(child)
    assert words(plan.write) == ["canceled"]


def test_an_order_that_was_decided_before_a_kill_and_not_begun_is_not_sent() -> None:
    run = Run(TWAP)
    run.step(Killed(kill()))
    plan = run.step(Ordered(PARENT))
    assert (words(plan.write), plan.due_ns) == (["rejected"], None)


def test_an_order_that_was_intended_after_a_kill_was_obeyed_is_worked_after_a_restart() -> None:
    notice = order(7, Decision.NOTICE, cause="kill/desk")
    run = Run(TWAP, log=[kill()])
    run.step(Ordered(notice))
    run.step(Ordered(PARENT))
    again = Run(TWAP, log=run.log)
    assert again.due_ns is None  # as long as trading.orders was not read to where the kill was obeyed
    assert again.step(Ordered(notice), Ordered(PARENT)).due_ns == PARENT.event_time_ns


def test_a_child_that_its_venues_last_look_refuses_bars_that_venue() -> None:
    run = Run(rule(), restraints={"Q": Restraint(order_worth=1.0)})
    run.step(Priced({"A.Q": 100.0}))
    run.step(Ordered(replace(PARENT, quantity=4)))
    plan = run.step(Moved(PARENT.event_time_ns, BOOKS))
    assert words(plan.write) == ["intent", "intent", "new"]
    (child,) = [each.order for each in plan.send]
    assert child.venue == "N"
    run.fill(child)
    assert {each.venue for each in run.move()} == {"N"}


def test_an_order_that_was_sliced_is_brought_to_its_end_by_a_gateway_without_rules() -> None:
    run = Run(TWAP)
    run.step(Ordered(PARENT))
    for child in run.move():
        run.fill(child)
    again = Run(log=run.log)
    last = again.log[-1].body
    assert isinstance(last, Report)
    assert (last.status, last.text, last.cumulative_quantity, again.due_ns) == ("canceled", NO_RULE, 3, None)
    assert again.core.open == {}


def test_an_order_whose_schedule_cannot_be_is_rejected_with_the_reason() -> None:
    run = Run(replace(TWAP, duration_ns=1))
    (event,) = run.step(Ordered(PARENT)).write
    assert isinstance(event.body, Report)
    assert (event.body.status, event.body.text.partition(":")[0]) == ("rejected", "not sent")


def test_the_logs_book_of_a_venue_has_the_children_and_not_their_order() -> None:
    run = Run(rule())
    run.step(Ordered(replace(PARENT, quantity=4)))
    children = run.move()
    for child in children:
        run.fill(child)
    for venue in NAMES:
        (child,) = [each for each in children if each.venue == venue]
        (booked,) = book_of_log(run.log, venue).items()
        assert (booked[0], booked[1].status, booked[1].lots) == (child.client_order_id, OrderStatus.FILLED, 2)
