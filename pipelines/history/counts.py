"""Whether the history holds what the topics do: distinct event ids on one side, rows on the other, table by table."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.history.copy_format import of_table
from pipelines.history.kafka_log import KafkaLog, SessionPlace
from pipelines.history.reader import Batch, SessionReader
from pipelines.history.rows import Row
from pipelines.history.tables import BOOKS, TABLES, TICKS, Table
from pipelines.history.timescale import Connection, connect
from pipelines.history.writer import Place


def distinct_events(bootstrap: str, topics: Topics, registry_url: str) -> dict[str, int]:
    """How many distinct events the topics of a session hold, by the table that they belong in.

    Reads every topic from its beginning to where it ends now. Raises KafkaAway, RegistryError.
    """
    with closing(SessionPlace(bootstrap, topics)) as where:
        session_id = where.session_id()
    reader = SessionReader.of(session_id, topics, SchemaRegistry(registry_url))
    seen = Distinct()
    with closing(KafkaLog(bootstrap, reader.names(), {})) as records:
        ends = records.ends()
        while _short_of(ends, records.offsets()):
            seen.take(
                reader.batch(each for each in records.poll(1_000) if each.offset < ends[each.topic, each.partition])
            )
    return seen.counts()


def row_counts(dsn: str, session_id: str) -> dict[str, int]:
    """How many rows of a session each table holds; none where a loader has not made the tables yet."""
    with connect(dsn, application="counts") as connection:
        try:
            return {table.name: _count(connection, table, session_id) for table in TABLES}
        except psycopg.errors.UndefinedTable:
            return {table.name: 0 for table in TABLES}


def _count(connection: Connection, table: Table, session_id: str) -> int:
    count = SQL("SELECT count(*) FROM {} WHERE session_id = %s").format(Identifier(table.name))
    row = connection.execute(count, (session_id,)).fetchone()
    return 0 if row is None else int(row[0])


class Distinct:
    """The ids seen in batches: of ticks and levels as sequences by feed session, of the rest as keys."""

    def __init__(self) -> None:
        self._sequences: dict[Table, dict[tuple[str, str], list[NDArray[np.int64]]]] = {
            table: defaultdict(list) for table in (TICKS, BOOKS)
        }
        self._keys: Mapping[Table, set[Row]] = {table: set() for table in TABLES}

    def take(self, batch: Batch) -> None:
        for table, sequences in self._sequences.items():
            for feed, (_, ticks) in of_table(table, batch.ticks).items():
                sequences[feed].append(np.ascontiguousarray(ticks["sequence"]))
        for table, rows in batch.rows.items():
            self._keys[table].update(row[: table.key] for row in rows)

    def counts(self) -> dict[str, int]:
        """By table."""
        found = {table.name: len(keys) for table, keys in self._keys.items()}
        for table, sequences in self._sequences.items():
            found[table.name] = sum(len(np.unique(np.concatenate(parts))) for parts in sequences.values())
        return found


def _short_of(ends: Mapping[Place, int], offsets: Mapping[Place, int]) -> bool:
    return any(offsets[place] < end for place, end in ends.items())
