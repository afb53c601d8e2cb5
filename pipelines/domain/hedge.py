"""How much of one leg hedges another: estimators of the line y = intercept + slope * x, over all rows or row by row.

Row by row (`Path`), what is given of a row knows that row and those before it, and nothing after it. Sources: total
least squares, W. E. Deming, "Statistical Adjustment of Data", 1943, with equal variances; the Kalman filter with a
random walk of slope and intercept, E. P. Chan, "Algorithmic Trading", 2013, box 3.1 and example 3.3; exponential
weights, T. Finch, "Incremental calculation of weighted mean and variance", 2009, section 9.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined

Floats = NDArray[np.float64]


class Line(NamedTuple):
    """y = intercept + slope * x."""

    slope: float
    intercept: float


class Path(NamedTuple):
    """Lines row by row, each shape (n,); NaN where there is none yet. `error`: y less what the line *before* this row
    says, and `deviation`, what it is expected to be; both NaN for estimators that say nothing of it."""

    slope: Floats
    intercept: Floats
    error: Floats
    deviation: Floats

    @property
    def last(self) -> Line:
        return Line(float(self.slope[-1]), float(self.intercept[-1]))


class Sums(NamedTuple):
    """Of rows (y, x): means, and squares and products about them, each divided by the weight of all rows."""

    mean_x: float
    mean_y: float
    xx: float
    xy: float
    yy: float


class Filtered(NamedTuple):
    """What a Kalman filter holds of a line: slope, intercept, and their covariance."""

    slope: float
    intercept: float
    p00: float
    p01: float
    p11: float


def least_squares(y: Floats, x: Floats, constant: bool = True) -> Line:
    """Ordinary least squares; without a constant through the origin."""
    if not constant:
        return Line(float(x @ y / (x @ x)), 0.0)
    mean_x, mean_y = float(x.mean()), float(y.mean())
    slope = float((x - mean_x) @ (y - mean_y) / ((x - mean_x) @ (x - mean_x)))
    return Line(slope, mean_y - slope * mean_x)


def total_least_squares(y: Floats, x: Floats, constant: bool = True) -> Line:
    """The line nearest to the points at right angles: neither leg is taken for the cause of the other."""
    mean_x, mean_y = (float(x.mean()), float(y.mean())) if constant else (0.0, 0.0)
    of_x, of_y = x - mean_x, y - mean_y
    slope = float(orthogonal(float(of_x @ of_x), float(of_x @ of_y), float(of_y @ of_y)))
    return Line(slope, mean_y - slope * mean_x)


def rolling(y: Floats, x: Floats, window: int, total: bool = False) -> Path:
    """Least squares, ordinary or total, over the last `window` rows."""
    path = _new_path(len(y))
    _roll(y, x, window, total, path)
    return path


def weighted(y: Floats, x: Floats, span: float) -> Path:
    """Least squares with weights that fall by 1 - 2 / (span + 1) a row."""
    path = _new_path(len(y))
    _weigh(y, x, 2.0 / (span + 1.0), path)
    return path


def kalman(y: Floats, x: Floats, delta: float = 1e-4, noise: float = 1e-3) -> Path:
    """Slope and intercept as random walks. `delta`: how fast they may change, from 0 to below 1 (the variance of a step
    is delta / (1 - delta)); `noise`: the variance of y about the line."""
    path = _new_path(len(y))
    _filter(y, x, delta / (1.0 - delta), noise, path)
    return path


def _new_path(rows: int) -> Path:
    return Path(*(np.full(rows, np.nan) for _ in range(4)))


@inlined
def orthogonal(xx: float, xy: float, yy: float) -> float:
    """The slope of total least squares, of sums of squares and products about the means."""
    apart = yy - xx
    if xy == 0.0:
        return 0.0 if apart <= 0.0 else math.inf
    return (apart + math.sqrt(apart * apart + 4.0 * xy * xy)) / (2.0 * xy)


@compiled
def _roll(y: Floats, x: Floats, window: int, total: bool, path: Path) -> None:
    """Each row's sums anew, of deviations from the window's own means: nothing drifts, and nothing cancels."""
    for row in range(window - 1, len(y)):
        first = row - window + 1
        mean_x = mean_y = 0.0
        for i in range(first, row + 1):
            mean_x += x[i]
            mean_y += y[i]
        mean_x /= window
        mean_y /= window
        xx = xy = yy = 0.0
        for i in range(first, row + 1):
            of_x, of_y = x[i] - mean_x, y[i] - mean_y
            xx += of_x * of_x
            xy += of_x * of_y
            yy += of_y * of_y
        path.slope[row] = orthogonal(xx, xy, yy) if total else xy / xx
        path.intercept[row] = mean_y - path.slope[row] * mean_x


@inlined
def weigh(alpha: float, y: float, x: float, sums: Sums) -> Sums:
    """Sums with one more row: exponentially weighted means, squares and products about them."""
    of_x, of_y = x - sums.mean_x, y - sums.mean_y
    return Sums(
        sums.mean_x + alpha * of_x,
        sums.mean_y + alpha * of_y,
        (1.0 - alpha) * (sums.xx + alpha * of_x * of_x),
        (1.0 - alpha) * (sums.xy + alpha * of_x * of_y),
        (1.0 - alpha) * (sums.yy + alpha * of_y * of_y),
    )


@inlined
def predicted(x: float, noise: float, filtered: Filtered) -> float:
    """The variance of y about the line of the filter, at x."""
    return x * (filtered.p00 * x + 2.0 * filtered.p01) + filtered.p11 + noise


@inlined
def correct(y: float, x: float, noise: float, filtered: Filtered) -> Filtered:
    """The filter after it has seen a row."""
    to_slope, to_intercept = filtered.p00 * x + filtered.p01, filtered.p01 * x + filtered.p11
    variance = x * to_slope + to_intercept + noise
    error = y - (filtered.intercept + filtered.slope * x)
    return Filtered(
        filtered.slope + to_slope / variance * error,
        filtered.intercept + to_intercept / variance * error,
        filtered.p00 - to_slope / variance * to_slope,
        filtered.p01 - to_slope / variance * to_intercept,
        filtered.p11 - to_intercept / variance * to_intercept,
    )


@compiled
def _weigh(y: Floats, x: Floats, alpha: float, path: Path) -> None:
    sums = Sums(x[0], y[0], 0.0, 0.0, 0.0)
    for row in range(1, len(y)):
        sums = weigh(alpha, y[row], x[row], sums)
        path.slope[row] = sums.xy / sums.xx
        path.intercept[row] = sums.mean_y - path.slope[row] * sums.mean_x


@compiled
def _filter(y: Floats, x: Floats, step: float, noise: float, path: Path) -> None:
    now = Filtered(0.0, 0.0, 0.0, 0.0, 0.0)
    for row in range(len(y)):
        if row:
            now = Filtered(now.slope, now.intercept, now.p00 + step, now.p01, now.p11 + step)
        path.error[row] = y[row] - (now.intercept + now.slope * x[row])
        path.deviation[row] = math.sqrt(predicted(x[row], noise, now))
        now = correct(y[row], x[row], noise, now)
        path.slope[row], path.intercept[row] = now.slope, now.intercept
