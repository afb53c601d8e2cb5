"""Questions to the history: `sql/timescale/queries/*.sql`, with what they are asked with checked before."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import psycopg

from pipelines.domain.trading import Side
from pipelines.history.profit import Fill, PairProfit, Terms, profit
from pipelines.history.timescale import SQL_DIR, HistoryError, connect, place

QUERIES_DIR = SQL_DIR / "queries"

EVERYTHING = 1 << 62
"""As a limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows under column names; if there are none, `why`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """From a time on, before another; None is open."""

    start: datetime | None = None
    end: datetime | None = None


def sql(name: str, directory: Path = QUERIES_DIR) -> str:
    """The text of a query without its comments (where psycopg would look for parameters)."""
    lines = (directory / f"{name}.sql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


class History:
    """A read-only connection to the history, every statement bounded in time."""

    def __init__(self, dsn: str, *, timeout_s: float = 30.0) -> None:
        """Raises HistoryError if Timescale does not answer."""
        settings = {
            "statement_timeout": f"{int(timeout_s * 1000)}ms",
            "default_transaction_read_only": "on",
        }
        self._timeout_s = timeout_s
        try:
            self._connection = connect(dsn, application="history", settings=settings)
        except psycopg.OperationalError as error:
            raise HistoryError(
                f"Timescale at {place(dsn)} does not answer: {_line(error)}. See helios status"
            ) from error

    def __enter__(self) -> "History":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def sessions(self, limit: int = 20) -> Answer:
        """The sessions there are, newest first."""
        found = self._ask("sessions", limit=limit)
        return Answer(found.columns, found.rows, "no session has been loaded yet: helios demo makes one")

    def session(self, wanted: str | None) -> str:
        """The id of a session: the newest, or the one that begins as wanted."""
        known = [row[0] for row in self._ask("sessions", limit=1000).rows]
        if not known:
            raise HistoryError("the history is empty: no session has been loaded yet (helios demo makes one)")
        found = [each for each in known if each.startswith(wanted or "")]
        if wanted and len(found) != 1:
            what = "no session" if not found else f"{len(found)} sessions"
            raise HistoryError(f"{what} with an id that begins with {wanted!r}: the newest are {', '.join(known[:3])}")
        return str(found[0])

    def ohlcv(self, session: str, instrument: str, span: Span, bucket: timedelta, limit: int) -> Answer:
        """Bars of an instrument, `bucket` long: whole minutes."""
        self._check(session, "instrument", instrument)
        asked = {"session": session, "instrument": instrument, "bucket": bucket, "limit": limit}
        return self._said(self._ask("ohlcv", **asked, **_times(span)), "bars", session, span, instrument=instrument)

    def spread(self, session: str, pair: str, span: Span, limit: int) -> Answer:
        """Spread events of a pair."""
        self._check(session, "pair", pair)
        found = self._ask("spread", session=session, pair=pair, limit=limit, **_times(span))
        return self._said(found, "spread events", session, span, pair=pair)

    def fills(self, session: str, instrument: str | None, pair: str | None, span: Span, limit: int) -> Answer:
        """Fills, all or of an instrument or pair."""
        if instrument is not None:
            self._check(session, "instrument", instrument)
        if pair is not None:
            self._check(session, "pair", pair)
        asked = {"session": session, "instrument": instrument, "pair": pair, "limit": limit}
        return self._said(self._ask("fills", **asked, **_times(span)), "fills", session, span, instrument=instrument)

    def rejects(self, session: str, reason: str | None, limit: int) -> Answer:
        """Frames and records that were set aside: why, and where they lie (topic/partition@offset)."""
        found = self._ask("rejects", session=session, reason=reason, limit=limit)
        of = f" with the reason {reason!r}" if reason else ""
        return Answer(found.columns, found.rows, f"no rejects{of} in session {session}")

    def pnl(self, session: str, pair: str | None, until: datetime | None) -> tuple[PairProfit, ...]:
        """Profit by pair and in total, of all fills before a time, marked at the last quotes before it."""
        span = Span(None, until)
        answer = self.fills(session, None, pair, span, EVERYTHING)
        wanted = [answer.columns.index(name) for name in ("pair", "instrument", "side", "lots", "price")]
        fills = []
        for row in answer.rows:
            of, instrument, side, lots, price = (row[number] for number in wanted)
            fills.append(Fill(of, instrument, Side(side), lots, price))
        names = sorted({fill.instrument for fill in fills})
        quotes = self._ask("last_quotes", session=session, instruments=names, to=until).rows
        return profit(fills, {name: (bid + ask) / 2 for name, _, bid, ask in quotes}, self.terms(session))

    def terms(self, session: str) -> dict[str, Terms]:
        """Tick size, lot size and currency by instrument; empty where the loader was not given the strategy."""
        return {name: Terms(*rest) for name, *rest in self._ask("instrument_terms", session=session).rows}

    def _ask(self, name: str, **parameters: object) -> Answer:
        return self._execute(sql(name), parameters)

    def _execute(self, text: str, parameters: Mapping[str, object]) -> Answer:
        try:
            cursor = self._connection.execute(text.encode(), parameters)
        except psycopg.errors.QueryCanceled as error:
            raise HistoryError(
                f"the question took more than {self._timeout_s:g} s: ask for less time with --from and --to"
            ) from error
        except psycopg.errors.UndefinedTable as error:
            raise HistoryError(
                "the history has no tables yet: its loader has not run (helios demo starts one)"
            ) from error
        except psycopg.Error as error:
            raise HistoryError(f"Timescale: {_line(error)}") from error
        return Answer(tuple(each.name for each in cursor.description or ()), tuple(cursor.fetchall()))

    def _check(self, session: str, what: str, wanted: str) -> None:
        known = [str(row[0]) for row in self._ask(f"{what}s", session=session).rows]
        if wanted in known:
            return
        if not known:
            raise HistoryError(f"session {session} has no {what}s yet: nothing of it is loaded")
        raise HistoryError(f"unknown {what} {wanted!r}: {_nearest(wanted, known)}")

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
            "bars": "a bar is written when its minute is over",
            "spread events": "a pair has none until its moments are warm",
            "fills": f"the session has {extent['orders'][0]} orders",
        }
        return Answer(found.columns, (), f"no {what} of {of} in session {session}: {reasons[what]}")


def _times(span: Span) -> dict[str, datetime | None]:
    return {"from": span.start, "to": span.end}


def _nearest(wanted: str, known: Sequence[str]) -> str:
    """The names most like the one wanted, or how to see them all."""
    by_upper = {name.upper(): name for name in known}
    near = [by_upper[name] for name in difflib.get_close_matches(wanted.upper(), by_upper, n=4, cutoff=0.4)]
    if near:
        return f"did you mean {', '.join(near)}?"
    shown = ", ".join(known[:8])
    return f"there are {len(known)}: {shown}{', ...' if len(known) > 8 else ''}"


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
