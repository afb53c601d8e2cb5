"""The page of a pair: what is drawn, what is left open, what it says of itself."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.market import Status
from pipelines.history.pair_course import Break, halts
from pipelines.history.pair_profit import profit_course
from pipelines.history.profit import Terms, profit
from pipelines.pages.bands import Band, bands
from pipelines.pages.outline import outline
from pipelines.pages.pair_figure import pair_figure
from pipelines.pages.pair_index import file_of, pair_index
from pipelines.pages.pair_lines import drawn as drawn_rows
from pipelines.pages.pair_lines import line, lots_held, unknown
from pipelines.pages.pair_page import PLOTLY_FILE, PairPage, pair_page
from tests.support.pair_courses import at, course, fill, signal

SILENT = timedelta(minutes=5)
ROWS = np.arange(9)
ENTRY = Band(("pair_reversion",), "entry", 2.0)


def page_of(*args: Any, **more: Any) -> PairPage:
    return pair_page(course(*args, **more), (ENTRY,), SILENT, shared=True)


def data(page: PairPage) -> dict[str, Any]:
    """The figure that is in a page."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.text, re.DOTALL)
    assert found
    figure: dict[str, Any] = json.loads(found[1])
    return figure


def marks(page: PairPage, kind: str) -> list[dict[str, Any]]:
    return [trace for trace in data(page)["data"] if trace.get("meta", {}).get("mark") == kind]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(4, 60))
def test_an_outline_has_the_ends_and_the_extremes_and_only_rows_there_are(values: list[float], points: int) -> None:
    series = np.array(values)
    drawn = outline(series, points)
    assert len(drawn.rows) <= points + 8
    assert (np.diff(drawn.rows) > 0).all()
    assert {0, len(series) - 1} <= set(drawn.rows.tolist())
    kept = series[drawn.rows]
    assert (kept.min(), kept.max()) == (series.min(), series.max())


@given(st.integers(100, 5000), st.integers(0, 4999))
def test_no_peak_of_a_long_series_is_lost(count: int, place: int) -> None:
    series = np.zeros(count)
    series[place % count] = 1.0
    assert place % count in outline(series, 40).rows


def test_a_short_series_is_drawn_whole() -> None:
    assert outline(np.arange(9.0), 9).run == 1


def test_a_line_is_open_where_a_leg_was_silent() -> None:
    # second   0  1  2  3  4  5
    # KO       q  q  .  .  q  q      the samples of 2 and 3 repeat what stood at 1
    drawn = line(course([1, 2, 2, 2, 3, 4], breaks=[Break("KO", at(1), at(4), "no quote")]), ROWS[:6])
    assert drawn.rows.tolist() == [0, 1, -1, 4, 5]
    assert np.isnan(drawn.of(np.ones(6))).tolist() == [False, False, True, False, False]


def test_the_line_of_a_leg_is_not_open_where_the_other_was_silent() -> None:
    made = course([1, 2, 2, 2, 3, 4], breaks=[Break("KO", at(1), at(4), "no quote")])
    assert line(made, ROWS[:6], "PEP").rows.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_break_without_any_row_in_it_opens_the_line_too() -> None:
    drawn = line(course([1, 2, 3], breaks=[Break("PEP", at(1.2), at(1.8), "halted")]), ROWS[:3])
    assert drawn.rows.tolist() == [0, 1, -1, 2]


def test_breaks_of_two_legs_that_meet_are_one_stretch() -> None:
    both = [Break("KO", at(1), at(4), ""), Break("PEP", at(3), at(6), ""), Break("KO", at(8), at(20), "")]
    assert list(unknown(course([0.0] * 10, breaks=both))) == [(at(1), at(6)), (at(8), at(9))]


def test_an_instrument_is_halted_from_the_halt_until_it_trades() -> None:
    start = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    later = start + timedelta(seconds=9)
    said = [
        ("KO", start, Status.HALTED),
        ("KO", start + timedelta(seconds=5), Status.PAUSED),
        ("KO", later, Status.TRADING),
        ("PEP", later, Status.HALTED),
    ]
    assert halts(said, at(20)) == [Break("KO", at(0), at(9), "halted"), Break("PEP", at(9), at(20), "halted")]


def test_lots_are_those_after_each_fill() -> None:
    fills = [fill(-9, "KO", 1, 60), fill(2.5, "KO", 5, 60), fill(4, "PEP", -9, 170), fill(6, "KO", -6, 61)]
    times, lots = lots_held(course([0.0] * 9, fills=fills), ROWS[[0, 3, 8]], "KO")
    assert ((times * 1000 - at(0)) / 1e6).tolist() == [0, 2.5, 3, 6, 8]
    assert lots.tolist() == [1, 6, 6, 0, 0]


def test_profit_at_the_end_is_that_of_the_fills_and_the_last_mids() -> None:
    fills = [fill(1, "KO", 3, 60.0), fill(2.5, "PEP", -10, 170.2), fill(4, "KO", -1, 60.5), fill(6, "PEP", 4, 169.9)]
    made = course(range(9), fills=fills)
    mids = {"KO": made.values["mid_a"], "PEP": made.values["mid_b"]}
    over_time = profit_course(made.time_us, mids, fills, made.terms)
    (total,) = [
        each
        for each in profit([each.fill for each in fills], {leg: mid[-1] for leg, mid in mids.items()}, made.terms)
        if each.pair == "total"
    ]
    assert over_time.total[-1] == pytest.approx(total.total)
    assert over_time.realised[-1] == pytest.approx(total.realised)


