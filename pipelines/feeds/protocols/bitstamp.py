"""Bitstamp's WebSocket frames (v2): books (diff_order_book) and trades (live_trades).

A book is made of the REST answer of `/order_book/<pair>` and the differences since its microtimestamp. The answer comes
as a frame `{"data": ..., "channel": "snapshot_<pair>", "event": "snapshot"}`, which a live handler and the reader of
captures write. Trade ids rise with holes (one numbering for all pairs), so they are not taken as a sequence.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from pipelines.feeds.protocols.websocket.fields import (
    Asks,
    Bids,
    Column,
    EventMicros,
    Op,
    Price,
    Quantity,
    Reads,
)
from pipelines.feeds.protocols.websocket.frame_reader import Message, Passed, Role, Unread
from pipelines.feeds.protocols.websocket.json_decoder import JsonDecoder
from pipelines.feeds.protocols.websocket.refusals import shown
from pipelines.feeds.protocols.websocket.session_kernel import Numbering

DIFFERENCES, TRADES, SNAPSHOTS = "diff_order_book_", "live_trades_", "snapshot_"

_PAIR = "[a-z0-9_-]{1,40}$"
DifferencesOf = Annotated[
    str, Meta(pattern=f"^{DIFFERENCES}{_PAIR}"), Reads(Op.SYMBOL, Column.SYMBOL, strip=(DIFFERENCES, ""))
]
TradesOf = Annotated[str, Meta(pattern=f"^{TRADES}{_PAIR}"), Reads(Op.SYMBOL, Column.SYMBOL, strip=(TRADES, ""))]
SnapshotOf = Annotated[
    str, Meta(pattern=f"^{SNAPSHOTS}{_PAIR}"), Reads(Op.SYMBOL, Column.SYMBOL, strip=(SNAPSHOTS, ""))
]


class Levels(Struct, gc=False):
    """Those that changed, or all."""

    microtimestamp: EventMicros
    bids: Bids
    asks: Asks


class Update(Struct, gc=False):
    data: Levels
    channel: DifferencesOf
    event: Literal["data"]


class Snapshot(Struct, gc=False):
    data: Levels
    channel: SnapshotOf
    event: Literal["snapshot"]


class Execution(Struct, gc=False):
    """`type`: 0 where the buyer took, 1 where the seller did."""

    amount_str: Quantity
    price_str: Price
    type: Annotated[Literal[0, 1], Reads(Op.CHOICE, Column.BUYER, one=0)]
    microtimestamp: EventMicros


class Trade(Struct, gc=False):
    data: Execution
    channel: TradesOf
    event: Literal["trade"]


UPDATE = Message(Update, "data", Role.UPDATE, b'"channel":"diff_order_book_', at_end=True)
TRADE = Message(Trade, "trade", Role.TRADE, b'"channel":"live_trades_', at_end=True)
SNAPSHOT = Message(Snapshot, "snapshot", Role.SNAPSHOT, b'"channel":"snapshot_', at_end=True)

BY_CHANNEL = {("data", DIFFERENCES): UPDATE, ("trade", TRADES): TRADE, ("snapshot", SNAPSHOTS): SNAPSHOT}

COUNTED = frozenset({"data", "order_created", "order_changed", "order_deleted"})
"""Beside those that begin with `bts:`; `data` of channels that give the best 100 levels, each time anew."""


class Bitstamp(JsonDecoder):
    """The decoder of a session."""

    messages = (UPDATE, TRADE, SNAPSHOT)
    numbering = Numbering.TIMES

    def sort(self, document: Any) -> Message | Passed | Unread:
        """What a document is, by its event and channel."""
        if not isinstance(document, dict):
            return Unread(f"frame: {shown(document)}: expected an object")
        event, channel = document.get("event"), document.get("channel")
        for (kind, prefix), message in BY_CHANNEL.items():
            if event == kind and isinstance(channel, str) and channel.startswith(prefix):
                return message
        if isinstance(event, str) and (event in COUNTED or event.startswith("bts:")):
            return Passed(event)
        return Unread(f"event: {shown(event)} of channel {shown(channel)}: expected one of Bitstamp's", "event")


def snapshot_frame(pair: str, answer: bytes) -> bytes:
    """The REST answer of `/order_book/<pair>` as a frame of its session."""
    return b'{"data":%s,"channel":"%s%s","event":"snapshot"}' % (answer, SNAPSHOTS.encode(), pair.encode())
