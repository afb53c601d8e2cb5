"""helios decode: what is in a file of market data, with no services running."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

if TYPE_CHECKING:
    from pipelines.feeds.files.frame_file import FrameFile
    from pipelines.feeds.files.reading import Found


class DecodeError(RuntimeError):
    """Why a file cannot be decoded, and the way out."""


def decode(
    file: Annotated[Path, typer.Argument(help="A capture or a file of a venue; plain, gzip or zstd.")],
    name: Annotated[str, typer.Option("--format", help="binance-ws, itch50, lean, ...; recognised if left out.")] = "",
    day: Annotated[str, typer.Option("--date", help="Of an ITCH file whose name has none, as 2019-01-30.")] = "",
    mapping: Annotated[Path | None, typer.Option(help="What a table's columns are; X.mapping.yaml beside it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the ticks here: *.parquet or *.csv.")] = None,
    show: Annotated[int, typer.Option(min=0, help="Rejects and gaps shown with their place.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read a file as the market job would: frames, messages, ticks by kind, rejects by reason, gaps, speed.

    Exit status 1 where it is no file of market data, or is broken off; rejects are told, and are no failure.
    """
    from pipelines.feeds.files.formats import Told, open_frames
    from pipelines.feeds.files.frame_file import UnknownFormat
    from pipelines.feeds.files.reading import read_through
    from pipelines.feeds.files.tick_table import TickTable

    with ExitStack() as stack:
        try:
            opened = open_frames(file, name, Told(_day(day), mapping))
            table = stack.enter_context(TickTable(out, opened.venue)) if out is not None else None
        except (UnknownFormat, ValueError) as error:
            raise DecodeError(str(error)) from error
        except OSError as error:
            raise DecodeError(f"{file}: {error.strerror}") from error
        report = stack.enter_context(_progress(as_json))
        found = read_through(opened, take=table.write if table else None, report=report)
    if as_json:
        json.dump(_summary(opened, found, show), sys.stdout)
        print()
    else:
        _draw(opened, found, show)
    if found.broken:
        raise DecodeError(f"{found.broken}; everything before it was read")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DecodeError(f"--date {text!r} is not a date: write it as 2019-01-30") from None


def _summary(opened: "FrameFile", found: "Found", show: int) -> dict[str, object]:
    return {
        "file": str(opened.path),
        "format": opened.format,
        "frames": found.frames,
        "messages": dict(found.messages),
        "ticks": dict(found.ticks),
        "rejects": dict(found.rejects),
        "gaps": found.gaps,
        "flags": dict(found.flags),
        "instruments": len(found.symbols),
        "first_event_ns": found.first_event_ns,
        "last_event_ns": found.last_event_ns,
        "clock_skew_ns": found.skew_ns,
        "seconds": round(found.seconds, 6),
        "messages_per_second": round(found.messages_per_second),
        "broken": found.broken,
        "places": [
            {
                opened.unit: place.at,
                "reason": place.reason.value,
                "instrument": place.instrument,
                "detail": place.detail,
            }
            for place in found.places[:show]
        ],
    }


def _draw(opened: "FrameFile", found: "Found", show: int) -> None:
    console = Console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    table.add_row("format", f"{opened.format} ({opened.venue})")
    table.add_row("frames", f"{found.frames:,}")
    table.add_row("messages", _counts(found.messages))
    table.add_row("ticks", _counts(found.ticks))
    table.add_row("instruments", _few(found.symbols))
    table.add_row("rejects", _counts(found.rejects))
    table.add_row("gaps", f"{found.gaps:,}")
    if found.flags:
        table.add_row("flagged", _counts(found.flags))
    table.add_row("events", f"{_when(found.first_event_ns)} to {_when(found.last_event_ns)}")
    if found.skew_ns is not None:
        side = "behind" if found.skew_ns > 0 else "ahead of"
        table.add_row("clock", f"receive times are {abs(found.skew_ns) / 1e6:,.1f} ms {side} event times, at the least")
    table.add_row("speed", f"{found.messages_per_second:,.0f} messages/s, {found.seconds:.2f} s")
    console.print(table)
    for place in found.places[:show]:
        named = f" {place.instrument}" if place.instrument else ""
        console.print(
            f"{opened.unit} {place.at}: {place.reason.value}{named}: {place.detail}", markup=False, highlight=False
        )
    if len(found.places) > show:
        console.print(f"... {len(found.places) - show:,} more: --show", style="dim")


def _counts(counts: dict[str, int]) -> str:
    return "   ".join(f"{name} {count:,}" for name, count in sorted(counts.items(), key=lambda one: -one[1])) or "none"


def _few(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:8])
    return f"{len(names):,}: {shown}, ..." if len(names) > 8 else f"{len(names)}: {shown}" if names else "none"


def _when(time_ns: int | None) -> str:
    if time_ns is None:
        return "-"
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S") + (
        f".{time_ns % 1_000_000_000:09d}"
    )


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[["Found"], None]]:
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("reading")

        def report(found: "Found") -> None:
            total = sum(found.messages.values())
            progress.update(task, description=f"{total:,} messages   {found.messages_per_second:,.0f}/s")

        yield report
