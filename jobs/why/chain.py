"""What made an order, from its frames to its fills: the links of the chain, and where they are looked up."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from pipelines.domain.trading import OrderRequest, Signal, TradingEvent


class WhyError(RuntimeError):
    """Why an order cannot be explained, and the way out."""


class NotThere(WhyError):
    """No such order here."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """A spread event that a signal matched: z passed a level, or (kind sample) stood so at a full second."""

    kind: str
    shard: int
    sequence: int
    pair: str
    event_time_ns: int
    rung: int
    z: float
    spread: float
    mean: float
    std: float
    beta: float
    mid_a: float
    mid_b: float
    tick_session: str
    """Empty where it is not told which tick left the pair so."""
    tick_sequence: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A row of the tick log. `raw_*`: where its frames lie in raw.<venue>; None where that is not kept."""

    venue: str
    session: str
    sequence: int
    frame: int
    instrument: str
    kind: str
    flags: int
    event_ns: int
    receive_ns: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    raw_partition: int | None = None
    raw_offset: int | None = None


@dataclass(frozen=True, slots=True)
class TickOf:
    """A tick and what it is to a crossing (its sequence): `made` it, or was the last quote of leg `a` or `b`."""

    crossing: int
    role: str
    tick: Tick


@dataclass(frozen=True, slots=True)
class Frame:
    """What the venue sent: place in the log, number in the feed session, and bytes; None where that is not kept."""

    topic: str
    session: str
    frame: int
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    """Among the frames of that record, from 0."""
    payload: bytes | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What an order was decided on: an event of the trading log, and the order that it speaks of, if it is a report."""

    event_id: str
    event: TradingEvent | None
    order: OrderRequest | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """All that is known of why an order was made, and of what became of it. `missing`: what is not, a line each."""

    session: str
    source: str
    """`log` or `history`."""
    order: OrderRequest
    siblings: tuple[OrderRequest, ...]
    """What else the same event made."""
    causes: tuple[Cause, ...]
    """The order's own cause first, its root last."""
    notices: tuple[OrderRequest, ...]
    signal: TradingEvent | None
    crossings: tuple[Crossing, ...]
    ticks: tuple[TickOf, ...]
    frames: tuple[Frame, ...]
    intent: TradingEvent | None
    reports: tuple[TradingEvent, ...]
    children: tuple[TradingEvent, ...] = ()
    cancels: tuple[OrderRequest, ...] = ()
    missing: tuple[str, ...] = field(default=())


class Words(NamedTuple):
    """Of an order: its intent, what was said of it, and the intents of its children where it was worked."""

    intent: TradingEvent | None
    reports: Sequence[TradingEvent]
    children: Sequence[TradingEvent] = ()


class Evidence(Protocol):
    """Where a session's events are looked up. `missing` gathers what could not be found, a line each."""

    session: str
    source: str
    missing: list[str]

    def decisions(self, wanted: str) -> Sequence[OrderRequest]:
        """Those whose id, or target, begins so."""

    def decided_with(self, order: OrderRequest) -> Sequence[OrderRequest]:
        """All that the cause of an order made, itself included."""

    def notices(self, order: OrderRequest) -> Sequence[OrderRequest]:
        """Of its account, in their order, until it was decided."""

    def legs(self, order: OrderRequest) -> dict[int, str]:
        """The instruments of its pair by leg, as far as they are told of."""

    def event(self, event_id: str, time_ns: int) -> TradingEvent | None:
        """An event of the trading log, of about that time."""

    def words(self, order: OrderRequest) -> Words:
        """What became of it."""

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        """What a signal of that time matched, by sequence."""

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        """The tick that made a crossing, and the last quotes of the legs by then."""

    def frame(self, tick: Tick) -> Frame:
        """What a tick was read from."""


def both_legs(legs: dict[int, str], instrument: str) -> dict[int, str]:
    """The legs that are known, and the other one, where a tick of the pair is of an instrument that they have not."""
    if len(legs) == 1 and instrument and instrument not in legs.values():
        return legs | {1 - next(iter(legs)): instrument}
    return legs
