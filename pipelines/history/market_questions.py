"""Questions about the market: bars, quotes as of a time, averages, volatility, ticks and books."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.history.answers import Answer
from pipelines.history.asked import EVERYTHING, Span, rollup
from pipelines.history.questions import Questions
from pipelines.history.timescale import HistoryError

YEAR = timedelta(days=365)
"""Of trading, where a market never closes. Of US equities: 252 days of 6.5 hours."""

BOOK = ("side", "depth", "price", "quantity", "total", "changed_at")
"""Columns of a book."""

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Listed:
    """An instrument of a session; of one venue, or of all that it is on."""

    session: str
    instrument: str
    venue: str | None = None

    def parameters(self) -> dict[str, Any]:
        """As the queries take it."""
        return {"session": self.session, "instrument": self.instrument, "venue": self.venue}


class MarketQuestions(Questions):
    """Of each answer's rows, `limit` takes the newest; times are event times, UTC."""

    def ohlcv(self, of: Listed, span: Span, bucket: timedelta, limit: int = EVERYTHING) -> Answer:
        """Open, high, low, close, volume and vwap by intervals: from roll-ups where they fit, else from ticks."""
        return self._barred("ohlcv", of, span, bucket, limit)

    def vwap(self, of: Listed, span: Span, bucket: timedelta | None = None, limit: int = EVERYTHING) -> Answer:
        """The volume-weighted average price by intervals; of the whole span where `bucket` is None."""
        whole = span.whole_seconds()
        rollups = rollup(bucket, whole)
        if rollups is None and bucket is not None and bucket % timedelta(seconds=1):
            return self._barred("vwap", of, span, bucket, limit)
        self._check(of.session, "instrument", of.instrument)
        asked = of.parameters() | span.parameters() | {"bucket": bucket, "limit": limit}
        asked |= {"whole_from": whole.start, "whole_to": whole.end}
        return self._why(self._ask("vwap", rollups=rollups or "ohlcv_1s", **asked), of, span, "")

    def asof(self, session: str, wanted: Sequence[tuple[str, datetime]], venue: str | None = None) -> Answer:
        """The last quote of an instrument at or before a time: a row for each wanted, empty where there is none."""
        for instrument in {name for name, _ in wanted}:
            self._check(session, "instrument", instrument)
        names, times = [name for name, _ in wanted], [at for _, at in wanted]
        return self._ask("asof", session=session, instruments=names, times=times, venue=venue)

    def volatility(
        self,
        of: Listed,
        span: Span,
        bucket: timedelta = MINUTE,
        by: timedelta = timedelta(days=1),
        year: timedelta = YEAR,
        max_gap: timedelta = timedelta(minutes=30),
        limit: int = EVERYTHING,
    ) -> Answer:
        """Realised volatility by `by`, and annualised: sqrt(year * sum(r^2) / sum(dt)), r the log return from one bar's
        close to the next's, dt the time between them; returns over more than `max_gap` count in neither sum.

        `year` is the trading time of a year. Source: Andersen, Bollerslev, Diebold, Labys, Econometrica 71 (2003).
        """
        if max_gap < bucket:
            raise HistoryError(f"returns over {bucket} bars are all longer than the longest gap, {max_gap}: raise that")
        rollups = rollup(bucket, span)
        if rollups is None:
            raise HistoryError("volatility is of bars of whole seconds, from whole seconds on: round the times")
        self._check(of.session, "instrument", of.instrument)
        asked = {"bucket": bucket, "by": by, "year_s": year.total_seconds(), "max_gap": max_gap, "limit": limit}
        found = self._ask("volatility", rollups=rollups, **of.parameters(), **span.parameters(), **asked)
        return self._why(found, of, span, "it takes two bars in a row, with prices above 0")

    def volume_profile(self, of: Listed, span: Span, bucket: timedelta, zone: str = "UTC") -> Answer:
        """Volume by time of day in a time zone (IANA): in all, a day's mean, its share."""
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise HistoryError(f"{zone!r} is not a time zone: write it as UTC or America/New_York") from None
        if bucket % MINUTE or timedelta(days=1) % bucket:
            raise HistoryError("a profile is by whole minutes that divide a day: 1m, 5m, 15m, 30m, 1h")
        self._check(of.session, "instrument", of.instrument)
        found = self._ask("volume_profile", **of.parameters(), **span.parameters(), bucket=bucket, zone=zone)
        return self._why(found, of, span, "")

    def ticks(self, of: Listed, span: Span, kind: str | None = None, limit: int = EVERYTHING) -> Answer:
        """Rows as they are kept, of all kinds or one: quote, trade, status, auction, indicative."""
        self._check(of.session, "instrument", of.instrument)
        found = self._ask("ticks", **of.parameters(), **span.parameters(), kind=kind, limit=limit)
        return self._why(found, of, span, "" if kind is None else f"of kind {kind!r}")

    def book(self, of: Listed, at: datetime, depth: int = 10) -> Answer:
        """The order book as of a time, on the venue where it moved last: side, depth, price, quantity, total so far.

        Empty, and says so, where the venue had lost it and not yet sent a snapshot.
        """
        starts = self._ask("book_start", **of.parameters(), at=at)
        if not starts.rows:
            return Answer(BOOK, (), _no_book(of, at))
        start = dict(zip(starts.columns, starts.rows[0], strict=True))
        if start.pop("lost_at") is not None:
            why = f"the book of {of.instrument} was lost at {starts.rows[0][-1]}, and no snapshot came before {at}"
            return Answer(BOOK, (), why)
        found = self._ask("book", **(of.parameters() | start), at=at, limit=depth)
        return Answer(found.columns, found.rows, f"the book of {of.instrument} was empty at {at}")

    def _barred(self, query: str, of: Listed, span: Span, bucket: timedelta | None, limit: int) -> Answer:
        self._check(of.session, "instrument", of.instrument)
        rollups = rollup(bucket, span)
        asked = of.parameters() | span.parameters() | {"bucket": bucket, "limit": limit}
        name = query if rollups is not None else f"{query}_of_ticks"
        return self._why(self._ask(name, rollups=rollups, **asked), of, span, "")

    def _why(self, found: Answer, of: Listed, span: Span, hint: str) -> Answer:
        """With what there is instead, where nothing was found."""
        if found.rows:
            return found
        ((rows, first, last),) = self._ask("market_extent", **of.parameters()).rows
        where = f"{of.instrument}{f' on {of.venue}' if of.venue else ''} in session {of.session}"
        if not rows:
            return Answer(found.columns, (), f"nothing is loaded of {where}")
        hint = f" ({hint})" if hint else ""
        return Answer(found.columns, (), f"nothing of {where} in that time{hint}: there is from {first} to {last}")


def _no_book(of: Listed, at: datetime) -> str:
    where = f"{of.instrument}{f' on {of.venue}' if of.venue else ''}"
    return f"no book of {where} in session {of.session} at {at}: is its venue's feed one of books?"
