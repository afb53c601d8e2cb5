"""What made an order, from its frames to its fills: the chain, and how it is put together from what a log tells."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.domain.trading import Decision, OrderRequest, Report, Signal, TradingEvent

SHORTEST_ID = 8
"""Characters of an order's id that are enough to look for it by."""

LONGEST_PATH = 10
"""Reports between an order and its signal that are followed."""


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
    cancels: tuple[OrderRequest, ...] = ()
    missing: tuple[str, ...] = field(default=())


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

    def words(self, order: OrderRequest) -> tuple[TradingEvent | None, Sequence[TradingEvent]]:
        """Its intent, and its reports."""

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        """What a signal of that time matched, by sequence."""

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        """The tick that made a crossing, and the last quotes of the legs by then."""

    def frame(self, tick: Tick) -> Frame:
        """What a tick was read from."""


def explain(evidence: Evidence, wanted: str, at_most: int) -> Chain:
    """The chain of the order whose id begins with `wanted`; ticks and frames of the last `at_most` crossings.

    Raises WhyError for an id that is too short or of several orders, NotThere for one of none.
    """
    decisions = evidence.decisions(wanted)
    order = chosen(decisions, wanted, evidence.session)
    causes = _causes(evidence, order)
    root = causes[-1].event
    signal = root if root is not None and isinstance(root.body, Signal) else None
    together = evidence.decided_with(order)
    crossings: Sequence[Crossing] = ()
    if signal is not None and isinstance(signal.body, Signal):
        crossings = evidence.crossings(signal.body, signal.event_time_ns)
    legs = evidence.legs(order) if crossings else {}
    ticks = _ticks(evidence, crossings, legs | _legs(order, *together), at_most)
    intent, reports = evidence.words(order)
    return Chain(
        session=evidence.session,
        source=evidence.source,
        order=order,
        siblings=tuple(each for each in together if _id(each) != _id(order) and each.action != Decision.NOTICE),
        causes=causes,
        notices=_notices(evidence, order, signal),
        signal=signal,
        crossings=tuple(crossings),
        ticks=ticks,
        frames=_frames(evidence, ticks),
        intent=intent,
        reports=tuple(reports),
        cancels=tuple(each for each in decisions if each.target == order.client_order_id),
        missing=tuple(dict.fromkeys(evidence.missing)),
    )


def chosen(decisions: Sequence[OrderRequest], wanted: str, session: str) -> OrderRequest:
    """The one order whose id begins so: sent, if it was; else refused; else what else it is."""
    if len(wanted) < SHORTEST_ID:
        raise WhyError(f"{wanted!r} is too short to look for: give {SHORTEST_ID} characters or more of the order's id")
    found = [each for each in decisions if each.client_order_id.startswith(wanted)]
    ids = sorted({each.client_order_id for each in found})
    if not ids:
        raise NotThere(f"no order with an id that begins with {wanted!r} in session {session}")
    if len(ids) > 1:
        raise WhyError(f"{len(ids)} orders have ids that begin with {wanted!r}: {', '.join(ids[:5])}: give more of it")
    order = [Decision.NEW, Decision.REFUSED, Decision.CANCEL, Decision.DRAIN, Decision.NOTICE]
    return min(found, key=lambda each: order.index(each.action))


def _causes(evidence: Evidence, order: OrderRequest) -> tuple[Cause, ...]:
    """From the order's cause back to its root: a report leads to its order, and that to its own cause."""
    causes: list[Cause] = []
    of: OrderRequest | None = order
    while of is not None and len(causes) < LONGEST_PATH and of.cause not in {each.event_id for each in causes}:
        event = evidence.event(of.cause, of.event_time_ns)
        cause, of = of.cause, None
        if event is not None and isinstance(event.body, Report):
            reported = event.body.client_order_id
            found = [each for each in evidence.decisions(reported) if each.client_order_id == reported]
            of = next((each for each in found if each.action == Decision.NEW), None)
        causes.append(Cause(cause, event, of))
    return tuple(causes)


def _notices(evidence: Evidence, order: OrderRequest, signal: TradingEvent | None) -> tuple[OrderRequest, ...]:
    """What the account said of itself with the order; where nothing but it explains the order, the last it said."""
    said = evidence.notices(order)
    with_it = tuple(each for each in said if each.cause == order.cause)
    return with_it or (() if signal is not None else tuple(said[-1:]))


def _legs(*orders: OrderRequest) -> dict[int, str]:
    return {each.leg: each.instrument for each in orders if each.instrument}


def both_legs(legs: dict[int, str], instrument: str) -> dict[int, str]:
    """The legs that are known, and the other one, where a tick of the pair is of an instrument that they have not."""
    if len(legs) == 1 and instrument and instrument not in legs.values():
        return legs | {1 - next(iter(legs)): instrument}
    return legs


def _ticks(evidence: Evidence, crossings: Sequence[Crossing], legs: dict[int, str], at_most: int) -> tuple[TickOf, ...]:
    of = [each for each in crossings if each.tick_session]
    if len(of) > at_most:
        evidence.missing.append(f"ticks: of the last {at_most} of {len(of)} crossings; --crossings asks for more")
    return tuple(tick for each in of[max(0, len(of) - at_most) :] for tick in evidence.ticks(each, legs))


def _frames(evidence: Evidence, ticks: Sequence[TickOf]) -> tuple[Frame, ...]:
    """Each once, in the order of the ticks."""
    wanted = {(of.tick.venue, of.tick.session, of.tick.frame): of.tick for of in ticks}
    return tuple(evidence.frame(tick) for tick in wanted.values())


def _id(order: OrderRequest) -> tuple[str, str]:
    return order.client_order_id, order.action
