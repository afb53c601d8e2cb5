"""JSON frames of a session to messages in columns: by the kernel what stands as the venue writes it, by msgspec the
rest, which is then written as the venue writes it and read by the same kernel. So there is one reading of a message.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any, cast, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from msgspec import Struct

from pipelines.domain.decoding import Fault, Reason
from pipelines.domain.level_book import CHANGE
from pipelines.feeds.protocols.decimals import read_decimal
from pipelines.feeds.protocols.fields import Column, Op, Reads
from pipelines.feeds.protocols.frame_kernel import NO_SHAPE, WHOLE_COLUMNS, Columns, Items, Names, read_frames
from pipelines.feeds.protocols.frame_symbols import Symbols
from pipelines.feeds.protocols.shapes import misread, program

BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a frame that is not what was asked for."""

BROKEN = -2
"""In the SHAPE column: a frame that could not be read, and that may have said something of a book."""

_anything = msgspec.json.Decoder().decode
_write = msgspec.json.Encoder(decimal_format="number").encode
_BYTE = re.compile(r"\(byte (\d+)\)")


class Role(IntEnum):
    """What a message does."""

    PASS = 0
    """Nothing that is kept."""
    QUOTE = 1
    TRADE = 2
    TRADES = 3
    """A list of them."""
    UPDATE = 4
    """Levels of a book that have changed."""
    SNAPSHOT = 5
    """All levels of a book."""
    SUBSCRIBED = 6
    """How many levels a side its updates are of."""


@dataclass(frozen=True)
class Message:
    """A type of message. `name`: the venue's, by which it is counted; `rank`: of quotes, how good a source they are; of
    trades, which stream they are of (from 1)."""

    struct: type[Struct]
    name: str
    role: Role
    rank: int = 1

    @cached_property
    def decode(self) -> Callable[[bytes], Struct]:
        return msgspec.json.Decoder(self.struct).decode

    @cached_property
    def symbol_field(self) -> str:
        """The field that names the instrument."""
        return _symbol_field(self.struct, "") or "symbol"


