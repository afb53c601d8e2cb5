"""Messages of TotalView-ITCH 5.0 for tests, and the recordings of them."""

import csv
import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from pipelines.feeds.protocols.itch50.layouts import LAYOUTS

RECORDINGS = Path(__file__).parents[3] / "shared/data/itch"

RECEIVED_NS = 1_548_858_600_000_000_000
"""9:30 on 2019-01-30 in New York."""

MIDNIGHT_NS = RECEIVED_NS - (9 * 3600 + 1800) * 1_000_000_000

OPEN_NS = RECEIVED_NS - MIDNIGHT_NS

needs_recordings = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings at {RECORDINGS}")


def message(kind: str, locate: int = 1, time_ns: int = OPEN_NS, **fields: int | str | bytes) -> bytes:
    """A message; text is padded, what is not named is 0 or spaces."""
    made = np.zeros(1, LAYOUTS[kind])
    made["type"], made["locate"] = kind.encode(), locate
    made["time_high"], made["time_low"] = time_ns >> 32, time_ns & 0xFFFFFFFF
    for name, (layout, *_) in (made.dtype.fields or {}).items():
        if layout.kind == "S" and name != "type":
            value = fields.get(name, "")
            text = value.encode() if isinstance(value, str) else value
            made[name] = text.ljust(layout.itemsize) if isinstance(text, bytes) else text
        elif name in fields:
            made[name] = fields[name]
    return made.tobytes()


def framed(*messages: bytes) -> bytes:
    """Messages, each behind its length."""
    return b"".join(struct.pack(">H", len(each)) + each for each in messages)


def start(*symbols: str) -> list[bytes]:
    """A day's start, with the directory of the symbols from locate code 1 on."""
    first = 3 * 3600 * 10**9
    named = [message("R", place, first, stock=symbol) for place, symbol in enumerate(symbols, start=1)]
    return [message("S", 0, first, event="O"), *named]


def add(reference: int, side: str, shares: int, price: int, stock: str = "AAPL", locate: int = 1) -> bytes:
    """A: an order; `price` in 1/10,000 dollar."""
    return message("A", locate, reference=reference, side=side, shares=shares, price=price, stock=stock)


def packet(sequence: int, *messages: bytes, session: bytes = b"0000000001", count: int | None = None) -> bytes:
    """A MoldUDP64 packet."""
    return struct.pack(">10sQH", session, sequence, len(messages) if count is None else count) + framed(*messages)


def split(content: bytes) -> Iterator[bytes]:
    """The messages of a BinaryFILE, without their lengths."""
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 2], "big")
        yield content[at + 2 : at + 2 + size]
        at += 2 + size


def recorded_aapl() -> tuple[list[bytes], list[dict[str, str]]]:
    """AAPL's first 4,000 order messages of 2019-01-30 from 9:30 on, and what is expected after each."""
    content = gzip.decompress((RECORDINGS / "AAPL_20190130_0930_first4000.itch50.gz").read_bytes())
    with gzip.open(RECORDINGS / "AAPL_20190130_0930_first4000_expected.csv.gz", "rt") as lines:
        return list(split(content)), list(csv.DictReader(lines))
