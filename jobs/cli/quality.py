"""helios quality: the day's table of what came in, and whether topics and tables hold what is expected of them."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from infra.settings import load_settings
from jobs.cli.answers import Json, console, note

if TYPE_CHECKING:
    import pandas

    from pipelines.expectations.rules import Subject
    from pipelines.expectations.validation import Validated
    from pipelines.history.quality_questions import Quality

app = typer.Typer(help="What came in and what it is worth: the day's table; suites over topics and tables.")

Session = Annotated[str, typer.Option("--session", help="Id of a session, or how it begins; the newest if left out.")]


class QualityError(RuntimeError):
    """Expectations that do not hold: a line each."""


@app.callback(
    invoke_without_command=True,
    epilog="Example: helios quality --day 2026-10-30 --venue simulated; helios quality check",
)
def report(
    context: typer.Context,
    day: Annotated[str, typer.Option(help="This day alone (UTC), as 2026-10-30.")] = "",
    venue: Annotated[str, typer.Option(help="This venue alone.")] = "",
    session: Session = "",
    as_json: Json = False,
) -> None:
    """By venue and instrument: ticks, flags, rejects by reason, the longest silence, and how the clocks stand."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.history.asked import Span, moment
    from pipelines.history.quality_questions import QualityQuestions

    begin = moment(day) if day else None
    span = Span(begin, begin + timedelta(days=1) if begin else None)
    with QualityQuestions(load_settings().timescale.dsn) as found:
        of = found.session(session)
        rows = found.quality(of, span, venue or None)
    if as_json:
        print(json.dumps([asdict(row) for row in rows], default=_text, indent=1))
    elif not rows:
        note(f"nothing of session {of}" + (f" on {day}" if day else "") + (f" at {venue}" if venue else ""))
    else:
        _draw(rows)


@app.command(epilog="Example: helios quality check --docs .local/quality")
def check(
    session: Session = "",
    prefix: Annotated[str, typer.Option(help="Of the session's topics.")] = "",
    rows: Annotated[int, typer.Option(min=1, help="Newest rows of each topic and table that are looked at.")] = 50_000,
    topics: Annotated[bool, typer.Option(help="Samples of topics.")] = True,
    tables: Annotated[bool, typer.Option(help="Tables of the history.")] = True,
    docs: Annotated[Path, typer.Option(help="Data Docs (HTML) go here.")] = Path(".local/quality"),
    as_json: Json = False,
) -> None:
    """Hold topics and tables against their suites. Exit status 1 where something does not hold: each with its rows."""
    from pipelines.expectations.validation import validate

    frames: dict[str, tuple[Subject, pandas.DataFrame]] = {}
    faults: list[str] = []
    if topics:
        frames |= _of_topics(prefix, rows, faults)
    if tables:
        frames |= _of_tables(session, rows)
    done = validate(frames, docs)
    if as_json:
        failures = [asdict(each) for each in done.failures]
        page = str(done.docs) if done.docs else None
        print(
            json.dumps(
                {"rows": dict(done.checked), "expectations": done.expectations, "failures": failures}
                | {"undecodable": faults, "docs": page}
            )
        )
    else:
        _tell(done)
    if faults or not done.good:
        raise QualityError("\n".join([*faults, *map(str, done.failures)]))


def _of_topics(prefix: str, rows: int, faults: list[str]) -> "dict[str, tuple[Subject, pandas.DataFrame]]":
    from pipelines.contracts.topics import Topics
    from pipelines.expectations.rules import TOPICS
    from pipelines.expectations.samples import sample

    settings, found = load_settings(), {}
    for name, subject in TOPICS.items():
        frame, bad = sample(settings.kafka.bootstrap, settings.registry.url, Topics(prefix), name, rows)
        faults += bad
        if len(frame):
            found[f"topic {name}"] = (subject, frame)
    return found


def _of_tables(session: str, rows: int) -> "dict[str, tuple[Subject, pandas.DataFrame]]":
    from pipelines.expectations.rules import TABLES
    from pipelines.history.quality_questions import QualityQuestions

    found = {}
    with QualityQuestions(load_settings().timescale.dsn) as history:
        of = history.session(session)
        for name, subject in TABLES.items():
            frame = history.sample(of, name, rows)
            if len(frame):
                found[f"table {name}"] = (subject, frame)
    return found


def _tell(done: "Validated") -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("looked at")
    table.add_column("rows", justify="right")
    table.add_column("does not hold", justify="right")
    failed = Counter(each.subject for each in done.failures)
    for name, rows in done.checked.items():
        table.add_row(name, f"{rows:,}", str(failed[name]) if failed[name] else "-")
    console().print(table)
    note(f"{done.expectations} expectations; page: {done.docs}")


def _draw(rows: "list[Quality]") -> None:
    flags = list(dict.fromkeys(name for row in rows for name in row.flags))
    reasons = sorted({reason for row in rows for reason in row.rejects})
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("venue", "instrument"):
        table.add_column(name)
    numbers = ("ticks", "quotes", "trades", *(f"~{name}" for name in flags), *reasons)
    for name in (*numbers, "silence s", "delay ms", "ahead ms"):
        table.add_column(name, justify="right")
    for row in rows:
        counts = [row.ticks, row.quotes, row.trades]
        counts += [row.flags.get(name, 0) for name in flags] + [row.rejects.get(name, 0) for name in reasons]
        shown = [f"{count:,}" if count else "-" for count in counts]
        measured = (row.silence_s, row.mean_delay_ms, row.most_ahead_ms)
        shown += ["-" if value is None else f"{value:,.1f}" for value in measured]
        table.add_row(row.venue, row.instrument or "(none named)", *shown)
    console().print(table)
    ahead = [row.most_ahead_ms for row in rows if row.most_ahead_ms is not None]
    note(
        "~ flagged and let pass; the others were set aside, or are gaps." + (f" {_clock(max(ahead))}" if ahead else "")
    )


def _clock(ahead_ms: float) -> str:
    if ahead_ms <= 0:
        return "No event is ahead of its receipt: our clock may be right."
    return f"Events are up to {ahead_ms:,.1f} ms ahead of their receipt: our clock is so far behind, at the least."


def _text(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)
