"""The pages of pairs as they are asked for, against a history with a pair in it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from infra.settings import Settings
from jobs.cli.pairs import app
from pipelines.contracts.strategy_file import REPOSITORY, load_strategy
from pipelines.domain.market import NS_PER_S, TICK, Flag, Kind
from pipelines.history.asked import Span
from pipelines.history.pair_history import PairHistory
from pipelines.history.reader import Batch
from pipelines.history.rows import Row, moment
from pipelines.history.tables import FILLS, ORDERS, SIGNALS, SPREADS
from pipelines.history.timescale import HistoryError
from pipelines.history.writer import Writer
from tests.support.market_history import START_NS, database

pytestmark = pytest.mark.stack

STRATEGY = REPOSITORY / "examples/aig-bac-spy.yaml"
SESSION = "pages-1"
MINUTES = 30
SILENT = range(600, 1200)
"""Seconds in which AIG is not quoted."""


def seconds() -> list[int]:
    return list(range(60 * MINUTES))


def batch() -> Batch:
    """A sample a second of AIG-BAC, two signals, the orders of the first, their fills; quotes of both legs a second."""
    made = Batch()
    made.rows[SPREADS] = [
        (SESSION, 0, "AIG-BAC", s, moment(ns(s)), ns(s), "sample", 0, np.sin(s / 100) * 3, 0.01 * s, 0.0, 1.0, 3.52,
         48.0 + s / 1000, 13.8, "", 0)
        for s in seconds()
    ]  # fmt: skip
    made.rows[SIGNALS] = [
        (SESSION, f"signal/{s}", "paper", moment(ns(s)), ns(s), "pair_reversion", "v", "AIG-BAC", "enter_short", 2.9,
         0.1, 3.52, 48.0, 13.8, 0, s, s)
        for s in (170, 180)
    ]  # fmt: skip
    made.rows[ORDERS] = [
        order("o1", "new", 170, "AIG", "sell", ""), order("o2", "new", 170, "BAC", "buy", ""),
        order("o3", "refused", 180, "AIG", "sell", "pair_not_flat: AIG-BAC is entering"),
    ]  # fmt: skip
    made.rows[FILLS] = [
        (SESSION, "us", f"e-{of}", "", "paper", moment(ns(171)), ns(171), of, instrument, side, 10, price, 10, 0)
        for of, instrument, side, price in (("o1", "AIG", "sell", 48.17), ("o2", "BAC", "buy", 13.81))
    ]
    ticks = np.zeros(2 * len(seconds()), TICK)
    ticks["sequence"] = np.arange(1, len(ticks) + 1)
    ticks["event_ns"] = np.repeat([ns(s) for s in seconds()], 2)
    ticks["receive_ns"] = ticks["event_ns"]
    ticks["instrument"] = np.tile([0, 1], len(seconds()))
    ticks["kind"], ticks["flags"] = int(Kind.QUOTE), int(Flag.HOME)
    ticks["bid"], ticks["ask"], ticks["bid_size"], ticks["ask_size"] = 48.0, 48.01, 1.0, 1.0
    silent = np.isin(np.repeat(seconds(), 2), SILENT) & (ticks["instrument"] == 0)
    made.ticks = {("us", "feed"): (("AIG", "BAC"), ticks[~silent])}
    return made


def order(name: str, action: str, second: int, instrument: str, side: str, reason: str) -> Row:
    time = moment(ns(second))
    return (SESSION, name, action, "paper", time, ns(second), "us", instrument, side, 10, "market", 0.0, "AIG-BAC", 0,
            f"signal/{second}", reason, "", [], "", 0.0)  # type: ignore[return-value]  # fmt: skip


def ns(second: int) -> int:
    return START_NS + second * NS_PER_S


@pytest.fixture(scope="module")
def address(stack: Settings) -> Iterator[str]:
    with database(stack) as dsn:
        with closing(Writer(dsn, SESSION, "")) as writer:
            writer.describe(load_strategy(STRATEGY))
            writer.write(batch(), {})
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("HELIOS_TIMESCALE_DSN", dsn)
            yield dsn


def figure(file: Path) -> dict[str, list[dict[str, object]]]:
    text = file.read_text()
    found: dict[str, list[dict[str, object]]] = json.loads(
        text.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    )
    return found


def test_a_page_has_the_marks_that_the_history_has(address: str, tmp_path: Path) -> None:
    file = tmp_path / "made/pair.html"
    words = ["page", "--pair", "AIG-BAC", "--strategy", str(STRATEGY), "--out", str(file), "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    told = json.loads(done.stdout)
    assert (told["rows"], told["signals"], told["fills"]) == (1800, {"pair_reversion enter_short": 2}, 2)
    marks = [trace for trace in figure(file)["data"] if "meta" in trace]
    assert [(trace["meta"], trace["customdata"]) for trace in marks if trace["name"] == "sell AIG"] == [
        ({"mark": "fill", "instrument": "AIG", "side": "sell"}, [[10, 48.17]])
    ]
    (signals,) = [trace for trace in marks if trace["yaxis"] == "y3"]
    assert signals["customdata"] == ["2 orders", "refused: pair_not_flat: AIG-BAC is entering"]
    assert "entry 2.5 (pair_reversion)" in file.read_text()


def test_a_leg_that_was_not_quoted_is_a_break_from_its_last_quote_to_its_next(address: str) -> None:
    with PairHistory(address) as history:
        made = history.course(SESSION, "AIG-BAC", Span())
    (silence,) = made.breaks
    edges = (ns(SILENT[0] - 1) // 1000, ns(SILENT[-1] + 1) // 1000)
    assert (silence.instrument, silence.start_us, silence.end_us) == ("AIG", *edges)


def test_a_page_of_a_part_has_the_rows_of_that_part(address: str, tmp_path: Path) -> None:
    words = ["page", "--pair", "AIG-BAC", "--from", "2026-01-05T14:31", "--to", "2026-01-05T14:32",
             "--out", str(tmp_path / "a.html"), "--json"]  # fmt: skip
    told = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert (told["rows"], told["from"], told["fills"]) == (60, "2026-01-05T14:31:00.000000Z", 0)


def test_pages_of_all_pairs_share_the_library_and_say_which_pair_has_none(address: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["pages", "--out", str(tmp_path), "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert [page["pair"] for page in told["pages"]] == ["AIG-BAC"]
    assert set(told["left_out"]) == {"AIG-SPY", "BAC-SPY"}
    assert {each.name for each in tmp_path.iterdir()} == {"AIG-BAC.html", "index.html", "plotly.min.js"}
    assert len((tmp_path / "AIG-BAC.html").read_text()) < 500_000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--pair AIG-BCA", "unknown pair 'AIG-BCA': did you mean AIG-BAC"),
        ("--pair AIG-BAC --to 2025-01-01", "in that time: there are 1800, 2026-01-05 14:30:00"),
        ("--pair AIG-SPY", "a pair has none until its moments are warm"),
        ("--pair AIG-BAC --out /proc/none/a.html", "/proc/none/a.html: cannot be written"),
    ],
)
def test_a_page_that_cannot_be_made_says_what_there_is(address: str, words: str, said: str) -> None:
    failed = CliRunner().invoke(app, ["page", *words.split()])
    assert said in str(failed.exception)


def test_reading_is_by_the_role_that_may_only_read(address: str) -> None:
    with PairHistory(address) as history, pytest.raises(HistoryError, match="read-only"):
        history._execute("DELETE FROM signals", {})
