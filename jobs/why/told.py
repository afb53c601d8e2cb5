"""A chain as it is told to programs: plain values, times in ISO 8601 beside their nanoseconds."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.why.chain import Cause, Chain, Frame
from pipelines.domain.trading import Decision, OrderRequest, Report, TradingEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def told(chain: Chain) -> dict[str, Any]:
    """Keys order, checks, cause, signal, crossings, ticks, frames, intent, children, reports; session, source and
    missing."""
    filled, average = fills(chain.reports)
    return {
        "session": chain.session,
        "source": chain.source,
        "order": _plain(chain.order)
        | {
            "filled": filled,
            "average_price": average,
            "with": [_plain(each) for each in chain.siblings],
            "cancels": [_plain(each) for each in chain.cancels],
        },
        "checks": list(chain.order.checks),
        "cause": _cause(chain.causes[0])
        | {
            "path": [_cause(each) for each in chain.causes],
            "notices": [_plain(each) for each in chain.notices],
        },
        "signal": None if chain.signal is None else _event(chain.signal),
        "crossings": [_timed(dataclasses.asdict(each)) for each in chain.crossings],
        "ticks": [
            {"crossing": each.crossing, "role": each.role} | _timed(dataclasses.asdict(each.tick))
            for each in chain.ticks
        ],
        "frames": [_frame(each) for each in chain.frames],
        "intent": None if chain.intent is None else _event(chain.intent),
        "children": [_event(each) for each in chain.children],
        "reports": [_event(each) for each in chain.reports],
        "missing": list(chain.missing),
    }


def fills(reports: Sequence[TradingEvent]) -> tuple[int, float | None]:
    """Lots filled and their average price, amended fills as they should have been; None of none."""
    bodies = [each.body for each in reports if isinstance(each.body, Report)]
    lots = sum(each.last_quantity - each.amended_quantity for each in bodies)
    money = sum(each.last_quantity * each.last_price - each.amended_quantity * each.amended_price for each in bodies)
    return lots, money / lots if lots else None


def why_no_checks(order: OrderRequest) -> str:
    """In words, of an order that has none."""
    if order.action == Decision.REFUSED:
        return "it was refused by the first check that said no"
    return "none are told: an order that reduces risk passes none, and one made before they were kept has none"


def clock(time_ns: int) -> str:
    """A time of day and its date in UTC, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=time_ns // 1000)).isoformat(sep=" ", timespec="microseconds")[:26]


def text_of(payload: bytes) -> str | None:
    """A frame as text, where it is one that can be printed."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() else None


def _cause(cause: Cause) -> dict[str, Any]:
    event = {"event_id": cause.event_id, "kind": None} if cause.event is None else _event(cause.event)
    return event | {"order": None if cause.order is None else _plain(cause.order)}


def _event(event: TradingEvent) -> dict[str, Any]:
    """The head of an event and all that its body says; an intent is an OrderRequest."""
    kind = {"OrderRequest": "intent", "RiskUpdate": "risk"}.get(type(event.body).__name__)
    head = {"event_id": event.event_id, "kind": kind or type(event.body).__name__.lower(), "account": event.account}
    body = {name: value for name, value in _plain(event.body).items() if name not in ("time", "account")}
    return head | {"time": clock(event.event_time_ns), "event_time_ns": event.event_time_ns} | body


def _frame(frame: Frame) -> dict[str, Any]:
    plain = dataclasses.asdict(frame)
    payload = plain.pop("payload")
    text = None if payload is None else text_of(payload)
    return plain | {"text": text, "hex": payload.hex() if payload is not None and text is None else None}


def _plain(value: Any) -> dict[str, Any]:
    return _timed(dataclasses.asdict(value))


def _timed(plain: dict[str, Any]) -> dict[str, Any]:
    time_ns = plain.get("event_time_ns", plain.get("event_ns"))
    return plain if time_ns is None else {"time": clock(time_ns)} | plain
