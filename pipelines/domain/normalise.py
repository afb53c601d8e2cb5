"""Frames of a feed session made into ticks: what is used, what is set aside and why, and where each tick goes.

Conservation: every frame gives ticks, or one reject with `frames` = 1. A gap before a good tick is told by a reject
with `frames` = 0. So frames = frames that gave ticks + sum of `frames` over the rejects.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from pipelines.domain.market import NS_PER_MS, TICK, Flag, Kind, Ticks
from pipelines.domain.sequencing import (
    FUTURE_LIMIT_NS,
    DecodedRows,
    Ids,
    Judged,
    SessionState,
    Verdict,
    judge,
)
from pipelines.domain.universe import Strategy


class Reason(StrEnum):
    """Why a frame was set aside, or what was found before one."""

    UNDECODABLE = "undecodable"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    DUPLICATE = "duplicate"
    OUT_OF_ORDER = "out_of_order"
    GAP = "gap"
    CROSSED = "crossed"
    NON_POSITIVE = "non_positive"
    FUTURE = "future"
    BAD_RECORD = "bad_record"


REASON_OF = MappingProxyType(
    {
        Verdict.DUPLICATE: Reason.DUPLICATE,
        Verdict.OUT_OF_ORDER: Reason.OUT_OF_ORDER,
        Verdict.NON_POSITIVE: Reason.NON_POSITIVE,
        Verdict.CROSSED: Reason.CROSSED,
        Verdict.FUTURE: Reason.FUTURE,
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A frame that a protocol could not turn into rows. `detail`: field, value, what is wrong."""

    position: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A batch of frames decoded: rows of `DECODED` and faults, both by rising position; a frame is in one of them."""

    rows: DecodedRows
    faults: tuple[Fault, ...]


Decode = Callable[[Sequence[bytes], Mapping[str, int]], Decoded]
"""A protocol: frames, and the index of each symbol of the listing, to rows and faults. Never raises for a frame."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A frame set aside (`frames` 1), or a gap told (`frames` 0, or the number of frames that never came)."""

    frame: int
    frames: int
    reason: Reason
    detail: str
    event_time_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Normalised:
    """A batch after all checks. `ticks.instrument` is an index in the listing; heartbeats have -1."""

    state: SessionState
    ticks: Ticks
    rejects: tuple[Reject, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a venue's feed may speak of: its instruments in the strategy's order, and the shards each one goes to."""

    venue: str
    clock_skew_ns: int
    symbols: tuple[str, ...]
    instruments: tuple[str, ...]
    index: Mapping[str, int]
    shards: tuple[tuple[int, ...], ...]
    """By instrument: where its ticks go, its home first."""
    all_shards: tuple[int, ...]

    @classmethod
    def of(cls, strategy: Strategy, venue: str) -> "Listing":
        """The listing of a strategy's venue. KeyError names a venue that the strategy does not have."""
        if venue not in strategy.venue_by_name:
            known = ", ".join(strategy.venue_by_name) or "none"
            raise KeyError(f"venue {venue!r} is not in strategy {strategy.name}: it has {known}")
        listed = [instrument for instrument in strategy.instruments if instrument.venue == venue]
        shards = [strategy.shards_by_instrument[instrument.id] for instrument in listed]
        return cls(
            venue=venue,
            clock_skew_ns=strategy.venue_by_name[venue].clock_skew_ns,
            symbols=tuple(instrument.symbol for instrument in listed),
            instruments=tuple(instrument.id for instrument in listed),
            index={instrument.symbol: place for place, instrument in enumerate(listed)},
            shards=tuple(shards),
            all_shards=tuple(sorted({shard for found in shards for shard in found})),
        )

    def shards_of(self, symbols: Sequence[str]) -> tuple[int, ...]:
        """The shards that ticks of these symbols can go to; unknown symbols go nowhere."""
        known = [self.shards[self.index[symbol]] for symbol in symbols if symbol in self.index]
        return tuple(sorted({shard for found in known for shard in found}))


def normalise(
    state: SessionState,
    listing: Listing,
    decode: Decode,
    first_sequence: int,
    receive_ns: Sequence[int],
    frames: Sequence[bytes],
) -> Normalised:
    """Advance a session by one record's frames. Frames read before are dropped without a word: they are the same.

    `first_sequence`: position in the session of the first frame; `receive_ns`: when each was read, UTC ns.
    """
    known = state.next_frame - first_sequence
    if not frames or known >= len(frames):
        return Normalised(state, np.empty(0, TICK), ())
    lost: tuple[Reject, ...] = ()
    if known > 0:
        first_sequence, receive_ns, frames = state.next_frame, receive_ns[known:], frames[known:]
    elif known < 0:
        lost = (_lost_frames(state, first_sequence, receive_ns[0] + listing.clock_skew_ns),)
    decoded = decode(frames, listing.index)
    received = np.array(receive_ns, np.int64)
    judged = judge(state, decoded.rows, received, first_sequence, listing.clock_skew_ns)
    time_ns = int(judged.time_ns[-1]) if len(judged.time_ns) else state.time_ns
    found = _rejects(state, listing, decoded, judged, first_sequence, received, frames)
    advanced = replace(
        state,
        last_quote=judged.last_quote,
        last_trade=judged.last_trade,
        next_frame=first_sequence + len(frames),
        tick_sequence=state.tick_sequence + len(judged.ticks),
        time_ns=time_ns,
    )
    return Normalised(advanced, judged.ticks, lost + tuple(found))


def hello(state: SessionState, listing: Listing, symbols: Sequence[str]) -> SessionState:
    """The session's symbols are known: heartbeats go to their shards from here on. A second hello changes nothing."""
    return state if state.shards else replace(state, shards=listing.shards_of(symbols))


def heartbeat(state: SessionState, clock_ns: int, end: bool = False) -> Normalised:
    """Move the session's time to `clock_ns`: one heartbeat (or end) row, or none where that brings nothing new."""
    if state.ended or (clock_ns <= state.time_ns and not end):
        return Normalised(state, np.empty(0, TICK), ())
    time_ns = max(clock_ns, state.time_ns)
    row = np.zeros(1, TICK)
    row["sequence"] = state.tick_sequence + 1
    row["frame"] = state.next_frame
    row["instrument"] = -1
    row["kind"] = Kind.END if end else Kind.HEARTBEAT
    row["event_ns"] = row["receive_ns"] = time_ns
    advanced = replace(state, tick_sequence=state.tick_sequence + 1, time_ns=time_ns, ended=end)
    return Normalised(advanced, row, ())


def by_shard(state: SessionState, listing: Listing, ticks: Ticks) -> Iterator[tuple[int, tuple[str, ...], Ticks]]:
    """Each shard's part of a batch, with the instruments that its rows index. A tick goes to every shard that has a
    pair of its instrument, flagged HOME in one; heartbeats go to all shards of the session."""
    beats = state.shards or listing.all_shards
    column = ticks["instrument"]
    present = sorted(set(column.tolist()))
    goes = {index: listing.shards[index] if index >= 0 else beats for index in present}
    for shard in sorted({shard for shards in goes.values() for shard in shards}):
        mine = [index for index in present if shard in goes[index]]
        part = ticks.copy() if len(mine) == len(present) else ticks[np.isin(column, mine)]
        place = np.searchsorted(mine, part["instrument"])
        home = [int(Flag.HOME) if index >= 0 and goes[index][0] == shard else 0 for index in mine]
        part["flags"] |= np.array(home, np.int32)[place]
        named = [index for index in mine if index >= 0]
        part["instrument"] = place - (len(mine) - len(named))
        yield shard, tuple(listing.instruments[index] for index in named), part


def _rejects(
    state: SessionState,
    listing: Listing,
    decoded: Decoded,
    judged: Judged,
    first_sequence: int,
    received: Ids,
    frames: Sequence[bytes],
) -> list[Reject]:
    positions = decoded.rows["position"]
    flagged = np.flatnonzero((judged.verdicts != Verdict.GOOD) | (judged.missing > 0))
    if not len(flagged) and not decoded.faults:
        return []

    def reject(position: int, before: int, frame_count: int, reason: Reason, detail: str) -> Reject:
        session_ns = int(judged.time_ns[before - 1]) if before else state.time_ns
        when = session_ns or int(received[position]) + listing.clock_skew_ns
        return Reject(first_sequence + position, frame_count, reason, detail, when, frames[position][:512])

    found = [
        reject(fault.position, int(np.searchsorted(positions, fault.position)), 1, fault.reason, fault.detail)
        for fault in decoded.faults
    ]
    for row in flagged.tolist():
        position, verdict = int(positions[row]), Verdict(int(judged.verdicts[row]))
        detail = _detail(listing, decoded.rows[row], verdict, state, int(judged.missing[row]), int(received[position]))
        reason = REASON_OF.get(verdict, Reason.GAP)
        found.append(reject(position, row, int(verdict != Verdict.GOOD), reason, detail))
    found.sort(key=lambda one: one.frame)
    return found


def _detail(
    listing: Listing, row: np.void, verdict: Verdict, state: SessionState, missing: int, received_ns: int
) -> str:
    symbol = listing.symbols[int(row["instrument"])]
    trade = int(row["kind"]) == Kind.TRADE
    numbered = f"{symbol} {'trade' if trade else 'quote'} {int(row['venue_sequence'])}"
    bid, bid_size, ask, ask_size = (float(row[name]) for name in ("bid", "bid_size", "ask", "ask_size"))
    match verdict:
        case Verdict.GOOD:
            first = int(row["venue_sequence"]) - missing
            return f"{numbered}: {missing} missing before it, {first} was expected"
        case Verdict.DUPLICATE:
            return f"{numbered}: taken before"
        case Verdict.OUT_OF_ORDER:
            return f"{numbered}: a later one was taken before it"
        case Verdict.NON_POSITIVE if trade:
            return f"{numbered}: price {bid!r}, quantity {bid_size!r}: both must be above 0"
        case Verdict.NON_POSITIVE:
            return f"{numbered}: bid {bid!r} x {bid_size!r}, ask {ask!r} x {ask_size!r}: prices must be above 0"
        case Verdict.CROSSED:
            return f"{numbered}: bid {bid!r} above ask {ask!r}"
        case Verdict.FUTURE:
            ahead_ms = (int(row["event_ns"]) - received_ns - listing.clock_skew_ns) // NS_PER_MS
            return f"{numbered}: event time {ahead_ms} ms ahead of its receipt, {FUTURE_LIMIT_NS // NS_PER_MS} allowed"


def _lost_frames(state: SessionState, first_sequence: int, receive_ns: int) -> Reject:
    count = first_sequence - state.next_frame
    detail = f"frames {state.next_frame} to {first_sequence - 1} of the session are not in the topic"
    return Reject(state.next_frame, count, Reason.GAP, detail, state.time_ns or receive_ns, b"")
