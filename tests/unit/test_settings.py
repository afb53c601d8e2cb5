"""helios.yaml and the environment: what wins, and what is said of a fault."""

import os
from pathlib import Path

import pytest

from infra.settings import ROOT, Settings, SettingsError, load_settings


@pytest.fixture(autouse=True)
def settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("HELIOS_")]:  # of a stack under test
        monkeypatch.delenv(name)
    file = tmp_path / "helios.yaml"
    file.write_text("kafka: {port: 29092}\n")
    monkeypatch.setitem(Settings.model_config, "yaml_file", str(file))
    monkeypatch.setenv("HELIOS_HOME", str(tmp_path / "home"))
    return file


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().kafka.bootstrap == "127.0.0.1:29092"
    monkeypatch.setenv("HELIOS_KAFKA_PORT", "39092")
    assert load_settings().kafka.bootstrap == "127.0.0.1:39092"


def test_a_given_endpoint_is_used_and_not_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOS_KAFKA_BOOTSTRAP", "broker-1:9092,broker-2:9092")
    monkeypatch.setenv("HELIOS_TIMESCALE_DSN", "postgresql://me@db/history")
    settings = load_settings()
    assert (settings.kafka.bootstrap, settings.kafka.local) == ("broker-1:9092,broker-2:9092", False)
    assert (settings.timescale.dsn, settings.timescale.local) == ("postgresql://me@db/history", False)
    assert settings.registry.local


def test_a_relative_home_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOS_HOME", "elsewhere")
    assert load_settings().home == ROOT / "elsewhere"


def test_the_local_password_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    dsn = load_settings().timescale.dsn
    assert load_settings().timescale.dsn == dsn
    assert (tmp_path / "home" / "timescale" / "password").stat().st_mode & 0o777 == 0o600


def test_a_faulty_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOS_KAFKA_PORT", "many")
    with pytest.raises(SettingsError, match=r"HELIOS_KAFKA_PORT of the environment: kafka\.port: .*'many'"):
        load_settings()


def test_faulty_lines_of_the_file_are_named_all(settings_file: Path) -> None:
    settings_file.write_text("kafka: {prot: 1}\nflink: {taskmanagers: 0}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    faults = str(caught.value).splitlines()
    assert len(faults) == 2
    assert faults[0].startswith(f"{settings_file}: kafka.prot:")
    assert faults[1].startswith(f"{settings_file}: flink.taskmanagers:")


def test_a_file_that_is_not_yaml_is_told(settings_file: Path) -> None:
    settings_file.write_text("kafka: {port: 1\n")
    with pytest.raises(SettingsError, match=r"helios\.yaml: not YAML:"):
        load_settings()
