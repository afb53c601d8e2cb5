"""A strategy's value at risk over a history of closing prices: what it would have told of each day, and what came.

Every pair is held as an entry would buy it: `leg_notional` of its first leg, hedged by its beta (by the same money
where the strategy gives none), long or short; what is held is made anew at each close. Money is the account's.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_days import NS_PER_DAY
from pipelines.domain.risk_window import Window, fill
from pipelines.domain.spread_model import Neutral
from pipelines.domain.tails import tails
from pipelines.domain.universe import Strategy
from pipelines.domain.value_at_risk import student_t
from pipelines.research.portfolio_risk import History, RiskError

Floats = NDArray[np.float64]

LEAST_WINDOW = 20


@dataclass(frozen=True, slots=True)
class RiskHistory:
    """`days`: times of the closes that each told day ended with, ns; `lived`: profits (money), VaR and ES of them,
    shape (days,); `window`: rows that each was told by."""

    days: NDArray[np.int64]
    lived: History
    window: int


def risk_history(
    strategy: Strategy, times_ns: NDArray[np.int64], prices: Floats, days: int, *, short: bool = False
) -> RiskHistory:
    """Of the last `days` closes, each by the rows before it. `prices`: shape (instruments, times), NaN for none. Raises
    RiskError where there are too few."""
    config, settings = RiskConfig.of(strategy), strategy.risk
    if np.diff(times_ns).min() < NS_PER_DAY // 2:
        raise RiskError("closing prices less than half a day apart: give one row a day, to tell of days")
    window = Window.empty(len(config.instruments))
    fill(window, times_ns, prices, times_ns.size, settings.day_minutes)
    returns = window.rows
    rows = min(settings.window, returns.shape[1] - days)
    if rows < LEAST_WINDOW:
        raise RiskError(
            f"{times_ns.size} closing prices: {days} days to test need {days + LEAST_WINDOW + 1} at least, and "
            f"{days + settings.window + 1} for a whole risk.window: give a longer history, or fewer days"
        )
    closes = _filled(prices)
    told = np.empty((days, 3))
    for number, day in enumerate(range(returns.shape[1] - days, returns.shape[1])):
        exposures = _exposures(strategy, config, closes[:, day]) * (-1.0 if short else 1.0)
        before = returns[:, day - rows : day]
        profits = exposures @ (
            student_t(before.T, settings.draws, settings.seed).T if settings.method == "monte-carlo" else before
        )
        var, es = tails(profits[None], config.rule)
        told[number] = exposures @ returns[:, day], var[0], es[0]
    return RiskHistory(times_ns[-days:], History(told[:, 0], told[:, 1], told[:, 2]), rows)


def _exposures(strategy: Strategy, config: RiskConfig, closes: Floats) -> Floats:
    """Money by instrument of all pairs, one entry each; a pair without prices is not held."""
    found = np.zeros(len(config.instruments))
    rates = config.lot_rate / config.lot_size
    for pair, (a, b) in zip(strategy.pairs, config.legs, strict=True):
        if np.isnan(closes[a]) or np.isnan(closes[b]):
            continue
        notional, model = pair.capital or strategy.sizing.leg_notional, strategy.model_of(pair)
        if model.neutral is Neutral.DOLLAR or not pair.beta:
            hedged = 1.0
        else:  # a beta of prices is units of the second leg for one of the first
            hedged = pair.beta if model.logs else pair.beta * closes[b] / closes[a]
        found[a] += notional * rates[a]
        found[b] -= notional * hedged * rates[b]
    return found


def _filled(prices: Floats) -> Floats:
    """With the last price where there is none."""
    places = np.where(np.isnan(prices), 0, np.arange(prices.shape[1]))
    np.maximum.accumulate(places, axis=1, out=places)
    filled: Floats = np.take_along_axis(prices, places, axis=1)
    return filled
