"""A market in the history: seeded ticks and books, written as a loader writes them, and read plainly from memory."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import uuid4

import numpy as np

from infra.settings import Settings
from pipelines.domain.market import NS_PER_MS, NS_PER_S, TICK, Condition, Flag, Kind, Ticks
from pipelines.history.reader import Batch
from pipelines.history.timescale import connect
from pipelines.history.writer import Writer

START_NS = 1_767_623_400 * NS_PER_S
"""2026-01-05T14:30:00Z"""
NAMES = ("KO", "PEP", "MSFT")
FEED = ("sim", "feed-1")
SESSION = "market-1"


@contextmanager
def database(stack: Settings) -> Iterator[str]:
    """A database of the test's own; its address."""
    name = f"history_{uuid4().hex[:12]}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield f"{stack.timescale.dsn.rpartition('/')[0]}/{name}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def market(count: int, seed: int = 7) -> Ticks:
    """Quotes and trades about 60 ms apart with every flag that matters, some late; sums of them are exact."""
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, TICK)
    rows["sequence"] = np.arange(1, count + 1)
    rows["frame"] = rows["sequence"] - 1
    rows["instrument"] = rng.integers(0, len(NAMES), count)
    rows["kind"] = rng.choice([Kind.QUOTE, Kind.QUOTE, Kind.TRADE], count)
    rows["flags"] = int(Flag.HOME) | rng.choice(
        [0] * 20 + [Flag.CROSSED, Flag.OUTLIER, Flag.DUPLICATE, Flag.LATE], count
    )
    rows["code"] = np.where(
        rows["kind"] == Kind.TRADE, rng.choice([0] * 12 + [int(each) for each in Condition], count), 0
    )
    late_ns = np.where(rng.random(count) < 0.05, rng.integers(0, 90 * NS_PER_S, count), 0)
    rows["event_ns"] = START_NS + np.cumsum(rng.integers(0, 120 * NS_PER_MS, count)) - late_ns
    rows["receive_ns"] = rows["event_ns"] + late_ns
    walk = 6400 + np.cumsum(rng.integers(-3, 4, count))
    rows["bid"] = walk / 64 + 10 * rows["instrument"]
    rows["bid_size"] = rng.integers(1, 50, count)
    trade = rows["kind"] == Kind.TRADE
    rows["ask"] = np.where(trade, rows["bid"], rows["bid"] + 1 / 64)
    rows["ask_size"] = np.where(trade, rows["bid_size"], rng.integers(1, 50, count))
    return rows


def write_shuffled(dsn: str, ticks: Ticks, seed: int = 7, session: str = SESSION) -> None:
    """As a loader that was killed and went on writes them: cuts in any order, each overlapping others, some twice."""
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, len(ticks), 12))
    parts = [ticks[max(0, low - 300) : high + 300] for low, high in zip([0, *cuts], [*cuts, len(ticks)], strict=True)]
    with closing(Writer(dsn, session, "")) as writer:
        for place in [*rng.permutation(len(parts)), 0, 1]:
            writer.write(Batch(ticks={FEED: (NAMES, parts[place])}), {("market.ticks", 0): int(place)})


def good(ticks: Ticks, instrument: int, kind: Kind) -> Ticks:
    """What counts of an instrument, in order of event time and sequence."""
    spoiled = int(Flag.CROSSED | Flag.OUTLIER | Flag.DUPLICATE)
    kept = (ticks["instrument"] == instrument) & (ticks["kind"] == kind) & ((ticks["flags"] & spoiled) == 0)
    if kind == Kind.TRADE:
        kept &= (ticks["code"] & int(Condition.SUSPICIOUS)) == 0
    rows = ticks[kept]
    found: Ticks = rows[np.lexsort((rows["sequence"], rows["event_ns"]))]
    return found
