"""helios risk over closing prices, and the closing prices of a simulated session."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from infra.settings import Settings
from jobs.cli.main import app
from jobs.cli.risk import RiskCommandError
from jobs.demo_plans import simulated_plan
from pipelines.contracts.strategy_file import dump_strategy, load_strategy
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.tails import Rule, tails
from pipelines.domain.universe import Strategy
from pipelines.domain.value_at_risk import METHODS
from pipelines.feeds.simulated import Simulation
from pipelines.feeds.simulated_closes import daily_closes
from pipelines.feeds.simulated_prices import PairPrices
from pipelines.research.risk_history import risk_history
from tests.support.shards import strategy

PAIR = strategy(("A", "B"), (("A", "B", 0.7),))
DAYS = 300


def closes(seed: int = 1, rows: int = DAYS + 1) -> np.ndarray:
    walk = np.random.default_rng(seed).standard_t(6, (2, rows)) * 0.01
    walk[0] += walk[1]
    return np.array([[100.0], [50.0]]) * np.exp(np.cumsum(walk, axis=1))


def files(tmp_path: Path, of: Strategy = PAIR) -> tuple[Path, Path]:
    days = (np.datetime64("2024-01-01") + np.arange(DAYS + 1)).astype(str)
    lines = [f"{day},{a},{b}" for day, a, b in zip(days, *closes(), strict=True)]
    history, file = tmp_path / "closes.csv", tmp_path / "strategy.yaml"
    history.write_text("\n".join(["time,A,B", *lines]))
    file.write_text(dump_strategy(of))
    return file, history


def tell(*words: object) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["risk", *map(str, words), "--json"], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    told: dict[str, Any] = json.loads(found.stdout)
    return told


@pytest.mark.parametrize("method", METHODS)
def test_each_day_is_told_by_the_rows_before_it_alone(method: str) -> None:
    of = replace(PAIR, risk=RiskSettings(method=method, window=100, draws=200))  # type: ignore[arg-type]
    prices, times = closes(), np.arange(DAYS + 1) * 86_400_000_000_000
    found = risk_history(of, times, prices, 50)
    changed = prices.copy()
    changed[:, -10:] *= 3.0
    again = risk_history(of, times, changed, 50)
    assert np.array_equal(found.lived.var[:40], again.lived.var[:40])
    assert found.window == 100
    assert found.days.tolist() == times[-50:].tolist()


def test_profits_are_of_an_entry_of_each_pair() -> None:
    prices, times = closes(), np.arange(DAYS + 1) * 86_400_000_000_000
    lived = risk_history(PAIR, times, prices, 50).lived
    (a, b), (a_after, b_after) = prices[:, -2], prices[:, -1]
    units = 10_000 / a
    assert lived.returns[-1] == pytest.approx(units * (a_after - a) - 0.7 * units * (b_after - b))
    returns = prices[:, 1:] / prices[:, :-1] - 1
    exposures = np.array([10_000, -0.7 * units * b])
    expected = tails((exposures @ returns[:, -251:-1])[None], Rule("historical", 0.99))
    assert (lived.var[-1], lived.es[-1]) == pytest.approx((expected.var[0], expected.es[0]))
    assert risk_history(PAIR, times, prices, 50, short=True).lived.returns == pytest.approx(-lived.returns)


def test_a_year_is_held_against_what_was_told_of_it(tmp_path: Path) -> None:
    file, history = files(tmp_path)
    page = tmp_path / "var.html"
    told = tell("backtest", "--strategy", file, "--history", history, "--out", page)
    assert (told["observations"], told["window"], told["expected"]) == (250, 50, pytest.approx(2.5))
    assert told["zone"] in ("green", "yellow", "red")
    assert {"lr_uc", "p_uc", "lr_ind", "lr_cc", "exceptions", "multiplier"} <= told.keys()
    assert (told["first"], told["last"]) == ("2024-02-21", "2024-10-27")
    assert "exceptions" in page.read_text()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--days", "290"], "301 closing prices: 290 days to test need 311 at least"),
        (["--history", "MISSING"], "strategy.yaml: no history of closing prices in it: give --history FILE"),
        (["--history", "BAD"], r"bad\.csv: no column `time`"),
        (["--history", "MINUTES"], "less than half a day apart: give one row a day"),
    ],
)
def test_what_cannot_be_tested_is_told_with_the_way_out(tmp_path: Path, words: list[str], says: str) -> None:
    file, history = files(tmp_path)
    (tmp_path / "bad.csv").write_text("date,A\n1,2\n")
    (tmp_path / "minutes.csv").write_text("time,A\n2026-01-05T10:00:00Z,1\n2026-01-05T10:01:00Z,2\n")
    given = {
        "MISSING": [],
        "BAD": ["--history", tmp_path / "bad.csv"],
        "MINUTES": ["--history", tmp_path / "minutes.csv"],
    }
    chosen = given.get(words[1], ["--history", history, *words])
    with pytest.raises(RiskCommandError, match=says):
        CliRunner().invoke(
            app, ["risk", "backtest", "--strategy", str(file), *map(str, chosen)], catch_exceptions=False
        )


def test_options_of_closing_prices_need_a_strategy() -> None:
    with pytest.raises(RiskCommandError, match="give --strategy FILE too"):
        CliRunner().invoke(app, ["risk", "backtest", "--short"], catch_exceptions=False)


def test_closing_prices_of_a_simulation_end_where_its_session_begins() -> None:
    simulation = Simulation(seed=3, instruments=8, shards=2)
    times, found = daily_closes(simulation, 100)
    prices = PairPrices.drawn(simulation.rng(0, 0), 2)
    assert found["S001"][-1] == pytest.approx(prices.walk[0], abs=0.01)
    assert found["S000"][-1] == pytest.approx(prices.intercept[0] + prices.beta[0] * prices.walk[0], abs=0.01)
    assert sorted(found) == [f"S00{number}" for number in range(8)]
    assert (len(times), len(found["S007"])) == (100, 100)
    assert daily_closes(simulation, 100)[1]["S005"].tolist() == found["S005"].tolist()
    assert daily_closes(replace(simulation, seed=4), 100)[1]["S005"].tolist() != found["S005"].tolist()


def test_the_demo_has_closing_prices_and_scenarios(tmp_path: Path) -> None:
    plan, _ = simulated_plan(Settings(home=tmp_path), 1, 8, 60.0, 400.0, 4.0)
    risk = load_strategy(plan.strategy_file).risk
    assert [each.name for each in risk.scenarios] == ["crash", "one alone"]
    assert len(Path(risk.history).read_text().splitlines()) == 521
