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

from msgspec import Struct, defstruct

from pipelines.feeds.protocols.fields import (
    Ask,
    Asks,
    AskSize,
    Bid,
    Bids,
    BidSize,
    Column,
    EventMs,
    First,
    Flag,
    Milliseconds,
    Op,
    Previous,
    Price,
    Quantity,
    Reads,
    Sequence,
    Symbol,
    Text,
    Whole,
)
from pipelines.feeds.protocols.frame_reader import Message, Passed, Role, Unread, shown
from pipelines.feeds.protocols.json_decoder import JsonDecoder
from pipelines.feeds.protocols.session_kernel import DIRECT_RANK, Numbering

SellerTook = Annotated[bool, Reads(Op.WORD, Column.BUYER, words=("true", "false"))]
"""`m`: the buyer was the maker, so the seller took."""

DepthStream = Annotated[str, Reads(Op.NAME, tail=("@depth", "@0ms", "@100ms", "@250ms", "@500ms"))]
"""Not `@depth20`: that is the best levels alone, each time anew."""

SnapshotStream = Annotated[str, Reads(Op.SYMBOL, Column.SYMBOL, upper=True, tail=("@snapshot",))]


class Quote(Struct):
    """bookTicker of futures: best bid and ask, with book update id `u`."""

    e: Literal["bookTicker"]
    u: Sequence
    s: Symbol
    b: Bid
    B: BidSize
    a: Ask
    A: AskSize
    T: Milliseconds
    E: EventMs


class SpotQuote(Struct):
    """bookTicker of spot: no type, no time."""

    u: Sequence
    s: Symbol
    b: Bid
    B: BidSize
    a: Ask
    A: AskSize


class Trade(Struct):
    """One trade of futures, with its id `t`."""

    e: Literal["trade"]
    E: EventMs
    T: Milliseconds
    s: Symbol
    t: Sequence
    p: Price
    q: Quantity
    X: Text
    m: SellerTook


class SpotTrade(Struct):
    e: Literal["trade"]
    E: EventMs
    s: Symbol
    t: Sequence
    p: Price
    q: Quantity
    T: Milliseconds
    m: SellerTook
    M: Flag = True


class FuturesAggregate(Struct):
    """aggTrade: the fills of one taking order at one price, with their id `a`, numbered without holes."""

    e: Literal["aggTrade"]
    E: EventMs
    a: Sequence
    s: Symbol
    p: Price
    q: Quantity
    f: Whole
    l: Whole  # noqa: E741 (Binance's name: the last trade's id)
    T: Milliseconds
    m: SellerTook


class SpotAggregate(Struct):
    e: Literal["aggTrade"]
    E: EventMs
    s: Symbol
    a: Sequence
    p: Price
    q: Quantity
    f: Whole
    l: Whole  # noqa: E741
    T: Milliseconds
    m: SellerTook
    M: Flag = True


class Update(Struct):
    """depthUpdate of futures: ids `U` to `u`, that of the update before it `pu`."""

    e: Literal["depthUpdate"]
    E: EventMs
    T: Milliseconds
    s: Symbol
    U: First
    u: Sequence
    pu: Previous
    b: Bids
    a: Asks


class SpotUpdate(Struct):
    e: Literal["depthUpdate"]
    E: EventMs
    s: Symbol
    U: First
    u: Sequence
    b: Bids
    a: Asks


class Snapshot(Struct):
    """The REST answer of futures."""

    lastUpdateId: Sequence
    E: EventMs
    T: Milliseconds
    bids: Bids
    asks: Asks


class SpotSnapshot(Struct):
    lastUpdateId: Sequence
    bids: Bids
    asks: Asks


_BARE: Mapping[type[Struct], Message] = {
    each.struct: each
    for each in (
        Message(Quote, "bookTicker", Role.QUOTE, DIRECT_RANK),
        Message(SpotQuote, "bookTicker", Role.QUOTE, DIRECT_RANK),
        Message(Trade, "trade", Role.TRADE, 1),
        Message(SpotTrade, "trade", Role.TRADE, 1),
        Message(FuturesAggregate, "aggTrade", Role.TRADE, 2),
        Message(SpotAggregate, "aggTrade", Role.TRADE, 2),
        Message(Update, "depthUpdate", Role.UPDATE),
        Message(SpotUpdate, "depthUpdate", Role.UPDATE),
    )
}


def _wrapped(event: type[Struct], stream: Any) -> type[Struct]:
    return defstruct(f"Wrapped{event.__name__}", [("stream", stream), ("data", event)])


def _stream_of(event: type[Struct]) -> Any:
    return DepthStream if event in (Update, SpotUpdate) else Text


_WRAPPED: Mapping[type[Struct], Message] = {
    event: replace(message, struct=_wrapped(event, _stream_of(event))) for event, message in _BARE.items()
}
_SNAPSHOTS: Mapping[type[Struct], Message] = {
    event: Message(_wrapped(event, SnapshotStream), "snapshot", Role.SNAPSHOT) for event in (Snapshot, SpotSnapshot)
}

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

    messages = (*_WRAPPED.values(), *_BARE.values(), *_SNAPSHOTS.values())
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
            return _snapshot(stream, event)
        kind = event.get("e", "bookTicker" if "u" in event else None)
        if kind == "depthUpdate" and _best_levels_alone(stream):
            return Passed(stream.split("@")[1])
        struct = _struct(kind, event)
        if struct is not None:
            return (_WRAPPED if wrapped else _BARE)[struct]
        if isinstance(kind, str) and kind in COUNTED:
            return Passed(kind)
        return Unread(f"e: {shown(kind)}: expected an event of Binance's market streams", "e")


def _struct(kind: object, event: Mapping[str, object]) -> type[Struct] | None:
    """The type of an event: where futures and spot differ, that of what it has."""
    match kind:
        case "bookTicker":
            return Quote if "E" in event else SpotQuote
        case "trade":
            return Trade if "X" in event else SpotTrade
        case "aggTrade":
            return SpotAggregate
        case "depthUpdate":
            return Update if "pu" in event else SpotUpdate
    return None


def _best_levels_alone(stream: str) -> bool:
    """Whether a depth stream is one of the best 5, 10 or 20 levels."""
    return stream.partition("@depth")[2][:1].isdigit()


def _snapshot(stream: str, event: Mapping[str, object]) -> Message | Passed | Unread:
    """A REST answer, or the best levels of a spot stream, which look alike."""
    if stream.endswith("@snapshot"):
        return _SNAPSHOTS[Snapshot if "E" in event else SpotSnapshot]
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
