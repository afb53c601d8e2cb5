"""helios history backfill: files of market data into the history."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from infra.settings import load_settings
from jobs.cli.answers import Json, console
from pipelines.history.timescale import HistoryError

if TYPE_CHECKING:
    from jobs.backfill import Filled
    from pipelines.feeds.files.reading import Found
    from pipelines.history.backfill import Progress as Loaded


def backfill(
    files: Annotated[list[Path], typer.Argument(help="Files of any format that helios decode knows.", exists=True)],
    source: Annotated[str, typer.Option(help="Where they are from: rows and resuming go by it and the file's name.")],
    name: Annotated[str, typer.Option("--format", help="Of the files; recognised if left out.")] = "",
    venue: Annotated[str, typer.Option(help="Name of the venue; the format's if left out.")] = "",
    as_json: Json = False,
) -> None:
    """Load files into the session `archive`, each row once: started again after a kill, it goes on where it was.

    Example: helios history backfill --source lean equity/usa/tick/aig/*.zip
    """
    import psycopg

    from jobs.backfill import backfill as load
    from pipelines.feeds.files.frame_file import UnknownFormat
    from pipelines.history.timescale import place

    dsn = load_settings().timescale.dsn
    try:
        with _drawn(files, as_json) as report:
            done = load(dsn, source, files, name, venue, report)
    except UnknownFormat as error:
        raise HistoryError(str(error)) from error
    except OSError as error:
        raise HistoryError(f"{error.filename}: {error.strerror}") from error
    except psycopg.Error as error:
        raise HistoryError(f"Timescale at {place(dsn)}: {' '.join(str(error).split())}; start it again") from error
    if as_json:
        print(json.dumps([_said(each) for each in done], indent=1))
    else:
        _draw(done)


def _said(filled: "Filled") -> dict[str, object]:
    found = filled.found
    return {
        "file": str(filled.path),
        "rows": filled.progress.rows_taken,
        "new": filled.progress.rows_new,
        "complete": filled.progress.complete,
        "rejects": dict(found.rejects),
        "gaps": found.gaps,
        "broken": found.broken,
    }


def _draw(done: "Sequence[Filled]") -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("file")
    for name in ("rows", "new", "rejects", "gaps"):
        table.add_column(name, justify="right")
    table.add_column("")
    for each in done:
        rejects = sum(each.found.rejects.values())
        counts = (each.progress.rows_taken, each.progress.rows_new, rejects, each.found.gaps)
        was_there = "was there" if not each.found.frames else each.found.broken
        table.add_row(each.path.name, *(f"{count:,}" for count in counts), was_there)
    console().print(table)


@contextmanager
def _drawn(files: list[Path], quiet: bool) -> "Iterator[Callable[[Path, Found, Loaded], None]]":
    """A bar by files, with the rows of the one at hand."""
    shown = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=quiet or not shown.is_terminal) as progress:
        task = progress.add_task("", total=len(files))

        def report(path: Path, found: "Found", loaded: "Loaded") -> None:
            told = f"{path.name}: {sum(found.ticks.values()):,} ticks read, {loaded.rows_taken:,} written"
            progress.update(task, completed=files.index(path), description=told)

        yield report
