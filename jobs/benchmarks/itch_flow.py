"""A day of TotalView-ITCH 5.0 from a seed, as a BinaryFILE, and how fast it is decoded.

Several hundred instruments, a few of them with most of the messages. Books are never crossed, executions are against
the first order at the best price, and most orders are deleted soon after they came. Of 100 messages after the opening
about 40 place an order (A), 35 delete one (D), 10 replace one (U), 8 execute one (E), 2 cancel part of one (X).
"""

import time
from collections import Counter
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jobs.benchmarks.itch_venue import KINDS, MESSAGES, MIX, TICKS, opened, trade
from pipelines.domain.decoding import Discovered
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.itch50_cuts import FRAME_BYTES
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.layouts import LAYOUTS

INSTRUMENTS = 400
_CHUNK = 1 << 18
RECEIVED_NS = 1_577_716_200 * NS_PER_S
"""9:30 on 2019-12-30 in New York: when the benchmark says that the flow was received."""


def symbols(count: int = INSTRUMENTS) -> tuple[str, ...]:
    """Of the flow's instruments, by locate code from 1 on."""
    return tuple(f"S{place:04d}" for place in range(count))


def flow(seed: int, messages: int, instruments: int = INSTRUMENTS) -> bytes:
    """A BinaryFILE of that many messages. The same seed gives the same bytes."""
    random = np.random.default_rng(seed)
    opening = _opening(instruments)
    left = messages - sum(len(part) for _, part in opening)
    parts = [_joined(opening)]
    venue = opened(instruments)
    first_cents = random.integers(2_000, 50_000, instruments)
    weight = 1.0 / np.arange(1, instruments + 1) ** 0.9
    weight /= weight.sum()
    while left > 0:
        rows = np.zeros(min(left, _CHUNK), MESSAGES)
        rows["kind"] = random.choice(KINDS, len(rows), p=np.array([share for _, share in MIX]) / 100.0)
        rows["instrument"] = random.choice(instruments, len(rows), p=weight)
        rows["shares"] = 100 * random.geometric(0.4, len(rows))
        rows["time_ns"] = random.exponential(4_000.0, len(rows)).astype(np.int64) + 1
        trade(venue, rows, random.random(len(rows)), random.random(len(rows)), random.geometric(0.15, len(rows)))
        rows["price"] = (first_cents[rows["instrument"]] + rows["price"] - TICKS // 2) * 100
        parts.append(_joined(_messages(rows)))
        left -= len(rows)
    return b"".join(parts)


_Part = tuple[NDArray[np.int64], NDArray[np.void]]
"""Places of messages in the flow, and the messages."""


def _opening(instruments: int) -> list[_Part]:
    """The day's first messages: its start, the directory, that all are traded."""
    starts, directory, trading = (
        np.zeros(count, LAYOUTS[name]) for name, count in zip("SRH", (1, instruments, instruments), strict=True)
    )
    starts["event"] = b"O"
    for part, name in ((starts, b"S"), (directory, b"R"), (trading, b"H")):
        part["type"] = name
    for part, hour in ((starts, 3.0), (directory, 3.1), (trading, 4.0)):
        _stamp(part, np.full(len(part), int(hour * 3600) * NS_PER_S))
    for part in (directory, trading):
        part["locate"] = np.arange(1, instruments + 1)
        part["stock"] = [f"{symbol:8}".encode() for symbol in symbols(instruments)]
    directory["category"], directory["round_lot"], directory["authenticity"] = b"Q", 100, b"P"
    trading["state"], trading["reserved"], trading["reason"] = b"T", b" ", b"    "
    places = np.split(np.arange(1 + 2 * instruments), [1, 1 + instruments])
    return list(zip(places, (starts, directory, trading), strict=True))


def _messages(rows: NDArray[np.void]) -> Iterator[_Part]:
    """The messages of rows, type by type."""
    stocks = np.array([f"{symbol:8}".encode() for symbol in symbols(int(rows["instrument"].max()) + 1)])
    for name, _ in MIX:
        places = np.flatnonzero(rows["kind"] == ord(name))
        mine = rows[places]
        made = np.zeros(len(mine), LAYOUTS[name])
        fields = made.dtype.names or ()
        made["type"], made["locate"] = name.encode(), mine["instrument"] + 1
        _stamp(made, mine["time_ns"])
        for field, values in (
            ("reference", np.where(mine["kind"] == ord("P"), 0, mine["reference"])), ("new_reference", mine["new"]),
            ("shares", mine["shares"]), ("price", mine["price"]), ("match", mine["match"]),
            ("side", np.where(mine["side"] == 1, b"S", b"B")), ("stock", stocks[mine["instrument"]]),
            ("participant", b"NSDQ"), ("printable", b"Y"), ("paired", mine["shares"] * 10),
            ("imbalance", mine["shares"]), ("direction", b"B"), ("cross", b"C"), ("variation", b"L"),
            ("far_price", mine["price"]), ("near_price", mine["price"]), ("reference_price", mine["price"]),
        ):  # fmt: skip
            if field in fields:
                made[field] = values
        yield places, made


def _stamp(messages: NDArray[np.void], time_ns: NDArray[np.int64]) -> None:
    messages["time_high"], messages["time_low"] = time_ns >> 32, time_ns & 0xFFFFFFFF


def _joined(parts: list[_Part] | Iterator[_Part]) -> bytes:
    """Messages in their order, each behind its length."""
    parts = list(parts)
    sizes = np.zeros(sum(len(places) for places, _ in parts), np.int64)
    for places, made in parts:
        sizes[places] = made.dtype.itemsize + 2
    ends = np.cumsum(sizes)
    buffer = np.zeros(int(ends[-1]), np.uint8)
    for places, made in parts:
        starts = ends[places] - sizes[places]
        buffer[starts + 1] = made.dtype.itemsize
        body = made.view(np.uint8).reshape(len(made), made.dtype.itemsize)
        buffer[(starts + 2)[:, None] + np.arange(made.dtype.itemsize)] = body
    return buffer.tobytes()


def measure(content: bytes) -> dict[str, Any]:
    """Messages a second of one core's time, by the thread's own clock: our decoder over a flow, and itchfeed's parser
    (the PyPI package) over its first part in the same run. `parse`: framing and types alone, nothing listed; `quotes`:
    books, best quotes, trades; `all`: with every change of a level. itchfeed parses to objects and keeps no books."""
    frames = _frames(content)
    _decode(frames[:2], Discovered(), True)
    rates: dict[str, int] = {}
    for name, listed, levels in (("parse", False, False), ("quotes", True, False), ("all", True, True)):
        rates[name] = round(max(_decode(frames, Discovered() if listed else {}, levels) for _ in range(2)))
    theirs = _itchfeed(b"".join(frames[:150]))
    ratios = {name: round(rate / theirs, 1) for name, rate in rates.items()}
    return {"messages_per_second": rates, "itchfeed_messages_per_second": round(theirs), "times_itchfeed": ratios}


def _frames(content: bytes) -> list[bytes]:
    frames, start, at = [], 0, 0
    while at < len(content):
        at += 2 + (content[at] << 8 | content[at + 1])
        if at - start >= FRAME_BYTES or at >= len(content):
            frames.append(content[start:at])
            start = at
    return frames


def _decode(frames: list[bytes], index: dict[str, int], levels: bool) -> float:
    decoder = Itch50(index, levels)
    messages: Counter[str] = Counter()
    began = time.thread_time()
    for at in range(0, len(frames), 16):
        some = frames[at : at + 16]
        messages.update(decoder.decode(some, [RECEIVED_NS] * len(some)).messages)
    return sum(messages.values()) / (time.thread_time() - began)


def _itchfeed(content: bytes) -> float:
    from itch.parser import MessageParser

    began = time.thread_time()
    messages = sum(1 for _ in MessageParser().parse_file(BytesIO(content)))
    return messages / (time.thread_time() - began)
