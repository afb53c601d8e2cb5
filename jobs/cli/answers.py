"""How commands show an answer: a table, or JSON, CSV or Parquet."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipelines.history.answers import Answer
from pipelines.history.asked import EVERYTHING

Json = Annotated[bool, typer.Option("--json", help="As a JSON array, times in ISO 8601.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Into this file, all of it.", dir_okay=False)]
Parquet = Annotated[Path | None, typer.Option("--parquet", help="Into this file, all of it.", dir_okay=False)]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="The newest so many rows; default 60, of a file all.")
]

ON_SCREEN = 60
HIDDEN = (
    "exec_id",
    "amends",
    "cause",
    "event_ns",
    "receive_ns",
    "client_order_id",
    "feed_session",
    "frame",
    "event_id",
)
"""Columns that are not in the table: too wide for a screen, as lists are."""


@dataclass(frozen=True, slots=True)
class Form:
    """What an answer becomes."""

    as_json: bool = False
    csv: Path | None = None
    parquet: Path | None = None

    def limit(self, given: int | None) -> int:
        """How many rows are asked for."""
        if given is not None:
            return given
        return ON_SCREEN if self.csv is None and self.parquet is None else EVERYTHING

    def show(self, answer: Answer) -> None:
        """To where it goes; an empty one says why on stderr."""
        if self.csv is not None:
            answer.write_csv(self.csv)
        if self.parquet is not None:
            answer.write_parquet(self.parquet)
        if self.as_json:
            print(answer.json())
        for file in (self.csv, self.parquet):
            if file is not None:
                note(f"{file}: {len(answer.rows):,} rows")
        if not answer.rows:
            note(answer.why)
        elif not (self.as_json or self.csv or self.parquet):
            _draw(answer)


def _draw(answer: Answer) -> None:
    lists = {number for row in answer.rows for number, value in enumerate(row) if isinstance(value, list)}
    shown = [n for n, name in enumerate(answer.columns) if name not in HIDDEN and n not in lists]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number in shown:
        numeric = all(isinstance(row[number], int | float | None) for row in answer.rows)
        table.add_column(
            answer.columns[number], justify="right" if numeric else "left", no_wrap=answer.columns[number] != "detail"
        )
    for row in answer.rows:
        table.add_row(*(cell(row[number]) for number in shown))
    console().print(table)


def console() -> Console:
    """As wide as the terminal; into a file or pipe as wide as it needs to be."""
    found = Console()
    return found if found.is_terminal else Console(width=200)


def note(text: str) -> None:
    """A line beside the answer."""
    Console(stderr=True, soft_wrap=True).print(text, style="yellow", markup=False, highlight=False)


def cell(value: Any) -> str:
    """A value as it stands in a table."""
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
        case float():
            return f"{value:.10g}"
        case None:
            return "-"
        case _:
            return str(value)
