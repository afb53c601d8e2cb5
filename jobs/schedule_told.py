"""What a schedule's preview tells, by name: as it stands in JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.schedule_asked import Asked, Window, clock
from jobs.volume_history import VolumeHistory
from pipelines.domain.almgren_chriss import Cost, Impact, Optimum, cost, frontier, optimum, x_bar
from pipelines.domain.schedules import Slice, check

LEAST_PRICE = 1e-12


def of_asked(asked: Asked, window: Window, known: Mapping[str, float | None]) -> dict[str, Any]:
    """What was asked, and S0 and impact as they are `known`: given, or by past days."""
    told: dict[str, Any] = {"algo": asked.algo, "X": asked.X, "T": window.days, "N": asked.N, **known}
    told |= {"alpha": asked.alpha, "lambda": asked.aversion}
    told |= {"lot": asked.lot, "least": asked.least, "day_hours": asked.day_hours}
    if asked.algo == "pov":
        told |= {"participation": asked.participation, "cap": 1.0 if asked.cap is None else asked.cap}
    if asked.jitter is not None:
        told |= {"seed": asked.jitter.seed, "parent": asked.jitter.parent}
        told |= {"vary_sizes": asked.jitter.sizes, "vary_times": asked.jitter.times}
    return told


def of_optimum(best: Optimum) -> dict[str, Any]:
    """The trajectory that costs least, before its trades are rounded to lots."""
    half_life = best.half_life if math.isfinite(best.half_life) else None  # of lambda 0 there is none
    return {
        "tau": best.tau,
        "eta_tilde": best.eta_tilde,
        "kappa_tilde": best.kappa_tilde,
        "kappa": best.kappa,
        "half_life": half_life,
        "theta": half_life,
        "trajectory": best.trajectory.tolist(),
        "trades": best.trades.tolist(),
    }


def of_drift(best: Optimum, impact: Impact) -> dict[str, Any]:
    """What section 4.1 makes of a drift, and `gain`: how much less its U is than that of `best`, the drift in both."""
    drifting = optimum(best.X, best.T, best.N, impact, best.aversion)
    kept = cost(impact, best.X, best.trades, [best.tau] * best.N)
    return {
        "x_bar": x_bar(impact, best.aversion),
        "trajectory": drifting.trajectory.tolist(),
        "trades": drifting.trades.tolist(),
        "E": drifting.cost.E,
        "V": drifting.cost.V,
        "U": drifting.U,
        "gain": kept.penalty(best.aversion) - drifting.U,
    }


def of_cost(found: Cost, asked: Asked, known: Mapping[str, float | None]) -> dict[str, Any]:
    """E and V, in basis points of the order's worth where the price is known, U where lambda is."""
    told: dict[str, Any] = {"E": found.E, "V": found.V, "std": found.deviation}
    if known["S0"]:
        bps = 1e4 / (known["S0"] * asked.X)
        told |= {"cost_bps": found.E * bps, "std_bps": found.deviation * bps}
    if asked.aversion is not None:
        told |= dict.fromkeys(("U", "penalty"), found.penalty(asked.aversion))
    return told


def of_curve(history: VolumeHistory) -> dict[str, Any]:
    """Of how many days it is the average, and of what market."""
    told: dict[str, Any] = {"days": history.curve.days, "daily_volume": history.curve.daily}
    if history.name:
        told = {"name": history.name, "zone": history.zone} | told | {"faults": list(history.faults)}
    return told


def of_slices(slices: Sequence[Slice], history: VolumeHistory | None, asked: Asked, window: Window) -> dict[str, Any]:
    """By name; times in ns from the start, and by the clock where that is known; `volume`: what the curve has in it."""
    volumes: list[float] | None = None
    if history is not None and window.start_ns is not None:
        volumes = history.curve.between(window.start_ns, [0, *(each.end_ns for each in slices)]).tolist()
    rows, done = [], 0
    for place, each in enumerate(slices):
        done += each.lots
        row: dict[str, Any] = {
            "number": each.number,
            "lots": each.lots,
            "quantity": each.lots * asked.lot,
            "done": done,
        }
        row |= {"start_ns": each.start_ns, "end_ns": each.end_ns, "at_ns": each.at_ns}
        if window.start_ns is not None:
            row |= {"from": clock(window.start_ns + each.start_ns), "until": clock(window.start_ns + each.end_ns)}
            row |= {"at": clock(window.start_ns + each.at_ns)}
        if volumes is not None:
            row |= {"volume": volumes[place]}
        rows.append(row)
    return {"scheduled": done, "unfilled": round(asked.X / asked.lot) - done, "slices": rows}


def frontier_of(
    X: float, T: float, N: int, impact: Impact, aversions: Sequence[float], S0: float | None
) -> list[dict[str, float | None]]:
    """A row for each risk aversion, by name. Raises ScheduleError."""
    rows: list[dict[str, float | None]] = []
    if S0 is not None:
        check("S0", S0, least=LEAST_PRICE)
    for best in frontier(X, T, N, impact, aversions):
        told = of_optimum(best)
        row = {"lambda": best.aversion, "kappa": best.kappa, "half_life": told["half_life"]}
        row |= {"E": best.cost.E, "V": best.cost.V, "std": best.cost.deviation, "U": best.U}
        if S0:
            row |= {"cost_bps": 1e4 * best.cost.E / (S0 * X), "std_bps": 1e4 * best.cost.deviation / (S0 * X)}
        rows.append(row)
    return rows
