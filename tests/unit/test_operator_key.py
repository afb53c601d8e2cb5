"""Keys of operators as files, and as `helios keys` and a strategy file have them."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.settings import Settings
from jobs.cli.account import signing_key
from jobs.cli.main import app
from jobs.demo_plans import simulated_plan
from jobs.operator_key import OperatorKeyError, found, key_file, make, own, read, strategy_line, user
from pipelines.contracts.signing import public_text
from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy
from pipelines.feeds.simulated import Simulation

RUN = CliRunner()


def test_a_key_is_its_owners_alone_and_is_read_as_it_was_made(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "anna.key"
    made = make(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert public_text(read(file).public_key()) == public_text(made.public_key())


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "anna.key"
    make(file)
    before = file.read_bytes()
    with pytest.raises(OperatorKeyError, match="is there: a key is never overwritten"):
        make(file)
    assert file.read_bytes() == before


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "anna.key"
    make(file)
    os.chmod(file, 0o644)
    with pytest.raises(OperatorKeyError, match=r"mode 0644\): chmod 600"):
        read(file)


def test_a_file_that_is_no_key_says_so(tmp_path: Path) -> None:
    file = tmp_path / "anna.key"
    file.write_text("hello")
    os.chmod(file, 0o600)
    with pytest.raises(OperatorKeyError, match="not a key of helios keys new"):
        read(file)


def test_a_key_is_found_where_it_is_given_or_usually_lies(tmp_path: Path) -> None:
    assert found(tmp_path, "anna", None) is None
    usual = own(tmp_path, "anna")
    other = make(tmp_path / "other.key")
    for given, expected in ((None, usual), (tmp_path / "other.key", other)):
        key = found(tmp_path, "anna", given)
        assert key is not None
        assert public_text(key.public_key()) == public_text(expected.public_key())
    with pytest.raises(OperatorKeyError, match=r"missing\.key: cannot be read"):
        found(tmp_path, "anna", tmp_path / "missing.key")


def test_a_name_with_a_slash_stays_in_the_folder_of_keys(tmp_path: Path) -> None:
    assert key_file(tmp_path, "../ben").parent == tmp_path / "keys"


def test_the_line_of_helios_keys_is_one_of_a_strategy_file(tmp_path: Path) -> None:
    file = tmp_path / "k.key"
    told = json.loads(RUN.invoke(app, ["keys", "new", "anna", "--out", str(file), "--json"]).stdout)
    shown = RUN.invoke(app, ["keys", "show", str(file), "--name", "anna"]).stdout
    line = strategy_line("anna", read(file))
    assert line in shown
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(Simulation(1, 4, 1.0, 10.0).strategy()) + f"operators:\n  {line}\n")
    loaded = load_strategy(strategy)
    assert public_text(read(file).public_key()) == told["public_key"]
    assert loaded.operators == {"anna": read(file).public_key().public_bytes_raw()}
    strategy.write_text(dump_strategy(loaded))
    assert load_strategy(strategy).operators == loaded.operators


def test_an_operator_without_a_key_is_a_fault_with_its_line(tmp_path: Path) -> None:
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(Simulation(1, 4, 1.0, 10.0).strategy()) + "operators: {anna: hello}\n")
    with pytest.raises(StrategyError, match=r"operators\.anna: 'hello' is not a public key"):
        load_strategy(strategy)


def test_a_kill_goes_out_unsigned_where_its_key_cannot_be_read_and_nothing_else_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.key"
    assert signing_key("kill", "anna", missing) is None
    assert "helios: not signed: " in capsys.readouterr().err
    with pytest.raises(OperatorKeyError, match="cannot be read"):
        signing_key("resume", "anna", missing)


def test_a_drain_is_never_signed(tmp_path: Path) -> None:
    make(tmp_path / "anna.key")
    assert signing_key("drain", "anna", tmp_path / "anna.key") is None


def test_a_demo_names_who_runs_it(tmp_path: Path) -> None:
    plan, _ = simulated_plan(Settings(home=tmp_path), 1, 4, 1.0, 10.0, 0.0)
    key = found(tmp_path, user(), None)
    assert key is not None
    assert load_strategy(plan.strategy_file).operators == {user(): key.public_key().public_bytes_raw()}
    assert "PRIVATE" not in plan.strategy_file.read_text()
