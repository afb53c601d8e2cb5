"""LEAN's files by the commands: helios decode, helios bars, helios bench lean."""

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs.benchmarks.lean_lines import generate, measure
from jobs.cli.bars import BarsError
from jobs.cli.main import app


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def bars(folder: Path, symbol: str, *lines: str) -> Path:
    path = folder / f"equity/usa/minute/{symbol}/20131007_trade.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"20131007_{symbol}_minute_trade.csv", "\n".join(lines))
    return path


def test_decode_reads_a_file_of_ticks(tmp_path: Path) -> None:
    found = json.loads(run("decode", generate(tmp_path, 2000, 1), "--format", "lean", "--json").stdout)
    assert (found["format"], found["frames"], found["messages"]) == ("lean", 2000, {"quote": 2000})
    assert found["ticks"] == {"quote": 1000}


def test_the_benchmark_reads_as_many_lines_as_pandas() -> None:
    found = measure(lines=4000, runs=1)
    assert (found["lines"], found["generated"]) == (4000, True)
    assert json.loads(run("bench", "lean", "--lines", 1000, "--json").stdout)["lines"] == 1000


def test_bars_tells_of_each_series_its_faults_and_how_alike_they_move(tmp_path: Path) -> None:
    minutes = [34_200_000 + 60_000 * number for number in range(6)]
    prices = [100_000, 101_000, 100_500, 102_000, 101_000, 103_000]
    lines = [f"{at},{price},{price},{price},{price},1" for at, price in zip(minutes, prices, strict=True)]
    one = bars(tmp_path, "a", *lines)
    other = bars(tmp_path, "b", *lines[:4], "oops", *lines[4:])
    found = json.loads(run("bars", one, other, "--json").stdout)
    (pair,) = found["pairs"]
    assert (pair["a"], pair["b"], pair["common"]) == ("A minute trade", "B minute trade", 6)
    assert pair["correlation"] == pytest.approx(1.0)
    assert found["series"]["B minute trade"]["faults"][0].startswith("equity usa minute trade 20131007 B line 5: ")
    assert found["series"]["A minute trade"]["first"] == "2013-10-07T13:30:00+00:00"
    early = run("bars", one, "--calendar", "CMES", "--json")
    assert json.loads(early.stdout)["series"]["A minute trade"]["bars"] == 6


def test_bars_of_a_symbol_that_is_not_there_asks_for_another(tmp_path: Path) -> None:
    failed = run("bars", bars(tmp_path, "a", "0,1,1,1,1,1"), "--symbol", "ZZZ")
    assert isinstance(failed.exception, BarsError)
    assert "no bars of ZZZ: leave --symbol out" in str(failed.exception)
