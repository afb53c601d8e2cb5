"""For how long market data is kept, and when it is compressed: by the server's policies where it offers them (the
Timescale edition), else by the loader once an hour; the Apache edition does not compress."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from psycopg.sql import SQL, Identifier

from pipelines.history.answers import Answer
from pipelines.history.rollup_tables import kept_by_loader
from pipelines.history.server_rollups import refresh_back_to
from pipelines.history.timescale import Connection, HistoryError

ARCHIVE = "archive"
"""The session of rows that were backfilled from files."""

SEGMENTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ticks": ("session_id, venue, instrument", "event_time, sequence, feed_session"),
        "books": ("session_id, venue, instrument", "event_time, sequence, feed_session"),
        "spreads": ("session_id, pair", "event_time, sequence, shard"),
        "risk_updates": ("session_id, account", "event_time, event_id"),
        "ohlcv_1s": ("session_id, venue, instrument", "start_time"),
        "ohlcv_1m": ("session_id, venue, instrument", "start_time"),
        "ohlcv_1d": ("session_id, venue, instrument", "start_time"),
    }
)
"""The tables that have a retention: columns by which they are segmented and ordered when they are compressed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Of a table: what is older than `keep` goes, what is older than `compress_after` is compressed; None: never."""

    table: str
    keep: timedelta | None = None
    compress_after: timedelta | None = None


def offers_policies(connection: Connection) -> bool:
    """Whether the server is of the Timescale edition, which has retention and compression policies."""
    row = connection.execute("SELECT current_setting('timescaledb.license', true) = 'timescale'").fetchone()
    return row is not None and bool(row[0])


def rules(connection: Connection) -> dict[str, Rule]:
    """The rule of every table; where nothing was said, all is kept as it is."""
    said = {row[0]: Rule(*row) for row in connection.execute("SELECT table_name, keep, compress_after FROM retention")}
    return {table: said.get(table, Rule(table)) for table in SEGMENTS}


def set_rules(connection: Connection, wanted: Iterable[Rule], *, drop_archive: bool = False) -> None:
    """Keep rules, all or none of them, and hand them to the server where it has policies.

    Raises HistoryError where backfilled rows would go and `drop_archive` is not said, for a rule that contradicts
    itself, and for compression on a server that has none.
    """
    policies = offers_policies(connection)
    with connection.transaction():
        for rule in wanted:
            _check(connection, rule, policies=policies, drop_archive=drop_archive)
            connection.execute(
                "INSERT INTO retention (table_name, keep, compress_after) VALUES (%s, %s, %s) ON CONFLICT (table_name) "
                "DO UPDATE SET keep = excluded.keep, compress_after = excluded.compress_after, updated_at = now()",
                (rule.table, rule.keep, rule.compress_after),
            )
            if policies:
                _hand_over(connection, rule)
            if rule.table == "ticks" and not kept_by_loader(connection):
                refresh_back_to(connection, rule.keep)


def drop_old(connection: Connection) -> dict[str, int]:
    """Drop the chunks whose rows are all older than they are kept, where the server does not do so itself; how many
    went, by table. Raises psycopg.errors.LockNotAvailable while a long question holds one."""
    if offers_policies(connection):
        return {}
    dropped = {}
    for rule in rules(connection).values():
        if rule.keep is not None:
            statement = SQL("SELECT count(*) FROM drop_chunks({}, older_than => %s::interval)").format(rule.table)
            row = connection.execute(statement, (rule.keep,)).fetchone()
            if row is not None and row[0]:
                dropped[rule.table] = int(row[0])
    return dropped


def check_kept(connection: Connection, table: str, oldest: datetime) -> None:
    """Raises HistoryError where rows as old as that would not be kept."""
    keep = rules(connection)[table].keep
    if keep is None:
        return
    row = connection.execute("SELECT now() - %s < %s", (keep, oldest)).fetchone()
    if row is None or not row[0]:
        raise HistoryError(
            f"rows of {oldest:%Y-%m-%d} would not stay: {table} is kept for {keep.days} days: "
            f"helios history retention --{table} forever, or longer"
        )


def overview(connection: Connection) -> Answer:
    """The rules, and what each table holds now."""
    found = connection.execute(
        "SELECT h.name, r.keep, r.compress_after, h.num_chunks, "
        "hypertable_size(format('%%I.%%I', h.hypertable_schema, h.hypertable_name)::regclass) AS bytes, c.oldest "
        "FROM (SELECT t.*, coalesce(c.view_name, t.hypertable_name) AS name FROM timescaledb_information.hypertables t "
        "LEFT JOIN timescaledb_information.continuous_aggregates c ON c.materialization_hypertable_name = "
        "t.hypertable_name) "
        "h LEFT JOIN retention r ON r.table_name = h.name "
        "LEFT JOIN LATERAL (SELECT min(range_start) AS oldest FROM timescaledb_information.chunks c "
        "WHERE (c.hypertable_schema, c.hypertable_name) = (h.hypertable_schema, h.hypertable_name)) c ON true "
        "WHERE h.name = ANY(%s)",
        (list(SEGMENTS),),
    ).fetchall()
    by_name = {row[0]: row for row in found}
    by = "the server" if offers_policies(connection) else "the loader, hourly"
    rows = [
        (name, _said(row[1], "forever"), _said(row[2], "never"), *row[3:], by)
        for name in SEGMENTS
        if (row := by_name.get(name)) is not None
    ]
    return Answer(("table", "keep", "compress_after", "chunks", "bytes", "oldest", "kept_by"), tuple(rows))


def _check(connection: Connection, rule: Rule, *, policies: bool, drop_archive: bool) -> None:
    if rule.table not in SEGMENTS:
        raise HistoryError(f"no table {rule.table!r} has a retention: it is of {', '.join(SEGMENTS)}")
    if rule.compress_after is not None and not policies:
        raise HistoryError(
            f"{rule.table}: this server is TimescaleDB's Apache edition, which does not compress: leave that out, "
            "or use a server of the Timescale edition"
        )
    if rule.keep is None:
        return
    if rule.compress_after is not None and rule.compress_after >= rule.keep:
        raise HistoryError(
            f"{rule.table}: it would be gone before it is compressed: compress after less than {_said(rule.keep, '')}"
        )
    time = "start_time" if rule.table.startswith("ohlcv") else "event_time"
    statement = SQL("SELECT min({time}) FROM {table} WHERE session_id = %s AND {time} < now() - %s").format(
        time=Identifier(time), table=Identifier(rule.table)
    )
    row = connection.execute(statement, (ARCHIVE, rule.keep)).fetchone()
    if row is not None and row[0] is not None and not drop_archive:
        raise HistoryError(
            f"{rule.table}: backfilled rows from {row[0]:%Y-%m-%d} on are older than {rule.keep.days} days and would "
            "go: keep it for longer, or say --drop-archive"
        )


def _hand_over(connection: Connection, rule: Rule) -> None:
    """To the server's policies, whatever they were before."""
    connection.execute("SELECT remove_retention_policy(%s::regclass, if_exists => true)", (rule.table,))
    if rule.keep is not None:
        connection.execute(
            "SELECT add_retention_policy(%s::regclass, drop_after => %s::interval)", (rule.table, rule.keep)
        )
    connection.execute("SELECT remove_compression_policy(%s::regclass, if_exists => true)", (rule.table,))
    if rule.compress_after is not None:
        _make_compressible(connection, rule.table)
        connection.execute(
            "SELECT add_compression_policy(%s::regclass, compress_after => %s::interval)",
            (rule.table, rule.compress_after),
        )


def _make_compressible(connection: Connection, table: str) -> None:
    if table.startswith("ohlcv") and not kept_by_loader(connection):
        statement = SQL("ALTER MATERIALIZED VIEW {} SET (timescaledb.compress)").format(Identifier(table))
    else:
        segments, order = SEGMENTS[table]
        statement = SQL(
            "ALTER TABLE {} SET (timescaledb.compress, timescaledb.compress_segmentby = {}, "
            "timescaledb.compress_orderby = {})"
        ).format(Identifier(table), segments, order)
    connection.execute(statement)


def _said(length: timedelta | None, none: str) -> str:
    return none if length is None else f"{length.days}d" if not length.seconds else str(length)
