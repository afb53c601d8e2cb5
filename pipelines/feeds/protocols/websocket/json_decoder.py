"""A decoder of a venue's JSON frames: messages read, books kept in step, rows written; what a venue's module is given.

A book that misses updates says nothing more, and is made anew of the next snapshot. Where snapshots come by another way
than the updates (REST), the updates since are kept meanwhile, and `wants` names the symbols that one is to be got for.
"""

import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from pipelines.domain.decoding import DECODED, Decoded, DecodedRows, Missing
from pipelines.domain.level_book import CHANGE, Stamp
from pipelines.domain.level_books import LevelBooks
from pipelines.domain.market import Kind
from pipelines.domain.market import Status as Said
from pipelines.feeds.protocols.websocket.book_state import MOST_KEPT, Kept, dump_books, load_books
from pipelines.feeds.protocols.websocket.fields import Column, Op
from pipelines.feeds.protocols.websocket.frame_reader import FrameReader, Message, Passed, Read, Unread
from pipelines.feeds.protocols.websocket.session_kernel import (
    BOOK_RANK,
    STATE,
    Numbering,
    Status,
    Stop,
    Turn,
    Venue,
    checksum,
    turn_of,
    write_rows,
)
from pipelines.feeds.protocols.websocket.text_columns import read_numbers, read_times

_LOST = "it is lost until a snapshot"

_CRC = np.array([zlib.crc32(bytes([byte]), 0xFFFFFFFF) ^ 0xFFFFFFFF for byte in range(256)], np.uint32)
"""The table that CRC-32 is computed with, by byte: zlib's own, from a register of zeros."""


