"""Bars of ticks that can be added to: what two parts of an interval say, put together in any order, is what the whole
says.

Prices are of trades that set the last price; where there are none, of mids. Opening and closing prices go by event
time, then sequence, then price, so the order in which ticks come does not matter: joining is commutative and
associative, but for the rounding of the sums.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.eligible import SPOILED, SUSPICIOUS, VOLUME_ONLY
from pipelines.domain.market import NS_PER_S, Kind, Ticks

ROLLUP = np.dtype(
    [
        ("instrument", "i8"),
        ("start_ns", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("of_trades", "i8"),
        ("open_ns", "i8"),
        ("open_sequence", "i8"),
        ("close_ns", "i8"),
        ("close_sequence", "i8"),
        ("volume", "f8"),
        ("notional", "f8"),
        ("trades", "i8"),
        ("quotes", "i8"),
        ("left_out", "i8"),
        ("bid", "f8"),
        ("ask", "f8"),
        ("bid_size", "f8"),
        ("ask_size", "f8"),
        ("quote_ns", "i8"),
        ("quote_sequence", "i8"),
        ("first_ns", "i8"),
        ("last_ns", "i8"),
    ]
)
"""A bar, or a part of one. Prices are NaN, and their times the ends of int64, where there is none; `of_trades` is 0 or
1; `left_out` counts the quotes and trades that count for nothing else."""

Rollups = NDArray[np.void]
"""A structured array of `ROLLUP`, shape (n,)."""

SECOND_NS = NS_PER_S
MINUTE_NS = 60 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S

_QUOTE = int(Kind.QUOTE)
_TRADE = int(Kind.TRADE)
_FIRST = -(1 << 63)
_LAST = (1 << 63) - 1


def seconds(parts: Iterable[tuple[NDArray[np.int64], Ticks]]) -> Rollups:
    """The bars of a second of some ticks, sorted by instrument and start.

    Of each part: the number that each of its instruments has in the bars, and its ticks. Rows that are neither quotes
    nor trades are passed over.
    """
    taken = [_part(numbers, ticks) for numbers, ticks in parts]
    bars = np.concatenate(taken) if taken else np.empty(0, ROLLUP)
    return joined(bars, bars["start_ns"])


def joined(bars: Rollups, starts_ns: NDArray[np.int64]) -> Rollups:
    """Bars put together into longer ones, of the instruments that they are of and the starts that are given.

    starts_ns: shape (n,), where the longer bar of each begins. The result is sorted by instrument and start.
    """
    order = np.lexsort((starts_ns, bars["instrument"]))
    made = np.empty(len(bars), ROLLUP)
    return made[: _join_runs(bars[order], np.ascontiguousarray(starts_ns[order]), made)]


def floor_ns(times_ns: NDArray[np.int64], length_ns: int) -> NDArray[np.int64]:
    """The starts of the intervals of a length, counted from 1970 UTC, in which times lie."""
    return times_ns // length_ns * length_ns


def utc_days(instruments: Sequence[tuple[str, str]], bars: Rollups) -> NDArray[np.int64]:
    """Where the day of each bar of a second begins: midnight UTC, whatever the instrument (venue, name)."""
    return floor_ns(bars["start_ns"], DAY_NS)


def _part(numbers: NDArray[np.int64], ticks: Ticks) -> Rollups:
    made = np.empty(len(ticks), ROLLUP)
    latest = np.full(len(numbers), -1, np.int64)
    return made[: _take(np.ascontiguousarray(ticks), numbers, latest, made)]


@compiled
def _empty(bars: Rollups, at: int, instrument: int, start_ns: int) -> None:
    bar = bars[at]
    bar.instrument = instrument
    bar.start_ns = start_ns
    bar.open = bar.high = bar.low = bar.close = np.nan
    bar.of_trades = 0
    bar.open_ns = bar.open_sequence = _LAST
    bar.close_ns = bar.close_sequence = _FIRST
    bar.volume = bar.notional = 0.0
    bar.trades = bar.quotes = bar.left_out = 0
    bar.bid = bar.ask = bar.bid_size = bar.ask_size = np.nan
    bar.quote_ns = bar.quote_sequence = _FIRST
    bar.first_ns = _LAST
    bar.last_ns = _FIRST


@compiled
def _before(ns: int, sequence: int, price: float, other_ns: int, other_sequence: int, other_price: float) -> bool:
    if ns != other_ns:
        return ns < other_ns
    if sequence != other_sequence:
        return sequence < other_sequence
    return price < other_price


@compiled
def _price(bars: Rollups, at: int, of_trades: int, price: float, ns: int, sequence: int) -> None:
    """One price; the first of trades puts the mids away."""
    bar = bars[at]
    if of_trades < bar.of_trades:
        return
    if of_trades > bar.of_trades or np.isnan(bar.open):
        bar.of_trades = of_trades
        bar.open = bar.high = bar.low = bar.close = price
        bar.open_ns = bar.close_ns = ns
        bar.open_sequence = bar.close_sequence = sequence
        return
    bar.high = max(bar.high, price)
    bar.low = min(bar.low, price)
    if _before(ns, sequence, price, bar.open_ns, bar.open_sequence, bar.open):
        bar.open, bar.open_ns, bar.open_sequence = price, ns, sequence
    if _before(bar.close_ns, bar.close_sequence, bar.close, ns, sequence, price):
        bar.close, bar.close_ns, bar.close_sequence = price, ns, sequence


@compiled
def _quote(bars: Rollups, at: int, quote: Rollups | Ticks, of: int, ns: int, sequence: int) -> None:
    bar, of_quote = bars[at], quote[of]
    if np.isnan(bar.bid) or _before(bar.quote_ns, bar.quote_sequence, bar.bid, ns, sequence, of_quote.bid):
        bar.quote_ns, bar.quote_sequence = ns, sequence
        bar.bid, bar.bid_size = of_quote.bid, of_quote.bid_size
        bar.ask, bar.ask_size = of_quote.ask, of_quote.ask_size


@compiled
def _tick(bars: Rollups, at: int, ticks: Ticks, place: int) -> None:
    bar, row = bars[at], ticks[place]
    bar.first_ns = min(bar.first_ns, row.event_ns)
    bar.last_ns = max(bar.last_ns, row.event_ns)
    trade = row.kind == _TRADE
    if (
        row.flags & SPOILED
        or (trade and row.code & SUSPICIOUS)
        or not np.isfinite(row.bid + row.ask + row.bid_size + row.ask_size)
    ):
        bar.left_out += 1
    elif trade:
        bar.trades += 1
        bar.volume += row.bid_size
        bar.notional += row.bid * row.bid_size
        if not row.code & VOLUME_ONLY:
            _price(bars, at, 1, row.bid, row.event_ns, row.sequence)
    else:
        bar.quotes += 1
        _quote(bars, at, ticks, place, row.event_ns, row.sequence)
        if row.bid != 0.0 and row.ask != 0.0:  # 0: that side has no price
            _price(bars, at, 0, 0.5 * (row.bid + row.ask), row.event_ns, row.sequence)


@compiled
def _take(ticks: Ticks, numbers: NDArray[np.int64], latest: NDArray[np.int64], made: Rollups) -> int:
    """Bars of a second, a new one whenever an instrument's second changes: `joined` brings them together."""
    count = 0
    for place in range(ticks.size):
        row = ticks[place]
        if row.kind != _QUOTE and row.kind != _TRADE:
            continue
        start_ns = row.event_ns // SECOND_NS * SECOND_NS
        at = latest[row.instrument]
        if at < 0 or made[at].start_ns != start_ns:
            at = count
            latest[row.instrument] = at
            _empty(made, at, numbers[row.instrument], start_ns)
            count += 1
        _tick(made, at, ticks, place)
    return count


