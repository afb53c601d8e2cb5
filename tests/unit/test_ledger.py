"""The ledger over fills: average cost, first in first out, fees, nights; and that the trader agrees with it."""

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.account import TraderState
from pipelines.domain.account_fills import AccountFills, ledger_of
from pipelines.domain.ledger import By, Entry, Ledger, Method, Terms, standing
from pipelines.domain.replay import take
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trader_config import Fee, TraderConfig
from pipelines.domain.trading import Action, Decision, OrderRequest, OrderStatus, Side, TradingEvent
from pipelines.domain.universe import SignalUse, Sizing, Venue
from tests.support.accounts import MS, NAMES, T0, amended, config, intent, marks, report, signal, strategy

TERMS = {name: Terms(0.01, 1.0) for name in NAMES}
PAIRS = ("A-B", "A-C", "D-B", "A-D")


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


class Traded:
    """An account driven by signals and fills at a venue that tells each fill once, in order, and takes some back."""

    def __init__(self, of: TraderConfig) -> None:
        self.state = TraderState(of)
        self.ledger = Ledger(TERMS, fees=of.fees, borrow=of.borrow)
        self.day = -1
        self.time = T0
        self.number = 0
        self.orders: dict[str, OrderRequest] = {}
        self.done: dict[str, int] = defaultdict(int)
        self.told: list[tuple[OrderRequest, str, int, float]] = []
        self.entries: list[Entry] = []
        self.log = AccountFills(strategy(of=COSTS))

    def give(self, event: TradingEvent) -> None:
        self.log.take(event)
        self.state, decided, _ = take(self.state, event)
        for order in decided:
            if order.action is Decision.NEW:
                self.orders[order.client_order_id] = order
                self.log.take(intent(order))
        self.agree()

    def mark(self, mid: float) -> None:
        self.number += 1
        day = self.time // DAY_NS
        if self.day >= 0 and day > self.day:
            self.ledger.nights(self.mids(), day - self.day)
        self.day = max(day, self.day)
        for shard in (0, 1):
            self.give(marks(shard, self.number, self.time, mid=mid))

    def mids(self) -> dict[str, float]:
        quotes = [quote for shard in self.state.marks.values() for quote in shard.quotes.items()]
        return {name: 0.5 * (quote[0] + quote[1]) for name, quote in quotes}

    def signal(self, pair: str, action: Action, name: str) -> None:
        self.number += 1
        self.give(signal(pair, action, self.number, self.time, name=name))

    def fill(self, which: int, share: float, cents: int, cancels: bool) -> None:
        open_orders = sorted(self.state.orders)
        if not open_orders:
            return
        order = self.orders[open_orders[which % len(open_orders)]]
        left = order.quantity - self.done[order.client_order_id]
        lots = 0 if cancels else max(1, round(left * share))
        self.number += 1
        name, price = f"e{self.number}", cents / 100
        self.done[order.client_order_id] += lots
        done = self.done[order.client_order_id]
        full = done == order.quantity
        status = OrderStatus.CANCELED if cancels else OrderStatus.FILLED if full else OrderStatus.PARTIALLY_FILLED
        if lots:
            self.told.append((order, name, lots, price))
            self.book(order, lots, price, name)
        self.give(report(order, name, status, done, lots, price, self.time))

    def amend(self, which: int, lots: int, cents: int) -> None:
        if not self.told:
            return
        order, execution, was, price = self.told.pop(which % len(self.told))
        now = (min(lots, was), cents / 100 if lots else 0.0)
        self.number += 1
        name = f"e{self.number}"
        self.book(order, -was, price, name, execution)
        if now[0]:
            self.book(order, now[0], now[1], name)
            self.told.append((order, name, *now))
        self.give(amended(order, name, execution, (was, price), now))

    def book(self, order: OrderRequest, lots: int, price: float, name: str, amends: str = "") -> None:
        signed = lots if order.side is Side.BUY else -lots
        ticks = round(100 * price)
        execution, of = f"sim/{name}", f"sim/{amends}" if amends else ""
        entry = Entry(
            order.strategy, order.pair, order.venue, order.instrument, signed, ticks, execution, of, self.time
        )
        self.entries.append(entry)
        self.ledger.book(entry)

    def agree(self) -> None:
        """Lots and cash of the account by instrument, and all of each strategy's books, are the ledger's."""
        mine: dict[str, list[int]] = {name: [0, 0] for name in NAMES}
        for (_, _, _, name), holding in self.ledger.holdings.items():
            mine[name][0] += holding.lots
            mine[name][1] += holding.cash
        for name in NAMES:
            position = self.state.position(name)
            assert [position.lots, position.cash] == mine[name], name


