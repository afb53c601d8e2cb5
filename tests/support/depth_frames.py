"""Frames of books as Binance, Coinbase, Kraken and Bitstamp write them, for tests."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

from tests.support.binance_frames import E_MS, wrapped

Levels = Sequence[tuple[str, str]]

EXISTING = {"bids": (("100.0", "1"), ("99.0", "2")), "asks": (("101.0", "3"), ("102.0", "4"))}


def text(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def spot_update(first: int, last: int, bids: Levels = (), asks: Levels = (), symbol: str = "BTCUSDT") -> bytes:
    event = {"e": "depthUpdate", "E": E_MS + last, "s": symbol, "U": first, "u": last, "b": bids, "a": asks}
    return wrapped(f"{symbol.lower()}@depth@100ms", event, {})


def futures_update(first: int, last: int, previous: int, bids: Levels = (), asks: Levels = ()) -> bytes:
    event = {"e": "depthUpdate", "E": E_MS, "T": E_MS, "s": "BTCUSDT", "U": first, "u": last, "pu": previous}
    return wrapped("btcusdt@depth@0ms", event | {"b": bids, "a": asks}, {})


def spot_snapshot(last: int, symbol: str = "BTCUSDT", **sides: Levels) -> bytes:
    answer = {"lastUpdateId": last} | (sides or EXISTING)
    return text({"stream": f"{symbol.lower()}@snapshot", "data": answer})


def coinbase(kind: str, product: str = "BTC-USD", **more: Any) -> bytes:
    return text({"type": kind, "product_id": product} | more)


def coinbase_match(trade_id: int, side: str = "sell") -> bytes:
    return text(
        {
            "type": "match",
            "trade_id": trade_id,
            "maker_order_id": "m",
            "taker_order_id": "t",
            "side": side,
            "size": "2",
            "price": "100.5",
            "product_id": "BTC-USD",
            "sequence": 7,
            "time": COINBASE_TIME,
        }
    )


COINBASE_TIME = "2021-04-17T16:43:37.075687Z"
COINBASE_NS = 1_618_677_817_075_687_000


def kraken_levels(levels: Levels, time: str = "1618678133.365913") -> list[list[str]]:
    return [[price, volume, time] for price, volume in levels]


def kraken_snapshot(depth: int = 10, **sides: Levels) -> bytes:
    found = sides or EXISTING
    data = {"as": kraken_levels(found["asks"]), "bs": kraken_levels(found["bids"])}
    return text([336, data, f"book-{depth}", "XBT/USD"])


def kraken_update(side: str, levels: Levels, checksum: int, depth: int = 10) -> bytes:
    return text([336, {side: kraken_levels(levels), "c": str(checksum)}, f"book-{depth}", "XBT/USD"])


def kraken_checksum(bids: Levels, asks: Levels) -> int:
    """As Kraken documents it, from the texts, best first."""
    parts = [price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0") for price, size in asks[:10]]
    parts += [price.replace(".", "").lstrip("0") + size.replace(".", "").lstrip("0") for price, size in bids[:10]]
    return zlib.crc32("".join(parts).encode())


def bitstamp(micros: int, event: str = "data", bids: Levels = (), asks: Levels = ()) -> bytes:
    channel = {"data": "diff_order_book_btcusd", "snapshot": "snapshot_btcusd"}[event]
    data = {"timestamp": str(micros // 1_000_000), "microtimestamp": str(micros), "bids": bids, "asks": asks}
    return text({"data": data, "channel": channel, "event": event})
