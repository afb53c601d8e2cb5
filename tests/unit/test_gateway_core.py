"""What the gateway decides, one rule at a time. The interplay under crashes is in test_gateway_crashes.py."""

from dataclasses import replace

import pytest

from pipelines.domain.matching import MatchConfig, Quote, acknowledge, match
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Command, Decision, OrderRequest, Report, TradingEvent
from pipelines.execution.core import Gateway
from pipelines.execution.open_order import Patience
from pipelines.execution.plan import LinkDown, LinkUp, Look, NotKnown, Ordered, Plan, Refused, Told
from tests.unit.gateway_world import QUOTE, STRATEGY, order

INSTRUMENT = STRATEGY.instrument_by_id["A"]
CONFIG = MatchConfig()
UP = LinkUp("sim", 1)


def gateway(*log: TradingEvent) -> Gateway:
    core = Gateway(frozenset({"sim"}), Patience(unknown_after_s=2.0, ask_every_s=1.0))
    core.recover(log)
    return core


def intent(number: int) -> TradingEvent:
    (event,) = gateway().step([Ordered(order(number))], 0.0).write
    return event


def acked(number: int) -> TradingEvent:
    return acknowledge(order(number), INSTRUMENT, CONFIG)


def filled(number: int, quote: Quote = QUOTE) -> tuple[TradingEvent, ...]:
    return match(order(number), INSTRUMENT, quote, CONFIG)


def told(*events: TradingEvent) -> list[Told]:
    return [Told("sim", event) for event in events]


def written(plan: Plan) -> list[str]:
    """The events of a plan in words."""
    words = []
    for event in plan.write:
        match event.body:
            case Report(status=status):
                words.append(status.value)
            case Command(command=command):
                words.append(command)
            case _:
                words.append("intent")
    return words


def sent(plan: Plan) -> list[str]:
    return [each.order.client_order_id for each in plan.send]


def asked(plan: Plan) -> list[str]:
    return [each.order.client_order_id for each in plan.ask]


def test_an_order_is_written_and_sent_in_one_plan_when_its_venue_is_up() -> None:
    core = gateway()
    core.step([UP], 0.0)
    plan = core.step([Ordered(order(1)), Ordered(order(2))], 0.0)
    assert (written(plan), sent(plan)) == (["intent", "intent"], ["new-1", "new-2"])
    assert plan.write[0] == TradingEvent("intent/new-1", "desk", order(1).event_time_ns, order(1))


def test_orders_wait_for_a_venue_that_is_down_and_go_out_when_it_is_back() -> None:
    core = gateway()
    assert sent(core.step([Ordered(order(1))], 0.0)) == []
    assert written(core.step([Look()], 60.0)) == []
    plan = core.step([UP], 61.0)
    assert (sent(plan), asked(plan)) == (["new-1"], [])


def test_a_repeated_order_is_intended_once() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    plan = core.step([Ordered(order(1)), Ordered(replace(order(1), quantity=9))], 0.0)
    assert plan == Plan()


def test_refused_decisions_of_the_trader_are_not_orders() -> None:
    core = gateway()
    assert core.step([UP, Ordered(order(1, Decision.REFUSED))], 0.0) == Plan()


def test_an_intent_of_a_former_process_is_asked_for_and_never_sent_unasked() -> None:
    core = gateway(intent(1))
    plan = core.step([Ordered(order(1)), UP], 0.0)
    assert (written(plan), sent(plan), asked(plan)) == ([], [], ["new-1"])


def test_what_the_venue_does_not_know_is_sent_once_however_often_it_says_so() -> None:
    core = gateway(intent(1))
    core.step([UP], 0.0)
    assert asked(core.step([Look()], 1.5)) == ["new-1"]
    answer = NotKnown("sim", 1, "new-1")
    assert sent(core.step([answer, answer], 1.6)) == ["new-1"]
    assert sent(core.step([answer], 1.7)) == []


def test_an_answer_of_an_older_link_sends_nothing() -> None:
    core = gateway(intent(1))
    core.step([UP], 0.0)
    core.step([LinkDown("sim", 1), LinkUp("sim", 2)], 0.1)
    assert sent(core.step([NotKnown("sim", 1, "new-1")], 0.2)) == []
    assert sent(core.step([NotKnown("sim", 2, "new-1")], 0.3)) == ["new-1"]


