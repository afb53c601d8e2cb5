"""What the fields of a venue's JSON messages are, and which column of a message each one fills.

A message type is a msgspec Struct that has the fields that are read; msgspec checks what it can, these words say the
rest. Fields that have none of them are checked and passed over.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from operator import attrgetter
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from pipelines.domain.level_book import Changes


class Op(IntEnum):
    """How a value is read."""

    WHOLE = 0
    DECIMAL = 1
    """Text, or a JSON number taken with all its zeros."""
    MILLISECONDS = 2
    MICROSECONDS = 3
    """Text, as the two below."""
    SECONDS = 4
    ISO_TIME = 5
    CHOICE = 6
    """One of two values: 0 or 1."""
    SYMBOL = 7


class Column(IntEnum):
    """The columns of a message: whole numbers, then prices and sizes (doubles), then what an item of a list has."""

    SHAPE = 0
    """The type's place among the venue's messages."""
    SYMBOL = 1
    """The session's number of its symbol; -1 where it is not listed."""
    EVENT = 2
    """UTC ns; 0 where it tells no time."""
    SEQUENCE = 3
    """Trade id, or the (last) update id; -1 for none, as in the others."""
    FIRST = 4
    PREVIOUS = 5
    BUYER = 6
    """1 where the buyer took."""
    CHECKSUM = 7
    DEPTH = 8
    ITEMS = 9
    ITEMS_END = 10
    BID = 20
    """Of a trade, its price and size."""
    BID_SIZE = 21
    ASK = 22
    ASK_SIZE = 23
    ITEM_PRICE = 30
    ITEM_SIZE = 31
    ITEM_TIME = 32
    ITEM_ID = 33
    ITEM_SIDE = 34
    """0 bid, 1 ask; of a trade, 1 where the buyer took."""


WHOLE_COLUMNS = int(Column.ITEMS_END) + 1

BROKEN = -2
"""In the SHAPE column: a frame that could not be read, and that may have said something of a book."""

NO_SHAPE = -1

Ints = NDArray[np.int64]


class Columns(NamedTuple):
    """Messages by frame: `whole` by the columns of `Column` below BID, `number` by those from BID to ASK_SIZE."""

    whole: Ints
    number: NDArray[np.float64]


class Items(NamedTuple):
    """What lists hold, levels or trades, those of a message together. Times are UTC ns, 0 for none; ids -1 for none."""

    changes: Changes
    times: Ints
    ids: Ints


@dataclass(frozen=True, slots=True)
class Reads:
    """How a field is read and the column that it fills. `one`: the value of a CHOICE that counts 1; `strip`: what is
    around a symbol, or before a number; `upper`: a symbol is in small letters."""

    op: Op
    column: Column
    one: object = None
    strip: tuple[str, str] = ("", "")
    upper: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """That a list holds levels of one side: 0 bids, 1 asks."""

    side: int


_WHOLE = Meta(ge=0, le=1 << 62)
UpdateId = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.SEQUENCE)]
TradeId = UpdateId
First = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.FIRST)]
Previous = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.PREVIOUS)]
Milliseconds = Annotated[int, Meta(gt=0, le=9_000_000_000_000)]
"""Until the year 2255: beyond it, nanoseconds do not fit in 64 bits."""
EventMs = Annotated[Milliseconds, Reads(Op.MILLISECONDS, Column.EVENT)]
NO_TIME = "1970-01-01T00:00:00Z"
"""Of an event that tells none."""
EventIso = Annotated[str, Reads(Op.ISO_TIME, Column.EVENT)]
ItemIso = Annotated[str, Reads(Op.ISO_TIME, Column.ITEM_TIME)]
EventSeconds = Annotated[str, Reads(Op.SECONDS, Column.EVENT)]
ItemSeconds = Annotated[str, Reads(Op.SECONDS, Column.ITEM_TIME)]
EventMicros = Annotated[str, Reads(Op.MICROSECONDS, Column.EVENT)]
Symbol = Annotated[str, Meta(min_length=1, max_length=40), Reads(Op.SYMBOL, Column.SYMBOL)]
Bid = Annotated[str, Reads(Op.DECIMAL, Column.BID)]
BidSize = Annotated[str, Reads(Op.DECIMAL, Column.BID_SIZE)]
Ask = Annotated[str, Reads(Op.DECIMAL, Column.ASK)]
AskSize = Annotated[str, Reads(Op.DECIMAL, Column.ASK_SIZE)]
Price = Bid
Quantity = BidSize
ItemPrice = Annotated[str, Reads(Op.DECIMAL, Column.ITEM_PRICE)]
ItemSize = Annotated[str, Reads(Op.DECIMAL, Column.ITEM_SIZE)]
Bids = Annotated[list[tuple[ItemPrice, ItemSize]], Side(0)]
Asks = Annotated[list[tuple[ItemPrice, ItemSize]], Side(1)]


