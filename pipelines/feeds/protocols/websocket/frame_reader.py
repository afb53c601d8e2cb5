"""JSON frames of a session to messages in columns. msgspec reads a frame as the type that it looks to be; how it looks
decides only what is tried first, and a type takes nothing that is not its own."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import compress
from operator import attrgetter, not_
from typing import Any, NamedTuple, get_type_hints

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pipelines.domain.decoding import Fault, Reason
from pipelines.feeds.protocols.websocket.column_filler import Filler, Group, Misread
from pipelines.feeds.protocols.websocket.fields import BROKEN, NO_SHAPE, Column, Columns, Items, Plan, plan_of
from pipelines.feeds.protocols.websocket.refusals import byte_of, misfit, offset_of, shown
from pipelines.feeds.protocols.websocket.symbols import Symbols

BAD_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for a frame that is not what was asked for."""

LOOKED_AT = 128
"""Bytes of a frame in which a mark is looked for."""

_anything = msgspec.json.Decoder().decode


class Role(IntEnum):
    """What a message does."""

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
    """A type of message. `name`: the venue's, by which it is counted; `mark`: what its frames mostly have near their
    begin (`at_end`: their end) and no other's do; `rank`: of quotes, how good a source they are, of trades, which
    stream they are of (from 1); `within`: the field that alone is read of an envelope."""

    struct: type[Struct]
    name: str
    role: Role
    mark: bytes
    rank: int = 1
    at_end: bool = False
    within: str = ""

    @cached_property
    def _decode(self) -> Callable[[bytes], Struct]:
        return msgspec.json.Decoder(self.struct).decode

    @cached_property
    def plan(self) -> Plan:
        """What of it is read."""
        return plan_of(get_type_hints(self.struct)[self.within] if self.within else self.struct)

    def decode(self, frames: Iterable[bytes]) -> list[Struct]:
        """Frames as this type; raises one of `BAD_JSON`."""
        messages = map(self._decode, frames)
        return list(map(attrgetter(self.within), messages)) if self.within else list(messages)


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


class Read(NamedTuple):
    """A batch read: its columns by position, items of its lists, faults by position, counts by type."""

    columns: Columns
    items: Items
    faults: list[Fault]
    counts: Counter[str]