def test_what_was_on_a_link_that_broke_is_asked_for_on_the_next() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1)), Ordered(order(2))], 0.0)
    core.step(told(acked(2)), 0.0)
    plan = core.step([LinkDown("sim", 1), LinkUp("sim", 2)], 0.1)
    assert (sent(plan), asked(plan)) == ([], ["new-1", "new-2"])


def test_an_order_without_a_word_is_written_down_as_unknown_once() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    assert written(core.step([Look()], 1.9)) == []
    plan = core.step([Look()], 2.1)
    assert written(plan) == ["unknown"]
    (event,) = plan.write
    assert isinstance(event.body, Report)
    assert (event.body.leaves_quantity, event.event_time_ns) == (3, order(1).event_time_ns)
    assert written(core.step([Look()], 9.0)) == []


def test_a_restarted_gateway_does_not_write_unknown_twice() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    (event,) = core.step([Look()], 2.1).write
    again = gateway(intent(1), event)
    again.step([Look()], 0.0)
    assert written(again.step([Look()], 9.0)) == []


def test_an_acknowledged_order_is_working_however_long_its_venue_is_away() -> None:
    core = gateway(intent(1), acked(1))
    core.step([Look()], 0.0)
    assert written(core.step([Look()], 100.0)) == []


def test_word_after_unknown_settles_the_order() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    core.step([Look()], 2.1)
    assert written(core.step(told(acked(1), *filled(1)), 3.0)) == ["new", "partially_filled", "filled"]
    assert core.open == {}


def test_every_report_is_written_once() -> None:
    core = gateway(intent(1), acked(1))
    assert written(core.step(told(acked(1), *filled(1), *filled(1)), 0.0)) == ["partially_filled", "filled"]
    assert written(core.step(told(acked(1), *filled(1)), 0.0)) == []


def test_an_order_whose_last_word_overtook_a_fill_is_still_asked_for() -> None:
    first, last = filled(1)
    core = gateway(intent(1), acked(1), last)
    assert asked(core.step([UP], 0.0)) == ["new-1"]
    assert written(core.step(told(acked(1), first, last), 0.1)) == ["partially_filled"]
    assert core.open == {}


def test_an_acknowledgement_that_fills_have_overtaken_is_not_written() -> None:
    core = gateway(intent(1))
    core.step(told(*filled(1)), 0.0)
    assert written(core.step(told(acked(1)), 0.0)) == []


def test_a_drain_is_answered_when_every_order_before_it_is_settled() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1)), Ordered(order(2)), Ordered(order(3, Decision.DRAIN)), Ordered(order(4))], 0.0)
    assert "drained" not in written(core.step(told(acked(1), *filled(1), acked(2)), 0.0))
    plan = core.step(told(*filled(2)), 0.0)
    assert written(plan) == ["partially_filled", "filled", "drained"]
    assert plan.write[-1] == TradingEvent(
        "drained/drain-3",
        "desk",
        order(3).event_time_ns,
        Command("drained", "drain-3", "gateway", "every order before it is settled"),
    )


def test_a_drain_of_an_idle_account_is_answered_at_once_and_once() -> None:
    core = gateway()
    drain = Ordered(order(1, Decision.DRAIN))
    plan = core.step([drain, drain], 0.0)
    assert written(plan) == ["drained"]
    assert written(gateway(*plan.write).step([drain], 0.0)) == []


def test_an_order_for_a_venue_without_an_address_is_rejected_in_words() -> None:
    core = gateway()
    plan = core.step([UP, Ordered(replace(order(1), venue="nyse"))], 0.0)
    assert (written(plan), sent(plan)) == (["rejected"], [])
    assert isinstance(plan.write[0].body, Report)
    assert plan.write[0].body.text == "no venue 'nyse' here: sim"
    assert written(gateway(*plan.write).step([Ordered(replace(order(1), venue="nyse"))], 0.0)) == []


