"""A seeded market for benchmarks: the ticks and pairs of a mean-free random walk, one instrument a tick, 1 ms apart."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.domain.ladder import Levels
from pipelines.domain.market import NS_PER_MS, NS_PER_S, TICK, Flag, Kind, Ticks
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.universe import Instrument, Limits, Pair, SignalUse, Sizing, Strategy, Venue

START_NS = 1_767_623_400 * NS_PER_S
"""2026-01-05T14:30:00Z"""
SESSION = "bench"
VENUE = "bench"
SIGNAL = Path(__file__).resolve().parents[2] / "sql" / "signals" / "pair_reversion.sql"


@dataclass(frozen=True, slots=True)
class BenchMarket:
    """A strategy of one shard and the ticks of its instruments, `ticks["instrument"]` an index into its instruments."""

    strategy: Strategy
    ticks: Ticks

    def blocks(self, codec: BlockCodec, size: int) -> list[bytes]:
        """The ticks as TickBlocks of `size`, encoded."""
        names = tuple(instrument.id for instrument in self.strategy.instruments)
        cuts = range(0, len(self.ticks), size)
        return [
            codec.encode(TickBlock(VENUE, SESSION, 0, 0, offset, names, self.ticks[cut : cut + size]))
            for offset, cut in enumerate(cuts)
        ]


def bench_strategy(instruments: int, pairs: int, seed: int) -> Strategy:
    """Pairs by random matchings, so that legs are used evenly; hedge ratios from 0.5 to 1.5."""
    limit = instruments * (instruments - 1) // 2
    if not 1 <= pairs <= limit:
        raise ValueError(f"{pairs} pairs of {instruments} instruments: give 1 to {limit}")
    rng = np.random.default_rng([seed, 1])
    listed = tuple(Instrument(f"EQ{i:04d}", VENUE, f"EQ{i:04d}", 0.01, 1.0) for i in range(instruments))
    taken: dict[tuple[int, int], Pair] = {}
    while len(taken) < pairs:
        order = rng.permutation(instruments)
        for a, b in zip(order[0::2].tolist(), order[1::2].tolist(), strict=False):
            if (min(a, b), max(a, b)) in taken or len(taken) == pairs:
                continue
            name = f"{listed[a].id}-{listed[b].id}"
            taken[min(a, b), max(a, b)] = Pair(name, listed[a].id, listed[b].id, float(rng.uniform(0.5, 1.5)), 0)
    return Strategy(
        name="bench",
        account="bench",
        shards=1,
        venues=(Venue(VENUE, "binance"),),
        instruments=listed,
        pairs=tuple(taken.values()),
        moments=Moments(span=1000, warmup=200, every=Every.TICK),
        signals=(SignalUse(str(SIGNAL), {}, "pair_reversion"),),
        sizing=Sizing(leg_notional=10_000),
        limits=Limits(position_lots=100_000, stale_marks_ms=60_000),
        levels=Levels.parse("0.5, 2.."),
    )


def bench_market(instruments: int, pairs: int, ticks: int, seed: int) -> BenchMarket:
    """Log random walks (sd 2e-4 a tick of its own) from 20..500, spreads of 1 to 4 cents."""
    rng = np.random.default_rng([seed, 0])
    rows = np.zeros(ticks, TICK)
    rows["sequence"] = np.arange(1, ticks + 1)
    rows["frame"] = np.arange(ticks)
    rows["instrument"] = rng.integers(0, instruments, ticks)
    rows["kind"] = Kind.QUOTE
    rows["flags"] = Flag.HOME
    rows["event_ns"] = START_NS + NS_PER_MS * np.arange(ticks, dtype=np.int64)
    rows["receive_ns"] = rows["event_ns"]
    start = rng.uniform(20.0, 500.0, instruments)
    step = rng.normal(0.0, 2e-4, ticks)
    width = rng.integers(1, 5, ticks)
    for instrument in range(instruments):
        own = np.flatnonzero(rows["instrument"] == instrument)
        cents = np.rint(start[instrument] * np.exp(np.cumsum(step[own])) * 100.0)
        rows["bid"][own] = cents / 100.0
        rows["ask"][own] = (cents + width[own]) / 100.0
    rows["bid_size"] = rng.integers(1000, 5001, ticks)
    rows["ask_size"] = rng.integers(1000, 5001, ticks)
    return BenchMarket(bench_strategy(instruments, pairs, seed), rows)


def with_trades(ticks: Ticks) -> Ticks:
    """The same rows, every fifth of them made a trade at its bid."""
    trade = ticks["sequence"] % 5 == 0
    ticks["kind"][trade] = Kind.TRADE
    ticks["ask"][trade] = ticks["bid"][trade]
    ticks["ask_size"][trade] = ticks["bid_size"][trade]
    return ticks


def closing_rows(market: BenchMarket, pair: Pair) -> Ticks:
    """Rows that end a run with one sure signal: `pair` leaps from its mean, turns, and time moves on.

    Whoever sees that signal knows that everything before it has been through.
    """
    a = next(i for i, instrument in enumerate(market.strategy.instruments) if instrument.id == pair.a)
    last = market.ticks[market.ticks["instrument"] == a][-1]
    rows = np.zeros(4, TICK)
    rows[:2] = last
    rows["sequence"] = market.ticks["sequence"][-1] + 1 + np.arange(4)
    rows["frame"] = market.ticks["frame"][-1] + 1 + np.arange(4)
    rows["event_ns"] = market.ticks["event_ns"][-1] + NS_PER_MS * np.array([10, 20, 40, 86_400_000])
    rows["receive_ns"] = rows["event_ns"]
    for row, rise in enumerate((2.0, 1.5)):
        rows["bid"][row] = np.rint(last["bid"] * rise * 100) / 100
        rows["ask"][row] = rows["bid"][row] + 0.01
    rows["kind"][2:] = Kind.HEARTBEAT, Kind.END
    rows["instrument"][2:] = -1
    return rows


def end_of_session(market: BenchMarket) -> Ticks:
    """The row that ends a market's session: it moves time past every window."""
    rows = np.zeros(1, TICK)
    rows["sequence"] = market.ticks["sequence"][-1] + 1
    rows["frame"] = market.ticks["frame"][-1] + 1
    rows["event_ns"] = rows["receive_ns"] = market.ticks["event_ns"][-1] + 86_400 * NS_PER_S
    rows["kind"], rows["instrument"] = Kind.END, -1
    return rows
