"""Questions about the quality of what came in: flags, rejects, silences and clocks, by venue and instrument."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psycopg.sql import SQL, Identifier

from pipelines.history.asked import Span
from pipelines.history.questions import Questions, sql
from pipelines.history.timescale import HistoryError

if TYPE_CHECKING:
    import pandas

FINDINGS = (
    "late",
    "after_gap",
    "locked",
    "crossed",
    "off_tick",
    "outlier",
    "stale",
    "halted",
    "out_of_order",
    "duplicate",
)
"""Flags of ticks, in the order in which the report has them."""

TIME_OF = {"ohlcv_1m": "start_time"}
"""The column that says when, where it is not event_time."""


@dataclass(slots=True)
class Quality:
    """An instrument at a venue, in a session or a day of it. `flags`: ticks that carry each; `rejects`: what was set
    aside or found missing, by reason; `most_ahead_ms`: how far event times lead receive times at most, so our clock is
    at least so far behind the venue's; `silence_s`: the longest time without a tick."""

    venue: str
    instrument: str
    ticks: int = 0
    quotes: int = 0
    trades: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    most_ahead_ms: float | None = None
    mean_delay_ms: float | None = None
    silence_s: float | None = None
    first: Any = None
    last: Any = None


class QualityQuestions(Questions):
    """All spans in event time."""

    def quality(self, session: str, span: Span, venue: str | None = None) -> list[Quality]:
        """A row an instrument, and one without an instrument's name a venue for what named none."""
        asked = {"session": session, "venue": venue, **span.parameters()}
        found: dict[tuple[str, str], Quality] = {}
        answer = self._ask("quality", **asked)
        for row in answer.rows:
            named = dict(zip(answer.columns, row, strict=True))
            flags = {name: named.pop(name) for name in FINDINGS}
            found[named["venue"], named["instrument"]] = Quality(**named, flags={k: v for k, v in flags.items() if v})
        for name, instrument, reason, told, _ in self._ask("quality_rejects", **asked).rows:
            found.setdefault((name, instrument), Quality(name, instrument)).rejects[reason] = told
        for name, instrument, silence_s, _ in self._ask("quality_silence", **asked).rows:
            if (name, instrument) in found:
                found[name, instrument].silence_s = float(silence_s)
        return [found[key] for key in sorted(found)]

    def sample(self, session: str, table: str, limit: int) -> "pandas.DataFrame":
        """The newest rows of a table, whole. HistoryError: it is not there."""
        time = TIME_OF.get(table, "event_time")
        text = SQL(sql("quality_sample")).format(table=Identifier(table), time=Identifier(time)).as_string()
        answer = self._execute(text, {"session": session, "limit": limit})
        if not answer.columns:
            raise HistoryError(f"no table {table} in the history")
        import pandas as pd

        return pd.DataFrame.from_records(list(answer.rows), columns=list(answer.columns))
