"""The trader's random histories with every limit set at once, each held against the ledger in plain Python."""

from typing import Any, ClassVar

from hypothesis.stateful import invariant

from pipelines.domain.trading import Decision, OrderRequest, Side, TradingEvent
from tests.support.accounts import MS, NAMES
from tests.support.trader_machine import TraderMachine


class LimitedMachine(TraderMachine):
    """Every limit at once. Marks stay at 100, so that the worth of lots does not move."""

    more: ClassVar[dict[str, Any]] = {
        "order_lots": 12,
        "order_notional": 1_250.0,
        "collar": 0.5,
        "pair_notional": 2_700.0,
        "gross_notional": 6_000.0,
        "net_notional": 1_500.0,
        "daily_loss": 1_000.0,
        "orders_per_second": 6,
        "entries_per_minute": 3,
        "no_self_match": True,
        "short_lots": {"B": 6},
    }

    def give(self, event: TradingEvent) -> None:
        before = len(self.outputs)
        super().give(event)
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
        assert sum(100 * each.quantity for each in made) <= 2_700
        for order in made:
            assert order.instrument not in self.others_sides(order)
            if order.instrument == "B" and order.side is Side.SELL:
                assert self.ledger.open("B", Side.SELL) - self.ledger.net("B") <= 6
        high = sum(100 * (self.ledger.net(name) + self.ledger.open(name, Side.BUY)) for name in NAMES)
        low = sum(100 * (self.ledger.net(name) - self.ledger.open(name, Side.SELL)) for name in NAMES)
        assert max(high, -low) <= 1_500

    def others_sides(self, order: OrderRequest) -> set[str]:
        """Instruments in which an order of another pair works on the other side."""
        return {
            each.instrument
            for name, each in self.ledger.orders.items()
            if each.pair != order.pair and each.side is not order.side and name not in self.ledger.over
        }

    @invariant()
    def the_gross_limit_is_not_exceeded_by_filled_working_and_unknown(self) -> None:
        at_worst = sum(
            max(
                self.ledger.net(name) + self.ledger.open(name, Side.BUY),
                self.ledger.open(name, Side.SELL) - self.ledger.net(name),
            )
            for name in NAMES
        )
        assert 100 * at_worst <= 6_000
