"""How the spread of a pair is made: of which prices, by which hedge ratio, against which moments, and when to doubt
it."""

from dataclasses import dataclass
from enum import StrEnum

from pipelines.domain.market import NS_PER_S


class Method(StrEnum):
    """Where the hedge ratio comes from; formulas and sources in `domain/hedge.py`."""

    STATIC = "static"
    """It is given."""
    ROLLING = "rolling"
    """Least squares over a window of bars."""
    TOTAL_LEAST_SQUARES = "total-least-squares"
    """The same, at right angles to the line."""
    EWMA = "ewma"
    """Least squares with weights that fall exponentially."""
    KALMAN = "kalman"
    """Slope and intercept as random walks."""


class Neutral(StrEnum):
    """What the second leg makes up for: the first one's moves, or its worth."""

    BETA = "beta"
    DOLLAR = "dollar"


class Every(StrEnum):
    """After what moments and hedge ratio take a value: each quote of a leg, or bars, in which a busy leg weighs no more
    than a quiet one."""

    TICK = "tick"
    SECOND = "1s"
    MINUTE = "1min"


@dataclass(frozen=True, slots=True)
class Hedge:
    """`window` in bars, of the two methods that have one. `delta`, `noise`: of the Kalman filter, as `domain.hedge` has
    them; noise in squares of what the spread is in."""

    method: Method = Method.STATIC
    window: int = 600
    delta: float = 1e-5
    noise: float = 1e-3


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and deviation of the spread, exponentially weighted: `span` in updates (alpha = 2 / (span + 1)); no z before
    `warmup` of them. A window's or a filter's moments are its own."""

    span: int = 1000
    warmup: int = 200
    every: Every = Every.SECOND


@dataclass(frozen=True, slots=True)
class Health:
    """When a pair is to be doubted. A leg is stale `stale_ns` after its last quote: then bars of the pair are not
    taken. `settle`: for how many bars it is flagged after it was stale, halted or closed.

    The rest is of its minutes, over `window` of them: legs whose returns correlate less than `least_correlation`, a
    slope further than `most_drift` of the given beta from it, a deviation of the last quarter that is `most_growth`
    times that of the rest.
    """

    stale_ns: int = 60 * NS_PER_S
    settle: int = 10
    window: int = 120
    least_correlation: float = 0.3
    most_drift: float = 0.5
    most_growth: float = 3.0


@dataclass(frozen=True, slots=True)
class SpreadModel:
    """All of that, of one pair. `logs`: of logarithms of prices."""

    hedge: Hedge = Hedge()
    moments: Moments = Moments()
    health: Health = Health()
    neutral: Neutral = Neutral.BETA
    logs: bool = False
