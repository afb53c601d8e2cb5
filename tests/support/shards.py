"""Small strategies, shards and ticks to test the spread kernel and its operator with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import TICK, Flag, Kind, Ticks
from pipelines.domain.shard import Shard
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.universe import Instrument, Limits, Pair, Sizing, Strategy, Venue

VENUE = "SIM"
MS = 1_000_000
START_NS = 1_704_205_800_000_000_000
"""2024-01-02 14:30:00 UTC, on every grid."""


def strategy(
    instruments: Sequence[str] = ("A", "B"),
    pairs: Iterable[tuple[str, str, float]] = (("A", "B", 1.0),),
    moments: Moments | None = None,
    shards: int = 1,
    shard: int = 0,
) -> Strategy:
    """A strategy of account `main` whose pairs all live in `shard`."""
    return Strategy(
        name="test",
        account="main",
        shards=shards,
        venues=(Venue(VENUE, "simulated"),),
        instruments=tuple(Instrument(name, VENUE, name, 0.01, 1.0) for name in instruments),
        pairs=tuple(Pair(f"{a}-{b}", a, b, beta, shard) for a, b, beta in pairs),
        moments=moments or Moments(span=20, warmup=5, every=Every.TICK),
        signals=(),
        sizing=Sizing(leg_notional=10_000.0),
        limits=Limits(position_lots=1_000, stale_marks_ms=1_000),
    )


def shard_of(of: Strategy, number: int = 0) -> Shard:
    return Shard.of(of, number)


def tick(
    sequence: int,
    time_ns: int,
    instrument: int = -1,
    bid: float = 0.0,
    ask: float = 0.0,
    kind: Kind = Kind.QUOTE,
    size: float = 100.0,
    flags: int = Flag.HOME,
) -> tuple[int | float, ...]:
    """A row of TICK; `instrument` by its place among the block's."""
    return (sequence, sequence, instrument, int(kind), int(flags), 0, time_ns, time_ns, bid, size, ask, size)


def ticks(rows: Iterable[tuple[int | float, ...]]) -> Ticks:
    return np.array(list(rows), TICK)


def random_ticks(rows: int, instruments: int, seed: int, *, start_ns: int = START_NS, end: bool = True) -> Ticks:
    """A session of `rows` rows: quotes, trades, heartbeats, late rows, quiet spells of up to 3 s, and its end.

    The first two thirds are slow, so that every grid is passed; the rest is dense, so that blocks hold many rows. The
    last instrument has no trades.
    """
    rng = np.random.default_rng(seed)
    out = np.zeros(rows, TICK)
    out["sequence"] = out["frame"] = np.arange(1, rows + 1)
    out["instrument"] = rng.integers(0, instruments, rows)
    out["kind"] = rng.choice([Kind.QUOTE, Kind.TRADE, Kind.HEARTBEAT], rows, p=[0.8, 0.15, 0.05])
    out["kind"][(out["kind"] == Kind.TRADE) & (out["instrument"] == instruments - 1)] = Kind.QUOTE
    out["flags"] = rng.choice([0, Flag.HOME], rows, p=[0.2, 0.8])
    step = rng.choice([0, 1_000, 700_000, 5 * MS, 40 * MS, 3_000 * MS], rows, p=[0.2, 0.2, 0.2, 0.2, 0.18, 0.02])
    step[rows * 2 // 3 :] //= 50
    out["event_ns"] = start_ns + np.cumsum(step) - rng.choice([0, 3 * MS], rows, p=[0.9, 0.1])
    out["receive_ns"] = out["event_ns"] + MS
    log_mid = np.cumsum(rng.normal(0, 2e-3, (rows, instruments)), axis=0)[np.arange(rows), out["instrument"]]
    cents = np.rint((50.0 + 10.0 * out["instrument"]) * np.exp(log_mid) * 100)
    trade = out["kind"] == Kind.TRADE
    out["bid"] = cents / 100
    out["ask"] = np.where(trade, out["bid"], (cents + rng.integers(0, 4, rows)) / 100)
    out["bid_size"], out["ask_size"] = rng.integers(1, 500, rows), rng.integers(1, 500, rows)
    beat = out["kind"] == Kind.HEARTBEAT
    out["instrument"][beat] = -1
    for name in ("bid", "ask", "bid_size", "ask_size"):
        out[name][beat] = 0.0
    if end:
        out[-1] = tick(rows, int(out["event_ns"].max()) + 86_400_000 * MS, kind=Kind.END, size=0.0)
    return out


@dataclass(frozen=True)
class Log:
    """A shard's rows in the order of its log; `session` says of which feed session each is."""

    rows: Ticks
    session: NDArray[np.int64]
    sessions: tuple[str, ...]
    instruments: tuple[str, ...]

    def blocks(self, cuts: Iterable[int]) -> list[TickBlock]:
        """Cut before these rows, and wherever the session changes."""
        changes = np.flatnonzero(np.diff(self.session)) + 1
        places = sorted({0, self.rows.size, *changes.tolist(), *(cut for cut in cuts if 0 < cut < self.rows.size)})
        return [self.block(first, last) for first, last in pairwise(places)]

    def block(self, first: int, last: int) -> TickBlock:
        session = self.sessions[self.session[first]]
        return TickBlock(VENUE, session, 0, 0, first, self.instruments, self.rows[first:last].copy())

    def every(self, count: int) -> list[TickBlock]:
        return self.blocks(range(0, self.rows.size, count))


def random_log(rows: int, of: Strategy, seed: int, sessions: int = 1) -> Log:
    """`random_ticks` of several feed sessions in turns, each with its end; rows lie as in one log of `of`'s shard."""
    names = tuple(instrument.id for instrument in of.instruments)
    found = random_ticks(rows, len(names), seed)
    rng = np.random.default_rng([seed, 1])
    session = np.cumsum(rng.random(rows) < 0.02) % sessions
    last = int(session[-1])
    early_ends = [each for each in range(sessions) if each != last]
    places = sorted(rng.integers(rows * 3 // 4, rows - 1, len(early_ends)).tolist())
    for place, ending in zip(places, early_ends, strict=True):
        session[place:][session[place:] == ending] = last
        session[place] = ending
        found[place] = tick(0, int(found["event_ns"][:place].max()) + 86_400_000 * MS, kind=Kind.END, size=0.0)
    for each in range(sessions):
        mine = session == each
        found["sequence"][mine] = np.arange(1, mine.sum() + 1)
    return Log(found, session, tuple(f"session-{each}" for each in range(sessions)), names)