class FrameReader:
    """Reads the frames of a session. `messages`: types in the order in which frames are tried for their marks, the most
    frequent first; `sort` says what a frame is that has no mark, or is not what it looked."""

    def __init__(self, messages: Sequence[Message], sort: Sort, index: Mapping[str, int]) -> None:
        self.messages = tuple(messages)
        self.symbols = Symbols(index)
        self._sort = sort
        self._place = {id(message): place for place, message in enumerate(messages)}

    def read(self, frames: Sequence[bytes]) -> Read:
        """Messages of frames, in their order."""
        groups = [Group([], []) for _ in self.messages]
        faults: list[Fault] = []
        counts: Counter[str] = Counter()
        filler = Filler(len(frames))
        whole = filler.columns.whole
        for position in self._read_by_looks(frames, groups):
            self._read_slowly(position, frames[position], groups, faults, counts, whole)
        named: list[tuple[int, str, str]] = []
        for place, (message, group) in enumerate(zip(self.messages, groups, strict=True)):
            if group.messages:
                counts[message.name] += len(group.messages)
                group.settle()
                for misread in filler.fill(place, message.plan, group):
                    faults.append(_misread(misread, frames[misread.position]))
                    whole[misread.position, Column.SHAPE] = BROKEN if _of_a_book(message) else NO_SHAPE
                named.extend(self._number(message.plan, group, whole))
        self._take_new(named, whole, faults)
        faults.sort(key=lambda fault: fault.position)
        return Read(filler.columns, filler.items(), faults, counts)

    def _read_by_looks(self, frames: Sequence[bytes], groups: list[Group]) -> list[int]:
        """Read the frames that are what they look; the positions of the others."""
        if not b"".join(frames).isascii():
            return list(range(len(frames)))  # msgspec does not look into the strings of fields that it skips
        left, waiting = list(range(len(frames))), list(frames)
        unread: list[int] = []
        for message, group in zip(self.messages, groups, strict=True):
            if not left:
                break
            mark = message.mark
            if message.at_end:
                found = [frame.find(mark, -LOOKED_AT) >= 0 for frame in waiting]
            else:
                found = [frame.find(mark, 0, LOOKED_AT) >= 0 for frame in waiting]
            if True not in found:
                continue
            mine, mine_frames = list(compress(left, found)), list(compress(waiting, found))
            others = list(map(not_, found))
            left, waiting = list(compress(left, others)), list(compress(waiting, others))
            try:
                group.messages = message.decode(mine_frames)
                group.positions = mine
            except BAD_JSON:
                for at in mine:
                    try:
                        group.messages += message.decode([frames[at]])
                        group.positions.append(at)
                    except BAD_JSON:
                        unread.append(at)
        return sorted(left + unread)

    def _read_slowly(
        self,
        position: int,
        frame: bytes,
        groups: list[Group],
        faults: list[Fault],
        counts: Counter[str],
        whole: NDArray[np.int64],
    ) -> None:
        """Read a frame as what its fields say; a fault tells field, value and what was expected."""
        try:
            frame.decode()
            document = _anything(frame)
        except BAD_JSON as error:
            detail = f"not JSON: {error} ({len(frame)} bytes: {frame[:60]!r})"
            faults.append(Fault(position, Reason.UNDECODABLE, detail, byte_of(error)))
            whole[position, Column.SHAPE] = BROKEN
            return
        found = self._sort(document)
        if isinstance(found, Passed):
            counts[found.name] += 1
            return
        if isinstance(found, Unread):
            faults.append(Fault(position, Reason.UNDECODABLE, found.detail, offset_of(frame, found.field)))
            whole[position, Column.SHAPE] = BROKEN
            return
        try:
            messages = found.decode([frame])
        except BAD_JSON as error:
            field, detail = misfit(document, str(error))
            faults.append(Fault(position, Reason.UNDECODABLE, detail, offset_of(frame, field)))
            whole[position, Column.SHAPE] = BROKEN if _of_a_book(found) else NO_SHAPE
            return
        group = groups[self._place[id(found)]]
        group.messages += messages
        group.positions.append(position)
        group.sorted = False

    def _number(self, plan: Plan, group: Group, whole: NDArray[np.int64]) -> list[tuple[int, str, str]]:
        """Give messages the numbers of their symbols. Those that have none yet: position, symbol, field."""
        field = plan.symbol
        assert field is not None, "a message that names no instrument"
        before, after = field.reads.strip
        names = group.symbols if group.symbols is not None else list(map(field.get, group.messages))
        if before or after:
            names = [name[len(before) : len(name) - len(after)] for name in names]
        if field.reads.upper:
            names = [name.upper() for name in names]
        known = self.symbols.numbers
        numbers = [known.get(name, -1) for name in names]
        whole[group.places, Column.SYMBOL] = numbers
        if -1 not in numbers:
            return []
        label = field.name.lstrip(".")
        return [
            (at, name, label)
            for at, name, number in zip(group.positions, names, numbers, strict=True)
            if number < 0 and name and whole[at, Column.SHAPE] >= 0
        ]

    def _take_new(
        self,
        named: list[tuple[int, str, str]],
        whole: NDArray[np.int64],
        faults: list[Fault],
    ) -> None:
        """Numbers for symbols that had none, in the order of the frames; a symbol that is not listed is a fault."""
        for position, name, field in sorted(named):
            number = self.symbols.number(name)
            whole[position, Column.SYMBOL] = number
            if number < 0:
                detail = f"{field}: {shown(name)}: not among the strategy's instruments of this venue"
                faults.append(Fault(position, Reason.UNKNOWN_INSTRUMENT, detail, symbol=name))


def _of_a_book(message: Message) -> bool:
    return message.role in (Role.UPDATE, Role.SNAPSHOT)


def _misread(misread: Misread, frame: bytes) -> Fault:
    detail = f"{misread.field}: {shown(misread.value)}: expected {misread.expected}"
    return Fault(misread.position, Reason.UNDECODABLE, detail, offset_of(frame, re.split(r"[.\[]", misread.field)[0]))