def test_an_order_that_its_venue_cannot_read_is_rejected() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    plan = core.step([Refused("sim", "new-1", "not a message")], 0.0)
    assert (written(plan), core.open) == (["rejected"], {})


def test_a_report_of_no_order_of_ours_is_noted_and_not_written() -> None:
    plan = gateway().step(told(*filled(1)), 0.0)
    assert plan.write == ()
    assert plan.notes[0] == "stray report of new-1 from sim: not an order of ours there"


@pytest.mark.parametrize(
    "change",
    [{"last_quantity": -1}, {"cumulative_quantity": 1 << 40}, {"last_price": float("nan")}, {"leaves_quantity": -5}],
)
def test_a_report_that_cannot_be_true_is_noted_and_not_written(change: dict[str, float]) -> None:
    core = gateway(intent(1))
    event = filled(1)[0]
    assert isinstance(event.body, Report)
    plan = core.step(told(replace(event, body=replace(event.body, **change))), 0.0)
    assert plan.write == ()
    assert "not believable" in plan.notes[0]


def cancel_of(number: int) -> OrderRequest:
    asked_for = order(number)
    return replace(
        asked_for, client_order_id=f"cancel-{number}", action=Decision.CANCEL, target=asked_for.client_order_id
    )


def test_a_cancel_of_what_no_link_was_given_is_settled_here_and_nothing_is_sent() -> None:
    core = gateway()
    core.step([Ordered(order(1))], 0.0)
    plan = core.step([Ordered(cancel_of(1))], 0.1)
    assert written(plan) == ["canceled"]
    assert not core.open
    assert sent(core.step([UP], 0.2)) == []


def test_an_order_and_its_cancel_in_one_batch_leave_its_intent_and_its_end() -> None:
    core = gateway()
    core.step([UP], 0.0)
    plan = core.step([Ordered(order(1)), Ordered(cancel_of(1))], 0.1)
    assert (written(plan), sent(plan)) == (["intent", "canceled"], [])


def test_the_venue_is_asked_to_cancel_what_was_sent_once_a_link() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    (asked_for,) = core.step([Ordered(cancel_of(1))], 0.1).cancel
    assert (asked_for.link, asked_for.order.client_order_id) == (1, order(1).client_order_id)
    assert core.step([Ordered(cancel_of(1)), *told(acked(1))], 0.2).cancel == ()


def test_a_doubtful_order_is_canceled_as_soon_as_its_venue_tells_of_it() -> None:
    #  link 1: sent   broken   cancel asked   link 2: venue is asked   it has it: cancel goes out
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    core.step([LinkDown("sim", 1)], 0.1)
    assert core.step([Ordered(cancel_of(1))], 0.2).cancel == ()
    assert asked(core.step([LinkUp("sim", 2)], 0.3)) == [order(1).client_order_id]
    (asked_for,) = core.step(told(acked(1)), 0.4).cancel
    assert asked_for.link == 2


def test_a_doubtful_order_that_its_venue_does_not_know_is_not_sent_once_it_was_to_be_canceled() -> None:
    core = gateway(intent(1))
    core.step([UP, Ordered(order(1)), Ordered(cancel_of(1))], 0.0)
    plan = core.step([NotKnown("sim", 1, order(1).client_order_id)], 0.1)
    assert (written(plan), sent(plan)) == (["canceled"], [])


def test_a_cancel_that_comes_too_late_does_nothing() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    core.step(told(acked(1), *filled(1)), 0.1)
    plan = core.step([Ordered(cancel_of(1))], 0.2)
    assert (plan.cancel, plan.write) == ((), ())


def test_what_amends_a_fill_is_written_with_the_pair_of_its_order() -> None:
    core = gateway()
    core.step([UP, Ordered(order(1))], 0.0)
    words = (acked(1), *filled(1))
    core.step(told(*words), 0.1)
    fill = words[-1].body
    assert isinstance(fill, Report)
    bust = replace(fill, exec_id="bust", amends=fill.exec_id, amended_quantity=fill.last_quantity, last_quantity=0)
    (event,) = core.step(told(replace(words[-1], event_id="report/sim/bust", body=bust)), 0.2).write
    assert isinstance(event.body, Report)
    assert (event.body.pair, event.body.leg) == (order(1).pair, order(1).leg)


