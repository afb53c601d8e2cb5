"""The ledger over fills: average cost, first in first out, fees, nights; and that the trader agrees with it."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.ledger import By, Entry, Ledger, Method, Terms, standing
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trader_config import Fee
from pipelines.domain.trading import Action
from pipelines.domain.universe import SignalUse, Sizing
from tests.support.accounts import NAMES
from tests.support.traded import COSTS, PAIRS, TERMS, Traded, acts, by_books, by_log, drive


def entry(lots: int, price_ticks: int, instrument: str = "A", pair: str = "A-B", **more: str) -> Entry:
    return Entry("test", pair, "sim", instrument, lots, price_ticks, **more)


def booked(entries: list[Entry], method: Method = Method.AVERAGE, terms: dict[str, Terms] = TERMS) -> Ledger:
    ledger = Ledger(terms, method)
    for each in entries:
        ledger.book(each)
    return ledger


def test_average_cost_closes_a_part_of_each_lot_and_fifo_the_oldest() -> None:
    #  bought 10 at 100 and 10 at 120, sold 10 at 130
    fills = [entry(10, 100), entry(10, 120), entry(-10, 130)]
    for method, realised, cost in ((Method.AVERAGE, 200, 1100), (Method.FIFO, 300, 1200)):
        (holding,) = booked(fills, method).holdings.values()
        assert (holding.lots, holding.realised, holding.cost) == (10, realised, cost)
        assert holding.unrealised(130) == 1300 - cost


def test_a_fill_that_crosses_zero_closes_all_and_opens_at_its_own_price() -> None:
    for method in Method:
        (holding,) = booked([entry(5, 100), entry(-8, 110)], method).holdings.values()
        assert (holding.lots, holding.realised, holding.cost) == (-3, 50, -330)


def test_money_is_of_ticks_lots_and_the_rate_of_exchange() -> None:
    ledger = booked([entry(2, 100), entry(-1, 150)], terms={"A": Terms(0.5, 10.0, 1.2)})
    made = ledger.account({"A": 80.0})  # 160 ticks
    assert made.realised == pytest.approx(50 * 6.0)
    assert made.unrealised == pytest.approx(60 * 6.0)
    assert made.traded == pytest.approx(350 * 6.0)
    assert ledger.account({}).unrealised is None
    assert ledger.account({}).total is None


def test_fees_come_back_with_a_fill_that_is_taken_back() -> None:
    ledger = Ledger(TERMS, fees={"sim": Fee(bps=10.0, per_lot=0.02)})
    ledger.book(entry(10, 10_000, execution="e1"))
    assert ledger.account({}).fees == pytest.approx(10 * (0.02 + 100 * 0.001))
    ledger.book(entry(-10, 10_000, execution="e2", amends="e1"))
    assert ledger.account({}).fees == pytest.approx(0.0)
    assert ledger.account({}).fills == 0


def test_nights_are_paid_for_what_is_short() -> None:
    ledger = Ledger(TERMS, borrow={"A": 0.36})
    ledger.book(entry(-10, 10_000))
    ledger.nights({"A": 200.0}, 3)
    assert ledger.account({"A": 100.0}).borrow == pytest.approx(10 * 200 * 0.36 * 3 / 360)
    ledger.book(entry(10, 10_000))
    ledger.nights({"A": 200.0})
    assert ledger.account({}).total == pytest.approx(-6.0)


def test_what_was_taken_back_or_corrected_stands_as_it_should_have_been() -> None:
    wrong = entry(5, 100, execution="e1")
    later = entry(-3, 110, execution="e2")
    back = entry(-5, 100, execution="e3", amends="e1")
    right = entry(4, 101, execution="e3")
    assert standing([wrong, later, back]) == [later]
    assert standing([wrong, later, back, right]) == [right, later]
    again = [entry(-4, 101, execution="e4", amends="e3"), entry(2, 102, execution="e4")]
    assert standing([wrong, later, back, right, *again]) == [again[1], later]
    unknown = entry(-5, 100, execution="e9", amends="e8")
    assert standing([unknown, later]) == [unknown, later]


fills = st.lists(st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 200)), max_size=40)


@given(fills)
def test_first_in_first_out_is_that_of_lots_one_by_one(history: list[tuple[int, int]]) -> None:
    ledger = Ledger(TERMS, Method.FIFO)
    held: list[tuple[int, int]] = []
    realised = 0
    for lots, price in history:
        ledger.book(entry(lots, price))
        sign = 1 if lots > 0 else -1
        for _ in range(abs(lots)):
            if held and held[0][0] != sign:
                _, paid = held.pop(0)
                realised += (price - paid) * -sign
            else:
                held.append((sign, price))
        (holding,) = ledger.holdings.values()
        assert holding.lots == sum(side for side, _ in held)
        assert holding.cost == sum(side * paid for side, paid in held)
        assert holding.realised == realised


@given(
    st.lists(
        st.tuples(st.integers(-9, 9).filter(bool), st.integers(1, 200), st.sampled_from(PAIRS), st.integers(0, 1)),
        max_size=40,
    ),
    st.sampled_from(Method),
)
def test_pairs_strategies_venues_and_instruments_add_up_to_the_account(
    history: list[tuple[int, int, str, int]], method: Method
) -> None:
    terms = {name: Terms(1.0, 1.0) for name in NAMES}
    entries = [
        Entry("even" if lots % 2 else "odd", pair, f"v{price % 3}", pair.split("-")[leg], lots, price)
        for lots, price, pair, leg in history
    ]
    ledger = booked(entries, method, terms)
    mids = {name: 50.0 + number for number, name in enumerate(NAMES)}
    account = ledger.account(mids)
    assert account.total == sum(-each.lots * each.price_ticks for each in entries) + sum(
        each.lots * mids[each.instrument] for each in entries
    )
    for by in By:
        parts = ledger.made(by, mids)
        assert sum(part.total or 0.0 for part in parts) == account.total
        assert sum(part.realised for part in parts) == account.realised
        assert sum(part.fills for part in parts) == account.fills
        lots: dict[str, int] = defaultdict(int)
        for part in parts:
            for name, count in part.lots.items():
                lots[name] += count
        assert {name: count for name, count in lots.items() if count} == account.lots


@settings(max_examples=150, deadline=None)
@given(acts)
def test_the_trader_of_one_strategy_has_what_the_ledger_has(history: list[tuple[object, ...]]) -> None:
    traded = Traded(COSTS)
    drive(traded, history)
    by_books(traded)
    by_log(traded)
    made = traded.ledger.account(traded.mids())
    assert traded.state.costs == pytest.approx(made.fees + made.borrow, abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(acts)
def test_the_trader_of_two_strategies_has_the_lots_and_the_cash_of_the_ledger(
    history: list[tuple[object, ...]],
) -> None:
    uses = (SignalUse("a", {}, "a", "test"), SignalUse("b", {}, "b", "other"))
    traded = Traded(COSTS | {"signals": uses, "sizing": Sizing(500.0, units=2, flips=True)})
    drive(traded, history)
    by_books(traded)
    by_log(traded)
    made = traded.ledger.account(traded.mids())
    assert traded.state.costs == pytest.approx(made.fees + made.borrow, abs=1e-6)


def test_the_drawn_histories_trade() -> None:
    traded = Traded(COSTS)
    history: list[tuple[object, ...]] = [
        ("signal", "A-B", Action.ENTER_LONG, "a"),
        ("fill", 0, 0.3, 10_050),
        ("fill", 0, 1.0, 9_950),
        ("fill", 0, 1.0, 10_010),
        ("mark", 10_100, DAY_NS),
        ("amend", 1, 1, 9_900),
    ]
    drive(traded, history)
    assert traded.ledger.account(traded.mids()).fills == 3
    assert traded.state.costs > 0
    by_books(traded)
