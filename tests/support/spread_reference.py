"""What the spreads job must make of a shard's rows, in plain Python, one row after another, as slow as it is plain.

Written from the specification, not from the kernel; records as they lie on the wire, decoded.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from pipelines.domain.market import Flag, Kind
from pipelines.domain.universe import Strategy

GRID_NS = {"sample": 1_000_000_000, "marks": 100_000_000, "bars": 60_000_000_000, "heartbeat": 10_000_000}
Record = dict[str, Any]


@dataclass
class PairState:
    n: int = 0
    mean: float = 0.0
    var: float = 0.0
    rung: int | None = None
    last_level: int | None = None
    last_direction: str = ""
    seen: Record = field(default_factory=dict)


@dataclass
class BarState:
    trades: list[tuple[float, float]] = field(default_factory=list)
    mids: list[float] = field(default_factory=list)
    quote: tuple[float, float] = (0.0, 0.0)


class SpreadReference:
    """Feed it rows by `take`; what it made is in `spreads`, `marks` and `bars`."""

    def __init__(self, strategy: Strategy, shard: int) -> None:
        self.strategy, self.shard = strategy, shard
        self.pairs = {pair.name: PairState() for pair in strategy.pairs_of_shard(shard)}
        self.time: int | None = None
        self.taken: dict[tuple[str, str], int] = {}
        self.running: set[tuple[str, str]] = set()
        self.quotes: dict[str, tuple[float, float, int]] = {}
        self.changed: list[str] = []
        self.bars_open: dict[str, BarState] = {}
        self.last_event_ns = -math.inf
        self.spreads: list[Record] = []
        self.marks: list[Record] = []
        self.bars: list[Record] = []

    def take(self, venue: str, session: str, instruments: tuple[str, ...], row: Any) -> None:
        key = (venue, session)
        self.running |= {key} if key not in self.taken else set()
        sequence, event_ns = int(row["sequence"]), int(row["event_ns"])
        if sequence <= self.taken.get(key, 0):
            return
        self.taken[key] = sequence
        if row["kind"] == Kind.END:
            self.running.discard(key)
            if not self.running:
                self.close_bars()
                self.time = event_ns if self.time is None else max(self.time, event_ns)
                self.event("end", self.time, session, sequence)
            return
        if self.time is not None:
            self.pass_grids(event_ns, session, sequence)
        self.time = event_ns if self.time is None else max(self.time, event_ns)
        if row["instrument"] < 0:
            return
        instrument = instruments[row["instrument"]]
        bid, ask, quantity = float(row["bid"]), float(row["ask"]), float(row["bid_size"])
        bar = self.bars_open.setdefault(instrument, BarState())
        home = bool(row["flags"] & Flag.HOME)
        if row["kind"] == Kind.TRADE and home:
            bar.trades.append((bid, quantity))
        if row["kind"] == Kind.QUOTE:
            if home:
                bar.mids.append(0.5 * (bid + ask))
                bar.quote = (bid, ask)
            self.quotes[instrument] = (bid, ask, event_ns)
            self.changed += [] if instrument in self.changed else [instrument]
            for pair in self.strategy.pairs_of_shard(self.shard):
                if instrument in (pair.a, pair.b):
                    self.update(pair, session, sequence)

    def update(self, pair: Any, session: str, sequence: int) -> None:
        if pair.a not in self.quotes or pair.b not in self.quotes:
            return
        state, moments = self.pairs[pair.name], self.strategy.moments
        spread = self.mid(pair.a) - pair.beta * self.mid(pair.b)
        alpha = 2.0 / (moments.span + 1)
        state.n += 1
        if state.n == 1:
            state.mean = spread
            return
        mean, var = state.mean, state.var
        d = spread - mean
        z = d / math.sqrt(var) if var > 0 else 0.0
        state.mean += alpha * d
        state.var = (1.0 - alpha) * (var + alpha * d * d)
        if state.n <= moments.warmup or var == 0.0:
            return
        state.seen = {
            "z": z,
            "spread": spread,
            "mean": mean,
            "std": math.sqrt(var),
            "session": session,
            "seq": sequence,
        }
        if not self.leaves(state, z):
            return
        assert self.time is not None
        self.mark(self.time)
        self.event("crossing", self.time, session, sequence, pair)

    def leaves(self, state: PairState, z: float) -> bool:
        """Whether z has left the rung; if so it is on another."""
        k = state.rung
        if k is None:
            state.rung = math.floor(z / 0.25)
            return True
        if z >= 0.25 * (k + 1):
            back = state.last_direction == "down" and state.last_level == k + 1
            if back and not z >= 0.25 * (k + 1) + 0.05:
                return False
            state.rung = state.last_level = math.floor(z / 0.25)
            state.last_direction = "up"
            return True
        if z < 0.25 * k:
            back = state.last_direction == "up" and state.last_level == k
            if back and not z < 0.25 * k - 0.05:
                return False
            state.rung = math.floor(z / 0.25)
            state.last_level, state.last_direction = state.rung + 1, "down"
            return True
        return False

    def pass_grids(self, event_ns: int, session: str, sequence: int) -> None:
        assert self.time is not None
        passed = {name: event_ns // step * step for name, step in GRID_NS.items()}
        if passed["sample"] > self.time:
            for pair in self.strategy.pairs_of_shard(self.shard):
                seen = self.pairs[pair.name].seen
                if seen:
                    self.event("sample", passed["sample"], seen["session"], seen["seq"], pair)
        if passed["marks"] > self.time:
            self.mark(passed["marks"])
        if passed["bars"] > self.time:
            self.close_bars()
        beat = passed["heartbeat"]
        if beat > self.time and self.last_event_ns <= beat - GRID_NS["heartbeat"]:
            self.event("heartbeat", beat, session, sequence)

    def mark(self, event_ns: int) -> None:
        if not self.changed:
            return
        sequence = len(self.marks) + 1
        quotes = [self.quotes[name] for name in self.changed]
        marks = {
            "shard": self.shard,
            "sequence": sequence,
            "instruments": self.changed,
            "bid": [bid for bid, _, _ in quotes],
            "ask": [ask for _, ask, _ in quotes],
            "time_ns": [time for _, _, time in quotes],
        }
        self.marks.append(
            {
                "event_id": f"marks/{self.shard}/{sequence}",
                "kind": "marks",
                "account": self.strategy.account,
                "event_time_ms": event_ns // 1_000_000,
                "event_time_ns": event_ns,
                **dict.fromkeys(("signal", "intent", "report", "command", "risk")),
                "marks": marks,
            }
        )
        self.changed = []

    def close_bars(self) -> None:
        if self.time is None:
            return
        start_ms = self.time // GRID_NS["bars"] * GRID_NS["bars"] // 1_000_000
        for instrument in self.strategy.instruments:
            bar = self.bars_open.get(instrument.id, BarState())
            prices = [price for price, _ in bar.trades] or bar.mids
            if not prices:
                continue
            volume = 0.0
            for _, quantity in bar.trades:
                volume += quantity
            self.bars.append(
                {
                    "kind": "bar",
                    "venue": instrument.venue,
                    "instrument": instrument.id,
                    "shard": self.shard,
                    "interval_s": 60,
                    "start_ms": start_ms,
                    "event_time_ms": start_ms + 60_000,
                    "open": prices[0],
                    "high": max(prices),
                    "low": min(prices),
                    "close": prices[-1],
                    "volume": volume,
                    "trades": len(bar.trades),
                    "quotes": len(bar.mids),
                    "bid": bar.quote[0],
                    "ask": bar.quote[1],
                }
            )
            self.bars_open[instrument.id] = BarState(quote=bar.quote)

    def event(self, kind: str, event_ns: int, session: str, sequence: int, pair: Any = None) -> None:
        self.last_event_ns = event_ns
        state = self.pairs[pair.name] if pair else PairState()
        seen = state.seen
        self.spreads.append(
            {
                "kind": kind,
                "shard": self.shard,
                "sequence": len(self.spreads) + 1,
                "pair": pair.name if pair else "",
                "event_time_ms": event_ns // 1_000_000,
                "event_time_ns": event_ns,
                "rung": state.rung if pair else 0,
                **{name: seen.get(name, 0.0) for name in ("z", "spread", "mean", "std")},
                "beta": pair.beta if pair else 0.0,
                "mid_a": self.mid(pair.a) if pair else 0.0,
                "mid_b": self.mid(pair.b) if pair else 0.0,
                "tick_session": session,
                "tick_sequence": sequence,
            }
        )

    def mid(self, instrument: str) -> float:
        bid, ask, _ = self.quotes[instrument]
        return 0.5 * (bid + ask)
