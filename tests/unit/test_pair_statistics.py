"""Pair statistics: published figures, each with its source and tolerance, and what is said of files that are amiss."""

import gzip
import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from jobs.cli.main import app
from jobs.cli.pairs import PairsError
from pipelines.research.pair_statistics import Options, distance, half_life, hurst, pair_statistics
from pipelines.research.prices import read_prices

DATA = Path(__file__).parents[3] / "shared/data"
CHAN, ETFS = DATA / "pairs_daily/chan_qt", DATA / "pairs_daily/arbitragelab/stock_prices.csv.gz"

recorded = pytest.mark.skipif(not CHAN.is_dir(), reason=f"{CHAN} is not on this machine")


def published(name: str) -> Any:
    return json.loads((DATA / "REFERENCES.json").read_text())["pairs"][name]["computed"]


def tell(*words: object) -> dict[str, Any]:
    found = CliRunner().invoke(app, ["pairs", "test", *map(str, words), "--json"], catch_exceptions=False)
    told: dict[str, Any] = json.loads(found.stdout)
    return told


@recorded
def test_gld_gdx_of_chan_example_3_6() -> None:
    """E. P. Chan, Quantitative Trading, example 3.6: the ratio of the first 252 days, z of their mean and deviation,
    in at 2 and out at 1; Sharpe ratios published as about 2.3 in training and 1.5 after."""
    expected = published("chan_qt_3_6_GLD_GDX")
    files = ("--prices", CHAN / "GLD.csv", "--prices", CHAN / "GDX.csv", "--pair", "GLD,GDX")
    prices = read_prices([CHAN / "GLD.csv", CHAN / "GDX.csv"], ("GLD", "GDX"))
    until = f"{prices.dates[251]:%Y-%m-%d}"
    told = tell(*files, "--trend", "n", "--until", until)
    assert (told["rows"], len(prices)) == (252, 385)
    assert told["hedge_ratio"] == pytest.approx(expected["hedge_train252"], rel=1e-9)
    assert told["spread_mean"] == pytest.approx(expected["spread_mean"], rel=1e-9)
    assert told["spread_std"] == pytest.approx(expected["spread_std"], rel=1e-9)
    z = (prices.values @ (1, -told["hedge_ratio"]) - told["spread_mean"]) / told["spread_std"]
    held, positions = 0, []
    for at in z:
        held = (1 if at <= -2 else -1) if abs(at) >= 2 else (0 if abs(at) <= 1 else held)
        positions.append(held)
    returns = np.diff(prices.values, axis=0) / prices.values[:-1]
    profit = np.concatenate(([0.0], np.array(positions[:-1]) * (returns @ (1, -1))))
    for part, name in ((profit[:252], "sharpe_train"), (profit[252:], "sharpe_test")):
        assert np.sqrt(252) * part.mean() / part.std(ddof=1) == pytest.approx(expected[name], rel=1e-2)


@recorded
def test_gld_gdx_of_chan_example_7_2_on_this_file() -> None:
    """The book's 1.6766, -3.357 and 10.0 are of an earlier adjustment of the same prices; of this file as computed."""
    files = ("--prices", CHAN / "GLD.csv", "--prices", CHAN / "GDX.csv", "--pair", "GLD,GDX")
    assert tell(*files, "--lags", 1)["adf_t"] == pytest.approx(-3.51708, abs=5e-6)
    through_origin = tell(*files, "--trend", "n")
    assert through_origin["hedge_ratio"] == pytest.approx(1.63952, abs=5e-6)
    assert through_origin["half_life"] == pytest.approx(7.84, abs=5e-3)
    assert through_origin["adf_critical"] is None


@recorded
def test_funds_of_arbitragelab() -> None:
    """hudson-and-thames/arbitragelab, tests/test_mean_reversion.py: 1.57; 2.169, -3.5; 64.01, 41.44; 31.23."""
    expected = published("arbitragelab_stock_prices")
    assert tell("--prices", ETFS, "--pair", "EEM,EWG", "--trend", "n")["hedge_ratio"] == pytest.approx(
        expected["EG hedge"], abs=5e-9
    )
    five = ("--prices", ETFS, "--pair", "EEM,EWG,TIP,EWJ,EFA")
    told = tell(*five, "--adf-trend", "c")
    assert told["hedge_ratio"]["EFA"] == pytest.approx(expected["EFA"], abs=5e-7)
    assert told["adf_t"] == pytest.approx(expected["ADF"], abs=5e-7)
    assert told["johansen"]["trace"][:2] == pytest.approx(expected["trace"], abs=5e-7)
    assert told["johansen"]["rank"] == 0
    assert len(told["johansen"]["vector"]) == len(told["johansen"]["eigenvalues"]) == 5
    assert tell(*five, "--method", "johansen")["half_life"] == pytest.approx(expected["half-life"], abs=5e-6)