class JsonDecoder:
    """Frames of a session of one venue to rows. A venue's class names its `messages`, what a document is (`sort`), and
    how it numbers the updates of books."""

    messages: tuple[Message, ...]
    numbering: Numbering

    def __init__(self, index: Mapping[str, int]) -> None:
        _compile_kernels()
        self._reader = FrameReader(self.messages, self.sort, index)
        self._books = LevelBooks(digits=self.numbering is Numbering.CHECKSUM)
        self._states = np.zeros(0, STATE)
        self._kept: dict[int, deque[Kept]] = {}
        roles = np.array([(message.role, message.rank) for message in self.messages], np.int64)
        self._venue = Venue(roles, int(self.numbering), _CRC, np.zeros(20, np.uint8))

    def sort(self, document: Any) -> Message | Passed | Unread:
        """What a JSON document is."""
        raise NotImplementedError

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        """Rows, faults and gaps of frames, by position."""
        read = self._reader.read(frames)
        self._take_symbols()
        rows = np.empty(len(frames) + len(read.items.changes) + 64, DECODED)
        missing: list[Missing] = []
        position = count = 0
        while True:
            position, count, stop = write_rows(
                read.columns, read.items, self._states, self._books.pool, self._venue, position, rows, count
            )
            if stop == Stop.END:
                return Decoded(rows[:count], tuple(read.faults), tuple(missing), read.counts)
            if stop == Stop.ROOM:
                rows = self._make_room(read, position, rows, count)
                continue
            for more in self._decide(Stop(stop), read, position, missing):
                rows = _room_for(rows, count, len(more))
                rows[count : count + len(more)] = more
                count += len(more)
            position += 1

    def wants(self) -> tuple[str, ...]:
        """The symbols whose books have updates and need a snapshot."""
        states = self._states
        return tuple(
            name
            for number, name in enumerate(self._reader.symbols)
            if states["status"][number] == Status.LOST or number in self._kept
        )

    def dump(self) -> bytes:
        """Symbols, what was seen of each, and books."""
        return dump_books(tuple(self._reader.symbols), self._states, self._books, self._kept)

    def load(self, data: bytes) -> None:
        """Take up what `dump` gave; symbols that are no longer listed are left out. ValueError for other bytes."""
        for name, state, kept, take_levels in list(load_books(data, self._books.digits)):
            number = self._reader.symbols.number(name)
            self._take_symbols()
            if number < 0:
                continue
            instrument = self._states["instrument"][number]
            self._states[number] = state
            self._states["instrument"][number] = instrument
            take_levels(self._books, number)
            if kept is not None:
                self._kept[number] = kept

    def _take_symbols(self) -> None:
        """States and books for the symbols that are new."""
        symbols = self._reader.symbols
        more = len(symbols) - len(self._states)
        if more:
            new = np.zeros(more, STATE)
            new["last"] = -1
            new["instrument"] = [symbols.instrument(name) for name in list(symbols)[-more:]]
            self._states = np.concatenate((self._states, new))
            self._books.add(more)

    def _make_room(self, read: Read, position: int, rows: DecodedRows, count: int) -> DecodedRows:
        first, last = read.columns.whole[position, [Column.ITEMS, Column.ITEMS_END]].tolist()
        number = int(read.columns.whole[position, Column.SYMBOL])
        asks = int(read.items.changes["side"][first:last].sum())
        self._books.make_room(number, last - first - asks, asks)
        return _room_for(rows, count, 2 * (last - first) + self._books.count(number) + 64)

    def _decide(self, stop: Stop, read: Read, position: int, missing: list[Missing]) -> Iterator[DecodedRows]:
        """What a message that the kernel stopped at comes to."""
        if stop is Stop.BROKEN:
            yield from self._lose_all(position, missing)
            return
        whole = read.columns.whole[position]
        number = int(whole[Column.SYMBOL])
        name = self._reader.symbols.name(number)
        update = Kept.of(whole, read.items.changes, self.numbering is Numbering.TIMES)
        if stop is Stop.SNAPSHOT:
            yield from self._take_snapshot(number, update, position, int(whole[Column.DEPTH]))
            said = int(whole[Column.CHECKSUM])
            if said >= 0 and self._states["status"][number] >= Status.PRIMED:
                yield from self._check(number, update, position, said, missing)
            return
        if stop is Stop.WAITING:
            if self._states["status"][number] == Status.ABSENT and not self._by_another_way:
                return
        elif stop is Stop.CHECKSUM:
            yield from self._check(number, update, position, int(whole[Column.CHECKSUM]), missing)
        else:
            last = int(self._states["last"][number])
            spans = f"{update.first} to {update.sequence}"
            detail = f"{name} book: updates are missing after {last}: the next is of {spans}: {_LOST}"
            missing.append(Missing(position, detail, name))
            yield self._lose(number, position, update.event_ns)
        self._keep(number, update)

    def _check(
        self, number: int, update: Kept, position: int, said: int, missing: list[Missing]
    ) -> Iterator[DecodedRows]:
        """A book whose checksum is not what the venue said is lost."""
        found = checksum(self._books.pool, number, self._venue)
        if found != said:
            name = self._reader.symbols.name(number)
            missing.append(Missing(position, f"{name} book: checksum {said}, of the book here {found}: {_LOST}", name))
            yield self._lose(number, position, update.event_ns)

    @property
    def _by_another_way(self) -> bool:
        return self.numbering in (Numbering.UPDATE_IDS, Numbering.TIMES)

    def _keep(self, number: int, update: Kept) -> None:
        """Keep an update for the snapshot to come: a run without a hole, so that what is left of it goes on."""
        if not self._by_another_way:
            return
        kept = self._kept.setdefault(number, deque(maxlen=MOST_KEPT))
        if kept and self._turn(update, kept[-1].sequence, primed=False) is Turn.GAP:
            kept.clear()
        if not kept or self._turn(update, kept[-1].sequence, primed=False) is Turn.APPLY:
            kept.append(update)

    def _turn(self, update: Kept, last: int, primed: bool) -> Turn:
        return Turn(turn_of(int(self.numbering), primed, last, update.first, update.sequence, update.previous))

    def _take_snapshot(self, number: int, update: Kept, position: int, depth: int) -> Iterator[DecodedRows]:
        """A book from its snapshot, and the updates kept since. One that is older than these, or that comes by another
        way for a book that is in step, is passed over."""
        state = self._states[number]
        since: list[Kept] = []
        if self._by_another_way:
            if state["status"] >= Status.PRIMED:
                return
            kept = self._kept.get(number, ())
            since = [each for each in kept if self._turn(each, update.sequence, primed=True) is not Turn.DROP]
            if since and self._turn(since[0], update.sequence, primed=True) is Turn.GAP:
                return
            self._kept.pop(number, None)
        if state["status"] == Status.LOST:
            yield self._said(number, Said.BOOK_BACK, position, update.event_ns)
        state["depth"] = depth or state["depth"]
        state["status"] = Status.PRIMED if self._by_another_way else Status.LIVE
        for each in (update, *since):
            yield self._change(number, each, position, snapshot=each is update)

    def _change(self, number: int, update: Kept, position: int, snapshot: bool) -> DecodedRows:
        state = self._states[number]
        if not snapshot:
            state["status"] = Status.LIVE
        state["last"] = update.sequence
        quotes = bool(state["quoted"] <= BOOK_RANK)
        sequence = update.sequence if self.numbering is Numbering.UPDATE_IDS else -1
        stamp = Stamp(position, int(state["instrument"]), update.event_ns, sequence)
        return self._books.change(number, update.changes, stamp, snapshot, int(state["depth"]), quotes)

    def _lose(self, number: int, position: int, event_ns: int) -> DecodedRows:
        self._books.clear(number)
        self._states["status"][number] = Status.LOST
        return self._said(number, Said.BOOK_LOST, position, event_ns)

    def _lose_all(self, position: int, missing: list[Missing]) -> Iterator[DecodedRows]:
        """A frame that cannot be read may have been an update of any book. Numbers or checksums would show that."""
        if self.numbering in (Numbering.UPDATE_IDS, Numbering.CHECKSUM):
            return
        live = np.flatnonzero(self._states["status"] >= Status.PRIMED).tolist()
        for number in live:
            name = self._reader.symbols.name(number)
            detail = f"{name} book: a frame that cannot be read may have been an update of it: {_LOST}"
            missing.append(Missing(position, detail, name))
            yield self._lose(number, position, 0)

    def _said(self, number: int, status: Said, position: int, event_ns: int) -> DecodedRows:
        row = np.zeros(1, DECODED)
        row["kind"], row["code"] = Kind.STATUS, status
        row["position"], row["instrument"] = position, self._states["instrument"][number]
        row["event_ns"], row["venue_sequence"] = event_ns, -1
        return row


def _room_for(rows: DecodedRows, count: int, more: int) -> DecodedRows:
    """The rows, with room for so many further ones."""
    if count + more <= len(rows):
        return rows
    grown = np.empty(2 * len(rows) + more, DECODED)
    grown[:count] = rows[:count]
    return grown


@cache
def _compile_kernels() -> None:
    """Kernels are compiled at their first use, for seconds: with the first decoder, not when its first frame waits."""
    read_numbers(["0"])
    read_times(["2026-01-01T00:00:00Z"], Op.ISO_TIME)
    books = LevelBooks()
    books.add()
    books.change(0, np.zeros(0, CHANGE), Stamp(0, 0, 0, 0))
