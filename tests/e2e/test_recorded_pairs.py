"""Currencies as LEAN has them, traded by a strategy of examples/: through every part to the page of the pair."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.settings import Settings
from jobs.cli.pairs import app
from jobs.demo import Stopwatch, run_session
from jobs.replay_plans import replayed_plan
from jobs.session import SessionPlan, TradingSession
from pipelines.contracts.strategy_file import REPOSITORY
from pipelines.history.asked import EVERYTHING, Span
from pipelines.history.pair_history import PairHistory
from tests.support.lean_minutes import RECORDINGS

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

FILES = [RECORDINGS / f"fx_ticks/oanda/tick/{pair}/20140504_quote.zip" for pair in ("eurusd", "nzdusd")]
"""A Sunday's evening: 3,786 quotes."""
EXAMPLE = (REPOSITORY / "examples/eurusd-nzdusd.yaml").read_text()
PAIR = "EURUSD-NZDUSD"
SPEED = 600.0


@pytest.fixture(scope="module")
def ran(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The summary of the session; of the example with shorter moments, as the evening is short."""
    if not all(file.is_file() for file in FILES):
        pytest.skip(f"no recordings {FILES[0].parent}")
    strategy = tmp_path_factory.mktemp("currencies") / "strategy.yaml"
    strategy.write_text(EXAMPLE.replace("span: 4000, warmup: 1000", "span: 400, warmup: 100").replace("3.0", "2.0"))
    plan, feed = replayed_plan(strategy, FILES, SPEED)
    plan = SessionPlan(plan.strategy_file, "currencies.", venue_port=17321)
    try:
        yield run_session(stack, plan, feed, Console(stderr=True), Stopwatch.started())
    finally:
        TradingSession(stack, plan).close()


@pytest.fixture(scope="module")
def page(ran: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figure that is in the pair's page."""
    folder = tmp_path_factory.mktemp("pages")
    words = ["pages", "--session", ran["session"], "--out", str(folder), "--strategy", ran["strategy"], "--json"]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    (told,) = json.loads(done.stdout)["pages"]
    text = Path(told["file"]).read_text()
    figure = text.partition('<script type="application/json" id="data">')[2].partition("</script>")[0]
    found: dict[str, Any] = json.loads(figure)
    return found


def test_every_tick_that_is_in_the_files_is_in_the_market_and_in_the_history(ran: dict[str, Any]) -> None:
    assert ran["conserved"]
    assert ran["ticks"] == ran["rows"]["ticks"] == 3_786


def test_the_library_s_signals_come_of_a_recorded_pair_and_are_traded(ran: dict[str, Any]) -> None:
    assert ran["signals"] > 0
    assert ran["fills"] > 0


def test_the_page_has_a_mark_for_each_signal_and_each_fill_of_the_history(
    stack: Settings, ran: dict[str, Any], page: dict[str, Any]
) -> None:
    with PairHistory(stack.timescale.reader_dsn) as history:
        course = history.course(ran["session"], PAIR, Span())
        fills = history.fills(ran["session"], None, PAIR, Span(), EVERYTHING).rows
    marks: dict[str, int] = {"signal": 0, "fill": 0}
    for trace in page["data"]:
        if kind := trace.get("meta", {}).get("mark"):
            marks[kind] += len(trace["x"])
    assert marks == {"signal": ran["signals"], "fill": ran["fills"]}
    assert marks == {"signal": len(course.signals), "fill": len(fills)}


def test_the_page_has_the_levels_of_the_strategy_that_was_traded(page: dict[str, Any]) -> None:
    levels = {(shape["name"], shape["y0"]) for shape in page["layout"]["shapes"] if shape["name"] != "unknown"}
    assert levels == {("entry", 2.0), ("entry", -2.0), ("exit", 0.5), ("exit", -0.5)}
