"""What a venue knows of its books while a recording of it is replayed: texts as they were sent, in plain dictionaries.

It shares nothing with the decoders: a snapshot made here that they cannot take up is a fault of one of the two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import msgspec

_read = msgspec.json.Decoder().decode


def _text(document: object) -> bytes:
    return msgspec.json.encode(document)


@dataclass(slots=True)
class Sides:
    """A book: what was sent of each price, by its text; gone prices are not in it."""

    bids: dict[str, list[str]] = field(default_factory=dict)
    asks: dict[str, list[str]] = field(default_factory=dict)
    sequence: int = 0
    name: Any = None

    def clear(self) -> None:
        self.bids.clear()
        self.asks.clear()

    def take(self, side: dict[str, list[str]], levels: Iterable[Sequence[str]]) -> None:
        """Levels as `[price, size, ...]`; a size of zero takes one away."""
        for level in levels:
            if float(level[1]) == 0:
                side.pop(level[0], None)
            else:
                side[level[0]] = list(level)

    def best(self, side: dict[str, list[str]], most: int) -> list[list[str]]:
        """The best levels, best first."""
        ordered = sorted(side.values(), key=lambda level: float(level[0]), reverse=side is self.bids)
        return ordered[:most]


class Dialect(Protocol):
    """How a venue answers. It is given every frame of the recording as its time comes, sent or not."""

    def take(self, frame: bytes) -> None:
        """The venue's time has come to this frame."""

    def topic(self, frame: bytes) -> str:
        """What a client must have asked for to be sent this frame; empty for one that no client is sent."""

    def opened(self, path: str) -> tuple[set[str], list[bytes]]:
        """On a connection: what it has asked for by its path, and what it is sent first."""

    def asked(self, message: str, topics: set[str]) -> list[bytes]:
        """On a message: the client's topics changed, and what it is answered."""

    def answer(self, path: str) -> bytes | None:
        """To a REST question; None for one that is not known."""


class BinanceDialect:
    """Combined streams and `depth` snapshots, of spot and USD-M."""

    def __init__(self) -> None:
        self._books: dict[str, Sides] = {}

    def take(self, frame: bytes) -> None:
        event = _document(frame).get("data")
        if not isinstance(event, dict):
            return
        if event.get("e") == "depthUpdate":
            book = self._books.setdefault(event["s"], Sides())
            if not book.sequence or event["u"] > book.sequence:
                book.take(book.bids, event["b"])
                book.take(book.asks, event["a"])
                book.sequence = max(book.sequence, event["u"])
        elif "lastUpdateId" in event:
            book = self._books.setdefault(_document(frame)["stream"].partition("@")[0].upper(), Sides())
            # Of levels that were updated since, the update is the newer word.
            for side, levels in ((book.bids, event["bids"]), (book.asks, event["asks"])):
                for level in levels:
                    side.setdefault(level[0], list(level))
            book.sequence = max(book.sequence, event["lastUpdateId"])

    def topic(self, frame: bytes) -> str:
        stream = str(_document(frame).get("stream", ""))
        symbol, _, kind = stream.partition("@")
        return "" if kind == "snapshot" else f"{symbol}@{kind.partition('@')[0]}"

    def opened(self, path: str) -> tuple[set[str], list[bytes]]:
        wanted = parse_qs(urlsplit(path).query).get("streams", [""])[0].split("/")
        return {"@".join(stream.split("@")[:2]) for stream in wanted}, []

    def asked(self, message: str, topics: set[str]) -> list[bytes]:
        return []

    def answer(self, path: str) -> bytes | None:
        asked = parse_qs(urlsplit(path).query)
        book = self._books.get(asked.get("symbol", [""])[0])
        if not urlsplit(path).path.endswith("/depth") or book is None:
            return None
        most = int(asked.get("limit", ["100"])[0])
        bids, asks = book.best(book.bids, most), book.best(book.asks, most)
        return _text({"lastUpdateId": book.sequence, "bids": bids, "asks": asks})


