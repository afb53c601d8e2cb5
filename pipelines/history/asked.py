"""What a question is asked with: times, spans and lengths, as people write them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.history.timescale import HistoryError

EVERYTHING = 1 << 62
"""As a limit."""

_UNITS = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1), "m": timedelta(minutes=1)}
_UNITS |= {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Span:
    """From a time on, before another; None is open."""

    start: datetime | None = None
    end: datetime | None = None

    @classmethod
    def of(cls, start: str = "", end: str = "") -> "Span":
        """Of two times as `moment` reads them; empty is open. Raises HistoryError."""
        span = cls(moment(start) if start else None, moment(end) if end else None)
        if span.start is not None and span.end is not None and span.start >= span.end:
            raise HistoryError(f"a time from {start} is not before one to {end}")
        return span

    def whole_seconds(self) -> "Span":
        """What of it is whole seconds, from the first to the last; with nothing between them where it has none."""
        start, end = self.start, self.end
        if start is not None and start.microsecond:
            start = start.replace(microsecond=0) + timedelta(seconds=1)
            start = start if end is None else min(start, end)
        if end is not None:
            end = end.replace(microsecond=0) if start is None else max(start, end.replace(microsecond=0))
        return Span(start, end)

    def parameters(self) -> dict[str, Any]:
        """As the queries take it."""
        return {"from": self.start, "to": self.end}


def moment(text: str) -> datetime:
    """A time in ISO 8601, UTC unless it says otherwise. Raises HistoryError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise HistoryError(f"{text!r} is not a time: write it as 2026-10-30 or 2026-10-30T14:30:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def length(text: str) -> timedelta:
    """A length of time: 100ms, 5s, 1m, 2h, 1d, 1w. Raises HistoryError."""
    parts = re.fullmatch(r"(\d{1,9})(ms|[smhdw])", text)
    found = int(parts[1]) * _UNITS[parts[2]] if parts else timedelta()
    if not timedelta() < found < timedelta(days=36_500):
        raise HistoryError(f"{text!r} is not a length of time: write it as 100ms, 5s, 1m, 2h, 1d or 1w")
    return found


def rollup(bucket: timedelta | None, span: Span) -> str | None:
    """The coarsest roll-up whose bars fit into an interval and a span; None where only ticks do."""
    for name, of in (("ohlcv_1d", timedelta(days=1)), ("ohlcv_1m", _UNITS["m"]), ("ohlcv_1s", _UNITS["s"])):
        ends = [end - datetime(1970, 1, 1, tzinfo=UTC) for end in (span.start, span.end) if end is not None]
        if not any(each % of for each in (*ends, *([] if bucket is None else [bucket]))):
            return name
    return None
