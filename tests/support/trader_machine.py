"""An account under random histories: reports late, repeated and out of order, and a ledger in plain Python beside it.

Laws 4 (no order id twice, the same ids in every replay) and 5 (position = sum of fills; no order takes filled + working
+ unknown past the limit) of the design, held after every event.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines.domain.account import TraderState
from pipelines.domain.account_bytes import dump, dump_changes, load, load_changes
from pipelines.domain.replay import replay, take
from pipelines.domain.sizing import Broken, Sizing
from pipelines.domain.trading import Action, Decision, Marks, OrderRequest, OrderStatus, Report, Side, TradingEvent
from pipelines.domain.universe import SignalUse
from pipelines.domain.unwinding import Unwinding
from tests.support.accounts import (
    ACCOUNT,
    BETAS,
    MS,
    NAMES,
    T0,
    amended,
    command,
    config,
    intent,
    marks,
    report,
    risk,
    signal,
)

LIMIT = 17
SIGNALS = ("reversion", "momentum")
PAIRS = sorted(BETAS)
MIDS = (100.0, 100.0, 70.0, 333.0, 5000.0)
ACTS = ("new", "part", "rest", "rest", "rest", "rest", "cancel", "reject", "unknown", "unknown", "status")
WORDS = ("kill", "flatten", *("resume",) * 6, "drain", "gateway_started")
SCOPES = (*(ACCOUNT,) * 6, "pair:A-B", "pair:A-B", "venue:sim", "venue:sim", "strategy:test", "strategy:other")


@dataclass
class AtVenue:
    """What the venue knows of an order: all its fills, whether or not any word of them has arrived."""

    request: OrderRequest
    fills: list[tuple[int, int]] = field(default_factory=list)
    """Lots, price in cents."""
    over: bool = False

    @property
    def done(self) -> int:
        return sum(lots for lots, _ in self.fills)


@dataclass
class Ledger:
    """Fills and open quantities by the reports delivered so far, kept by addition alone."""

    orders: dict[str, OrderRequest] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    over: set[str] = field(default_factory=set)

    def take(self, word: Report) -> None:
        name = word.client_order_id
        self.told[name] = max(self.told[name], word.cumulative_quantity)
        if word.status in (OrderStatus.CANCELED, OrderStatus.REJECTED) or self.told[name] >= self.orders[name].quantity:
            self.over.add(name)

    def net(self, instrument: str) -> int:
        return sum(
            _sign(order) * self.told[name] for name, order in self.orders.items() if order.instrument == instrument
        )

    def open(self, instrument: str, side: Side) -> int:
        return sum(
            order.quantity - self.told[name]
            for name, order in self.orders.items()
            if order.instrument == instrument and order.side is side and name not in self.over
        )


def _sign(order: OrderRequest) -> int:
    return 1 if order.side is Side.BUY else -1


class TraderMachine(RuleBasedStateMachine):
    late_fills = False
    """Whether the venue fills an order after it said that it was canceled: then it alone can exceed a limit."""
    more: ClassVar[dict[str, Any]] = {}
    """Limits besides that of positions."""
    of: ClassVar[dict[str, Any]] = {}
    """Other parts of the strategy than its limits."""
    busts = False
    """Whether the venue takes fills back: then too it alone can exceed a limit."""

    @initialize()
    def begin(self) -> None:
        self.config = config(position_lots=LIMIT, of=self.of, **self.more)
        self.state = TraderState(self.config)
        self.reloaded = self.state
        """The account as an operator has it that is restarted at every event."""
        self.events: list[TradingEvent] = []
        self.outputs: list[OrderRequest] = []
        self.venue: list[AtVenue] = []
        self.amended: set[str] = set()
        self.heard: set[str] = set()
        """Reports that the account was given: a venue tells a fill before it takes it back."""
        self.words: list[TradingEvent] = []
        """Every report that the venue ever wrote, in its order."""
        self.on_the_way: list[TradingEvent] = []
        self.ledger = Ledger()
        self.killed: set[str] = set()
        """Scopes that nothing may leave."""
        self.time = T0
        self.sequence = 0
        self.give(marks(0, 0, self.time))
        self.give(marks(1, 0, self.time))

    def give(self, event: TradingEvent) -> None:
        self.whole = False
        self.events.append(event)
        body = event.body
        if isinstance(body, Report):
            self.heard.add(body.exec_id)
            self.ledger.take(body)
        self.state, outputs, told = take(self.state, event)
        before = self.reloaded
        after, again, told_again = take(before, event)
        self.reloaded = load_changes(load(dump(before), self.config), dump_changes(before, after))
        assert told == told_again
        assert again == outputs
        for order in outputs:
            if order.action is Decision.NEW:
                self.ordered(order)
            if order.action is Decision.CANCEL:
                assert order.target in self.ledger.orders
            if order.reason.startswith("resumed: "):
                self.killed.discard(order.reason.split()[1])
        self.outputs.extend(outputs)
        self.whole = True

    def ordered(self, order: OrderRequest) -> None:
        assert order.client_order_id not in self.ledger.orders, "law 4: an order id twice"
        scopes = {ACCOUNT, f"pair:{order.pair}", f"venue:{order.venue}", f"strategy:{order.strategy}"}
        assert not self.killed & scopes
        assert order.quantity > 0
        self.ledger.orders[order.client_order_id] = order
        self.venue.append(AtVenue(order))

    # what may happen

    @rule(
        pair=st.sampled_from(PAIRS),
        action=st.sampled_from(Action),
        back=st.integers(-1, 3),
        mid=st.sampled_from(MIDS),
        name=st.sampled_from(SIGNALS),
    )
    def signals(self, pair: str, action: Action, back: int, mid: float, name: str = SIGNALS[0]) -> None:
        self.sequence += 1
        self.give(signal(pair, action, max(0, self.sequence - max(0, back)), self.time, mid, name))

    @rule(
        shard=st.integers(0, 1), back=st.sampled_from([0, 0, 0, 2]), names=st.sets(st.sampled_from(NAMES), min_size=1)
    )
    def marks(self, shard: int, back: int, names: set[str]) -> None:
        self.sequence += 1
        self.give(marks(shard, self.sequence - back, self.time, tuple(sorted(names))))

    @rule(ms=st.sampled_from([1, 50, 1500]))
    def time_passes(self, ms: int) -> None:
        self.time += ms * MS

    @precondition(lambda self: self.venue)
    @rule(
        which=st.integers(1, 8),
        what=st.sampled_from(ACTS),
        cents=st.integers(9_000, 11_000),
        arrives=st.booleans(),
    )
    def the_venue_acts(self, which: int, what: str, cents: int, arrives: bool) -> None:
        waiting = [order for order in self.venue if not order.over and order.done < order.request.quantity]
        among = waiting if waiting and which % 4 else self.venue[-8:]
        order = among[-min(which, len(among))]
        left = order.request.quantity - order.done
        status, lots = OrderStatus.NEW, 0
        if what in ("part", "rest"):
            if not left or (order.over and not self.late_fills):
                return
            lots = left if what == "rest" else 1 + left // 3
            order.fills.append((lots, cents))
            status = OrderStatus.FILLED if lots == left else OrderStatus.PARTIALLY_FILLED
        elif what in ("cancel", "reject"):
            if order.over or not left or (what == "reject" and order.done):
                return
            order.over = True
            status = OrderStatus.CANCELED if what == "cancel" else OrderStatus.REJECTED
        elif what == "unknown":
            status = OrderStatus.UNKNOWN
        elif what == "status" and order.done:
            status = OrderStatus.PARTIALLY_FILLED if left else OrderStatus.FILLED
        word = report(order.request, f"e{len(self.words)}", status, order.done, lots, cents / 100, self.time)
        self.words.append(word)
        if arrives:
            self.give(word)
        else:
            self.on_the_way.append(word)

    @precondition(lambda self: self.words)
    @rule(which=st.integers(1, 20))
    def a_report_arrives_late_or_again(self, which: int) -> None:
        if self.on_the_way and which % 3:
            self.give(self.on_the_way.pop(min(which, len(self.on_the_way)) - 1))
        else:
            self.give(self.words[-min(which, len(self.words))])

    @precondition(lambda self: self.venue)
    @rule(which=st.integers(1, 4))
    def an_intent_is_written(self, which: int) -> None:
        self.give(intent(self.venue[-min(which, len(self.venue))].request))

    @precondition(lambda self: self.busts and self.words)
    @rule(which=st.integers(1, 12), lots=st.sampled_from([0, 0, 0, 1, 30]))
    def the_venue_takes_a_fill_back(self, which: int, lots: int) -> None:
        """Or corrects it, to fewer lots or another price. The account is told of it before what comes after."""
        word = self.words[-min(which, len(self.words))].body
        assert isinstance(word, Report)
        order = next(each for each in self.venue if each.request.client_order_id == word.client_order_id)
        if word.exec_id not in self.heard or not word.last_quantity or word.exec_id in self.amended or word.amends:
            return
        was = (word.last_quantity, word.last_price)
        now = (min(lots, was[0]), 97.0 if lots else 0.0)
        place = order.fills.index((was[0], round(100 * was[1])))
        order.over = order.over or order.done == order.request.quantity
        order.fills[place] = (now[0], round(100 * now[1]))
        self.amended.add(word.exec_id)
        event = amended(order.request, f"e{len(self.words)}", word.exec_id, was, now)
        self.words.append(event)
        self.give(event)

    @rule(es=st.sampled_from([0.0, 10.0, 60.0]), back=st.sampled_from([0, 0, 5]))
    def risk_is_measured(self, es: float, back: int) -> None:
        self.give(risk(self.time - back * MS, es, es, sequence=self.state.told.sequence))

    @rule(word=st.sampled_from(WORDS), scope=st.sampled_from(SCOPES))
    def commands(self, word: str, scope: str = ACCOUNT) -> None:
        self.sequence += 1
        if word == "kill":  # what is no scope of the account kills all of it
            known = scope != "strategy:other" or "other" in self.config.strategies.values()
            self.killed.add(scope if known else ACCOUNT)
        self.give(command(word, f"{word}-{self.sequence}", scope))

    @rule(which=st.integers(0, 999))
    def any_event_is_delivered_again(self, which: int) -> None:
        self.give(self.events[which % len(self.events)])

    # what always holds

    @invariant()
    def every_position_is_the_sum_of_its_fills(self) -> None:
        for name in NAMES:
            position = self.state.position(name)
            if not self.busts:
                assert position.lots == self.ledger.net(name), name
            legs = [
                pair.lots[leg]
                for traded, pair in self.state.pairs.items()
                for leg in (0, 1)
                if _leg(traded, leg) == name
            ]
            assert position.lots == sum(legs), name
            books = [
                book.legs[leg]
                for of in self.state.books.values()
                for traded, book in of.items()
                for leg in (0, 1)
                if _leg(traded, leg) == name
            ]
            assert position.lots == sum(each.lots for each in books), name
            assert position.cash == sum(each.cash for each in books), name

    @invariant()
    def no_limit_is_exceeded_by_filled_working_and_unknown(self) -> None:
        if self.late_fills or self.busts:
            return
        for name in NAMES:
            net = self.ledger.net(name)
            assert net + self.ledger.open(name, Side.BUY) <= LIMIT, name
            assert net - self.ledger.open(name, Side.SELL) >= -LIMIT, name

    @invariant()
    def open_orders_are_those_without_a_last_word(self) -> None:
        if not self.busts:
            assert set(self.state.orders) == set(self.ledger.orders) - self.ledger.over

    @invariant()
    def bytes_and_back_is_the_same_state(self) -> None:
        assert self.reloaded == self.state
        assert dump(self.reloaded) == dump(self.state)

    def teardown(self) -> None:
        if not getattr(self, "whole", False):
            return  # it failed in the middle of an event: that is the story to tell
        state, outputs = replay(self.config, self.events)
        assert (state, list(outputs)) == (self.state, self.outputs), "law 3: a replay differs"
        self.everything_arrives()
        for order in self.venue:
            name = order.request.client_order_id
            assert self.busts or self.ledger.told[name] == order.done
        for name in NAMES:
            spent = sum(
                _sign(order.request) * lots * cents
                for order in self.venue
                if order.request.instrument == name
                for lots, cents in order.fills
            )
            assert self.state.position(name).cash == -spent, f"{name}: money differs from the fills' own prices"
        self.every_pair_can_be_closed()

    def everything_arrives(self) -> None:
        """Each word of the venue, in its order; and orders that it has not answered are filled, until none is left."""
        for word in self.words:
            self.give(word)
        self.free()
        self.fill_all()

    def free(self) -> None:
        """Nothing is killed, nothing waits to be closed."""
        self.more_marks()
        for scope in (ACCOUNT, *self.state.stops):
            self.sequence += 1
            self.give(command("resume", f"resume-last-{self.sequence}", scope))

    def more_marks(self) -> None:
        self.time += 1_000 * MS
        for shard in (0, 1):
            self.sequence += 1
            self.give(marks(shard, self.sequence, self.time))

    def fill_all(self) -> None:
        for order in self.venue:  # grows as closing orders go out
            left = order.request.quantity - order.done
            if not order.over and left:
                order.fills.append((left, 10_000))
                status = OrderStatus.FILLED
                self.give(
                    report(order.request, f"last-{order.request.client_order_id}", status, order.request.quantity, left)
                )
        assert not self.state.orders

    def every_pair_can_be_closed(self) -> None:
        for _ in range(3):
            for pair in PAIRS:
                for name in SIGNALS:
                    if pair in self.state.pairs:
                        self.sequence += 1
                        self.give(signal(pair, Action.EXIT, self.sequence, self.time, name=name))
            self.more_marks()
            self.fill_all()
        assert not self.state.pairs
        assert all(self.state.position(name).lots == 0 for name in NAMES)
        assert all(self.state.position(name).realised == self.state.position(name).cash for name in NAMES)


class LateFillMachine(TraderMachine):
    """The venue also fills what it has canceled: positions follow, and no entry is made on top of too much."""

    late_fills = True

    def ordered(self, order: OrderRequest) -> None:
        super().ordered(order)
        if "/enter_" in order.cause:
            name = order.instrument
            if order.side is Side.BUY:
                assert self.ledger.net(name) + self.ledger.open(name, Side.BUY) <= LIMIT, name
            else:
                assert self.ledger.net(name) - self.ledger.open(name, Side.SELL) >= -LIMIT, name


class BustMachine(TraderMachine):
    """The venue takes fills back and corrects them, before they are told and long after."""

    busts = True


class StrategiesMachine(TraderMachine):
    """Two strategies in the same pairs: what they want adds up, in several entries, and turns around."""

    of: ClassVar[dict[str, Any]] = {
        "signals": (SignalUse("a", {}, "reversion", "test"), SignalUse("b", {}, "momentum", "other")),
        "sizing": Sizing(500.0, units=2, flips=True),
    }


class TakingMachine(StrategiesMachine):
    """Fills taken back of what several strategies hold."""

    busts = True


class UnwindingMachine(StrategiesMachine):
    """Limits break all the time: what marks send only ever takes from what is held, and no two words have one id."""

    more: ClassVar[dict[str, Any]] = {
        "es": 50.0,
        "daily_loss": 200.0,
        "gross_notional": 5_000.0,
        "net_notional": 1_500.0,
        "messages_per_second": 12,
    }
    of: ClassVar[dict[str, Any]] = StrategiesMachine.of | {
        "unwinding": Unwinding(every_ns=100 * MS, fraction=0.5, patience=5)
    }

    def ordered(self, order: OrderRequest) -> None:
        super().ordered(order)
        if isinstance(self.events[-1].body, Marks) and not any(scope.startswith("strategy:") for scope in self.before):
            lots = self.state.pairs[order.pair].lots[order.leg]
            assert 0 < order.quantity <= abs(lots), "a stage adds"
            assert (order.side is Side.SELL) is (lots > 0), "a stage adds"

    def give(self, event: TradingEvent) -> None:
        self.before, count = set(self.state.stops), len(self.outputs)
        super().give(event)
        made = [each.client_order_id for each in self.outputs[count:]]
        assert len(made) == len(set(made)), "an id twice"


class CompletingMachine(StrategiesMachine):
    """An entry that breaks off is completed where limits allow."""

    of: ClassVar[dict[str, Any]] = StrategiesMachine.of | {
        "sizing": Sizing(500.0, units=2, flips=True, broken=Broken.COMPLETE)
    }


def _leg(pair: str, leg: int) -> str:
    return pair.split("-")[leg]
