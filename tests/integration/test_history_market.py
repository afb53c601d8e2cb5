"""Questions about the market, against the same ticks read with NumPy and pandas."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from infra.settings import Settings
from pipelines.domain.market import NS_PER_S, Kind
from pipelines.history.asked import Span
from pipelines.history.queries import History, Listed
from pipelines.history.rollup_tables import ROLLUP_TABLES
from pipelines.history.timescale import HistoryError, connect
from tests.support.market_history import NAMES, SESSION, START_NS, database, good, market, write_shuffled

pytestmark = pytest.mark.stack

TICKS = market(20_000)
KO = Listed(SESSION, "KO")
START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

ROLLED_UP = """
WITH good AS (
    SELECT *, event_ns::numeric * 1e12::numeric + sequence AS at, time_bucket('{length}', event_time) AS start_time,
           flags & 8832 <> 0 OR (kind = 'trade' AND code & 512 <> 0) AS out,
           kind = 'trade' AND code & 384 = 0 AS last,
           CASE WHEN kind = 'quote' THEN (bid + ask) / 2 END AS mid
    FROM ticks WHERE kind IN ('quote', 'trade')
), priced AS (
    SELECT *, last AND NOT out AS sets, CASE WHEN NOT out THEN mid END AS price FROM good
)
SELECT session_id, venue, instrument, start_time,
       coalesce(first(bid, at) FILTER (WHERE sets), first(price, at) FILTER (WHERE price IS NOT NULL)),
       coalesce(max(bid) FILTER (WHERE sets), max(price)), coalesce(min(bid) FILTER (WHERE sets), min(price)),
       coalesce(last(bid, at) FILTER (WHERE sets), last(price, at) FILTER (WHERE price IS NOT NULL)),
       bool_or(sets), coalesce(sum(bid_size) FILTER (WHERE kind = 'trade' AND NOT out), 0),
       coalesce(sum(bid * bid_size) FILTER (WHERE kind = 'trade' AND NOT out), 0),
       count(*) FILTER (WHERE kind = 'trade' AND NOT out), count(*) FILTER (WHERE kind = 'quote' AND NOT out),
       count(*) FILTER (WHERE out), last(bid, at) FILTER (WHERE kind = 'quote' AND NOT out),
       last(ask_size, at) FILTER (WHERE kind = 'quote' AND NOT out), min(event_ns), max(event_ns)
FROM priced GROUP BY 1, 2, 3, 4
"""
KEPT = """
SELECT session_id, venue, instrument, start_time, open, high, low, close, of_trades, volume, notional, trades, quotes,
       left_out, bid, ask_size, first_ns, last_ns
