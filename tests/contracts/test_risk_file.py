"""The risk of a strategy file and its stress scenarios: read, written again, and what is said of what is amiss."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipelines.contracts.closing_prices import ClosingPricesError
from pipelines.contracts.risk_file import load_history
from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy
from pipelines.contracts.stress_file import StressFileError, load_stress
from pipelines.domain.risk_settings import RiskSettings, Scenario
from tests.support.shards import strategy

PAIR = strategy(("A", "B"), (("A", "B", 0.7),))
STRESS = "crash: {all: -0.08, instruments: {A: -0.2}, currencies: {USD: -0.1}}\n'a rise': {all: 5e-2}\n"
SCENARIOS = (Scenario("crash", -0.08, {"A": -0.2}, {"USD": -0.1}), Scenario("a rise", 0.05))
CLOSES = "time,A,B\n2026-01-05,100,50\n2026-01-06,101,\n2026-01-07,102,51\n"


def written(tmp_path: Path, risk: str) -> Path:
    file = tmp_path / "strategy.yaml"
    file.write_text(f"{dump_strategy(PAIR)}risk: {risk}\n")
    return file


def test_a_strategy_without_the_section_has_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(PAIR))
    assert "risk" not in file.read_text()
    assert load_strategy(file).risk == RiskSettings() == load_strategy(written(tmp_path, "{}")).risk
    assert RiskSettings().method == "historical"


def test_risk_is_written_and_read_again(tmp_path: Path) -> None:
    (tmp_path / "stress.yaml").write_text(STRESS)
    (tmp_path / "closes.csv").write_text(CLOSES)
    settings = RiskSettings(
        method="filtered",
        confidence=0.975,
        window=250,
        day_minutes=1440,
        capital=1e6,
        benchmark="B",
        participation=0.05,
        every_ns=5_000_000_000,
        seed=7,
        draws=500,
        decay=0.97,
        history=str((tmp_path / "closes.csv").resolve()),
        stress=str((tmp_path / "stress.yaml").resolve()),
        scenarios=SCENARIOS,
    )
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(replace(PAIR, risk=settings)))
    assert load_strategy(file).risk == settings


def test_files_are_found_beside_the_strategy_file(tmp_path: Path) -> None:
    (tmp_path / "stress.yaml").write_text(STRESS)
    (tmp_path / "closes.csv").write_text(CLOSES)
    loaded = load_strategy(written(tmp_path, "{stress: stress.yaml, history: closes.csv}"))
    assert loaded.risk.scenarios == SCENARIOS
    history = load_history(loaded)
    assert history is not None
    assert history[1] == pytest.approx(np.array([[100, 101, 102], [50, np.nan, 51]]), nan_ok=True)


def test_a_history_that_cannot_be_read_names_its_place(tmp_path: Path) -> None:
    (tmp_path / "closes.csv").write_text(CLOSES.replace("101", "-1"))
    loaded = load_strategy(written(tmp_path, "{history: closes.csv}"))
    with pytest.raises(ClosingPricesError, match=r"closes\.csv: cannot be read: row 2, A: -1 is no price"):
        load_history(loaded)


def test_without_a_history_of_its_own_the_strategys_is_taken(tmp_path: Path) -> None:
    (tmp_path / "minutes.csv").write_text("time,A\n2026-01-05T10:00:00Z,1\n2026-01-05T10:01:00Z,2\n")
    assert load_history(PAIR) is None
    history = load_history(replace(PAIR, history=str(tmp_path / "minutes.csv")))
    assert history is not None
    assert history[1].shape == (2, 2)


@pytest.mark.parametrize(
    ("risk", "says"),
    [
        ("{method: historic}", "risk.method: unknown method 'historic': did you mean historical?"),
        ("{confidence: 99}", "risk.confidence: 99 is out of range: give 0.5 or more and below 1, such as 0.99"),
        ("{window: 5}", "risk.window: 5 is out of range: give 20 to 100000"),
        ("{day_minutes: 0}", "risk.day_minutes: 0 is out of range: give 1 to 1440"),
        ("{capital: -5}", "risk.capital: -5 is out of range: give one greater than 0"),
        ("{benchmark: SPY}", "risk.benchmark: unknown instrument 'SPY': there is A, B"),
        ("{participation: 1.5}", "risk.participation: 1.5 is out of range: give a share of the volume, 1 at most"),
        ("{every: 0.1}", "risk.every: 0.1 is out of range: account time beats once a second: give 1 or more"),
        ("{decay: 1}", "risk.decay: 1 is out of range: give one above 0 and below 1"),
        ("{draws: 5}", "risk.draws: 5 is out of range: give 100 to 1000000"),
        ("{history: none.csv}", "risk.history: no file none.csv in "),
        ("{stress: none.yaml}", "risk.stress: no file none.yaml in "),
        ("{windows: 50}", "risk.windows: unknown field: did you mean window?"),
        ("5", "risk: fields expected, such as {name: value}"),
    ],
)
def test_what_is_amiss_is_told_with_its_place(tmp_path: Path, risk: str, says: str) -> None:
    file = written(tmp_path, risk)
    line = len(file.read_text().splitlines())
    with pytest.raises(StrategyError) as told:
        load_strategy(file)
    assert str(told.value).startswith(f"{file}:{line}: {says}")


@pytest.mark.parametrize(
    ("stress", "says"),
    [
        ("crash: {all: -1.5}", "1: crash.all: -1.5 is out of range: more than all of a price cannot be lost"),
        ("crash: {all: much}", "1: crash.all: 'much' is not a number"),
        ("crash:\n  instruments:\n    SPY: -0.1", "3: crash.instruments.SPY: SPY is no instrument of the strategy"),
        ("crash: {currencies: {EUR: -0.1}}", "1: crash.currencies.EUR: EUR is no currency of the strategy's"),
        ("crash: {al: -0.1}", "1: crash.al: unknown field: did you mean all?"),
        ("crash: {}", "1: crash.all: nothing moves in it: give all, instruments or currencies"),
        ("crash: -0.1", "1: crash: fields expected, such as {name: value}"),
        ("- crash", "1: fields expected at the top"),
        ("crash: {all: -0.1}\ncrash: {all: -0.2}", "2: crash: given twice, first in line 1"),
        ("{}", "1: no scenario in it: give one, such as"),
        ("crash: {all: [", "not YAML"),
    ],
)
def test_a_fault_of_a_stress_file_names_its_line(tmp_path: Path, stress: str, says: str) -> None:
    file = tmp_path / "stress.yaml"
    file.write_text(stress)
    with pytest.raises(StressFileError) as told:
        load_stress(file, ("A", "B"), ("USD",))
    assert f"{file}:" in str(told.value)
    assert says in str(told.value)
    strategy_file = written(tmp_path, "{stress: stress.yaml}")
    with pytest.raises(StrategyError, match=r"risk\.stress: .*stress\.yaml:\d+: "):
        load_strategy(strategy_file)


def test_risk_of_several_currencies_needs_their_rates(tmp_path: Path) -> None:
    first, second = PAIR.instruments
    euro = replace(PAIR, instruments=(first, replace(second, currency="EUR")))
    file = tmp_path / "strategy.yaml"
    file.write_text(f"{dump_strategy(euro)}risk: {{window: 100}}\n")
    with pytest.raises(StrategyError, match=r"risk: instruments are in EUR, USD: give .* in limits\.rates"):
        load_strategy(file)
    file.write_text(file.read_text().replace("stale_marks_ms", "rates: {EUR: 1.1}, stale_marks_ms"))
    assert load_strategy(file).risk.window == 100


def test_a_move_of_a_currency_comes_on_top_of_the_instruments() -> None:
    crash = SCENARIOS[0]
    assert crash.move("A", "USD") == pytest.approx(0.8 * 0.9 - 1)
    assert crash.move("B", "EUR") == pytest.approx(-0.08)
