"""What is said of a message of TotalView-ITCH 5.0 that cannot be taken: field, value, what was expected, where."""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.feeds.protocols.itch50.layouts import LARGEST_PRICE, LAYOUTS, LENGTHS, PRICE_UNIT, field_at, time_ns
from pipelines.feeds.protocols.itch50.orders import (
    CODE,
    COUNT,
    CUT,
    ELSEWHERE,
    LENGTH,
    PRICE,
    SHARES,
    SIDE,
    STOCK,
    TAKEN,
    TIME,
    TOO_MANY,
    TYPE,
)

_EXPECTED: Mapping[int, str] = MappingProxyType(
    {
        TIME: "less than the 86,400 seconds of a day",
        SIDE: "B or S; of an imbalance also N, O or P",
        PRICE: f"above 0 and at most ${LARGEST_PRICE // PRICE_UNIT:,}",
        SHARES: "above 0",
        STOCK: "the symbol of its locate code, padded with spaces",
        TAKEN: "one that is not on a book",
        TOO_MANY: "at most what is left of the order",
        ELSEWHERE: "an order of the message's instrument",
        CODE: "a code of the specification",
    }
)


def told(code: int, field: int, bytes_: bytes) -> str:
    """One line. `bytes_`: the message, its length in front; for a broken framing all that is passed over."""
    passed = f"; {len(bytes_)} bytes passed over"
    if code == CUT:
        size = int.from_bytes(bytes_[:2], "big") if len(bytes_) >= 2 else None
        found = f"{len(bytes_)} byte" if size is None else f"{size}, {len(bytes_) - 2} bytes left"
        return f"message length: {found}: expected a message's length and the message{passed}"
    if code == COUNT:
        return f"messages: other than the packet's count says{passed}"
    kind = bytes_[2]
    if code == TYPE:
        return f"type: {bytes_[2:3]!r}: expected one of {''.join(LAYOUTS)}{passed}"
    name = chr(kind)
    if code == LENGTH:
        return f"{name} message length: {len(bytes_) - 2}: expected {LENGTHS[kind]}{passed}"
    return f"{name} {_shown(name, field, bytes_[2:])}: expected {_EXPECTED[code]}{passed}"


def _shown(name: str, at: int, message: bytes) -> str:
    field = field_at(name, at)
    if field == "time_high":
        return f"timestamp: {time_ns(message)} ns"
    layout = LAYOUTS[name][field]
    raw = message[at : at + layout.itemsize]
    return f"{field}: {raw!r}" if layout.kind == "S" else f"{field}: {int.from_bytes(raw, 'big')}"
