"""Quotes and trades of LEAN's equity ticks with the exchange that made them, which rows of the tick log do not have."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.feeds.files.frame_file import UnknownFormat
from pipelines.feeds.files.lean_archive import Member, blocks, members
from pipelines.feeds.protocols.lean.fields import GOOD
from pipelines.feeds.protocols.lean.lines import LineReader, Lines, explain
from pipelines.feeds.protocols.lean.stream import LeanStream

EXCHANGE_QUOTE = np.dtype([("event_ns", "i8"), ("exchange", "u1"), ("ask", "?"), ("price", "f8"), ("size", "f8")])
"""One side of an exchange's quote. `event_ns`: UTC; `exchange`: its letter; 0 for a side that nobody quotes."""

EXCHANGE_TRADE = np.dtype([("event_ns", "i8"), ("exchange", "u1"), ("price", "f8"), ("size", "f8")])
"""A trade on an exchange, likewise."""


@dataclass(frozen=True, slots=True)
class ExchangeSeries:
    """The rows of one CSV, in its order; of a line that has both sides of a quote, the bid first. `faults`: lines left
    out, each with its number and why. What whoever recorded it marks as suspicious is left out too."""

    stream: LeanStream
    rows: NDArray[np.void]
    faults: tuple[str, ...] = ()


def read_quotes(path: Path) -> list[ExchangeSeries]:
    """The quotes in an archive, by its CSV files. Raises UnknownFormat where it holds anything but quote ticks of
    equities, BrokenFile where it breaks off."""
    return [_series(member, blocks(member)) for member in _members(path, "quote")]


def read_trades(path: Path) -> list[ExchangeSeries]:
    """The trades in an archive; raises as `read_quotes` does."""
    return [_series(member, blocks(member)) for member in _members(path, "trade")]


def _members(path: Path, kind: str) -> list[Member]:
    found = members(path)
    for member in found:
        stream = member.stream
        if (stream.asset, stream.resolution, stream.kind) != ("equity", "tick", kind):
            told = f"{stream.asset} {stream.resolution} {stream.kind}"
            raise UnknownFormat(
                f"{path}: {member.name}: {told} lines: give an equity's ticks of {kind}s, as DAY_{kind}.zip"
            )
    return found


def _series(member: Member, texts: Iterator[bytes]) -> ExchangeSeries:
    reader = LineReader()
    made = _quotes if member.stream.kind == "quote" else _trades
    parts: list[NDArray[np.void]] = []
    faults: list[str] = []
    line = 1
    for text in texts:
        lines = reader.read(text, 0, [member.stream])
        good = lines.fault == GOOD
        bad = np.flatnonzero(~good).tolist()
        faults += [f"line {line + i}: {explain(lines, i, text, [member.stream])}" for i in bad]
        parts.append(made(lines, good, member.stream))
        line += len(good)
    empty = np.empty(0, EXCHANGE_QUOTE if made is _quotes else EXCHANGE_TRADE)
    return ExchangeSeries(member.stream, np.concatenate([empty, *parts]), tuple(faults))


def _quotes(lines: Lines, good: NDArray[np.bool_], stream: LeanStream) -> NDArray[np.void]:
    whole, numbers = lines.whole[good], lines.numbers[good]
    both = np.zeros((len(whole), 2), EXCHANGE_QUOTE)
    both["event_ns"] = stream.utc_ns(whole[:, 0])[:, None]
    both["exchange"] = whole[:, 5][:, None]
    both["ask"] = [False, True]
    both["price"], both["size"] = numbers[:, [1, 3]], numbers[:, [2, 4]]
    told = both["price"] > 0
    # LEAN writes the side that a line is not about as zeros; where both are, the exchange quotes neither.
    told |= ~told.any(axis=1)[:, None]
    told &= (whole[:, 7] == 0)[:, None]
    return np.asarray(both[told])


def _trades(lines: Lines, good: NDArray[np.bool_], stream: LeanStream) -> NDArray[np.void]:
    whole, numbers = lines.whole[good], lines.numbers[good]
    trades = np.zeros(len(whole), EXCHANGE_TRADE)
    trades["event_ns"], trades["exchange"] = stream.utc_ns(whole[:, 0]), whole[:, 3]
    trades["price"], trades["size"] = numbers[:, 1], numbers[:, 2]
    return np.asarray(trades[whole[:, 5] == 0])
