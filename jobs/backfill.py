"""Files into the history without Kafka: decoded and checked as the market job would, each row once, resumable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.domain.market import Ticks
from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.files.reading import Found, read_through
from pipelines.history.backfill import Backfill, Progress, SourceFile


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a file: what was found in it, and how far it is in the history."""

    path: Path
    found: Found
    progress: Progress


def backfill(
    dsn: str,
    source: str,
    paths: Sequence[Path],
    name: str = "",
    venue: str = "",
    report: Callable[[Path, Found, Progress], None] = lambda path, found, progress: None,
) -> list[Filled]:
    """Load files one after the other. `source` names where they are from, `name` their format (recognised if empty),
    `venue` theirs where it is not the format's. A file that is in the history is passed over.

    Raises UnknownFormat, OSError, HistoryError, psycopg.Error.
    """
    return [_one(dsn, source, path, name, venue, report) for path in paths]


def _one(
    dsn: str,
    source: str,
    path: Path,
    name: str,
    venue: str,
    report: Callable[[Path, Found, Progress], None],
) -> Filled:
    opened = open_frames(path, name)
    with Backfill(dsn, SourceFile.of(source, path, opened.name), venue or opened.venue) as filling:
        if filling.progress.complete:
            return Filled(path, Found(), filling.progress)

        def take(ticks: Ticks, instruments: tuple[str, ...]) -> None:
            filling.take(ticks, instruments)

        found = read_through(opened, take=take, report=lambda found: report(path, found, filling.progress))
        return Filled(path, found, filling.finish(broken=bool(found.broken)))