def test_profits_in_two_currencies_are_not_added_up() -> None:
    made = course([0.0] * 6, fills=[fill(3, "KO", 1, 50.0)])
    made.terms["PEP"] = Terms(0.01, 1.0, "EUR")
    page = pair_page(made, (), SILENT, shared=True)
    assert not [trace for trace in data(page)["data"] if trace.get("yaxis") == "y5"]
    assert "The legs are paid in USD and EUR" in page.text


def test_a_fill_counts_from_its_own_time_on() -> None:
    fills = [fill(3, "KO", 1, 50.0)]
    made = course([0.0] * 6, fills=fills)
    mids = {"KO": made.values["mid_a"], "PEP": made.values["mid_b"]}
    over_time = profit_course(made.time_us, mids, fills, made.terms)
    assert over_time.total.tolist() == [0, 0, 0, 100, 100, 100]


def test_every_signal_and_every_fill_is_a_mark() -> None:
    signals = [signal(1, "enter_short", 2.3), signal(2, "enter_short", 2.2, 0, "pair_not_flat"), signal(5, "exit", 0.4)]
    page = page_of([0.0] * 9, signals, [fill(1, "KO", -5, 60.02), fill(1, "PEP", 5, 170.01)])
    assert sum(len(trace["x"]) for trace in marks(page, "signal")) == 3
    assert [trace["meta"]["action"] for trace in marks(page, "signal")] == ["enter_short", "exit"]
    assert [trace["customdata"] for trace in marks(page, "fill")] == [[[5, 60.02]], [[5, 170.01]]]
    assert page.told["signals"] == {"pair_reversion enter_short": 2, "pair_reversion exit": 1}


def test_a_signal_that_was_refused_says_why_and_is_pale() -> None:
    (trace,) = marks(page_of([0.0] * 4, [signal(1, "exit", 0.1, 0, "killed"), signal(2, "exit", 0.1)]), "signal")
    assert trace["customdata"] == ["refused: killed", "2 orders"]
    assert trace["marker"]["opacity"][0] < trace["marker"]["opacity"][1]


def test_fills_before_the_first_row_count_for_the_lots_and_are_no_marks() -> None:
    page = page_of([0.0] * 4, fills=[fill(-60, "KO", 5, 60.0), fill(2, "KO", -2, 60.0)])
    assert sum(len(trace["x"]) for trace in marks(page, "fill")) == 1
    assert page.told["fills"] == 1


def test_a_level_is_drawn_on_both_sides_of_the_mean() -> None:
    levels = [shape["y0"] for shape in data(page_of([0.0, 1.0]))["layout"]["shapes"] if shape["name"] == "entry"]
    assert sorted(levels) == [-2.0, 2.0]


def test_signals_with_one_level_share_its_line() -> None:
    levels = [("one", "exit_z", 0.5), ("two", "exit_z", 0.5), ("one", "entry_z", 2.0)]
    assert bands(levels) == (Band(("one", "two"), "exit", 0.5), Band(("one",), "entry", 2.0))


def test_a_night_is_cut_out_of_the_axis_unless_something_is_marked_in_it() -> None:
    night = Break("KO", at(10), at(8000), "no quote")
    quiet = course([0.0] * 9000, breaks=[night])
    assert pair_figure(quiet, ()).hidden == 1
    assert pair_figure(course([0.0] * 9000, [signal(500, "exit", 0.1)], breaks=[night]), ()).hidden == 0


def test_all_lines_have_the_rows_that_any_of_them_needs() -> None:
    made = course(np.sin(np.arange(20_000)).tolist())
    peak = 12_345
    made.values["mid_b"][peak] = 180.0
    rows = drawn_rows(made, [made.values["z"], made.values["mid_b"]]).rows
    assert peak in rows
    assert set(outline(made.values["z"]).rows) <= set(rows)


def test_what_is_left_out_is_said_on_the_page() -> None:
    assert "All 9 crossings and samples are drawn" in page_of([0.0] * 9).text
    long = page_of(np.sin(np.arange(20_000)).tolist()).text
    assert "Of 20,000 crossings and samples each line has the first, lowest, highest and last of every 34" in long


def test_a_pair_whose_name_is_markup_is_text_on_its_page() -> None:
    page = page_of([0.0] * 4, [signal(1, "exit</script><b>", 0.1)], pair="<b>KO</b>")
    assert "<b>" not in page.text
    assert marks(page, "signal")[0]["meta"]["action"] == "exit</script><b>"


def test_a_page_alone_holds_the_library_and_pages_together_name_it() -> None:
    alone = pair_page(course([0.0, 1.0]), (), SILENT)
    assert PLOTLY_FILE not in alone.text
    assert len(alone.text) > 3_000_000
    assert f'<script src="{PLOTLY_FILE}">' in page_of([0.0, 1.0]).text
    assert "http" not in re.sub(r"<script>.*?</script>", "", alone.text, flags=re.DOTALL)


def test_the_same_course_gives_the_same_page() -> None:
    assert page_of([0.0, 1.0]).text == page_of([0.0, 1.0]).text


@pytest.mark.parametrize(("pair", "file"), [("KO-PEP", "KO-PEP.html"), ("XBT/USD-A", "XBT%2fUSD-A.html")])
def test_a_file_is_named_after_its_pair_whatever_is_in_the_name(pair: str, file: str) -> None:
    assert file_of(pair) == file


def test_the_index_names_each_page_and_each_pair_without_one() -> None:
    text = pair_index("s", [page_of([0.0, 1.0]).told], {"A-B": "no spread events <of> it"})
    assert '<a href="KO-PEP.html">KO-PEP</a>' in text
    assert "A-B: no spread events &lt;of&gt; it" in text
