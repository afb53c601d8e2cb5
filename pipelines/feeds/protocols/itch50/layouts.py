"""Nasdaq TotalView-ITCH 5.0: every message's fields, as its specification lays them out (version 5.0, section 1).

Big-endian throughout. A message's time is nanoseconds since midnight in New York, six bytes: `time_high`, `time_low`.
Prices are whole numbers of 1/10,000 dollar, but those of V of 1/100,000,000. Text is padded right with spaces.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

_HEAD = [("type", "S1"), ("locate", ">u2"), ("tracking", ">u2"), ("time_high", ">u2"), ("time_low", ">u4")]


def _layout(*fields: tuple[str, str]) -> np.dtype[np.void]:
    return np.dtype([*_HEAD, *fields])


_STOCK, _REFERENCE, _SHARES, _PRICE = ("stock", "S8"), ("reference", ">u8"), ("shares", ">u4"), ("price", ">u4")
_SIDE, _MATCH = ("side", "S1"), ("match", ">u8")

LAYOUTS: Mapping[str, np.dtype[np.void]] = MappingProxyType(
    {
        "S": _layout(("event", "S1")),
        "R": _layout(
            _STOCK, ("category", "S1"), ("financial_status", "S1"), ("round_lot", ">u4"), ("round_lots_only", "S1"),
            ("classification", "S1"), ("subtype", "S2"), ("authenticity", "S1"), ("short_sale_threshold", "S1"),
            ("ipo", "S1"), ("price_tier", "S1"), ("etp", "S1"), ("etp_leverage", ">u4"), ("inverse", "S1"),
        ),
        "H": _layout(_STOCK, ("state", "S1"), ("reserved", "S1"), ("reason", "S4")),
        "Y": _layout(_STOCK, ("action", "S1")),
        "L": _layout(("participant", "S4"), _STOCK, ("primary", "S1"), ("mode", "S1"), ("state", "S1")),
        "V": _layout(("level_1", ">u8"), ("level_2", ">u8"), ("level_3", ">u8")),
        "W": _layout(("level", "S1")),
        "K": _layout(_STOCK, ("release_s", ">u4"), ("qualifier", "S1"), _PRICE),
        "J": _layout(
            _STOCK, ("reference_price", ">u4"), ("upper_price", ">u4"), ("lower_price", ">u4"), ("extension", ">u4")
        ),
        "h": _layout(_STOCK, ("market", "S1"), ("action", "S1")),
        "A": _layout(_REFERENCE, _SIDE, _SHARES, _STOCK, _PRICE),
        "F": _layout(_REFERENCE, _SIDE, _SHARES, _STOCK, _PRICE, ("participant", "S4")),
        "E": _layout(_REFERENCE, _SHARES, _MATCH),
        "C": _layout(_REFERENCE, _SHARES, _MATCH, ("printable", "S1"), _PRICE),
        "X": _layout(_REFERENCE, _SHARES),
        "D": _layout(_REFERENCE),
        "U": _layout(_REFERENCE, ("new_reference", ">u8"), _SHARES, _PRICE),
        "P": _layout(_REFERENCE, _SIDE, _SHARES, _STOCK, _PRICE, _MATCH),
        "Q": _layout(("shares", ">u8"), _STOCK, _PRICE, _MATCH, ("cross", "S1")),
        "B": _layout(_MATCH),
        "I": _layout(
            ("paired", ">u8"), ("imbalance", ">u8"), ("direction", "S1"), _STOCK, ("far_price", ">u4"),
            ("near_price", ">u4"), ("reference_price", ">u4"), ("cross", "S1"), ("variation", "S1"),
        ),
        "N": _layout(_STOCK, ("interest", "S1")),
        "O": _layout(
            _STOCK, ("eligibility", "S1"), ("least_price", ">u4"), ("most_price", ">u4"), ("near_price", ">u4"),
            ("near_time_ns", ">u8"), ("lower_price", ">u4"), ("upper_price", ">u4"),
        ),
    }
)  # fmt: skip
"""The fields of each type of message, by its letter: the venue's own name of it."""

LENGTHS: Mapping[int, int] = MappingProxyType({ord(name): layout.itemsize for name, layout in LAYOUTS.items()})
"""Bytes of each type of message, by its first byte; the length in front of it not counted."""

PRICE_UNIT = 10_000
LARGEST_PRICE = 2_000_000_000
"""$200,000: the specification's largest price."""

DAY_NS = 86_400_000_000_000


def _fields(name: str) -> Mapping[str, tuple[Any, ...]]:
    return LAYOUTS[name].fields or {}


def offset(name: str, field: str) -> int:
    """Where in a message of a type a field lies."""
    return int(_fields(name)[field][1])


def field_at(name: str, at: int) -> str:
    """The field of a type of message that lies at an offset."""
    return next(field for field, (_, begin, *_) in _fields(name).items() if begin == at)


def time_ns(message: bytes) -> int:
    """A message's time, ns since midnight in New York."""
    return int.from_bytes(message[5:11], "big")