FROM {table}
"""


@pytest.fixture(scope="module")
def dsn(stack: Settings) -> Iterator[str]:
    with database(stack) as dsn:
        write_shuffled(dsn, TICKS)
        yield dsn


@pytest.fixture
def history(dsn: str) -> Iterator[History]:
    with History(dsn) as history:
        yield history


@pytest.mark.parametrize(("table", "length"), list(zip(ROLLUP_TABLES, ("1 second", "1 minute", "1 day"), strict=True)))
def test_roll_ups_are_what_a_plain_aggregation_of_the_ticks_says(dsn: str, table: str, length: str) -> None:
    with connect(dsn, application="test") as connection:
        assert connection.execute("SELECT count(*) FROM ticks").fetchone() == (len(TICKS),)
        kept = set(connection.execute(KEPT.format(table=table).encode()))
        assert kept == set(connection.execute(ROLLED_UP.format(length=length).encode()))


@pytest.mark.parametrize("seconds", [1, 7, 60, 90, 300, 86400])
def test_bars_of_roll_ups_are_those_of_the_ticks(history: History, seconds: int) -> None:
    bucket = timedelta(seconds=seconds)
    asked = KO.parameters() | Span().parameters() | {"bucket": bucket, "limit": 1 << 40}
    assert history.ohlcv(KO, Span(), bucket).rows == history._ask("ohlcv_of_ticks", **asked).rows


def test_bars_of_half_a_second_come_from_the_ticks(history: History) -> None:
    bars = history.ohlcv(KO, Span(), timedelta(milliseconds=500)).frame()
    trades = good(TICKS, 0, Kind.TRADE)
    assert bars["volume"].sum() == trades["bid_size"].sum()
    assert set(bars["time"].dt.microsecond) == {0, 500_000}


def test_a_limit_takes_the_newest_bars(history: History) -> None:
    every = history.ohlcv(KO, Span(), MINUTE).rows
    assert history.ohlcv(KO, Span(), MINUTE, 3).rows == every[-3:]


def test_the_vwap_of_a_time_is_of_its_trades(history: History) -> None:
    trades = good(TICKS, 0, Kind.TRADE)
    odd = [
        Span(START + timedelta(seconds=low), START + timedelta(seconds=high))
        for low, high in ((7.3, 99.9), (30.1, 30.95))
    ]
    for span in (
        Span(START + MINUTE, START + 3 * MINUTE),
        Span(START + MINUTE, START + timedelta(seconds=77.25)),
        *odd,
    ):
        inside = trades[(trades["event_ns"] >= nanoseconds(span.start)) & (trades["event_ns"] < nanoseconds(span.end))]
        (row,) = history.vwap(KO, span).frame().to_dict("records")
        assert row["vwap"] == pytest.approx((inside["bid"] * inside["bid_size"]).sum() / inside["bid_size"].sum())
        assert row["trades"] == len(inside)


def test_vwaps_of_parts_of_seconds_make_up_the_whole(history: History) -> None:
    parts = history.vwap(KO, Span(), timedelta(milliseconds=250)).frame()
    (whole,) = history.vwap(KO, Span()).frame().to_dict("records")
    assert (parts["volume"].sum(), parts["notional"].sum()) == (whole["volume"], whole["notional"])


def test_quotes_as_of_times_are_the_last_ones_before_them(history: History) -> None:
    rng = np.random.default_rng(3)
    at_us = (START_NS + rng.integers(0, TICKS["event_ns"].max() - START_NS, 200)) // 1000
    wanted = [
        (NAMES[n % 3], datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(us))) for n, us in enumerate(at_us)
    ]
    found = history.asof(SESSION, wanted).rows
    assert [(row[1], row[0]) for row in found] == wanted
    for number, row in enumerate(found):
        quotes = good(TICKS, number % 3, Kind.QUOTE)
        before = quotes[quotes["event_ns"] // 1000 <= at_us[number]]
        expected = (before[-1]["bid"], before[-1]["ask"], before[-1]["bid_size"]) if len(before) else (None, None, None)
        assert (row[4], row[5], row[6]) == expected


def test_a_quote_before_the_first_is_not_there(history: History) -> None:
    (row,) = history.asof(SESSION, [("KO", START - timedelta(days=1))]).rows
    assert row[2:] == (None,) * 7


def test_volatility_is_the_root_of_the_years_squared_returns(history: History) -> None:
    bars = history.ohlcv(KO, Span(), timedelta(seconds=10)).frame()
    (row,) = (
        history.volatility(KO, Span(), timedelta(seconds=10), max_gap=timedelta(seconds=20)).frame().to_dict("records")
    )
    returns, steps = np.diff(np.log(bars["close"])), bars["time"].diff().dt.total_seconds().to_numpy()[1:]
    counted = steps <= 20
    assert row["returns"] == counted.sum()
    assert row["realised"] == pytest.approx(np.sqrt((returns[counted] ** 2).sum()))
    year_s = 365 * 86400
    assert row["annualised"] == pytest.approx(np.sqrt(year_s * (returns[counted] ** 2).sum() / steps[counted].sum()))


def test_a_profile_says_when_in_the_day_of_a_zone_volume_comes(history: History) -> None:
    trades = good(TICKS, 0, Kind.TRADE)
    local = pd.to_datetime(trades["event_ns"], utc=True).tz_convert(ZoneInfo("America/New_York")).floor("5min")
    expected = pd.Series(trades["bid_size"]).groupby(local.time).sum()
    found = history.volume_profile(KO, Span(), 5 * MINUTE, "America/New_York").frame().set_index("time_of_day")
    assert found["volume"][found["volume"] > 0].to_dict() == expected.to_dict()
    assert found["share"].sum() == pytest.approx(1)
    assert found.index[0].isoformat() == "09:25:00"  # late ticks are of the minutes before


def test_ticks_come_as_they_were(history: History) -> None:
    frame = history.ticks(KO, Span(START + MINUTE, START + 2 * MINUTE), "trade").frame()
    inside = (TICKS["instrument"] == 0) & (TICKS["kind"] == Kind.TRADE)
    inside &= (TICKS["event_ns"] >= START_NS + 60 * NS_PER_S) & (TICKS["event_ns"] < START_NS + 120 * NS_PER_S)
    expected = TICKS[inside][np.lexsort((TICKS[inside]["sequence"], TICKS[inside]["event_ns"]))]
    for name in ("event_ns", "bid", "bid_size", "code", "flags", "sequence"):
        assert frame[name].tolist() == expected[name].tolist()


def test_answers_become_frames_and_files(history: History, tmp_path: Path) -> None:
    frame = history.frame("ohlcv", instrument="KO", every="1m", start="2026-01-05T14:31")
    assert frame["time"].dtype == "datetime64[us, UTC]"
    answer = history.ohlcv(KO, Span.of("2026-01-05T14:31"), MINUTE)
    answer.write_parquet(tmp_path / "bars.parquet")
    answer.write_csv(tmp_path / "bars.csv")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "bars.parquet"), frame)
    again = pd.read_csv(tmp_path / "bars.csv", parse_dates=["time"])
    assert (again["time"].astype("datetime64[us, UTC]") == frame["time"]).all()
    assert (again["close"] == frame["close"]).all()


@pytest.mark.parametrize("question", ["ohlcv", "vwap", "volatility", "volume_profile", "ticks"])
def test_an_answer_without_rows_says_what_there_is(history: History, question: str) -> None:
    with pytest.raises(HistoryError, match=r"nothing of KO in session market-1 in that time.*there is from 2026-01-05"):
        history.frame(question, instrument="KO", start="2030-01-01")


def test_unknown_questions_instruments_and_zones_are_told_the_way_out(history: History) -> None:
    with pytest.raises(HistoryError, match="unknown instrument 'K0': did you mean KO"):
        history.frame("ohlcv", instrument="K0")
    with pytest.raises(HistoryError, match="no question 'candles': ask ohlcv"):
        history.frame("candles")
    with pytest.raises(HistoryError, match="'Mars/Base' is not a time zone"):
        history.frame("volume_profile", instrument="KO", zone="Mars/Base")
    with pytest.raises(HistoryError, match="asof is of a time: give at="):
        history.frame("asof", instrument="KO")


def nanoseconds(time: datetime | None) -> int:
    assert time is not None
    return int((time - datetime.fromtimestamp(0, UTC)) / timedelta(microseconds=1)) * 1000
