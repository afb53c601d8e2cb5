"""Whether legs are cointegrated, by which ratio they hedge each other, and how soon their spread comes back.

Engle and Granger, "Co-integration and error correction", 1987: the spread is what least squares leaves of the first leg
over the others; `adf_t` is the augmented Dickey-Fuller t of it, held against MacKinnon's critical values for residuals
("Critical values for cointegration tests", 2010). Johansen, "Estimation and hypothesis testing of cointegration
vectors", 1991. Both by statsmodels. The other ways to hedge are those of `domain.hedge`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from statsmodels.tsa.adfvalues import mackinnoncrit, mackinnonp
from statsmodels.tsa.stattools import adfuller
from statsmodels.tsa.vector_ar.vecm import coint_johansen

from pipelines.domain.hedge import Line, kalman, rolling, total_least_squares, weighted
from pipelines.research.prices import Prices

Floats = NDArray[np.float64]

Method = Literal["engle-granger", "johansen", "total-least-squares", "rolling", "ewma", "kalman"]
METHODS: tuple[Method, ...] = get_args(Method)

Trend = Literal["n", "c", "ct"]
TRENDS: tuple[Trend, ...] = get_args(Trend)

LEAST_ROWS = 20
MOST_LEGS = 12
"""Of Johansen's tables of critical values."""

_JOHANSEN_TREND = MappingProxyType({"n": -1, "c": 0, "ct": 1})
_TABLED = ("1%", "5%", "10%")


class StatisticsError(ValueError):
    """Prices or options of which nothing can be told, and why."""


@dataclass(frozen=True, slots=True)
class Options:
    """`trend` of the test's line: none, a constant, a constant and a time trend. `lags` of the differences in both
    tests; None: by Akaike's criterion in the first, one in Johansen's. `adf_trend` of the test on the spread. `window`,
    `span` in rows, `delta`, `noise` as `domain.hedge` has them. `log`: logarithms of prices. `hurst_lags`: the longest
    is one less."""

    method: Method = "engle-granger"
    trend: Trend = "c"
    lags: int | None = None
    adf_trend: Trend = "n"
    log: bool = False
    window: int = 60
    span: float = 60.0
    delta: float = 1e-4
    noise: float = 1e-3
    hurst_lags: int = 100


@dataclass(frozen=True, slots=True)
class Johansen:
    """Of no cointegration, of at most one, and so on: `trace` and `eigen` (the greatest eigenvalue's) statistics, each
    with critical values at 10, 5 and 1 %. `vector`: the first, as it comes; `rank`: cointegrations at 5 % by trace."""

    trace: list[float]
    trace_critical: list[list[float]]
    eigen: list[float]
    eigen_critical: list[list[float]]
    eigenvalues: list[float]
    vector: list[float]
    rank: int


@dataclass(frozen=True, slots=True)
class PairStatistics:
    """Ratios and spread by the method asked for. The spread is leg 1 - hedge_ratio * leg 2 - ... - intercept. What
    cannot be told is None: a half-life where nothing comes back, critical values without a constant."""

    legs: tuple[str, ...]
    method: Method
    rows: int
    hedge_ratios: tuple[float, ...]
    intercept: float
    spread_mean: float
    spread_std: float
    adf_t: float
    adf_lags: int
    adf_p: float | None
    adf_critical: Mapping[str, float] | None
    half_life: float | None
    hurst: float | None
    correlation: float
    distance: float
    johansen: Johansen
    estimators: Mapping[str, Line]


def pair_statistics(prices: Prices, options: Options = Options()) -> PairStatistics:
    """The statistics of two legs or more. Raises StatisticsError."""
    legs = _checked(prices, options)
    johansen = _johansen(legs, options)
    estimators = _estimators(legs, options) if legs.shape[1] == 2 else {}
    ratios, intercept = _hedge(legs, options, johansen, estimators)
    spread = legs[:, 0] - legs[:, 1:] @ np.array(ratios) - intercept
    if options.trend == "ct" and options.method == "engle-granger":
        spread = _residuals(legs, "ct")
    scale = float(np.abs(legs[:, 0]).mean())
    if spread.std() < 1e-10 * scale:
        raise StatisticsError(f"{', '.join(prices.legs)}: one leg is the others exactly: there is no spread")
    t, lags = _dickey_fuller(spread, options)
    return PairStatistics(
        prices.legs,
        options.method,
        len(prices),
        ratios,
        intercept,
        float(spread.mean()),
        float(spread.std(ddof=1)),
        t,
        lags,
        float(mackinnonp(t, regression=options.trend, N=len(prices.legs))),
        _critical(options.trend, len(prices.legs), len(prices)),
        half_life(spread),
        hurst(spread, options.hurst_lags),
        _correlation(prices.values),
        distance(prices.values[:, 0], prices.values[:, 1]),
        johansen,
        estimators,
    )


def half_life(spread: Floats) -> float | None:
    """Rows in which half of a deviation is gone: -ln 2 / theta, theta of spread' - spread = theta * spread + c by least
    squares; None where it does not come back."""
    before, moved = spread[:-1] - spread[:-1].mean(), np.diff(spread)
    theta = float(before @ moved / (before @ before))
    return -math.log(2) / theta if theta < 0 else None


