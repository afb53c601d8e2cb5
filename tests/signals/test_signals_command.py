"""helios signals, as a researcher uses it: a new signal, its tests, what is wrong with it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.cli.main import app
from pipelines.signals.signal_file import SignalError


def run(*words: object, status: int = 0) -> str:
    found = CliRunner().invoke(app, ["signals", *map(str, words)], catch_exceptions=False)
    assert found.exit_code == status, found.output
    return found.stdout


def told(*words: object, status: int = 0) -> Any:
    return json.loads(run(*words, "--json", status=status))


def test_a_new_signal_is_listed_valid_and_passes_its_test(tmp_path: Path) -> None:
    run("new", "turns", "--about", "a spread that turns", "--folder", tmp_path)
    (listed,) = told("list", "--folder", tmp_path)
    assert (listed["signal"], listed["about"], listed["cases"]) == ("turns", "a spread that turns", 1)
    shown = told("show", "turns", "--set", "entry_z=1.5", "--folder", tmp_path)
    assert shown["levels"] == "0.5, 1.5.."
    assert "ABS(z) >= 1.5E0" in shown["sql"]
    (valid,) = told("validate", "--folder", tmp_path)
    assert valid["valid"]
    assert valid["version"] != shown["version"]
    assert "1 cases passed, 0 failed" in run("test", "--folder", tmp_path)
    with pytest.raises(SignalError, match="is there already"):
        run("new", "turns", "--folder", tmp_path)


def test_a_case_that_fails_shows_what_came_and_what_was_expected(tmp_path: Path) -> None:
    run("new", "turns", "--folder", tmp_path)
    cases = tmp_path / "turns.test.yaml"
    cases.write_text(cases.read_text().replace("enter_short", "enter_long "))
    (failed,) = told("test", "turns", "--folder", tmp_path, status=1)
    assert not failed["passed"]
    assert [row["action"] for row in failed["expected"]] == ["enter_long", "exit"]
    assert [row["action"] for row in failed["found"]] == ["enter_short", "exit"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "tuns"), "no signal 'tuns': did you mean turns?"),
        (("show", "turns", "--set", "entry_z"), "--set entry_z: NAME=VALUE expected"),
        (("show", "turns", "--set", "entry=2"), "has no parameter 'entry': did you mean entry_z?"),
        (("show", "turns", "--set", "entry_z=2; DROP TABLE x"), "'2; DROP TABLE x' is not a number"),
        (("new", "1st"), "'1st': a name begins with a letter"),
        (("new", "../evil"), "a name begins with a letter"),
        (("test", "untested"), "untested.test.yaml: missing"),
    ],
)
def test_what_is_asked_for_wrongly_is_told_with_the_way_out(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    run("new", "turns", "--folder", tmp_path)
    (tmp_path / "untested.sql").write_text("-- signal: untested\nSELECT 1\n")
    with pytest.raises(SignalError) as error:
        run(*words, "--folder", tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_faulty_file_hides_no_other(tmp_path: Path) -> None:
    run("new", "turns", "--folder", tmp_path)
    (tmp_path / "bad.sql").write_text("-- sgnal: bad\nSELECT 1\n")
    with pytest.raises(SignalError, match=r"bad\.sql:1: header 'sgnal': did you mean signal"):
        run("list", "--folder", tmp_path)
