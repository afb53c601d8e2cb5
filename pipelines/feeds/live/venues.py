"""How each venue is spoken to: where it is, how frames are asked for, and how a lost book is got back.

Sources: Binance "WebSocket Streams" and "Market Data endpoints" (spot, USD-M), Coinbase Exchange "WebSocket Overview",
Kraken "WebSocket v1", Bitstamp "WebSocket API v2". The limits are those documented there, with room to spare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlencode

import msgspec


@dataclass(frozen=True, slots=True)
class Limits:
    """What a venue bears. `sends_per_second`: messages of ours on a connection; `fetches_per_second`: REST answers;
    `symbols`: most in one connection; `silent_s`: without any frame for so long a connection is dead; `patience_s`: a
    book that was asked for is asked for again after so long."""

    sends_per_second: float
    fetches_per_second: float
    symbols: int
    silent_s: float
    patience_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Send:
    """A message on the connection."""

    text: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """A REST question whose answer becomes a frame: `before` + answer + `after`."""

    path: str
    before: bytes
    after: bytes

    def frame(self, answer: bytes) -> bytes:
        return self.before + answer.strip() + self.after


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a venue is: WebSocket and REST, without a path's end."""

    stream: str
    rest: str = ""


class LiveVenue(Protocol):
    """One way to speak to venues; pure: what to say, never saying it."""

    @property
    def protocol(self) -> str:
        """Of `catalogue.PROTOCOLS`."""

    @property
    def addresses(self) -> Addresses: ...

    @property
    def limits(self) -> Limits: ...

    def path(self, symbols: Sequence[str]) -> str:
        """What comes after the stream's address."""

    def subscribe(self, symbols: Sequence[str]) -> tuple[Send, ...]:
        """What is said first on a connection."""

    def recover(self, symbol: str) -> tuple[Send | Fetch, ...]:
        """What brings a symbol's book back; nothing where only a new connection does."""


def _text(message: object) -> Send:
    return Send(msgspec.json.encode(message).decode())


@dataclass(frozen=True, slots=True)
class Binance:
    """Combined streams, named in the address; books by REST snapshot."""

    addresses: Addresses
    depth_path: str
    depth_levels: int
    streams: tuple[str, ...] = ("bookTicker", "trade", "depth@100ms")
    protocol: str = "binance"
    limits: Limits = Limits(sends_per_second=4, fetches_per_second=2, symbols=200, silent_s=10)

    def path(self, symbols: Sequence[str]) -> str:
        names = [f"{symbol.lower()}@{stream}" for symbol in symbols for stream in self.streams]
        return "/stream?streams=" + "/".join(names)

    def subscribe(self, symbols: Sequence[str]) -> tuple[Send, ...]:
        return ()

    def recover(self, symbol: str) -> tuple[Send | Fetch, ...]:
        query = urlencode({"symbol": symbol, "limit": self.depth_levels})
        head = f'{{"stream":"{symbol.lower()}@snapshot","data":'
        return (Fetch(f"{self.depth_path}?{query}", head.encode(), b"}"),)


@dataclass(frozen=True, slots=True)
class Coinbase:
    """Coinbase Exchange. A product's book comes anew with its subscription."""

    addresses: Addresses = Addresses("wss://ws-feed.exchange.coinbase.com")
    channels: tuple[str, ...] = ("level2_batch", "matches", "ticker", "heartbeat")
    protocol: str = "coinbase"
    limits: Limits = Limits(sends_per_second=4, fetches_per_second=3, symbols=100, silent_s=10)

    def path(self, symbols: Sequence[str]) -> str:
        return ""

    def subscribe(self, symbols: Sequence[str]) -> tuple[Send, ...]:
        return (self._say("subscribe", symbols, self.channels),)

    def recover(self, symbol: str) -> tuple[Send | Fetch, ...]:
        book = tuple(channel for channel in self.channels if channel.startswith("level2"))
        return (self._say("unsubscribe", (symbol,), book), self._say("subscribe", (symbol,), book))

    def _say(self, what: str, symbols: Sequence[str], channels: Sequence[str]) -> Send:
        return _text({"type": what, "product_ids": list(symbols), "channels": list(channels)})


@dataclass(frozen=True, slots=True)
class Kraken:
    """Kraken v1. A pair's book comes anew with its subscription."""

    addresses: Addresses = Addresses("wss://ws.kraken.com")
    depth: int = 100
    channels: tuple[str, ...] = ("trade", "ticker")
    protocol: str = "kraken"
    limits: Limits = Limits(sends_per_second=4, fetches_per_second=1, symbols=100, silent_s=15)

    def path(self, symbols: Sequence[str]) -> str:
        return ""

    def subscribe(self, symbols: Sequence[str]) -> tuple[Send, ...]:
        others = tuple(self._say("subscribe", symbols, {"name": channel}) for channel in self.channels)
        return (*others, self._say("subscribe", symbols, self._book))

    def recover(self, symbol: str) -> tuple[Send | Fetch, ...]:
        return (self._say("unsubscribe", (symbol,), self._book), self._say("subscribe", (symbol,), self._book))

    @property
    def _book(self) -> dict[str, object]:
        return {"name": "book", "depth": self.depth}

    def _say(self, what: str, symbols: Sequence[str], subscription: Mapping[str, object]) -> Send:
        return _text({"event": what, "pair": list(symbols), "subscription": dict(subscription)})


VENUES: Mapping[str, LiveVenue] = MappingProxyType(
    {
        "binance-spot": Binance(
            Addresses("wss://stream.binance.com:9443", "https://api.binance.com"), "/api/v3/depth", 5000
        ),
        "binance-usdm": Binance(
            Addresses("wss://fstream.binance.com", "https://fapi.binance.com"), "/fapi/v1/depth", 1000
        ),
        "coinbase": Coinbase(),
        "kraken": Kraken(),
    }
)
"""Those that `helios feed live` knows. A further one is a class or a line here."""
