"""helios bars: bars of LEAN's files, adjusted for splits and dividends, and how alike instruments move."""

import json
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipelines.domain.reference import Reference
    from pipelines.feeds.files.lean_bars import BarSeries


class BarsError(RuntimeError):
    """Why bars cannot be read or adjusted, and the way out."""


def bars(
    files: Annotated[list[Path], typer.Argument(help="LEAN's zips of second, minute, hour or daily bars.")],
    symbol: Annotated[list[str] | None, typer.Option(help="Only these, as ES201312; all if left out.")] = None,
    reference: Annotated[
        Path | None, typer.Option(help="Reference file: adjust daily trade bars for its splits and dividends.")
    ] = None,
    calendar: Annotated[str, typer.Option(help="Only bars within its sessions, as XNYS; all if left out.")] = "",
    within: Annotated[float, typer.Option(min=0, help="Seconds: longer returns are left out; 0 takes all.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Read bars: how many, from when until when, and the correlation of returns of every two instruments.

    Several files of one instrument and kind are one series. Times are UTC, whatever the files are in.
    """
    from pipelines.domain.bar_returns import alike

    series = _series(files, symbol or [])
    known = _reference(reference)
    closes = {name: _in_sessions(calendar, *_closes(name, parts, known)) for name, parts in series.items()}
    told = {name: _told(parts, *closes[name]) for name, parts in series.items()}
    pairs = []
    for one, other in combinations(series, 2):
        found = alike(*closes[one], *closes[other], within_ns=round(within * 1e9))
        correlation = None if found.correlation != found.correlation else found.correlation
        pairs.append({"a": one, "b": other, "common": found.common, "correlation": correlation})
    if as_json:
        print(json.dumps({"series": told, "pairs": pairs}))
        return
    for name, each in told.items():
        typer.echo(f"{name}: {each['bars']:,} bars, {each['first']} to {each['last']}, last close {each['close']:g}")
        for fault in [fault for part in series[name] for fault in part.faults][:10]:
            typer.echo(f"{name}: {fault}", err=True)
    for pair in pairs:
        shown = "none" if pair["correlation"] is None else f"{pair['correlation']:.4f}"
        typer.echo(f"{pair['a']} with {pair['b']}: correlation {shown} over {pair['common']:,} common bars")


def _series(files: list[Path], symbols: list[str]) -> "dict[str, list[BarSeries]]":
    """The bars by symbol, resolution and kind."""
    from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat
    from pipelines.feeds.files.lean_bars import read_bars

    found: dict[str, list[BarSeries]] = {}
    for file in sorted(set(files)):
        try:
            read = read_bars(file)
        except (UnknownFormat, BrokenFile) as error:
            raise BarsError(str(error)) from error
        for each in read:
            stream = each.stream
            if not symbols or stream.symbol in symbols:
                found.setdefault(f"{stream.symbol} {stream.resolution} {stream.kind}", []).append(each)
    if not found:
        raise BarsError(f"no bars of {', '.join(symbols)}: leave --symbol out to see what there is")
    return found


def _reference(file: Path | None) -> "Reference | None":
    from pipelines.contracts.reference_file import ReferenceFileError, load_reference

    try:
        return load_reference(file) if file else None
    except ReferenceFileError as error:
        raise BarsError(str(error)) from error


def _closes(
    name: str, parts: "list[BarSeries]", reference: "Reference | None"
) -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
    """Starts, each once, and closing prices: of trades, or mids of quotes; adjusted where the reference knows how."""
    import numpy as np

    from pipelines.domain.adjustment import adjustment

    made = np.concatenate([part.bars for part in parts])
    of_trades = parts[0].stream.kind == "trade"
    prices = made["close"] if of_trades else 0.5 * (made["bid_close"] + made["ask_close"])
    starts, first = np.unique(made["start_ns"], return_index=True)
    closes = prices[first]
    stream = parts[0].stream
    if reference is None or stream.symbol not in reference.ids or not of_trades:
        return starts, closes
    if stream.resolution != "daily":
        raise BarsError(f"{name}: daily bars alone are adjusted: leave --reference out")
    days = [datetime.fromtimestamp(start // 10**9, UTC).astimezone(stream.zone).date() for start in starts.tolist()]
    begins = reference.first_day(stream.symbol)
    others = sum(day < begins for day in days)  # a ticker's bars of before belong to another company
    days, starts, closes = days[others:], starts[others:], closes[others:]
    try:
        factors = adjustment(days, closes, reference.splits_of(stream.symbol), reference.dividends_of(stream.symbol))
    except ValueError as error:
        raise BarsError(f"{name}: {error}") from error
    return starts, closes * factors.price


def _in_sessions(
    calendar: str, starts: "NDArray[np.int64]", closes: "NDArray[np.float64]"
) -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
    """The bars that begin within a session of a calendar; all, without one."""
    import numpy as np

    from pipelines.contracts.calendars import sessions

    if not calendar or not len(starts):
        return starts, closes
    first, last = (datetime.fromtimestamp(int(at) // 10**9, UTC).date() for at in (starts[0], starts[-1]))
    try:
        hours = sessions(calendar, first - timedelta(days=1), last + timedelta(days=1)).values()
    except ValueError as error:
        raise BarsError(f"--calendar: {error}") from error
    inside = np.zeros(len(starts), np.bool_)
    for opened, closed in hours:
        inside[np.searchsorted(starts, opened) : np.searchsorted(starts, closed)] = True
    return starts[inside], closes[inside]


def _told(parts: "list[BarSeries]", starts: "NDArray[np.int64]", closes: "NDArray[np.float64]") -> "dict[str, object]":
    shown = [datetime.fromtimestamp(int(at) // 10**9, UTC).isoformat() for at in (*starts[:1], *starts[-1:])]
    return {
        "bars": len(starts),
        "first": shown[0] if shown else None,
        "last": shown[-1] if shown else None,
        "close": float(closes[-1]) if len(closes) else None,
        "faults": [f"{part.stream} {fault}" for part in parts for fault in part.faults],
    }
