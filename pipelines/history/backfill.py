"""Ticks of files into the history, at full speed, each once, and from where it stopped."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from pipelines.domain.market import Flag, Kind, Ticks
from pipelines.domain.rollups import utc_days
from pipelines.history.copy_format import home, merge
from pipelines.history.market_tables import MarketTables
from pipelines.history.retention import ARCHIVE, check_kept
from pipelines.history.rollup_tables import Days
from pipelines.history.timescale import HistoryError, connect, migrate
from pipelines.history.turns import Turns
from pipelines.history.writer import SETTINGS

BATCH_ROWS = 200_000
"""Of a transaction: about a second."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a source. `digest` tells its content: the same name with another one is another file."""

    source: str
    name: str
    digest: str

    @classmethod
    def of(cls, source: str, path: Path, name: str = "") -> "SourceFile":
        """Of a file on disk, which is read once for its digest; called by its path's last part, or by `name`. Raises
        OSError."""
        with path.open("rb") as content:
            return cls(source, name or path.name, hashlib.file_digest(content, "blake2b").hexdigest()[:32])

    @property
    def feed_session(self) -> str:
        """What the rows' ids are of: venue, this, sequence."""
        return f"{self.source}/{self.name}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file has come: rows in its order that were taken, those of them that were new, whether it is done."""

    rows_taken: int = 0
    rows_new: int = 0
    complete: bool = False


class Backfill:
    """Writes one file's ticks, given to `take` in the file's own order, and then `finish`; use it as a context.

    `progress` says how far it had come before: what is given again up to there is passed over, so a decoder begins at
    the beginning. Rows are of session `archive`. Transactions are written while the next one's rows are decoded.
    """

    def __init__(
        self, dsn: str, file: SourceFile, venue: str, *, batch_rows: int = BATCH_ROWS, days: Days = utc_days
    ) -> None:
        """Raises HistoryError where a file of that name had another content, psycopg.OperationalError."""
        self.file = file
        self._venue, self._batch_rows = venue, batch_rows
        self._connection = connect(dsn, application="backfill", settings=SETTINGS)
        try:
            migrate(self._connection)
            self.progress = self._begin()
            self._tables = MarketTables(self._connection, ARCHIVE, days)
        except BaseException:
            self._connection.close()
            raise
        self._turns = Turns()
        self._held: list[tuple[tuple[str, ...], Ticks]] = []
        self._held_rows = 0
        self._passed_over = self.progress.rows_taken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.__exit__(kind, error, trace)
        self._connection.close()

    def take(self, ticks: Ticks, instruments: Sequence[str]) -> None:
        """The next rows of the file, of `TICK`, their instruments by place among those given.

        Raises HistoryError for rows older than they are kept, ValueError for one of an instrument that is not given,
        psycopg.Error where a transaction before failed.
        """
        known = min(self._passed_over, len(ticks))
        self._passed_over -= known
        rows = ticks[known:].copy()
        if not len(rows) or self.progress.complete:
            return
        self._held.append((tuple(instruments), rows))
        self._held_rows += len(rows)
        if self._held_rows >= self._batch_rows:
            self._hand_over(complete=False)

    def finish(self, *, broken: bool = False) -> Progress:
        """Write what is left, and that the file is done. A `broken` one is not: when it is whole, it goes on there."""
        if not self.progress.complete:
            self._hand_over(complete=not broken)
            self._turns.wait()
        return self.progress

    def _hand_over(self, *, complete: bool) -> None:
        held, self._held, self._held_rows = self._held, [], 0
        self._turns.take(partial(self._write, held, complete))

    def _begin(self) -> Progress:
        key = (ARCHIVE, self.file.source, self.file.name)
        with self._connection.transaction():
            self._connection.execute(
                "INSERT INTO sessions (session_id, topic_prefix, writer_epoch) VALUES (%s, '', 0) "
                "ON CONFLICT DO NOTHING",
                (ARCHIVE,),
            )
            self._connection.execute(
                "INSERT INTO backfill_files (session_id, source, file, digest, rows_taken, rows_new, complete) "
                "VALUES (%s, %s, %s, %s, 0, 0, false) ON CONFLICT DO NOTHING",
                (*key, self.file.digest),
            )
            row = self._connection.execute(
                "SELECT digest, rows_taken, rows_new, complete, updated_at FROM backfill_files "
                "WHERE (session_id, source, file) = (%s, %s, %s)",
                key,
            ).fetchone()
        assert row is not None
        digest, *counts, when = row
        progress = Progress(*counts)
        if digest != self.file.digest and not progress.complete:
            # It broke off, or was cut off in the middle: the whole one begins with the same rows.
            self._connection.execute(
                "UPDATE backfill_files SET digest = %s WHERE (session_id, source, file) = (%s, %s, %s)",
                (self.file.digest, *key),
            )
        elif digest != self.file.digest:
            raise HistoryError(
                f"{self.file.name} of source {self.file.source} was loaded with another content on {when:%Y-%m-%d}: "
                "give the file another name, or the source"
            )
        return progress

    def _write(self, held: list[tuple[tuple[str, ...], Ticks]], complete: bool) -> None:
        taken = sum(len(rows) for _, rows in held)
        for _, rows in held:
            rows["flags"] |= int(Flag.HOME)  # an archive has no shards: every row is at home
        instruments, ticks = merge([(names, home(names, rows)) for names, rows in held])
        self._check_kept(ticks)
        with self._connection.transaction():
            self._hold_place()
            feeds = {(self._venue, self.file.feed_session): (instruments, ticks)} if len(ticks) else {}
            new = self._tables.write(feeds)
            done = Progress(self.progress.rows_taken + taken, self.progress.rows_new + new, complete)
            self._connection.execute(
                "UPDATE backfill_files SET rows_taken = %s, rows_new = %s, complete = %s, updated_at = now() "
                "WHERE (session_id, source, file) = (%s, %s, %s)",
                (done.rows_taken, done.rows_new, complete, ARCHIVE, self.file.source, self.file.name),
            )
        self.progress = done

    def _hold_place(self) -> None:
        row = self._connection.execute(
            "SELECT rows_taken FROM backfill_files WHERE (session_id, source, file) = (%s, %s, %s) FOR UPDATE",
            (ARCHIVE, self.file.source, self.file.name),
        ).fetchone()
        if row is None or row[0] != self.progress.rows_taken:
            raise HistoryError(f"{self.file.name} is being loaded by another process: let one of them end")

    def _check_kept(self, ticks: Ticks) -> None:
        levels = ticks["kind"] == Kind.LEVEL
        for table, rows in (("ticks", ticks[~levels]), ("books", ticks[levels])):
            if len(rows):
                oldest_us = int(np.min(rows["event_ns"])) // 1000
                check_kept(self._connection, table, datetime.fromtimestamp(0, UTC) + timedelta(microseconds=oldest_us))