class KrakenDialect:
    """v1: a pair's book comes with its subscription."""

    def __init__(self) -> None:
        self._books: dict[str, Sides] = {}

    def take(self, frame: bytes) -> None:
        document = _read_any(frame)
        if not isinstance(document, list) or not str(document[-2]).startswith("book-"):
            return
        book = self._books.setdefault(document[-1], Sides())
        book.name = (document[0], document[-2])
        for part in document[1:-2]:
            if "as" in part or "bs" in part:
                book.clear()
            book.take(book.asks, part.get("as", part.get("a", ())))
            book.take(book.bids, part.get("bs", part.get("b", ())))

    def topic(self, frame: bytes) -> str:
        document = _read_any(frame)
        if isinstance(document, list):
            if any("as" in part or "bs" in part for part in document[1:-2] if isinstance(part, dict)):
                return ""  # the recording's own snapshot: each client is sent its own
            return f"{str(document[-2]).partition('-')[0]}@{document[-1]}"
        return "@" if isinstance(document, dict) and document.get("event") == "heartbeat" else ""

    def opened(self, path: str) -> tuple[set[str], list[bytes]]:
        return {"@"}, [_text({"connectionID": 1, "event": "systemStatus", "status": "online", "version": "1.9.0"})]

    def asked(self, message: str, topics: set[str]) -> list[bytes]:
        said = _read(message.encode())
        name, sent = said["subscription"]["name"], []
        for pair in said["pair"]:
            status = {"event": "subscriptionStatus", "pair": pair, "channelName": name, "subscription": {"name": name}}
            if said["event"] == "unsubscribe":
                topics.discard(f"{name}@{pair}")
                sent.append(_text(status | {"status": "unsubscribed"}))
                continue
            topics.add(f"{name}@{pair}")
            sent.append(_text(status | {"status": "subscribed"}))
            book = self._books.get(pair)
            if name == "book" and book is not None:
                number, channel = book.name
                most = int(channel.partition("-")[2])
                levels = {"as": book.best(book.asks, most), "bs": book.best(book.bids, most)}
                sent.append(_text([number, levels, channel, pair]))
        return sent

    def answer(self, path: str) -> bytes | None:
        return None


class CoinbaseDialect:
    """Coinbase Exchange: a product's book comes with its subscription."""

    BOOKS = ("level2", "level2_batch")

    def __init__(self) -> None:
        self._books: dict[str, Sides] = {}

    def take(self, frame: bytes) -> None:
        document = _document(frame)
        if document.get("type") == "snapshot":
            book = self._books.setdefault(document["product_id"], Sides())
            book.clear()
            book.take(book.bids, document["bids"])
            book.take(book.asks, document["asks"])
        elif document.get("type") == "l2update":
            book = self._books.setdefault(document["product_id"], Sides())
            for side, price, size in document["changes"]:
                book.take(book.bids if side == "buy" else book.asks, [(price, size)])

    def topic(self, frame: bytes) -> str:
        document = _document(frame)
        channel = {"l2update": "level2", "match": "matches", "ticker": "ticker", "heartbeat": "heartbeat"}
        kind = channel.get(str(document.get("type")), "")
        return f"{kind}@{document.get('product_id')}" if kind else ""

    def opened(self, path: str) -> tuple[set[str], list[bytes]]:
        return set(), []

    def asked(self, message: str, topics: set[str]) -> list[bytes]:
        said = _read(message.encode())
        channels = ["level2" if channel in self.BOOKS else channel for channel in said["channels"]]
        named = {f"{channel}@{product}" for channel in channels for product in said["product_ids"]}
        if said["type"] == "unsubscribe":
            topics -= named
            return [_text({"type": "subscriptions", "channels": []})]
        topics |= named
        sent = [_text({"type": "subscriptions", "channels": [{"name": name} for name in channels]})]
        for product in said["product_ids"] if "level2" in channels else ():
            if (book := self._books.get(product)) is not None:
                bids, asks = book.best(book.bids, 100_000), book.best(book.asks, 100_000)
                sent.append(_text({"type": "snapshot", "product_id": product, "asks": asks, "bids": bids}))
        return sent

    def answer(self, path: str) -> bytes | None:
        return None


def _read_any(frame: bytes) -> Any:
    try:
        return _read(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _document(frame: bytes) -> dict[str, Any]:
    found = _read_any(frame)
    return found if isinstance(found, dict) else {}


DIALECTS: Mapping[str, type[BinanceDialect] | type[KrakenDialect] | type[CoinbaseDialect]] = MappingProxyType(
    {
        "binance-spot": BinanceDialect,
        "binance-usdm": BinanceDialect,
        "coinbase": CoinbaseDialect,
        "kraken": KrakenDialect,
    }
)
"""By the venue's name in `venues.VENUES`."""