# Kills that were given while no gateway was there.


def kill(scope: str = "desk", event_id: str = "command/kill/1") -> TradingEvent:
    return TradingEvent(event_id, "desk", 5, Command("kill", scope, "alice", "prices look wrong"))


def obeyed(event_id: str = "command/kill/1") -> Ordered:
    return Ordered(replace(order(99, Decision.NOTICE), cause=event_id, reason="killed: desk by alice"))


def traded(*log: TradingEvent) -> Gateway:
    core = Gateway(frozenset({"sim"}), Patience(2.0, 1.0), TraderConfig.of(STRATEGY, "session-1"))
    core.recover(log)
    return core


def test_what_was_decided_before_a_kill_and_not_sent_is_not_sent_after_it() -> None:
    core = traded(intent(1), kill())
    plan = core.step([UP, Ordered(order(1)), Ordered(order(2))], 0.0)
    assert (written(plan), sent(plan), asked(plan)) == (["rejected"], [], ["new-1"])
    assert plan.write[0].body.text == "not sent: desk was killed by alice: prices look wrong"  # type: ignore[union-attr]


def test_what_the_account_decides_after_it_has_come_to_the_kill_is_its_own_affair() -> None:
    core = traded(kill())
    plan = core.step([UP, Ordered(order(1)), obeyed(), Ordered(order(2))], 0.0)
    assert (written(plan), sent(plan)) == (["rejected", "intent"], ["new-2"])


def test_one_kill_obeyed_is_not_another() -> None:
    core = traded(kill(), kill(event_id="command/kill/2"))
    plan = core.step([UP, obeyed(), Ordered(order(1))], 0.0)
    assert (written(plan), sent(plan)) == (["rejected"], [])


@pytest.mark.parametrize("scope", ["all", "pair:A-B", "venue:sim", "strategy:test", "strategy:nobody's", "nonsense"])
def test_a_kill_stops_what_its_scope_has_and_all_where_it_is_none_of_the_account_s(scope: str) -> None:
    plan = traded(kill(scope)).step([UP, Ordered(replace(order(1), strategy="test"))], 0.0)
    assert (written(plan), sent(plan)) == (["rejected"], [])


def test_a_kill_of_another_part_stops_nothing() -> None:
    of = replace(STRATEGY, pairs=(*STRATEGY.pairs, replace(STRATEGY.pairs[0], name="B-A", a="B", b="A")))
    core = Gateway(frozenset({"sim"}), trader=TraderConfig.of(of, "session-1"))
    core.recover([kill("pair:B-A")])
    assert sent(core.step([UP, Ordered(order(1)), Ordered(replace(order(2), pair="B-A"))], 0.0)) == ["new-1"]


def test_an_intent_that_its_venue_does_not_know_is_not_sent_again_after_a_kill() -> None:
    core = traded(intent(1), kill())
    core.step([UP, Ordered(order(1))], 0.0)
    plan = core.step([NotKnown("sim", 1, "new-1")], 0.1)
    assert (written(plan), sent(plan)) == (["canceled"], [])
    assert core.open == {}


def test_gateways_of_an_account_leave_each_others_orders_alone_and_tell_of_a_drain_each() -> None:
    east, west = (Gateway(frozenset({venue}), group=name) for venue, name in (("sim", "east"), ("other", "west")))
    for core, venue in ((east, "sim"), (west, "other")):
        core.step([LinkUp(venue, 1)], 0.0)
    orders = [Ordered(order(1)), Ordered(replace(order(2), venue="other")), Ordered(order(3, Decision.DRAIN))]
    plans = [core.step(orders, 0.1) for core in (east, west)]
    assert [sent(plan) for plan in plans] == [["new-1"], ["new-2"]]
    log = [event for plan in plans for event in plan.write]
    done = east.step(told(acked(1), *filled(1)), 0.2)
    assert [(event.event_id, event.body.operator) for event in done.write if isinstance(event.body, Command)] == [
        ("drained/drain-3/east", "gateway east")
    ]
    again = Gateway(frozenset({"other"}), group="west")
    again.recover([*log, *done.write])
    assert list(again.open) == ["new-2"]
