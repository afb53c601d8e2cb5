"""Market data as a simulated venue's engine reads it: columns in, the rows of a window and what was last said before.

Rows are those of a shard's log after repeated reads are dropped. `time_ns` is shard time, the running maximum of event
times: it never falls.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import Flag, Kind, Status

MARKET_ROW = np.dtype(
    [("time_ns", "i8"), ("instrument", "i4"), ("kind", "i4"), ("code", "i4"), ("flags", "i4"),
     ("bid", "f8"), ("bid_size", "f8"), ("ask", "f8"), ("ask_size", "f8")]
)  # fmt: skip
"""`instrument`: place in `VenueEngine.instruments`; -1 for rows of none, as heartbeats (they move time) and END (it
ends the day of all instruments of the shard; with an instrument, of that one). The rest as `market.TICK`: sizes in
units of the instrument."""

MarketRows = NDArray[np.void]
"""A structured array of `MARKET_ROW`, shape (n,)."""

Row = tuple[int, int, int, int, int, float, float, float, float]
"""A row of `MarketRows` as Python values."""

BEGINNING_NS = -(2**63)

PHASES = frozenset({Status.TRADING, Status.HALTED, Status.PAUSED, Status.QUOTING, Status.CLOSED})
"""Words on whether there is trading; other statuses change nothing of that."""

_QUOTE, _TRADE, _LEVEL, _STATUS, _END = (
    int(each) for each in (Kind.QUOTE, Kind.TRADE, Kind.LEVEL, Kind.STATUS, Kind.END)
)
_ASK = int(Flag.ASK)


@dataclass(slots=True)
class LastSaid:
    """What a log has last said of one instrument. `levels`: size by price of bids and asks, where it tells of levels;
    `ordinal`: how many quotes and trades came at the time of the last one of them."""

    quote: Row | None = None
    phase: int = int(Status.TRADING)
    levels: tuple[dict[float, float], dict[float, float]] = field(default_factory=lambda: ({}, {}))
    time_ns: int = BEGINNING_NS
    ordinal: int = 0

    def read(self, row: Row) -> None:
        kind = row[2]
        if kind in (_QUOTE, _TRADE):
            self.ordinal = self.ordinal + 1 if row[0] == self.time_ns else 1
            self.time_ns = row[0]
            if kind == _QUOTE:
                self.quote = row
        elif kind == _LEVEL:
            side = self.levels[1 if row[4] & _ASK else 0]
            if row[6] > 0:
                side[row[5]] = row[6]
            else:
                side.pop(row[5], None)
        elif kind == _STATUS and row[3] in PHASES:
            self.phase = row[3]
        elif kind == _STATUS and row[3] == Status.BOOK_LOST:
            self.quote, self.levels = None, ({}, {})

    def copy(self) -> "LastSaid":
        bids, asks = self.levels
        return LastSaid(self.quote, self.phase, (dict(bids), dict(asks)), self.time_ns, self.ordinal)


def as_rows(rows: MarketRows) -> Iterator[Row]:
    """As Python values, row by row."""
    found: list[Row] = rows.tolist()
    return iter(found)


class MarketWindow:
    """The rows of one shard that are not older than a window, and what was last said at its beginning."""

    def __init__(self) -> None:
        self._rows, self._numbers = np.empty(1024, MARKET_ROW), np.empty(1024, "i4")
        self._low = self._high = 0
        self._before: dict[int, LastSaid] = {}
        self._phases: dict[int, list[tuple[int, int]]] = {}
        self.time_ns = BEGINNING_NS
        self.since_ns: int | None = None
        """From which time on the rows are known; None while there are none."""

    def take(self, rows: MarketRows) -> None:
        """Append rows. Raises ValueError where time falls."""
        times = rows["time_ns"]
        if int(times[0]) < self.time_ns or (np.diff(times) < 0).any():
            raise ValueError(f"time falls below {self.time_ns} ns: give rows in the order of the shard's log")
        if self.since_ns is None:
            self.since_ns = int(times[0])
        self.time_ns = int(times[-1])
        for row in as_rows(rows[(rows["kind"] == _STATUS) & np.isin(rows["code"], sorted(PHASES))]):
            self._phases.setdefault(row[1], []).append((row[0], row[3]))
        kept = rows[(rows["instrument"] >= 0) | (rows["kind"] == _END)]
        if self._high + len(kept) > len(self._rows):
            held = self._high - self._low
            room = max(len(self._rows), 2 * (held + len(kept)))
            rows, numbers = np.empty(room, MARKET_ROW), np.empty(room, "i4")
            rows[:held] = self._rows[self._low : self._high]
            numbers[:held] = self._numbers[self._low : self._high]
            self._rows, self._numbers, self._low, self._high = rows, numbers, 0, held
        self._rows[self._high : self._high + len(kept)] = kept
        self._numbers[self._high : self._high + len(kept)] = kept["instrument"]
        self._high += len(kept)

    def of(self, instrument: int, after_ns: int) -> Iterator[Row]:
        """Rows of an instrument, and ends of the day, later than a time."""
        low = self._after(after_ns)
        numbers = self._numbers[low : self._high]
        return as_rows(self._rows[low : self._high][(numbers == instrument) | (numbers < 0)])

    def said(self, instrument: int, at_ns: int) -> LastSaid:
        """What was last said as of a time that is not before `since_ns`."""
        high = self._after(at_ns)
        said = self._before[instrument].copy() if instrument in self._before else LastSaid()
        fold(said, self._rows[self._low + np.flatnonzero(self._numbers[self._low : high] == instrument)])
        return said

    def phase(self, instrument: int, at_ns: int) -> int | None:
        """What was last said of trading as of a time, in all rows ever read; None where nothing was."""
        phases = self._phases.get(instrument, [])
        place = bisect_right(phases, at_ns, key=itemgetter(0))
        return phases[place - 1][1] if place else None

    def remember(self, instrument: int, said: LastSaid) -> None:
        """What the log says of an instrument from before the window, where it was asked."""
        self._before[instrument] = said

    def last_ns(self, count: int) -> int:
        """From which time on the rows are the last `count`, or more; the beginning where there are no more of them."""
        place = self._high - count
        if place < self._low:
            return BEGINNING_NS
        return int(self._rows["time_ns"][place]) if place < self._high else self.time_ns

    def forget(self, before_ns: int) -> None:
        """Keep no row that is older but what was last said."""
        gone = self._rows[self._low : self._after(before_ns - 1)]
        if not len(gone):
            return
        order = np.argsort(gone["instrument"], kind="stable")
        numbers, starts = np.unique(gone["instrument"][order], return_index=True)
        for number, places in zip(numbers.tolist(), np.split(order, starts[1:]), strict=True):
            if number >= 0:
                fold(self._before.setdefault(number, LastSaid()), gone[places])
        self._low += len(gone)
        self.since_ns = max(before_ns, self.since_ns or before_ns)

    def _after(self, time_ns: int) -> int:
        """Place of the first row later than a time."""
        times = self._rows["time_ns"][self._low : self._high]
        return self._low + int(np.searchsorted(times, time_ns, side="right"))


def fold(said: LastSaid, rows: MarketRows) -> None:
    """Read the rows of one instrument: of quotes the last alone, where nothing but quotes and trades is among them."""
    if not len(rows):
        return
    kinds = rows["kind"]
    others = np.flatnonzero((kinds != _QUOTE) & (kinds != _TRADE))
    quotes = np.flatnonzero(kinds == _QUOTE)
    moved = np.flatnonzero(kinds <= _TRADE)
    wanted = set(others.tolist())
    if len(quotes):
        wanted.add(int(quotes[-1]))
    if len(moved):
        last_ns = rows["time_ns"][moved[-1]]
        wanted.update(moved[rows["time_ns"][moved] == last_ns].tolist())
    for row in as_rows(rows[sorted(wanted)]):
        said.read(row)
