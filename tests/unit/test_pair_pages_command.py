"""helios pairs page: whose levels are drawn, and what it says when it cannot write."""

import json
from pathlib import Path

import pytest

from infra.settings import Settings, load_settings
from jobs.cli.pair_pages import PagesError, bands_of
from pipelines.contracts.strategy_file import REPOSITORY, StrategyError
from pipelines.pages.bands import Band

ES_SPY = REPOSITORY / "examples/es-spy.yaml"
LEVELS = (Band(("bar_reversion",), "exit", 0.25), Band(("bar_reversion",), "entry", 1.5))


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a folder where a demo has been, as session-1."""
    monkeypatch.setenv("HELIOS_HOME", str(tmp_path))
    (tmp_path / "demo").mkdir()
    told = {"session": "session-1", "strategy": str(ES_SPY)}
    (tmp_path / "demo/summary.json").write_text(json.dumps(told))
    return load_settings()


def test_the_levels_of_a_demo_s_session_are_those_of_its_strategy(settings: Settings) -> None:
    assert bands_of(settings, "session-1", None) == LEVELS


def test_a_session_of_which_nobody_told_a_strategy_has_no_levels(settings: Settings) -> None:
    assert bands_of(settings, "session-2", None) == ()
    assert bands_of(settings, "session-2", ES_SPY) == LEVELS


def test_a_parameter_that_the_strategy_leaves_out_has_the_signal_s_default(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    text = ES_SPY.read_text().replace(", parameters: {entry_z: 1.5, exit_z: 0.25}", "")
    file.write_text(text.replace("bar_reversion.sql", str(ES_SPY.parent / "bar_reversion.sql")))
    assert {(band.name, band.z) for band in bands_of(settings, "s", file)} == {("entry", 2.0), ("exit", 0.5)}


def test_a_level_that_is_no_number_is_told(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    text = ES_SPY.read_text().replace("entry_z: 1.5", "entry_z: two")
    file.write_text(text.replace("bar_reversion.sql", str(ES_SPY.parent / "bar_reversion.sql")))
    with pytest.raises(PagesError, match=r"wrong\.yaml: signal bar_reversion: entry_z: 'two' is no level of z"):
        bands_of(settings, "s", file)


def test_a_strategy_that_is_none_is_told_with_its_place(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "none.yaml"
    file.write_text("strategy: [")
    with pytest.raises(StrategyError, match=r"none\.yaml:"):
        bands_of(settings, "s", file)
