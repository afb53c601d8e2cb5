"""Bars of LEAN's second, minute, hour and daily files. They are no ticks: nobody knows when their prices were."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.feeds.files.frame_file import UnknownFormat
from pipelines.feeds.files.lean_archive import blocks, members
from pipelines.feeds.protocols.lean.fields import GOOD
from pipelines.feeds.protocols.lean.lines import LineReader, explain
from pipelines.feeds.protocols.lean.stream import LeanStream

TRADE_BAR = np.dtype([("start_ns", "i8"), *((name, "f8") for name in ("open", "high", "low", "close", "volume"))])
"""A bar of trades. `start_ns`: UTC; prices in the currency."""

QUOTE_BAR = np.dtype(
    [
        ("start_ns", "i8"),
        *(
            (f"{side}_{name}", "f8")
            for side in ("bid", "ask")
            for name in ("open", "high", "low", "close", "size")
        ),
    ]
)  # fmt: skip
"""A bar of best bids and asks, with the last sizes; the prices of a side that nobody quoted are NaN."""


@dataclass(frozen=True, slots=True)
class BarSeries:
    """The bars of one CSV, in its order. `faults`: the lines that are no bars, each with its number and why."""

    stream: LeanStream
    bars: NDArray[np.void]
    faults: tuple[str, ...] = ()


def read_bars(path: Path) -> list[BarSeries]:
    """The bars in an archive, by its CSV files. Raises UnknownFormat where it holds none, BrokenFile where it breaks
    off."""
    found = members(path)
    if no_bars := [member for member in found if member.stream.resolution == "tick" or _dtype(member.stream) is None]:
        raise UnknownFormat(f"{path}: {no_bars[0].name}: {no_bars[0].stream.resolution} lines are no bars")
    return [_series(member.stream, blocks(member)) for member in found]


def _series(stream: LeanStream, texts: Iterator[bytes]) -> BarSeries:
    reader = LineReader()
    parts: list[NDArray[np.void]] = [np.empty(0, _dtype(stream))]
    faults: list[str] = []
    line = 1
    for text in texts:
        lines = reader.read(text, 0, [stream])
        good = lines.fault == GOOD
        faults += [f"line {line + i}: {explain(lines, i, text, [stream])}" for i in np.flatnonzero(~good).tolist()]
        bars = np.empty(int(good.sum()), _dtype(stream))
        bars["start_ns"] = stream.utc_ns(lines.whole[good, 0])
        for place, name in enumerate((bars.dtype.names or ())[1:], start=1):
            bars[name] = lines.numbers[good, place]
        parts.append(bars)
        line += len(good)
    return BarSeries(stream, np.concatenate(parts), tuple(faults))


def _dtype(stream: LeanStream) -> np.dtype[np.void] | None:
    return {"trade": TRADE_BAR, "quote": QUOTE_BAR}.get(stream.kind)
