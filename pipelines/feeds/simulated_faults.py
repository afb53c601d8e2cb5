"""Faults mixed into a simulated session: each gives exactly one reject of the market job, and its place is known."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Kind
from pipelines.feeds.simulated_prices import TRADE_SHARE, Moves

NONE, GAP, DUPLICATE, CROSSED, GARBAGE = range(5)


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Faults by kind, as shares of all frames, 0 to 0.05 each. gap: a trade that is not sent; duplicate: a frame sent
    twice; crossed: a quote with its sides exchanged; garbage: a frame that is none, sent besides."""

    gap: float = 0.0
    duplicate: float = 0.0
    crossed: float = 0.0
    garbage: float = 0.0

    @classmethod
    def each(cls, rate: float) -> "FaultRates":
        return cls(rate, rate, rate, rate)

    def __post_init__(self) -> None:
        for name in ("gap", "duplicate", "crossed", "garbage"):
            if not 0.0 <= getattr(self, name) <= 0.05:
                raise ValueError(f"fault rate {name}: {getattr(self, name)}: give a share of frames from 0 to 0.05")


@dataclass(frozen=True, slots=True)
class Injected:
    """A fault put in, and the reject that it must give: where, and of what reason."""

    session: str
    frame: int
    reason: Reason


@dataclass(slots=True)
class FaultBook:
    """Everything injected into a source's sessions so far, in order of frames within each."""

    injected: list[Injected] = field(default_factory=list)

    def totals(self) -> dict[str, int]:
        """Faults by the reason of their reject, and together."""
        counts = Counter(fault.reason.value for fault in self.injected)
        return {**{str(name): counts[name] for name in sorted(counts)}, "total": sum(counts.values())}

    def frames_set_aside(self) -> int:
        """Frames that give no tick: of a gap, the frame after it does."""
        return sum(fault.reason != Reason.GAP for fault in self.injected)


def draw_faults(
    rng: np.random.Generator, moves: Moves, rates: FaultRates, traded: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], dict[int, int]]:
    """A fault for each event (mostly none), and for each gap the event that it is seen at: the symbol's next trade.

    A trade is left out only where its symbol has traded before (`traded`, by instrument; brought up to date) and trades
    again in these events, and never two in a row: so each gap is seen, once.
    """
    trade = moves.kind == Kind.TRADE
    draw = rng.random(len(trade))
    faults = np.zeros(len(trade), np.int64)
    edge = 0.0
    for fault, share, fits in (
        (GAP, rates.gap / TRADE_SHARE, trade),
        (DUPLICATE, rates.duplicate, np.ones(len(trade), np.bool_)),
        (CROSSED, rates.crossed / (1.0 - TRADE_SHARE), ~trade),
        (GARBAGE, rates.garbage, np.ones(len(trade), np.bool_)),
    ):
        faults[(draw >= edge) & (draw < edge + share) & fits] = fault
        edge += share
    seen_at: dict[int, int] = {}
    places = np.flatnonzero(trade)
    for place in np.flatnonzero(faults == GAP).tolist():
        same = places[moves.instrument[places] == moves.instrument[place]]
        later = same[same > place]
        first = not traded[moves.instrument[place]] and same[0] == place
        if first or not len(later) or place in seen_at.values():
            faults[place] = NONE
        else:
            seen_at[place] = int(later[0])
            if faults[later[0]] == GAP:
                faults[later[0]] = NONE
    traded[moves.instrument[places]] = True
    return faults, seen_at


def garbage(frame: bytes, variety: int) -> bytes:
    """A frame that nobody can read, made of a good one."""
    head, _, tail = frame.partition(b'"s":')
    spoiled: Sequence[bytes] = (
        frame[: len(frame) // 2],
        b"",
        b"\x00\xff" + frame[2:],
        frame.replace(b'"E":', b'"E":-'),
        frame.replace(b'"s":"', b'"s":["').replace(b'USDT","', b'USDT"],"'),
        head + b'"z":' + tail,
        frame.replace(b".", b".nan", 1),
        frame.replace(b'"E":', b'"E":1' + b"0" * 400),
        frame + frame,
    )
    return spoiled[variety % len(spoiled)]
