"""What a field of a venue's JSON messages may hold, and which column of a message it fills: the words in which a
protocol's message types are written.

A message type is a msgspec Struct whose fields stand in the order in which the venue writes them, each annotated with
one of these. `shapes` makes a reader of it; msgspec reads what comes in any other order or spacing.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from msgspec import Meta


class Op(IntEnum):
    """A step in reading a frame."""

    LITERAL = 0
    TEXT = 1
    """Characters of a string that is passed over: printable ASCII, no quote, no backslash."""
    NUMBER = 2
    """A JSON number that is passed over."""
    DECIMAL = 3
    WHOLE = 4
    SYMBOL = 5
    WORD = 6
    """One of two words: 0 or 1."""
    MILLISECONDS = 7
    MICROSECONDS = 8
    SECONDS = 9
    """Seconds with up to nine decimals, as text."""
    ISO_TIME = 10
    LIST = 11
    LIST_END = 12
    OPTIONAL = 13
    """Characters that may be there."""
    NAME = 14
    """Characters before an @, as a stream's symbol."""


class Column(IntEnum):
    """The columns of a message: whole numbers, then prices and sizes (doubles), then what an item of a list has."""

    SHAPE = 0
    SYMBOL = 1
    """The session's number of its symbol; -1 where that is not known yet."""
    EVENT = 2
    SEQUENCE = 3
    """Trade id, or the (last) update id."""
    FIRST = 4
    PREVIOUS = 5
    BUYER = 6
    """1 where the buyer took."""
    CHECKSUM = 7
    DEPTH = 8
    ITEMS = 9
    ITEMS_END = 10
    NAME_AT = 11
    NAME_END = 12
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
    NOWHERE = 99


@dataclass(frozen=True, slots=True)
class Reads:
    """How a field is read: its step, the column it fills, and what stands around its value. `words`: the two of WORD;
    `upper`: a symbol in small letters; `side`: of the items of a LIST, where they do not say; `tail`: characters that
    may follow."""

    op: Op
    column: Column = Column.NOWHERE
    before: str = ""
    words: tuple[str, str] = ("", "")
    upper: bool = False
    side: int = 0
    tail: tuple[str, ...] = ()


DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"
_WHOLE = Meta(ge=0, le=1 << 62)
_MOMENT = Meta(gt=0, le=9_000_000_000_000)
"""Milliseconds until the year 2255: beyond it, nanoseconds do not fit in 64 bits."""

Text = Annotated[str, Reads(Op.TEXT)]
Number = Annotated[float, Reads(Op.NUMBER)]
Whole = Annotated[int, Meta(ge=0), Reads(Op.NUMBER)]
Flag = Annotated[bool, Reads(Op.WORD, words=("true", "false"))]
Symbol = Annotated[str, Meta(min_length=1, max_length=40), Reads(Op.SYMBOL, Column.SYMBOL)]
Sequence = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.SEQUENCE)]
First = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.FIRST)]
Previous = Annotated[int, _WHOLE, Reads(Op.WHOLE, Column.PREVIOUS)]
EventMs = Annotated[int, _MOMENT, Reads(Op.MILLISECONDS, Column.EVENT)]
Milliseconds = Annotated[int, _MOMENT, Reads(Op.MILLISECONDS)]
_ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
EventIso = Annotated[str, Meta(pattern=_ISO), Reads(Op.ISO_TIME, Column.EVENT)]
ItemIso = Annotated[str, Meta(pattern=_ISO), Reads(Op.ISO_TIME, Column.ITEM_TIME)]
_SECONDS = r"^[0-9]{1,10}(\.[0-9]{1,9})?$"
EventSeconds = Annotated[str, Meta(pattern=_SECONDS), Reads(Op.SECONDS, Column.EVENT)]
ItemSeconds = Annotated[str, Meta(pattern=_SECONDS), Reads(Op.SECONDS, Column.ITEM_TIME)]
_MICROS = Meta(pattern=r"^[1-9][0-9]{0,15}$")
EventMicros = Annotated[str, _MICROS, Reads(Op.MICROSECONDS, Column.EVENT)]
Checksum = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,9})$"), Reads(Op.WHOLE, Column.CHECKSUM)]
Bid = Annotated[str, Reads(Op.DECIMAL, Column.BID)]
BidSize = Annotated[str, Reads(Op.DECIMAL, Column.BID_SIZE)]
Ask = Annotated[str, Reads(Op.DECIMAL, Column.ASK)]
AskSize = Annotated[str, Reads(Op.DECIMAL, Column.ASK_SIZE)]
Price = Bid
Quantity = BidSize
LevelPrice = Annotated[str, Reads(Op.DECIMAL, Column.ITEM_PRICE)]
LevelSize = Annotated[str, Reads(Op.DECIMAL, Column.ITEM_SIZE)]
Level = tuple[LevelPrice, LevelSize]
Bids = Annotated[list[Level], Reads(Op.LIST, side=0)]
Asks = Annotated[list[Level], Reads(Op.LIST, side=1)]
