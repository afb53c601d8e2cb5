"""The laws of orders that are worked, whatever venues say in whatever order, and whenever a gateway starts again."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipelines.domain.parent_orders import ParentOrders
from pipelines.domain.parent_rules import Algo, OnReject, Place
from pipelines.domain.trading import OrderRequest, Report, TradingEvent
from pipelines.domain.venue_books import VenueBook
from tests.unit.parent_world import NOW, PLACES, Desk, S, books, order, rules

POSTS = tuple(Place(replace(each.venue, turnover_lots=50.0), each.instrument) for each in PLACES)
RULES = (
    NOW,
    replace(NOW, tries=1, rest=False, on_reject=OnReject.END),
    replace(NOW, algo=Algo.TWAP, duration_ns=10 * S, slices=4),
    replace(NOW, places=POSTS, algo=Algo.TWAP, duration_ns=10 * S, slices=2, urgency=0.1),
    replace(NOW, algo=Algo.POV, duration_ns=10 * S, rate=0.1),
)


class Venues(RuleBasedStateMachine):
    """A desk with a few orders. A venue decides what becomes of a child; its words are on their way in any order."""

    @initialize(
        which=st.integers(0, len(RULES) - 1), lots=st.integers(1, 30), step=st.booleans(), other=st.integers(1, 30)
    )
    def begin(self, which: int, lots: int, step: bool, other: int) -> None:
        base = RULES[which]
        step = step and base.algo is not Algo.POV
        if step:
            other_places = tuple(replace(each, instrument=each.instrument.replace("A", "B")) for each in base.places)
            of_a, of_b = (
                replace(base, legs_in_step=True, instrument="A.Q"),
                replace(base, legs_in_step=True, places=other_places),
            )
            self.desk = Desk(rules(of_a, of_b))
        else:
            self.desk = Desk(rules(base))
        self.plain = Desk(self.desk.rules)
        """The same, never started again. Where it asks the market of old times again it is left out."""
        self.desks = [self.desk] if base.urgency < 1 or base.algo is Algo.POV else [self.desk, self.plain]
        self.parents = [order("one", lots), order("two", other, leg=1, instrument="B.Q" if step else "A.Q")]
        self.step = step
        self.filled: Counter[str] = Counter()
        self.open: dict[str, int] = {}
        """Children that venues have, and lots filled of them."""
        self.closed: dict[str, int] = {}
        """Likewise of those that are over at their venue, whether or not it was heard."""
        self.seen: set[str] = set()
        self.on_their_way: list[TradingEvent] = []
        for desk in self.desks:
            desk.take(*self.parents)

    def shown(self, q: int, n: int) -> dict[str, VenueBook]:
        shown = dict(books(Q=q, N=n))
        if self.step:
            shown |= books(**{"B.Q": q, "B.N": n})
        return shown

    @rule(q=st.integers(0, 9), n=st.integers(0, 9))
    def the_market_moves(self, q: int, n: int) -> None:
        due_ns = self.desk.orders.due_ns()
        if due_ns is not None:
            shown = self.shown(q or 1, n or 1)
            shown = {name: book for name, book in shown.items() if (q if name.endswith("Q") else n)}
            for desk in self.desks:
                desk.move(due_ns, shown)

    def _child(self, which: int) -> OrderRequest | None:
        for name in self.desk.sent:
            if name not in self.seen:
                self.seen.add(name)
                self.open[name] = 0
        return self.desk.sent[list(self.open)[which % len(self.open)]] if self.open else None

    @rule(which=st.integers(0, 50), lots=st.integers(1, 9))
    def a_venue_fills(self, which: int, lots: int) -> None:
        child = self._child(which)
        if child is not None:
            lots = min(lots, child.quantity - self.open[child.client_order_id])
            self.open[child.client_order_id] += lots
            done = self.open[child.client_order_id]
            whole = done == child.quantity
            self.on_their_way.append(self.desk.word(child, "filled" if whole else "partially_filled", lots, done))
            if whole:
                self.closed[child.client_order_id] = self.open.pop(child.client_order_id)

    @rule(which=st.integers(0, 50), status=st.sampled_from(["new", "canceled", "rejected", "unknown"]))
    def a_venue_says(self, which: int, status: str) -> None:
        child = self._child(which)
        if child is None or (status == "rejected" and self.open[child.client_order_id]):
            return
        self.on_their_way.append(self.desk.word(child, status, 0, self.open[child.client_order_id]))
        if status in ("canceled", "rejected"):
            self.closed[child.client_order_id] = self.open.pop(child.client_order_id)

    @rule(which=st.integers(0, 50), again=st.booleans())
    @precondition(lambda self: self.on_their_way)
    def a_word_arrives(self, which: int, again: bool) -> None:
        event = self.on_their_way.pop(which % len(self.on_their_way))
        report, before = event.body, len(self.desk.log)
        assert isinstance(report, Report)
        for desk in self.desks:
            desk.tell(event)
        if len(self.desk.log) > before:
            self.filled[self.desk.sent[report.client_order_id].target] += report.last_quantity
        if again:
            self.on_their_way.append(event)

    @rule(which=st.integers(0, 1))
    def the_trader_cancels(self, which: int) -> None:
        for desk in self.desks:
            desk.cancel(self.parents[which].client_order_id)

    @rule()
    def the_gateway_starts_again(self) -> None:
        before = deepcopy(self.desk.orders)
        self.desk.restart()
        self._alike(before, self.desk.orders)

    def _alike(self, before: ParentOrders, after: ParentOrders) -> None:
        for name, parent in before.parents.items():
            other = after.parents[name]
            assert (parent.filled, parent.committed, parent.ended) == (other.filled, other.committed, other.ended)
            assert bool(parent.stopped or parent.ended) == bool(other.stopped or other.ended)
            assert list(parent.children) == list(other.children)

    @invariant()
    def no_more_is_out_than_the_order(self) -> None:
        for parent in self.parents:
            children = [each for each in self.desk.sent.values() if each.target == parent.client_order_id]
            may_be = sum(self.closed.get(each.client_order_id, each.quantity) for each in children)
            counted = self.desk.orders.parents[parent.client_order_id].committed
            assert may_be <= counted <= parent.quantity

    @invariant()
    def fills_of_children_are_those_of_their_orders_each_once(self) -> None:
        for parent in self.parents:
            told = self.desk.told(parent.client_order_id)
            assert sum(each.last_quantity for each in told) == self.filled[parent.client_order_id]
            assert len({(each.venue, each.exec_id) for each in told}) == len(told)

    @invariant()
    def a_gateway_that_started_again_does_what_the_other_does(self) -> None:
        for desk in self.desks:
            assert desk.log == self.desk.log
            assert desk.orders.due_ns() == self.desk.orders.due_ns()

    @invariant()
    def sums_are_those_of_the_fills(self) -> None:
        for parent in self.parents:
            total = 0
            for each in self.desk.told(parent.client_order_id):
                total += each.last_quantity
                assert each.cumulative_quantity == total

    @invariant()
    def the_leg_that_follows_is_never_ahead(self) -> None:
        if self.step:
            legs = self.desk.orders._log.legs_of(self.desk.orders.parents[self.parents[0].client_order_id])
            if legs is not None and legs.leading is not None:
                follows = legs.other(legs.leading)
                assert follows.committed * legs.leading.order.quantity <= legs.leading.filled * follows.order.quantity

    def teardown(self) -> None:
        """Venues say all that they have to say, and time goes on: every order has a last word."""
        if not hasattr(self, "desks"):
            return
        for _ in range(200):
            if (due_ns := self.desk.orders.due_ns()) is not None:
                for desk in self.desks:
                    desk.move(due_ns, self.shown(5, 5))
            while self._child(0) is not None:
                self.a_venue_fills(0, 100)
            while self.on_their_way:
                self.a_word_arrives(0, False)
            self.no_more_is_out_than_the_order()
        assert self.desk.orders.working() == []
        for parent in self.parents:
            last = self.desk.told(parent.client_order_id)[-1]
            assert last.status in ("filled", "canceled", "rejected")
            assert last.leaves_quantity == 0


TestVenues = Venues.TestCase
TestVenues.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
