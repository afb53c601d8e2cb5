"""Answers of the history, and what they are written as: pandas, CSV, Parquet, JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.history.timescale import HistoryError

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows under column names; if there are none, `why`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    why: str = ""

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by the names of its columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> "pandas.DataFrame":
        """As a pandas frame: times are UTC with microseconds, what is not known is NaN, NaT or None."""
        import pandas as pd

        frame = pd.DataFrame.from_records(list(self.rows), columns=list(self.columns))
        return frame.astype(dict.fromkeys(frame.select_dtypes("datetimetz"), "datetime64[us, UTC]"))

    def json(self) -> str:
        """As an array of objects, times in ISO 8601."""
        return json.dumps([dict(zip(self.columns, map(_plain, row), strict=True)) for row in self.rows], indent=1)

    def write_csv(self, path: Path) -> None:
        """With a line of names, times in ISO 8601. Raises HistoryError."""
        _write(path, lambda: self.frame().to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%fZ"))

    def write_parquet(self, path: Path) -> None:
        """Raises HistoryError."""
        _write(path, lambda: self.frame().to_parquet(path, index=False))


def _write(path: Path, how: Any) -> None:
    try:
        how()
    except OSError as error:
        raise HistoryError(f"{path}: cannot be written: {error.strerror or error}") from error


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date() | time():
            return value.isoformat()
        case _:
            return value
