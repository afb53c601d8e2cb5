"""Rows of a table of ticks as a feed: frames that carry columns already read, and the rows that could not be.

A frame: a line `table 1 {...}` of JSON (symbols, number of rows, faults by row), then the rows as they are in memory,
little-endian. pipelines/feeds/files/mapped.py writes them.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import DECODED, Decoded, DecodedRows, Fault, Reason
from pipelines.domain.market import Flag, Kind
from pipelines.feeds.protocols.decimals import LARGEST

ROW = np.dtype(
    [
        ("row", "<i8"),
        ("symbol", "<i4"),
        ("kind", "<i4"),
        ("flags", "<i4"),
        ("spare", "<i4"),
        ("event_ns", "<i8"),
        ("sequence", "<i8"),
        ("bid", "<f8"),
        ("bid_size", "<f8"),
        ("ask", "<f8"),
        ("ask_size", "<f8"),
    ]
)
"""A row of the table. `row`: its number, from 1; `symbol`: its place among the frame's; the others as in `DECODED`."""

TableRows = NDArray[np.void]

_MARK = b"table 1 "
_LAST_NS = 9_000_000_000_000_000_000
_PRICES = ("bid", "bid_size", "ask", "ask_size")


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """The first line of a frame. `faults`: row and what is wrong; `ignored`: rows of kinds that are not wanted."""

    symbols: list[str]
    rows: int
    faults: list[tuple[int, str]] = []
    ignored: int = 0


_read_head = msgspec.json.Decoder(Head).decode


def write_frame(symbols: Sequence[str], rows: TableRows, faults: Sequence[tuple[int, str]], ignored: int) -> bytes:
    """A frame of some rows of a table."""
    head = msgspec.json.encode(Head(list(symbols), len(rows), list(faults), ignored))
    return _MARK + head + b"\n" + rows.astype(ROW, copy=False).tobytes()


class Table:
    """The decoder of a session: it remembers nothing."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self._index = index

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        parts: list[DecodedRows] = []
        faults: list[Fault] = []
        counts = {"quote": 0, "trade": 0, "ignored": 0}
        for position, frame in enumerate(frames):
            read = _read(frame)
            if isinstance(read, str):
                faults.append(Fault(position, Reason.UNDECODABLE, read))
                continue
            head, rows = read
            faults += [Fault(position, Reason.UNDECODABLE, f"row {row}: {what}") for row, what in head.faults]
            places = np.array([self._index.get(symbol, -1) for symbol in head.symbols] or [-1], np.int32)
            faults += _unknown(position, head, rows, places)
            counts["ignored"] += head.ignored
            counts["trade"] += int(np.count_nonzero(rows["kind"] == Kind.TRADE))
            counts["quote"] += int(np.count_nonzero(rows["kind"] == Kind.QUOTE))
            parts.append(_decoded(position, rows, places))
        made = np.concatenate(parts) if parts else np.zeros(0, DECODED)
        return Decoded(made, tuple(faults), messages={name: count for name, count in counts.items() if count})

    def dump(self) -> bytes:
        return b""

    def load(self, data: bytes) -> None:
        if data:
            raise ValueError(f"table decoder: {len(data)} bytes of state where there are none")


def _decoded(position: int, rows: TableRows, places: NDArray[np.int32]) -> DecodedRows:
    made = np.zeros(len(rows), DECODED)
    made["position"] = position
    made["instrument"] = places[rows["symbol"]]
    made["venue_sequence"] = rows["sequence"]
    for name in ("kind", "flags", "event_ns", *_PRICES):
        made[name] = rows[name]
    return made[made["instrument"] >= 0]


def _unknown(position: int, head: Head, rows: TableRows, places: NDArray[np.int32]) -> list[Fault]:
    """A fault for each row of an instrument that is not listed."""
    strange = np.flatnonzero(places[rows["symbol"]] < 0).tolist()
    faults = []
    for place in strange:
        symbol = head.symbols[int(rows["symbol"][place])]
        detail = f"row {int(rows['row'][place])}: instrument: {symbol[:40]!r}: not among the strategy's of this venue"
        faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail, symbol=symbol))
    return faults


def _read(frame: bytes) -> tuple[Head, TableRows] | str:
    """A frame's parts, or what is wrong with it."""
    end = frame.find(b"\n")
    if not frame.startswith(_MARK) or end < 0:
        return f"frame: {frame[:40]!r}: expected `table 1 {{...}}` and a line's end"
    try:
        head = _read_head(frame[len(_MARK) : end])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return f"head: {' '.join(str(error).split())[:120]}"
    body = len(frame) - end - 1
    if head.rows < 0 or head.rows * ROW.itemsize != body or head.ignored < 0:
        return f"rows: {head.rows}: expected {head.rows * ROW.itemsize} bytes of them, there are {body}"
    rows = np.frombuffer(frame, ROW, head.rows, end + 1)
    return (head, rows) if (wrong := _wrong(rows, len(head.symbols))) is None else wrong


def _wrong(rows: TableRows, symbols: int) -> str | None:
    if not len(rows):
        return None
    if rows["symbol"].min() < 0 or rows["symbol"].max() >= symbols:
        return f"symbol: expected places from 0 to {symbols - 1}"
    if not np.isin(rows["kind"], (Kind.QUOTE, Kind.TRADE)).all():
        return "kind: expected quotes and trades alone"
    if (rows["flags"] & ~int(Flag.BUYER_AGGRESSOR)).any():
        return "flags: expected the buyer's alone"
    if rows["event_ns"].min() <= 0 or rows["event_ns"].max() > _LAST_NS:
        return f"event_ns: expected 1 to {_LAST_NS}"
    if rows["sequence"].min() < -1:
        return "sequence: expected -1 or more"
    for name in _PRICES:
        if not (np.abs(rows[name]) <= LARGEST).all():
            return f"{name}: expected numbers of at most {LARGEST:.0e}"
    return None
