"""The way a question goes: a query of `sql/timescale/queries` to the database, and its answer or one clear line."""

import difflib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg.sql import SQL, Identifier

from pipelines.domain.eligible import SPOILED, SUSPICIOUS, VOLUME_ONLY
from pipelines.history.answers import Answer
from pipelines.history.timescale import SQL_DIR, HistoryError, connect, place

QUERIES_DIR = SQL_DIR / "queries"

_ALWAYS = {"spoiled": SPOILED, "suspicious": SUSPICIOUS, "volume_only": VOLUME_ONLY}
"""Parameters that queries may take without being given them."""


@cache
def sql(name: str, directory: Path = QUERIES_DIR) -> str:
    """The text of a query without its comments (where psycopg would look for parameters)."""
    lines = (directory / f"{name}.sql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


class Questions:
    """A read-only connection to the history, every statement bounded in time."""

    def __init__(self, dsn: str, *, timeout_s: float = 30.0) -> None:
        """Raises HistoryError if Timescale does not answer."""
        settings = {
            "statement_timeout": f"{int(timeout_s * 1000)}ms",
            "default_transaction_read_only": "on",
            "work_mem": "64MB",  # a book is made of every level since its snapshot
            "jit": "off",  # compiling would take longer than most questions
        }
        self._timeout_s = timeout_s
        try:
            self._connection = connect(dsn, application="history", settings=settings)
        except psycopg.OperationalError as error:
            raise HistoryError(
                f"Timescale at {place(dsn)} does not answer: {_line(error)}. See helios status"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """No more is asked."""
        self._connection.close()

    def instruments(self, session: str) -> list[str]:
        """The instruments that a session knows, sorted."""
        return [str(row[0]) for row in self._ask("instruments", session=session).rows]

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
        if wanted in known:
            return str(wanted)
        if wanted and len(found) != 1:
            what = "no session" if not found else f"{len(found)} sessions"
            raise HistoryError(f"{what} with an id that begins with {wanted!r}: the newest are {', '.join(known[:3])}")
        return str(found[0])

    def _ask(self, name: str, *, rollups: str | None = None, **parameters: object) -> Answer:
        text = sql(name)
        if rollups is not None:
            text = SQL(text).format(rollups=Identifier(rollups)).as_string()
        return self._execute(text, _ALWAYS | parameters)

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
        """Raises HistoryError where a session has no such instrument or pair: with the nearest, or those there are."""
        known = [str(row[0]) for row in self._ask(f"{what}s", session=session).rows]
        if wanted in known:
            return
        if not known:
            raise HistoryError(f"session {session} has no {what}s yet: nothing of it is loaded")
        raise HistoryError(f"unknown {what} {wanted!r}: {nearest(wanted, known)}")


def nearest(wanted: str, known: Sequence[str]) -> str:
    """The names most like the one wanted, or how to see them all."""
    by_upper = {name.upper(): name for name in known}
    near = [by_upper[name] for name in difflib.get_close_matches(wanted.upper(), by_upper, n=4, cutoff=0.4)]
    if near:
        return f"did you mean {', '.join(near)}?"
    shown = ", ".join(known[:8])
    return f"there are {len(known)}: {shown}{', ...' if len(known) > 8 else ''}"


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
