"""helios schemas, as a person and a build server see it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobs.cli import schemas
from jobs.cli.main import EXPECTED
from pipelines.contracts.schemas import SCHEMAS_DIR

BAR = "helios.market.Bar"
CLOSE = '{"name": "close", "type": "double"'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Our schemas of now, as their version 1."""
    shutil.copytree(SCHEMAS_DIR, tmp_path, ignore=shutil.ignore_patterns("released"), dirs_exist_ok=True)
    helios("release", "--schemas", str(tmp_path))
    return tmp_path


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def helios(*words: str) -> Done:
    """The command in this process; an expected fault as `helios` tells it."""
    done = CliRunner().invoke(schemas.app, words)
    if isinstance(done.exception, EXPECTED):
        return Done(1, done.stdout, "".join(f"helios: {line}\n" for line in str(done.exception).splitlines()))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


def change(folder: Path, old: str, new: str) -> None:
    file = folder / f"{BAR}.avsc"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_a_compatible_change_passes_until_a_release_is_asked_for(folder: Path) -> None:
    change(folder, CLOSE, f'{{"name": "vwap", "type": "double", "default": 0.0, "doc": "Mean price"}}, {CLOSE}')
    done = helios("check", "--schemas", str(folder))
    assert done.returncode == 0
    assert f"{BAR}: changed since version 1, not released yet: helios schemas release" in done.stdout
    assert helios("check", "--released", "--schemas", str(folder)).returncode == 1
    assert "vwap" in helios("diff", "--schemas", str(folder)).stdout
    assert helios("release", "--schemas", str(folder)).stdout.startswith(f"{BAR}: version 2\n")
    assert helios("check", "--released", "--schemas", str(folder)).returncode == 0


def test_a_breaking_change_is_told_with_its_way_out_and_is_not_released(folder: Path) -> None:
    change(folder, CLOSE, '{"name": "close", "type": "string"')
    done = helios("check", "--schemas", str(folder))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{BAR}: field close: version 1: new code reads old records: double was written where the reader has string",
        f"{BAR}: field close: version 1: old code reads new records: string was written where the reader has double",
        "a breaking change is a new record on a new topic: write both, move the readers over, then retire the old one "
        "(docs/schemas.md)",
    ]
    told = json.loads(helios("check", "--json", "--schemas", str(folder)).stdout)
    assert told["compatible"] is False
    assert told["faults"][0] == {
        "record": BAR,
        "field": "close",
        "version": 1,
        "direction": "new code reads old records",
        "reason": "double was written where the reader has string",
    }
    refused = helios("release", "--schemas", str(folder))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"helios: {BAR}: field close: version 1: ")
    assert not (folder / "released" / BAR / "2.avsc").exists()


def test_any_two_schema_files_are_held_against_each_other(folder: Path, tmp_path: Path) -> None:
    old, new = folder / "released" / BAR / "1.avsc", folder / f"{BAR}.avsc"
    assert helios("check", str(new), "--against", str(old)).returncode == 0
    change(folder, CLOSE, f'{{"name": "vwap", "type": "double", "doc": "Mean price"}}, {CLOSE}')
    told = helios("check", str(new), "--against", str(old), "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout) == {
        "compatible": False,
        "messages": ["vwap: it was not written, and the reader has no default for it"],
        "reader": str(new),
        "writer": str(old),
    }
    assert helios("check", str(old), "--against", str(new)).returncode == 0


def test_one_file_is_checked_in_the_place_of_its_record(folder: Path) -> None:
    block = folder / "helios.market.TickBlock.avsc"
    assert "helios.market.TickBlock reads and is read by" in helios("check", str(block)).stdout
    change(folder, CLOSE, '{"name": "close", "type": "string"')
    assert helios("check", str(folder / f"{BAR}.avsc")).returncode == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"type": "record"}', '{"type": "record", "name": 5, "fields": [1]}'])
def test_a_file_that_is_no_schema_is_one_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "odd.avsc"
    file.write_text(text)
    done = helios("check", str(file))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("helios: ")
