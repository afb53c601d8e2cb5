"""The matching engine of a simulated venue: participants' orders in a book of orders, driven by the recorded market.

An order meets the book at its event time plus a latency of its own, whenever it is delivered and however far the market
was read by then. What is guaranteed:

- Reports are a function of the orders, the requests and the rows of the log with times not after the report's.
- What is delivered before the market passes the time at which it meets the book gives the same reports however the log
  is cut into calls, and in whatever order and between whichever calls it is delivered.
- The same holds of what is delivered late, of instruments whose other orders' lives (and 32 half-lives after them) it
  does not touch. Where it does touch them, what was told stands and is never repeated: told fills keep their lots, an
  order that has still such words ahead trades with nobody else until then, and a late request takes effect no earlier
  than the last word on its order. So the late order may find less than it would have found in time.
- A new process that is given all orders with what was told of them, and all requests, goes on without a gap or a
  repeat, and as the old one would have where orders did not meet each other. Where they did, what was told stands, and
  what follows it may differ: told words do not say who traded with whom.
- Cumulative and left over lots are the order's quantity until its last word, after which nothing is left over.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.domain.market import Kind
from pipelines.domain.universe import Instrument
from pipelines.domain.venue_config import EngineConfig as EngineConfig
from pipelines.domain.venue_faults import fault
from pipelines.domain.venue_log import VenueLog
from pipelines.domain.venue_orders import VenueCancel, VenueOrder, VenueReplace, VenueReport, VenueWord
from pipelines.domain.venue_rows import MARKET_ROW as MARKET_ROW
from pipelines.domain.venue_rows import MarketRows as MarketRows
from pipelines.domain.venue_rows import as_rows
from pipelines.domain.venue_session import Session
from pipelines.domain.venue_steps import Step, too_late
from pipelines.domain.venue_working import Record

NO_ORDER = -1
"""Number of a report that is of no order: of a request for one that is not known, or an order under a name in use."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """What was told of an order so far. `name`: its client order id now; `over`: whether `word`, the last one but for
    refused requests, was its last."""

    order: VenueOrder
    name: str
    word: VenueWord
    cumulative_quantity: int
    leaves_quantity: int
    reports: int
    over: bool


class VenueEngine:
    """Instruments by `Mapping` order are `MarketRows.instrument` 0, 1, ... Each reads the rows of its own shard alone.

    `history(instrument, from_ns, to_ns)`: rows of the instrument, and of none, with from_ns <= time_ns < to_ns, in the
    order of the log, for what lies before the rows read; -2^63 is the log's beginning.
    """

    def __init__(
        self,
        config: EngineConfig,
        instruments: Mapping[str, Instrument],
        shard_of: Mapping[str, int],
        history: Callable[[str, int, int], MarketRows],
    ) -> None:
        missing = [name for name in instruments if name not in shard_of]
        if missing:
            raise ValueError(f"instrument {missing[0]}: no shard: give one for each instrument")
        self._config = config
        self._known = dict(instruments)
        self.instruments = tuple(instruments)
        self._numbers = {name: number for number, name in enumerate(self.instruments)}
        self._logs = {
            shard: VenueLog(shard, self.instruments, history, config.window_ns, config.window_rows)
            for shard in set(shard_of.values())
        }
        self._log_of = [self._logs[shard_of[name]] for name in self.instruments]
        self._sessions: dict[int, Session] = {}
        self._live = {shard: np.zeros(len(self.instruments) + 1, bool) for shard in self._logs}
        self._names: dict[tuple[str, str], tuple[Record, int, int]] = {}
        """An order by each name that it had, since when, and how many requests after it came."""
        self._asked: set[tuple[str, str]] = set()

    def take(self, order: VenueOrder, told: Sequence[VenueReport] = ()) -> list[VenueReport]:
        """Take up an order: NEW or REJECTED, number 0, and whatever else, of others too, is due by the market as read.

        `told`: all reports of it that were made before, by whichever process; its replacements are to be sent again
        too. An order that is known already says nothing; another one under its name is rejected with a report of number
        `NO_ORDER`.
        """
        known = self._names.get(order.key)
        if known is not None:
            return [] if known[0].order == order else [_refused(order, "client order id is in use: give another")]
        meets_ns = order.event_time_ns + self._config.latency_ns(order.client_order_id)
        before = sorted(told, key=_number)
        record = Record(order, meets_ns, before, before[-1].client_order_id if before else order.client_order_id)
        self._names[order.key] = record, meets_ns, 0
        since_ns = {report.client_order_id: report.time_ns for report in reversed(before)}
        for depth, name in enumerate(reversed(since_ns)):
            self._names.setdefault((order.participant, name), (record, since_ns[name], depth))
        said = [] if told else self._acknowledge(record)
        if record.told[0].word is VenueWord.REJECTED:
            return said
        return said + self._step(Step(meets_ns, 0, order.key, record))

    def cancel(self, request: VenueCancel) -> list[VenueReport]:
        """Take up a cancel: at its event time plus a latency of its own, and not before its order."""
        return self._request(request)

    def replace(self, request: VenueReplace) -> list[VenueReport]:
        """Take up a replacement, as a cancel."""
        return self._request(request)

    def market(self, shard: int, rows: MarketRows) -> list[VenueReport]:
        """Read on in a shard's log: what became due, in order of time. Raises ValueError for rows that are not of
        `MARKET_ROW`, a shard or an instrument that is not known, or time that falls."""
        if shard not in self._logs:
            raise ValueError(f"shard {shard}: no instrument of this venue is in it")
        if not len(rows):
            return []
        if rows.dtype != MARKET_ROW or rows["instrument"].max() >= len(self.instruments):
            raise ValueError(f"shard {shard}: rows are not of MARKET_ROW and the {len(self.instruments)} instruments")
        log, live = self._logs[shard], self._live[shard]
        first = log.now_ns is None
        log.take(rows)
        now_ns = int(rows["time_ns"][-1])
        out: list[VenueReport] = []
        if first:
            for number in np.flatnonzero(live).tolist():
                out += self._sessions[number].begin(now_ns)
        else:
            mine = live[rows["instrument"]]
            ends = (rows["instrument"] < 0) & (rows["kind"] == Kind.END)
            for row in as_rows(rows[mine | ends]):
                for number in (row[1],) if row[1] >= 0 else np.flatnonzero(live).tolist():
                    self._sessions[number].row(row)
        for number in np.flatnonzero(live).tolist():
            out += self._sessions[number].drain(now_ns)
            self._rest(number)
        return sorted(out, key=_time)

    def state(self, participant: str, client_order_id: str) -> OrderState | None:
        """What was told of an order, by any name that it has had; None where none is known."""
        found = self._names.get((participant, client_order_id))
        if found is None:
            return None
        record = found[0]
        last = next(each for each in reversed(record.told) if each.word is not VenueWord.REQUEST_REJECTED)
        leaves, over = last.leaves_quantity, record.over_ns is not None
        told = len(record.told)
        return OrderState(record.order, record.name, last.word, last.cumulative_quantity, leaves, told, over)

    def ahead(self, participant: str, client_order_id: str) -> int | None:
        """Lots that stand before an order in the queue at its price, as the market was read; None of one that does not
        stand in the book."""
        found = self._names.get((participant, client_order_id))
        session = self._sessions.get(self._numbers.get(found[0].order.instrument, -1)) if found is not None else None
        return session.ahead(found[0].order.key) if found is not None and session is not None else None

    def _acknowledge(self, record: Record) -> list[VenueReport]:
        order = record.order
        reason = fault(order, self._known.get(order.instrument), self._config)
        word, leaves = (VenueWord.REJECTED, 0) if reason else (VenueWord.NEW, order.quantity)
        report = VenueReport(
            order.participant, order.client_order_id, 0, word, record.meets_ns, leaves_quantity=leaves, text=reason
        )
        record.told.append(report)
        return [report]

    def _request(self, request: VenueCancel | VenueReplace) -> list[VenueReport]:
        sent = request.participant, request.client_order_id
        if sent in self._asked:
            return []
        found = self._names.get((request.participant, request.target))
        meets_ns = request.event_time_ns + self._config.latency_ns(request.client_order_id)
        if found is None:
            text = f"order {request.target!r} of {request.participant} is not known"
            return [_unanswerable(request, meets_ns, text)]
        self._asked.add(sent)
        record, named_ns, depth = found
        if isinstance(request, VenueReplace) and self._names.get(sent, found)[0] is not record:
            return [_unanswerable(request, meets_ns, f"client order id {request.client_order_id!r} is in use")]
        answer = next((each for each in record.told if each.request == request.client_order_id), None)
        meets_ns = answer.time_ns if answer is not None else max(meets_ns, named_ns, record.told[-1].time_ns)
        if isinstance(request, VenueReplace):
            self._names.setdefault(sent, (record, meets_ns, depth + 1))
        if answer is not None and answer.word is not VenueWord.REPLACED:
            return []
        if answer is None and record.over_ns is not None and not self._ahead(record, meets_ns):
            return too_late(record, request, meets_ns)
        return self._step(Step(meets_ns, depth + 1, sent, record, request))

    def _ahead(self, record: Record, time_ns: int) -> bool:
        """Whether the market has yet to come to a time."""
        if record.told[0].word is VenueWord.REJECTED:
            return False
        now_ns = self._log_of[self._numbers[record.order.instrument]].now_ns
        return now_ns is None or time_ns >= now_ns

    def _step(self, step: Step) -> list[VenueReport]:
        number = self._numbers[step.record.order.instrument]
        log = self._log_of[number]
        session = self._sessions.get(number)
        if session is None:
            session = self._sessions[number] = self._session(number)
        out = session.add(step, log.now_ns)
        self._live[log.shard][number] = True
        self._rest(number)
        return sorted(out, key=_time)

    def _session(self, number: int) -> Session:
        log, name = self._log_of[number], self.instruments[number]
        return Session(
            self._config, self._known[name], lambda at_ns: log.said(number, at_ns), lambda at_ns: log.of(number, at_ns)
        )

    def _rest(self, number: int) -> None:
        log, session = self._log_of[number], self._sessions[number]
        if log.now_ns is not None:
            session.rest(log.since_ns)
            self._live[log.shard][number] = not session.idle


def _refused(order: VenueOrder, text: str) -> VenueReport:
    text = f"{order.client_order_id!r}: {text}"
    return VenueReport(
        order.participant, order.client_order_id, NO_ORDER, VenueWord.REJECTED, order.event_time_ns, text=text
    )


def _unanswerable(request: VenueCancel | VenueReplace, time_ns: int, text: str) -> VenueReport:
    word, answers = VenueWord.REQUEST_REJECTED, request.client_order_id
    return VenueReport(request.participant, request.target, NO_ORDER, word, time_ns, text=text, request=answers)


def _number(report: VenueReport) -> int:
    return report.number


def _time(report: VenueReport) -> int:
    return report.time_ns
