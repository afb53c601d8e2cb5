"""Whether a value at risk was exceeded as often as it should be, and at times of no pattern.

Kupiec, "Techniques for verifying the accuracy of risk measurement models", 1995 (unconditional coverage);
Christoffersen, "Evaluating interval forecasts", 1998 (independence, conditional coverage); Basel Committee,
"Supervisory framework for the use of backtesting", 1996 (traffic light).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy
from scipy.stats import binom, chi2

YELLOW, RED = 0.95, 0.9999
"""A zone begins where so few exceptions or fewer have this probability if the model is right: of 250 days at 99 %, at 5
and at 10."""

PLUS = (0.40, 0.50, 0.65, 0.75, 0.85)
"""What the yellow zone's 5 to 9 exceptions of 250 add to the multiplier 3; the red zone 1."""


class Zone(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


class Ratio(NamedTuple):
    """A likelihood ratio, and how probable one as great is if the model is right."""

    lr: float
    p: float


class Transitions(NamedTuple):
    """How often a day without exception was followed by one without (`t00`) or with (`t01`); a day with, likewise."""

    t00: int
    t01: int
    t10: int
    t11: int

    @classmethod
    def of(cls, exceptions: NDArray[np.bool_]) -> "Transitions":
        """Of days in order, shape (days,)."""
        before, after = exceptions[:-1], exceptions[1:]
        counts = (int(np.sum((before == first) & (after == then))) for first in (False, True) for then in (False, True))
        return cls(*counts)


@dataclass(frozen=True, slots=True)
class Backtest:
    """`independence` and `conditional` where days are known one by one. `multiplier` of market risk capital, where it
    is laid down: 250 days at 99 %."""

    exceptions: int
    observations: int
    expected: float
    coverage: Ratio
    independence: Ratio | None
    conditional: Ratio | None
    zone: Zone
    multiplier: float | None


def backtest(exceptions: int, observations: int, confidence: float, transitions: Transitions | None = None) -> Backtest:
    """All tests at once; 0 <= exceptions <= observations, 0 < confidence < 1."""
    coverage = kupiec(exceptions, observations, confidence)
    independence = christoffersen(transitions) if transitions is not None else None
    conditional = _ratio(coverage.lr + independence.lr, 2) if independence is not None else None
    zone = traffic_light(exceptions, observations, confidence)
    standard = observations == 250 and abs(confidence - 0.99) < 1e-12
    return Backtest(
        exceptions,
        observations,
        observations * (1 - confidence),
        coverage,
        independence,
        conditional,
        zone,
        _multiplier(exceptions) if standard else None,
    )


def kupiec(exceptions: int, observations: int, confidence: float) -> Ratio:
    """LR_uc: of the rate asked for against the rate seen. Chi-squared with one degree of freedom."""
    expected, seen = 1 - confidence, exceptions / observations
    return _ratio(
        2 * (_likelihood(exceptions, observations, seen) - _likelihood(exceptions, observations, expected)), 1
    )


def christoffersen(transitions: Transitions) -> Ratio:
    """LR_ind: of one rate against a rate after each kind of day. Chi-squared with one degree of freedom."""
    t00, t01, t10, t11 = transitions
    calm, wild = t00 + t01, t10 + t11
    rate = (t01 + t11) / (calm + wild) if calm + wild else 0.0
    apart = sum(_likelihood(hits, days, hits / days) for hits, days in ((t01, calm), (t11, wild)) if days)
    return _ratio(2 * (apart - _likelihood(t01 + t11, calm + wild, rate)), 1)


def traffic_light(exceptions: int, observations: int, confidence: float) -> Zone:
    """By the probability of so many exceptions or fewer; where there is none, green, however few the days are."""
    if not exceptions:
        return Zone.GREEN
    probability = float(binom.cdf(exceptions, observations, 1 - confidence))
    return Zone.GREEN if probability < YELLOW else Zone.YELLOW if probability < RED else Zone.RED


def _likelihood(hits: int, days: int, rate: float) -> float:
    """The logarithm of it."""
    return float(xlogy(hits, rate) + xlogy(days - hits, 1 - rate))


def _ratio(lr: float, degrees: int) -> Ratio:
    return Ratio(max(lr, 0.0), float(chi2.sf(max(lr, 0.0), degrees)))


def _multiplier(exceptions: int) -> float:
    beyond = exceptions - 5
    return 3.0 if beyond < 0 else 3.0 + PLUS[beyond] if beyond < len(PLUS) else 4.0
