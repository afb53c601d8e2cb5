"""How fast the history answers, of generated ticks: p50 of several runs a question, each of another instrument."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np

from infra.settings import Settings
from jobs.benchmarks.loading import scratch_database
from jobs.benchmarks.market import START_NS, VENUE, bench_market, with_trades
from jobs.submit import Progress
from pipelines.domain.market import NS_PER_S, Ticks
from pipelines.history.answers import Answer
from pipelines.history.asked import Span
from pipelines.history.backfill import Backfill, SourceFile
from pipelines.history.queries import History, Listed
from pipelines.history.retention import ARCHIVE
from pipelines.history.timescale import connect

DAY_S = 6.5 * 3600
"""The ticks lie in one session of a stock exchange."""
CHUNK = 500_000
START = datetime.fromtimestamp(START_NS / NS_PER_S, UTC)

Question = Callable[[History, str, datetime], Answer]
"""Of an instrument, and a time within the day."""


@dataclass(frozen=True, slots=True)
class HistoryLoad:
    """What to ask: `rows` ticks of `instruments`, one in five a trade, over 6.5 hours; each question `runs` times."""

    rows: int = 10_000_000
    instruments: int = 200
    runs: int = 9
    seed: int = 1


def measure_history(settings: Settings, load: HistoryLoad, progress: Progress) -> dict[str, Any]:
    """Milliseconds by question, and how long it took to load what is asked. Nothing of it is left."""
    with scratch_database(settings) as dsn:
        began = time.perf_counter()
        file = SourceFile("bench", f"seed {load.seed}", str(load))
        with Backfill(dsn, file, VENUE) as backfill:
            for ticks, names in _market(load):
                backfill.take(ticks, names)
                progress(f"loading: {backfill.progress.rows_taken:,} of {load.rows:,} rows")
            done = backfill.finish()
        loaded_s = time.perf_counter() - began
        with connect(dsn, application="bench") as owner:
            owner.execute("ANALYZE")
        with History(dsn) as history:
            asked = {name: _ask(history, question, load, progress, name) for name, question in QUESTIONS.items()}
    return {
        "milliseconds": asked,
        "loaded": {"rows": done.rows_new, "rows_per_second": round(done.rows_new / loaded_s)},
        "rows": load.rows,
        "instruments": load.instruments,
        "runs": load.runs,
        "seed": load.seed,
        "cores": os.cpu_count(),
    }


def _market(load: HistoryLoad) -> Iterator[tuple[Ticks, tuple[str, ...]]]:
    """Chunks of the day, each a market of its own seed."""
    step_ns = int(DAY_S * NS_PER_S / load.rows)
    for number, first in enumerate(range(0, load.rows, CHUNK)):
        market = bench_market(load.instruments, 1, min(CHUNK, load.rows - first), load.seed + number)
        ticks = with_trades(market.ticks)
        ticks["sequence"] += first
        ticks["event_ns"] = START_NS + ticks["sequence"] * step_ns
        yield ticks, tuple(instrument.id for instrument in market.strategy.instruments)


def _ask(history: History, question: Question, load: HistoryLoad, progress: Progress, name: str) -> dict[str, Any]:
    progress(name)
    rng = np.random.default_rng([load.seed, 2])
    took, rows = [], 0
    for _ in range(load.runs):
        instrument = f"EQ{rng.integers(load.instruments):04d}"
        at = START + timedelta(seconds=float(rng.uniform(1_800, DAY_S - 3_600)))
        began = time.perf_counter()
        rows = len(question(history, instrument, at).rows)
        took.append(1000 * (time.perf_counter() - began))
    return {"p50": round(median(took), 1), "most": round(max(took), 1), "rows": rows}


def _listed(instrument: str) -> Listed:
    return Listed(ARCHIVE, instrument)


def _times(history: History, instrument: str, at: datetime) -> Answer:
    wanted = [(instrument, at + timedelta(seconds=1.7 * number)) for number in range(1_000)]
    return history.asof(ARCHIVE, wanted)


QUESTIONS: dict[str, Question] = {
    "ohlcv 1m, a day": lambda history, name, at: history.ohlcv(_listed(name), Span(), timedelta(minutes=1)),
    "ohlcv 1s, an hour": lambda history, name, at: history.ohlcv(
        _listed(name),
        Span(at.replace(microsecond=0), at.replace(microsecond=0) + timedelta(hours=1)),
        timedelta(seconds=1),
    ),
    "ohlcv 1d": lambda history, name, at: history.ohlcv(_listed(name), Span(), timedelta(days=1)),
    "ohlcv 100ms, a minute, of ticks": lambda history, name, at: history.ohlcv(
        _listed(name), Span(at, at + timedelta(minutes=1)), timedelta(milliseconds=100)
    ),
    "asof, one time": lambda history, name, at: history.asof(ARCHIVE, [(name, at)]),
    "asof, 1,000 times": _times,
    "vwap, a day": lambda history, name, at: history.vwap(_listed(name), Span()),
    "vwap, half an hour, of ticks": lambda history, name, at: history.vwap(
        _listed(name), Span(at, at + timedelta(minutes=30))
    ),
    "volatility of 1m bars, a day": lambda history, name, at: history.volatility(_listed(name), Span()),
    "volume profile by 5m, a day": lambda history, name, at: history.volume_profile(
        _listed(name), Span(), timedelta(minutes=5), "America/New_York"
    ),
    "ticks, a minute": lambda history, name, at: history.ticks(_listed(name), Span(at, at + timedelta(minutes=1))),
}
"""By what is asked."""