@dataclass(frozen=True, slots=True)
class Passed:
    """A frame that says nothing that is kept, and the venue's name of its type."""

    name: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A frame of no type known: field, value, what was expected."""

    detail: str
    field: str = ""


Sort = Callable[[Any], Message | Passed | Unread]
"""What a JSON document is, by the fields that tell it."""


@dataclass(frozen=True, slots=True)
class Read:
    """A batch read: its columns by position, items of its lists, faults by position, counts by type."""

    columns: Columns
    items: Items
    faults: list[Fault]
    counts: Counter[str]


class FrameReader:
    """Reads the frames of a session. `messages`: types in the order in which they are tried, the most frequent first;
    `sort` says which one a document is."""

    def __init__(self, messages: Sequence[Message], sort: Sort, index: Mapping[str, int]) -> None:
        self.messages = tuple(messages)
        self.symbols = Symbols(index)
        self._sort = sort
        self._program = program([message.struct for message in messages])
        self._upper = np.array([_reads_upper(message.struct) for message in messages])
        self._items = _items(4096, 1024)

    def read(self, frames: Sequence[bytes]) -> Read:
        """Messages of frames, in their order."""
        columns = Columns(np.empty((len(frames), WHOLE_COLUMNS), np.int64), np.empty((len(frames), 4)))
        self._items.filled[:] = 0
        named: dict[int, str] = {}
        faults: list[Fault] = []
        counts: Counter[str] = Counter()
        self._run(frames, np.arange(len(frames)), columns, named)
        shape = columns.whole[:, Column.SHAPE]
        left = np.flatnonzero(shape == NO_SHAPE)
        if len(left):
            rewritten: dict[int, bytes] = {}
            for position in left.tolist():
                found = self._read_slowly(frames[position])
                match found:
                    case bytes():
                        rewritten[position] = found
                    case Passed(name):
                        counts[name] += 1
                    case Fault():
                        faults.append(_placed(found, position))
                        shape[position] = BROKEN if not found.symbol else NO_SHAPE
            self._run(list(rewritten.values()), np.array(list(rewritten), np.int64), columns, named)
            for position in rewritten:
                if shape[position] == NO_SHAPE:
                    detail = f"not to be read as {rewritten[position][:80]!r}"
                    faults.append(Fault(position, Reason.UNDECODABLE, detail))
                    shape[position] = BROKEN
        for number, count in zip(*np.unique(shape[shape >= 0], return_counts=True), strict=True):
            counts[self.messages[number].name] += int(count)
        self._name(columns, named, faults)
        faults.sort(key=lambda fault: fault.position)
        return Read(columns, self._items, faults, counts)

    def _run(self, frames: Sequence[bytes], rows: Any, columns: Columns, named: dict[int, str]) -> None:
        """The kernel over frames, with room made where it asks for it."""
        if not frames:
            return
        joined = b"\n".join(frames) + b"\n"
        text = np.frombuffer(joined, np.uint8)
        bounds = np.zeros(len(frames) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, frames), np.int64, len(frames)) + 1, out=bounds[1:])
        names: Names = self.symbols.names
        first = patched = 0
        while first < len(frames):
            first = read_frames(text, bounds, rows, first, self._program, columns, self._items, names)
            patched = self._patch(joined, columns, patched)
            if first < len(frames):
                size = int(bounds[first + 1] - bounds[first])
                self._grow(size)
        self._items.filled[1] = 0
        whole = columns.whole
        new = rows[(whole[rows, Column.SYMBOL] < 0) & (whole[rows, Column.NAME_AT] >= 0)]
        shape, first_of, last_of = (
            whole[new, column].tolist() for column in (Column.SHAPE, Column.NAME_AT, Column.NAME_END)
        )
        for row, of, start, end in zip(new.tolist(), shape, first_of, last_of, strict=True):
            if of >= 0:
                name = joined[start:end].decode()
                named[row] = name.upper() if self._upper[of] else name

    def _patch(self, text: bytes, columns: Columns, done: int) -> int:
        """Decimals that the kernel left to Python."""
        items = self._items
        for column, row, first, last in items.patches[done : items.filled[1]].tolist():
            value = read_decimal(text[first:last].decode())
            if column == Column.ITEM_PRICE:
                items.changes["price"][row] = value
            elif column == Column.ITEM_SIZE:
                items.changes["size"][row] = value
            else:
                columns.number[row, column - Column.BID] = value
            if value != value:  # beyond the largest: told of by the slow reading
                whole = columns.whole
                if column >= Column.ITEM_PRICE:
                    inside = (whole[:, Column.ITEMS] <= row) & (row < whole[:, Column.ITEMS_END])
                    whole[inside & (whole[:, Column.SHAPE] >= 0), Column.SHAPE] = NO_SHAPE
                else:
                    whole[row, Column.SHAPE] = NO_SHAPE
        return int(items.filled[1])

    def _grow(self, size: int) -> None:
        old = self._items
        new = _items(2 * len(old.changes) + size, 2 * len(old.patches) + size)
        for before, after in zip(old, new, strict=True):
            after[: len(before)] = before
        self._items = new

    def _name(self, columns: Columns, named: Mapping[int, str], faults: list[Fault]) -> None:
        """Numbers for symbols that had none, in the order of the frames; a symbol that is not listed is a fault."""
        for position in sorted(named):
            message = self.messages[columns.whole[position, Column.SHAPE]]
            if message.role is Role.PASS:
                continue
            number = self.symbols.number(named[position])
            columns.whole[position, Column.SYMBOL] = number
            if number < 0:
                field, symbol = message.symbol_field, named[position]
                detail = f"{field}: {shown(symbol)}: not among the strategy's instruments of this venue"
                faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail, symbol=symbol))

    def _read_slowly(self, frame: bytes) -> bytes | Passed | Fault:
        """A frame in any shape that JSON allows, as the venue would have written it; or what is wrong with it. The
        fault of a frame that says nothing of a book names a symbol of its own, `-`."""
        try:
            frame.decode()
            document = _anything(frame)
        except BAD_JSON as error:
            detail = f"not JSON: {error} ({len(frame)} bytes: {frame[:60]!r})"
            return Fault(0, Reason.UNDECODABLE, detail, _byte(error))
        sorted_as = self._sort(document)
        if isinstance(sorted_as, Passed):
            return sorted_as
        if isinstance(sorted_as, Unread):
            return Fault(0, Reason.UNDECODABLE, sorted_as.detail, _place(frame, sorted_as.field))
        book = sorted_as.role in (Role.UPDATE, Role.SNAPSHOT)
        try:
            message = sorted_as.decode(frame)
        except BAD_JSON as error:
            field, detail = _misfit(document, str(error))
            return Fault(0, Reason.UNDECODABLE, detail, _place(frame, field), "" if book else "-")
        wrong = misread(message, sorted_as.struct)
        if wrong is None:
            return _write(message)
        field = wrong.field.removeprefix("data.")
        detail = f"{field}: {shown(wrong.value)}: expected {wrong.expected}"
        return Fault(0, Reason.UNDECODABLE, detail, _place(frame, field.partition("[")[0]), "" if book else "-")


def _placed(fault: Fault, position: int) -> Fault:
    return Fault(position, fault.reason, fault.detail, fault.offset)


def _byte(error: Exception) -> int:
    if isinstance(error, UnicodeDecodeError):
        return error.start
    found = _BYTE.search(str(error))
    return int(found[1]) if found else 0


def _place(frame: bytes, field: str) -> int:
    """Where a field begins in a frame; 0 where it does not have it."""
    return max(frame.find(b'"' + field.encode() + b'"'), 0) if field else 0


_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")


def _misfit(document: Any, message: str) -> tuple[str, str]:
    """`Expected `str`, got `int` - at `$.data.b`` as field b, and `b: 5: expected `str`, got `int``."""
    problem, _, path = message.partition(" - at `$")
    problem = problem[:1].lower() + problem[1:]
    value = document
    path = path.rstrip("`")
    for name, place in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(place)]
        except (LookupError, TypeError):
            return "", problem
    field = path.removeprefix(".").removeprefix("data.")
    if not path or problem.startswith("object missing"):
        return "", problem
    return field.partition("[")[0], f"{field}: {shown(value)}: {problem}"


def shown(value: object) -> str:
    """A value of a frame, short enough for a line."""
    huge = isinstance(value, int) and value.bit_length() > 128
    text = f"an integer of {cast(int, value).bit_length()} bits" if huge else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _items(changes: int, patches: int) -> Items:
    numbers = np.zeros(changes, np.int64)
    return Items(
        np.zeros(changes, CHANGE), numbers, numbers.copy(), np.zeros((patches, 4), np.int64), np.zeros(2, np.int64)
    )


def _symbol_reads(kind: Any, name: str) -> tuple[str, Reads] | None:
    """The field of a type that holds the symbol, and how it is read."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        hints = get_type_hints(kind, include_extras=True)
        parts = [(hints[field], field) for field in kind.__struct_fields__]
    else:
        for note in getattr(kind, "__metadata__", ()):
            if isinstance(note, Reads) and note.op is Op.SYMBOL:
                return name, note
        base = getattr(kind, "__origin__", kind) if hasattr(kind, "__metadata__") else kind
        parts = [(part, name) for part in get_args(base)] if get_origin(base) in (list, tuple) else []
    found = (_symbol_reads(part, field) for part, field in parts)
    return next((each for each in found if each is not None), None)


def _symbol_field(struct: type[Struct], name: str) -> str:
    found = _symbol_reads(struct, name)
    return found[0] if found else ""


def _reads_upper(struct: type[Struct]) -> bool:
    found = _symbol_reads(struct, "")
    return found is not None and found[1].upper
