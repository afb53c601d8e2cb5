"""Batches into TimescaleDB: rows, offsets and the writer's epoch in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg.sql import SQL, Identifier

from pipelines.domain.universe import Strategy
from pipelines.history.market_tables import MarketTables, column_names, copy_into, make_incoming
from pipelines.history.reader import Batch
from pipelines.history.retention import drop_old
from pipelines.history.rows import Row
from pipelines.history.tables import BOOKS, TABLES, TICKS, Table
from pipelines.history.timescale import HistoryError, connect, migrate

Place = tuple[str, int]
"""A topic and a partition of it."""

SETTINGS = {
    # What is lost when the server falls over is lost with its offsets, and read again.
    "synchronous_commit": "off",
    # A writer that hangs in a transaction must not hold the next one back.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "15s",
    "temp_buffers": "64MB",
}


class Superseded(HistoryError):
    """A newer loader writes this session."""


@dataclass(frozen=True, slots=True)
class Status:
    """What a loader says of itself. Rates in rows a second."""

    process: str
    started_s: float
    """Unix seconds."""
    records_behind: int
    rows_loaded: int
    rows_per_second: float
    bad_records: int


class Writer:
    """The one that may write a session: it holds the newest epoch; a write under an older one is refused."""

    def __init__(self, dsn: str, session_id: str, topic_prefix: str, epoch: int | None = None) -> None:
        """Connects, brings the tables up to date and takes the next epoch; with `epoch`, goes on under that one."""
        self.session_id = session_id
        self._connection = connect(dsn, application="loader", settings=SETTINGS)
        try:
            migrate(self._connection)
            self._market = MarketTables(self._connection, session_id)
            for table in TABLES:
                if table not in (TICKS, BOOKS):
                    make_incoming(self._connection, table)
            self.epoch = self._take_epoch(topic_prefix) if epoch is None else epoch
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def offsets(self) -> dict[Place, int]:
        """Where to read on, by topic and partition."""
        found = self._connection.execute(
            "SELECT topic, partition, next_offset FROM loader_offsets WHERE session_id = %s", (self.session_id,)
        )
        return {(topic, partition): offset for topic, partition, offset in found}

    def write(self, batch: Batch, offsets: Mapping[Place, int]) -> int:
        """Write a batch and the offsets that it stands for, all or nothing; the number of rows that were new.

        Raises Superseded if a newer loader has taken the session, psycopg.DataError if a row cannot be stored.
        """
        with self._connection.transaction():
            self._hold_epoch()
            new = self._market.write(batch.ticks)
            new += sum(self._copy(table, rows) for table, rows in batch.rows.items() if rows)
            with self._connection.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO loader_offsets (session_id, topic, partition, next_offset, writer_epoch) "
                    "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (session_id, topic, partition) DO UPDATE "
                    "SET next_offset = excluded.next_offset, writer_epoch = excluded.writer_epoch, updated_at = now()",
                    [(self.session_id, *place, offset, self.epoch) for place, offset in offsets.items()],
                )
        return new

    def drop_old(self) -> dict[str, int]:
        """Drop what is older than it is kept; chunks that went, by table. Raises psycopg.errors.LockNotAvailable."""
        return drop_old(self._connection)

    def say(self, status: Status) -> None:
        """Leave the status where `helios status` finds it."""
        self._connection.execute(
            "INSERT INTO loader_status (session_id, writer_epoch, process, started_at, records_behind, rows_loaded, "
            "rows_per_second, bad_records) VALUES (%s, %s, %s, to_timestamp(%s), %s, %s, %s, %s) "
            "ON CONFLICT (session_id) DO UPDATE SET writer_epoch = excluded.writer_epoch, process = excluded.process, "
            "started_at = excluded.started_at, updated_at = now(), records_behind = excluded.records_behind, "
            "rows_loaded = excluded.rows_loaded, rows_per_second = excluded.rows_per_second, "
            "bad_records = excluded.bad_records WHERE loader_status.writer_epoch <= excluded.writer_epoch",
            (
                *(self.session_id, self.epoch, status.process, status.started_s, status.records_behind),
                *(status.rows_loaded, status.rows_per_second, status.bad_records),
            ),
        )

    def describe(self, strategy: Strategy) -> None:
        """Keep the reference data of a session: its instruments and pairs."""
        instruments = [
            (self.session_id, each.id, each.venue, each.symbol, each.tick_size, each.lot_size, each.currency)
            for each in strategy.instruments
        ]
        pairs = [(self.session_id, each.name, each.a, each.b, each.beta, each.shard) for each in strategy.pairs]
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute("DELETE FROM instruments WHERE session_id = %s", (self.session_id,))
            cursor.execute("DELETE FROM pairs WHERE session_id = %s", (self.session_id,))
            cursor.executemany("INSERT INTO instruments VALUES (%s, %s, %s, %s, %s, %s, %s)", instruments)
            cursor.executemany("INSERT INTO pairs VALUES (%s, %s, %s, %s, %s, %s)", pairs)

    def _take_epoch(self, topic_prefix: str) -> int:
        """The next epoch; waits for the transaction of the one before, which finds itself superseded at its next."""
        with self._connection.transaction():
            self._connection.execute("SET LOCAL synchronous_commit = on")
            row = self._connection.execute(
                "INSERT INTO sessions (session_id, topic_prefix, writer_epoch) VALUES (%s, %s, 1) "
                "ON CONFLICT (session_id) DO UPDATE SET writer_epoch = sessions.writer_epoch + 1 "
                "RETURNING writer_epoch",
                (self.session_id, topic_prefix),
            ).fetchone()
        assert row is not None
        return int(row[0])

    def _hold_epoch(self) -> None:
        row = self._connection.execute(
            "SELECT writer_epoch FROM sessions WHERE session_id = %s FOR NO KEY UPDATE", (self.session_id,)
        ).fetchone()
        if row is None:
            raise HistoryError(f"session {self.session_id} is gone from the table sessions: start the loader anew")
        if row[0] != self.epoch:
            raise Superseded(
                f"a newer loader (epoch {row[0]}) writes session {self.session_id}; this one (epoch {self.epoch}) ends"
            )

    def _copy(self, table: Table, rows: list[Row]) -> int:
        with self._connection.cursor() as cursor, cursor.copy(copy_into(table.incoming, table, binary=False)) as copy:
            for row in rows:
                copy.write_row(row)
        return self._take_in(table)

    def _take_in(self, table: Table) -> int:
        columns = column_names(table)
        done = self._connection.execute(
            SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT DO NOTHING").format(
                Identifier(table.name), columns, columns, Identifier(table.incoming)
            )
        )
        return done.rowcount