@recorded
def test_nearest_funds_of_gatev() -> None:
    """Gatev, Goetzmann and Rouwenhorst, "Pairs trading", 2006: least squared distance of normalised prices; as
    arbitragelab's tests/test_basic_distance_approach.py has it for the first 100 days."""
    references = json.loads((DATA / "REFERENCES.json").read_text())["pairs"]["arbitragelab_stock_prices"]
    expected = references["published"]["Gatev SSD top-5 on first 100 rows"]
    with gzip.open(ETFS, "rt") as file:
        names = file.readline().strip().split(",")[1:]
    prices = dict(zip(names, read_prices([ETFS], names).values[:100].T, strict=True))
    lowest, highest = (np.mean([edge(each) for each in prices.values()]) for edge in (np.min, np.max))
    assert (lowest, highest) == pytest.approx(references["computed"]["norm"], abs=1e-8)
    distances = {pair: distance(*(prices[name] for name in pair)) for pair in combinations(names, 2)}
    nearest = sorted(distances, key=lambda pair: distances[pair])[:5]
    assert [sorted(pair) for pair in nearest] == [sorted(pair) for pair in expected]
    one, other = nearest[0]
    told = tell("--prices", ETFS, "--pair", f"{one},{other}", "--until", "2008-05-23")
    assert told["rows"] == 100
    assert told["distance"] == pytest.approx(distances[nearest[0]])


def random_walk(seed: int, rows: int = 4000) -> Any:
    return np.cumsum(np.random.default_rng(seed).normal(size=rows))


def test_a_half_life_is_that_of_the_process() -> None:
    rng = np.random.default_rng(3)
    spread = [0.0]
    for shock in rng.normal(size=200_000):
        spread.append(0.9 * spread[-1] + shock)
    found = half_life(np.array(spread))
    assert found == pytest.approx(np.log(2) / 0.1, rel=0.02)
    assert half_life(np.exp(np.arange(100) / 10)) is None


def test_hurst_tells_a_walk_from_what_reverts_and_what_trends() -> None:
    assert hurst(random_walk(1)) == pytest.approx(0.5, abs=0.06)
    reverting, trending = hurst(np.diff(random_walk(2))), hurst(np.cumsum(random_walk(3)))
    assert reverting is not None
    assert trending is not None
    assert reverting < 0.1
    assert trending > 0.9
    assert hurst(np.arange(5.0)) is None


