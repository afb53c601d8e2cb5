"""Minute bars made of rows as LEAN makes its own, to hold the reader of its ticks against its files of bars.

Found on the recorded AIG, BAC and SPY of 2013-10-07 to 09. Trades: all count for volume; open, high, low and close
leave out, in regular hours, sweeps and what sets no last price. Quotes: a bar opens where the one before closed.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import DecodedRows
from pipelines.domain.market import NS_PER_S, Condition, Kind
from pipelines.feeds.files.lean import open_files
from pipelines.feeds.files.lean_bars import QUOTE_BAR, TRADE_BAR

RECORDINGS = Path(__file__).parents[3] / "shared/data"
MINUTE_NS = 60 * NS_PER_S


def rows_of(*paths: Path) -> DecodedRows:
    """All rows of some archives; there must be nothing wrong with them."""
    opened = open_files(paths)
    decoder = opened.protocol({name: place for place, name in enumerate(("AIG", "BAC", "SPY"))})
    parts = []
    for piece in opened.pieces():
        found = decoder.decode(piece.frames, piece.receive_ns)
        assert found.faults == ()
        assert piece.count is not None
        assert sum(found.messages.values()) == sum(piece.count)
        parts.append(found.rows)
    return np.concatenate(parts)


def trade_minutes(rows: DecodedRows) -> NDArray[np.void]:
    """Bars of the minutes that have trades which set a price."""
    trades = rows[rows["kind"] == Kind.TRADE]
    extended = trades["code"] & int(Condition.EXTENDED_HOURS) != 0
    priced = trades[extended | (trades["code"] & int(Condition.SWEEP | Condition.NOT_LAST) == 0)]
    bars = _prices(priced, "bid", TRADE_BAR, "")
    volumes = np.add.reduceat(trades["bid_size"], _firsts(trades))
    minutes = trades["event_ns"][_firsts(trades)] // MINUTE_NS * MINUTE_NS
    bars["volume"] = volumes[np.searchsorted(minutes, bars["start_ns"])]
    return bars


def quote_minutes(rows: DecodedRows) -> NDArray[np.void]:
    """Bars of the minutes that have quotes."""
    quotes = rows[rows["kind"] == Kind.QUOTE]
    firsts = _firsts(quotes)
    lasts = np.append(firsts[1:], len(quotes)) - 1
    made = np.zeros(len(firsts), QUOTE_BAR)
    for side in ("bid", "ask"):
        present = quotes[quotes[side] > 0]
        bars = _prices(present, side, QUOTE_BAR, f"{side}_")
        opened = np.append(bars[f"{side}_open"][:1], bars[f"{side}_close"][:-1])
        made[f"{side}_open"] = opened
        made[f"{side}_close"] = bars[f"{side}_close"]
        made[f"{side}_high"] = np.maximum(bars[f"{side}_high"], opened)
        made[f"{side}_low"] = np.minimum(bars[f"{side}_low"], opened)
        made[f"{side}_size"] = quotes[f"{side}_size"][lasts]
    made["start_ns"] = quotes["event_ns"][firsts] // MINUTE_NS * MINUTE_NS
    return made


def _prices(rows: DecodedRows, column: str, kind: np.dtype[np.void], prefix: str) -> NDArray[np.void]:
    firsts = _firsts(rows)
    bars = np.zeros(len(firsts), kind)
    bars["start_ns"] = rows["event_ns"][firsts] // MINUTE_NS * MINUTE_NS
    bars[f"{prefix}open"] = rows[column][firsts]
    bars[f"{prefix}close"] = rows[column][np.append(firsts[1:], len(rows)) - 1]
    bars[f"{prefix}high"] = np.maximum.reduceat(rows[column], firsts)
    bars[f"{prefix}low"] = np.minimum.reduceat(rows[column], firsts)
    return bars


def _firsts(rows: DecodedRows) -> NDArray[np.int64]:
    minutes = rows["event_ns"] // MINUTE_NS
    return np.flatnonzero(np.append(True, np.diff(minutes) != 0))
