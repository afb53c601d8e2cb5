"""The history as it is asked: of the market, of spreads, and of what was traded."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.domain.trading import Booked, Side
from pipelines.history.answers import Answer
from pipelines.history.asked import EVERYTHING, Span, length, moment
from pipelines.history.market_questions import MINUTE, Listed, MarketQuestions
from pipelines.history.profit import Fill, PairProfit, Terms, profit
from pipelines.history.questions import QUERIES_DIR, sql
from pipelines.history.timescale import HistoryError

if TYPE_CHECKING:
    import pandas

QUESTIONS = ("ohlcv", "vwap", "volatility", "volume_profile", "ticks", "asof", "book", "spread", "fills", "risk")
"""What `History.frame` answers."""

__all__ = ["QUERIES_DIR", "Answer", "History", "Listed", "Span", "sql"]


class History(MarketQuestions):
    """A read-only connection to the history, every statement bounded in time."""

    def frame(
        self, question: str, *, session: str = "", start: str = "", end: str = "", **asked: Any
    ) -> "pandas.DataFrame":
        """The answer to a question as a pandas frame; times and lengths as text, as on the command line.

        Questions, and what they take: ohlcv (instrument, every), vwap (instrument, every or nothing), volatility
        (instrument, every, by), ticks (instrument, kind), asof (instrument, at), book (instrument, at, depth), spread
        (pair, every or nothing), fills (instrument or pair or nothing), risk (every or nothing). Of all but the last
        three also: venue.
        Raises HistoryError, also for an empty answer: it says why.
        """
        answer = self._framed(question, self.session(session), Span.of(start, end), asked)
        if not answer.rows:
            raise HistoryError(answer.why)
        return answer.frame()

    def spread(
        self, session: str, pair: str, span: Span, limit: int = EVERYTHING, bucket: timedelta | None = None
    ) -> Answer:
        """Spread events of a pair; with `bucket`, how it stood at the end of each such interval."""
        self._check(session, "pair", pair)
        asked: dict[str, Any] = {"session": session, "pair": pair, "limit": limit, **span.parameters()}
        found = self._ask("spread", **asked) if bucket is None else self._ask("spread_sampled", **asked, bucket=bucket)
        return self._said(found, "spread events", session, span, pair=pair)

    def fills(self, session: str, instrument: str | None, pair: str | None, span: Span, limit: int) -> Answer:
        """Fills, all or of an instrument or pair."""
        if instrument is not None:
            self._check(session, "instrument", instrument)
        if pair is not None:
            self._check(session, "pair", pair)
        asked: dict[str, Any] = {"session": session, "instrument": instrument, "pair": pair, "limit": limit}
        return self._said(
            self._ask("fills", **asked, **span.parameters()), "fills", session, span, instrument=instrument
        )

    def orders(
        self,
        session: str,
        span: Span,
        limit: int = EVERYTHING,
        *,
        pair: str | None = None,
        strategy: str | None = None,
        action: str | None = None,
    ) -> Answer:
        """What an account decided: orders with what became of them, refusals, cancels, notices. Of a pair, a strategy,
        an action."""
        if pair is not None:
            self._check(session, "pair", pair)
        asked: dict[str, Any] = {"pair": pair, "strategy": strategy, "action": action, "limit": limit}
        found = self._ask("orders", session=session, **asked, **span.parameters())
        return self._said(found, "orders", session, span)

    def risk(
        self, session: str, span: Span, limit: int = EVERYTHING, bucket: timedelta | None = None, account: str = ""
    ) -> Answer:
        """What was told of the risk of a session's account; with `bucket`, the last of each such interval."""
        asked: dict[str, Any] = {"session": session, "account": account or None, "limit": limit, **span.parameters()}
        found = self._ask("risk", **asked) if bucket is None else self._ask("risk_sampled", **asked, bucket=bucket)
        return self._said(found, "risk updates", session, span)

    def risk_days(self, session: str, account: str = "") -> tuple[tuple[bool, ...], float]:
        """Of each day that a value at risk was held against: whether it lost more. And the confidence. Raises
        HistoryError where there is none."""
        found = self._ask("risk_days", session=session, account=account or None)
        if not found.rows:
            updates = self.risk(session, Span(), 1, account=account)
            why = updates.why or "risk was told, but no UTC day has ended since: give --strategy for a year of history"
            raise HistoryError(f"no day of session {session} was held against its value at risk: {why}")
        counts = [int(row[1]) for row in found.rows]
        exceeded = tuple(after > before for before, after in zip([0, *counts], counts, strict=False))
        return exceeded, float(found.rows[-1][3])

    def rejects(self, session: str, reason: str | None, limit: int) -> Answer:
        """Frames and records that were set aside: why, and where they lie (topic/partition@offset)."""
        found = self._ask("rejects", session=session, reason=reason, limit=limit)
        of = f" with the reason {reason!r}" if reason else ""
        return Answer(found.columns, found.rows, f"no rejects{of} in session {session}")

    def pnl(self, session: str, pair: str | None, until: datetime | None) -> tuple[PairProfit, ...]:
        """Profit by pair and in total, of all fills before a time, marked at the last quotes before it."""
        span = Span(None, until)
        answer = self.fills(session, None, pair, span, EVERYTHING)
        fills = []
        for it in answer.dicts():
            execution, amends = f"{it['venue']}/{it['exec_id']}", it["amends"] and f"{it['venue']}/{it['amends']}"
            side, booked = Side(it["side"]), Booked(it["booked"]) if it["booked"] else None
            of = it["pair"], it["instrument"], side, it["lots"], it["price"]
            fills.append(Fill(*of, execution, amends, booked, it["amount"]))
        names = sorted({fill.instrument for fill in fills})
        quotes = self._ask("last_quotes", session=session, instruments=names, to=until).rows
        return profit(fills, {name: (bid + ask) / 2 for name, _, bid, ask in quotes}, self.terms(session))

    def terms(self, session: str) -> dict[str, Terms]:
        """Tick size, lot size and currency by instrument; empty where the loader was not given the strategy."""
        return {name: Terms(*rest) for name, *rest in self._ask("instrument_terms", session=session).rows}

    def _framed(self, question: str, session: str, span: Span, asked: dict[str, Any]) -> Answer:
        lengths = {name: length(asked.pop(name)) for name in ("every", "by") if name in asked}
        at = moment(asked.pop("at")) if "at" in asked else None
        bucket, limit = lengths.get("every"), asked.pop("limit", EVERYTHING)
        pair, instrument, venue = (asked.pop(name, None) for name in ("pair", "instrument", "venue"))
        of = Listed(session, instrument or "", venue)
        match question:
            case "ohlcv":
                return self.ohlcv(of, span, bucket or MINUTE, limit, **asked)
            case "vwap":
                return self.vwap(of, span, bucket, limit, **asked)
            case "volatility":
                by = lengths.get("by", timedelta(days=1))
                return self.volatility(of, span, bucket or MINUTE, by, limit=limit, **asked)
            case "volume_profile":
                return self.volume_profile(of, span, bucket or MINUTE, **asked)
            case "ticks":
                return self.ticks(of, span, limit=limit, **asked)
            case "asof" if at is not None:
                return self.asof(session, [(of.instrument, at)], venue, **asked)
            case "book" if at is not None:
                return self.book(of, at, **asked)
            case "asof" | "book":
                raise HistoryError(f"{question} is of a time: give at='2026-10-30T14:30:00'")
            case "spread":
                return self.spread(session, pair or "", span, limit, bucket, **asked)
            case "risk":
                return self.risk(session, span, limit, bucket, **asked)
            case "fills":
                return self.fills(session, instrument, pair, span, limit, **asked)
        raise HistoryError(f"no question {question!r}: ask {', '.join(QUESTIONS)}")

    def _said(
        self, found: Answer, what: str, session: str, span: Span, instrument: str | None = None, pair: str | None = None
    ) -> Answer:
        if found.rows:
            return found
        extent = {
            row[0]: row[1:] for row in self._ask("extent", session=session, instrument=instrument, pair=pair).rows
        }
        rows, first, last = extent[what]
        of = instrument or pair or "this session"
        if rows:
            return Answer(found.columns, (), f"no {what} of {of} in that time: there are {rows}, {first} to {last}")
        reasons = {
            "spread events": "a pair has none until its moments are warm",
            "fills": f"the session has {extent['orders'][0]} orders",
            "risk updates": "there are none before the window of returns has 20 rows, and a price of all that is held",
        }
        return Answer(found.columns, (), f"no {what} of {of} in session {session}: {reasons[what]}")
