"""Quotes of a shard over a window of event time, as columns: what was the touch at a given time?

The quote of an instrument as of T is the last one in the shard's log before the first row that moves shard time (the
running maximum of event times) past T. That is a function of the log alone: wherever a reader starts, and however far
it has read on, it gives the same answer.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import Kind, Ticks
from pipelines.domain.matching import Quote
from pipelines.execution.shard_clock import BEGINNING_NS as BEGINNING_NS
from pipelines.execution.shard_clock import ShardClock

_ROW = np.dtype(
    [("time", "i8"), ("instrument", "i4"), ("bid", "f8"), ("bid_size", "f8"), ("ask", "f8"), ("ask_size", "f8")]
)
_SCAN = 4096
_PRICES = ("bid", "bid_size", "ask", "ask_size")


class NotYet(LookupError):
    """Shard time has not passed the time asked for: the quote may still change."""


class BeforeWindow(LookupError):
    """The answer lies before what is kept: read the log from further back."""


class ShardBooks:
    """The quotes of the given instruments in one shard, but for those that it was told to forget.

    `since_ns` is the event time from which the log is read: BEGINNING_NS where it is read from its beginning, and so a
    missing quote is known not to be.
    """

    def __init__(self, instruments: Iterable[str], since_ns: int = BEGINNING_NS) -> None:
        self._index = {name: number for number, name in enumerate(instruments)}
        self._since_ns = since_ns
        self._whole = since_ns == BEGINNING_NS
        self._rows = np.empty(1024, _ROW)
        self._low = self._high = 0
        self._before = np.zeros(len(self._index), _ROW)
        self._quoted_before = np.zeros(len(self._index), bool)
        self._clock = ShardClock()

    @property
    def time_ns(self) -> int:
        """Shard time as read so far."""
        return self._clock.time_ns

    def take(self, block: TickBlock) -> None:
        """Read one block of the shard's log. Rows not above the session's mark are a repeated read: dropped."""
        ticks = block.ticks
        if not len(ticks):
            return
        times, fresh = self._clock.take(block)
        # The last entry is for instrument -1, of heartbeats.
        numbers = np.array([self._index.get(name, -1) for name in block.instruments] + [-1], "i4")[ticks["instrument"]]
        self._keep_trades(ticks, times, numbers, (numbers >= 0) & (ticks["kind"] == Kind.TRADE) & fresh)
        kept = (numbers >= 0) & (ticks["kind"] == Kind.QUOTE) & fresh
        count = int(kept.sum())
        if count:
            rows = self._room(count)
            rows["time"], rows["instrument"] = times[kept], numbers[kept]
            for name in _PRICES:
                rows[name] = ticks[name][kept]

    def _keep_trades(
        self, ticks: Ticks, times: NDArray[np.int64], numbers: NDArray[np.int32], which: NDArray[np.bool_]
    ) -> None:
        """What was traded is of no interest here."""

    def quote(self, instrument: str, at_ns: int) -> Quote | None:
        """The touch as of `at_ns`; None if it had not quoted by then. Raises NotYet or BeforeWindow."""
        if at_ns >= self.time_ns:
            raise NotYet(f"{instrument} at {at_ns}: shard time is {self.time_ns}")
        if at_ns < self._since_ns:
            raise BeforeWindow(f"{instrument} at {at_ns}: the window begins at {self._since_ns}")
        number = self._index[instrument]
        rows = self._rows[self._low : self._high]
        end = int(np.searchsorted(rows["time"], at_ns, side="right"))
        while end > 0:
            start = max(0, end - _SCAN)
            found = np.flatnonzero(rows["instrument"][start:end] == number)
            if len(found):
                return _quote(rows[start + found[-1]])
            end = start
        if self._quoted_before[number]:
            return _quote(self._before[number])
        if self._whole:
            return None
        raise BeforeWindow(f"{instrument} at {at_ns}: no quote since {self._since_ns}")

    def last_quote_ns(self) -> int:
        """Shard time of the newest quote: END moves shard time a day on, and no quote with it."""
        return int(self._rows["time"][self._high - 1]) if self._high > self._low else BEGINNING_NS

    def forget(self, before_ns: int) -> None:
        """Keep nothing older than `before_ns` but each instrument's last quote."""
        rows = self._rows[self._low : self._high]
        gone = rows[: int(np.searchsorted(rows["time"], before_ns))]
        if len(gone):
            self._before[gone["instrument"]] = gone  # of several of one instrument, the last one stays
            self._quoted_before[gone["instrument"]] = True
            self._since_ns = max(self._since_ns, int(gone["time"][-1]))
            self._low += len(gone)

    def _room(self, count: int) -> NDArray[np.void]:
        """The next `count` rows, to be filled."""
        if self._high + count > len(self._rows):
            held = self._high - self._low
            rows = np.empty(max(len(self._rows), 2 * (held + count)), _ROW)
            rows[:held] = self._rows[self._low : self._high]
            self._rows, self._low, self._high = rows, 0, held
        self._high += count
        return self._rows[self._high - count : self._high]


def _quote(row: np.void) -> Quote:
    return Quote(*(float(row[name]) for name in _PRICES))
