"""A pair's hedge ratio and moments: taken from a quote or a bar, asked by every quote.

    spread = y - slope * x;  z = (spread - mean) / std          of what was known before the quote

y and x are prices of the legs or their logarithms. A static slope has exponentially weighted moments of its spread; the
other methods (domain/hedge.py) have a line, y = mean + slope * x, and `std` is what the rows are expected to be away
from it: in a window and with exponential weights the root of yy - 2 slope xy + slope^2 xx, in a Kalman filter that of
the variance it predicts.
"""

import math

from pipelines.domain.closes import MINUTES, SECONDS, rescale, window_of
from pipelines.domain.compiled import inlined_part, part
from pipelines.domain.hedge import Filtered, Sums, correct, orthogonal, predicted, weigh
from pipelines.domain.shard import EWMA, KALMAN, SECOND, STATIC, TOTAL_LEAST_SQUARES, Legs
from pipelines.domain.spread_state import State

LEAST_MOVE = 1e-10
"""By how much of itself a leg has to have moved for a slope on it: what is less is rounding."""


@inlined_part
def price(instrument: int, logs: int, state: State) -> float:
    """A leg's price as its pair takes it; NaN where it has none."""
    quote = state.quotes[instrument]
    mid: float = quote.log if logs else quote.mid
    return mid


@inlined_part
def expected(index: int, x: float, legs: Legs, state: State) -> float:
    """`std` at x, of a pair that is formed."""
    std: float = state.pairs[index].std
    if legs.models[index].method == KALMAN:
        model, fit = legs.models[index], state.fits[index]
        ahead = Filtered(0.0, 0.0, fit.p00 + model.step, fit.p01, fit.p11 + model.step)
        std = math.sqrt(predicted(x, model.noise, ahead))
    return std


@part
def refit(index: int, y: float, x: float, legs: Legs, state: State) -> None:
    """Take a value of the legs; of a method with a window, that of the last bar is in its ring already."""
    model, pair = legs.models[index], state.pairs[index]
    pair.updates += 1
    if model.method == STATIC:
        take_spread(y - pair.slope * x, model.alpha, index, state)
        pair.formed = pair.updates >= model.warmup and pair.var > 0.0
        return
    state.clock[0].slow = 1
    fit = state.fits[index]
    if model.method == KALMAN:
        grown = 0.0 if pair.updates == 1 else model.step
        now = Filtered(pair.slope, pair.mean, fit.p00 + grown, fit.p01, fit.p11 + grown)
        now = correct(y, x, model.noise, now)
        pair.slope, pair.mean = now.slope, now.intercept
        fit.p00, fit.p01, fit.p11 = now.p00, now.p01, now.p11
        pair.formed = pair.updates >= model.warmup
        return
    sums = Sums(fit.mean_x, fit.mean_y, fit.xx, fit.xy, fit.yy)
    rows = pair.updates
    if model.method == EWMA:
        sums = Sums(x, y, 0.0, 0.0, 0.0) if rows == 1 else weigh(model.alpha, y, x, sums)
    else:
        which = SECONDS if model.every == SECOND else MINUTES
        mids = state.second_mids if model.every == SECOND else state.minute_mids
        rows, sums = window_of(state.closed[which], model.window, legs.a[index], legs.b[index], model.logs != 0, mids)
    fit.mean_x, fit.mean_y, fit.xx, fit.xy, fit.yy = sums.mean_x, sums.mean_y, sums.xx, sums.xy, sums.yy
    _take_line(index, rows, legs, state)


@inlined_part
def take_spread(spread: float, alpha: float, index: int, state: State) -> None:
    """Exponentially weighted mean and variance (T. Finch, 2009, section 9)."""
    pair = state.pairs[index]
    if pair.updates == 1:
        pair.mean = spread
        return
    d = spread - pair.mean
    pair.mean += alpha * d
    pair.var = (1.0 - alpha) * (pair.var + alpha * d * d)
    pair.std = math.sqrt(pair.var)


@inlined_part
def _take_line(index: int, rows: int, legs: Legs, state: State) -> None:
    """The line of the sums in a pair's fit, of that many rows."""
    model, pair, fit = legs.models[index], state.pairs[index], state.fits[index]
    wanted = model.warmup if model.method == EWMA else min(model.warmup, model.window)
    total = model.method == TOTAL_LEAST_SQUARES
    slope = orthogonal(fit.xx, fit.xy, fit.yy) if total else fit.xy / fit.xx
    moved = fit.xx > LEAST_MOVE**2 * fit.mean_x * fit.mean_x
    pair.formed = rows >= wanted and moved and math.isfinite(slope)
    if not pair.formed:
        return
    pair.slope, pair.mean = slope, fit.mean_y - slope * fit.mean_x
    pair.var = max(fit.yy - 2.0 * slope * fit.xy + slope * slope * fit.xx, 0.0)
    pair.std = math.sqrt(pair.var)
    pair.formed = pair.std > 0.0


@part
def act(row: int, legs: Legs, state: State) -> None:
    """A corporate action: last quote, closing prices and moments become what they would be had it always been, so that
    the spread goes on where it was. Exact, but for what a Kalman filter adds from row to row: price times factor is
    another unit of the same leg."""
    action = legs.actions[row]
    instrument = action.instrument
    quote = state.quotes[instrument]
    factor = action.factor - action.amount / quote.mid if quote.mid > 0.0 else action.factor
    if not factor > 0.0:
        return
    quote.bid *= factor
    quote.ask *= factor
    quote.mid *= factor
    quote.log += math.log(factor)
    if state.intervals.size:
        state.intervals[instrument].last *= factor
    rescale(instrument, factor, state)
    for leg in range(legs.leg_start[instrument], legs.leg_start[instrument + 1]):
        index = legs.leg_pair[leg]
        state.fits[index].adjusting = legs.models[index].settle
        if legs.models[index].logs:
            _shift(index, legs.a[index] == instrument, math.log(factor), state)
        else:
            _scale(index, legs.a[index] == instrument, factor, state)


@inlined_part
def _shift(index: int, first_leg: bool, by: float, state: State) -> None:
    pair, fit = state.pairs[index], state.fits[index]
    if first_leg:
        pair.mean += by
        fit.mean_y += by
    else:
        pair.mean -= pair.slope * by
        fit.mean_x += by
        fit.p11 += by * (by * fit.p00 - 2.0 * fit.p01)
        fit.p01 -= by * fit.p00


@inlined_part
def _scale(index: int, first_leg: bool, factor: float, state: State) -> None:
    pair, fit = state.pairs[index], state.fits[index]
    square = factor * factor
    fit.xy *= factor
    if first_leg:
        pair.slope *= factor
        pair.mean *= factor
        pair.var *= square
        pair.std *= factor
        fit.beta *= factor
        fit.mean_y *= factor
        fit.yy *= square
        fit.p00 *= square
        fit.p01 *= square
        fit.p11 *= square
    else:
        pair.slope /= factor
        fit.beta /= factor
        fit.mean_x *= factor
        fit.xx *= square
        fit.p00 /= square
        fit.p01 /= factor