def by_books(traded: Traded) -> None:
    """Where one strategy trades, nothing is crossed between books: lots, cash and realised are the ledger's."""
    of = traded.state.books.get("test", {})
    for (_, pair, _, name), holding in traded.ledger.holdings.items():
        leg = of[pair].legs[pair.split("-").index(name)]
        assert (leg.lots, leg.cash, leg.realised) == (holding.lots, holding.cash, holding.realised), (pair, name)


acts = st.lists(
    st.one_of(
        st.tuples(st.just("signal"), st.sampled_from(PAIRS), st.sampled_from(Action), st.sampled_from("ab")),
        st.tuples(st.just("fill"), st.integers(0, 9), st.sampled_from([0.3, 1.0]), st.integers(9_000, 11_000)),
        st.tuples(st.just("fill"), st.integers(0, 9), st.just(1.0), st.integers(9_000, 11_000)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("amend"), st.integers(0, 9), st.sampled_from([0, 0, 1, 30]), st.integers(9_000, 11_000)),
        st.tuples(st.just("mark"), st.integers(9_000, 11_000), st.sampled_from([100 * MS, DAY_NS // 2])),
    ),
    min_size=5,
    max_size=60,
)


def drive(traded: Traded, history: list[tuple[object, ...]]) -> None:
    traded.mark(100.0)
    for act in history:
        match act:
            case ("signal", str(pair), Action() as action, str(name)):
                traded.mark(100.0)
                traded.signal(pair, action, name)
            case ("fill", int(which), float(share), int(cents)):
                traded.fill(which, share, cents, False)
            case ("cancel", int(which)):
                traded.fill(which, 0.0, 0, True)
            case ("amend", int(which), int(lots), int(cents)):
                traded.amend(which, lots, cents)
            case ("mark", int(cents), int(later)):
                traded.time += later
                traded.mark(cents / 100)


def by_log(traded: Traded) -> None:
    """What is read off the log without the trader is what was filled."""
    assert [replace(each, time_ns=0) for each in traded.log.entries] == [
        replace(each, time_ns=0) for each in traded.entries
    ]
    assert not traded.log.unpriced
    made = ledger_of(strategy(of=COSTS), traded.log.entries, traded.log.nights, Method.AVERAGE).account(traded.mids())
    told = traded.ledger.account(traded.mids())
    assert traded.log.mids == traded.mids()
    assert made.lots == told.lots
    assert made.total == pytest.approx(told.total, abs=1e-6)
    assert made.borrow == pytest.approx(told.borrow, abs=1e-9)


COSTS = {"venues": (Venue("sim", "binance", 0, fee_bps=2.0, fee_per_lot=0.01),), "borrow": {"A": 0.1, "B": 0.3}}


@settings(max_examples=150, deadline=None)
@given(acts)
def test_the_trader_of_one_strategy_has_what_the_ledger_has(history: list[tuple[object, ...]]) -> None:
    traded = Traded(config(100, of=COSTS))
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
    # What one strategy is long of a pair and another short is crossed between their books: nights differ from then on.
    traded = Traded(
        config(100, of=COSTS | {"borrow": {}, "signals": uses, "sizing": Sizing(500.0, units=2, flips=True)})
    )
    drive(traded, history)
    made = traded.ledger.account(traded.mids())
    assert traded.state.costs == pytest.approx(made.fees + made.borrow, abs=1e-6)


def test_the_drawn_histories_trade() -> None:
    traded = Traded(replace(config(100, of=COSTS)))
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
