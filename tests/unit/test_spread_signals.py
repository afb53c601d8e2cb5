"""Signals made of ladder crossings are those of a rule on every tick: the strategy of bench/nautilus_baseline.py."""

import importlib.util
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.ladder import Levels
from pipelines.domain.market import TICK, Flag, Ticks
from pipelines.domain.spread_model import Every, Moments
from tests.support.shards import strategy
from tests.support.spread_runs import decoded, run

BASELINE = Path(__file__).resolve().parents[3] / "shared" / "bench" / "nautilus_baseline.py"
SPAN, WARMUP, ENTRY_Z, EXIT_Z = 1000, 200, 2.0, 0.5
Signal = tuple[int, str, int]
"""Sequence of the tick, pair, and the position then: 1 long the spread, -1 short it, 0 flat."""


@pytest.fixture(scope="module")
def baseline() -> ModuleType:
    if not BASELINE.is_file():
        pytest.skip(f"{BASELINE} is not here")
    spec = importlib.util.spec_from_file_location("nautilus_baseline", BASELINE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def as_rows(made: np.ndarray) -> Ticks:
    rows = np.zeros(made.size, TICK)
    rows["sequence"] = np.arange(1, made.size + 1)
    rows["event_ns"] = rows["receive_ns"] = made["ts_ns"]
    rows["flags"] = Flag.HOME
    for name in ("instrument", "bid", "ask", "bid_size", "ask_size"):
        rows[name] = made[name]
    return rows


def signals_on_every_tick(rows: Ticks, pairs: list[tuple[int, int, float]]) -> list[Signal]:
    """`on_quote_tick` of the baseline, formula for formula; orders left out."""
    alpha = 2.0 / (SPAN + 1)
    legs: dict[int, list[int]] = {}
    for index, (a, b, _) in enumerate(pairs):
        legs.setdefault(a, []).append(index)
        legs.setdefault(b, []).append(index)
    mids: dict[int, float] = {}
    n, mean, var, state = ([0] * len(pairs), [0.0] * len(pairs), [0.0] * len(pairs), [0] * len(pairs))
    found: list[Signal] = []
    for row in rows:
        instrument = int(row["instrument"])
        mids[instrument] = 0.5 * (float(row["bid"]) + float(row["ask"]))
        for index in legs.get(instrument, ()):
            a, b, beta = pairs[index]
            if a not in mids or b not in mids:
                continue
            spread = mids[a] - beta * mids[b]
            n[index] += 1
            if n[index] == 1:
                mean[index] = spread
                continue
            d = spread - mean[index]
            before = var[index]
            z = d / math.sqrt(before) if before > 0.0 else 0.0
            mean[index] += alpha * d
            var[index] = (1.0 - alpha) * (before + alpha * d * d)
            if n[index] <= WARMUP or before == 0.0:
                continue
            wanted = state[index]
            if state[index] == 0:
                wanted = -1 if z > ENTRY_Z else 1 if z < -ENTRY_Z else 0
            elif abs(z) < EXIT_Z:
                wanted = 0
            if wanted != state[index]:
                state[index] = wanted
                found.append((int(row["sequence"]), f"{a}-{b}", wanted))
    return found


def signals_of_crossings(events: list[dict]) -> list[Signal]:
    """The same rule, told nothing but the rungs that z crossed to."""
    state: dict[str, int] = {}
    found = []
    for event in events:
        if event["kind"] != "crossing":
            continue
        low, high = event["rung"] * 0.25, (event["rung"] + 1) * 0.25
        now = state.get(event["pair"], 0)
        wanted = now
        if now == 0:
            wanted = -1 if low >= ENTRY_Z else 1 if high <= -ENTRY_Z else 0
        elif low >= -EXIT_Z and high <= EXIT_Z:
            wanted = 0
        if wanted != now:
            state[event["pair"]] = wanted
            found.append((event["tick_sequence"], event["pair"], wanted))
    return found


@pytest.mark.parametrize("levels", ["0..", "0.5, 2"])
@pytest.mark.parametrize(("instruments", "pairs", "seed"), [(20, 10, 1), (200, 300, 2)])
def test_crossings_give_the_baselines_signals(
    baseline: ModuleType, instruments: int, pairs: int, seed: int, levels: str
) -> None:
    rows = as_rows(baseline.make_ticks(instruments, 60_000, seed))
    made = baseline.make_pairs(instruments, pairs, seed)
    names = tuple(map(str, range(instruments)))
    of = strategy(names, [(str(a), str(b), beta) for a, b, beta in made], Moments(SPAN, WARMUP, Every.TICK))
    of = replace(of, levels=Levels.parse(levels))
    blocks = [
        TickBlock("SIM", "s", 0, 0, first, names, rows[first : first + 500]) for first in range(0, rows.size, 500)
    ]
    _, _, _, events, *_ = decoded(run(of, blocks))
    expected = signals_on_every_tick(rows, made)
    assert len(expected) > 50
    assert signals_of_crossings(events) == expected
