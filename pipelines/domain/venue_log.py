"""The log of one shard for a simulated venue: a window of it in memory, and what lies before by asking."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain

from pipelines.domain.market import Kind
from pipelines.domain.venue_rows import BEGINNING_NS, LastSaid, MarketRows, MarketWindow, Row, as_rows, fold

LOOK_BACK = (1, 60, 1440)
"""Windows in which the last quote is looked for, the nearest first; then from the log's beginning."""


class VenueLog:
    """`history`: rows by instrument and [from, to); what it gives of other instruments is left out.

    It is read no further back than to a quote. A halt from before that is known only where its row was read here, and
    of levels those that have changed since.
    """

    def __init__(
        self,
        shard: int,
        instruments: tuple[str, ...],
        history: Callable[[str, int, int], MarketRows],
        window_ns: int,
        window_rows: int,
    ) -> None:
        self.shard = shard
        self._names, self._history = instruments, history
        self._window_ns, self._window_rows = window_ns, window_rows
        self._window = MarketWindow()
        self._said_ns = BEGINNING_NS
        self._asked: set[int] = set()

    @property
    def now_ns(self) -> int | None:
        """How far it was read; None before the first row."""
        return None if self._window.since_ns is None else self._window.time_ns

    @property
    def since_ns(self) -> int:
        """From which time on rows are in memory."""
        return BEGINNING_NS if self._window.since_ns is None else self._window.since_ns

    def take(self, rows: MarketRows) -> None:
        self._window.take(rows)
        said = rows["time_ns"][(rows["instrument"] >= 0) & (rows["kind"] != Kind.END)]
        if len(said):  # an end moves time a day on, and nothing is said with it
            self._said_ns = int(said[-1])
        keep_ns = min(self._said_ns - self._window_ns, self._window.last_ns(self._window_rows))
        if keep_ns - self.since_ns > self._window_ns // 64:
            self._window.forget(keep_ns)

    def said(self, instrument: int, at_ns: int) -> LastSaid:
        """What was last said of an instrument as of a time."""
        if at_ns < self.since_ns:
            return self._before(instrument, at_ns + 1)
        said = self._window.said(instrument, at_ns)
        if said.quote is None and instrument not in self._asked:
            self._asked.add(instrument)
            self._window.remember(instrument, self._before(instrument, self.since_ns))
            said = self._window.said(instrument, at_ns)
        return said

    def of(self, instrument: int, after_ns: int) -> Iterable[Row]:
        """Rows of an instrument, and ends of the day, later than a time."""
        found = self._window.of(instrument, after_ns)
        if after_ns + 1 >= self.since_ns:
            return found
        return chain(as_rows(self._asked_for(instrument, after_ns + 1, self.since_ns, ends=True)), found)

    def _before(self, instrument: int, to_ns: int) -> LastSaid:
        said = LastSaid()
        for from_ns in (*(to_ns - windows * self._window_ns for windows in LOOK_BACK), BEGINNING_NS):
            said = LastSaid()
            fold(said, self._asked_for(instrument, from_ns, to_ns))
            if said.quote is not None:
                break
        phase = self._window.phase(instrument, to_ns - 1)
        return said if phase is None else replace(said, phase=phase)

    def _asked_for(self, instrument: int, from_ns: int, to_ns: int, ends: bool = False) -> MarketRows:
        rows = self._history(self._names[instrument], from_ns, to_ns)
        mine = rows["instrument"] == instrument
        if ends:
            mine |= (rows["kind"] == Kind.END) & (rows["instrument"] < 0)
        found: MarketRows = rows[mine & (rows["time_ns"] >= from_ns) & (rows["time_ns"] < to_ns)]
        return found
