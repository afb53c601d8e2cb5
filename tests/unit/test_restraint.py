"""What holds orders back at the last hop: a throttle that cancels pass, and a last look at each order."""

from dataclasses import replace

from pipelines.domain.restraint import Restraint, Throttle
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, Decision, Report, TradingEvent
from pipelines.execution.core import Gateway
from pipelines.execution.open_order import Patience
from pipelines.execution.plan import Killed, LinkDown, LinkUp, Ordered, Plan, Priced
from tests.unit.gateway_world import STRATEGY, order
from tests.unit.test_gateway_core import sent, written

UP = LinkUp("sim", 1)
KILL = TradingEvent("kill/1", "desk", 1, Command("kill", "desk", "ann", "prices look wrong"))


def gateway(restraint: Restraint) -> Gateway:
    core = Gateway(frozenset({"sim"}), Patience(), TraderConfig.of(STRATEGY, "s1"), {"sim": restraint})
    core.step([UP], 0.0)
    return core


def cancel(number: int) -> Ordered:
    return Ordered(replace(order(number, Decision.CANCEL), target=f"new-{number}"))


def texts(plan: Plan) -> list[str]:
    return [event.body.text for event in plan.write if isinstance(event.body, Report)]


def test_a_throttle_counts_any_second() -> None:
    throttle = Throttle(2)
    throttle.count(0.0)
    throttle.count(0.6)
    assert not throttle.free(0.9)
    assert throttle.free_at_s(0.9) == 1.0
    assert throttle.free(1.0)


def test_orders_beyond_what_a_venue_takes_wait_in_their_order() -> None:
    core = gateway(Restraint(messages_per_s=2))
    plan = core.step([Ordered(order(number)) for number in range(5)], 0.0)
    assert (sent(plan), written(plan), plan.wake_s) == (["new-0", "new-1"], ["intent"] * 5, 1.0)
    assert sent(core.step([], 0.5)) == []
    assert sent(core.step([], 1.0)) == ["new-2", "new-3"]
    assert sent(core.step([Ordered(order(7))], 2.0)) == ["new-4", "new-7"]


def test_a_cancel_passes_the_queue_and_an_order_in_it_is_canceled_here() -> None:
    core = gateway(Restraint(messages_per_s=1))
    core.step([Ordered(order(1)), Ordered(order(2))], 0.0)
    plan = core.step([cancel(1), cancel(2)], 0.1)
    assert [each.order.client_order_id for each in plan.cancel] == ["new-1"]
    assert texts(plan) == ["canceled before it was sent"]
    assert sent(core.step([], 5.0)) == []


def test_a_queue_outlives_its_link() -> None:
    core = gateway(Restraint(messages_per_s=1))
    core.step([Ordered(order(1)), Ordered(order(2))], 0.0)
    core.step([LinkDown("sim", 1)], 0.1)
    plan = core.step([LinkUp("sim", 2)], 3.0)
    assert [each.order.client_order_id for each in plan.ask] == ["new-1"]
    assert sent(core.step([], 4.0)) == ["new-2"]


def test_a_kill_in_the_log_stops_what_waits() -> None:
    core = gateway(Restraint(messages_per_s=1))
    core.step([Ordered(order(1)), Ordered(order(2))], 0.0)
    plan = core.step([Killed(KILL)], 0.2)
    late = core.step([Ordered(order(3))], 1.5)
    assert (sent(plan), sent(late)) == ([], [])
    assert texts(plan) == texts(late) == ["not sent: desk was killed by ann: prices look wrong"]


def test_a_kill_that_the_account_has_come_to_already_stops_nothing() -> None:
    core = gateway(Restraint())
    core.step([Ordered(replace(order(1, Decision.NOTICE), cause="kill/1"))], 0.0)
    assert sent(core.step([Killed(KILL), Ordered(order(2))], 0.1)) == ["new-2"]


def test_an_order_worth_more_than_the_limit_is_not_sent() -> None:
    core = gateway(Restraint(order_worth=305.0))
    plan = core.step([Priced({"A": 101.0}), Ordered(order(1)), Ordered(order(2, quantity=4))], 0.0)
    assert sent(plan) == ["new-1"]
    assert texts(plan) == ["not sent: last look: worth 404.00, limit of one order at sim is 305.00"]


def test_an_order_without_a_known_price_is_not_sent_where_worth_is_limited() -> None:
    plan = gateway(Restraint(order_worth=305.0)).step([Ordered(order(1))], 0.0)
    assert texts(plan) == ["not sent: last look: no price of A is known, and sim has a limit on worth"]


def test_more_orders_in_a_second_than_can_be_meant_are_not_sent() -> None:
    core = gateway(Restraint(orders_per_s=2))
    plan = core.step([Ordered(order(number)) for number in range(3)], 0.0)
    assert (sent(plan), texts(plan)) == (
        ["new-0", "new-1"],
        ["not sent: last look: more than 2 orders in a second for sim"],
    )
    assert sent(core.step([Ordered(order(4))], 1.0)) == ["new-4"]
