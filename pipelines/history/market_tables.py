"""Ticks and book levels into their tables, each once, and what was new of them into the roll-ups."""

import numpy as np
import psycopg
from psycopg.sql import SQL, Composed, Identifier

from pipelines.domain.market import Ticks
from pipelines.domain.rollups import utc_days
from pipelines.history.binary_copy import HEAD, TAIL
from pipelines.history.copy_format import Feeds, copy_stream, of_table
from pipelines.history.rollup_tables import Days, RollupTables
from pipelines.history.tables import BOOKS, TICKS, Table
from pipelines.history.timescale import Connection


class MarketTables:
    """Writes a session's market data in the caller's transactions, by its connection."""

    def __init__(self, connection: Connection, session_id: str, days: Days = utc_days) -> None:
        """Makes the temporary tables by which rows come in."""
        self._connection = connection
        self._session_id = session_id
        self._rollups = RollupTables(connection, session_id, days)
        for table in (TICKS, BOOKS):
            make_incoming(connection, table)

    def write(self, feeds: Feeds) -> int:
        """Rows as `home` or `merge` gave them; the number that were new. Call it within a transaction."""
        ticks, levels = of_table(TICKS, feeds), of_table(BOOKS, feeds)
        new_ticks = self._land(TICKS, ticks) if ticks else {}
        new_levels = self._land(BOOKS, levels) if levels else {}
        if new_ticks:
            self._rollups.add(new_ticks)
        return sum(len(rows) for new in (new_ticks, new_levels) for _, rows in new.values())

    def _land(self, table: Table, feeds: Feeds) -> Feeds:
        """Straight into the table, in half the time of ON CONFLICT; with it where one of them was there before."""
        try:
            with self._connection.transaction():
                self._copy(table, feeds, table.name)
                return feeds
        except psycopg.errors.UniqueViolation:
            return {feed: part for feed, part in self._land_new(table, feeds).items() if len(part[1])}

    def _land_new(self, table: Table, feeds: Feeds) -> Feeds:
        single = {feed: (names, _first_of_each(rows)) for feed, (names, rows) in feeds.items()}
        self._copy(table, single, table.incoming)
        columns = column_names(table)
        statement = SQL(
            "INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING "
            "RETURNING venue, feed_session, sequence, event_ns"
        ).format(Identifier(table.name), columns, columns, Identifier(table.incoming))
        taken: dict[tuple[str, str], set[tuple[int, int]]] = {}
        for venue, feed_session, sequence, event_ns in self._connection.execute(statement):
            taken.setdefault((venue, feed_session), set()).add((sequence, event_ns))
        self._connection.execute(SQL("TRUNCATE {}").format(Identifier(table.incoming)))
        return {
            feed: (names, _those(rows, taken.get((_stored(feed[0]), _stored(feed[1])), set())))
            for feed, (names, rows) in single.items()
        }

    def _copy(self, table: Table, feeds: Feeds, into: str) -> None:
        with self._connection.cursor() as cursor, cursor.copy(copy_into(into, table, binary=True)) as copy:
            copy.write(HEAD)
            for (venue, feed_session), (instruments, ticks) in feeds.items():
                for piece in copy_stream(self._session_id, venue, feed_session, instruments, ticks, table):
                    copy.write(piece)
            copy.write(TAIL)


def make_incoming(connection: Connection, table: Table) -> None:
    """The temporary table of a table: empty at the end of each transaction."""
    statement = SQL("CREATE TEMP TABLE {} (LIKE {}) ON COMMIT DELETE ROWS")
    connection.execute(statement.format(Identifier(table.incoming), Identifier(table.name)))


def column_names(table: Table) -> Composed:
    """Of what is copied, with commas."""
    return SQL(", ").join(Identifier(column) for column in table.columns)


def copy_into(into: str, table: Table, *, binary: bool) -> Composed:
    """The COPY statement of a table's rows into it or its temporary one."""
    form = SQL(" (FORMAT BINARY)") if binary else SQL("")
    return SQL("COPY {} ({}) FROM STDIN{}").format(Identifier(into), column_names(table), form)


def _first_of_each(rows: Ticks) -> Ticks:
    """The rows without those that have the key of one before them: the sequence, and the time that is stored."""
    keys = np.stack([rows["sequence"], rows["event_ns"] // 1000], axis=1)
    _, first = np.unique(keys, axis=0, return_index=True)
    kept: Ticks = rows[np.sort(first)]
    return kept


def _those(rows: Ticks, wanted: set[tuple[int, int]]) -> Ticks:
    keys = zip(rows["sequence"].tolist(), rows["event_ns"].tolist(), strict=True)
    kept: Ticks = rows[np.fromiter((key in wanted for key in keys), dtype=bool, count=len(rows))]
    return kept


def _stored(text: str) -> str:
    return text.replace("\x00", "\ufffd")
