"""The risk of a column of returns, or of a portfolio of them, by the methods of `domain.value_at_risk`; and how a
method would have done day by day."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.value_at_risk import (
    LEAST_ROWS,
    Method,
    TailRisk,
    components,
    cornish_fisher,
    ewma,
    filtered,
    gaussian,
    historical,
    incremental,
    parametric,
    student_t,
)
from pipelines.domain.var_backtest import Transitions

Floats = NDArray[np.float64]


class RiskError(ValueError):
    """Returns or options of which no risk can be told, and why."""


@dataclass(frozen=True, slots=True)
class Options:
    """`decay` of exponential weights; `draws` of the Monte Carlo, from `seed`, with `degrees` of freedom (None: by the
    kurtosis)."""

    method: Method = "historical"
    confidence: float = 0.95
    decay: float = 0.94
    draws: int = 100_000
    seed: int = 1
    degrees: float | None = None

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1:
            raise RiskError(f"confidence: {self.confidence:g}: give 0.5 or more and below 1, such as 0.99")
        if not 0 < self.decay < 1:
            raise RiskError(f"decay: {self.decay:g}: give between 0 and 1, such as 0.94")
        if self.degrees is not None and self.degrees <= 2:
            raise RiskError(f"degrees: {self.degrees:g}: with 2 or fewer there is no variance: give more")


@dataclass(frozen=True, slots=True)
class Risk:
    """`components` of a portfolio, by name: `var` and `es`, which add up to the whole, and `incremental_var`, by how
    much the whole were less without the asset."""

    rows: int
    var: float
    es: float
    components: Mapping[str, Mapping[str, float]] | None = None


def column_risk(returns: Floats, options: Options) -> Risk:
    """Of returns in order, shape (rows,). Raises RiskError."""
    _enough(returns)
    return Risk(len(returns), *tail_risk(returns, options))


def tail_risk(returns: Floats, options: Options) -> TailRisk:
    """VaR and ES of returns in order, shape (rows,)."""
    confidence = options.confidence
    match options.method:
        case "historical":
            return historical(returns, confidence)
        case "parametric":
            return parametric(returns, confidence)
        case "cornish-fisher":
            return cornish_fisher(returns, confidence)
        case "ewma":
            return ewma(returns, confidence, options.decay)
        case "filtered":
            return filtered(returns, confidence, options.decay)
        case "monte-carlo":
            drawn = student_t(returns[:, None], options.draws, options.seed, options.degrees)
            return historical(drawn[:, 0], confidence)


def portfolio_risk(returns: Floats, weights: Mapping[str, float], options: Options) -> Risk:
    """Of assets held with weights: `returns` of shape (rows, assets), in the order of `weights`. Raises RiskError."""
    _enough(returns)
    held = np.array(list(weights.values()))
    of = _of_weights(returns, options)
    parts, without = components(of, held), incremental(of, held)
    told = {
        name: {"var": var, "es": es, "incremental_var": gone}
        for name, var, es, gone in zip(weights, parts.var.tolist(), parts.es.tolist(), without.tolist(), strict=True)
    }
    return Risk(len(returns), *of(held), told)


def _of_weights(returns: Floats, options: Options) -> Callable[[Floats], TailRisk]:
    """What any weights risk. The parametric method takes the sample covariance, as PerformanceAnalytics does of
    portfolios, the Monte Carlo one set of draws of all assets; the others the portfolio's returns row by row."""
    if options.method == "parametric":
        mean, covariance = returns.mean(axis=0), np.atleast_2d(np.cov(returns, rowvar=False))
        return lambda weights: gaussian(
            float(mean @ weights), math.sqrt(max(float(weights @ covariance @ weights), 0.0)), options.confidence
        )
    if options.method == "monte-carlo":
        drawn = student_t(returns, options.draws, options.seed, options.degrees)
        return lambda weights: historical(drawn @ weights, options.confidence)
    return lambda weights: tail_risk(returns @ weights, options)


@dataclass(frozen=True, slots=True)
class History:
    """What a method had said of each row before it came, and what came: shape (rows - window,)."""

    returns: Floats
    var: Floats
    es: Floats

    @property
    def exceptions(self) -> NDArray[np.bool_]:
        return self.returns < -self.var

    @property
    def transitions(self) -> Transitions:
        return Transitions.of(self.exceptions)


def history(returns: Floats, window: int, options: Options) -> History:
    """A method day by day: of each row the risk told by the `window` rows before it. `returns`: shape (rows,), of a
    column or a portfolio whose weights stay. Raises RiskError."""
    if not LEAST_ROWS <= window < len(returns):
        raise RiskError(f"window: {window}: of {len(returns)} rows give {LEAST_ROWS} to {len(returns) - 1}")
    told = np.empty((len(returns) - window, 2))
    for row in range(len(told)):
        told[row] = tail_risk(returns[row : row + window], options)
    return History(returns[window:], told[:, 0], told[:, 1])


def _enough(returns: Floats) -> None:
    if len(returns) < LEAST_ROWS:
        raise RiskError(f"{len(returns)} returns: give {LEAST_ROWS} or more")