class Field(NamedTuple):
    """A field that is read: its name as the venue writes it, what gets it from a message (or, of an item, from the
    items as a list), and how it is read."""

    name: str
    get: Callable[[Any], Any]
    reads: Reads


class List(NamedTuple):
    """A list that is read: its name, its side (0 where the items say), and the fields of an item; `width`: of items
    that are tuples, their length, 0 for others."""

    name: str
    get: Callable[[Any], Sequence[Any]]
    side: int
    width: int
    fields: tuple[Field, ...]


class Plan(NamedTuple):
    """What of a message type is read."""

    fields: tuple[Field, ...]
    lists: tuple[List, ...]

    @property
    def symbol(self) -> Field | None:
        """The field that names the instrument."""
        fields = (*self.fields, *(field for each in self.lists for field in each.fields))
        return next((field for field in fields if field.reads.op is Op.SYMBOL), None)


def plan_of(struct: type[Struct]) -> Plan:
    """What of a message type is read, as its fields' words say."""
    fields: list[Field] = []
    lists: list[List] = []
    _walk(struct, "", fields, lists)
    return Plan(tuple(fields), tuple(lists))


def _walk(struct: type[Struct], path: str, fields: list[Field], lists: list[List]) -> None:
    hints = get_type_hints(struct, include_extras=True)
    for name, written in zip(struct.__struct_fields__, struct.__struct_encode_fields__, strict=True):
        base, notes = _described(hints[name])
        reads = next((note for note in notes if isinstance(note, Reads)), None)
        get = attrgetter(path + name)
        if reads is not None:
            fields.append(Field(written, get, reads))
        elif isinstance(base, type) and issubclass(base, Struct):
            _walk(base, f"{path}{name}.", fields, lists)
        elif get_origin(base) is list:
            side = next((note.side for note in notes if isinstance(note, Side)), 0)
            lists.append(_list(written, get, side, get_args(base)[0]))


def _list(name: str, get: Callable[[Any], Sequence[Any]], side: int, item: Any) -> List:
    if get_origin(item) is tuple:
        parts = get_args(item)
        read = [(place, note) for place, part in enumerate(parts) for note in _described(part)[1]]
        fields = [
            Field(f"[{place}]", partial(_every, place, len(parts)), note)
            for place, note in read
            if isinstance(note, Reads)
        ]
        return List(name, get, side, len(parts), tuple(fields))
    inner: list[Field] = []
    _walk(item, "", inner, [])
    listed = [Field(f".{each.name}", partial(_each, each.get), each.reads) for each in inner]
    return List(name, get, side, 0, tuple(listed))


def _every(place: int, width: int, flat: list[Any]) -> list[Any]:
    return flat[place::width]


def _each(get: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    return list(map(get, items))


def _described(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(kind) is Annotated:
        base, *notes = get_args(kind)
        return base, tuple(notes)
    return kind, ()
