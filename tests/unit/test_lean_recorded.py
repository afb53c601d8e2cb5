"""LEAN's files as recorded: its own minute bars come out of its ticks, and two time zones meet in one."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.contracts.calendars import sessions
from pipelines.domain.bar_returns import alike
from pipelines.domain.market import NS_PER_S, Kind
from pipelines.feeds.files.lean import open_files
from pipelines.feeds.files.lean_bars import read_bars
from pipelines.feeds.files.reading import read_through
from tests.support.lean_minutes import MINUTE_NS, RECORDINGS, quote_minutes, rows_of, trade_minutes

EQUITIES = RECORDINGS / "equity_ticks"
DAYS = ("20131007", "20131008", "20131009")
MIDNIGHT_NS = 1_381_118_400 * NS_PER_S
HOUR_NS = 3600 * NS_PER_S

pytestmark = pytest.mark.skipif(not EQUITIES.is_dir(), reason=f"{EQUITIES} is not on this machine")


def minute_bars(symbol: str, day: str, kind: str) -> NDArray[np.void]:
    return read_bars(EQUITIES / "minute" / symbol / f"{day}_{kind}.zip")[0].bars


def of_day(start_ns: int) -> int:
    """The minute of its day in New York, which had no change of clocks in these days."""
    return (start_ns - MIDNIGHT_NS) // MINUTE_NS % 1440


def test_minute_trade_bars_come_out_of_trade_ticks_but_for_the_auctions() -> None:
    agree: Counter[str] = Counter()
    differ: Counter[int] = Counter()
    for symbol in ("aig", "bac", "spy"):
        for day in DAYS:
            made = trade_minutes(rows_of(EQUITIES / "tick" / symbol / f"{day}_trade.zip"))
            known = minute_bars(symbol, day, "trade")
            assert np.isin(known["start_ns"], made["start_ns"]).all()
            made = made[np.searchsorted(made["start_ns"], known["start_ns"])]
            for name in ("open", "high", "low", "close", "volume"):
                same = made[name] == known[name]
                agree[name] += int(same.sum())
                differ.update(of_day(int(start)) for start in known["start_ns"][~same])
    # Of 5,467 bars. LEAN moves auctions into the minutes whose first and last prices they set: 570 and 571 (the
    # opening, 9:30), 959 to 961 (the closing, 16:00), which its ticks have when the exchange printed them.
    assert agree == {"open": 5459, "high": 5466, "low": 5465, "close": 5461, "volume": 5441}
    auctions = {570, 571, 959, 960, 961}
    # A trade on seller's terms that LEAN counts, average prices without its usual second flag (two), and 1,500
    # shares that are in no tick.
    assert set(differ) - auctions == {580, 826, 903, 924}


def test_minute_quote_bars_come_out_of_quote_ticks() -> None:
    bars = different = 0
    for symbol in ("aig", "bac"):
        for day in DAYS:
            made = quote_minutes(rows_of(EQUITIES / "tick" / symbol / f"{day}_quote.zip"))
            known = minute_bars(symbol, day, "quote")
            assert np.isin(known["start_ns"], made["start_ns"]).all()
            made = made[np.searchsorted(made["start_ns"], known["start_ns"])]
            bars += len(known)
            different += int((made != known).sum())
    assert (bars, different) == (3464, 1)  # AIG, 2013-10-07 16:07, opens where 16:05 closed, which LEAN's file lacks


def test_ticks_of_three_instruments_are_one_session_in_order_of_event_time() -> None:
    files = sorted(EQUITIES.glob("tick/*/20131007_trade.zip"))
    found = read_through(open_files([*files, EQUITIES / "tick/bac/20131007_quote.zip"]))
    assert dict(found.messages) == {"trade": 364_114, "official_price": 10, "quote": 476_855}
    assert dict(found.ticks) == {"trade": 364_114, "quote": 238_428}
    assert "late" not in found.flags
    assert set(found.symbols) == {"AIG", "BAC", "SPY"}
    assert found.rejects == {}


def test_a_session_of_several_files_has_the_rows_of_each_of_them() -> None:
    files = [EQUITIES / "tick/aig/20131008_trade.zip", EQUITIES / "tick/aig/20131007_trade.zip"]
    merged = rows_of(*files)
    assert (np.diff(merged["event_ns"]) >= 0).all()
    apart = np.concatenate([rows_of(path) for path in reversed(files)])
    names = [name for name in merged.dtype.names or () if name != "position"]
    assert (merged[names] == apart[names]).all()


def test_currencies_are_quotes_without_sizes() -> None:
    files = sorted((RECORDINGS / "fx_ticks").glob("oanda/tick/*/*.zip"))
    found = read_through(open_files(files))
    assert (found.messages, found.ticks) == ({"quote": 379_214}, {"quote": 379_214})
    assert set(found.symbols) == {"EURUSD", "NZDUSD"}


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [("futures_minute/es/*.zip", 8_318), ("crypto_minute/coinbase/minute/*/*.zip", 11_510),
     ("pairs_daily/lean_daily/*.zip", 13_586)],
)  # fmt: skip
def test_files_of_bars_are_read_to_the_last_line(pattern: str, lines: int) -> None:
    files = sorted(RECORDINGS.glob(pattern))
    found = read_through(open_files(files))
    series = [each for path in files for each in read_bars(path)]
    assert set(found.rejects) <= {"crossed"}
    assert not any(each.faults for each in series)
    assert found.messages["bar"] == sum(len(each.bars) for each in series)
    quotes = sum(len(each.bars) for each in series if each.stream.quotes)
    assert found.ticks["quote"] + found.rejects["crossed"] == quotes
    assert set(found.ticks) <= {"quote"}


def front_month() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    files = sorted(RECORDINGS.glob("futures_minute/es/*_trade.zip"))
    bars = [each.bars for path in files for each in read_bars(path) if each.stream.symbol == "ES201312"]
    joined = np.concatenate(bars)
    return joined["start_ns"], joined["close"]


def test_futures_in_utc_and_equities_in_new_york_meet_minute_by_minute() -> None:
    spy = np.concatenate([minute_bars("spy", day, "trade") for day in DAYS])
    first, last = (
        np.datetime64(int(at), "ns").astype("datetime64[D]").astype(object) for at in spy["start_ns"][[0, -1]]
    )
    hours = sessions("XNYS", first, last).values()
    regular = np.logical_or.reduce(
        [(spy["start_ns"] >= opened) & (spy["start_ns"] < closed) for opened, closed in hours]
    )
    spy = spy[regular]
    aligned = alike(*front_month(), spy["start_ns"], spy["close"], within_ns=MINUTE_NS)
    as_if_utc = alike(*front_month(), spy["start_ns"] - 4 * HOUR_NS, spy["close"], within_ns=MINUTE_NS)
    assert aligned.common == 3 * 390
    assert 0.94 < aligned.correlation < 0.96
    assert abs(as_if_utc.correlation) < 0.05


def test_every_sale_of_the_tape_is_a_trade_of_the_tick_log() -> None:
    rows = rows_of(EQUITIES / "tick/aig/20131007_trade.zip")
    assert (rows["kind"] == Kind.TRADE).all()
    assert (rows["bid"] > 0).all()
    assert rows["event_ns"].min() >= MIDNIGHT_NS + 4 * HOUR_NS
    assert rows["event_ns"].max() < MIDNIGHT_NS + 20 * HOUR_NS
