"""Frames as Binance writes them, with any field changed or left out, for tests."""

import json
from typing import Any

E_MS = 1_723_161_256_313
RECEIVE_NS = (E_MS - 1_270) * 1_000_000


def quote(symbol: str = "BTCUSDT", u: int = 1, **changed: Any) -> bytes:
    """A USD-M bookTicker frame, wrapped. A field given as None is left out."""
    event = {"e": "bookTicker", "u": u, "s": symbol, "b": "61800.20", "B": "2.507", "a": "61800.30", "A": "2.510"}
    return wrapped(f"{symbol.lower()}@bookTicker", event | {"T": E_MS, "E": E_MS}, changed)


def spot_quote(symbol: str = "BTCUSDT", u: int = 1, **changed: Any) -> bytes:
    """A spot bookTicker frame, wrapped: no event type, no time."""
    event = {"u": u, "s": symbol, "b": "61837.63000000", "B": "3.78826000", "a": "61837.64000000", "A": "1.54698000"}
    return wrapped(f"{symbol.lower()}@bookTicker", event, changed)


def trade(symbol: str = "BTCUSDT", t: int = 1, **changed: Any) -> bytes:
    event = {"e": "trade", "E": E_MS, "T": E_MS, "s": symbol, "t": t, "p": "61800.30", "q": "0.006", "X": "MARKET"}
    return wrapped(f"{symbol.lower()}@trade", event | {"m": False}, changed)


def wrapped(stream: str, event: dict[str, Any], changed: dict[str, Any]) -> bytes:
    full = {name: value for name, value in (event | changed).items() if value is not None}
    return json.dumps({"stream": stream, "data": full}, separators=(",", ":")).encode()


def bare(frame: bytes) -> bytes:
    return json.dumps(json.loads(frame)["data"], separators=(",", ":")).encode()
