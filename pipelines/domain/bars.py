"""Bars of a minute: an instrument's trades (without any, its mids) over an interval of shard time, from home ticks."""

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_S

INTERVAL_S = 60
INTERVAL_NS = INTERVAL_S * NS_PER_S

OPEN_BAR = np.dtype(
    [
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
        ("trades", "i8"),
        ("quotes", "i8"),
        ("bid", "f8"),
        ("ask", "f8"),
    ]
)
"""The bar of an instrument as far as it has come; empty while `trades` and `quotes` are 0, bid and ask stay."""

BAR = np.dtype([("instrument", "i8"), ("start_ns", "i8"), *((name, OPEN_BAR[name]) for name in OPEN_BAR.names or ())])
"""A closed bar: `instrument` by its index in the shard (-1: a heartbeat, which says that time has passed), prices in
the instrument's currency, volume in its units."""

Bars = NDArray[np.void]


@compiled
def take_trade(bars: Bars, instrument: int, price: float, quantity: float) -> None:
    """The first trade of an interval replaces what its mids have said."""
    bar = bars[instrument]
    if bar.trades == 0:
        bar.open = bar.high = bar.low = price
    bar.high = max(bar.high, price)
    bar.low = min(bar.low, price)
    bar.close = price
    bar.volume += quantity
    bar.trades += 1


@compiled
def take_quote(bars: Bars, instrument: int, bid: float, ask: float) -> None:
    bar = bars[instrument]
    if bar.trades == 0:
        mid = 0.5 * (bid + ask)
        if bar.quotes == 0:
            bar.open = bar.high = bar.low = mid
        bar.high = max(bar.high, mid)
        bar.low = min(bar.low, mid)
        bar.close = mid
    bar.quotes += 1
    bar.bid = bid
    bar.ask = ask


@compiled
def close_bars(bars: Bars, start_ns: int, closed: Bars, count: int) -> int:
    """Move every bar with something in it to `closed` from place `count` on; the count after. `closed` has the room."""
    for instrument in range(bars.size):
        bar = bars[instrument]
        if bar.trades == 0 and bar.quotes == 0:
            continue
        row = closed[count]
        row.instrument = instrument
        row.start_ns = start_ns
        row.open, row.high, row.low, row.close = bar.open, bar.high, bar.low, bar.close
        row.volume, row.trades, row.quotes = bar.volume, bar.trades, bar.quotes
        row.bid, row.ask = bar.bid, bar.ask
        bar.volume, bar.trades, bar.quotes = 0.0, 0, 0
        count += 1
    return count


@compiled
def beat_bars(now_ns: int, closed: Bars, count: int) -> int:
    """A heartbeat after the bars that closed: it ends at `now_ns`."""
    row = closed[count]
    row.instrument, row.start_ns = -1, now_ns - INTERVAL_NS
    row.open = row.high = row.low = row.close = row.volume = row.bid = row.ask = 0.0
    row.trades = row.quotes = 0
    return count + 1
