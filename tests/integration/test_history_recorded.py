"""A recording in the history: its bars against the trades of its own JSON, and its book against its best quotes."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.settings import Settings
from jobs.backfill import backfill
from pipelines.history.queries import History, Listed, Span
from tests.support.market_history import database

RECORDING = Path(__file__).parents[3] / "shared/data/ws_binance/usdm_btcusdt_20240808.jsonl.gz"

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not RECORDING.exists(), reason=f"no recording at {RECORDING}"),
]
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def history(stack: Settings) -> Iterator[History]:
    with database(stack) as dsn:
        (filled,) = backfill(dsn, "binance", [RECORDING])
        assert filled.progress.complete
        with History(dsn) as history:
            yield history


def trades() -> Iterator[tuple[int, float, float]]:
    """Time (ms), price and quantity of each trade of the recording, as the venue wrote them, in order of time."""
    with gzip.open(RECORDING, "rt") as lines:
        found = [json.loads(line.split(" ", 1)[1]).get("data", {}) for line in lines if '"e":"trade"' in line]
    yield from sorted((each["T"], float(each["p"]), float(each["q"])) for each in found if float(each["q"]))


def of(history: History) -> Listed:
    session = history.session("archive")
    return Listed(session, next(name for name in history.instruments(session) if name.upper() == "BTCUSDT"))


def test_minute_bars_are_those_of_the_trades_in_the_recording(history: History) -> None:
    prices, volumes = defaultdict(list), defaultdict(float)
    for ms, price, quantity in trades():
        prices[ms // 60_000].append(price)
        volumes[ms // 60_000] += quantity
    bars = history.ohlcv(of(history), Span(), MINUTE).frame()
    bars = bars[bars["trades"] > 0]
    assert bars["trades"].tolist() == [len(found) for _, found in sorted(prices.items())]
    assert bars["volume"].tolist() == pytest.approx([volumes[minute] for minute in sorted(volumes)])
    assert bars["high"].tolist() == [max(found) for _, found in sorted(prices.items())]
    assert bars["low"].tolist() == [min(found) for _, found in sorted(prices.items())]


def test_the_book_has_the_best_quotes_that_the_venue_sent_at_the_time(history: History) -> None:
    """The two feeds of the venue are not of one instant: the best prices are to be within a few ticks."""
    quotes = history.ticks(of(history), Span(), "quote").frame()
    for place in (0.3, 0.6, 0.9):
        quote = quotes.iloc[int(len(quotes) * place)]
        book = history.book(of(history), quote["time"].to_pydatetime(), 1).frame().set_index("side")
        assert book.loc["bid", "price"] < book.loc["ask", "price"]
        assert book.loc["bid", "price"] == pytest.approx(quote["bid"], abs=20.0)
        assert book.loc["ask", "price"] == pytest.approx(quote["ask"], abs=20.0)


def test_a_minute_of_the_recording_is_found_by_its_clock(history: History) -> None:
    first = history.ohlcv(of(history), Span(), MINUTE).rows[0][0]
    assert first == datetime(2024, 8, 8, 23, 54, tzinfo=UTC)
