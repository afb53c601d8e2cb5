"""What a schedule is expected to cost, and how far from it: Almgren and Chriss, "Optimal execution of portfolio
transactions", 2000; and the schedule that costs least for a risk aversion (implementation shortfall).

Names are the paper's: X shares are sold in N intervals of tau = T / N days; x_j are held after interval j, n_j sold in
it. A purchase costs the same, with the sign of the drift turned. Money is in the price's currency, $ say.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.schedules import ScheduleError, check

Floats = NDArray[np.float64]

MOST_INTERVALS = 100_000
LEAST_DAYS = 1e-12
STRAIGHT = 1e-12
"""Below this kappa T, the sinh of the trajectory is a straight line in double precision."""


@dataclass(frozen=True, slots=True)
class Impact:
    """How the price moves, of itself and by trading.

    sigma: $/share/day^(1/2), the standard deviation of a day's change. epsilon: $/share, what any trade pays: half the
    spread and fees. gamma: $/share^2, permanent impact. eta: ($/share)/(share/day), temporary impact. alpha:
    $/share/day, the drift that is expected. Raises ScheduleError for a number that is none.
    """

    sigma: float
    epsilon: float
    gamma: float
    eta: float
    alpha: float = 0.0

    def __post_init__(self) -> None:
        for name in ("sigma", "epsilon", "gamma", "eta"):
            check(name, getattr(self, name), least=0.0)
        check("alpha", self.alpha)

    @classmethod
    def by_rule(cls, sigma: float, spread: float, adv: float, alpha: float = 0.0) -> Self:
        """By the rule of thumb of section 3.4: half the spread is paid, the whole spread for each hundredth of a day's
        volume a day while it lasts, and for each tenth for good. `spread`: $/share, `adv`: shares a day."""
        return cls(sigma, *rule_of_thumb(spread, adv), alpha)


def rule_of_thumb(spread: float, adv: float) -> tuple[float, float, float]:
    """epsilon, gamma and eta of section 3.4."""
    check("spread", spread, least=0.0)
    check("adv", adv, above=0.0)
    return spread / 2, spread / (0.1 * adv), spread / (0.01 * adv)


class Cost(NamedTuple):
    """E: the expected cost against the price at the start, $. V: its variance, $^2."""

    E: float
    V: float

    @property
    def deviation(self) -> float:
        return math.sqrt(self.V)

    def penalty(self, aversion: float) -> float:
        """U = E + lambda V, $."""
        penalty = self.E + aversion * self.V
        if not math.isfinite(penalty):
            raise ScheduleError(f"lambda: {aversion:g}: the penalty is beyond what can be counted: give a smaller one")
        return penalty


def cost(impact: Impact, X: float, trades: Sequence[float] | Floats, taus: Sequence[float] | Floats) -> Cost:
    """Of any trades n_k, each in an interval of tau_k days; what they leave of X stays held to the end.

    E = sum tau_k x_k g(n_k / tau_k) + sum n_k h(n_k / tau_k) - alpha sum tau_k x_k, V = sigma^2 sum tau_k x_k^2, with
    g(v) = gamma v and h(v) = epsilon sgn(v) + eta v (equations 4 to 7). `trades`, `taus`: shape (N,).
    """
    n, tau = np.asarray(trades, np.float64), np.asarray(taus, np.float64)
    x = X - np.cumsum(n)
    with np.errstate(over="ignore", invalid="ignore"):
        impacts = impact.gamma * (x @ n) + impact.epsilon * np.abs(n).sum() + impact.eta * (n @ (n / tau))
        expected = float(impacts - impact.alpha * (tau @ x))
        variance = float(impact.sigma * (impact.sigma * (tau @ x**2)))
    if not (math.isfinite(expected) and math.isfinite(variance)):
        raise ScheduleError(f"X: {X:g}: cost and variance are beyond what can be counted: give smaller numbers")
    return Cost(expected, variance)


@dataclass(frozen=True, slots=True)
class Optimum:
    """The trajectory that has the least E + lambda V. `kappa`: 1/day, how fast it falls; `half_life`: 1 / kappa days
    (the paper's theta), in which holdings fall by e, whatever T is; infinite where lambda is 0. `trajectory`: shares
    x_0 to x_N; `trades`: n_1 to n_N. U: the penalty E + lambda V."""

    X: float
    T: float
    N: int
    aversion: float
    impact: Impact
    eta_tilde: float
    kappa_tilde: float
    kappa: float
    trajectory: Floats
    trades: Floats
    cost: Cost

    @property
    def tau(self) -> float:
        return self.T / self.N

    @property
    def half_life(self) -> float:
        return 1 / self.kappa if self.kappa else math.inf

    @property
    def U(self) -> float:
        return self.cost.penalty(self.aversion)


def optimum(X: float, T: float, N: int, impact: Impact, aversion: float) -> Optimum:
    """Of X shares in N intervals within T days; `aversion` is the paper's lambda, 1/$. Raises ScheduleError.

    x_j = X sinh(kappa (T - t_j)) / sinh(kappa T), with 2 (cosh(kappa tau) - 1) / tau^2 = kappa~^2 = lambda sigma^2 /
    eta~ and eta~ = eta - gamma tau / 2 (section 2.2). With a drift, what section 4.1 adds: holdings are drawn to
    x_bar = alpha / (2 lambda sigma^2).
    """
    check("X", X, above=0.0)
    check("T", T, least=LEAST_DAYS)
    check("N", N, least=1, most=MOST_INTERVALS)
    check("lambda", aversion, least=0.0)
    tau = T / N
    eta_tilde = impact.eta - impact.gamma * tau / 2
    if eta_tilde <= 0:
        raise ScheduleError(
            f"eta: {impact.eta:g}: eta - gamma T / N / 2 is {eta_tilde:g}, it has to be above 0: "
            "give a larger eta, a smaller gamma or more intervals"
        )
    kappa_tilde = math.sqrt(aversion / eta_tilde) * impact.sigma
    kappa = 2 / tau * math.asinh(kappa_tilde * tau / 2)  # cosh(y) - 1 = 2 sinh(y / 2)^2, without its cancellation
    if not math.isfinite(kappa * T):
        raise ScheduleError(f"lambda: {aversion:g}: kappa is beyond what can be counted: give a smaller one")
    t = np.linspace(0.0, T, N + 1)
    added = _drawn(t, T, kappa, kappa_tilde, impact.alpha / (2 * eta_tilde)) if impact.alpha else np.zeros(N + 1)
    trajectory = X * _left(t, T, kappa) + added
    trades = X * _sold(t, T, kappa) - np.diff(added)
    found = cost(impact, X, trades, np.full(N, tau))
    return Optimum(X, T, N, aversion, impact, eta_tilde, kappa_tilde, kappa, trajectory, trades, found)


def frontier(X: float, T: float, N: int, impact: Impact, aversions: Sequence[float]) -> tuple[Optimum, ...]:
    """The efficient frontier: for each lambda the optimum; no schedule has a lower E at its V (section 2.4)."""
    return tuple(optimum(X, T, N, impact, aversion) for aversion in aversions)


def x_bar(impact: Impact, aversion: float) -> float | None:
    """What is best held for the drift alone, shares (section 4.1); None where there is no risk to weigh."""
    weighed = 2 * aversion * impact.sigma * impact.sigma
    held = impact.alpha / weighed if weighed else math.inf
    return held if math.isfinite(held) else None


def without_drift(impact: Impact) -> Impact:
    return replace(impact, alpha=0.0)


def _left(t: Floats, T: float, kappa: float) -> Floats:
    """sinh(kappa (T - t)) / sinh(kappa T), in exponents that fall: nothing overflows. 1 to 0."""
    if kappa * T < STRAIGHT:
        left = 1 - t / T
    else:
        left = np.exp(-kappa * t) * np.expm1(-2 * kappa * (T - t)) / math.expm1(-2 * kappa * T)
    left[0], left[-1] = 1.0, 0.0
    return left


def _sold(t: Floats, T: float, kappa: float) -> Floats:
    """2 sinh(kappa tau / 2) cosh(kappa (T - t_(j - 1/2))) / sinh(kappa T), likewise: shares of X that add up to 1."""
    intervals = len(t) - 1
    if kappa * T < STRAIGHT:
        return np.full(intervals, 1 / intervals)
    tau = T / intervals
    middle = t[:-1] + tau / 2
    falling = np.exp(-kappa * t[:-1]) * (1 + np.exp(-2 * kappa * (T - middle)))
    sold: Floats = falling * math.expm1(-kappa * tau) / math.expm1(-2 * kappa * T)
    return sold


def _drawn(t: Floats, T: float, kappa: float, kappa_tilde: float, pull: float) -> Floats:
    """What the drift adds to holdings: (1 - (sinh(kappa (T - t)) + sinh(kappa t)) / sinh(kappa T)) x_bar. `pull`:
    x_bar kappa~^2, which is there without risk too."""
    if kappa * T < STRAIGHT:
        return pull / 2 * t * (T - t)
    drawn: Floats = np.expm1(-kappa * t) * np.expm1(-kappa * (T - t)) / (1 + math.exp(-kappa * T))
    return pull / kappa_tilde / kappa_tilde * drawn
