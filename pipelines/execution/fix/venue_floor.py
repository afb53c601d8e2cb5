"""Where a simulated venue's work is done, piece by piece: engine asked, journal written, and only then spoken."""

import logging
from collections.abc import Mapping, Sequence

from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.venue_config import EngineConfig
from pipelines.domain.venue_engine import NO_ORDER, VenueEngine
from pipelines.domain.venue_orders import VenueCancel, VenueOrder, VenueReplace, VenueReport, VenueWord
from pipelines.domain.venue_session import REFILLED
from pipelines.execution.fix import venue_answers as answers
from pipelines.execution.fix.amendments import Amendments
from pipelines.execution.fix.symbols import Symbols
from pipelines.execution.fix.venue_answers import CANCEL_REJECT, EXECUTION
from pipelines.execution.fix.venue_enquiries import Enquiries
from pipelines.execution.fix.venue_intake import (
    OTHER,
    TOO_LATE,
    Answer,
    Ask,
    Came,
    Gone,
    Moved,
    Say,
    TakeUp,
    Work,
)
from pipelines.execution.fix.venue_journal import Entry, FixVenueJournal, Request, Telling
from pipelines.execution.fix.venue_record import VenueRecord
from pipelines.execution.fix.venue_speech import Speech
from pipelines.execution.shard_clock import BEGINNING_NS

log = logging.getLogger("helios.venue")


class Floor:
    """One thread works here. `shard_of`: the shard whose log tells of an instrument."""

    def __init__(
        self,
        engine: VenueEngine,
        config: EngineConfig,
        plan: FaultPlan,
        symbols: Symbols,
        shard_of: Mapping[str, int],
        journal: FixVenueJournal,
        speech: Speech,
    ) -> None:
        self._engine, self._config, self._plan, self._symbols = engine, config, plan, symbols
        self._shard_of, self._journal, self._speech = shard_of, journal, speech
        self._record = VenueRecord(journal)
        self._enquiries = Enquiries(self._record, symbols, speech)
        self._time_ns: dict[int, int] = {}
        self._amendments = Amendments(plan, symbols, shard_of, journal)

    def begin(self) -> int:
        """Go on where the journal ends; the number of orders that are open."""
        left = self._record.not_said()
        within_ns = REFILLED * self._config.half_life_ns + self._config.window_ns
        again = self._record.lately(within_ns)
        said: list[VenueReport] = []
        for order, told in again:
            said += self._take(order, told)
        for order, _ in again:
            for request in self._record.requests_of(order.key):
                said += self._ask(request)
        self._amendments.begin()
        self._speech.say_anew(left)
        self._tell(said)
        for participant in self._record.cancels_when_gone():
            self._gone(participant)
        return self._record.open_orders()

    def work(self, work: Work) -> None:
        """Do one piece of work."""
        match work:
            case TakeUp(order):
                self._tell(self._take(order, ()))
            case Ask(request):
                self._tell(self._ask(request))
            case Moved(shard, rows):
                self._time_ns[shard] = int(rows["time_ns"][-1])
                self._tell(self._engine.market(shard, rows))
            case Say(telling):
                self._speech.say([telling])
            case Answer(participant, message, fields):
                self._speech.answer(participant, message, fields)
            case Came(participant, cancels):
                with self._journal.together():
                    self._journal.cancel_when_gone(participant, cancels)
            case Gone(participant):
                if participant in self._record.cancels_when_gone():
                    self._gone(participant)
            case _:
                self._enquiries.answer(work)
        # Not as the market moves alone: an order that came late is over at a time that it has passed.
        self._speech.say(self._amendments.passed(self._time_ns))

    def _take(self, order: VenueOrder, told: Sequence[VenueReport]) -> list[VenueReport]:
        if not told and self._plan.hits(Fault.REJECT, order.client_order_id):
            log.warning("fault=%s order=%s", Fault.REJECT, order.client_order_id)
            at_ns = order.event_time_ns + self._config.latency_ns(order.client_order_id)
            said = [VenueReport(*order.key, 0, VenueWord.REJECTED, at_ns, text="rejected by the venue")]
            return said + self._engine.take(order, said)
        return self._engine.take(order, told)

    def _ask(self, request: Request) -> list[VenueReport]:
        if isinstance(request, VenueReplace):
            return self._engine.replace(request)
        return self._engine.cancel(request)

    def _tell(self, reports: Sequence[VenueReport]) -> None:
        if not reports:
            return
        with self._journal.together():
            self._speech.note()
            tellings = [self._write(report) for report in reports]
        self._speech.say(tellings)

    def _write(self, report: VenueReport) -> Telling:
        """A word of the engine, into the journal."""
        entry = self._record.entry(report.participant, report.client_order_id)
        if entry is None:
            raise RuntimeError(f"{self._journal.path}: no order of {report}")
        asked = self._record.request(report.participant, report.request) if report.request else None
        kept = report if report.number != NO_ORDER else None
        if report.word is VenueWord.REQUEST_REJECTED:
            return self._write_refusal(entry, report, asked, kept)
        standing = entry.standing.after(report, asked if isinstance(asked, VenueReplace) else None)
        own = asked is not None and self._record.is_own(report.participant, report.request)
        target = "" if asked is None or own else asked.target
        fields = answers.report(entry.names, standing, report, self._symbols, target)
        telling = Telling(
            entry.key, report.word, EXECUTION, fields, report.time_ns,
            report.last_quantity, report.last_price, report.request, kept,
        )  # fmt: skip
        told = self._journal.tell(telling, standing)
        if standing.over and standing.cumulative:
            self._amendments.plan(entry, report.time_ns)
        return told

    def _write_refusal(
        self, entry: Entry, report: VenueReport, asked: Request | None, kept: VenueReport | None
    ) -> Telling:
        """A refused request changes nothing of its order."""
        over, status = entry.standing.over, entry.standing.status
        text = report.text if kept is not None else f"too late: the order is {status.value.lower()}"
        replaces, target = isinstance(asked, VenueReplace), asked.target if asked else report.client_order_id
        fields = answers.cancel_reject(
            entry.names.order_id, report.request, target, status, replaces,
            TOO_LATE if over else OTHER, text, report.time_ns,
        )  # fmt: skip
        telling = Telling(entry.key, report.word, CANCEL_REJECT, fields, report.time_ns, 0, 0.0, report.request, kept)
        return self._journal.tell(telling, entry.standing)

    def _gone(self, participant: str) -> None:
        """Cancel what a participant that is not there any more has open, as of the market as read."""
        entries = self._record.open_entries(participant)
        log.info("participant=%s state=gone cancels=%d", participant, len(entries))
        asked: list[Request] = []
        with self._journal.together():
            for entry in entries:
                if entry.order is not None:
                    asked.append(self._own_cancel(entry, entry.order))
                    self._journal.ask(asked[-1], entry.names.client_order_id, own=True)
            self._journal.cancel_when_gone(participant, False)
        for request in asked:
            self._tell(self._ask(request))

    def _own_cancel(self, entry: Entry, order: VenueOrder) -> VenueCancel:
        at_ns = max(self._time_ns.get(self._shard_of[order.instrument], BEGINNING_NS), order.event_time_ns)
        name = f"{entry.names.client_order_id}/gone/{at_ns}"
        return VenueCancel(order.participant, name, entry.standing.name, at_ns)
