"""Value at risk and expected shortfall of returns, by six methods. A loss is a positive number, in the returns' unit.

Sources: J.P. Morgan and Reuters, "RiskMetrics technical document", 1996 (exponential weights); Zangari, "A VaR
methodology for portfolios that include options", 1996 (Cornish-Fisher); Boudt, Peterson and Croux, "Estimation and
decomposition of downside risk for portfolios with non-normal returns", 2008 (its shortfall); Barone-Adesi,
Giannopoulos and Vosper, "VaR without correlations for portfolios of derivative securities", 1999 (filtered).
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kurtosis, norm, skew

from pipelines.domain.risk_settings import METHODS as METHODS
from pipelines.domain.risk_settings import Method as Method

Floats = NDArray[np.float64]

LEAST_ROWS = 2

NORMAL_DEGREES = 1e6
"""Student's t with so many degrees of freedom is the normal distribution."""


class TailRisk(NamedTuple):
    """What is lost at worst with that confidence (`var`), and on average where more is lost (`es`)."""

    var: float
    es: float


def historical(returns: Floats, confidence: float) -> TailRisk:
    """The quantile of returns, interpolated between two of them (Hyndman and Fan's type 7), and the mean of what lies
    not above it. `returns`: shape (rows,)."""
    quantile = np.quantile(returns, 1 - confidence)
    return TailRisk(-float(quantile), -float(returns[returns <= quantile].mean()))


def gaussian(mean: float, deviation: float, confidence: float) -> TailRisk:
    """Of a normal distribution."""
    z = float(norm.ppf(1 - confidence))
    return TailRisk(-mean - z * deviation, -mean + deviation * float(norm.pdf(z)) / (1 - confidence))


def parametric(returns: Floats, confidence: float) -> TailRisk:
    """Of a normal distribution with the returns' mean and population deviation."""
    return gaussian(float(returns.mean()), float(returns.std()), confidence)


def cornish_fisher(returns: Floats, confidence: float) -> TailRisk:
    """The normal quantile corrected for skewness and kurtosis, and the mean beyond it of the Edgeworth density (never
    less than that quantile: Boudt, Peterson and Croux, equation 16). Population moments."""
    mean, deviation = float(returns.mean()), float(returns.std())
    if deviation == 0.0:
        return TailRisk(-mean, -mean)
    quantile, shortfall = edgeworth(float(skew(returns)), float(kurtosis(returns)), confidence)
    return TailRisk(-mean - quantile * deviation, -mean + deviation * max(float(shortfall), -float(quantile)))


def edgeworth(s: Any, k: Any, confidence: float) -> tuple[Any, Any]:
    """Of skewness `s` and excess kurtosis `k`, numbers or arrays: the normal quantile corrected for them, and the mean
    beyond it of the Edgeworth density, in deviations."""
    z = _normal_quantile(confidence)
    h = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    # The mean below h of density(x) = pdf(x) (1 + s/6 He3 + k/24 He4 + s^2/72 He6), by parts.
    beyond = 1 + s / 6 * h**3 + k / 24 * (h**4 - 2 * h**2 - 1) + s**2 / 72 * (h**6 - 9 * h**4 + 9 * h**2 + 3)
    return h, np.exp(-0.5 * h * h) / math.sqrt(2 * math.pi) * beyond / (1 - confidence)


@cache
def _normal_quantile(confidence: float) -> float:
    return float(norm.ppf(1 - confidence))


def ewma_variances(returns: Floats, decay: float) -> Floats:
    """variance' = decay * variance + (1 - decay) * return^2, from the first return's square on: of each row, what the
    row after it is to expect. Shape (rows,). RiskMetrics, section 5.2."""
    variances = np.empty(len(returns))
    variance = float(returns[0]) ** 2
    for row, value in enumerate(returns.tolist()):
        variance = decay * variance + (1 - decay) * value * value
        variances[row] = variance
    return variances


def ewma(returns: Floats, confidence: float, decay: float = 0.94) -> TailRisk:
    """Of a normal distribution with mean 0 and the variance that is expected of the next row."""
    return gaussian(0.0, math.sqrt(ewma_variances(returns, decay)[-1]), confidence)


def filtered(returns: Floats, confidence: float, decay: float = 0.94) -> TailRisk:
    """Historical simulation of returns as many times the deviation expected of the next row as they were of their own.

    Rows before any return that is not 0 are left out: nothing was expected of them.
    """
    deviations = np.sqrt(ewma_variances(returns, decay))
    before = deviations[:-1]
    known = before > 0
    if not known.any():
        return historical(returns, confidence)
    return historical(returns[1:][known] / before[known] * deviations[-1], confidence)


def degrees_of_freedom(returns: Floats) -> float:
    """Of Student's t with the returns' kurtosis: 4 + 6 / excess; the normal distribution's where there is no excess."""
    excess = float(kurtosis(returns)) if returns.std() > 0 else 0.0
    return 4 + 6 / excess if excess > 0 else NORMAL_DEGREES


def student_t(returns: Floats, draws: int, seed: int, degrees: float | None = None) -> Floats:
    """Draws of a multivariate t with the mean and covariance of `returns`, shape (rows, assets); shape (draws, assets).

    `degrees` of freedom above 2; left out, those of the kurtosis of the assets taken together.
    """
    if degrees is None:
        deviations = returns.std(axis=0)
        moving = deviations > 0
        scaled = (returns[:, moving] - returns[:, moving].mean(axis=0)) / deviations[moving]
        degrees = degrees_of_freedom(scaled.ravel()) if moving.any() else NORMAL_DEGREES
    random = np.random.default_rng(seed)
    covariance = np.atleast_2d(np.cov(returns, rowvar=False, ddof=0)) * (degrees - 2) / degrees
    # Not Cholesky's: assets may hang on each other, or be more than the rows.
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    normal = random.standard_normal((draws, returns.shape[1])) @ root.T
    made: Floats = returns.mean(axis=0) + normal * np.sqrt(degrees / random.chisquare(degrees, (draws, 1)))
    return made


class Components(NamedTuple):
    """What each asset has in the whole: shape (assets,). They add up to it."""

    var: Floats
    es: Floats


def components(of: Callable[[Floats], TailRisk], weights: Floats) -> Components:
    """Euler's: weight times the derivative by it, of a risk that grows in proportion to its weights (`of` gives the
    risk of weights). Of scenarios the derivative is what the asset makes in those that decide: between two of them risk
    is linear in weights. Tasche, "Risk contributions and performance measurement", 1999."""
    step = 1e-6 * max(float(np.abs(weights).max()), 1e-12)
    found = np.empty((2, len(weights)))
    for each in range(len(weights)):
        there = np.where(np.arange(len(weights)) == each, step, 0.0)
        above, below = of(weights + there), of(weights - there)
        found[:, each] = np.subtract(above, below) / (2 * step) * weights[each]
    return Components(found[0], found[1])


def incremental(of: Callable[[Floats], TailRisk], weights: Floats) -> Floats:
    """By how much the VaR of the whole is more than it were without an asset, shape (assets,)."""
    whole, assets = of(weights).var, np.arange(len(weights))
    return np.array([whole - of(np.where(assets == each, 0.0, weights)).var for each in assets])
