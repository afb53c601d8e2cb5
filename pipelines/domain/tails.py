"""Value at risk and expected shortfall of many columns of profits at once, and what each part has in a whole.

The methods and their sources are those of `value_at_risk.py`, which tells one column at a time: a test holds the two
together. Profits are of shape (columns, rows), rows in order of time, so that a column lies in one piece.

What a part has in the whole is Euler's: the derivative of the whole's expected shortfall along the part. All methods
grow in proportion to what is held, so parts add up to the whole (Tasche, "Risk contributions and performance
measurement", 1999); the derivatives are worked out here method by method, and not by steps.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.stats import norm

from pipelines.domain.value_at_risk import Method, TailRisk, edgeworth

Floats = NDArray[np.float64]


class Rule(NamedTuple):
    """How tails are told. Of the Monte Carlo, profits are those of its draws: they are told as history is."""

    method: Method
    confidence: float
    decay: float = 0.94


class Tails(NamedTuple):
    """Losses are positive; shape (columns,)."""

    var: Floats
    es: Floats


def portfolio_tail(exposures: Floats, returns: Floats, confidence: float) -> TailRisk:
    """Historical VaR and ES of what is held. `exposures`: money, shape (instruments,); `returns`: shape (instruments,
    rows). One pass over the returns and a partition of the rows' profits: no sort."""
    profits = exposures @ returns
    quantile = _quantiles(profits, confidence)
    return TailRisk(-float(quantile), -float(profits[profits <= quantile].mean()))


def tails(profits: Floats, rule: Rule) -> Tails:
    """Of each column; `profits`: shape (columns, rows)."""
    match rule.method:
        case "historical" | "monte-carlo":
            return _historical(profits, rule.confidence)
        case "parametric":
            z, beyond = _normal(rule.confidence)
            mean, deviation = profits.mean(axis=-1), profits.std(axis=-1)
            return Tails(-mean - z * deviation, -mean + beyond * deviation)
        case "cornish-fisher":
            mean, deviation, skewness, excess = _moments(profits)
            quantile, shortfall = edgeworth(skewness, excess, rule.confidence)
            return Tails(-mean - quantile * deviation, -mean + deviation * np.maximum(shortfall, -quantile))
        case "ewma":
            z, beyond = _normal(rule.confidence)
            deviation = np.sqrt(_smoothed(profits * profits, rule.decay)[..., -1])
            return Tails(-z * deviation, beyond * deviation)
        case "filtered":
            return _filtered(profits, rule)


def shares(whole: Floats, parts: Floats, rule: Rule) -> Floats:
    """What each part has in the expected shortfall of the whole, shape (parts,). `whole`: shape (rows,), the sum of
    `parts`, shape (parts, rows)."""
    match rule.method:
        case "historical" | "monte-carlo":
            return _means_of_tail(whole, parts, rule.confidence)
        case "parametric":
            _, beyond = _normal(rule.confidence)
            found: Floats = beyond * _along(whole, parts) - parts.mean(axis=-1)
            return found
        case "cornish-fisher":
            return _shares_of_moments(whole, parts, rule.confidence)
        case "ewma":
            _, beyond = _normal(rule.confidence)
            together = _smoothed(parts * whole, rule.decay)[..., -1]
            deviation = float(np.sqrt(_smoothed(whole * whole, rule.decay)[-1]))
            return beyond * together / deviation if deviation > 0 else np.zeros(len(parts))
        case "filtered":
            return _shares_of_filtered(whole, parts, rule)


@cache
def _normal(confidence: float) -> tuple[float, float]:
    """Of the normal distribution: its quantile, and how many deviations the mean beyond it lies away."""
    z = float(norm.ppf(1 - confidence))
    return z, float(norm.pdf(z)) / (1 - confidence)


def _quantiles(profits: Floats, confidence: float) -> Floats:
    """Hyndman and Fan's type 7 along the last axis, interpolated as NumPy does."""
    place = (profits.shape[-1] - 1) * (1 - confidence)
    low = int(place)
    high = min(low + 1, profits.shape[-1] - 1)
    share = place - low
    parted = np.partition(profits, (low, high), axis=-1)
    first, second = parted[..., low], parted[..., high]
    found: Floats = second - (second - first) * (1 - share) if share >= 0.5 else first + (second - first) * share
    return found


def _historical(profits: Floats, confidence: float) -> Tails:
    quantile = _quantiles(profits, confidence)
    beyond = profits <= quantile[..., None]
    return Tails(-quantile, -np.where(beyond, profits, 0.0).sum(axis=-1) / beyond.sum(axis=-1))


