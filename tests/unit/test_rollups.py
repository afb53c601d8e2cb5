"""Bars of ticks: held against a plain reading of what a bar is, however the ticks are cut and in whatever order."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.market import NS_PER_S, TICK, Condition, Flag, Kind, Ticks
from pipelines.domain.rollups import DAY_NS, MINUTE_NS, ROLLUP, Rollups, floor_ns, joined, seconds, utc_days

NUMBERS = np.arange(4)


def tick(kind: Kind, price: float, at_ns: int, sequence: int, **values: Any) -> Ticks:
    """A row: a trade of 2 at the price, or a quote of it and half more."""
    row = np.zeros(1, TICK)
    row["kind"], row["event_ns"], row["sequence"] = kind, at_ns, sequence
    row["bid"], row["ask"] = price, price if kind == Kind.TRADE else price + 0.5
    row["bid_size"] = row["ask_size"] = 2.0
    for name, value in values.items():
        row[name] = value
    return row


def bar_of(*rows: Ticks) -> Any:
    (bar,) = seconds([(NUMBERS, np.concatenate(rows))])
    return bar


def plain(ticks: Ticks) -> dict[tuple[int, int], dict[str, float]]:
    """Bars of a second by a slower way: everything of a second gathered, sorted and read."""
    gathered = defaultdict(list)
    for row in ticks:
        if row["kind"] in (Kind.QUOTE, Kind.TRADE):
            gathered[int(row["instrument"]), int(row["event_ns"]) // NS_PER_S].append(row)
    return {key: dict(_read(rows)) for key, rows in gathered.items()}


def _read(rows: list[Any]) -> Iterator[tuple[str, float]]:
    spoiled = Flag.CROSSED | Flag.OUTLIER | Flag.DUPLICATE
    good = [
        row
        for row in rows
        if not row["flags"] & spoiled and not (row["kind"] == Kind.TRADE and row["code"] & Condition.SUSPICIOUS)
    ]
    trades = [row for row in good if row["kind"] == Kind.TRADE]
    quotes = [row for row in good if row["kind"] == Kind.QUOTE]
    last = [row for row in trades if not row["code"] & (Condition.NOT_LAST | Condition.OUT_OF_SEQUENCE)]
    priced = [(int(row["event_ns"]), int(row["sequence"]), float(row["bid"])) for row in last] or [
        (int(row["event_ns"]), int(row["sequence"]), 0.5 * float(row["bid"] + row["ask"]))
        for row in quotes
        if row["bid"] and row["ask"]
    ]
    prices = [price for *_, price in sorted(priced)] or [np.nan]
    yield from zip(("open", "high", "low", "close"), (prices[0], max(prices), min(prices), prices[-1]), strict=True)
    yield "of_trades", float(bool(last))
    yield "volume", sum(float(row["bid_size"]) for row in trades)
    yield "notional", sum(float(row["bid"] * row["bid_size"]) for row in trades)
    yield from zip(("trades", "quotes", "left_out"), map(len, (trades, quotes, rows[len(good) :])), strict=True)
    newest = max(quotes, key=lambda row: (row["event_ns"], row["sequence"]), default=None)
    yield "bid", np.nan if newest is None else float(newest["bid"])
    yield "ask", np.nan if newest is None else float(newest["ask"])
    yield "first_ns", min(int(row["event_ns"]) for row in rows)
    yield "last_ns", max(int(row["event_ns"]) for row in rows)


@st.composite
def market(draw: st.DrawFn) -> Ticks:
    """Up to 40 rows of 4 instruments over a few seconds; eighths and whole sizes, so that sums are exact."""
    count = draw(st.integers(0, 40))
    rows = np.zeros(count, TICK)
    rows["sequence"] = np.array(draw(st.permutations(range(count))), dtype=np.int64)
    for name, values in (
        ("kind", st.sampled_from([Kind.QUOTE, Kind.QUOTE, Kind.TRADE, Kind.LEVEL, Kind.STATUS, Kind.HEARTBEAT])),
        ("instrument", st.integers(0, 3)),
        ("event_ns", st.integers(-2 * NS_PER_S, 3 * NS_PER_S)),
        ("flags", st.sampled_from([1, 1, 1, 1, Flag.CROSSED, Flag.OUTLIER, Flag.DUPLICATE, Flag.LATE, Flag.STALE])),
        ("code", st.sampled_from([0, 0, 0, *Condition])),
    ):
        rows[name] = draw(st.lists(values, min_size=count, max_size=count))
    for name in ("bid", "ask", "bid_size", "ask_size"):
        rows[name] = np.array(draw(st.lists(st.integers(0, 800), min_size=count, max_size=count)), np.float64) / 8
    trade = rows["kind"] == Kind.TRADE
    rows["ask"][trade], rows["ask_size"][trade] = rows["bid"][trade], rows["bid_size"][trade]
    return rows


@settings(deadline=None)
@given(market())
def test_a_bar_says_what_a_plain_reading_of_its_ticks_says(ticks: Ticks) -> None:
    wanted = plain(ticks)
    made = seconds([(NUMBERS, ticks)])
    assert [(int(bar["instrument"]), int(bar["start_ns"]) // NS_PER_S) for bar in made] == sorted(wanted)
    for bar in made:
        expected = wanted[int(bar["instrument"]), int(bar["start_ns"]) // NS_PER_S]
        assert {name: float(bar[name]) for name in expected} == pytest.approx(expected, nan_ok=True, abs=0, rel=0)


@settings(deadline=None)
@given(market(), st.data())
def test_ticks_cut_anywhere_and_taken_in_any_order_make_the_same_bars(ticks: Ticks, data: st.DataObject) -> None:
    whole = seconds([(NUMBERS, ticks)])
    shuffled = ticks[np.array(data.draw(st.permutations(range(len(ticks)))), dtype=np.int64)]
    cut = data.draw(st.integers(0, len(ticks)))
    parts = np.concatenate([seconds([(NUMBERS, part)]) for part in (shuffled[cut:], shuffled[:cut])])
    assert same(joined(parts, parts["start_ns"]), whole)


@settings(deadline=None)
@given(market())
def test_minutes_of_seconds_make_the_days_that_seconds_make(ticks: Ticks) -> None:
    of_seconds = seconds([(NUMBERS, ticks)])
    minutes = joined(of_seconds, floor_ns(of_seconds["start_ns"], MINUTE_NS))
    assert same(joined(minutes, utc_days((), minutes)), joined(of_seconds, utc_days((), of_seconds)))


def same(one: Rollups, other: Rollups) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(one[name], other[name], equal_nan=ROLLUP[name].kind == "f") for name in ROLLUP.names or ()
    )


def test_a_late_trade_takes_the_open_that_is_its_own() -> None:
    #   arrives  1st  2nd
    #   event    0.5  0.1 s
    bar = bar_of(tick(Kind.TRADE, 11, 500_000_000, 1), tick(Kind.TRADE, 10, 100_000_000, 2))
    assert (bar["open"], bar["close"]) == (10, 11)


def test_of_two_trades_at_one_time_the_sequence_decides() -> None:
    bar = bar_of(tick(Kind.TRADE, 11, 7, 2), tick(Kind.TRADE, 10, 7, 1))
    assert (bar["open"], bar["close"]) == (10, 11)


def test_the_first_trade_puts_the_mids_away() -> None:
    quotes = [tick(Kind.QUOTE, price, price, price) for price in (90, 200)]
    bar = bar_of(quotes[0], tick(Kind.TRADE, 100, 150, 3), quotes[1])
    assert (bar["of_trades"], bar["open"], bar["high"], bar["low"], bar["close"]) == (1, 100, 100, 100, 100)
    assert (bar["bid"], bar["ask"]) == (200, 200.5)


def test_a_trade_out_of_sequence_moves_volume_and_no_price() -> None:
    bar = bar_of(tick(Kind.TRADE, 10, 1, 1), tick(Kind.TRADE, 99, 2, 2, code=int(Condition.OUT_OF_SEQUENCE)))
    assert (bar["high"], bar["volume"], bar["notional"], bar["trades"]) == (10, 4, 218, 2)


def test_a_quote_of_one_side_has_no_mid() -> None:
    bar = bar_of(tick(Kind.QUOTE, 10, 1, 1, ask=0.0))
    assert np.isnan(bar["open"])
    assert (bar["quotes"], bar["bid"], bar["ask"]) == (1, 10, 0)


def test_a_price_below_zero_is_a_price() -> None:
    #  CME WTI, 2020-04-20
    assert bar_of(tick(Kind.TRADE, -37.63, 1, 1))["low"] == -37.63


def test_a_price_that_is_no_number_is_left_out() -> None:
    bar = bar_of(tick(Kind.TRADE, 10, 1, 1), tick(Kind.TRADE, np.nan, 2, 2))
    assert (bar["close"], bar["trades"], bar["left_out"]) == (10, 1, 1)


def test_days_begin_at_midnight_utc() -> None:
    bars = seconds([(NUMBERS, tick(Kind.TRADE, 1, -1, 1))])
    assert utc_days((), bars)[0] == -DAY_NS
