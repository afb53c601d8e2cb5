"""The decision alone, in this process: a tick through the spread kernel, and what it makes through the trader.

Each tick is a block of its own, as it would come from a wire. Marks and crossings become events of the account as the
kernel gives them, without Avro; a crossing is a signal by the yardstick's rule (|z| above 2 enters, below 0.5 leaves).
Orders fill at once: the reports are steps too, counted by themselves, not in the tick's time.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from jobs.benchmarks.market import SESSION, VENUE, BenchMarket
from pipelines.contracts.blocks import TickBlock
from pipelines.domain.account import TraderState
from pipelines.domain.identity import marks_id, report_id, signal_id
from pipelines.domain.replay import take
from pipelines.domain.shard import Shard
from pipelines.domain.spread_rows import MARKED_AT, MARKS_AT, SPREADS_AT
from pipelines.domain.spread_state import SpreadState
from pipelines.domain.trader_config import TraderConfig
from pipelines.domain.trading import (
    Action,
    Decision,
    Marks,
    OrderRequest,
    OrderStatus,
    Report,
    RiskUpdate,
    Signal,
    TradingEvent,
)
from pipelines.operators.spread_engine import SpreadEngine

ENTER_Z, EXIT_Z = 2.0, 0.5
RISK_EVERY_NS = 1_000_000_000


class Desk:
    """One shard and its account, fed tick by tick; how long each took, by what it was, in ns."""

    def __init__(self, market: BenchMarket, schema_ids: dict[str, int]) -> None:
        strategy = market.strategy
        shard = Shard.of(strategy, 0)
        self.engine = SpreadEngine(shard, SpreadState(shard), strategy.account, schema_ids)
        self.names = tuple(instrument.id for instrument in strategy.instruments)
        self.pairs = shard.pairs
        self.account = strategy.account
        self.state = TraderState(TraderConfig.of(strategy, "bench"))
        self.events: list[TradingEvent] = []
        """All that the account was given."""
        self.took: dict[str, list[int]] = defaultdict(list)
        self.orders = self.refused = 0
        self._side: dict[int, int] = {}
        self._risk_ns = 0

    def tick(self, block: TickBlock, count: bool) -> None:
        """The kernel and every step that follows from it, then the fills of its orders."""
        began = time.perf_counter_ns()
        orders: list[OrderRequest] = []
        for _ in self.engine.advance(block):
            for event in self._events():
                orders += self._step(event, count)
        if count:
            self.took["tick"].append(time.perf_counter_ns() - began)
        for order in orders:
            self._step(self._filled(order), count)
        self._measure(int(block.ticks["event_ns"][0]), count)

    def _step(self, event: TradingEvent, count: bool) -> list[OrderRequest]:
        began = time.perf_counter_ns()
        self.state, decided, _ = take(self.state, event)
        if count:
            kind = type(event.body).__name__.lower()
            self.took[kind if not isinstance(event.body, Signal) else event.body.action.value].append(
                time.perf_counter_ns() - began
            )
        self.events.append(event)
        orders = [order for order in decided if order.action is Decision.NEW]
        self.orders += len(orders)
        self.refused += sum(order.action is Decision.REFUSED for order in decided)
        return orders

    def _events(self) -> Iterator[TradingEvent]:
        out = self.engine.out
        if out.counts[MARKS_AT]:
            yield from self._marks(out.marks[: out.counts[MARKS_AT]], out.marked[: out.counts[MARKED_AT]])
        for row in out.spreads[: out.counts[SPREADS_AT]]:
            if row["pair"] >= 0:
                yield from self._signal(row)

    def _marks(self, marks: Any, marked: Any) -> Iterator[TradingEvent]:
        for sequence, event_ns, first, count in marks.tolist():
            rows = marked[first : first + count]
            body = Marks(
                0,
                sequence,
                tuple([self.names[place] for place in rows["instrument"].tolist()]),
                *(tuple(rows[name].tolist()) for name in ("bid", "ask", "time_ns", "state")),
            )
            yield TradingEvent(marks_id(0, sequence), self.account, event_ns, body)

    def _signal(self, row: Any) -> Iterator[TradingEvent]:
        place, z = int(row["pair"]), float(row["z"])
        side = self._side.get(place, 0)
        wanted = (-1 if z > ENTER_Z else 1 if z < -ENTER_Z else 0) if not side else (0 if abs(z) < EXIT_Z else side)
        if wanted == side:
            return
        self._side[place] = wanted
        action = {-1: Action.ENTER_SHORT, 0: Action.EXIT, 1: Action.ENTER_LONG}[wanted]
        pair, sequence = self.pairs[place].name, int(row["sequence"])
        spread, beta, mid_a, mid_b = (float(row[name]) for name in ("spread", "beta", "mid_a", "mid_b"))
        body = Signal("bench", "1", pair, action, z, spread, beta, mid_a, mid_b, 0, sequence, sequence)
        yield TradingEvent(signal_id("bench", "1", pair, sequence, action), self.account, int(row["event_ns"]), body)

    def _filled(self, order: OrderRequest) -> TradingEvent:
        quote = next(marks.quotes[order.instrument] for marks in self.state.marks.values())
        price = quote[1] if order.side == "buy" else quote[0]
        lots, name = order.quantity, f"fill/{order.client_order_id}"
        of, side = order.instrument, order.side
        word = Report(VENUE, name, order.client_order_id, OrderStatus.FILLED, of, side, lots, price, lots, 0, "")
        return TradingEvent(report_id(VENUE, name), self.account, order.event_time_ns, word)

    def _measure(self, now_ns: int, count: bool) -> None:
        """A risk update a second, as the risk job tells it."""
        if now_ns < self._risk_ns:
            return
        self._risk_ns = now_ns + RISK_EVERY_NS
        each = (2.0,) * len(self.names)
        body = RiskUpdate(
            now_ns,
            1.0,
            1.0,
            self.names,
            each,
            deviation_per_lot=each,
            volume_per_day=(1e6,) * len(each),
            position_sequence=self.state.told.sequence,
        )
        self._step(TradingEvent(f"risk/{self.account}/{now_ns}", self.account, now_ns, body), count)


def measure_decisions(market: BenchMarket, schema_ids: dict[str, int]) -> tuple[dict[str, Any], list[TradingEvent]]:
    """us a tick and a step, p50 and p99, counted after the first quarter; and the account's events."""
    desk, ticks = Desk(market, schema_ids), market.ticks
    blocks = [TickBlock(VENUE, SESSION, 0, 0, n, desk.names, ticks[n : n + 1]) for n in range(len(ticks))]
    gc.collect()
    gc.disable()
    try:
        for number, block in enumerate(blocks):
            desk.tick(block, number >= len(blocks) // 4)
    finally:
        gc.enable()
    kernel = _kernel_alone(market, schema_ids, blocks)
    told = {
        "ticks": len(desk.took["tick"]),
        "pairs_a_tick": round(2 * len(desk.pairs) / len(desk.names), 2),
        "us": {name: _summary(took) for name, took in sorted(desk.took.items())},
        "kernel_us": kernel,
        "orders": desk.orders,
        "refused": desk.refused,
    }
    return told, desk.events


def _kernel_alone(market: BenchMarket, schema_ids: dict[str, int], blocks: list[TickBlock]) -> dict[str, float]:
    shard = Shard.of(market.strategy, 0)
    engine = SpreadEngine(shard, SpreadState(shard), market.strategy.account, schema_ids)
    took = []
    for block in blocks:
        began = time.perf_counter_ns()
        for _ in engine.advance(block):
            pass
        took.append(time.perf_counter_ns() - began)
    return _summary(took[len(took) // 4 :])


def _summary(took_ns: list[int]) -> dict[str, float]:
    p50, p99, p999 = np.percentile(took_ns, [50, 99, 99.9]) / 1e3
    return {
        "p50": round(float(p50), 2),
        "p99": round(float(p99), 2),
        "p999": round(float(p999), 2),
        "number": len(took_ns),
    }