def hurst(spread: Floats, lags: int = 100) -> float | None:
    """Hurst's exponent: the slope of the logarithm of the standard deviation of differences over a lag, on that of the
    lag, from 2 to `lags` - 1. Below 0.5 it reverts; None for fewer rows than twice the lags asked for allow."""
    over = np.arange(2, min(lags, len(spread) // 2))
    if len(over) < 3:
        return None
    deviations = np.array([np.std(spread[lag:] - spread[:-lag]) for lag in over])
    return float(np.polyfit(np.log(over), np.log(deviations), 1)[0]) if (deviations > 0).all() else None


def normalised(prices: Floats) -> Floats:
    """Prices of a leg between 0, the lowest of them, and 1, the highest."""
    lowest, highest = prices.min(), prices.max()
    scaled: Floats = (prices - lowest) / (highest - lowest)
    return scaled


def distance(one: Floats, other: Floats) -> float:
    """The sum of squared differences of normalised prices: Gatev, Goetzmann and Rouwenhorst, "Pairs trading", 2006."""
    return float(((normalised(one) - normalised(other)) ** 2).sum())


def _checked(prices: Prices, options: Options) -> Floats:
    legs = prices.values
    if len(legs) < LEAST_ROWS:
        raise StatisticsError(f"{len(legs)} dates in common: give {LEAST_ROWS} or more")
    if legs.shape[1] > MOST_LEGS:
        raise StatisticsError(f"{legs.shape[1]} legs: {MOST_LEGS} are the most")
    if legs.shape[1] > 2 and options.method not in ("engle-granger", "johansen"):
        raise StatisticsError(f"method {options.method} takes two legs: of more take engle-granger or johansen")
    for leg, column in zip(prices.legs, legs.T, strict=True):
        if column.min() == column.max():
            raise StatisticsError(f"{leg}: {column[0]:g} on every date: a price that never moves hedges nothing")
        if options.log and column.min() <= 0:
            when = prices.dates[int(column.argmin())]
            raise StatisticsError(f"{leg}: {column.min():g} on {when:%Y-%m-%d} has no logarithm: leave --log out")
    most = len(legs) // (2 * legs.shape[1]) - 1
    if options.lags is not None and not 0 <= options.lags <= most:
        raise StatisticsError(f"lags: {options.lags}: of {len(legs)} dates give 0 to {most}")
    if options.method == "rolling" and not 2 < options.window <= len(legs):
        raise StatisticsError(f"window: {options.window}: of {len(legs)} dates give 3 to {len(legs)}")
    return np.log(legs) if options.log else legs


def _hedge(
    legs: Floats, options: Options, johansen: Johansen, estimators: Mapping[str, Line]
) -> tuple[tuple[float, ...], float]:
    if options.method == "engle-granger":
        found = np.linalg.lstsq(_explaining(legs, options.trend), legs[:, 0], rcond=None)[0]
        others = legs.shape[1] - 1
        return tuple(found[:others].tolist()), 0.0 if options.trend == "n" else float(found[others])
    if options.method == "johansen":
        vector = np.array(johansen.vector)
        ratios = -vector[1:] / vector[0]
        return tuple(ratios.tolist()), float((legs[:, 0] - legs[:, 1:] @ ratios).mean())
    line = estimators[options.method]
    return (line.slope,), line.intercept


def _explaining(legs: Floats, trend: Trend) -> Floats:
    """What the first leg is explained by."""
    rows = len(legs)
    trends = {"n": [], "c": [np.ones(rows)], "ct": [np.ones(rows), np.arange(rows, dtype=np.float64)]}[trend]
    return np.column_stack((legs[:, 1:], *trends))


def _residuals(legs: Floats, trend: Trend) -> Floats:
    explaining = _explaining(legs, trend)
    left: Floats = legs[:, 0] - explaining @ np.linalg.lstsq(explaining, legs[:, 0], rcond=None)[0]
    return left


def _estimators(legs: Floats, options: Options) -> dict[str, Line]:
    """What the estimators of the engine say at the last row."""
    y, x = np.ascontiguousarray(legs[:, 0]), np.ascontiguousarray(legs[:, 1])
    window = min(options.window, len(y))
    return {
        "total-least-squares": total_least_squares(y, x, options.trend != "n"),
        "rolling": rolling(y, x, window).last,
        "ewma": weighted(y, x, options.span).last,
        "kalman": kalman(y, x, options.delta, options.noise).last,
    }


def _dickey_fuller(spread: Floats, options: Options) -> tuple[float, int]:
    by = "AIC" if options.lags is None else None
    found = adfuller(spread, maxlag=options.lags, autolag=by, regression=options.adf_trend, result_object=False)
    return float(found[0]), int(found[2])


def _critical(trend: Trend, legs: int, rows: int) -> dict[str, float] | None:
    if trend == "n":  # MacKinnon has none without a constant
        return None
    return dict(zip(_TABLED, map(float, mackinnoncrit(N=legs, regression=trend, nobs=rows - 1)), strict=True))


def _johansen(legs: Floats, options: Options) -> Johansen:
    lags = 1 if options.lags is None else options.lags
    try:
        found = coint_johansen(legs, _JOHANSEN_TREND[options.trend], lags)
    except np.linalg.LinAlgError:
        raise StatisticsError("one leg is the others exactly: there is no spread") from None
    beyond = found.trace_stat > found.trace_stat_crit_vals[:, 1]
    return Johansen(
        found.trace_stat.tolist(),
        found.trace_stat_crit_vals.tolist(),
        found.max_eig_stat.tolist(),
        found.max_eig_stat_crit_vals.tolist(),
        found.eig.tolist(),
        found.evec[:, 0].tolist(),
        int(np.argmin(beyond)) if not beyond.all() else len(beyond),
    )


def _correlation(prices: Floats) -> float:
    """Pearson's, of the first two legs' simple returns."""
    returns = np.diff(prices[:, :2], axis=0) / prices[:-1, :2]
    return float(np.corrcoef(returns.T)[0, 1])
