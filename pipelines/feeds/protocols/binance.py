"""Binance's WebSocket frames, spot and USD-M futures: best quotes (bookTicker), trades, books (depthUpdate).

Streams as Binance's API documents them ("WebSocket Market Streams"): a combined stream wraps the event as
`{"stream": ..., "data": ...}`, a raw one gives it bare. Spot quotes carry no time; futures carry E (event) and T
(transaction), ms. E is taken: it falls back less often than T (recorded USD-M BTC: on 6.0 and 7.3 % of frames).

A book is made of the REST answer of `/depth` and the updates after it ("How to manage a local order book correctly").
The answer comes as a frame of a stream `<symbol>@snapshot`, which a live handler and the reader of captures write.
Quotes are those of bookTicker; of a symbol of which none came yet, they are the best of its book.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, defstruct

from pipelines.feeds.protocols.websocket.fields import (
    Ask,
    Asks,
    AskSize,
    Bid,
    Bids,
    BidSize,
    Column,
    EventMs,
    First,
    Milliseconds,
    Op,
    Previous,
    Price,
    Quantity,
    Reads,
    Symbol,
    UpdateId,
)
from pipelines.feeds.protocols.websocket.fields import TradeId as Id
from pipelines.feeds.protocols.websocket.frame_reader import Message, Passed, Role, Unread
from pipelines.feeds.protocols.websocket.json_decoder import JsonDecoder
from pipelines.feeds.protocols.websocket.refusals import shown
from pipelines.feeds.protocols.websocket.session_kernel import DIRECT_RANK, Numbering

BuyerTook = Annotated[bool, Reads(Op.CHOICE, Column.BUYER, one=False)]
"""`m`: the buyer was the maker, so the seller took."""

SnapshotStream = Annotated[
    str,
    Meta(pattern=r"^[a-z0-9_]{1,40}@snapshot$"),
    Reads(Op.SYMBOL, Column.SYMBOL, strip=("", "@snapshot"), upper=True),
]


class Quote(Struct, gc=False):
    """bookTicker: best bid and ask, with book update id `u`; spot has no `E`."""

    s: Symbol
    u: UpdateId
    b: Bid
    B: BidSize
    a: Ask
    A: AskSize
    E: EventMs = 0
    T: Milliseconds = 1
    e: Literal["bookTicker"] = "bookTicker"


class Trade(Struct, gc=False):
    """One trade, with its id `t`."""

    e: Literal["trade"]
    E: EventMs
    T: Milliseconds
    s: Symbol
    t: Id
    p: Price
    q: Quantity
    m: BuyerTook


class AggregateTrade(Struct, gc=False):
    """aggTrade: the fills of one taking order at one price, with their id `a`, numbered without holes."""

    e: Literal["aggTrade"]
    E: EventMs
    T: Milliseconds
    s: Symbol
    a: Id
    p: Price
    q: Quantity
    m: BuyerTook


class Update(Struct, gc=False):
    """depthUpdate: ids `U` to `u`; futures also tell that of the update before it, `pu`."""

    e: Literal["depthUpdate"]
    E: EventMs
    s: Symbol
    U: First
    u: UpdateId
    b: Bids
    a: Asks
    pu: Previous = -1


class Snapshot(Struct, gc=False):
    """The REST answer; spot has no `E`."""

    lastUpdateId: UpdateId
    bids: Bids
    asks: Asks
    E: EventMs = 0


def _wrapped(event: type[Struct], stream: Any = str) -> type[Struct]:
    return defstruct(f"Wrapped{event.__name__}", [("stream", stream), ("data", event)], gc=False)


QUOTE = Message(Quote, "bookTicker", Role.QUOTE, b'{"e":"bookTicker"', DIRECT_RANK)
TRADE = Message(Trade, "trade", Role.TRADE, b'{"e":"trade"', 1)
AGGREGATE = Message(AggregateTrade, "aggTrade", Role.TRADE, b'{"e":"aggTrade"', 2)
UPDATE = Message(Update, "depthUpdate", Role.UPDATE, b'{"e":"depthUpdate"')
WRAPPED: Mapping[Message, Message] = {
    each: replace(each, struct=_wrapped(each.struct), mark=mark, within="data")
    for each, mark in (
        (QUOTE, b'@bookTicker","data":'),
        (TRADE, b'@trade","data":'),
        (AGGREGATE, b'@aggTrade","data":'),
        (UPDATE, b"@depth@"),
    )
}
SNAPSHOT = Message(_wrapped(Snapshot, SnapshotStream), "snapshot", Role.SNAPSHOT, b'@snapshot","data":')

COUNTED = frozenset(
    {
        "kline", "continuousKline", "indexPrice_kline", "markPrice_kline", "24hrTicker", "24hrMiniTicker", "1hTicker",
        "4hTicker", "1dTicker", "avgPrice", "referencePrice", "markPriceUpdate", "indexPriceUpdate", "forceOrder",
        "compositeIndex", "contractInfo", "assetIndexUpdate", "serverShutdown",
    }
)  # fmt: skip
"""Events that say nothing that is kept, by their `e`."""


class Binance(JsonDecoder):
    """The decoder of a session."""

    messages = (*WRAPPED.values(), QUOTE, TRADE, AGGREGATE, UPDATE, SNAPSHOT)
    numbering = Numbering.UPDATE_IDS

    def sort(self, document: Any) -> Message | Passed | Unread:
        """What a document is: by the stream that it came on, its `e`, and what it has."""
        if isinstance(document, list):
            return _array(document)
        if not isinstance(document, dict):
            return Unread(f"frame: {shown(document)}: expected an object")
        wrapped = "data" in document
        event = document["data"] if wrapped else document
        if isinstance(event, list):
            return _array(event, "data")
        if not isinstance(event, dict):
            return Unread(f"data: {shown(event)}: expected an object", "data")
        if "result" in document or ("id" in document and ("error" in document or "status" in document)):
            return Passed("result")
        stream = str(document.get("stream", ""))
        if "lastUpdateId" in event:
            return _snapshot(stream)
        kind = event.get("e", "bookTicker" if "u" in event else None)
        if kind == "depthUpdate" and _best_levels_alone(stream):
            return Passed(stream.split("@")[1])
        for bare, enveloped in WRAPPED.items():
            if kind == bare.name:
                return enveloped if wrapped else bare
        if isinstance(kind, str) and kind in COUNTED:
            return Passed(kind)
        return Unread(f"e: {shown(kind)}: expected an event of Binance's market streams", "e")


def _best_levels_alone(stream: str) -> bool:
    """Whether a depth stream is one of the best 5, 10 or 20 levels."""
    return stream.partition("@depth")[2][:1].isdigit()


def _snapshot(stream: str) -> Message | Passed | Unread:
    """A REST answer, or the best levels of a spot stream, which look alike."""
    if stream.endswith("@snapshot"):
        return SNAPSHOT
    if _best_levels_alone(stream):
        return Passed(stream.split("@")[1])
    return Unread("stream: a book's snapshot without its symbol: expected a stream `<symbol>@snapshot`", "lastUpdateId")


def _array(events: list[Any], field: str = "frame") -> Passed | Unread:
    """Streams of all symbols (`!ticker@arr`) give arrays of one event."""
    kinds = {event.get("e") if isinstance(event, dict) else None for event in events}
    kind = kinds.pop() if len(kinds) == 1 else None
    if isinstance(kind, str) and kind in COUNTED:
        return Passed(kind)
    return Unread(f"{field}: {shown(events)}: expected an object", field)


def snapshot_frame(symbol: str, answer: bytes) -> bytes:
    """The REST answer of `/depth` as a frame of its session."""
    return b'{"stream":"%s@snapshot","data":%s}' % (symbol.lower().encode(), answer)
