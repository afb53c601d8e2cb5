"""Kraken's WebSocket frames of version 2: objects, with numbers as JSON numbers, by channel."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pipelines.feeds.protocols.websocket.fields import NO_TIME, Column, EventIso, ItemIso, Op, Reads, Side, Symbol
from pipelines.feeds.protocols.websocket.frame_reader import Message, Passed, Role, Unread
from pipelines.feeds.protocols.websocket.refusals import shown
from pipelines.feeds.protocols.websocket.session_kernel import TICKER_RANK

Bid = Annotated[Decimal, Reads(Op.DECIMAL, Column.BID)]
BidSize = Annotated[Decimal, Reads(Op.DECIMAL, Column.BID_SIZE)]
Ask = Annotated[Decimal, Reads(Op.DECIMAL, Column.ASK)]
AskSize = Annotated[Decimal, Reads(Op.DECIMAL, Column.ASK_SIZE)]
ItemPrice = Annotated[Decimal, Reads(Op.DECIMAL, Column.ITEM_PRICE)]
ItemSize = Annotated[Decimal, Reads(Op.DECIMAL, Column.ITEM_SIZE)]
"""Numbers whose zeros at the end count: the checksum is of their digits."""

Checksum = Annotated[int, Meta(ge=0, lt=1 << 32), Reads(Op.WHOLE, Column.CHECKSUM)]
Depth = Annotated[int, Meta(ge=1, le=1000), Reads(Op.WHOLE, Column.DEPTH)]
TradeId = Annotated[int, Meta(ge=0, le=1 << 62), Reads(Op.WHOLE, Column.ITEM_ID)]
Taker = Annotated[Literal["buy", "sell"], Reads(Op.CHOICE, Column.ITEM_SIDE, one="buy")]


class Level(Struct, gc=False):
    price: ItemPrice
    qty: ItemSize


class Book(Struct, gc=False):
    symbol: Symbol
    bids: Annotated[list[Level], Side(0)]
    asks: Annotated[list[Level], Side(1)]
    checksum: Checksum
    timestamp: EventIso = NO_TIME


class OneBook(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    book: Book


class BookSnapshot(Struct, gc=False):
    channel: Literal["book"]
    type: Literal["snapshot"]
    data: OneBook


class BookUpdate(Struct, gc=False):
    channel: Literal["book"]
    type: Literal["update"]
    data: OneBook


class Execution(Struct, gc=False):
    symbol: Symbol
    side: Taker
    price: ItemPrice
    qty: ItemSize
    trade_id: TradeId
    timestamp: ItemIso


class Trades(Struct, gc=False):
    """Those of a snapshot are the last 50, at a subscription that asks for them."""

    channel: Literal["trade"]
    type: Literal["snapshot", "update"]
    data: list[Execution]


class DayValues(Struct, gc=False):
    symbol: Symbol
    bid: Bid
    bid_qty: BidSize
    ask: Ask
    ask_qty: AskSize
    timestamp: EventIso = NO_TIME


class OneDay(Struct, array_like=True, forbid_unknown_fields=True, gc=False):
    values: DayValues


class Ticker(Struct, gc=False):
    channel: Literal["ticker"]
    type: Literal["snapshot", "update"]
    data: OneDay


class Subscription(Struct, gc=False):
    channel: Literal["book"]
    depth: Depth
    symbol: Symbol


class Subscribed(Struct, gc=False):
    """The answer to a subscription of a book, which says of how many levels it is."""

    method: Literal["subscribe"]
    result: Subscription


UPDATE = Message(BookUpdate, "book", Role.UPDATE, b'{"channel":"book","type":"update"')
TRADES = Message(Trades, "trade", Role.TRADES, b'{"channel":"trade"')
TICKER = Message(Ticker, "ticker", Role.QUOTE, b'{"channel":"ticker"', TICKER_RANK)
SNAPSHOT = Message(BookSnapshot, "book", Role.SNAPSHOT, b'{"channel":"book","type":"snapshot"')
SUBSCRIBED = Message(Subscribed, "subscribe", Role.SUBSCRIBED, b'{"method":"subscribe","result":{"channel":"book"')

MESSAGES = (UPDATE, TRADES, TICKER, SNAPSHOT, SUBSCRIBED)

_BY_TYPE: Mapping[tuple[str, str], Message] = {
    ("book", "update"): UPDATE,
    ("book", "snapshot"): SNAPSHOT,
    ("trade", "update"): TRADES,
    ("trade", "snapshot"): TRADES,
    ("ticker", "update"): TICKER,
    ("ticker", "snapshot"): TICKER,
}

COUNTED = frozenset({"heartbeat", "status", "ohlc", "instrument", "level3"})
"""Channels that say nothing that is kept."""


def sort_v2(document: Mapping[str, Any]) -> Message | Passed | Unread:
    """What a document of version 2 is, by its channel and type; or the answer to a request, by its method."""
    method, result = document.get("method"), document.get("result")
    if isinstance(method, str):
        about_a_book = isinstance(result, dict) and result.get("channel") == "book" and "depth" in result
        taken = method == "subscribe" and about_a_book and document.get("success") is True
        return SUBSCRIBED if taken else Passed(method)
    channel, kind = document.get("channel"), document.get("type")
    if isinstance(channel, str) and channel in COUNTED:
        return Passed(channel)
    message = _BY_TYPE.get((str(channel), str(kind)))
    if message is None:
        return Unread(f"channel: {shown(channel)} of type {shown(kind)}: expected one of Kraken's", "channel")
    return message
