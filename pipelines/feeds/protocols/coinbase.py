"""Coinbase Exchange's WebSocket frames: books (level2, level2_batch), trades (matches, full) and tickers.

As its API documents them ("WebSocket Channels"). A book begins with a `snapshot` on the same stream and goes on by
`l2update`; updates are not numbered. Trades are numbered without holes, by product. Quotes are the best of the book;
where there is none, those of `ticker`, which comes with each trade (its sizes since 2022, 0 before).
"""

from typing import Annotated, Any, Literal

from msgspec import Struct, defstruct

from pipelines.feeds.protocols.websocket.fields import (
    NO_TIME,
    Ask,
    Asks,
    AskSize,
    Bid,
    Bids,
    BidSize,
    Column,
    EventIso,
    ItemPrice,
    ItemSize,
    Op,
    Price,
    Quantity,
    Reads,
    Symbol,
    TradeId,
    UpdateId,
)
from pipelines.feeds.protocols.websocket.frame_reader import Message, Passed, Role, Unread
from pipelines.feeds.protocols.websocket.json_decoder import JsonDecoder
from pipelines.feeds.protocols.websocket.refusals import shown
from pipelines.feeds.protocols.websocket.session_kernel import TICKER_RANK, Numbering

Side = Annotated[Literal["buy", "sell"], Reads(Op.CHOICE, Column.ITEM_SIDE, one="sell")]

MakerSide = Annotated[Literal["buy", "sell"], Reads(Op.CHOICE, Column.BUYER, one="sell")]
"""Of a match: the maker's; where that sold, the buyer took."""


class Update(Struct, gc=False):
    """l2update: levels of one product."""

    type: Literal["l2update"]
    product_id: Symbol
    changes: list[tuple[Side, ItemPrice, ItemSize]]
    time: EventIso


class Snapshot(Struct, gc=False):
    """Without a time until 2022."""

    type: Literal["snapshot"]
    product_id: Symbol
    bids: Bids
    asks: Asks
    time: EventIso = NO_TIME


class Ticker(Struct, gc=False):
    """Without sizes until 2022; of a product that has not traded, without a time."""

    type: Literal["ticker"]
    sequence: UpdateId
    product_id: Symbol
    best_bid: Bid
    best_ask: Ask
    best_bid_size: BidSize = "0"
    best_ask_size: AskSize = "0"
    time: EventIso = NO_TIME


def _match(name: str) -> Message:
    """A trade; `last_match` is the one before the subscription."""
    fields: list[tuple[str, Any]] = [
        ("type", Literal[name]),
        ("trade_id", TradeId),
        ("side", MakerSide),
        ("size", Quantity),
        ("price", Price),
        ("product_id", Symbol),
        ("time", EventIso),
    ]
    struct = defstruct(f"Coinbase_{name}", fields, gc=False)
    return Message(struct, name, Role.TRADE, b'{"type":"%s"' % name.encode())


UPDATE = Message(Update, "l2update", Role.UPDATE, b'{"type":"l2update"')
MATCH, LAST_MATCH = _match("match"), _match("last_match")
TICKER = Message(Ticker, "ticker", Role.QUOTE, b'{"type":"ticker"', TICKER_RANK)
SNAPSHOT = Message(Snapshot, "snapshot", Role.SNAPSHOT, b'{"type":"snapshot"')

COUNTED = frozenset(
    {"subscriptions", "heartbeat", "status", "error", "received", "open", "done", "change", "activate", "auction"}
)


class Coinbase(JsonDecoder):
    """The decoder of a session."""

    messages = (UPDATE, TICKER, MATCH, LAST_MATCH, SNAPSHOT)
    numbering = Numbering.NONE

    def sort(self, document: Any) -> Message | Passed | Unread:
        """What a document is, by its `type`."""
        if not isinstance(document, dict):
            return Unread(f"frame: {shown(document)}: expected an object")
        kind = document.get("type")
        for message in self.messages:
            if kind == message.name:
                return message
        if isinstance(kind, str) and kind in COUNTED:
            return Passed(kind)
        return Unread(f"type: {shown(kind)}: expected a type of Coinbase's channels", "type")
