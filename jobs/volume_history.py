"""Volume, prices and spreads of past days, from LEAN's bars or a CSV: what a schedule is made and costed by."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.rollups import MINUTE_NS
from pipelines.domain.schedules import ScheduleError
from pipelines.domain.volume_curve import MINUTES, VolumeCurve, variance_a_minute
from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat
from pipelines.feeds.files.lean_bars import BarSeries, read_bars

HOUR_NS = 60 * MINUTE_NS
ROW = np.dtype([("day", "i8"), ("minute", "f8"), ("value", "f8"), ("volume", "f8")])
"""Of a bar: its day and minute of the day by the market's clock; a closing price and a volume, or a spread."""

Rows = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class VolumeHistory:
    """`name` and `zone` of the market: empty of a CSV, which says neither. `faults`: lines that are no bars."""

    curve: VolumeCurve
    name: str = ""
    zone: str = ""
    trades: Rows = field(default_factory=lambda: np.empty(0, ROW))
    quotes: Rows = field(default_factory=lambda: np.empty(0, ROW))
    faults: tuple[str, ...] = ()

    def last_price(self, first: float, last: float) -> float | None:
        """The last closing price between two minutes of the day."""
        rows = _between(self.trades, first, last)
        return float(rows["value"][-1]) if len(rows) else None

    def variance_a_minute(self, first: float, last: float) -> float | None:
        """$^2, of closing prices between two minutes of the day."""
        rows = _between(self.trades, first, last)
        return variance_a_minute(rows["minute"], rows["value"], rows["day"]) or None

    def spread(self, first: float, last: float) -> float | None:
        """The mean of bars' last spreads, $; bars that were crossed or had one side do not count."""
        rows = _between(self.quotes, first, last)
        rows = rows[rows["value"] > 0]
        return float(rows["value"].mean()) if len(rows) else None


def read_history(paths: Sequence[Path], symbol: str = "") -> VolumeHistory:
    """Of one CSV `minute,volume`, or of LEAN's zips of minute or second bars of one instrument; of a folder, its zips.
    Raises ScheduleError with the file and what is amiss."""
    files = [file for path in paths for file in (sorted(path.glob("*.zip")) if path.is_dir() else [path])]
    if not files:
        raise ScheduleError(f"curve: {paths[0]}: no zip files in it")
    if any(file.suffix.lower() == ".zip" for file in files):
        return _of_bars(files, symbol)
    if len(files) > 1:
        raise ScheduleError(f"curve: {files[1]}: one CSV is a curve: give it alone, or zips of bars")
    return VolumeHistory(_curve_of_csv(files[0]))


def _curve_of_csv(file: Path) -> VolumeCurve:
    """Lines `minute,volume`, the minute as HH:MM or counted from midnight; a header may be there."""
    volumes: dict[int, float] = {}
    try:
        with file.open(newline="", encoding="utf-8") as text:
            for line in (lines := csv.reader(text)):
                if not line or (not volumes and lines.line_num == 1 and not line[0].strip()[:1].isdigit()):
                    continue
                minute, volume = _minute_and_volume(line, f"{file}:{lines.line_num}")
                if minute in volumes:
                    raise ScheduleError(f"{file}:{lines.line_num}: minute {line[0]} is there twice: give each once")
                volumes[minute] = volume
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScheduleError(f"{file}: {error}") from error
    if not volumes:
        raise ScheduleError(f"{file}: an empty curve: give lines minute,volume such as 09:30,12500")
    try:
        return VolumeCurve.of(list(volumes), list(volumes.values()), 1)
    except ScheduleError as error:
        raise ScheduleError(f"{file}: {error}") from error


def _minute_and_volume(line: list[str], place: str) -> tuple[int, float]:
    try:
        hours, _, minutes = line[0].strip().rpartition(":")
        minute = int(hours or 0) * 60 + int(minutes)
        volume = float(line[1])
        if not (0 <= minute < MINUTES and volume >= 0 and math.isfinite(volume)) or (hours and int(minutes) > 59):
            raise ValueError
    except (ValueError, IndexError):
        shown = ",".join(line)[:80]
        raise ScheduleError(f"{place}: {shown!r}: give minute,volume such as 09:30,12500 or 570,12500") from None
    return minute, volume


def _of_bars(files: Sequence[Path], symbol: str) -> VolumeHistory:
    found: list[BarSeries] = []
    for file in sorted(set(files)):
        try:
            found += [each for each in read_bars(file) if not symbol or each.stream.symbol == symbol.upper()]
        except (UnknownFormat, BrokenFile) as error:
            raise ScheduleError(str(error)) from error
    names = sorted({f"{each.stream.asset} {each.stream.market} {each.stream.symbol}" for each in found})
    if len(names) != 1:
        there = ", ".join(names[:10]) or f"nothing of {symbol}"
        raise ScheduleError(
            f"curve: {files[0]}: bars of one instrument make a curve, here is {there}: --symbol names one"
        )
    if coarse := [each.stream for each in found if each.stream.resolution not in ("minute", "second")]:
        raise ScheduleError(
            f"curve: {coarse[0]}: {coarse[0].resolution} bars have no minutes: give minute or second bars"
        )
    trades = _rows([each for each in found if each.stream.kind == "trade"])
    if not len(trades):
        raise ScheduleError(f"curve: {files[0]}: an empty curve: there is no bar of trades of {names[0]}")
    days = len(np.unique(trades["day"]))
    curve = VolumeCurve.of(trades["minute"].astype(np.int64), trades["volume"], days)
    faults = tuple(f"{each.stream} {fault}" for each in found for fault in each.faults)
    quotes = _rows([each for each in found if each.stream.kind == "quote"])
    return VolumeHistory(curve, names[0], str(found[0].stream.zone), trades, quotes, faults)


def _rows(series: Sequence[BarSeries]) -> Rows:
    """By rising time, each bar once."""
    parts = []
    for each in series:
        bars, starts = each.bars, each.bars["start_ns"]
        hours, where = np.unique(starts // HOUR_NS, return_inverse=True)
        ahead = [
            datetime.fromtimestamp(hour * 3600, UTC).astimezone(each.stream.zone).utcoffset() for hour in hours.tolist()
        ]
        wall = (
            starts
            + np.array([round(zone.total_seconds()) * 10**9 for zone in ahead if zone is not None], np.int64)[where]
        )
        rows = np.empty(len(bars), ROW)
        rows["day"], rows["minute"] = wall // (MINUTES * MINUTE_NS), wall % (MINUTES * MINUTE_NS) / MINUTE_NS
        if each.stream.kind == "trade":
            rows["value"], rows["volume"] = bars["close"], bars["volume"]
        else:
            rows["value"], rows["volume"] = bars["ask_close"] - bars["bid_close"], 0.0
        parts.append(rows)
    joined = np.concatenate(parts) if parts else np.empty(0, ROW)
    _, once = np.unique(joined[["day", "minute"]], return_index=True)
    return joined[once]


def _between(rows: Rows, first: float, last: float) -> Rows:
    """Of which the minute is in [first, last), of the day or, where `last` is the earlier, over midnight."""
    minutes = rows["minute"]
    inside = (minutes >= first) & (minutes < last) if first < last else (minutes >= first) | (minutes < last)
    return rows[inside]
