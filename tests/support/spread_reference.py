"""What the spreads job must make of a shard's rows, in plain Python, one row after another, as slow as it is plain.

Written from the specification, not from the kernel; records as they lie on the wire, decoded.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from pipelines.domain.market import Flag, Kind
from pipelines.domain.universe import Strategy

GRID_NS = {"sample": 1_000_000_000, "marks": 100_000_000, "bars": 60_000_000_000}
Record = dict[str, Any]


@dataclass
class PairState:
    n: int = 0
    mean: float = 0.0
    var: float = 0.0
    side: int | None = None
    """How many levels z has passed, from below."""
    last_level: int | None = None
    last_direction: str = ""
    alone: bool = False
    """Whether the last crossing was of one level only."""
    z_crossed: float = 0.0
    seen: Record = field(default_factory=dict)


@dataclass
class BarState:
    trades: list[tuple[float, float]] = field(default_factory=list)
    mids: list[float] = field(default_factory=list)
    quote: tuple[float, float] = (0.0, 0.0)


class SpreadReference:
    """Feed it rows by `take`; what it made, but for heartbeats, is in `spreads`, `samples`, `marks` and `bars`."""

    def __init__(self, strategy: Strategy, shard: int, levels: list[float]) -> None:
        """`levels`: of z, those told of, both below and above 0, ascending."""
        self.strategy, self.shard, self.levels = strategy, shard, levels
        self.pairs = {pair.name: PairState() for pair in strategy.pairs_of_shard(shard)}
        self.time: int | None = None
        self.taken: dict[tuple[str, str], int] = {}
        self.running: set[tuple[str, str]] = set()
        self.quotes: dict[str, tuple[float, float, int]] = {}
        self.tilts: dict[str, list[tuple[int, float]]] = {}
        """Imbalances of an instrument since the last second, each from when on."""
        self.changed: list[str] = []
        self.bars_open: dict[str, BarState] = {}
        self.numbers = 0
        self.spreads: list[Record] = []
        self.samples: list[Record] = []
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
            self.pass_grids(event_ns)
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
            size = float(row["ask_size"])
            self.tilts.setdefault(instrument, []).append((self.time, (quantity - size) / (quantity + size)))
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
        z_before = state.z_crossed if state.side is not None else z
        if not self.crosses(state, z):
            return
        state.z_crossed = z
        assert self.time is not None
        self.event("crossing", self.time, session, sequence, pair, z_before)

    def crosses(self, state: PairState, z: float) -> bool:
        """Whether z has passed a level; straight back past one that it passed alone, only once it is 0.25 past it."""
        before, after = state.side, sum(z >= level for level in self.levels)
        if before is None:
            state.side = after
            return True
        if after == before:
            return False
        direction = "up" if after > before else "down"
        nearest = after - 1 if direction == "up" else after
        first = before if direction == "up" else before - 1
        straight_back = state.last_direction not in ("", direction) and state.last_level == first
        if straight_back and state.alone and nearest == first and not self.is_past(z, self.levels[first], direction):
            return False
        state.side, state.last_level, state.last_direction, state.alone = after, nearest, direction, nearest == first
        return True

    def is_past(self, z: float, level: float, direction: str) -> bool:
        return z >= level + 0.25 if direction == "up" else z < level - 0.25

    def pass_grids(self, event_ns: int) -> None:
        assert self.time is not None
        passed = {name: event_ns // step * step for name, step in GRID_NS.items()}
        if passed["sample"] > self.time:
            self.sample(passed["sample"])
        if passed["marks"] > self.time:
            self.mark(passed["marks"])
        if passed["bars"] > self.time:
            self.close_bars()

    def sample(self, event_ns: int) -> None:
        seen = [pair for pair in self.strategy.pairs_of_shard(self.shard) if self.pairs[pair.name].seen]
        tilted = {name: self.tilted(name, event_ns) for name in self.tilts}
        self.tilts = {name: [(event_ns, tilts[-1][1])] for name, tilts in self.tilts.items()}
        if not seen:
            return
        self.numbers += 1
        self.samples.append(
            {
                "shard": self.shard,
                "sequence": self.numbers,
                "event_time_ms": event_ns // 1_000_000,
                "event_time_ns": event_ns,
                "samples": [
                    {"pair": pair.name}
                    | self.values(pair)
                    | {"imbalance_a": tilted[pair.a], "imbalance_b": tilted[pair.b]}
                    for pair in seen
                ],
            }
        )

    def tilted(self, instrument: str, end_ns: int) -> float:
        """The mean imbalance, weighted by how long it was so."""
        tilts = self.tilts[instrument]
        ends = [*(start for start, _ in tilts[1:]), end_ns]
        area = 0.0
        for (start, tilt), end in zip(tilts, ends, strict=True):
            area += tilt * (end - start)
        return area / (end_ns - tilts[0][0]) if end_ns > tilts[0][0] else 0.0

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
            "state": [0 for _ in quotes],
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

    def event(
        self, kind: str, event_ns: int, session: str, sequence: int, pair: Any = None, z_before: float = 0.0
    ) -> None:
        self.numbers += 1
        names = ("rung", "z", "spread", "mean", "std", "beta", "mid_a", "mid_b", "slope")
        self.spreads.append(
            {
                "kind": kind,
                "shard": self.shard,
                "sequence": self.numbers,
                "pair": pair.name if pair else "",
                "event_time_ms": event_ns // 1_000_000,
                "event_time_ns": event_ns,
                **(self.values(pair) if pair else dict.fromkeys(names, 0.0)),
                "z_before": z_before,
                "flags": 0,
                "tick_session": session,
                "tick_sequence": sequence,
            }
        )

    def values(self, pair: Any) -> Record:
        seen = self.pairs[pair.name].seen
        return {
            "rung": math.floor(seen["z"] / 0.25),
            **{name: seen[name] for name in ("z", "spread", "mean", "std")},
            "beta": pair.beta,
            "mid_a": self.mid(pair.a),
            "mid_b": self.mid(pair.b),
            "slope": pair.beta,
            "flags": 0,
        }

    def mid(self, instrument: str) -> float:
        bid, ask, _ = self.quotes[instrument]
        return 0.5 * (bid + ask)
