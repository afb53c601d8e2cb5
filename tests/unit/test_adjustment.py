"""Factors for splits and dividends, against LEAN's factor files and the published correlation of USO with BNO."""

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from jobs.cli.main import app
from pipelines.domain.adjustment import adjustment
from pipelines.domain.bar_returns import alike
from pipelines.domain.reference import Dividend, Split
from pipelines.feeds.files.lean_bars import read_bars

DAILY = Path(__file__).parents[3] / "shared/data/pairs_daily"
recorded = pytest.mark.skipif(not DAILY.is_dir(), reason=f"{DAILY} is not on this machine")

REFERENCE = """\
reference: oil
version: 1
venues: {arca: {protocol: lean, time_zone: America/New_York, calendar: XNYS}}
instruments:
  - {id: USO, venue: arca, symbol: USO, asset_class: etf, currency: USD, tick_size: 0.01, lot_size: 1, valid_from: 2006-04-10}
  - {id: BNO, venue: arca, symbol: BNO, asset_class: etf, currency: USD, tick_size: 0.01, lot_size: 1, valid_from: 2010-06-02}
splits:
  - {instrument: USO, ex_date: 2020-04-29, new: 1, old: 8}
  - {instrument: BNO, ex_date: 2013-08-29, new: 2, old: 1}
"""  # noqa: E501


def days(count: int) -> list[date]:
    return [date.fromordinal(date(2020, 1, 1).toordinal() + number) for number in range(count)]


def test_a_reverse_split_multiplies_earlier_prices_and_divides_earlier_quantities() -> None:
    found = adjustment(days(3), np.array([2.0, 2.1, 17.0]), [Split("USO", date(2020, 1, 3), 1, 8)])
    assert found.price.tolist() == [8.0, 8.0, 1.0]
    assert found.quantity.tolist() == [0.125, 0.125, 1.0]


def test_a_dividend_takes_its_share_of_the_last_price_off_earlier_prices() -> None:
    found = adjustment(days(3), np.array([50.0, 40.0, 39.0]), [], [Dividend("SPY", date(2020, 1, 3), 1.0)])
    assert found.price.tolist() == [0.975, 0.975, 1.0]
    assert found.quantity.tolist() == [1.0, 1.0, 1.0]


def test_an_ex_date_to_come_or_before_all_days_changes_nothing() -> None:
    both = [Split("A", date(2020, 1, 9), 2, 1), Split("A", date(2019, 1, 1), 2, 1)]
    assert adjustment(days(3), np.ones(3), both, [Dividend("A", date(2020, 1, 1), 0.5)]).price.tolist() == [1.0] * 3


def test_an_ex_date_without_a_price_counts_from_the_next_day() -> None:
    some = [date(2020, 1, 3), date(2020, 1, 6)]
    assert adjustment(some, np.ones(2), [Split("A", date(2020, 1, 5), 2, 1)]).price.tolist() == [0.5, 1.0]


def test_days_that_do_not_rise_and_dividends_of_the_whole_price_are_refused() -> None:
    with pytest.raises(ValueError, match="must rise"):
        adjustment([date(2020, 1, 2)] * 2, np.ones(2), [])
    with pytest.raises(ValueError, match="A: dividend of 3 on 2020-01-02: the last price before it is 1"):
        adjustment(days(2), np.ones(2), [], [Dividend("A", date(2020, 1, 2), 3.0)])


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 20)), max_size=6))
def test_what_a_holding_is_worth_does_not_change_by_splits(given_splits: list[tuple[int, int, int]]) -> None:
    splits = [Split("A", days(21)[at], new, old) for new, old, at in given_splits]
    found = adjustment(days(21), np.ones(21), splits)
    assert found.price * found.quantity == pytest.approx(np.ones(21))
    assert (found.price[-1], found.quantity[-1]) == (1.0, 1.0)


def closes(name: str) -> tuple[list[date], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    (series,) = read_bars(DAILY / f"lean_daily/{name}.zip")
    starts = series.bars["start_ns"].tolist()
    found = [datetime.fromtimestamp(at // 10**9, UTC).astimezone(series.stream.zone).date() for at in starts]
    return found, series.bars["close"]


@recorded
def test_the_factors_of_lean_come_out_of_its_dividends() -> None:
    # Of each line: the last day before an ex-date, the factor of prices until then, and that day's closing price.
    lines = [line.split(",") for line in (DAILY / "lean_factor_files/spy.csv").read_text().split()]
    known = [(datetime.strptime(day, "%Y%m%d").date(), float(factor), float(close)) for day, factor, _, close in lines]
    traded, prices = closes("spy")
    dividends, expected = [], {}
    for (day, factor, close), (_, after, _) in pairwise(known):
        if day in traded[1:-1] and factor != after:
            dividends.append(Dividend("SPY", traded[traded.index(day) + 1], (1 - factor / after) * close))
            expected[day] = factor
    found = adjustment(traded, prices, [], dividends)
    assert len(dividends) > 80
    for day, factor in expected.items():
        assert found.price[traded.index(day)] == pytest.approx(factor, rel=2e-3)


@recorded
def test_uso_and_bno_move_alike_once_their_splits_are_taken_out(tmp_path: Path) -> None:
    path = tmp_path / "oil.yaml"
    path.write_text(REFERENCE)
    files = [str(DAILY / f"lean_daily/{name}.zip") for name in ("uso", "bno")]
    ran = CliRunner().invoke(app, ["bars", *files, "--reference", str(path), "--json"])
    (pair,) = json.loads(ran.stdout)["pairs"]
    assert pair["common"] == 2727
    assert pair["correlation"] == pytest.approx(0.914, abs=0.0006)
    raw = {name: closes(name) for name in ("uso", "bno")}
    numbers = {name: np.array([day.toordinal() for day in found[0]]) for name, found in raw.items()}
    since = {name: number >= date(2010, 6, 2).toordinal() for name, number in numbers.items()}
    unadjusted = alike(
        numbers["uso"][since["uso"]], raw["uso"][1][since["uso"]],
        numbers["bno"][since["bno"]], raw["bno"][1][since["bno"]],
    )  # fmt: skip
    assert unadjusted.correlation == pytest.approx(0.42, abs=0.005)


def test_reference_commands_check_and_show_as_of_a_day(tmp_path: Path) -> None:
    path = tmp_path / "oil.yaml"
    path.write_text(REFERENCE)
    run = CliRunner().invoke
    checked = run(app, ["reference", "check", str(path), "--json"])
    assert json.loads(checked.stdout)["instruments"] == 2
    shown = run(app, ["reference", "show", "USO", "--file", str(path), "--on", "2013-11-29", "--json"])
    told = json.loads(shown.stdout)
    assert told["session"] == "2013-11-29T14:30Z to 2013-11-29T18:00Z"
    assert told["splits"] == [{"ex_date": "2020-04-29", "new": 1.0, "old": 8.0}]
    missing = run(app, ["reference", "show", "MSFT", "--file", str(path)])
    assert "instrument 'MSFT' is not in reference oil" in str(missing.exception)
    path.write_text(REFERENCE.replace("version: 1", "version: x"))
    assert "version: 'x' is not a whole number" in str(run(app, ["reference", "check", str(path)]).exception)
