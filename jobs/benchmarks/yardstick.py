"""The yardstick: NautilusTrader on a pairs strategy (nautilus_baseline.py), and its rule in plain Python.

It runs in an environment of its own under the home, made from nautilus.txt beside this file at the first use.
"""

import json
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from infra.settings import ROOT
from jobs.benchmarks.environments import BenchEnvironmentError, environment
from jobs.benchmarks.market import BenchMarket, bench_strategy
from jobs.submit import Progress
from pipelines.domain.ladder import Levels
from pipelines.domain.market import TICK, Flag, Kind, Ticks
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.universe import Pair, SignalUse

SCRIPT = ROOT.parent / "shared" / "bench" / "nautilus_baseline.py"
"""Where it lies beside a checkout."""
PINS = Path(__file__).with_name("nautilus.txt")
SIGNAL = ROOT / "sql" / "signals" / "pair_band.sql"
"""Its rule in SQL."""

Signalled = tuple[int, str, str]
"""Event time of the tick (ns), pair, action."""


class YardstickError(RuntimeError):
    """Why it does not run, in a line."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`enter_z` is left by a flat pair, `exit_z` reached by an open one; moments over `span` updates of a pair, none of
    the first `warmup` counts."""

    span: int = 1000
    warmup: int = 200
    entry_z: float = 2.0
    exit_z: float = 0.5


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What a run of it was over, as Helios sees it, and what it said of itself (empty where it has not run)."""

    market: BenchMarket
    rule: Rule
    said: dict[str, Any]


def run_yardstick(
    script: Path, home: Path, instruments: int, pairs: int, ticks: int, seed: int, progress: Progress
) -> Yardstick:
    """Run it, signals only, and read back the ticks and pairs that it ran over."""
    try:
        python = environment(home / "bench" / "nautilus", PINS, "NautilusTrader (300 MB)", progress)
    except BenchEnvironmentError as error:
        raise YardstickError(str(error)) from error
    dump = home / "bench" / "yardstick.npy"
    command = [str(python), str(script), "--instruments", str(instruments), "--pairs", str(pairs)]
    command += ["--ticks", str(ticks), "--seed", str(seed), "--no-orders", "--dump", str(dump)]
    progress(f"NautilusTrader, {pairs} pairs")
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise YardstickError(f"{script}: {last}")
    its_pairs = dump.with_name(f"{dump.name}.pairs.json")
    made, of = np.load(dump), json.loads(its_pairs.read_text())
    for file in (dump, its_pairs):
        file.unlink()
    rule = Rule(of["span"], of["warmup"], of["entry_z"], of["exit_z"])
    legs = [(each["a"], each["b"], each["beta"]) for each in of["pairs"]]
    return Yardstick(_market(made, instruments, legs, rule), rule, json.loads(run.stdout))


def with_its_rule(market: BenchMarket, rule: Rule) -> BenchMarket:
    """A market whose strategy has the rule's moments and signal, and the levels that it needs."""
    use = SignalUse(str(SIGNAL), {"entry_z": rule.entry_z, "exit_z": rule.exit_z}, "pair_band")
    levels = Levels.parse(f"{rule.exit_z}, {rule.entry_z}")
    moments = Moments(span=rule.span, warmup=rule.warmup, every=Every.TICK)
    return replace(market, strategy=replace(market.strategy, moments=moments, signals=(use,), levels=levels))


def signals_on_every_tick(
    ticks: Ticks, pairs: Sequence[tuple[int, int, float]], rule: Rule
) -> list[tuple[int, int, int]]:
    """`on_quote_tick` of the yardstick, formula for formula; orders left out.

    Row, pair, and the position then: 1 long the spread, -1 short it, 0 flat.
    """
    alpha = 2.0 / (rule.span + 1)
    legs: dict[int, list[int]] = {}
    for index, (a, b, _) in enumerate(pairs):
        legs.setdefault(a, []).append(index)
        legs.setdefault(b, []).append(index)
    mids: dict[int, float] = {}
    n, mean, var, state = ([0] * len(pairs), [0.0] * len(pairs), [0.0] * len(pairs), [0] * len(pairs))
    found = []
    quotes = zip(ticks["instrument"].tolist(), ticks["bid"].tolist(), ticks["ask"].tolist(), strict=True)
    for row, (instrument, bid, ask) in enumerate(quotes):
        mids[instrument] = 0.5 * (bid + ask)
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
            if n[index] <= rule.warmup or before == 0.0:
                continue
            wanted = state[index]
            if state[index] == 0:
                wanted = -1 if z > rule.entry_z else 1 if z < -rule.entry_z else 0
            elif abs(z) < rule.exit_z:
                wanted = 0
            if wanted != state[index]:
                state[index] = wanted
                found.append((row, index, wanted))
    return found


def expected_signals(market: BenchMarket, rule: Rule) -> list[Signalled]:
    """What the rule gives on a market's ticks, in the order of the ticks."""
    strategy = market.strategy
    place = {instrument.id: at for at, instrument in enumerate(strategy.instruments)}
    legs = [(place[pair.a], place[pair.b], pair.beta) for pair in strategy.pairs]
    times = market.ticks["event_ns"]
    action = {-1: "enter_short", 0: "exit", 1: "enter_long"}
    return [
        (int(times[row]), strategy.pairs[index].name, action[wanted])
        for row, index, wanted in signals_on_every_tick(market.ticks, legs, rule)
    ]


def _market(
    made: np.ndarray[Any, Any], instruments: int, legs: Sequence[tuple[int, int, float]], rule: Rule
) -> BenchMarket:
    """Ticks and pairs of the yardstick as a market of one shard."""
    rows = np.zeros(made.size, TICK)
    rows["sequence"] = np.arange(1, made.size + 1)
    rows["frame"] = np.arange(made.size)
    rows["kind"], rows["flags"] = Kind.QUOTE, Flag.HOME
    rows["event_ns"] = rows["receive_ns"] = made["ts_ns"]
    for name in ("instrument", "bid", "ask", "bid_size", "ask_size"):
        rows[name] = made[name]
    strategy = bench_strategy(instruments, 1, 1)
    ids = [instrument.id for instrument in strategy.instruments]
    pairs = tuple(Pair(f"{ids[a]}-{ids[b]}", ids[a], ids[b], beta, 0) for a, b, beta in legs)
    return with_its_rule(BenchMarket(replace(strategy, pairs=pairs), rows), rule)
