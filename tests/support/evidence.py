"""Evidence of an order held in memory, as a log would tell it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jobs.why.chain import Crossing, Frame, Tick, TickOf, Words
from pipelines.domain.trading import (
    Action,
    Body,
    Decision,
    OrderRequest,
    OrderStatus,
    Report,
    Side,
    Signal,
    TradingEvent,
)

T0_NS = 1_767_623_400_000_000_000
ENTRY, EXIT = "signal/pair_reversion/v1/KO-PEP/12/enter_long", "signal/pair_reversion/v1/KO-PEP/15/exit"
FRAME = b'{"b":"60.00"}'


@dataclass
class Memory:
    """All that there is, in lists."""

    orders: list[OrderRequest] = field(default_factory=list)
    events: dict[str, TradingEvent] = field(default_factory=dict)
    ticks_there: bool = True
    session: str = "session-1"
    source: str = "memory"
    missing: list[str] = field(default_factory=list)

    def decisions(self, wanted: str) -> Sequence[OrderRequest]:
        return [each for each in self.orders if each.client_order_id.startswith(wanted) or each.target == wanted]

    def decided_with(self, order: OrderRequest) -> Sequence[OrderRequest]:
        return [each for each in self.orders if each.cause == order.cause]

    def notices(self, order: OrderRequest) -> Sequence[OrderRequest]:
        return [each for each in self.orders if each.action == Decision.NOTICE]

    def legs(self, order: OrderRequest) -> dict[int, str]:
        return {order.leg: order.instrument}

    def event(self, event_id: str, time_ns: int) -> TradingEvent | None:
        return self.events.get(event_id)

    def words(self, order: OrderRequest) -> Words:
        said = [each for each in self.events.values() if isinstance(each.body, Report)]
        mine = [e for e in said if isinstance(e.body, Report) and e.body.client_order_id == order.client_order_id]
        intents = [each for each in self.events.values() if isinstance(each.body, OrderRequest)]
        children = [e for e in intents if isinstance(e.body, OrderRequest) and e.body.target == order.client_order_id]
        return Words(self.events.get(f"intent/{order.client_order_id}"), mine, children)

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        return [crossing(number) for number in range(signal.first_sequence, signal.last_sequence + 1)]

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        if not self.ticks_there:
            self.missing.append("ticks: gone")
            return []
        made = tick(crossing.tick_sequence, "KO")
        return [TickOf(crossing.sequence, role, made) for role in ("made", "a")]

    def frame(self, tick: Tick) -> Frame:
        return Frame("raw.sim", tick.session, tick.frame, 0, 7, 2, FRAME)


def tick(sequence: int, instrument: str) -> Tick:
    return Tick(
        "sim", "feed", sequence, sequence + 4, instrument, "quote", 1, T0_NS, T0_NS, 60.0, 1.0, 60.02, 1.0, 0, 7
    )


def crossing(sequence: int) -> Crossing:
    return Crossing(
        "crossing", 0, sequence, "KO-PEP", T0_NS + sequence, 8, -2.0, 0.5, 0.0, 0.2, 0.9, 60.01, 170.0, "feed", sequence
    )


def order(name: str, cause: str = ENTRY, **values: object) -> OrderRequest:
    made = OrderRequest(
        name, Decision.NEW, "desk", T0_NS, "sim", "KO", Side.BUY, 10, "market", 0.0, "KO-PEP", 0, cause, ""
    )
    return replace(made, **values)  # type: ignore[arg-type]


def event(event_id: str, body: Body) -> dict[str, TradingEvent]:
    return {event_id: TradingEvent(event_id, "desk", T0_NS, body)}


def signal(action: Action = Action.ENTER_LONG, first: int = 10, last: int = 12) -> Signal:
    return Signal("pair_reversion", "v1", "KO-PEP", action, -2.0, 0.5, 0.9, 60.01, 170.0, 0, first, last)


def report(name: str, exec_id: str, lots: int = 10, **values: object) -> Report:
    made = Report("sim", exec_id, name, OrderStatus.FILLED, "KO", Side.BUY, lots, 60.02, lots, 0, "")
    return replace(made, **values)  # type: ignore[arg-type]
