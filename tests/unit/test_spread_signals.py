"""Signals made of ladder crossings are those of a rule on every tick: the strategy of bench/nautilus_baseline.py."""

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from jobs.benchmarks.yardstick import Rule, signals_on_every_tick
from pipelines.contracts.blocks import TickBlock
from pipelines.domain.ladder import Levels
from pipelines.domain.market import TICK, Flag, Ticks
from pipelines.domain.spread_model import Every, Moments
from tests.support.shards import strategy
from tests.support.spread_runs import decoded, run

BASELINE = Path(__file__).resolve().parents[3] / "shared" / "bench" / "nautilus_baseline.py"
RULE = Rule(span=1000, warmup=200, entry_z=2.0, exit_z=0.5)
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
            wanted = -1 if low >= RULE.entry_z else 1 if high <= -RULE.entry_z else 0
        elif low >= -RULE.exit_z and high <= RULE.exit_z:
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
    of = strategy(names, [(str(a), str(b), beta) for a, b, beta in made], Moments(RULE.span, RULE.warmup, Every.TICK))
    of = replace(of, levels=Levels.parse(levels))
    blocks = [
        TickBlock("SIM", "s", 0, 0, first, names, rows[first : first + 500]) for first in range(0, rows.size, 500)
    ]
    _, _, _, events, *_ = decoded(run(of, blocks))
    expected = [
        (row + 1, f"{made[pair][0]}-{made[pair][1]}", position)
        for row, pair, position in signals_on_every_tick(rows, made, RULE)
    ]
    assert len(expected) > 50
    assert signals_of_crossings(events) == expected
