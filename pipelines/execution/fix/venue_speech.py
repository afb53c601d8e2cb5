"""How a simulated venue says what is in its journal: in the order of its making, but for the faults that are put in.

What is held back and not said when the process is killed is said at once when it begins again.
"""

import heapq
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.market import NS_PER_S
from pipelines.domain.venue_orders import VenueWord
from pipelines.execution.fix.venue_answers import EXECUTION, Message
from pipelines.execution.fix.venue_journal import FixVenueJournal, Key, Said, Telling

Send = Callable[[str, str, Message], None]
"""To the session of a comp id, a message of a type (35)."""

COPY = {797: "Y"}
"""CopyMsgIndicator: what a drop copy has, and the participant's own report has not."""

log = logging.getLogger("helios.venue")


class Speech:
    """One thread speaks. `copies`: comp ids of the drop copies of each participant. `leave_out(comp id, n)`: leave n
    message numbers out; `spoken(key)`: a word of an order went out."""

    def __init__(
        self,
        plan: FaultPlan,
        journal: FixVenueJournal,
        send: Send,
        copies: Mapping[str, Sequence[str]],
        leave_out: Callable[[str, int], None],
        spoken: Callable[[Key], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan, self._journal, self._send, self._copies = plan, journal, send, copies
        self._leave_out, self._spoken, self._clock = leave_out, spoken, clock
        self._acknowledgements: dict[Key, Telling] = {}
        self._count: dict[Key, int] = defaultdict(int)
        self._numbers = itertools.count()
        self._held: list[tuple[float, int, Telling]] = []
        self._said: list[tuple[int, Said]] = []

    def answer(self, participant: str, message: str, fields: Message) -> None:
        """Say what is of no order's story."""
        self._send(participant, message, fields)

    def say(self, tellings: Sequence[Telling]) -> None:
        """Say words of the journal, or hold them back."""
        for telling in tellings:
            self._one(telling)

    def say_anew(self, tellings: Sequence[Telling]) -> None:
        """Say words that a process before this one did not: without faults."""
        for telling in tellings:
            self._out(telling)

    def release(self) -> None:
        """Say what was held back long enough."""
        while self._held and self._held[0][0] <= self._clock():
            self._out(heapq.heappop(self._held)[2])

    def note(self) -> None:
        """Write down what was said since the last time; inside a transaction of the journal. Until then a kill has the
        next process say it again."""
        if self._said:
            self._journal.said(self._said)
            self._said = []

    def rest(self) -> None:
        """Write down what was said, where there is no other transaction to do it in."""
        if self._said:
            with self._journal.together():
                self.note()

    def wait_s(self) -> float | None:
        """Until something that is held back is due; None where nothing is."""
        return max(0.0, self._held[0][0] - self._clock()) if self._held else None

    def _one(self, telling: Telling) -> None:
        key, first = telling.key, telling.kind == VenueWord.NEW
        if first and self._hit(Fault.LOST_ACKNOWLEDGEMENT, telling):
            self._said.append((telling.place, Said.NEVER))
            return
        if first and self._hit(Fault.FILL_FIRST, telling):
            self._acknowledgements[key] = telling
            return
        late = self._acknowledgements.pop(key, None)
        if late is not None and telling.kind != VenueWord.FILL:
            self._time(late)
            late = None
        self._time(telling)
        if telling.kind == VenueWord.FILL and self._hit(Fault.DUPLICATE_FILL, telling):
            self._time(telling)
        if late is not None:
            self._time(late)

    def _time(self, telling: Telling) -> None:
        """Say it now, or hold it back."""
        number = 0
        if any(self._plan.hits(fault, telling.key[1]) for fault in (Fault.SEQUENCE_GAP, Fault.SLOW)):
            number = self._count[telling.key]
            self._count[telling.key] += 1
        if number == 0 and self._hit(Fault.SEQUENCE_GAP, telling):
            self._leave_out(telling.key[0], self._plan.gap)
        held_ns = self._plan.held_ns(telling.key[1], number)
        if held_ns:
            log.warning("fault=slow order=%s word=%s ms=%g", telling.key[1], telling.kind, held_ns / 1e6)
            heapq.heappush(self._held, (self._clock() + held_ns / NS_PER_S, next(self._numbers), telling))
        else:
            self._out(telling)

    def _out(self, telling: Telling) -> None:
        self._send(telling.key[0], telling.message, telling.fields)
        if telling.message == EXECUTION:
            for copy in self._copies.get(telling.key[0], ()):
                self._send(copy, telling.message, telling.fields | COPY)
        self._said.append((telling.place, Said.YES))
        self._spoken(telling.key)

    def _hit(self, fault: Fault, telling: Telling) -> bool:
        hit = self._plan.hits(fault, telling.key[1])
        if hit:
            log.warning("fault=%s order=%s word=%s", fault, telling.key[1], telling.kind)
        return hit
