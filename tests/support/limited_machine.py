"""The trader's random histories with every limit set at once, each held against the ledger in plain Python."""

from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from pipelines.domain.trading import Decision, OrderRequest, Report, Side, TradingEvent
from pipelines.domain.universe import Instrument
from tests.support.accounts import MS, NAMES, risk
from tests.support.trader_machine import TraderMachine

SECTOR = frozenset({"A", "B"})


class LimitedMachine(TraderMachine):
    """Every limit at once. Marks stay at 100, so that the worth of lots does not move."""

    of: ClassVar[dict[str, Any]] = {
        "instruments": tuple(Instrument(n, "sim", n, 0.01, 1.0, sector="tech" if n in SECTOR else "") for n in NAMES)
    }
    more: ClassVar[dict[str, Any]] = {
        "order_lots": 12,
        "order_notional": 1_250.0,
        "collar": 0.5,
        "pair_notional": 2_300.0,
        "sector_notional": 2_500.0,
        "credit": 500_000.0,
        "es": 100.0,
        "messages_per_second": 8,
        "gross_notional": 6_000.0,
        "net_notional": 1_500.0,
        "daily_loss": 1_000.0,
        "orders_per_second": 6,
        "entries_per_minute": 3,
        "no_self_match": True,
        "short_lots": {"B": 6},
    }

    @initialize()
    def begin(self) -> None:
        self.es, self.measured, self.filled_since = 0.0, (0, 0), list[int]()
        super().begin()
        self.risk_is_measured(0.0)

    def give(self, event: TradingEvent) -> None:
        before = len(self.outputs)
        filled = sum(self.ledger.told.values())
        super().give(event)
        if isinstance(event.body, Report):
            self.filled_since.append(sum(self.ledger.told.values()) - filled)
        made = [each for each in self.outputs[before:] if each.action is Decision.NEW and "/enter_" in each.cause]
        if made:
            self.holds_after_entry(made)

    def holds_after_entry(self, made: list[OrderRequest]) -> None:
        now = made[0].event_time_ns
        orders = [each.request for each in self.venue]
        assert len([each for each in orders if each.event_time_ns > now - 1_000 * MS]) <= 6
        entries = {each.cause for each in orders if each.pair == made[0].pair and "/enter_" in each.cause}
        times = [next(each.event_time_ns for each in orders if each.cause == cause) for cause in entries]
        assert len([time for time in times if time > now - 60_000 * MS]) <= 3
        assert all(each.quantity <= 12 for each in made)
        assert sum(100 * each.quantity for each in made) <= self.more["pair_notional"]
        assert self.es_at_worst() <= self.more["es"]
        if SECTOR & {each.instrument for each in made}:
            assert 100 * sum(self.at_worst(name) for name in SECTOR) <= self.more["sector_notional"]
        traded = 90 * sum(self.ledger.told.values())  # no fill is at less than 90
        assert (
            traded + 100 * sum(self.ledger.open(name, side) for name in NAMES for side in Side) <= self.more["credit"]
        )
        for order in made:
            assert order.instrument not in self.others_sides(order)
            if "B" in self.more["short_lots"] and order.instrument == "B" and order.side is Side.SELL:
                assert self.ledger.open("B", Side.SELL) - self.ledger.net("B") <= 6
        high = sum(100 * (self.ledger.net(name) + self.ledger.open(name, Side.BUY)) for name in NAMES)
        low = sum(100 * (self.ledger.net(name) - self.ledger.open(name, Side.SELL)) for name in NAMES)
        assert max(high, -low) <= 1_500

    def es_at_worst(self) -> float:
        """What the last measure knew, and 2 for each lot that was filled since or may be."""
        since = sum(abs(lots) for lots in self.filled_since)
        return self.es + 2 * (since + sum(self.ledger.open(name, side) for name in NAMES for side in Side))

    @rule(es=st.sampled_from([0.0, 10.0, 60.0]))
    def risk_is_measured(self, es: float, back: int = 0) -> None:
        """Of all that was told until now."""
        now = (self.time - back * MS, self.state.told.sequence)
        if now > self.measured:
            self.measured, self.es, self.filled_since = now, es, []
        self.give(risk(self.time - back * MS, es, es, sequence=self.state.told.sequence))

    def others_sides(self, order: OrderRequest) -> set[str]:
        """Instruments in which an order of another pair works on the other side."""
        return {
            each.instrument
            for name, each in self.ledger.orders.items()
            if each.pair != order.pair and each.side is not order.side and name not in self.ledger.over
        }

    @invariant()
    def the_gross_limit_is_not_exceeded_by_filled_working_and_unknown(self) -> None:
        assert 100 * sum(map(self.at_worst, NAMES)) <= 6_000

    def at_worst(self, name: str) -> int:
        """Lots of an instrument, one way or the other, if all that works for the worse filled."""
        net = self.ledger.net(name)
        return max(net + self.ledger.open(name, Side.BUY), self.ledger.open(name, Side.SELL) - net)
