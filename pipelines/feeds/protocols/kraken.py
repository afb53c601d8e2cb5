"""Kraken's WebSocket frames, both versions: books, trades, tickers, spreads; v1 (arrays) here, v2 in `kraken_v2`.

As its API documents them ("Spot WebSockets"). A book begins with a snapshot on the same stream; it is of the best 10 to
1000 levels a side, and levels beyond them are dropped. Every update carries a CRC-32 of the best ten levels of both
sides: where that is not the book's here, it is lost. Trades of v1 are not numbered, those of v2 are. Quotes are the
best of the book; where there is none, those of `spread`, or `ticker`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pipelines.feeds.protocols.kraken_v2 import MESSAGES as V2
from pipelines.feeds.protocols.kraken_v2 import sort_v2
from pipelines.feeds.protocols.websocket.fields import (
    Ask,
    AskSize,
    Bid,
    BidSize,
    Column,
    EventSeconds,
    ItemPrice,
    ItemSeconds,
    ItemSize,
    Op,
    Reads,
    Side,
    Symbol,
)
from pipelines.feeds.protocols.websocket.frame_reader import Message, Passed, Role, Unread
from pipelines.feeds.protocols.websocket.json_decoder import JsonDecoder
from pipelines.feeds.protocols.websocket.refusals import shown
from pipelines.feeds.protocols.websocket.session_kernel import SPREAD_RANK, TICKER_RANK, Numbering

Checksum = Annotated[str, Meta(pattern="^(0|[1-9][0-9]{0,9})$"), Reads(Op.WHOLE, Column.CHECKSUM)]
BookName = Annotated[
    Literal["book-10", "book-25", "book-100", "book-500", "book-1000"],
    Reads(Op.WHOLE, Column.DEPTH, strip=("book-", "")),
]
Taker = Annotated[Literal["b", "s"], Reads(Op.CHOICE, Column.ITEM_SIDE, one="b")]


class Level(Struct, array_like=True, gc=False):
    """May have an "r" behind: told again, as it has come back among the best."""

    price: ItemPrice
    volume: ItemSize
    time: ItemSeconds


Levels1 = Annotated[list[Level], Side(1)]
Levels0 = Annotated[list[Level], Side(0)]


class AllLevels(Struct, rename={"asks": "as", "bids": "bs"}, gc=False):
    asks: Levels1
    bids: Levels0


class AskLevels(Struct, gc=False):
    a: Levels1
    c: Checksum


class BidLevels(Struct, gc=False):
    b: Levels0
    c: Checksum


class AsksOfBoth(Struct, gc=False):
    a: Levels1


class Snapshot(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    levels: AllLevels
    name: BookName
    pair: Symbol


class AskUpdate(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    levels: AskLevels
    name: BookName
    pair: Symbol


class BidUpdate(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    levels: BidLevels
    name: BookName
    pair: Symbol


class Update(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    """Both sides."""

    channel: int
    asks: AsksOfBoth
    bids: BidLevels
    name: BookName
    pair: Symbol


class Execution(Struct, array_like=True, gc=False):
    price: ItemPrice
    volume: ItemSize
    time: ItemSeconds
    side: Taker
    order_type: str
    misc: str


class Trades(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    trades: list[Execution]
    name: Literal["trade"]
    pair: Symbol


class BestAsk(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    price: Ask
    whole_lots: int
    lots: AskSize


class BestBid(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    price: Bid
    whole_lots: int
    lots: BidSize


class DayValues(Struct, gc=False):
    a: BestAsk
    b: BestBid


class Ticker(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    values: DayValues
    name: Literal["ticker"]
    pair: Symbol


class SpreadValues(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    bid: Bid
    ask: Ask
    time: EventSeconds
    bid_volume: BidSize
    ask_volume: AskSize


class Spread(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    channel: int
    values: SpreadValues
    name: Literal["spread"]
    pair: Symbol


SNAPSHOT = Message(Snapshot, "book", Role.SNAPSHOT, b',{"as":[')
ASK_UPDATE = Message(AskUpdate, "book", Role.UPDATE, b',{"a":[[')
BID_UPDATE = Message(BidUpdate, "book", Role.UPDATE, b',{"b":[[')
UPDATE = Message(Update, "book", Role.UPDATE, b"]]},{")
TRADES = Message(Trades, "trade", Role.TRADES, b',"trade",', at_end=True)
TICKER = Message(Ticker, "ticker", Role.QUOTE, b',"ticker",', TICKER_RANK, at_end=True)
SPREAD = Message(Spread, "spread", Role.QUOTE, b',"spread",', SPREAD_RANK, at_end=True)

BY_NAME = {"trade": TRADES, "ticker": TICKER, "spread": SPREAD}

COUNTED = frozenset({"heartbeat", "systemStatus", "subscriptionStatus", "pong", "error"})
"""Events of v1."""


class Kraken(JsonDecoder):
    """The decoder of a session, of either version."""

    messages = (UPDATE, BID_UPDATE, ASK_UPDATE, TICKER, TRADES, SPREAD, SNAPSHOT, *V2)
    numbering = Numbering.CHECKSUM

    def sort(self, document: Any) -> Message | Passed | Unread:
        """What a document is: of v1 an array, by the name of its channel, or an event; of v2 by its channel."""
        if isinstance(document, list):
            return _sort_array(document)
        if not isinstance(document, dict):
            return Unread(f"frame: {shown(document)}: expected an object or an array")
        event = document.get("event")
        if event is None:
            return sort_v2(document)
        if isinstance(event, str) and event in COUNTED:
            return Passed(event)
        return Unread(f"event: {shown(event)}: expected an event of Kraken's", "event")


def _sort_array(document: list[Any]) -> Message | Passed | Unread:
    name = document[-2] if len(document) in (4, 5) else None
    if not isinstance(name, str):
        return Unread(f"frame: {shown(document)}: expected channel, data, name and pair")
    if name in BY_NAME:
        return BY_NAME[name]
    if name.startswith("ohlc-"):
        return Passed("ohlc")
    if not name.startswith("book-"):
        return Unread(f"name: {shown(name)}: expected a channel of Kraken's")
    if len(document) == 5:
        return UPDATE
    levels = document[1]
    if isinstance(levels, dict) and ("as" in levels or "bs" in levels):
        return SNAPSHOT
    return ASK_UPDATE if isinstance(levels, dict) and "a" in levels else BID_UPDATE
