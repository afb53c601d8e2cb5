"""What the history in TimescaleDB tells of an order: of the present session, and of those that are over."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from jobs.why.chain import Crossing, Frame, NotThere, Tick, TickOf, WhyError, Words, both_legs
from pipelines.domain.identity import intent_id
from pipelines.domain.trading import (
    Action,
    Command,
    Decision,
    OrderRequest,
    OrderStatus,
    Report,
    Side,
    Signal,
    TradingEvent,
)
from pipelines.history.order_questions import OrderQuestions
from pipelines.history.rows import moment

_ENUMS: dict[str, Any] = {"side": Side, "status": OrderStatus}
_OF_TYPE: dict[type, dict[str, Any]] = {
    OrderRequest: {"action": Decision, "checks": tuple},
    Signal: {"action": Action},
}


class HistoryEvidence:
    """Evidence out of a session's tables. The history has neither marks nor the frames themselves."""

    source = "history"

    def __init__(self, questions: OrderQuestions, session: str) -> None:
        self._ask = questions
        self.session = session
        self.missing: list[str] = []

    def decisions(self, wanted: str) -> Sequence[OrderRequest]:
        return [_as(OrderRequest, row) for row in self._ask.decisions(self.session, wanted)]

    def decided_with(self, order: OrderRequest) -> Sequence[OrderRequest]:
        return [_as(OrderRequest, row) for row in self._ask.caused(self.session, order.cause)]

    def notices(self, order: OrderRequest) -> Sequence[OrderRequest]:
        rows = self._ask.notices(self.session, order.account, order.event_time_ns, order.cause)
        return [_as(OrderRequest, row) for row in rows]

    def legs(self, order: OrderRequest) -> dict[int, str]:
        return self._ask.legs(self.session, order.pair)

    def event(self, event_id: str, time_ns: int) -> TradingEvent | None:
        """A signal, a report or a command; of the others the history has the id alone."""
        of: dict[str, tuple[Any, Any]] = {
            "signal": (self._ask.signal, Signal),
            "report": (self._ask.report, Report),
            "command": (self._ask.command, Command),
        }
        kind = event_id.partition("/")[0]
        if kind not in of:
            self.missing.append(f"cause: {event_id}: the history keeps no {kind}")
            return None
        ask, body = of[kind]
        rows = ask(self.session, event_id)
        if not rows:
            self.missing.append(f"cause: {event_id} is not in the history")
            return None
        return _event(event_id, body, rows[0])

    def words(self, order: OrderRequest) -> Words:
        reports = [
            _event(row["event_id"], Report, row) for row in self._ask.reports(self.session, order.client_order_id)
        ]
        worked = [_event(row["event_id"], OrderRequest, row) for row in self._worked(order)]
        intent = next((each for each in worked if each.event_id == intent_id(order.client_order_id)), None)
        if intent is None and order.action == Decision.NEW:
            self.missing.append("intent: the history keeps none but of orders that are worked")
        return Words(intent, reports, [each for each in worked if each is not intent])

    def _worked(self, order: OrderRequest) -> list[dict[str, Any]]:
        """Its own intent and its children's, as what its order says of all of them and what each says of itself."""
        shared = {"pair": order.pair, "leg": order.leg, "cause": order.cause, "strategy": order.strategy}
        return [shared | row for row in self._ask.children(self.session, order.client_order_id)]

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        asked = (signal.pair, signal.shard, signal.first_sequence, signal.last_sequence, moment(time_ns))
        rows = self._ask.crossings(self.session, *asked)
        found = [_as(Crossing, row) for row in rows]
        crossings = [each for each in found if each.kind == "crossing"]
        if crossings and crossings[-1].sequence == signal.last_sequence:
            return crossings
        if not found:
            self.missing.append(f"crossings: the history has none of {signal.pair} with these sequences any more")
        return found

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        at, number = moment(crossing.event_time_ns), (crossing.tick_session, crossing.tick_sequence)
        rows = self._ask.tick(self.session, *number, at)
        if not rows:
            self.missing.append(f"ticks: the history has no tick {number[0]}/{number[1]} any more")
            return []
        made: Tick = _as(Tick, rows[0])
        found = [TickOf(crossing.sequence, "made", made)]
        both = both_legs(legs, made.instrument)
        for leg, instrument in sorted(both.items()):
            quotes = self._ask.quote(self.session, instrument, *number, at)
            found += [TickOf(crossing.sequence, "ab"[leg], _as(Tick, row)) for row in quotes]
        return found

    def frame(self, tick: Tick) -> Frame:
        self.missing.append(
            "frames: the history keeps the feed session and the frame's number in it, neither its place nor its bytes"
        )
        return Frame(f"raw.{tick.venue}", tick.session, tick.frame)


def session_of(questions: OrderQuestions, wanted: str) -> str:
    """The session that an order is of: its id is a hash of the session's too, so it is of one. Raises NotThere."""
    rows = questions.decisions(None, wanted)
    sessions = sorted({str(row["session_id"]) for row in rows if row["client_order_id"].startswith(wanted)})
    if not sessions:
        raise NotThere(f"no order with an id that begins with {wanted!r} in the history")
    if len(sessions) > 1:
        raise WhyError(
            f"{len(sessions)} sessions have orders with ids that begin with {wanted!r}: give more of it, or --session"
        )
    return sessions[0]


def _event(event_id: str, body: type, row: dict[str, Any]) -> TradingEvent:
    return TradingEvent(event_id, row["account"], row["event_time_ns"], _as(body, row))


def _as(kind: Any, row: dict[str, Any]) -> Any:
    """A row as a dataclass whose fields are named as its columns; those that it has not stay as they are."""
    makes = _ENUMS | _OF_TYPE.get(kind, {})
    names = [field.name for field in dataclasses.fields(kind) if field.name in row]
    return kind(**{name: makes[name](row[name]) if name in makes else row[name] for name in names})