@compiled
def _join(bars: Rollups, at: int, others: Rollups, place: int) -> None:
    bar, other = bars[at], others[place]
    if other.of_trades > bar.of_trades or (other.of_trades == bar.of_trades and np.isnan(bar.open)):
        bar.of_trades = other.of_trades
        bar.open, bar.high, bar.low, bar.close = other.open, other.high, other.low, other.close
        bar.open_ns, bar.open_sequence = other.open_ns, other.open_sequence
        bar.close_ns, bar.close_sequence = other.close_ns, other.close_sequence
    elif other.of_trades == bar.of_trades and not np.isnan(other.open):
        _price(bars, at, other.of_trades, other.open, other.open_ns, other.open_sequence)
        _price(bars, at, other.of_trades, other.close, other.close_ns, other.close_sequence)
        bar.high = max(bar.high, other.high)
        bar.low = min(bar.low, other.low)
    bar.volume += other.volume
    bar.notional += other.notional
    bar.trades += other.trades
    bar.quotes += other.quotes
    bar.left_out += other.left_out
    if not np.isnan(other.bid):
        _quote(bars, at, others, place, other.quote_ns, other.quote_sequence)
    bar.first_ns = min(bar.first_ns, other.first_ns)
    bar.last_ns = max(bar.last_ns, other.last_ns)


@compiled
def _join_runs(bars: Rollups, starts_ns: NDArray[np.int64], made: Rollups) -> int:
    count = 0
    for place in range(bars.size):
        bar = bars[place]
        if count == 0 or made[count - 1].instrument != bar.instrument or made[count - 1].start_ns != starts_ns[place]:
            _empty(made, count, bar.instrument, starts_ns[place])
            count += 1
        _join(made, count - 1, bars, place)
    return count
