"""helios history: questions about the market."""

import csv as comma_separated
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from infra.settings import load_settings
from jobs.cli.answers import Csv, Form, Json, Limit, Parquet
from pipelines.history.asked import Span, length, moment
from pipelines.history.queries import History, Listed
from pipelines.history.timescale import HistoryError

Session = Annotated[str, typer.Option("--session", help="Its id, or how it begins; default: the newest.")]
From = Annotated[str, typer.Option("--from", help="From this time on: 2026-10-30T14:30, UTC unless it says otherwise.")]
Until = Annotated[str, typer.Option("--to", help="Before this time.")]
Instrument = Annotated[str, typer.Option("--instrument", help="Of this instrument.", show_default=False)]
Venue = Annotated[str, typer.Option("--venue", help="On this venue; default: on each that it is on.")]


def ohlcv(
    instrument: Instrument,
    every: Annotated[str, typer.Option("--every", help="Length of a bar: 100ms, 1s, 5m, 1h, 1d.")] = "1m",
    venue: Venue = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Open, high, low, close, volume and vwap of an instrument; of mids where nothing traded (of_trades false).

    Example: helios history ohlcv --instrument BTCUSDT --every 5m --from 2026-10-30 --parquet btc.parquet
    """
    bucket, span, form = length_of(every, "--every"), span_of(start, end), Form(as_json, csv, parquet)
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        form.show(found.ohlcv(of, span, bucket, form.limit(limit)))


def vwap(
    instrument: Instrument,
    every: Annotated[str, typer.Option("--every", help="By intervals: 1m, 1h; default: of the whole time.")] = "",
    venue: Venue = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """The volume-weighted average price of an instrument's trades.

    Example: helios history vwap --instrument BTCUSDT --from 2026-10-30T14:30 --to 2026-10-30T15:00
    """
    bucket, span = length_of(every, "--every") if every else None, span_of(start, end)
    form = Form(as_json, csv, parquet)
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        form.show(found.vwap(of, span, bucket, form.limit(limit)))


def asof(
    instrument: Annotated[str, typer.Option("--instrument", help="Of this instrument.")] = "",
    at: Annotated[str, typer.Option("--at", help="At this time: 2026-10-30T14:30:00.25.")] = "",
    times: Annotated[
        Path | None,
        typer.Option(help="Or of a CSV file with a column time, and one instrument unless --instrument says it."),
    ] = None,
    venue: Venue = "",
    session: Session = "",
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """The last quote of an instrument at or before a time, and its age; also for a list of times.

    Example: helios history asof --instrument BTCUSDT --at 2026-10-30T14:30 (or --times fills.csv --csv quotes.csv)
    """
    if (times is None) == (not at):
        raise typer.BadParameter("give --at TIME, or --times FILE")
    if times is None and not instrument:
        raise typer.BadParameter("give --instrument NAME")
    wanted = [(instrument, moment_of(at, "--at"))] if times is None else _times(times, instrument)
    with history() as found:
        Form(as_json, csv, parquet).show(found.asof(found.session(session), wanted, venue or None))


def volatility(
    instrument: Instrument,
    every: Annotated[str, typer.Option("--every", help="Length of the bars: 1s, 1m, 5m.")] = "1m",
    by: Annotated[str, typer.Option("--by", help="A figure for each 1h, 1d, 1w.")] = "1d",
    year_hours: Annotated[
        float, typer.Option(min=1, help="Trading hours of a year: 8760 round the clock, 1638 of US equities.")
    ] = 8760.0,
    max_gap: Annotated[str, typer.Option(help="Returns over a longer time (a night, a halt) do not count.")] = "30m",
    venue: Venue = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Realised volatility: sqrt(year * sum(r^2) / sum(dt)), r the log return between the closes of bars dt apart.

    Example: helios history volatility --instrument AAPL --every 5m --year-hours 1638
    """
    lengths = length_of(every, "--every"), length_of(by, "--by"), timedelta(hours=year_hours)
    gap, span, form = length_of(max_gap, "--max-gap"), span_of(start, end), Form(as_json, csv, parquet)
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        form.show(found.volatility(of, span, *lengths, gap, form.limit(limit)))


def volume_profile(
    instrument: Instrument,
    every: Annotated[str, typer.Option("--every", help="Length of a part of the day: 1m, 5m, 30m.")] = "5m",
    zone: Annotated[str, typer.Option("--zone", help="Whose time of day: America/New_York.")] = "UTC",
    venue: Venue = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """When in the day an instrument trades: its volume by time of day, a day's mean, and its share.

    Example: helios history volume-profile --instrument AAPL --every 30m --zone America/New_York
    """
    bucket, span = length_of(every, "--every"), span_of(start, end)
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        Form(as_json, csv, parquet).show(found.volume_profile(of, span, bucket, zone))


def ticks(
    instrument: Instrument,
    kind: Annotated[str, typer.Option("--kind", help="quote, trade, status, auction or indicative.")] = "",
    venue: Venue = "",
    session: Session = "",
    start: From = "",
    end: Until = "",
    limit: Limit = None,
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """Rows as they are kept; a trade has its price and quantity on both sides.

    Example: helios history ticks --instrument BTCUSDT --kind trade --from 2026-10-30T14:30 --to 2026-10-30T14:31
    """
    span, form = span_of(start, end), Form(as_json, csv, parquet)
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        form.show(found.ticks(of, span, kind or None, form.limit(limit)))


def books(
    instrument: Instrument,
    at: Annotated[str, typer.Option("--at", help="At this time; default: as it was last known.")] = "",
    depth: Annotated[int, typer.Option(min=1, help="Prices of each side.")] = 10,
    venue: Annotated[str, typer.Option("--venue", help="On this venue; default: where it moved last.")] = "",
    session: Session = "",
    as_json: Json = False,
    csv: Csv = None,
    parquet: Parquet = None,
) -> None:
    """The order book as of a time, made anew of its last snapshot and the levels that changed since.

    Example: helios history books --instrument BTCUSDT --at 2026-10-30T14:30:00.25 --depth 5
    """
    when = moment_of(at or "9999-01-01", "--at")
    with history() as found:
        of = Listed(found.session(session), instrument, venue or None)
        Form(as_json, csv, parquet).show(found.book(of, when, depth))


def history() -> History:
    """The history that the settings name, asked as one that may only read where there is such a role."""
    return History(load_settings().timescale.reader_dsn)


def span_of(start: str, end: str) -> Span:
    """Of --from and --to."""
    span = Span(moment_of(start, "--from") if start else None, moment_of(end, "--to") if end else None)
    if span.start is not None and span.end is not None and span.start >= span.end:
        raise typer.BadParameter(f"--from {start} is not before --to {end}")
    return span


def moment_of(text: str, flag: str) -> datetime:
    """A time that an option gives."""
    try:
        return moment(text)
    except HistoryError as error:
        raise typer.BadParameter(f"{flag} {error}") from None


def length_of(text: str, flag: str) -> timedelta:
    """A length of time that an option gives."""
    try:
        return length(text)
    except HistoryError as error:
        raise typer.BadParameter(f"{flag} {error}") from None


def _times(file: Path, instrument: str) -> list[tuple[str, datetime]]:
    try:
        with file.open(newline="") as lines:
            rows = comma_separated.DictReader(lines)
            lacking = {"time", *([] if instrument else ["instrument"])} - set(rows.fieldnames or ())
            if lacking:
                raise typer.BadParameter(f"{file}:1: no column {min(lacking)}: the first line is to name the columns")
            return [
                (instrument or row["instrument"], moment_of(row["time"] or "", f"{file}:{rows.line_num}:"))
                for row in rows
            ]
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{file}: cannot be read: {error}") from None
