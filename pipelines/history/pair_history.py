"""The history asked for all that a page of a pair shows."""

from datetime import timedelta

import numpy as np

from pipelines.history.asked import EVERYTHING, Span
from pipelines.history.pair_course import FILLED, SERIES, Break, PairCourse, SignalMade, filled, halts, microseconds
from pipelines.history.queries import History
from pipelines.history.timescale import HistoryError

SILENT = timedelta(minutes=5)
"""A leg without a quote for longer than this is not known any more."""


class PairHistory(History):
    """A read-only connection to the history, every statement bounded in time."""

    def pairs(self, session: str) -> list[str]:
        """The pairs that a session knows, sorted."""
        return [str(row[0]) for row in self._ask("pairs", session=session).rows]

    def course(self, session: str, pair: str, span: Span, silent: timedelta = SILENT) -> PairCourse:
        """A pair over a span. Raises HistoryError for a pair that is not known (with the nearest), one without rows in
        the span (with what there is), and one whose legs nobody told."""
        said = self.spread(session, pair, span)
        if not said.rows:
            raise HistoryError(said.why)
        legs = self._ask("pair_legs", session=session, pair=pair).rows
        if not legs:
            raise HistoryError(
                f"the legs of {pair} are not known: the loader of session {session} was started without --strategy"
            )
        a, b, _ = legs[0]
        taken = {name: np.array([row[place] for row in said.rows]) for place, name in enumerate(said.columns)}
        time_us = np.array([microseconds(time) for time in taken["time"]], np.int64)
        fills = self.fills(session, None, pair, Span(None, span.end), EVERYTHING)
        wanted = [fills.columns.index(name) for name in FILLED]
        asked = {"session": session, "instruments": [a, b], **span.parameters()}
        end_us = int(time_us[-1])
        return PairCourse(
            session,
            pair,
            a,
            b,
            self.terms(session),
            time_us,
            {name: taken[name].astype(np.float64) for name in SERIES},
            self._signals(session, pair, span),
            tuple(filled(*(row[place] for place in wanted)) for row in fills.rows),
            (
                *(
                    Break(instrument, microseconds(since), microseconds(until), "no quote")
                    for instrument, since, until in self._ask("pair_silences", **asked, longer_than=silent).rows
                ),
                *halts(self._ask("pair_halts", **asked).rows, end_us),
            ),
        )

    def _signals(self, session: str, pair: str, span: Span) -> tuple[SignalMade, ...]:
        found = self._ask("pair_signals", session=session, pair=pair, **span.parameters())
        wanted = [found.columns.index(name) for name in ("time", "name", "action", "z", "spread", "orders", "refusal")]
        rows = ([row[place] for place in wanted] for row in found.rows)
        return tuple(SignalMade(microseconds(time), *rest) for time, *rest in rows)
