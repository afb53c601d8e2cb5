"""Reference data in the history: venues, calendars, instruments as they were at a time, and corporate actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from pipelines.history.timescale import Connection, HistoryError

KEYS = {
    "venues": ("venue",),
    "calendars": ("calendar", "session_date"),
    "instrument_versions": ("instrument", "valid_from"),
    "corporate_actions": ("instrument", "ex_date", "kind"),
}

Rows = Sequence[Mapping[str, Any]]
"""By column of the table; what a row does not name takes the column's default."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Rows of the four tables, plain values by column: texts, numbers, dates and times with a zone."""

    venues: Rows = ()
    calendars: Rows = ()
    instrument_versions: Rows = ()
    corporate_actions: Rows = ()


def store_reference(connection: Connection, reference: Reference) -> dict[str, int]:
    """Write rows, new ones and those that have changed, all or none; how many of each table were either.

    Rows that are not named stay: a version of an instrument ends by its `valid_to`, not by being left out. Raises
    HistoryError for versions of an instrument that are valid at one time, psycopg.Error for what the tables refuse.
    """
    with connection.transaction():
        stored = {table: sum(_store(connection, table, row) for row in getattr(reference, table)) for table in KEYS}
        clash = connection.execute(
            "SELECT a.instrument, a.valid_from, b.valid_from FROM instrument_versions a JOIN instrument_versions b "
            "ON b.instrument = a.instrument AND b.valid_from > a.valid_from AND b.valid_from < a.valid_to LIMIT 1"
        ).fetchone()
        if clash is not None:
            raise HistoryError(
                f"instrument {clash[0]}: its versions from {clash[1]:%Y-%m-%d} and from {clash[2]:%Y-%m-%d} are valid "
                "at one time: end the first where the second begins"
            )
    return stored


def _store(connection: Connection, table: str, row: Mapping[str, Any]) -> int:
    columns = [Identifier(name) for name in row]
    keys = [Identifier(name) for name in KEYS[table]]
    others = [Identifier(name) for name in row if name not in KEYS[table]]
    comma = SQL(", ")
    change = Composed([SQL("DO NOTHING")])
    if others:
        change = SQL("DO UPDATE SET ({}) = ROW({}) WHERE ({}) IS DISTINCT FROM ({})").format(
            comma.join(others),
            comma.join(SQL("excluded.{}").format(name) for name in others),
            comma.join(SQL("kept.{}").format(name) for name in others),
            comma.join(SQL("excluded.{}").format(name) for name in others),
        )
    statement = SQL("INSERT INTO {} AS kept ({}) VALUES ({}) ON CONFLICT ({}) ").format(
        Identifier(table), comma.join(columns), comma.join([SQL("%s")] * len(columns)), comma.join(keys)
    )
    return connection.execute(statement + change, list(row.values())).rowcount
