"""A small desk to test the trader on: four pairs over four instruments, and the events of its log, written shortly."""

from dataclasses import replace
from typing import Any

from pipelines.domain.account import TraderState
from pipelines.domain.identity import marks_id, report_id, signal_id
from pipelines.domain.trader import step
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import (
    Action,
    Command,
    Decision,
    Marks,
    OrderRequest,
    OrderStatus,
    Report,
    RiskUpdate,
    Signal,
    TradingEvent,
)
from pipelines.domain.universe import (
    Instrument,
    Limits,
    Moments,
    Pair,
    Sizing,
    Strategy,
    Venue,
)

ACCOUNT = "desk"
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
NAMES = ("A", "B", "C", "D")


def strategy(
    position_lots: int = 25, stale_marks_ms: int = 1000, of: dict[str, Any] | None = None, **more: Any
) -> Strategy:
    """A is in three pairs, B in two; D-B has a negative beta. Prices near 100, ticks of 0.01, 1,000 a leg: 10 lots.

    `of`: other parts of the strategy than its limits, which are `more`.
    """
    plain = Strategy(
        name="test",
        account=ACCOUNT,
        shards=2,
        venues=(Venue("sim", "binance"),),
        instruments=tuple(Instrument(name, "sim", name, 0.01, 1.0) for name in NAMES),
        pairs=(
            Pair("A-B", "A", "B", 0.7, 0),
            Pair("A-C", "A", "C", 1.2, 1),
            Pair("D-B", "D", "B", -0.5, 0),
            Pair("A-D", "A", "D", 0.9, 1),
        ),
        moments=Moments(),
        signals=(),
        sizing=Sizing(1000.0),
        limits=Limits(position_lots, stale_marks_ms, **more),
    )
    return replace(plain, **(of or {}))


def config(
    position_lots: int = 25, stale_marks_ms: int = 1000, of: dict[str, Any] | None = None, **more: Any
) -> TraderConfig:
    """`more`: further limits; `of`: other parts of the strategy."""
    return TraderConfig.of(strategy(position_lots, stale_marks_ms, of, **more), "session-1")


BETAS = {pair.name: pair.beta for pair in strategy().pairs}


def marks(
    shard: int, sequence: int, time_ns: int = T0, names: tuple[str, ...] = NAMES, mid: float = 100.0
) -> TradingEvent:
    count = len(names)
    body = Marks(shard, sequence, names, (mid - 0.01,) * count, (mid + 0.01,) * count, (time_ns,) * count)
    return TradingEvent(marks_id(shard, sequence), ACCOUNT, time_ns, body)


def signal(
    pair: str, action: Action, sequence: int, time_ns: int = T0, mid: float = 100.0, name: str = "reversion"
) -> TradingEvent:
    body = Signal(name, "v1", pair, action, 2.0, 1.0, BETAS.get(pair, 1.0), mid, mid, 0, sequence, sequence)
    event_id = signal_id(name, body.version, pair, sequence, action)
    return TradingEvent(event_id, ACCOUNT, time_ns, body)


def report(
    order: OrderRequest,
    exec_id: str,
    status: OrderStatus,
    cumulative: int = 0,
    last: int = 0,
    price: float = 100.0,
    time_ns: int = T0 + MS,
) -> TradingEvent:
    body = Report(
        venue=order.venue,
        exec_id=exec_id,
        client_order_id=order.client_order_id,
        status=status,
        instrument=order.instrument,
        side=order.side,
        last_quantity=last,
        last_price=price if last else 0.0,
        cumulative_quantity=cumulative,
        leaves_quantity=max(0, order.quantity - cumulative),
        text="",
    )
    return TradingEvent(report_id(order.venue, exec_id), ACCOUNT, time_ns, body)


def amended(
    order: OrderRequest, exec_id: str, amends: str, was: tuple[int, float], now: tuple[int, float] = (0, 0.0)
) -> TradingEvent:
    """A fill of lots at a price becomes another; none: a bust."""
    event = report(order, exec_id, OrderStatus.FILLED, 0, now[0], now[1])
    assert isinstance(event.body, Report)
    more = {"pair": order.pair, "leg": order.leg, "strategy": order.strategy}
    body = replace(event.body, amends=amends, amended_quantity=was[0], amended_price=was[1], **more)
    return replace(event, body=body)


def risk(
    as_of_ns: int, es: float = 0.0, var: float = 0.0, sequence: int = 0, each: float = 2.0, **more: Any
) -> TradingEvent:
    """A risk update: each lot has an expected shortfall of `each` alone, a deviation of 1; 10,000 trade in a day."""
    count = len(NAMES)
    told = {"deviation_per_lot": (1.0,) * count, "volume_per_day": (10_000.0,) * count} | more
    body = RiskUpdate(as_of_ns, var, es, NAMES, (each,) * count, position_sequence=sequence, **told)
    return TradingEvent(f"risk/{ACCOUNT}/{as_of_ns}/{sequence}", ACCOUNT, as_of_ns, body)


def filled(order: OrderRequest, exec_id: str = "", price: float = 100.0) -> TradingEvent:
    name = exec_id or f"fill-{order.client_order_id}"
    return report(order, name, OrderStatus.FILLED, order.quantity, order.quantity, price)


def rejected(order: OrderRequest, exec_id: str = "") -> TradingEvent:
    return report(order, exec_id or f"reject-{order.client_order_id}", OrderStatus.REJECTED)


def canceled(order: OrderRequest, cumulative: int = 0, last: int = 0, exec_id: str = "") -> TradingEvent:
    return report(order, exec_id or f"cancel-{order.client_order_id}", OrderStatus.CANCELED, cumulative, last)


def intent(order: OrderRequest) -> TradingEvent:
    return TradingEvent(f"intent/{order.client_order_id}", ACCOUNT, order.event_time_ns, order)


def command(word: str, event_id: str, scope: str = ACCOUNT, reason: str = "because") -> TradingEvent:
    return TradingEvent(event_id, ACCOUNT, T0, Command(word, scope, "alice", reason))


class Desk:
    """An account being driven: `give` an event, get its outputs; all events and outputs are kept."""

    def __init__(self, of: TraderConfig | None = None) -> None:
        self.config = of or config()
        self.state = TraderState(self.config)
        self.events: list[TradingEvent] = []
        self.outputs: list[OrderRequest] = []

    def give(self, *events: TradingEvent) -> tuple[OrderRequest, ...]:
        made: list[OrderRequest] = []
        for event in events:
            self.state, outputs = step(self.state, event)
            self.events.append(event)
            made.extend(outputs)
        self.outputs.extend(made)
        return tuple(made)


def marked(of: TraderConfig | None = None) -> Desk:
    desk = Desk(of)
    desk.give(marks(0, 1), marks(1, 1))
    return desk


def entered(desk: Desk, sequence: int = 1) -> tuple[OrderRequest, OrderRequest]:
    a, b = desk.give(signal("A-B", Action.ENTER_LONG, sequence))
    return a, b


def held() -> Desk:
    desk = marked()
    desk.give(*(filled(order) for order in entered(desk)))
    return desk


def lots(desk: Desk) -> dict[str, int]:
    return {name: position.lots for name, position in desk.state.positions.items() if position.lots}


def reason_of(outputs: tuple[OrderRequest, ...]) -> str:
    (refused,) = outputs
    assert refused.action is Decision.REFUSED
    assert refused.leg == 0
    return refused.reason
