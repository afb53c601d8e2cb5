"""Value at risk of a portfolio over a matrix of scenarios: ours, plain NumPy's and empyrical's, on the same numbers."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.benchmarks.environments import environment
from jobs.submit import Progress
from pipelines.domain.tails import portfolio_tail

PINS, SCRIPT = Path(__file__).with_name("empyrical.txt"), Path(__file__).with_name("empyrical_tail.py")
CONFIDENCE = 0.99
Floats = NDArray[np.float64]


def measure_tail(
    home: Path, instruments: int, scenarios: int, repeats: int, seed: int, progress: Progress
) -> dict[str, Any]:
    """ms, p50 and p99, of each, and how many times as long the others take. All three tell the same value at risk."""
    draws = np.random.default_rng(seed)
    returns = np.ascontiguousarray(draws.standard_t(4, (instruments, scenarios)) * 0.01)
    exposures = draws.normal(0, 50_000, instruments)
    progress(f"value at risk of {instruments} instruments over {scenarios} scenarios")
    ours, tail = _timed(repeats, lambda: portfolio_tail(exposures, returns, CONFIDENCE))
    plain, (var, es) = _timed(repeats, lambda: _plain(exposures, returns))
    its = _empyrical(home, exposures, returns, repeats, progress)
    told = {"helios": [tail.var, tail.es], "numpy": [var, es], "empyrical": [its["var"], its["es"]]}
    return {
        "instruments": instruments,
        "scenarios": scenarios,
        "ms": {"helios": ours, "numpy": plain, "empyrical": _summary(its["took_ns"])},
        "times": {
            "numpy": round(plain["p50"] / ours["p50"], 2),
            "empyrical": round(_summary(its["took_ns"])["p50"] / ours["p50"], 2),
        },
        "var_es": {name: [round(each, 2) for each in values] for name, values in told.items()},
        "empyrical": its["version"],
    }


def _plain(exposures: Floats, returns: Floats) -> tuple[float, float]:
    """As one would write it at a prompt: each instrument's profit in each scenario, their sum, a quantile, a mean."""
    profits = (exposures[:, None] * returns).sum(axis=0)
    quantile = np.quantile(profits, 1 - CONFIDENCE)
    return -float(quantile), -float(profits[profits <= quantile].mean())


def _timed(repeats: int, work: Callable[[], Any]) -> tuple[dict[str, float], Any]:
    found = work()
    took = []
    for _ in range(repeats):
        began = time.perf_counter_ns()
        found = work()
        took.append(time.perf_counter_ns() - began)
    return _summary(took), found


def _summary(took_ns: list[int]) -> dict[str, float]:
    p50, p99 = np.percentile(took_ns, [50, 99]) / 1e6
    return {"p50": round(float(p50), 4), "p99": round(float(p99), 4)}


def _empyrical(home: Path, exposures: Floats, returns: Floats, repeats: int, progress: Progress) -> dict[str, Any]:
    python = environment(home / "bench" / "empyrical", PINS, "empyrical", progress)
    file = home / "bench" / "tail.npz"
    np.savez(file, exposures=exposures, returns=returns, confidence=CONFIDENCE)
    command = [str(python), str(SCRIPT), str(file), str(repeats)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    file.unlink()
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found
