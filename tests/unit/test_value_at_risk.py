"""Value at risk: published figures, each with its source and tolerance; what must hold of any; files that are amiss."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.stats import kurtosis, norm, skew
from typer.testing import CliRunner

from jobs.cli.main import app
from jobs.cli.var import VarError
from pipelines.domain.value_at_risk import (
    METHODS,
    components,
    cornish_fisher,
    ewma_variances,
    filtered,
    historical,
    parametric,
    student_t,
)
from pipelines.domain.var_backtest import Transitions, Zone, backtest, christoffersen, kupiec, traffic_light
from pipelines.research.portfolio_risk import Options, column_risk, history, portfolio_risk

DATA = Path(__file__).parents[3] / "shared/data"
EDHEC = DATA / "var/edhec_1997-2009.csv"
HUNDRED = ("--until", "2005-04-30")
"""The first hundred months."""

recorded = pytest.mark.skipif(not EDHEC.is_file(), reason=f"{EDHEC} is not on this machine")

RETURNS = arrays(np.float64, st.integers(20, 80), elements=st.floats(-0.2, 0.2).map(lambda value: round(value, 6)))


def published(name: str) -> Any:
    return json.loads((DATA / "REFERENCES.json").read_text())["var"][name]


def tell(*words: object) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["var", *map(str, words), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    told: dict[str, Any] = json.loads(found.stdout)
    return told


@recorded
@pytest.mark.parametrize(
    ("method", "var", "es"),
    [
        ("parametric", "gaussian", "ES_gaussian"),
        ("cornish-fisher", "modified", None),
        ("historical", "historical", "ES_historical"),
    ],
)
def test_convertible_arbitrage_of_performance_analytics(method: str, var: str, es: str | None) -> None:
    """braverock/PerformanceAnalytics, tests/testthat/test-VaR_archive_baseline.R: edhec rows 1 to 100 at 95 %."""
    expected = published("PA_baseline")["published"]
    told = tell("--returns", EDHEC, "--column", "Convertible Arbitrage", "--method", method, *HUNDRED)
    assert told["rows"] == 100
    assert told["var"] == pytest.approx(-expected[var], abs=1e-6)
    if es is not None:
        assert told["es"] == pytest.approx(-expected[es], abs=1e-6)


@recorded
def test_a_portfolio_of_performance_analytics(tmp_path: Path) -> None:
    """The same file: the first three columns at .3, .4 and .3, by the sample covariance."""
    weights = tmp_path / "weights.csv"
    weights.write_text("name,weight\nConvertible Arbitrage,0.3\nCTA Global,0.4\nDistressed Securities,0.3\n")
    told = tell("--returns", EDHEC, "--weights", weights, "--method", "parametric", *HUNDRED)
    assert told["var"] == pytest.approx(published("PA_baseline")["published"]["port_component_gaussian"], abs=1e-6)
    assert sum(each["var"] for each in told["components"].values()) == pytest.approx(told["var"], rel=1e-6)
    assert sum(each["es"] for each in told["components"].values()) == pytest.approx(told["es"], rel=1e-6)


def test_kupiec_of_jp_morgan_1998() -> None:
    """P. Jorion, Value at Risk, chapter 6: 20 exceptions in 252 days at 95 %: LR 3.91."""
    told = tell("backtest", "--exceptions", 20, "--observations", 252, "--confidence", 0.95)
    assert told["lr_uc"] == pytest.approx(3.91, abs=5e-3)
    assert told["p_uc"] == pytest.approx(0.0479, abs=1e-4)
    assert "lr_ind" not in told


def test_exponential_weights_of_hull(tmp_path: Path) -> None:
    """J. C. Hull, Options, Futures and Other Derivatives: lambda .9, a deviation of 1 % and a return of 2 % make a
    variance of .00013, a deviation of 1.14 %."""
    assert ewma_variances(np.array([0.01, 0.02]), 0.9)[-1] == pytest.approx(0.00013, rel=1e-12)
    returns = tmp_path / "returns.csv"
    returns.write_text("date,hull\n2020-01-01,0.01\n2020-01-02,0.02\n")
    told = tell("--returns", returns, "--column", "hull", "--method", "ewma", "--lambda", 0.9, "--confidence", 0.99)
    assert told["var"] / -norm.ppf(0.01) == pytest.approx(0.0114, abs=5e-5)


def test_basel_zones_of_250_days() -> None:
    """Basel Committee, 1996, table 2: green to 4 exceptions, yellow from 5, red from 10, and what they add to 3."""
    zones = [traffic_light(exceptions, 250, 0.99) for exceptions in range(12)]
    assert zones == [Zone.GREEN] * 5 + [Zone.YELLOW] * 5 + [Zone.RED] * 2
    multipliers = [backtest(exceptions, 250, 0.99).multiplier for exceptions in range(3, 12)]
    assert multipliers == [3.0, 3.0, 3.4, 3.5, 3.65, 3.75, 3.85, 4.0, 4.0]
    assert backtest(5, 251, 0.99).multiplier is None


def test_independence_by_hand() -> None:
    """Christoffersen, 1998, equations 6 to 10, written out."""
    t00, t01, t10, t11 = 220, 12, 12, 6
    rate, after_calm, after_wild = 18 / 250, 12 / 232, 6 / 18
    one = (1 - rate) ** (t00 + t10) * rate ** (t01 + t11)
    two = (1 - after_calm) ** t00 * after_calm**t01 * (1 - after_wild) ** t10 * after_wild**t11
    told = tell("backtest", "--transitions", f"{t00},{t01},{t10},{t11}", "--confidence", 0.95)
    assert told["lr_ind"] == pytest.approx(-2 * math.log(one / two), rel=1e-9)
    assert (told["exceptions"], told["observations"]) == (18, 250)
    assert told["lr_cc"] == pytest.approx(told["lr_uc"] + told["lr_ind"], rel=1e-12)
    assert 0 < told["p_ind"] < 0.01


@pytest.mark.parametrize("transitions", [(250, 0, 0, 0), (0, 0, 0, 9), (5, 1, 0, 0), (0, 5, 4, 0)])
def test_independence_where_a_kind_of_day_is_missing(transitions: tuple[int, int, int, int]) -> None:
    found = christoffersen(Transitions(*transitions))
    assert found.lr >= 0
    assert 0 <= found.p <= 1


def test_coverage_without_exceptions_and_with_nothing_else() -> None:
    assert kupiec(0, 250, 0.99).lr == pytest.approx(-2 * 250 * math.log(0.99))
    assert kupiec(10, 10, 0.5).lr == pytest.approx(-2 * 10 * math.log(0.5))


def test_transitions_are_counted_in_order() -> None:
    days = np.array([0, 0, 1, 1, 0, 1, 0, 0], dtype=bool)
    assert Transitions.of(days) == (2, 2, 2, 1)


@given(RETURNS, st.sampled_from([0.9, 0.95, 0.99]))
def test_the_shortfall_is_never_less_than_the_value_at_risk(returns: np.ndarray, confidence: float) -> None:
    for method in METHODS:
        found = column_risk(returns, Options(method, confidence, draws=2000))
        assert found.es >= found.var - 1e-12, method


def test_the_shortfall_of_cornish_and_fisher_is_the_mean_of_the_edgeworth_density() -> None:
    returns = student_t(np.array([[0.01], [-0.02], [0.015], [-0.01]]), 400, 3, 6.0)[:, 0]
    s, k, mean, deviation = skew(returns), kurtosis(returns), returns.mean(), returns.std()
    found = cornish_fisher(returns, 0.95)

    def density(x: float) -> float:
        third, fourth = x**3 - 3 * x, x**4 - 6 * x**2 + 3
        sixth = x**6 - 15 * x**4 + 45 * x**2 - 15
        return float(norm.pdf(x)) * (1 + s / 6 * third + k / 24 * fourth + s**2 / 72 * sixth)

    h = -(found.var + mean) / deviation
    beyond = quad(lambda x: x * density(x), -np.inf, h)[0] / 0.05
    assert found.es == pytest.approx(-mean - deviation * beyond, rel=1e-6)


def test_without_skew_or_kurtosis_cornish_and_fisher_are_gauss() -> None:
    returns = norm.ppf((np.arange(20_000) + 0.5) / 20_000) * 0.01
    corrected, plain = cornish_fisher(returns, 0.99), parametric(returns, 0.99)
    assert corrected == pytest.approx(plain, rel=2e-3)


def test_filtered_returns_follow_what_is_expected_now() -> None:
    calm = np.tile([0.01, -0.01], 200)
    wild = np.concatenate([calm, [0.05, -0.05] * 5])
    assert filtered(wild, 0.99).var > 2 * filtered(calm, 0.99).var
    assert filtered(np.zeros(30), 0.99) == (0.0, 0.0)


def test_draws_have_the_moments_of_the_returns() -> None:
    given_returns = student_t(np.array([[0.02, 0.01], [-0.01, 0.0], [0.0, -0.02]]), 300, 1, 8.0)
    drawn = student_t(given_returns, 400_000, 2, 8.0)
    assert drawn.mean(axis=0) == pytest.approx(given_returns.mean(axis=0), abs=2e-4)
    assert np.cov(drawn.T) == pytest.approx(np.cov(given_returns.T, ddof=0), rel=0.05)
    assert (student_t(given_returns, 100, 2, 8.0) == student_t(given_returns, 100, 2, 8.0)).all()
    assert historical(drawn[:, 0], 0.99).var > parametric(drawn[:, 0], 0.99).var  # fatter tails


@pytest.mark.parametrize("method", METHODS)
def test_components_add_up_and_a_hedge_takes_risk_away(method: str) -> None:
    drawn = student_t(np.array([[0.02, 0.019, 0.0], [-0.01, -0.012, 0.01], [0.0, 0.001, -0.01]]), 500, 5, 6.0)
    options = Options(method, 0.95, draws=20_000)  # type: ignore[arg-type]
    found = portfolio_risk(drawn, {"A": 1.0, "hedge": -0.9, "C": 0.3}, options)
    assert found.components is not None
    for part, whole in (("var", found.var), ("es", found.es)):
        assert sum(each[part] for each in found.components.values()) == pytest.approx(whole, rel=1e-4)
    assert found.components["hedge"]["incremental_var"] < 0 < found.components["C"]["incremental_var"]


def test_a_component_of_scenarios_is_what_the_asset_loses_in_those_that_decide() -> None:
    drawn = student_t(np.array([[0.02, 0.01], [-0.01, 0.0], [0.0, -0.02]]), 400, 7, 5.0)
    weights = np.array([0.5, 0.5])
    parts = components(lambda some: historical(drawn @ some, 0.95), weights)
    total = drawn @ weights
    worst = total <= np.quantile(total, 0.05)
    assert parts.es == pytest.approx(-(drawn[worst] * weights).mean(axis=0), rel=1e-4)


def test_a_backtest_knows_nothing_of_the_day_it_is_held_against() -> None:
    returns = student_t(np.array([[0.01], [-0.01]]), 400, 11, 5.0)[:, 0]
    found = history(returns, 250, Options("historical", 0.99))
    changed = returns.copy()
    changed[300:] = 0.5
    again = history(changed, 250, Options("historical", 0.99))
    assert (found.var[:51] == again.var[:51]).all()  # row 300 is told by the rows before it
    assert found.var[0] == historical(returns[:250], 0.99).var
    assert (found.exceptions == (returns[250:] < -found.var)).all()


@recorded
@pytest.mark.parametrize("method", METHODS)
def test_a_backtest_of_a_file_and_its_page(method: str, tmp_path: Path) -> None:
    page = tmp_path / "var.html"
    words = ("--returns", EDHEC, "--column", "CTA Global", "--window", 60, "--confidence", 0.95, "--method", method)
    told = tell("backtest", *words, "--draws", 2000, "--out", page)
    assert told["observations"] == 152 - 60
    assert told["zone"] in {"green", "yellow", "red"}
    assert told["lr_cc"] == pytest.approx(told["lr_uc"] + told["lr_ind"])
    text = page.read_text()
    assert f"{told['exceptions']} of 92" in text
    assert "Christoffersen" in text


@pytest.mark.parametrize("suffix", [".yaml", ".json", ".csv"])
def test_weights_are_read_from_any_form(suffix: str, tmp_path: Path) -> None:
    returns, weights = tmp_path / "r.csv", tmp_path / f"w{suffix}"
    returns.write_text("date,A,B\n" + "".join(f"2020-01-{day:02},{0.01 * (-1) ** day},0.002\n" for day in range(1, 21)))
    weights.write_text({".yaml": "A: 0.5\nB: 2\n", ".json": '{"A": 0.5, "B": 2}', ".csv": "A,0.5\nB,2\n"}[suffix])
    told = tell("--returns", returns, "--weights", weights)
    assert told["weights"] == {"A": 0.5, "B": 2.0}
    assert told["var"] == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--column", "A"), "give --returns FILE with either --column NAME or --weights FILE"),
        (("--returns", "R"), "give --returns FILE with either --column NAME or --weights FILE"),
        (("--returns", "R", "--column", "AA"), "no column AA: did you mean A?"),
        (("--returns", "R", "--column", "A", "--method", "magic"), "--method magic: take of historical, parametric"),
        (("--returns", "R", "--column", "A", "--confidence", "99"), "confidence: 99: give 0.5 or more and below 1"),
        (("--returns", "R", "--column", "A", "--lambda", "1"), "decay: 1: give between 0 and 1"),
        (("--returns", "R", "--column", "A", "--degrees", "2"), "degrees: 2: with 2 or fewer there is no variance"),
        (("--returns", "R", "--column", "bad"), "r.csv:3: bad: 'x' is no return"),
        (
            ("--returns", "R", "--weights", "W"),
            "w.csv:2: 'much' is no weight: give a name and a number, such as KO,0.6",
        ),
        (("backtest", "--exceptions", "3"), "give --exceptions and --observations, or --transitions, or --returns"),
        (("backtest", "--exceptions", "3", "--observations", "2"), "of 2 observations there are 2 at most"),
        (("backtest", "--transitions", "1,2,3"), "four counts T00,T01,T10,T11 expected, such as 233,9,9,1"),
        (("backtest", "--returns", "R", "--column", "A"), "window: 250: of 3 rows give 2 to 2"),
        (
            ("backtest", "--exceptions", "1", "--observations", "2", "--out", "x.html"),
            "--out draws days: give --returns",
        ),
    ],
)
def test_what_is_amiss_is_told_in_a_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    returns, weights = tmp_path / "r.csv", tmp_path / "w.csv"
    returns.write_text("date,A,bad\n2020-01-01,0.01,0.01\n2020-01-02,0.02,x\n2020-01-03,0.0,0.01\n")
    weights.write_text("A,0.5\nbad,much\n")
    given_words = [{"R": str(returns), "W": str(weights)}.get(word, word) for word in words]
    with pytest.raises(VarError) as told:
        CliRunner().invoke(app, ["var", *given_words], catch_exceptions=False)
    assert says in str(told.value)
    assert "\n" not in str(told.value)
