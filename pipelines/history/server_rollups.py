"""The roll-ups as continuous aggregates of a server of the Timescale edition, in place of the loader's tables.

It takes the work off the loader's transactions. The price: a tick that comes later than what the server has aggregated
is seen in the bars only at its next refresh, a minute at most, and days are UTC's. So it is said, and not done unasked.
"""

from datetime import timedelta

from psycopg.sql import SQL, Composable, Identifier, Literal

from pipelines.domain.eligible import SPOILED, SUSPICIOUS, VOLUME_ONLY
from pipelines.history.rollup_tables import ROLLUP_TABLES, kept_by_loader
from pipelines.history.timescale import SQL_DIR, Connection, HistoryError

REFRESH = {
    "ohlcv_1s": timedelta(minutes=1),
    "ohlcv_1m": timedelta(minutes=5),
    "ohlcv_1d": timedelta(days=1),
}
"""What is younger is aggregated when it is asked for."""


def hand_to_server(connection: Connection) -> None:
    """Replace the tables by aggregates, which the server fills from the ticks there are.

    Raises HistoryError where a loader is writing, where the ticks of some bars are gone, or the server cannot.
    """
    if not kept_by_loader(connection):
        return
    _check(connection)
    good = SQL("flags & {} = 0").format(Literal(SPOILED))
    parts: dict[str, Composable] = {
        "trade": SQL("(kind = 'trade' AND code & {} = 0 AND {})").format(Literal(SUSPICIOUS), good),
        "pricing": SQL("(kind = 'trade' AND code & {} = 0 AND {})").format(Literal(SUSPICIOUS | VOLUME_ONLY), good),
        "quote": SQL("(kind = 'quote' AND {})").format(good),
        "two_sided": SQL("(kind = 'quote' AND bid <> 0 AND ask <> 0 AND {})").format(good),
        "mid": SQL("0.5 * (bid + ask)"),
        "at": SQL("event_ns::numeric * 1e12::numeric + sequence"),
    }
    with connection.transaction():
        for table in reversed(ROLLUP_TABLES):
            connection.execute(SQL("DROP TABLE {}").format(Identifier(table)))
        connection.execute(SQL(_text("continuous_aggregates")).format(**parts))
        for shorter, longer, length in zip(ROLLUP_TABLES, ROLLUP_TABLES[1:], ("1 minute", "1 day"), strict=False):
            names = {"shorter": Identifier(shorter), "longer": Identifier(longer), "length": Literal(length)}
            connection.execute(SQL(_text("longer_aggregates")).format(**names))
        row = connection.execute("SELECT keep FROM retention WHERE table_name = 'ticks'").fetchone()
        refresh_back_to(connection, None if row is None else row[0])


def refresh_back_to(connection: Connection, keep: timedelta | None) -> None:
    """Have the server refresh the aggregates as far back as ticks are kept: further back, it would lose their bars."""
    for table, settled in REFRESH.items():
        connection.execute("SELECT remove_continuous_aggregate_policy(%s::regclass, if_exists => true)", (table,))
        connection.execute(
            "SELECT add_continuous_aggregate_policy(%s::regclass, start_offset => %s::interval, "
            "end_offset => %s::interval, schedule_interval => INTERVAL '1 minute')",
            (table, keep, settled),
        )


def _check(connection: Connection) -> None:
    edition = connection.execute("SELECT current_setting('timescaledb.license', true)").fetchone()
    if edition != ("timescale",):
        raise HistoryError(
            "this server is TimescaleDB's Apache edition, without continuous aggregates: the loader keeps on"
        )
    writing = connection.execute(
        "SELECT process FROM loader_status WHERE updated_at > now() - INTERVAL '15 seconds' LIMIT 1"
    ).fetchone()
    if writing is not None:
        raise HistoryError(f"the loader {writing[0]} is writing: stop it first, and start it again after")
    row = connection.execute(
        "SELECT (SELECT min(first_ns) FROM ohlcv_1d), "
        "(SELECT min(event_ns) FROM ticks WHERE kind IN ('quote', 'trade'))"
    ).fetchone()
    if row is not None and row[0] is not None and (row[1] is None or row[0] < row[1]):
        raise HistoryError(
            "some bars are of ticks that are gone, by retention: they would go, too: the loader keeps on"
        )


def _text(name: str) -> str:
    lines = (SQL_DIR / "loader" / f"{name}.sql").read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith("--"))
