"""An account driven by signals and fills, and beside it the ledger: by the fills as they come, and read off the log."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from pipelines.domain.account import TraderState
from pipelines.domain.account_fills import AccountFills, booked_entry, ledger_of
from pipelines.domain.ledger import Entry, Ledger, Method, Terms
from pipelines.domain.replay import take
from pipelines.domain.rollups import DAY_NS
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import Action, Booked, Decision, Marks, OrderRequest, OrderStatus, Side, TradingEvent
from pipelines.domain.universe import Venue
from tests.support.accounts import MS, NAMES, T0, amended, intent, marks, report, signal, strategy

TERMS = {name: Terms(0.01, 1.0) for name in NAMES}
PAIRS = ("A-B", "A-C", "D-B", "A-D")


class Traded:
    """An account driven by signals and fills at a venue that tells each fill once, in order, and takes some back."""

    def __init__(self, parts: dict[str, Any], position_lots: int = 100) -> None:
        """`parts`: of the strategy, other than its limits."""
        self.strategy = strategy(position_lots, of=parts)
        of = TraderConfig.of(self.strategy, "session-1")
        self.state = TraderState(of)
        self.ledger = Ledger(TERMS, fees=of.fees, borrow=of.borrow)
        self.day = -1
        self.time = T0
        self.number = 0
        self.orders: dict[str, OrderRequest] = {}
        self.done: dict[str, int] = defaultdict(int)
        self.told: list[tuple[OrderRequest, str, int, float]] = []
        self.entries: list[Entry] = []
        self.booked: dict[str, list[OrderRequest]] = {}
        self.log = AccountFills(self.strategy, self.booked)

    def give(self, event: TradingEvent) -> None:
        mids, marked_ns = self.mids(), self.state.marked_ns
        self.state, decided, _ = take(self.state, event)
        found = [each for each in decided if each.action is Decision.BOOKED]
        if found:
            self.booked[event.event_id] = found
        self.book_decided([each for each in found if each.booked is not Booked.CROSSED])
        self.pass_nights(event, self.restated(mids, marked_ns))
        self.book_decided([each for each in found if each.booked is Booked.CROSSED])
        self.log.take(event)
        for order in decided:
            if order.action is Decision.NEW:
                self.orders[order.client_order_id] = order
                self.log.take(intent(order))
        self.agree()

    def book_decided(self, found: Sequence[OrderRequest]) -> None:
        for each in found:
            entry = booked_entry(each, self.strategy.instrument_by_id[each.instrument])
            self.entries.append(entry)
            self.ledger.book(entry)

    def restated(self, mids: dict[str, float], marked_ns: int) -> dict[str, float]:
        """Mids of before the last marks, for the actions that these brought to hold."""
        for action in self.strategy.actions:
            if marked_ns < action.time_ns <= self.state.marked_ns and action.instrument in mids:
                mids[action.instrument] = mids[action.instrument] * action.factor - action.amount
        return mids

    def pass_nights(self, event: TradingEvent, mids: dict[str, float]) -> None:
        day = event.event_time_ns // DAY_NS
        if not isinstance(event.body, Marks) or day <= self.day:
            return
        if self.day >= 0:
            self.ledger.nights(mids, day - self.day)
        self.day = day

    def mark(self, mid: float) -> None:
        self.number += 1
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
    """Lots, cash and realised of each strategy's book of each pair are the ledger's."""
    for (whose, pair, _, name), holding in traded.ledger.holdings.items():
        leg = traded.state.books[whose][pair].legs[pair.split("-").index(name)]
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
    made = ledger_of(traded.strategy, traded.log.entries, traded.log.nights, Method.AVERAGE).account(traded.mids())
    told = traded.ledger.account(traded.mids())
    assert traded.log.mids == traded.mids()
    assert made.lots == told.lots
    assert made.total == pytest.approx(told.total, abs=1e-6)
    assert made.borrow == pytest.approx(told.borrow, abs=1e-9)


COSTS = {"venues": (Venue("sim", "binance", 0, fee_bps=2.0, fee_per_lot=0.01),), "borrow": {"A": 0.1, "B": 0.3}}