def _means_of_tail(whole: Floats, parts: Floats, confidence: float) -> Floats:
    beyond = np.flatnonzero(whole <= _quantiles(whole, confidence))
    found: Floats = -parts[:, beyond].mean(axis=-1)
    return found


def _moments(profits: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Mean, deviation, skewness and excess kurtosis of the population; the last two 0 where nothing moves."""
    mean = profits.mean(axis=-1)
    apart = profits - mean[..., None]
    squares = apart * apart
    variance = squares.mean(axis=-1)
    safe = np.where(variance > 0, variance, 1.0)
    skewness = (squares * apart).mean(axis=-1) / safe**1.5
    excess = np.where(variance > 0, (squares * squares).mean(axis=-1) / safe**2 - 3.0, 0.0)
    return mean, np.sqrt(variance), skewness, excess


def _along(whole: Floats, parts: Floats) -> Floats:
    """The derivative of the whole's deviation along each part: covariance by deviation."""
    deviation = float(whole.std())
    if deviation == 0.0:
        return np.zeros(len(parts))
    found: Floats = (parts @ (whole - whole.mean())) / (len(whole) * deviation)
    return found


def _shares_of_moments(whole: Floats, parts: Floats, confidence: float) -> Floats:
    """Cornish-Fisher: along each moment. Skewness and kurtosis stay as all grows, so their parts add up to nothing."""
    mean, deviation, skewness, excess = (float(each) for each in _moments(whole))
    still: Floats = -parts.mean(axis=-1)
    if deviation == 0.0:
        return still
    along = _along(whole, parts)
    scaled = (whole - mean) / deviation
    apart = (parts - parts.mean(axis=-1)[:, None]) / deviation
    along_skewness = 3.0 * (apart @ scaled**2) / len(whole) - 3.0 * skewness * along / deviation
    along_excess = 4.0 * (apart @ scaled**3) / len(whole) - 4.0 * (excess + 3.0) * along / deviation

    def beyond(skewness: float, excess: float) -> float:
        quantile, shortfall = edgeworth(skewness, excess, confidence)
        return float(max(shortfall, -quantile))

    step = 1e-5
    by_skewness = (beyond(skewness + step, excess) - beyond(skewness - step, excess)) / (2 * step)
    by_excess = (beyond(skewness, excess + step) - beyond(skewness, excess - step)) / (2 * step)
    of_moments = by_skewness * along_skewness + by_excess * along_excess
    found: Floats = still + beyond(skewness, excess) * along + deviation * of_moments
    return found


def _smoothed(values: Floats, decay: float) -> Floats:
    """decay * last + (1 - decay) * value along the last axis, from the first value on."""
    begun = decay * values[..., :1]
    found: Floats = lfilter([1.0 - decay], [1.0, -decay], values, axis=-1, zi=begun)[0]
    return found


def _filtered(profits: Floats, rule: Rule) -> Tails:
    deviations = np.sqrt(_smoothed(profits * profits, rule.decay))
    before, last = deviations[:, :-1], deviations[:, -1:]
    if (before > 0).all():
        return _historical(profits[:, 1:] / before * last, rule.confidence)
    # Columns that begin with rows in which nothing moved have fewer rows: one by one.
    found = np.empty((2, len(profits)))
    for each, known in enumerate(before > 0):
        scaled = profits[each, 1:][known] / before[each, known] * last[each] if known.any() else profits[each]
        told = _historical(scaled[None, :], rule.confidence)
        found[:, each] = told.var[0], told.es[0]
    return Tails(found[0], found[1])


def _shares_of_filtered(whole: Floats, parts: Floats, rule: Rule) -> Floats:
    """A row counts last deviation / deviation before it: along a part, both of these change too."""
    variances = _smoothed(whole * whole, rule.decay)
    known = np.flatnonzero(variances[:-1] > 0)
    if not known.size:
        return _means_of_tail(whole, parts, rule.confidence)
    grown = np.sqrt(variances[-1] / variances[known])
    scaled = whole[1:][known] * grown
    beyond = np.flatnonzero(scaled <= _quantiles(scaled, rule.confidence))
    rows = known[beyond]
    growth = _smoothed(parts * whole, rule.decay) / np.where(variances > 0, variances, 1.0)
    found: Floats = -(parts[:, rows + 1] * grown[beyond] + scaled[beyond] * (growth[:, -1:] - growth[:, rows])).mean(
        axis=-1
    )
    return found
