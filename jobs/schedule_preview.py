"""What a schedule would do: its slices, expected cost and variance, from what is asked and past days."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from jobs.schedule_asked import Asked, Window, window_of
from jobs.schedule_told import LEAST_PRICE, of_asked, of_cost, of_curve, of_drift, of_optimum, of_slices
from jobs.volume_history import VolumeHistory, read_history
from pipelines.domain.almgren_chriss import Impact, Optimum, cost, optimum, rule_of_thumb, without_drift
from pipelines.domain.participation import Participation, follow
from pipelines.domain.rollups import MINUTE_NS
from pipelines.domain.schedules import MOST_SLICES, ScheduleError, Slice, check, lots_of, plan, twap
from pipelines.domain.volume_curve import VolumeCurve, minutes_within, vwap

ALGOS = ("twap", "vwap", "pov", "is")
MONEY = ("S0", "sigma", "epsilon", "gamma", "eta")
"""What a cost needs to be known, by the paper's names."""


def preview(asked: Asked) -> dict[str, Any]:
    """All there is to tell, by name. Raises ScheduleError."""
    if asked.algo not in ALGOS:
        raise ScheduleError(f"algo: {asked.algo}: take of {', '.join(ALGOS)}")
    lots = lots_of(asked.X, asked.lot)
    check("N", asked.N, least=1, most=MOST_SLICES)
    if asked.aversion is not None:
        check("lambda", asked.aversion, least=0.0)
    window = window_of(asked)
    history = read_history(asked.curve, asked.symbol) if asked.curve else None
    known, estimated = _known(asked, history, window)
    missing = [name for name in MONEY[1:] if known[name] is None]
    impact = _impact(known, asked.alpha)
    told = of_asked(asked, window, known) | {"lots": lots, "estimated": estimated}
    if history is not None:
        told |= {"curve": of_curve(history)}
    if asked.algo == "is":
        best = _best(asked, window, impact, missing)
        slices = plan(lots, window.duration_ns, best.trades.tolist(), asked.least, asked.jitter).slices
        told |= of_optimum(best) | of_cost(best.cost, asked, known)
        if impact is not None and asked.alpha:
            told |= {"drift": of_drift(best, impact)}
        return told | of_slices(slices, history, asked, window)
    slices = _slices(asked, lots, history, window)
    if impact is not None:
        trades = [each.lots * asked.lot for each in slices]
        taus = [(each.end_ns - each.start_ns) / window.day_ns for each in slices]
        told |= of_cost(cost(without_drift(impact), asked.X, trades, taus), asked, known)
        if asked.alpha:
            told |= {"drift": {"E": cost(impact, asked.X, trades, taus).E}}
    return told | {"missing": missing} | of_slices(slices, history, asked, window)


def _slices(asked: Asked, lots: int, history: VolumeHistory | None, window: Window) -> tuple[Slice, ...]:
    match asked.algo:
        case "twap":
            return twap(lots, window.duration_ns, asked.N, asked.least, asked.jitter).slices
        case "vwap":
            curve, start = _volume(asked, history, window)
            return vwap(lots, start, window.duration_ns, asked.N, curve, asked.least, asked.jitter).slices
        case _:
            return _participating(asked, lots, *_volume(asked, history, window), window)


def _best(asked: Asked, window: Window, impact: Impact | None, missing: Sequence[str]) -> Optimum:
    """Without the drift: what it would change is told apart."""
    wanting = [*missing, *(["lambda"] if asked.aversion is None else [])]
    if impact is None or asked.aversion is None:
        raise ScheduleError(f"{wanting[0]}: algo is weighs cost against risk by it: give --{' --'.join(wanting)}")
    return optimum(asked.X, window.days, asked.N, without_drift(impact), asked.aversion)


def _known(
    asked: Asked, history: VolumeHistory | None, window: Window
) -> tuple[dict[str, float | None], Mapping[str, float]]:
    """S0, sigma, epsilon, gamma and eta: as given; else by past days and the paper's rule of thumb, and those are told
    as estimated."""
    made: dict[str, float] = {}
    minutes_a_day = window.day_ns / MINUTE_NS
    spread, adv = asked.spread, asked.adv
    if history is not None and len(history.trades):
        if (price := history.last_price(*window.minutes)) is not None:
            made["S0"] = price
        if (variance := history.variance_a_minute(*window.minutes)) is not None:
            made["sigma"] = math.sqrt(variance * minutes_a_day)
        if spread is None and (spread := history.spread(*window.minutes)) is not None:
            made["spread"] = spread
        if adv is None:
            made["adv"] = adv = history.curve.daily
    if spread is not None and adv is not None:
        made |= dict(zip(("epsilon", "gamma", "eta"), rule_of_thumb(spread, adv), strict=True))
    elif spread is not None:
        made["epsilon"] = spread / 2
    given = {name: getattr(asked, name) for name in MONEY}
    for name, value in given.items():
        if value is not None:
            check(name, value, least=0.0) if name != "S0" else check(name, value, least=LEAST_PRICE)
    known = {name: made.get(name) if value is None else value for name, value in given.items()}
    return known, {name: value for name, value in made.items() if given.get(name) is None}


def _impact(known: Mapping[str, float | None], alpha: float) -> Impact | None:
    """None where a number of it is not known."""
    found = {name: value for name in MONEY[1:] if (value := known[name]) is not None}
    return Impact(**found, alpha=alpha) if len(found) == len(MONEY) - 1 else None


def _volume(asked: Asked, history: VolumeHistory | None, window: Window) -> tuple[VolumeCurve, int]:
    if history is None:
        raise ScheduleError(f"curve: {asked.algo} follows volume: give --curve FILE, a CSV or LEAN's minute bars")
    if window.start_ns is None:
        raise ScheduleError(f"from: {asked.algo} follows the volume of the day: give --from and --until")
    return history.curve, window.start_ns


def _participating(asked: Asked, lots: int, curve: VolumeCurve, start_ns: int, window: Window) -> tuple[Slice, ...]:
    """What would be sent minute by minute if others traded as on the curve, counted by slice."""
    if asked.participation is None:
        raise ScheduleError("participation: pov takes a share of the volume: give --participation, 0.1 say")
    if asked.jitter is not None:
        raise ScheduleError("seed: pov sends when volume is seen: leave it out")
    rule = Participation(lots, asked.participation, 1.0 if asked.cap is None else asked.cap, asked.lot, asked.least)
    ends = np.array([window.duration_ns * number // asked.N for number in range(asked.N + 1)])
    steps = np.union1d(minutes_within(start_ns, window.duration_ns), ends)
    volumes = curve.between(start_ns, steps.tolist())
    if not volumes.any():
        raise ScheduleError("curve: it has no volume between these times: give others, or another curve")
    of_slice = np.searchsorted(ends, steps[:-1], side="right") - 1
    counts = [0] * asked.N
    for slice_, sent in zip(of_slice.tolist(), follow(rule, volumes.tolist()), strict=True):
        counts[slice_] += sent
    edges = ends.tolist()
    return tuple(Slice(k, edges[k - 1], edges[k], edges[k - 1], sent) for k, sent in enumerate(counts, 1))
