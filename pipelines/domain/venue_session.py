"""One instrument's orders and requests in order of time, and how far its market has brought them.

What came in time is a step like any row. What comes late, for a time that the market has passed, is put in its place:
the run goes back to a copy kept from before, or begins anew from the log, and repeats what followed. Told reports stand
in that (`venue_working`), so that only what is new is said.
"""

from bisect import insort
from collections import deque
from collections.abc import Callable, Iterable

from pipelines.domain.limit_book import Owner
from pipelines.domain.trading import Side
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_display import Hole
from pipelines.domain.venue_instrument import InstrumentVenue
from pipelines.domain.venue_orders import OrderKind, VenueCancel, VenueReplace, VenueReport
from pipelines.domain.venue_rows import BEGINNING_NS, LastSaid, Row
from pipelines.domain.venue_steps import Step, too_late
from pipelines.domain.venue_working import Record, Working

KEPT_COPIES = 16
"""Of a window, evenly spaced: how far back a late order repeats at most."""

REFILLED = 32
"""Half-lives after which nothing of a hole is left, of less than 2^31 lots."""


Said = Callable[[int], LastSaid]
"""What the log has last said of the instrument as of a time."""

Rows = Callable[[int], Iterable[Row]]
"""Rows of the log later than a time, as far as it was read."""


class Session:
    """One instrument. `said` and `rows` read its log. Without orders alive it is idle and need not be told of rows."""

    def __init__(self, config: EngineConfig, instrument: Instrument, said: Said, rows: Rows) -> None:
        self._config, self._instrument, self._said, self._rows = config, instrument, said, rows
        self._steps: list[Step] = []
        self._done = 0
        self._run: InstrumentVenue | None = None
        self._copies: deque[tuple[int, InstrumentVenue]] = deque()
        self._holes: dict[Side, Hole] = {}
        self._copied_ns = BEGINNING_NS

    @property
    def idle(self) -> bool:
        """Whether neither rows nor time change anything."""
        return self._done == len(self._steps) and (self._run is None or not self._run.orders)

    def ahead(self, owner: Owner) -> int | None:
        """Lots before an order in the queue at its price; None where it does not stand in the book."""
        order = self._run.orders.get(owner) if self._run is not None else None
        if self._run is None or order is None or not order.resting or order.price is None:
            return None
        level = self._run.book.level(order.side, order.price)
        return level.ahead(owner) if level is not None else None

    def add(self, step: Step, now_ns: int | None) -> list[VenueReport]:
        """Take a step; what of its consequences is due. `now_ns`: how far the log was read, None: not at all."""
        insort(self._steps, step)
        if now_ns is None:
            return []
        if step.time_ns < now_ns and step.record.over_ns is not None:
            self._done += 1
            return []
        if step.time_ns < now_ns:
            return self._repeat(step.time_ns, now_ns)
        if self._run is None:
            self._run = self._fresh(now_ns, self._holes)
        return []

    def begin(self, now_ns: int) -> list[VenueReport]:
        """The log is read for the first time, for steps that were there before."""
        open_ns = [step.time_ns for step in self._steps if not step.done or step.time_ns >= now_ns]
        self._done = len(self._steps)
        return self._repeat(open_ns[0], now_ns) if open_ns else []

    def row(self, row: Row) -> None:
        """The log goes on; `drain` tells what became due."""
        assert self._run is not None
        if row[0] > self._run.time_ns:
            self._until(row[0])
            self._keep(row[0])
        self._run.row(row)

    def drain(self, now_ns: int) -> list[VenueReport]:
        """All that became due before the time that the log has come to."""
        if self._run is None:
            return []
        self._until(now_ns)
        out, self._run.out = self._run.out, []
        return out

    def rest(self, before_ns: int) -> None:
        """Forget copies that are older than the rows kept; and the book, where it is idle."""
        while self._copies and self._copies[0][0] < before_ns:
            self._copies.popleft()
        if self._run is not None and self.idle:
            self._holes, self._run = self._run.display.holes, None

    def _fresh(self, at_ns: int, holes: dict[Side, Hole]) -> InstrumentVenue:
        return InstrumentVenue(self._config, self._instrument, self._said(at_ns), at_ns, holes)

    def _keep(self, time_ns: int) -> None:
        """Keep a copy of the book as it is when all of the time before is done."""
        assert self._run is not None
        if time_ns - self._copied_ns >= self._config.window_ns // KEPT_COPIES and self._run.time_ns > BEGINNING_NS:
            self._copies.append((self._run.time_ns, self._run.copy()))
            self._copied_ns = time_ns

    def _until(self, time_ns: int) -> None:
        """Take the steps that are due before a time."""
        assert self._run is not None
        while self._done < len(self._steps) and self._steps[self._done].time_ns < time_ns:
            step = self._steps[self._done]
            self._done += 1
            self._take(self._run, step)

    def _take(self, run: InstrumentVenue, step: Step) -> None:
        record, request = step.record, step.request
        if request is None:
            run.arrive(_working(run, record))
            return
        order = run.orders.get(record.order.key)
        if isinstance(request, VenueCancel) and order is not None:
            run.cancel(order, request, step.time_ns)
        elif isinstance(request, VenueReplace) and order is not None:
            run.replace(order, request, step.time_ns)
            record.name = order.name
        if record.over_ns is not None:
            run.out += too_late(record, request, step.time_ns)

    def _repeat(self, from_ns: int, now_ns: int) -> list[VenueReport]:
        """Run again all from a time on. What the present run had yet to say was said."""
        while self._copies and self._copies[-1][0] >= from_ns:
            self._copies.pop()
        if self._copies:
            self._run = self._copies[-1][1].copy()
            after_ns = self._run.time_ns
            self._done = sum(step.time_ns <= after_ns for step in self._steps)
        else:
            after_ns = min(self._origin(from_ns), now_ns)
            self._run = self._fresh(after_ns, {})
            self._done = sum(step.time_ns < after_ns for step in self._steps)
        self._copied_ns = after_ns
        for row in self._rows(after_ns):
            self.row(row)
        return self.drain(now_ns)

    def _origin(self, from_ns: int) -> int:
        """From when on to run, so that all whose lives touch are in it, and what they left missing."""
        lives = [
            (step.time_ns, step.record.over_ns)
            for step in self._steps
            if step.request is None and step.time_ns < from_ns
        ]
        for born_ns, over_ns in reversed(lives):
            if over_ns is None or over_ns + REFILLED * self._config.half_life_ns >= from_ns:
                from_ns = min(from_ns, born_ns)
        return from_ns


def _working(run: InstrumentVenue, record: Record) -> Working:
    order = record.order
    priced = order.kind is OrderKind.LIMIT or (order.kind is OrderKind.MIDPOINT and order.price > 0)
    price = run.display.order_ticks(order.price) if priced else None
    return Working(order, record.told, record.meets_ns, order.client_order_id, price, order.quantity)
