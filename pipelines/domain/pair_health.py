"""The health of a pair over its last minutes: whether its spread is stationary, how soon it comes back, whether the
legs still move together.

Dickey-Fuller with a constant and one lag of the differences, by least squares; critical values of J. G. MacKinnon,
"Critical values for cointegration tests", 2010, table 2, with a constant, at 5 %: of one variable where the slope is
given, of two where it is estimated. Half-life: -ln 2 / theta, theta of change = c + theta * value (E. P. Chan,
"Algorithmic Trading", 2013, chapter 2), as research/pair_statistics.py has it.
"""

import math

import numpy as np

from pipelines.domain.closes import MINUTES, value
from pipelines.domain.compiled import inlined, inlined_part, part
from pipelines.domain.live import DRIFTED, GROWN, NOT_CORRELATED, NOT_STATIONARY
from pipelines.domain.market import NS_PER_S
from pipelines.domain.shard import STATIC, Legs
from pipelines.domain.spread_state import State

LEAST_BARS = 30
"""Changes, each with one before it, that the figures are of at least."""
MINUTE_S = 60
MINUTE_NS = MINUTE_S * NS_PER_S


@inlined
def critical_value(estimated: bool, rows: int) -> float:
    """MacKinnon's at 5 %, for that many rows."""
    if estimated:
        return -3.33613 - 6.1101 / rows - 6.823 / rows**2
    return -2.86154 - 2.8903 / rows - 4.234 / rows**2 - 40.04 / rows**3


@part
def examine(index: int, legs: Legs, state: State) -> None:
    """Put a pair's health into its fit; zeros where too few minutes have followed each other."""
    model, pair, fit = legs.models[index], state.pairs[index], state.fits[index]
    state.clock[0].slow = 1
    fit.bars = fit.breaks = 0
    fit.half_life_s = fit.adf_t = fit.adf_critical = fit.correlation = 0.0
    bars = min(state.closed[MINUTES], model.health_window, state.minute_times.size)
    rows, theta, t = _regressions(index, bars, legs, state)
    fit.bars = _priced(index, bars, legs, state)
    if rows < LEAST_BARS:
        return
    fit.half_life_s = -math.log(2.0) / theta * MINUTE_S if theta < 0.0 else 0.0
    fit.adf_t, fit.adf_critical = t, critical_value(model.method != STATIC, rows)
    fit.correlation = _correlation(index, bars, legs, state)
    if not fit.adf_t < fit.adf_critical:
        fit.breaks |= NOT_STATIONARY
    if fit.correlation < model.least_correlation:
        fit.breaks |= NOT_CORRELATED
    if fit.beta != 0.0 and abs(pair.slope / fit.beta - 1.0) > model.most_drift:
        fit.breaks |= DRIFTED
    recent = bars // 4
    before = _variance(index, bars, bars - recent, legs, state)
    if before > 0.0 and _variance(index, recent, recent, legs, state) > model.most_growth**2 * before:
        fit.breaks |= GROWN


@inlined_part
def _place(back: int, state: State) -> int:
    """Where the bar lies that closed so many before the last."""
    place: int = (state.closed[MINUTES] - 1 - back) % state.minute_times.size
    return place


@inlined_part
def _spread(index: int, back: int, legs: Legs, state: State) -> float:
    """By the slope of now; NaN where a leg had no price."""
    logs, place = legs.models[index].logs != 0, _place(back, state)
    y, x = state.minute_mids[legs.a[index], place], state.minute_mids[legs.b[index], place]
    spread: float = value(y, logs) - state.pairs[index].slope * value(x, logs)
    return spread


@inlined_part
def _follows(back: int, state: State) -> bool:
    """Whether a bar is that of the minute after the one before it."""
    follows: bool = state.minute_times[_place(back, state)] - state.minute_times[_place(back + 1, state)] == MINUTE_NS
    return follows


@part
def _priced(index: int, bars: int, legs: Legs, state: State) -> int:
    rows = 0
    for back in range(bars):
        if not np.isnan(_spread(index, back, legs, state)):
            rows += 1
    return rows


@part
def _regressions(index: int, bars: int, legs: Legs, state: State) -> tuple[int, float, float]:
    """Rows that both are of; theta of the change on the level before; t of the level before beside the change before.

    A row: three minutes that follow each other. Levels are taken from the last one, so that squares keep their digits.
    """
    n = 0
    u = v = w = uu = uv = vv = uw = vw = ww = 0.0
    base = 0.0
    for back in range(bars - 2):
        now, before, earlier = (
            _spread(index, back, legs, state),
            _spread(index, back + 1, legs, state),
            _spread(index, back + 2, legs, state),
        )
        if np.isnan(now + before + earlier) or not (_follows(back, state) and _follows(back + 1, state)):
            continue
        if n == 0:
            base = now
        n += 1
        level, lag, change = before - base, before - earlier, now - before
        u, v, w = u + level, v + lag, w + change
        uu, uv, vv = uu + level * level, uv + level * lag, vv + lag * lag
        uw, vw, ww = uw + level * change, vw + lag * change, ww + change * change
    if n < LEAST_BARS:
        return n, 0.0, 0.0
    uu, uv, vv = uu - u * u / n, uv - u * v / n, vv - v * v / n
    uw, vw, ww = uw - u * w / n, vw - v * w / n, ww - w * w / n
    determinant = uu * vv - uv * uv
    if not (uu > 0.0 and determinant > 0.0):
        return 0, 0.0, 0.0
    on_level, on_lag = (vv * uw - uv * vw) / determinant, (uu * vw - uv * uw) / determinant
    left = (ww - on_level * uw - on_lag * vw) / (n - 3)
    t = on_level / math.sqrt(left * vv / determinant) if left > 0.0 else -math.inf
    return n, uw / uu, t


@part
def _correlation(index: int, bars: int, legs: Legs, state: State) -> float:
    """Of the legs' returns from minute to minute."""
    a, b = legs.a[index], legs.b[index]
    n, of_a, of_b, aa, ab, bb = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    for back in range(bars - 1):
        now, before = _place(back, state), _place(back + 1, state)
        return_a = state.minute_mids[a, now] / state.minute_mids[a, before] - 1.0
        return_b = state.minute_mids[b, now] / state.minute_mids[b, before] - 1.0
        if np.isnan(return_a + return_b) or not _follows(back, state):
            continue
        n += 1
        of_a, of_b = of_a + return_a, of_b + return_b
        aa, ab, bb = aa + return_a * return_a, ab + return_a * return_b, bb + return_b * return_b
    squares = (aa - of_a * of_a / n) * (bb - of_b * of_b / n) if n else 0.0
    return (ab - of_a * of_b / n) / math.sqrt(squares) if squares > 0.0 else 0.0


@part
def _variance(index: int, last: int, bars: int, legs: Legs, state: State) -> float:
    """Of the spread over `bars` bars, the first of which closed `last` before now."""
    n, mean, squares = 0, 0.0, 0.0
    for back in range(last - bars, last):
        spread = _spread(index, back, legs, state)
        if np.isnan(spread):
            continue
        n += 1
        apart = spread - mean
        mean += apart / n
        squares += apart * (spread - mean)
    return squares / n if n > 1 else 0.0
