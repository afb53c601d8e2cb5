"""Almgren and Chriss: the published figures, the closed forms of the paper, its limits, and a numerical optimum."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from typer.testing import CliRunner

from jobs.cli.main import app
from jobs.cli.schedule import ScheduleCommandError
from pipelines.domain.almgren_chriss import Impact, Optimum, cost, frontier, optimum, rule_of_thumb, x_bar
from pipelines.domain.schedules import ScheduleError

REFERENCES = Path(__file__).parents[3] / "shared/data/REFERENCES.json"
recorded = pytest.mark.skipif(not REFERENCES.is_file(), reason=f"{REFERENCES} is not on this machine")

X, T, N = 1e6, 5.0, 5
PAPER = Impact(sigma=0.95, epsilon=0.0625, gamma=2.5e-7, eta=2.5e-6)
"""Section 3.4, without the drift."""

OPTIMA = st.builds(
    lambda X, T, N, sigma, eta, share, aversion: optimum(
        X, T, N, Impact(sigma, 0.01, 2 * eta * N / T * share, eta), aversion
    ),
    st.floats(1, 1e7),
    st.floats(0.01, 20),
    st.integers(1, 60),
    st.floats(0, 3),
    st.floats(1e-8, 1e-3),
    st.floats(0, 0.9),
    st.sampled_from([0.0, 1e-12, 1e-9, 1e-6, 1e-3, 1.0]),
)


def tell(*words: object) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["schedule", *map(str, words), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def of_paper(aversion: float | str, **others: object) -> list[object]:
    named = {"X": X, "T": T, "N": N, "S0": 50, "sigma": 0.95, "epsilon": 0.0625, "gamma": 2.5e-7, "eta": 2.5e-6}
    named |= {"lambda": aversion, **others}  # type: ignore[dict-item]
    return [word for name, value in named.items() for word in (f"--{name}", value)]


@recorded
@pytest.mark.parametrize("row", range(4))
@pytest.mark.parametrize("drift", [False, True])
def test_the_published_run_of_the_papers_example(row: int, drift: bool) -> None:
    """DROP's AlmgrenChriss: lambda per $M, mean and penalty in $M, variance in $M^2, half-life in days, without drift;
    one that is expected is told apart."""
    published = json.loads(REFERENCES.read_text())["execution"]["almgren_chriss"]
    params = dict(published["params"])
    alpha = params.pop("alpha")
    per_million, mean, variance, penalty, half_life = published["published_rows(lambda,mean,var,penalty,halflife)"][row]
    words = [word for name, value in params.items() for word in (f"--{name}", value)]
    words += ["--lambda", per_million * 1e-6, *(["--alpha", alpha] if drift else [])]
    told = tell("preview", "--algo", "is", *words)
    assert told["E"] / 1e6 == pytest.approx(mean, abs=5.1e-5)
    assert told["V"] / 1e12 == pytest.approx(variance, abs=5.1e-5)
    assert told["U"] / 1e6 == told["penalty"] / 1e6 == pytest.approx(penalty, abs=5.1e-5)
    assert told["half_life"] == told["theta"] == pytest.approx(half_life, abs=5.1e-3)
    assert ("drift" in told) == drift


def test_kappa_of_the_papers_example() -> None:
    """At lambda = 1e-6/$ about 0.61 a day."""
    found = optimum(X, T, N, PAPER, 1e-6)
    assert found.kappa_tilde == pytest.approx(0.6164, abs=5e-5)
    assert found.kappa == pytest.approx(0.6071, abs=5e-5)
    assert 2 / found.tau**2 * (math.cosh(found.kappa * found.tau) - 1) == pytest.approx(found.kappa_tilde**2)


def test_the_rule_of_thumb_makes_the_papers_impact() -> None:
    """Section 3.4: a spread of 1/8 and 5 million shares a day."""
    assert rule_of_thumb(1 / 8, 5e6) == pytest.approx((0.0625, 2.5e-7, 2.5e-6))


@pytest.mark.parametrize("aversion", [1e-9, 1e-6, 1e-5])
def test_cost_and_variance_are_the_papers_closed_forms(aversion: float) -> None:
    """Equation 20."""
    found = optimum(X, T, N, PAPER, aversion)
    k, tau = found.kappa, found.tau
    sinh, cosh = math.sinh, math.cosh
    swing = math.tanh(k * tau / 2) * (tau * sinh(2 * k * T) + 2 * T * sinh(k * tau)) / (2 * tau**2 * sinh(k * T) ** 2)
    expected = PAPER.gamma * X**2 / 2 + PAPER.epsilon * X + found.eta_tilde * X**2 * swing
    held = (tau * sinh(k * T) * cosh(k * (T - tau)) - T * sinh(k * tau)) / (sinh(k * T) ** 2 * sinh(k * tau))
    assert tuple(found.cost) == pytest.approx((expected, PAPER.sigma**2 * X**2 / 2 * held), rel=1e-8)


def test_without_aversion_it_is_a_twap() -> None:
    """Section 1.5: the least expected cost, and its variance."""
    for aversion in (0.0, 1e-30):
        found = optimum(X, T, N, PAPER, aversion)
        assert found.trades == pytest.approx(np.full(N, X / N), rel=1e-12)
        expected = 0.5 * 2.5e-7 * X**2 + 0.0625 * X + 2.375e-6 * X**2 / T
        variance = 0.95**2 * X**2 * T / 3 * (1 - 1 / N) * (1 - 0.5 / N)
        assert tuple(found.cost) == pytest.approx((expected, variance), rel=1e-12)
    assert optimum(X, T, N, PAPER, 0.0).half_life == math.inf


def test_with_great_aversion_all_is_sold_at_once() -> None:
    """Section 1.5: E = epsilon X + eta X^2 / tau, V = 0."""
    found = optimum(X, T, N, PAPER, 1e6)
    assert found.trades[0] == pytest.approx(X)
    expected, variance = found.cost
    assert expected == pytest.approx(0.0625 * X + 2.5e-6 * X**2, rel=1e-6)
    assert variance < 1e-6 * optimum(X, T, N, PAPER, 0.0).cost.V


@pytest.mark.parametrize(("aversion", "alpha"), [(1e-7, 0.0), (1e-6, 0.0), (1e-5, 0.0), (1e-6, 0.02), (0.0, 0.02)])
def test_no_other_trajectory_that_is_searched_for_is_better(aversion: float, alpha: float) -> None:
    impact = Impact(0.95, 0.0625, 2.5e-7, 2.5e-6, alpha)
    found = optimum(X, T, N, impact, aversion)

    def penalty(held: np.ndarray) -> float:
        trades = -np.diff(np.concatenate([[1.0], held, [0.0]])) * X
        return cost(impact, X, trades, np.full(N, T / N)).penalty(aversion) / 1e6

    searched = minimize(penalty, np.linspace(1, 0, N + 1)[1:-1], method="BFGS", options={"gtol": 1e-9})
    assert found.trajectory[1:-1] / X == pytest.approx(searched.x, abs=1e-4)
    assert searched.fun >= found.U / 1e6 - 1e-12


def test_a_drift_draws_holdings_to_what_it_is_worth() -> None:
    """Section 4.1: x_j of the paper, written out; and the limit without risk is a parabola."""
    impact = Impact(0.95, 0.0625, 2.5e-7, 2.5e-6, 0.02)
    found, plain = optimum(X, T, N, impact, 1e-6), optimum(X, T, N, PAPER, 1e-6)
    best, k, t = x_bar(impact, 1e-6), found.kappa, np.arange(N + 1) * T / N
    assert best == pytest.approx(0.02 / (2e-6 * 0.95**2))
    added = (1 - (np.sinh(k * (T - t)) + np.sinh(k * t)) / math.sinh(k * T)) * best
    assert found.trajectory == pytest.approx(plain.trajectory + added, rel=1e-9)
    assert found.trades.sum() == pytest.approx(X)
    near = optimum(X, T, N, impact, 1e-24).trajectory
    assert optimum(X, T, N, impact, 0.0).trajectory == pytest.approx(near, rel=1e-9)
    assert x_bar(impact, 0.0) is None


@given(OPTIMA)
def test_holdings_fall_from_all_to_nothing_and_trades_add_up(found: Optimum) -> None:
    assert found.trajectory[0] == found.X
    assert found.trajectory[-1] == 0.0
    assert (found.trades >= 0).all()
    assert found.trades.sum() == pytest.approx(found.X, rel=1e-9)
    assert found.X - np.cumsum(found.trades) == pytest.approx(found.trajectory[1:], abs=1e-9 * found.X)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(found.trades))


@given(OPTIMA, st.integers(0, 1000))
def test_no_trades_at_random_are_better(found: Optimum, seed: int) -> None:
    random = np.random.default_rng(seed).dirichlet(np.ones(found.N)) * found.X
    other = cost(found.impact, found.X, random, np.full(found.N, found.tau))
    assert other.penalty(found.aversion) >= found.U * (1 - 1e-9)


def test_along_the_frontier_less_risk_costs_more() -> None:
    points = frontier(X, T, 20, PAPER, [0.0, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4])
    for one, other in pairwise(points):
        assert other.cost.E > one.cost.E
        assert other.cost.V < one.cost.V
    told = tell("frontier", *of_paper("0,1e-6"))
    assert [point["E"] for point in told["points"]] == [
        optimum(X, T, N, PAPER, aversion).cost.E for aversion in (0, 1e-6)
    ]
    assert told["points"][0]["half_life"] is None


def test_the_preview_has_the_papers_names() -> None:
    told = tell("preview", "--algo", "is", *of_paper(1e-6))
    found = optimum(X, T, N, PAPER, 1e-6)
    assert told["trajectory"] == found.trajectory.tolist()
    assert told["trades"] == found.trades.tolist()
    assert (told["kappa"], told["E"], told["V"], told["U"]) == (found.kappa, *found.cost, found.U)
    assert [each["lots"] for each in told["slices"]] == [458044, 252101, 141957, 85756, 62142]
    assert told["cost_bps"] == pytest.approx(1e4 * found.cost.E / (50 * X))
    assert told["std"] ** 2 == pytest.approx(found.cost.V)


def test_the_drift_of_the_paper_is_worth_little() -> None:
    told = tell("preview", "--algo", "is", *of_paper(1e-6, alpha=0.02))
    assert told["E"] == optimum(X, T, N, PAPER, 1e-6).cost.E
    assert told["drift"]["x_bar"] == pytest.approx(11_080, abs=1)
    assert 0 < told["drift"]["gain"] < 1e-3 * told["U"]


def test_the_preview_of_no_aversion_is_the_twaps() -> None:
    one = tell("preview", "--algo", "is", *of_paper(0.0))
    other = tell("preview", "--algo", "twap", *of_paper(0.0))
    assert one["slices"] == other["slices"]
    assert (one["E"], one["V"]) == pytest.approx((other["E"], other["V"]))


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"X": -5}, "X: -5: give a number above 0"),
        ({"X": "nan"}, "X: nan: give a number above 0"),
        ({"X": 10.5}, "X: 10.5: no whole number of lots of 1"),
        ({"N": 0}, "N: 0: give a number 1 or more"),
        ({"T": 0}, "T: 0: give a number 1e-12 or more and 10000 at most"),
        ({"lambda": -1e-6}, "lambda: -1e-06: give a number 0 or more"),
        ({"lambda": 1e100, "eta": 1e-320, "gamma": 0}, "lambda: 1e+100: kappa is beyond what can be counted"),
        ({"sigma": 1e160}, "sigma: 1e+160: give a number 0 or more and 1e+100 at most"),
        ({"sigma": -0.1}, "sigma: -0.1: give a number 0 or more"),
        ({"eta": 1e-8}, "eta: 1e-08: eta - gamma T / N / 2 is -1.15e-07, it has to be above 0"),
        ({"alpha": "inf"}, "alpha: inf: give a number"),
        ({"X": 1e100, "sigma": 1e100, "lambda": 0}, "X: 1e+100: cost and variance are beyond what can be counted"),
    ],
)
def test_what_is_amiss_is_told_in_a_line(changed: dict[str, object], says: str) -> None:
    with pytest.raises(ScheduleCommandError) as told:
        tell("preview", "--algo", "is", *of_paper(1e-6, **changed))
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_what_is_needs_is_asked_for() -> None:
    with pytest.raises(ScheduleCommandError, match=r"sigma: algo is weighs .* give --sigma --gamma --lambda"):
        tell("preview", "--algo", "is", "--X", 10, "--T", 1, "--N", 2, "--epsilon", 0, "--eta", 1)
    with pytest.raises(ScheduleCommandError, match="lambda: 'much'"):
        tell("frontier", *of_paper("0,much"))


def test_an_impact_that_is_none_is_refused() -> None:
    with pytest.raises(ScheduleError, match="epsilon: -1: give a number 0 or more"):
        Impact(1, -1, 0, 1)