def csv(folder: Path, text: str, name: str = "p.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def pair_of(rows: int = 60) -> str:
    rng = np.random.default_rng(1)
    b = 50 + np.cumsum(rng.normal(size=rows))
    a = 5 + 2 * b + rng.normal(size=rows)
    days = np.datetime64("2024-01-01") + np.arange(rows)
    return "Date,A,B\n" + "".join(f"{day},{one},{other}\n" for day, one, other in zip(days, a, b, strict=True))


def test_every_way_to_hedge_finds_the_ratio_that_is_there(tmp_path: Path) -> None:
    file = csv(tmp_path, pair_of(500), "p.csv.gz")
    for method in ("engle-granger", "johansen", "total-least-squares", "rolling", "ewma", "kalman"):
        told = tell("--prices", file, "--pair", "A,B", "--method", method)
        assert told["hedge_ratio"] == pytest.approx(2, abs=0.15), method
        assert told["method"] == method
        assert told["half_life"] < 3
    assert told["estimators"].keys() == {"total-least-squares", "rolling", "ewma", "kalman"}
    told = tell("--prices", file, "--pair", "A,B", "--lags", 1)
    assert told["adf_t"] < told["adf_critical"]["1%"]
    assert told["johansen"]["rank"] == 1


def test_a_date_that_one_leg_lacks_is_left_out_and_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    header, *lines = pair_of(61).splitlines()
    lines[30] = lines[30].rsplit(",", 1)[0] + ","
    shuffled = csv(tmp_path, "\n".join((header, *lines[::-1])))
    plain = csv(tmp_path, "\n".join((header, *lines[:30], *lines[31:])), "q.csv")
    one, other = (tell("--prices", file, "--pair", "A,B") for file in (shuffled, plain))
    assert (one.pop("left_out"), other.pop("left_out")) == (1, 0)
    assert one == other


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("", (), "p.csv: No columns to parse from file: give a CSV file with a header"),
        ("Date,A,B\n", (), "p.csv: 0 rows of 3 columns"),
        ("Date,A,C\n2024-01-01,1,2\n", (), "p.csv: no column B: there are A, C"),
        ("Date,A,BB\n2024-01-01,1,2\n", (), "p.csv: no column B: did you mean BB?"),
        ("Date,A,B\n2024-01-01,1,2\n2024-01-02,1,x\n", (), "p.csv:3: B: 'x' is no price"),
        ("Date,A,B\n2024-01-01,1,inf\n", (), "p.csv:2: B: 'inf' is no price"),
        ("Date,A,B\n2024-01-01,1,2\nsoon,1,2\n", (), "p.csv:3: Date: 'soon' is no date"),
        ("Date,A,B\n2024-01-01,1,2\n2024-01-01,1,2\n", (), "p.csv:3: Date: '2024-01-01' is there twice"),
        ("Date,A,B\n2024-01-01,1,\n2024-01-02,,2\n", (), "A, B: no date in common"),
        (pair_of(10), (), "10 dates in common: give 20 or more"),
        (pair_of(), ("--lags", 40), "lags: 40: of 60 dates give 0 to 14"),
        (pair_of(), ("--method", "ols"), "--method ols: take of engle-granger, johansen"),
        (pair_of(), ("--trend", "x"), "--trend x: take of n, c, ct"),
        (pair_of(), ("--method", "rolling", "--window", 99), "window: 99: of 60 dates give 3 to 60"),
        (pair_of(), ("--from", "2030-01-01"), "no date in common between the dates given"),
        (pair_of().replace("2024-01-03,", "2024-01-03,-"), ("--log",), "on 2024-01-03 has no logarithm"),
    ],
)
def test_what_cannot_be_tested_is_told_with_its_place(
    tmp_path: Path, text: str, words: tuple[object, ...], said: str
) -> None:
    file = csv(tmp_path, text)
    with pytest.raises(PairsError) as told:
        tell("--prices", file, "--pair", "A,B", *words)
    assert said in str(told.value)


def test_a_leg_that_is_another_exactly_or_never_moves_is_told(tmp_path: Path) -> None:
    lines = pair_of().splitlines()
    same = "\n".join(
        ["Date,A,B", *(f"{line.split(',')[0]},{line.split(',')[1]},{line.split(',')[1]}" for line in lines[1:])]
    )
    with pytest.raises(PairsError, match="one leg is the others exactly"):
        tell("--prices", csv(tmp_path, same), "--pair", "A,B")
    still = "\n".join(["Date,A,B", *(f"{line.rsplit(',', 1)[0]},7" for line in lines[1:])])
    with pytest.raises(PairsError, match="B: 7 on every date"):
        tell("--prices", csv(tmp_path, still), "--pair", "A,B")


def test_legs_of_a_file_each_are_found_by_their_names(tmp_path: Path) -> None:
    lines = [line.split(",") for line in pair_of().splitlines()[1:]]
    for name, place in (("A", 1), ("B", 2)):
        csv(tmp_path, "Day,Open,Adj Close\n" + "".join(f"{each[0]},0,{each[place]}\n" for each in lines), f"{name}.csv")
    files = [tmp_path / "A.csv", tmp_path / "B.csv"]
    apart = pair_statistics(read_prices(files, ("A", "B")))
    together = pair_statistics(read_prices([csv(tmp_path, pair_of())], ("A", "B")), Options())
    assert apart == together
    with pytest.raises(ValueError, match=r"A.csv: no column volume: it has Open, Adj Close"):
        read_prices(files, ("A", "B"), "volume")
