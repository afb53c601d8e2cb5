"""helios history: what is kept for how long, and who may read it."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import psycopg
import typer

from infra.settings import load_settings
from jobs.cli.answers import Form, Json, note
from jobs.cli.history_market import length_of
from pipelines.history.timescale import Connection, HistoryError, connect, migrate, place

Keep = Annotated[str, typer.Option(help="Keep it for this long: 90d, or forever.", metavar="LENGTH")]


def retention(
    ticks: Keep = "",
    books: Keep = "",
    spreads: Keep = "",
    ohlcv_1s: Annotated[str, typer.Option("--ohlcv-1s", metavar="LENGTH", help="Bars of a second.")] = "",
    ohlcv_1m: Annotated[str, typer.Option("--ohlcv-1m", metavar="LENGTH", help="Bars of a minute.")] = "",
    ohlcv_1d: Annotated[str, typer.Option("--ohlcv-1d", metavar="LENGTH", help="Bars of a day.")] = "",
    compress: Annotated[
        list[str] | None,
        typer.Option(metavar="TABLE=LENGTH", help="Compress what is older: ticks=7d, or never. Timescale edition."),
    ] = None,
    drop_archive: Annotated[bool, typer.Option("--drop-archive", help="Backfilled rows may go, too.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Only show what is kept, and how much there is.")] = False,
    as_json: Json = False,
) -> None:
    """For how long each table is kept. Whole chunks go (a day of ticks), by event time, once all of one is older.

    Example: helios history retention --ticks 90d --books 14d --ohlcv-1s 365d --ohlcv-1m forever --compress ticks=7d
    """
    from pipelines.history.retention import Rule, overview, rules, set_rules

    given = dict(zip(("ticks", "books", "spreads"), (ticks, books, spreads), strict=True))
    given |= dict(zip(("ohlcv_1s", "ohlcv_1m", "ohlcv_1d"), (ohlcv_1s, ohlcv_1m, ohlcv_1d), strict=True))
    kept = {name: _length(text, "forever", f"--{name}") for name, text in given.items() if text}
    compressed = dict(_compression(text) for text in compress or ())
    with _owner() as connection:
        if not show and (kept or compressed):
            now = rules(connection)
            wanted = []
            for name in {**kept, **compressed}:
                rule = now.get(name, Rule(name))
                rule = replace(rule, keep=kept[name]) if name in kept else rule
                wanted.append(replace(rule, compress_after=compressed[name]) if name in compressed else rule)
            set_rules(connection, wanted, drop_archive=drop_archive)
        Form(as_json).show(overview(connection))


def rollups(
    by: Annotated[str, typer.Option(help="server: its continuous aggregates take the loader's place.")] = "",
) -> None:
    """Who keeps the bars of a second, a minute and a day: the loader, with each batch, or the server, each minute.

    A server of the Timescale edition can; late ticks are then in the bars a minute later. Stop the loader for it.
    Example: helios history rollups --by server
    """
    from pipelines.history.rollup_tables import kept_by_loader
    from pipelines.history.server_rollups import hand_to_server

    if by not in ("", "server"):
        raise typer.BadParameter("--by server, or nothing to see who does: there is no way back but a new database")
    with _owner() as connection:
        if by:
            hand_to_server(connection)
        print("the loader" if kept_by_loader(connection) else "the server")


def role(
    name: Annotated[str, typer.Option("--name", help="Of the role.", show_default=False)],
    timeout: Annotated[str, typer.Option(help="How long a statement may take.")] = "60s",
) -> None:
    """Make a login role that may only read the history, or set it right; its password lies in a file of its own.

    Example: helios history role --name desk_reader
    """
    from pipelines.history.roles import make_reader

    settings = load_settings()
    file = settings.timescale.password_file(name)
    longest_s = max(1, int(length_of(timeout, "--timeout").total_seconds()))
    with _owner() as connection:
        try:
            make_reader(connection, name, settings.timescale.password_of(name), timeout_s=longest_s)
        except psycopg.errors.InsufficientPrivilege as error:
            raise HistoryError(
                f"{place(settings.timescale.dsn)}: {error.diag.message_primary}: "
                "use the address of a user that owns the tables and may create roles"
            ) from error
    note(
        f"role {name} may read {place(settings.timescale.dsn)}; its password is in {file}\n"
        f"helios.yaml: timescale: {{reader: postgresql://{name}@{place(settings.timescale.dsn)}}}, and PGPASSFILE"
    )


def _owner() -> Connection:
    """A connection of the tables' owner, the tables up to date."""
    dsn = load_settings().timescale.dsn
    try:
        connection = connect(dsn, application="history", settings={"lock_timeout": "10s"})
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[0]
        raise HistoryError(f"Timescale at {place(dsn)} does not answer: {said}. See helios status") from error
    migrate(connection)
    return connection


def _length(text: str, none: str, flag: str) -> timedelta | None:
    return None if text == none else length_of(text, flag)


def _compression(text: str) -> tuple[str, timedelta | None]:
    table, is_said, after = text.partition("=")
    if not is_said:
        raise typer.BadParameter(f"--compress {text!r}: write TABLE=LENGTH, as ticks=7d, or ticks=never")
    return table.replace("-", "_"), _length(after, "never", f"--compress {table}=")
