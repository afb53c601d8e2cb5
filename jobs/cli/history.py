"""helios history: questions to TimescaleDB."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from infra.settings import load_settings
from pipelines.history.profit import PairProfit
from pipelines.history.queries import Answer, History, Span

app = typer.Typer(no_args_is_help=True, help="Ask the history: bars, spreads, fills, profit.")

Session = Annotated[str, typer.Option("--session", help="Its id, or how it begins; default: the newest.")]
From = Annotated[str, typer.Option("--from", help="From this time on: 2026-10-30T14:30, UTC unless it says otherwise.")]
Until = Annotated[str, typer.Option("--to", help="Before this time.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="The newest so many rows.")]
Json = Annotated[bool, typer.Option("--json", help="As a JSON array, times in ISO 8601.")]
Pair = Annotated[str, typer.Option("--pair", help="Of this pair.")]
Instrument = Annotated[str, typer.Option("--instrument", help="Of this instrument.")]

HIDDEN = ("exec_id", "cause", "event_ns", "client_order_id", "feed_session", "frame")
"""Columns that are only in the JSON: too wide for a screen."""


@app.command()
def sessions(limit: Limit = 20, as_json: Json = False) -> None:
    """The sessions that are loaded, newest first."""
    with _history() as history:
        _show(history.sessions(limit), as_json)


@app.command()
def ohlcv(
    instrument: Annotated[str, typer.Option("--instrument", help="Of this instrument.", show_default=False)],
    every: Annotated[str, typer.Option("--every", help="Length of a bar: 1m, 5m, 1h, 1d.")] = "1m",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = 60,
    as_json: Json = False,
) -> None:
    """Open, high, low, close and volume of an instrument."""
    bucket, span = _length(every), _span(start, end)
    with _history() as history:
        _show(history.ohlcv(history.session(session), instrument, span, bucket, limit), as_json)


@app.command()
def spread(
    pair: Annotated[str, typer.Option("--pair", help="Of this pair.", show_default=False)],
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = 60,
    as_json: Json = False,
) -> None:
    """The spread of a pair: crossings of its ladder, and a sample each second."""
    span = _span(start, end)
    with _history() as history:
        _show(history.spread(history.session(session), pair, span, limit), as_json)


@app.command()
def fills(
    instrument: Instrument = "",
    pair: Pair = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = 60,
    as_json: Json = False,
) -> None:
    """Fills, with the pair that they were for."""
    span = _span(start, end)
    with _history() as history:
        _show(history.fills(history.session(session), instrument or None, pair or None, span, limit), as_json)


@app.command()
def rejects(
    reason: Annotated[str, typer.Option("--reason", help="Of this reason: gap, duplicate, bad_record, ...")] = "",
    session: Session = "",
    limit: Limit = 60,
    as_json: Json = False,
) -> None:
    """Frames and records that were set aside: why, and where they lie (topic/partition@offset)."""
    with _history() as history:
        _show(history.rejects(history.session(session), reason or None, limit), as_json)


@app.command()
def pnl(pair: Pair = "", session: Session = "", end: Until = "", as_json: Json = False) -> None:
    """Profit by pair and in total: realised by average cost, open lots at the mid of the last quote."""
    until = _moment(end, "--to")
    with _history() as history:
        found = history.session(session)
        profits = history.pnl(found, pair or None, until)
        if not profits:
            _show(history.fills(found, None, pair or None, Span(None, until), 1), as_json)
        elif as_json:
            print(json.dumps([asdict(each) | {"total": each.total} for each in profits], indent=1))
        else:
            _draw(profits)
            if not history.terms(found):
                _note("lot sizes are not known (the loader was started without --strategy): a lot is taken as one unit")


def _history() -> History:
    return History(load_settings().timescale.dsn)


def _show(answer: Answer, as_json: bool) -> None:
    if as_json:
        print(json.dumps([dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows], indent=1))
    if not answer.rows:
        _note(answer.why)
    if as_json or not answer.rows:
        return
    shown = [number for number, name in enumerate(answer.columns) if name not in HIDDEN]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number in shown:
        numeric = all(isinstance(row[number], int | float) for row in answer.rows)
        table.add_column(
            answer.columns[number], justify="right" if numeric else "left", no_wrap=answer.columns[number] != "detail"
        )
    for row in answer.rows:
        table.add_row(*(_cell(row[number]) for number in shown))
    _console().print(table)


def _draw(profits: tuple[PairProfit, ...]) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("pair", "currency"):
        table.add_column(name)
    for name in ("fills", "traded", "realised", "unrealised", "total"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("held (lots)")
    for each in profits:
        held = ", ".join(f"{instrument} {lots:+d}" for instrument, lots in each.held.items()) or "flat"
        money = [
            f"{each.traded:,.2f}",
            *(
                "no quote" if value is None else f"{value:,.2f}"
                for value in (each.realised, each.unrealised, each.total)
            ),
        ]
        table.add_row(each.pair or "(none)", each.currency, str(each.fills), *money, held)
    _console().print(table)


def _console() -> Console:
    """As wide as the terminal; into a file or pipe as wide as it needs to be."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _note(text: str) -> None:
    Console(stderr=True, soft_wrap=True).print(text, style="yellow", markup=False, highlight=False)


def _cell(value: Any) -> str:
    match value:
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(".000000")
        case float():
            return f"{value:.10g}"
        case None:
            return "-"
        case _:
            return str(value)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _span(start: str, end: str) -> Span:
    span = Span(_moment(start, "--from"), _moment(end, "--to"))
    if span.start is not None and span.end is not None and span.start >= span.end:
        raise typer.BadParameter(f"--from {start} is not before --to {end}")
    return span


def _moment(text: str, flag: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{flag} {text!r} is not a time: write it as 2026-10-30 or 2026-10-30T14:30:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _length(text: str) -> timedelta:
    parts = re.fullmatch(r"(\d+)([mhd])", text)
    if parts is None or not 0 < int(parts[1]) <= 10_000:
        raise typer.BadParameter(f"--every {text!r} is not a length: write minutes, hours or days, as 5m, 1h or 1d")
    return timedelta(minutes=int(parts[1]) * {"m": 1, "h": 60, "d": 1440}[parts[2]])
