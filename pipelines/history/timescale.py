"""The database: a connection to it, and its tables brought up to date."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

SQL_DIR = Path(__file__).resolve().parents[2] / "sql" / "timescale"
"""The migrations, `<number>_<name>.sql`, applied in order, each once; and the queries."""

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_LOCK = 0x48454C494F53
"""Of PostgreSQL's advisory locks: two who migrate at once take turns. ("HELIOS" in ASCII.)"""


class HistoryError(RuntimeError):
    """The history cannot be used as it is: says what is wrong and the way out."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def connect(dsn: str, *, application: str, settings: Mapping[str, str] | None = None) -> Connection:
    """A connection with a transaction for each `with connection.transaction()`, its times in UTC.

    Raises psycopg.OperationalError if the server does not answer within 5 s.
    """
    options = {"timezone": "UTC", "client_min_messages": "warning"} | dict(settings or {})
    return psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=5,
        application_name=f"helios {application}",
        options=" ".join(f"-c {name}={value}" for name, value in options.items()),
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
    )


def place(dsn: str) -> str:
    """Where a dsn points, without its password: what messages show."""
    try:
        parts = conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        return "an address that libpq cannot read"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def migrations(directory: Path = SQL_DIR) -> tuple[Migration, ...]:
    """All there are, in order. Raises HistoryError for two of one number."""
    found = []
    for path in sorted(directory.glob("*.sql")):
        parts = re.fullmatch(r"(\d+)_(\w+)", path.stem)
        if parts is None:
            raise HistoryError(f"{path}: a migration is named <number>_<name>.sql")
        found.append(Migration(int(parts[1]), parts[2], path.read_text()))
    numbers = [each.number for each in found]
    if twice := {number for number in numbers if numbers.count(number) > 1}:
        raise HistoryError(f"{directory}: two migrations have the number {min(twice)}: renumber the newer one")
    return tuple(sorted(found, key=lambda each: each.number))


def migrate(connection: Connection, directory: Path = SQL_DIR) -> tuple[str, ...]:
    """Apply the migrations that the database has not had; their names. Each whole or not at all.

    Raises HistoryError where one that was applied has changed since, or the server has no TimescaleDB.
    """
    connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations (number integer PRIMARY KEY, name text NOT NULL, "
            "digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        applied: dict[int, str] = dict(connection.execute("SELECT number, digest FROM schema_migrations").fetchall())
        return tuple(each.name for each in migrations(directory) if _apply(connection, each, applied.get(each.number)))
    finally:
        if not connection.broken:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def _apply(connection: Connection, migration: Migration, digest: str | None) -> bool:
    if digest is not None:
        if digest != migration.digest:
            raise HistoryError(
                f"{migration.number:03}_{migration.name}.sql has changed since it was applied to this database: "
                f"put it back as it was and write a migration of the next number, or drop the database"
            )
        return False
    try:
        with connection.transaction():
            connection.execute(migration.text.encode())
            connection.execute(
                "INSERT INTO schema_migrations (number, name, digest) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.digest),
            )
    except psycopg.errors.FeatureNotSupported as error:
        raise HistoryError(f"this PostgreSQL server has no TimescaleDB: {error.diag.message_primary}") from error
    return True
