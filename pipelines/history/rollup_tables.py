"""The roll-ups of ticks, ohlcv_1s, ohlcv_1m and ohlcv_1d: bars of new ticks joined to those that are there."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation
from psycopg.sql import SQL, Composed, Identifier

from pipelines.domain.rollups import MINUTE_NS, ROLLUP, Rollups, floor_ns, joined, seconds, utc_days
from pipelines.history.binary_copy import HEAD, TAIL, timestamps
from pipelines.history.copy_format import Feeds
from pipelines.history.rollup_copy import COLUMNS, bar_stream
from pipelines.history.timescale import SQL_DIR, Connection

ROLLUP_TABLES = ("ohlcv_1s", "ohlcv_1m", "ohlcv_1d")

Days = Callable[[Sequence[tuple[str, str]], Rollups], NDArray[np.int64]]
"""Where the day of each bar begins: of instruments (venue, name), and bars that name them by number. Whole seconds."""

_INCOMING = Identifier("incoming_rollups")
_JOIN = Path(SQL_DIR / "loader" / "join_rollups.sql")


class RollupTables:
    """Takes new ticks into the roll-ups, in the caller's transaction. A tick that was counted is not to be given again.

    Does nothing where the server keeps them itself, as continuous aggregates.
    """

    def __init__(self, connection: Connection, session_id: str, days: Days = utc_days) -> None:
        """`days`: of an instrument whose session is not the UTC day, by its calendar."""
        self._connection = connection
        self._session_id = session_id
        self._days = days
        self._newest_ns: int | None = None
        self._kept_by_us = kept_by_loader(connection)
        if self._kept_by_us:
            columns = SQL(", ").join(
                SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in _columns().items()
            )
            connection.execute(SQL("CREATE TEMP TABLE {} ({}) ON COMMIT DELETE ROWS").format(_INCOMING, columns))

    def add(self, feeds: Feeds) -> None:
        """Quotes and trades among the ticks count; all of them are new."""
        if not self._kept_by_us:
            return
        numbers: dict[tuple[str, str], int] = {}
        parts = [
            (np.array([numbers.setdefault((venue, name), len(numbers)) for name in names], dtype=np.int64), ticks)
            for (venue, _), (names, ticks) in feeds.items()
        ]
        by_second = seconds(parts)
        if not len(by_second):
            return
        instruments = list(numbers)
        by_minute = joined(by_second, floor_ns(by_second["start_ns"], MINUTE_NS))
        by_day = joined(by_second, self._days(instruments, by_second))
        levels = (self._but_new(instruments, by_second), by_minute, by_day)
        self._join(instruments, levels)

    def _but_new(self, instruments: Sequence[tuple[str, str]], bars: Rollups) -> Rollups:
        """The bars of a second without those that could be put straight in, in a third of the time of joining them.

        Those after all that this writer has seen mostly are not there yet; where one of them is, all are to be joined.
        """
        newest_ns = int(bars["start_ns"].max())
        known_ns, self._newest_ns = self._newest_ns, max(newest_ns, self._newest_ns or newest_ns)
        new = bars["start_ns"] > known_ns if known_ns is not None else np.zeros(len(bars), dtype=bool)
        if not new.any():
            return bars
        columns = SQL(", ").join(map(Identifier, COLUMNS))
        statement = SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(Identifier(ROLLUP_TABLES[0]), columns)
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor, cursor.copy(statement) as copy:
                copy.write(HEAD)
                for piece in bar_stream(self._session_id, instruments, bars[new]):
                    copy.write(piece)
                copy.write(TAIL)
        except UniqueViolation:
            return bars
        return bars[~new]

    def _join(self, instruments: Sequence[tuple[str, str]], levels: Sequence[Rollups]) -> None:
        names = {"venues": [venue for venue, _ in instruments], "instruments": [name for _, name in instruments]}
        with self._connection.cursor() as cursor:
            with cursor.copy(SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(_INCOMING)) as copy:
                copy.write(HEAD)
                for level, bars in enumerate(levels):
                    copy.write(_binary(level, bars))
                copy.write(TAIL)
            for level, table in enumerate(ROLLUP_TABLES):
                if len(levels[level]):
                    cursor.execute(_statement(table), {"session": self._session_id, "level": level, **names})


def kept_by_loader(connection: Connection) -> bool:
    """Whether the roll-ups are tables that the loader fills; if not, they are the server's continuous aggregates."""
    row = connection.execute("SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass('ohlcv_1s')").fetchone()
    return row is not None and bool(row[0])


def _statement(table: str) -> Composed:
    lines = [line for line in _JOIN.read_text().splitlines() if not line.startswith("--")]
    return SQL("\n".join(lines)).format(rollups=Identifier(table), incoming=_INCOMING)


def _columns() -> dict[str, str]:
    """Of the temporary table that bars come in by: names and types."""
    columns = {"level": "bigint"}
    for name in ROLLUP.names or ():
        if name == "start_ns":
            columns["start_time"] = "timestamptz"
        else:
            columns[name] = "double precision" if ROLLUP[name].kind == "f" else "bigint"
    return columns


def _row() -> np.dtype[np.void]:
    """A row of binary COPY: the count of fields, then each one's length and value."""
    parts: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in _columns().items():
        parts += [(f"length of {name}", ">i4"), (name, ">f8" if kind == "double precision" else ">i8")]
    return np.dtype(parts)


def _binary(level: int, bars: Rollups) -> bytes:
    rows = np.empty(len(bars), _row())
    rows["fields"] = len(_columns())
    for name in _columns():
        rows[f"length of {name}"] = 8
        if name == "level":
            rows[name] = level
        elif name == "start_time":
            rows[name] = timestamps(bars["start_ns"])
        else:
            rows[name] = bars[name]
    return rows.tobytes()
