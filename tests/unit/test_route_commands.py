"""Routes by the commands: helios route preview, helios bench router."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from jobs.benchmarks.lean_lines import generate
from jobs.benchmarks.router import SIZES, measure
from jobs.benchmarks.router_replay import read_day
from jobs.cli.bench_router import RouterCommandError
from jobs.cli.main import app
from jobs.cli.route import RouteError
from pipelines.domain.market import NS_PER_S
from tests.support.lean_minutes import RECORDINGS

EXAMPLE = Path(__file__).parents[2] / "examples/routes/aig.yaml"
TICKS = RECORDINGS / "equity_ticks/tick"
recorded = pytest.mark.skipif(not TICKS.is_dir(), reason=f"{TICKS} is not on this machine")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def changed(folder: Path, old: str, new: str) -> Path:
    """The example with one of its texts changed."""
    text = EXAMPLE.read_text()
    assert old in text
    path = folder / "route.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def faults(path: Path) -> list[str]:
    failed = run("route", "preview", path)
    assert isinstance(failed.exception, RouteError)
    return str(failed.exception).splitlines()


def test_preview_tells_children_their_reasons_and_what_plain_splits_cost() -> None:
    found = json.loads(run("route", "preview", EXAMPLE, "--json").stdout)
    assert (found["side"], found["lots"], found["arrival_ms"], found["left_lots"]) == ("buy", 30, 4.0, 0)
    assert {child["venue"]: (child["how"], child["lots"], child["delay_ms"]) for child in found["children"]} == {
        "N": ("take", 10, 0.0),
        "Q": ("take", 12, 2.0),
        "MID": ("midpoint", 8, 1.0),
    }
    assert found["children"][0]["reason"].startswith("takes 10 at 48.86, fee 0.0025 a unit; fills with 87.4 % at 4 ms")
    costs = {name: each["bps"] for name, each in found["expected"].items()}
    assert costs["router"] < min(costs["single_venue"], costs["pro_rata"], costs["by_price"])


def test_preview_draws_what_it_tells() -> None:
    shown = run("route", "preview", EXAMPLE).stdout
    assert "buy 30 AIG: arrives everywhere at 4 ms" in shown
    assert "single venue" in shown


def test_preview_reads_json(tmp_path: Path) -> None:
    path = tmp_path / "route.json"
    path.write_text(
        json.dumps(
            {
                "instrument": {"tick": 0.01},
                "parent": {"side": "sell", "lots": 5},
                "venues": [{"name": "N", "latency_ms": 1e-3, "taker": {"bps": 0.3}}],
                "books": [{"venue": "N", "bids": [{"price": 13.85, "lots": 3}, {"price": 13.84, "lots": 4}]}],
            },
            indent=2,
        )
    )
    (child,) = json.loads(run("route", "preview", path, "--json").stdout)["children"]
    assert (child["lots"], child["price"]) == (5, "13.84")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("side: buy", "side: bye", ":4: parent.side: unknown side 'bye': did you mean buy?"),
        ("lots: 30", "lots: 2.5", ":4: parent.lots: '2.5' is not a whole number"),
        ("limit: 48.90", "limit: 48.905", ":4: parent.limit: 48.905 is off the tick of 0.01: give a multiple of it"),
        ("limit: 48.90", "limit: 1e13", ":4: parent.limit: 1e13 is out of range"),
        ("limit: 48.90", "limit: .nan", ":4: parent.limit:"),
        ("urgency: 1", "urgency: 2", ":4: parent.urgency: 2 is out of range: give one from 0 to 1"),
        ("urgency: 1", "urgent: 1", ":4: parent.urgent: unknown field: did you mean urgency?"),
        ("name: Q", "name: N", "venues[1].name: 'N' is taken"),
        ("venue: Q", "venue: X", "books[1].venue: unknown venue 'X'"),
        ("venue: W", "venue: MID", "MID is dark and displays nothing"),
        ("bids: [{price: 48.85, lots: 9}]", "bids: [{price: 48.86, lots: 9}]", "asks: best ask 48.86 is not above"),
        ("price: 48.88", "price: 48.86", "asks[1].price: 48.86 is not worse than the level before"),
        ("tick: 0.01", "tick: 0", ":3: instrument.tick:"),
        ("chance: 0.95", "chance: 1.5", "chance: 1.5 is out of range: give one from 0 to 1"),
        ("latency_ms: 9, ", "", "venues[2].latency_ms: missing: give a number"),
    ],
)
def test_a_fault_of_the_file_names_its_place_and_the_way_out(tmp_path: Path, old: str, new: str, says: str) -> None:
    found = faults(changed(tmp_path, old, new))
    assert any(says in line for line in found), found
    assert all(line.startswith(str(tmp_path)) for line in found)


@pytest.mark.parametrize(
    "text", ["", "- 1", "parent: [", "\0", "a: &a [*a]", "[" * 5000, "parent: !!python/name:os.system x"]
)
def test_what_is_no_such_file_is_refused_in_a_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "route.yaml"
    path.write_text(text)
    assert faults(path)[0].startswith(f"{path}:1: ")


def test_a_side_that_nobody_quotes_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, "side: buy", "side: sell")
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "bids:" not in line))
    assert faults(path)[0].endswith("nobody quotes what a sell order takes: give a book with that side")


def walk(folder: Path) -> Path:
    return generate(folder, 40_000, 1)


def test_the_benchmark_runs_on_a_day_of_random_quotes_and_is_the_same_again(tmp_path: Path) -> None:
    path = walk(tmp_path)
    found = json.loads(run("bench", "router", "--replay", path, "--times", 6, "--json").stdout)
    again = measure([path], times=6)
    assert {**found, "speed": 0} == {**json.loads(json.dumps(again)), "speed": 0}
    assert found["parents"] == 2 * len(SIZES) * found["times"]
    assert set(found["answers"]) == {"recorded"}  # there is no archive of trades beside it
    shown = run("bench", "router", "--replay", path, "--times", 6).stdout
    assert "saved against single venue" in shown


def test_the_benchmark_refuses_what_is_no_archive_of_quotes(tmp_path: Path) -> None:
    path = tmp_path / "equity/usa/tick/gen/20131007_trade.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("20131007_gen_Trade_Tick.csv", "40000663,488500,300,N,0,0\n")
    failed = run("bench", "router", "--replay", path)
    assert isinstance(failed.exception, RouterCommandError)
    assert "give an equity's ticks of quotes, as DAY_quote.zip" in str(failed.exception)


def test_the_benchmark_refuses_a_file_without_a_session(tmp_path: Path) -> None:
    path = tmp_path / "equity/usa/tick/gen/20131007_quote.zip"
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("20131007_gen_Quote_Tick.csv", "40000663,488500,300,0,0,N,1,0\n")
    failed = run("bench", "router", "--replay", path)
    assert "no quotes at any of 200 times a day: give files of whole days" in str(failed.exception)


@recorded
def test_recorded_books_are_those_known_at_the_time() -> None:
    (day,) = read_day(TICKS / "bac/20131007_quote.zip", "BCJKNPQWXYZ")
    opened = day.start_ns + 34_200 * NS_PER_S
    times = opened + np.arange(600, 23_000, 400) * NS_PER_S
    books = [day.books(int(at), {}) for at in times]
    assert all(len({level.price_ticks for book in each for level in book.asks}) == 1 for each in books if each)
    assert sum(bool(each) for each in books) > 50
    assert max(len(each) for each in books) >= 4
    named = [level for each in books for book in each for level in book.asks if level.age_ns == 0]
    assert len(named) == sum(bool(each) for each in books)


@recorded
def test_the_router_is_measured_on_recorded_quotes() -> None:
    found = measure([TICKS / "bac/20131007_quote.zip"], times=8)
    assert found["parents"] == 80
    assert found["days"][0]["left_out"] == 0
    assert found["days"][0]["answer_trades"] == 102
    assert found["days"][0]["answer_ticks"] == pytest.approx(0.431, abs=1e-3)
    for told in found["answers"].values():
        for saved in told["groups"]["BAC"]["saved_bps"].values():
            assert saved["low"] <= saved["mean"] <= saved["high"]
    assert found["answers"]["answered"]["groups"]["all"]["saved_bps"]["single_venue"]["mean"] > 0
