"""A recording of Binance frames with faults put in, by seed, each noted: to see that quality finds all and no more.

Faults are far enough apart that none hides another.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from pipelines.domain.decoding import Reason

APART = 64
"""Frames of a stream between two faults in it: two windows of the outliers' band."""

Line = tuple[int, bytes]
"""Receive time (UTC ns) and frame."""

GARBAGE = (b"{", b"\xff\xfe\x00", b'{"stream":"btcusdt@bookTicker","data":{}}', b"[1,2", b"null", b'{"e":"bookTicker"}')


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault: in which line of the spoiled recording it is to be found (from 1), as what, of which symbol."""

    line: int
    reason: Reason
    symbol: str


Document = dict[str, Any]


def _priced(factor: float) -> Callable[[Document], None]:
    def change(event: Document) -> None:
        for name in ("b", "a", "p"):
            if name in event:
                digits = len(event[name].partition(".")[2])
                event[name] = f"{float(event[name]) * factor:.{digits}f}"

    return change


def _crossed(event: Document) -> None:
    event["b"], event["a"] = event["a"], event["b"]


def _locked(event: Document) -> None:
    event["b"] = event["a"]


def _non_positive(event: Document) -> None:
    event["b" if "b" in event else "p"] = "-1.00"


def _off_tick(event: Document) -> None:
    event["b"] = f"{float(event['b']) - 0.0003:.4f}"


def _unknown(event: Document) -> None:
    event["s"] = "NOSUCHUSDT"


def _stale(event: Document) -> None:
    event["E"] -= 600_000


def _future(event: Document) -> None:
    event["E"] += 600_000


CHANGES: Mapping[Reason, tuple[str, Callable[[Document], None]]] = MappingProxyType(
    {
        Reason.CROSSED: ("bookTicker", _crossed),
        Reason.LOCKED: ("bookTicker", _locked),
        Reason.NON_POSITIVE: ("bookTicker", _non_positive),
        Reason.OFF_TICK: ("bookTicker", _off_tick),
        Reason.OUTLIER: ("bookTicker", _priced(2.0)),
        Reason.UNKNOWN_INSTRUMENT: ("bookTicker", _unknown),
        Reason.STALE: ("bookTicker", _stale),
        Reason.FUTURE: ("bookTicker", _future),
    }
)
"""Faults that change one frame, and in which stream they are put."""

MOVES = (Reason.UNDECODABLE, Reason.DUPLICATE, Reason.OUT_OF_ORDER, Reason.GAP)
"""Faults that replace, repeat, exchange or leave out frames."""

REASONS = (*CHANGES, *MOVES)

NAMED = MappingProxyType({Reason.UNDECODABLE: "", Reason.UNKNOWN_INSTRUMENT: "NOSUCHUSDT"})
"""The symbol that is told, where it is not the frame's."""


def spoil(lines: Sequence[Line], seed: int, each: int) -> tuple[list[Line], list[Injected]]:
    """A recording with `each` faults of every kind in it, as far as it has room, and what was put where."""
    rng = np.random.default_rng(seed)
    streams = [_stream(frame) for _, frame in lines]
    planned = _plan(streams, rng, each)
    out: list[Line] = []
    injected: list[Injected] = []
    held: dict[str, tuple[int, bytes]] = {}
    gone: set[str] = set()
    for place, (received, frame) in enumerate(lines):
        name = streams[place]
        symbol = name.partition("@")[0].upper()
        reason = planned.get(place)
        if name in held:  # the frame before it in its stream comes after it
            out.append((received, frame))
            out.append((received, held.pop(name)[1]))
            injected.append(Injected(len(out), Reason.OUT_OF_ORDER, symbol))
            continue
        if reason is Reason.OUT_OF_ORDER:
            held[name] = (received, frame)
            continue
        if reason is Reason.GAP:
            gone.add(name)
            continue
        out.append((received, _changed(frame, reason, rng)))
        if name in gone:
            gone.discard(name)
            injected.append(Injected(len(out), Reason.GAP, symbol))
        if reason is Reason.DUPLICATE:
            out.append((received, frame))
        if reason is not None:
            injected.append(Injected(len(out), reason, NAMED.get(reason, symbol)))
    return out, injected


def _plan(streams: Sequence[str], rng: np.random.Generator, each: int) -> dict[int, Reason]:
    """A reason by line: enough quotes before the first, and `APART` frames of the stream from one to the next."""
    slots: dict[str, list[int]] = {"bookTicker": [], "trade": []}
    seen: dict[str, int] = {}
    for place, name in enumerate(streams):
        kind = name.partition("@")[2]
        if kind in slots:
            seen[name] = seen.get(name, 0) + 1
            if seen[name] % APART == 0:
                slots[kind].append(place)
    found: dict[int, Reason] = {}
    for kind, places in slots.items():
        reasons = [reason for reason in REASONS if _kind(reason) == kind]
        count = min(each, (len(places) - 1) // max(len(reasons), 1))
        chosen = rng.permutation(places[:-1])[: count * len(reasons)].tolist()
        found |= {place: reasons[number % len(reasons)] for number, place in enumerate(chosen)}
    return found


def _kind(reason: Reason) -> str:
    """The stream that a fault is put in: only trades are numbered without holes."""
    if reason in CHANGES:
        return CHANGES[reason][0]
    return "trade" if reason is Reason.GAP else "bookTicker"


def _changed(frame: bytes, reason: Reason | None, rng: np.random.Generator) -> bytes:
    if reason is Reason.UNDECODABLE:
        return GARBAGE[int(rng.integers(len(GARBAGE)))]
    if reason is None or reason not in CHANGES:
        return frame
    document = msgspec.json.decode(frame)
    CHANGES[reason][1](document["data"])
    return msgspec.json.encode(document)


def _stream(frame: bytes) -> str:
    """`btcusdt@bookTicker` of a combined stream's frame; empty for others."""
    head = b'{"stream":"'
    return frame[len(head) : frame.find(b'"', len(head))].decode(errors="replace") if frame.startswith(head) else ""
