"""LEAN's data files as a feed: frames of a header and CSV lines, as pipelines/feeds/files/lean.py cuts them.

Equity quotes are of the consolidated tape. A line holds one side, the best price of the country and the exchange that
shows it, and lines come in twos, bid then ask, with one time: together they are one update. A side's line replaces what
was said of that side, whichever exchange said it. (Recorded AIG and BAC, 2013-10-07 to 09: of 2,659,960 updates two are
one-sided, each the first of its day; made so, 3,463 of 3,464 of LEAN's own minute quote bars come out to the last
digit. A best price kept for each exchange would not: nothing says when an exchange's best is gone.)
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import DECODED, Decoded, Fault, Reason
from pipelines.feeds.protocols.lean.conditions import CONDITIONS, Message
from pipelines.feeds.protocols.lean.fields import GOOD
from pipelines.feeds.protocols.lean.lines import MOST_KEPT, LineReader, Lines, explain
from pipelines.feeds.protocols.lean.rows import BOOK, STREAM, described, fill
from pipelines.feeds.protocols.lean.stream import LeanStream, StreamError, read_header

_VERSION = 1
_SHORT_LINE = 12
"""Bytes: rows are made room for as if all lines were so short; where some are shorter yet, more is made."""
_HEADER = struct.Struct("<BII")
_MESSAGES = tuple(message.name.lower() for message in Message)


class Lean:
    """The decoder of a session: it holds each instrument's best bid and ask, of which a line may say one."""

    def __init__(self, index: Mapping[str, int]) -> None:
        self._index = index
        self._streams: dict[str, LeanStream] = {}
        self._places: dict[str, int] = {}
        self._books = np.zeros(0, BOOK)
        self._records: dict[tuple[LeanStream, ...], tuple[NDArray[np.void], tuple[str, ...]]] = {}
        self._lines = LineReader()

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        made = np.empty(16 + sum(map(len, frames)) // _SHORT_LINE, DECODED)
        count = 0
        faults: list[Fault] = []
        counts = np.zeros(len(Message), np.int64)
        for position, frame in enumerate(frames):
            end = frame.find(b"\n")
            try:
                streams = read_header(frame[:end] if end >= 0 else frame[:200], self._streams)
            except StreamError as error:
                faults.append(Fault(position, Reason.UNDECODABLE, str(error)))
                continue
            lines = self._lines.read(frame, end + 1 if end >= 0 else len(frame), [stream for stream, _ in streams])
            if len(made) - count < 2 * len(lines.stream):
                made = np.concatenate((made[:count], np.empty(count + 2 * len(lines.stream), DECODED)))
            described = self._described(position, streams, faults)
            count += fill(
                position, lines.stream, lines.whole, lines.numbers, lines.fault, described, CONDITIONS, self._books,
                counts, made[count:],
            )  # fmt: skip
            faults.extend(_faults(position, frame, streams, lines))
        messages = {name: int(number) for name, number in zip(_MESSAGES, counts, strict=True) if number}
        return Decoded(made[:count], tuple(faults), messages=messages)

    def dump(self) -> bytes:
        names = "\n".join(self._places).encode()
        header = _HEADER.pack(_VERSION, len(self._places), len(names))
        return header + self._books[: len(self._places)].tobytes() + names if self._places else b""

    def load(self, data: bytes) -> None:
        self._records.clear()
        if not data:
            self._places, self._books = {}, np.zeros(0, BOOK)
            return
        if data[0] != _VERSION:
            raise ValueError(f"lean decoder: state of version {data[0]}, this code reads {_VERSION}")
        try:
            _, count, size = _HEADER.unpack_from(data)
            books = np.frombuffer(data, BOOK, count, _HEADER.size).copy()
            names = data[_HEADER.size + books.nbytes :].decode().split("\n")
        except (struct.error, ValueError) as error:
            raise ValueError(f"lean decoder: {len(data)} bytes of state, cut short") from error
        if len(data) != _HEADER.size + books.nbytes + size or len(set(names)) != count:
            raise ValueError(f"lean decoder: {len(data)} bytes of state that do not add up")
        self._places, self._books = {name: place for place, name in enumerate(names)}, books

    def _described(
        self, position: int, streams: Sequence[tuple[LeanStream, int]], faults: list[Fault]
    ) -> NDArray[np.void]:
        """The streams as `fill` takes them. An instrument that is not listed is a fault of the frame, once."""
        key = tuple(stream for stream, _ in streams)
        found = self._records.get(key)
        if found is None:
            told = [stream.resolution == "tick" or stream.quotes for stream in key]
            places = [
                self._index.get(stream.symbol, -1) if tells else -1 for stream, tells in zip(key, told, strict=True)
            ]
            records = np.zeros(len(key), STREAM)
            for at, (stream, place) in enumerate(zip(key, places, strict=True)):
                tick = stream.resolution == "tick"
                records[at] = described(stream, place, self._book(stream.symbol) if tick else 0)
            strange = [
                stream.symbol for stream, tells, place in zip(key, told, places, strict=True) if tells and place < 0
            ]
            found = records, tuple(dict.fromkeys(strange))
            if len(self._records) >= MOST_KEPT:
                self._records.clear()
            self._records[key] = found
        for symbol in found[1]:
            detail = f"symbol: {symbol!r}: not among the strategy's instruments of this venue"
            faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail, symbol=symbol))
        return found[0]

    def _book(self, symbol: str) -> int:
        place = self._places.setdefault(symbol, len(self._places))
        if place == len(self._books):
            self._books = np.concatenate((self._books, np.zeros(max(8, place), BOOK)))
        return place


def _faults(position: int, frame: bytes, streams: list[tuple[LeanStream, int]], lines: Lines) -> list[Fault]:
    """The lines that could not be read, each with the number that it has in its file."""
    if lines.sound:
        return []
    bad = np.flatnonzero(lines.fault != GOOD).tolist()
    seen = {place: list(accumulate((lines.stream == place).tolist())) for place in set(lines.stream[bad].tolist())}
    faults = []
    for i in bad:
        stream, first = streams[int(lines.stream[i])]
        number = first + seen[int(lines.stream[i])][i] - 1
        detail = f"{stream} line {number}: {explain(lines, i, frame, [each for each, _ in streams])}"
        faults.append(Fault(position, Reason.UNDECODABLE, detail, int(lines.offset[i]), stream.symbol))
    return faults
