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
    slope = float(_orthogonal(float(of_x @ of_x), float(of_x @ of_y), float(of_y @ of_y)))
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
def _orthogonal(xx: float, xy: float, yy: float) -> float:
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
        path.slope[row] = _orthogonal(xx, xy, yy) if total else xy / xx
        path.intercept[row] = mean_y - path.slope[row] * mean_x


@compiled
def _weigh(y: Floats, x: Floats, alpha: float, path: Path) -> None:
    mean_x, mean_y, xx, xy = x[0], y[0], 0.0, 0.0
    for row in range(1, len(y)):
        of_x, of_y = x[row] - mean_x, y[row] - mean_y
        mean_x += alpha * of_x
        mean_y += alpha * of_y
        xx = (1.0 - alpha) * (xx + alpha * of_x * of_x)
        xy = (1.0 - alpha) * (xy + alpha * of_x * of_y)
        path.slope[row] = xy / xx
        path.intercept[row] = mean_y - path.slope[row] * mean_x


@compiled
def _filter(y: Floats, x: Floats, step: float, noise: float, path: Path) -> None:
    slope = intercept = 0.0
    p00 = p01 = p11 = 0.0  # the covariance of slope and intercept
    for row in range(len(y)):
        if row:
            p00 += step
            p11 += step
        at = x[row]
        to_slope, to_intercept = p00 * at + p01, p01 * at + p11
        variance = at * to_slope + to_intercept + noise
        error = y[row] - (intercept + slope * at)
        slope += to_slope / variance * error
        intercept += to_intercept / variance * error
        p00 -= to_slope / variance * to_slope
        p01 -= to_slope / variance * to_intercept
        p11 -= to_intercept / variance * to_intercept
        path.slope[row], path.intercept[row] = slope, intercept
        path.error[row], path.deviation[row] = error, math.sqrt(variance)
