"""A role that may only read the history: for people's questions, notebooks and dashboards."""

import re

from psycopg.sql import SQL, Identifier, Literal

from pipelines.history.timescale import Connection, HistoryError

TIMEOUT_S = 60
"""How long a statement of such a role may take, if it does not say less."""


def make_reader(connection: Connection, name: str, password: str, *, timeout_s: int = TIMEOUT_S) -> None:
    """Make a login role that may SELECT from all tables there are and will be, or set it right where it is there.

    The connection is the owner's of the tables, as of the loader, and may create roles. Raises HistoryError for a name
    that is not one, or of a role that is more than a reader; psycopg.errors.InsufficientPrivilege.
    """
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise HistoryError(f"{name!r} is not a name for a role: small letters, digits and _, not a digit first")
    role, owner = Identifier(name), Identifier(connection.info.user)
    row = connection.execute(
        "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) "
        "FROM pg_roles r WHERE rolname = %s",
        (name,),
    ).fetchone()
    if row is not None and row[0]:
        raise HistoryError(f"role {name} is there and may do more than read: take another name")
    # Hashed here, so that the password is in no log of the server.
    secret = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    make = SQL("ALTER ROLE {}" if row is not None else "CREATE ROLE {}").format(role)
    with connection.transaction():
        connection.execute(SQL("{} LOGIN PASSWORD {} CONNECTION LIMIT 32").format(make, Literal(secret)))
        for setting, value in (
            ("statement_timeout", f"{timeout_s}s"),
            ("default_transaction_read_only", "on"),
            ("idle_in_transaction_session_timeout", "60s"),
        ):
            connection.execute(SQL("ALTER ROLE {} SET {} = {}").format(role, Identifier(setting), Literal(value)))
        connection.execute(SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        connection.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(role))
        connection.execute(
            SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT SELECT ON TABLES TO {}").format(
                owner, role
            )
        )
