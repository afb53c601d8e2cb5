"""Executions that a venue takes back or gives another price, by its plan of faults, once their order is over."""

import heapq
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.trading import Side
from pipelines.domain.venue_orders import VenueReport
from pipelines.execution.fix import venue_answers as answers
from pipelines.execution.fix.standing import Standing
from pipelines.execution.fix.symbols import Symbols
from pipelines.execution.fix.venue_journal import Entry, FixVenueJournal, Key, Telling
from pipelines.execution.fix.venue_record import VenueRecord

log = logging.getLogger("helios.venue")


class Amendments:
    """Those that are planned, by the shard whose time they wait for."""

    def __init__(
        self, plan: FaultPlan, symbols: Symbols, shard_of: Mapping[str, int], journal: FixVenueJournal
    ) -> None:
        self._plan, self._symbols, self._shard_of, self._journal = plan, symbols, shard_of, journal
        self._record = VenueRecord(journal)
        self._due: dict[int, list[tuple[int, Key]]] = defaultdict(list)

    def begin(self) -> None:
        """Take up what a process before this one had planned."""
        for at_ns, key in self._record.to_amend():
            entry = self._record.entry(*key)
            if entry is not None:
                heapq.heappush(self._due[self._shard_of[entry.names.instrument]], (at_ns, key))

    def plan(self, entry: Entry, over_ns: int) -> None:
        """Of an order that is over since a time, with fills; inside a transaction of the journal."""
        if any(self._plan.hits(fault, entry.key[1]) for fault in (Fault.BUST, Fault.CORRECT)):
            at_ns = over_ns + self._plan.amend_after_ns
            self._journal.amend_at(entry.key, at_ns)
            heapq.heappush(self._due[self._shard_of[entry.names.instrument]], (at_ns, entry.key))

    def passed(self, times: Mapping[int, int]) -> list[Telling]:
        """The words that are due before a shard's time, in the journal."""
        found: list[Telling] = []
        for shard, time_ns in times.items():
            while self._due[shard] and self._due[shard][0][0] < time_ns:
                at_ns, key = heapq.heappop(self._due[shard])
                entry = self._record.entry(*key)
                if entry is not None:
                    with self._journal.together():
                        self._journal.amend_at(key, None)
                        words = list(amended(self._plan, entry, self._record.fills(key), at_ns, self._symbols))
                        found += [self._journal.tell(telling, standing) for telling, standing in words]
        for telling in found:
            log.warning("fault=%s order=%s exec=%s", telling.kind, telling.key[1], telling.fields[19])
        return found


def amended(
    plan: FaultPlan, entry: Entry, fills: Sequence[VenueReport], time_ns: int, symbols: Symbols
) -> Iterator[tuple[Telling, Standing]]:
    """The words of a plan about an order's fills, each with how the order stands after it: the first fill is busted,
    the last one corrected, to the worse; of one alone that would be both the bust is told."""
    standing = entry.standing
    left = list(fills)
    if left and plan.hits(Fault.BUST, entry.key[1]):
        fill = left.pop(0)
        standing = standing.busted(fill, time_ns)
        fields = answers.amendment(entry.names, standing, fill, answers.BUST, fill.last_price, symbols)
        yield Telling(entry.key, Fault.BUST, answers.EXECUTION, fields, time_ns, -fill.last_quantity), standing
    if left and plan.hits(Fault.CORRECT, entry.key[1]):
        fill = left[-1]
        price = _worse(entry, fill, plan.correct_ticks, symbols)
        standing = standing.corrected(fill, price, time_ns)
        fields = answers.amendment(entry.names, standing, fill, answers.CORRECT, price, symbols)
        yield Telling(entry.key, Fault.CORRECT, answers.EXECUTION, fields, time_ns, 0, price), standing


def _worse(entry: Entry, fill: VenueReport, ticks: int, symbols: Symbols) -> float:
    """A fill's price so many ticks to its order's disadvantage; to its advantage where it would not stay above 0."""
    step = ticks * Decimal(repr(symbols.of(entry.names.instrument).tick_size))
    price = Decimal(repr(fill.last_price))
    buys = entry.order is None or entry.order.side is Side.BUY
    return float(price + step if buys or price <= step else price - step)
