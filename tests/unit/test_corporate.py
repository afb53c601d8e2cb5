"""Splits and dividends of what is held. A-B is 10 and -7 lots at 100, A-C 10 and -12; actions a second after."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from pipelines.domain.account import TraderState
from pipelines.domain.account_bytes import dump, load
from pipelines.domain.corporate import lots_after
from pipelines.domain.exposure import lost, made, worth
from pipelines.domain.ledger import Entry, Ledger, Method
from pipelines.domain.replay import replay
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trader import step
from pipelines.domain.trading import Action, Booked, Decision, OrderRequest, OrderStatus
from pipelines.domain.universe import CorporateAction, SignalUse, Sizing, Venue
from tests.support.accounts import MS, T0, lots, marks, report
from tests.support.clocked import EXIT, Clocked, cancels, clocked, moves, new
from tests.support.traded import COSTS, TERMS, Traded, acts, by_books, by_log, drive

AT_NS = T0 + 1000 * MS


def acting(*actions: CorporateAction, **parts: Any) -> Clocked:
    return clocked(of={"actions": actions} | parts)


def split(factor: float, instrument: str = "A", at_ns: int = AT_NS) -> CorporateAction:
    return CorporateAction(instrument, at_ns, factor=factor)


def dividend(amount: float, instrument: str = "A") -> CorporateAction:
    return CorporateAction(instrument, AT_NS, amount=amount)


def bookings(outputs: tuple[OrderRequest, ...]) -> list[tuple[Booked, str, str, int, float]]:
    return [
        (each.booked, each.pair, each.instrument, each.signed, each.amount)
        for each in outputs
        if each.action is Decision.BOOKED
    ]


@pytest.mark.parametrize(
    ("held", "factor", "after"),
    [
        (100, 0.5, 200),
        (-100, 0.5, -200),
        (100, 1 / 3, 300),
        (100, 2.0, 50),
        (101, 2.0, 50),
        (-101, 2.0, -50),
        (7, 10.0, 0),
        (3, 2 / 3, 4),
        (2_000_000_000, 1 / 7, 14_000_000_000),
    ],
)
def test_lots_after_a_split_are_whole(held: int, factor: float, after: int) -> None:
    assert lots_after(held, factor) == after


def test_a_split_makes_twice_the_lots_at_half_the_price_and_no_profit() -> None:
    at = acting(split(0.5)).hold("A-B", "A-C")
    before = made(at.state), lost(at.state), worth(at.state)
    outputs = at.at(1_000, A=50.0)
    assert bookings(outputs) == [(Booked.SPLIT, "A-B", "A", 10, 0.0), (Booked.SPLIT, "A-C", "A", 10, 0.0)]
    assert outputs[0].reason == "split: 10 lots become 20, prices times 0.5"
    assert lots(at) == {"A": 40, "B": -7, "C": -12}
    assert at.lots_of("A-B") == (20, -7)
    assert (made(at.state), lost(at.state), worth(at.state)) == before
    assert not new(outputs)
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "A", -20), ("A-B", "B", 7)]


def test_quotes_from_before_a_split_are_of_half_the_price_until_new_ones_come() -> None:
    at = acting(split(0.5)).hold("A-B")
    before = made(at.state)
    at.number += 1
    at.give(marks(0, at.number, AT_NS, names=("B",)))
    assert lots(at) == {"A": 20, "B": -7}
    assert made(at.state) == before
    at.give(marks(1, at.number, AT_NS - MS, names=("A",)))  # a shard that is late tells of before it
    assert made(at.state) == before
    for shard in at.state.marks.values():
        assert shard.quotes["A"][:2] == (99.99 / 2, 100.01 / 2)


def test_it_holds_once_also_after_the_state_was_saved() -> None:
    at = acting(split(0.5)).hold("A-B")
    at.at(1_000, A=50.0)
    for ms in (1_000, 1_100, 90_000_000):
        at.state = load(dump(at.state), at.config)
        assert not bookings(at.at(ms))
    assert lots(at)["A"] == 20


def test_an_action_that_an_account_never_saw_come_does_nothing() -> None:
    at = acting(split(0.5, at_ns=T0 - 1)).hold("A-B")
    assert not bookings(tuple(at.outputs))
    assert lots(at)["A"] == 10


def test_what_is_left_of_a_lot_is_paid_out() -> None:
    #  A-C has 10 of A, C -12: 10 / 3 = 3 and a third of a lot, at 300
    at = acting(split(3.0)).hold("A-C")
    before = made(at.state)
    outputs = at.at(1_000, A=300.0)
    assert bookings(outputs) == [(Booked.SPLIT, "A-C", "A", -7, pytest.approx(100.0))]
    assert lots(at) == {"A": 3, "C": -12}
    assert made(at.state) == pytest.approx(before)


def test_a_leg_that_comes_to_less_than_a_lot_is_gone_and_the_pair_goes_on_with_the_other() -> None:
    at = acting(split(20.0)).hold("A-B")
    before = made(at.state)
    outputs = at.at(1_000, A=2000.0)
    assert bookings(outputs) == [(Booked.SPLIT, "A-B", "A", -10, pytest.approx(1000.0))]
    assert made(at.state) == pytest.approx(before)
    assert at.state.position("A").cost == 0
    assert moves(at.sign("A-B", EXIT)) == [("A-B", "B", 7)]


def test_a_pair_of_which_nothing_is_left_is_flat() -> None:
    at = acting(split(20.0), split(20.0, "B")).hold("A-B")
    at.at(1_000, A=2000.0, B=2000.0)
    assert at.state.pairs == {}
    assert lots(at) == {}
    assert len(new(at.sign("A-B", Action.ENTER_LONG))) == 0 or at.state.pairs


def test_lots_of_no_pair_split_too() -> None:
    #  A-B is held and then not in the strategy any more: its 10 lots of A are the account's alone
    at = acting(split(0.5)).hold("A-B")
    whole = at.config
    at.config = replace(whole, pairs={}, pairs_of=dict.fromkeys(whole.pairs_of, ()))
    at.state = load(dump(at.state), at.config)
    before = made(at.state)
    outputs = at.at(1_000, A=50.0)
    assert bookings(outputs) == [(Booked.SPLIT, "", "A", 10, 0.0)]
    assert lots(at) == {"A": 20, "B": -7}
    assert made(at.state) == pytest.approx(before)


def test_what_works_when_a_split_comes_is_canceled() -> None:
    at = acting(split(0.5))
    orders = new(at.sign("A-B", Action.ENTER_LONG))
    outputs = at.at(1_000, A=50.0)
    assert {each.target for each in cancels(outputs)} == {each.client_order_id for each in orders}
    at.give(*(report(each, f"c-{each.leg}", OrderStatus.CANCELED) for each in orders))
    assert at.state.pairs == {}


def test_a_dividend_is_paid_to_what_is_long_and_owed_by_what_is_short() -> None:
    at = acting(dividend(2.0), dividend(1.0, "B")).hold("A-B")
    before = made(at.state)
    outputs = at.at(1_000, A=98.0, B=99.0)
    assert bookings(outputs) == [(Booked.DIVIDEND, "A-B", "A", 0, 20.0), (Booked.DIVIDEND, "A-B", "B", 0, -7.0)]
    assert outputs[0].reason == "dividend: 10 lots, 2 a unit"
    assert at.state.costs == -13.0
    assert made(at.state) == pytest.approx(before)
    assert lots(at) == {"A": 10, "B": -7}


def test_measures_of_a_lot_follow_until_risk_is_measured_again() -> None:
    at = acting(split(0.5)).hold("A-B")
    at.measure(es=40.0)
    at.at(1_000, A=50.0)
    known = at.state.measured
    assert (known.es_per_lot["A"], known.deviation_per_lot["A"], known.volume_per_day["A"]) == (1.0, 0.5, 20_000.0)
    assert known.es_per_lot["B"] == 2.0


def test_a_ledger_splits_the_oldest_lots_first() -> None:
    #  10 at 100 and 5 at 120, split 2 for 1: 20 at 50, 10 at 60; 25 sold at 55
    ledger = Ledger(TERMS, Method.FIFO)
    for held, price in ((10, 100), (5, 120)):
        ledger.book(Entry("test", "A-B", "sim", "A", held, price))
    ledger.book(Entry("test", "A-B", "sim", "A", 15, 0, booked=Booked.SPLIT, amount=3.0))
    (holding,) = ledger.holdings.values()
    assert (holding.lots, holding.cost, holding.fills) == (30, 1600, 2)
    ledger.book(Entry("test", "A-B", "sim", "A", -25, 55))
    assert (holding.lots, holding.cost, holding.realised) == (5, 300, 20 * 5 + 5 * -5)
    assert ledger.account({"A": 0.60}).income == 3.0
    assert ledger.account({"A": 0.60}).total == pytest.approx(0.75 + 3.0)


ACTIONS = (
    CorporateAction("A", T0 + DAY_NS // 2, factor=0.5),
    CorporateAction("B", T0 + DAY_NS // 2, amount=1.5),
    CorporateAction("C", T0 + DAY_NS, factor=3.0),
    CorporateAction("A", T0 + 2 * DAY_NS, factor=2 / 3, amount=0.25),
)
TWO = (SignalUse("a", {}, "a", "test"), SignalUse("b", {}, "b", "other"))


@settings(max_examples=200, deadline=None)
@given(acts)
def test_the_trader_has_what_the_ledger_has_over_splits_and_dividends(history: list[tuple[object, ...]]) -> None:
    traded = Traded(COSTS | {"actions": ACTIONS, "signals": TWO, "sizing": Sizing(500.0, units=2, flips=True)})
    drive(traded, history)
    by_books(traded)
    by_log(traded)
    whole = traded.ledger.account(traded.mids())
    assert traded.state.costs == pytest.approx(whole.fees + whole.borrow - whole.income, abs=1e-6)
    assert made(traded.state) == pytest.approx(whole.total, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(acts)
def test_an_action_alone_makes_nothing(history: list[tuple[object, ...]]) -> None:
    """Whatever is held, marks that tell no new quote leave what was made where it was."""
    traded = Traded({"venues": (Venue("sim", "binance"),), "actions": ACTIONS})
    drive(traded, history)
    state: TraderState = traded.state
    before = made(state)
    for number, time_ns in enumerate((T0 + DAY_NS // 2, T0 + DAY_NS, T0 + 2 * DAY_NS), traded.number + 1):
        state, _ = step(state, marks(0, number, max(time_ns, state.marked_ns), names=()))
        assert made(state) == pytest.approx(before, abs=1e-6)


def test_a_replay_gives_the_same_bookings() -> None:
    at = acting(split(0.5), dividend(2.0)).hold("A-B")
    at.at(1_000, A=48.0)
    at.fill(at.sign("A-B", EXIT))
    state, outputs = replay(at.config, at.events)
    assert list(outputs) == at.outputs
    assert state.positions == at.state.positions
