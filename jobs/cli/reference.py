"""helios reference: whether a reference file is sound, and what it knows of an instrument on a day."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.domain.reference import Reference, ReferenceInstrument

app = typer.Typer(help="Reference data: instruments, venues, sessions, splits and dividends.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


class ReferenceCommandError(RuntimeError):
    """Why a reference cannot be read or asked, and the way out."""


@app.command(epilog="Example: helios reference check us-desk.yaml")
def check(
    file: Annotated[Path, typer.Argument(help="A reference file (YAML).")],
    as_json: AsJson = False,
) -> None:
    """Read a reference file whole: one line a fault, with its place and the way out; exit status 1 if there is one."""
    reference = _load(file)
    told = {
        "reference": reference.name,
        "version": reference.version,
        "venues": len(reference.venues),
        "instruments": len(reference.ids),
        "splits": len(reference.splits),
        "dividends": len(reference.dividends),
    }
    if as_json:
        print(json.dumps(told))
    else:
        counts = ", ".join(f"{count} {name}" for name, count in list(told.items())[2:])
        typer.echo(f"{file}: {reference.name}, version {reference.version}: {counts}")


@app.command(epilog="Example: helios reference show USO --file us-desk.yaml --on 2020-04-28 --json")
def show(
    instrument: Annotated[str, typer.Argument(help="Its id.")],
    file: Annotated[Path, typer.Option(help="The reference file.")],
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As of this day; else the latest.")] = None,
    as_json: AsJson = False,
) -> None:
    """What is known of an instrument: where, in what steps and when it trades, its splits and dividends."""
    from pipelines.domain.reference import UnknownReference

    reference, day = _load(file), on.date() if on else None
    try:
        told = _told(reference, reference.instrument(instrument, day), day)
    except UnknownReference as error:
        raise ReferenceCommandError(f"{file}: {error}") from error
    if as_json:
        print(json.dumps(told))
        return
    for name, value in told.items():
        if isinstance(value, list):
            for each in value:
                typer.echo(f"{name:<12}" + "  ".join(f"{key} {said}" for key, said in each.items()))
        else:
            typer.echo(f"{name:<12}{'-' if value is None else value}")


@app.command(epilog="Example: helios reference store us-desk.yaml --from 2020-01-01 --to 2026-12-31")
def store(
    file: Annotated[Path, typer.Argument(help="A reference file (YAML).")],
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Sessions from here.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Sessions until here.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a reference file into the history: venues, sessions, versions of instruments, splits and dividends.

    What is there already stays as it is; what has changed is changed. Sessions: this year's, unless told otherwise.
    """
    import psycopg

    from infra.settings import load_settings
    from jobs.reference_store import store as write

    today = datetime.now(UTC).date()
    begin, end = first.date() if first else date(today.year, 1, 1), last.date() if last else date(today.year, 12, 31)
    if begin > end:
        raise ReferenceCommandError(f"--from {begin} is after --to {end}")
    try:
        stored = write(load_settings().timescale.dsn, _load(file), begin, end)
    except psycopg.Error as error:
        raise ReferenceCommandError(f"{file}: not stored: {' '.join(str(error).split())}: helios status") from error
    if as_json:
        print(json.dumps(stored))
    else:
        typer.echo(f"{file}: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in stored.items()))


def _load(file: Path) -> "Reference":
    from pipelines.contracts.reference_file import ReferenceFileError, load_reference

    try:
        return load_reference(file)
    except ReferenceFileError as error:
        raise ReferenceCommandError(str(error)) from error


def _told(reference: "Reference", known: "ReferenceInstrument", on: date | None) -> dict[str, object]:
    venue = reference.venue(known.venue)
    told: dict[str, object] = {
        "id": known.id,
        "venue": known.venue,
        "symbol": known.symbol,
        "protocol": venue.protocol,
        "asset_class": known.asset_class,
        "currency": known.currency,
        "lot_size": known.lot_size,
        "tick_size": known.tick_size,
        "ticks": [
            {"from": price, "tick_size": size}
            for price, size in zip(known.ticks.from_prices, known.ticks.tick_sizes, strict=True)
        ],
        "time_zone": venue.time_zone,
        "calendar": known.calendar,
        "valid_from": known.valid_from.isoformat(),
        "valid_to": known.valid_to.isoformat() if known.valid_to else None,
    }
    if on is not None:
        told["session"] = _session(known.calendar, on)
    told["splits"] = [
        {"ex_date": split.ex_date.isoformat(), "new": split.new, "old": split.old}
        for split in reference.splits_of(known.id)
    ]
    told["dividends"] = [
        {"ex_date": dividend.ex_date.isoformat(), "amount": dividend.amount}
        for dividend in reference.dividends_of(known.id)
    ]
    return told


def _session(calendar: str, day: date) -> str | None:
    """From when until when, UTC; None where the market is closed that day."""
    from pipelines.contracts.calendars import session

    try:
        found = session(calendar, day)
    except ValueError as error:
        raise ReferenceCommandError(str(error)) from error
    if found is None:
        return None
    opened, closed = (datetime.fromtimestamp(at // 1_000_000_000, UTC) for at in found)
    return f"{opened:%Y-%m-%dT%H:%MZ} to {closed:%Y-%m-%dT%H:%MZ}"
