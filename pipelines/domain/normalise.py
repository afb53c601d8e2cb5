"""Frames of a feed session made into ticks: what is used, what is set aside and why, and where each tick goes.

Conservation: every frame is used, or set aside by one reject with `frames` = 1. Rejects with `frames` = 0 tell of a
part of a used frame, or of a gap before it. So frames = frames used + sum of `frames` over the rejects.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from pipelines.domain.decoding import Decoded, Decoder, Discovered, Reason
from pipelines.domain.market import NS_PER_MS, TICK, Flag, Kind, Ticks
from pipelines.domain.sequencing import (
    FUTURE_LIMIT_NS,
    Ids,
    Judged,
    SessionState,
    Terms,
    Verdict,
    judge,
    unseen,
)
from pipelines.domain.universe import Strategy

REASON_OF: Mapping[Verdict, Reason] = MappingProxyType(
    {verdict: Reason[verdict.name] for verdict in Verdict if verdict != Verdict.GOOD}
)

KIND_NAMES: Mapping[int, str] = MappingProxyType({int(kind): kind.name.lower() for kind in Kind})


@dataclass(frozen=True, slots=True)
class Reject:
    """A frame set aside (`frames` 1), part of a used one or a gap (0), or frames that never came (their number).
    `instrument`: its id, empty where none is known; `offset`: in the frame, bytes; `rows`: how many it stands for."""

    frame: int
    frames: int
    reason: Reason
    detail: str
    event_time_ns: int
    payload: bytes
    instrument: str = ""
    offset: int = 0
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Normalised:
    """A batch after all checks. `ticks.instrument` is an index in the listing; heartbeats have -1. `messages`: as
    `Decoded` has them."""

    state: SessionState
    ticks: Ticks
    rejects: tuple[Reject, ...]
    messages: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a venue's feed may speak of: its instruments in the strategy's order, and the shards each one goes to."""

    venue: str
    index: Mapping[str, int]
    """The place of each symbol. What it does not have is an unknown instrument; a `Discovered` one has them all."""
    instruments: tuple[str, ...]
    """Their ids, by place; empty where everything is discovered: then the symbols are the ids."""
    shards: tuple[tuple[int, ...], ...]
    """By instrument: where its ticks go, its home first."""
    all_shards: tuple[int, ...]
    terms: Terms

    @classmethod
    def of(cls, strategy: Strategy, venue: str) -> "Listing":
        """The listing of a strategy's venue. KeyError names a venue that the strategy does not have."""
        if venue not in strategy.venue_by_name:
            known = ", ".join(strategy.venue_by_name) or "none"
            raise KeyError(f"venue {venue!r} is not in strategy {strategy.name}: it has {known}")
        listed = [instrument for instrument in strategy.instruments if instrument.venue == venue]
        shards = [strategy.shards_by_instrument[instrument.id] for instrument in listed]
        described = strategy.venue_by_name[venue]
        return cls(
            venue=venue,
            index={instrument.symbol: place for place, instrument in enumerate(listed)},
            instruments=tuple(instrument.id for instrument in listed),
            shards=tuple(shards),
            all_shards=tuple(sorted({shard for found in shards for shard in found})),
            terms=Terms(
                np.array([instrument.tick_size for instrument in listed], np.float64),
                described.clock_skew_ns,
                described.rules,
            ),
        )

    @classmethod
    def discovering(cls, venue: str, terms: Terms | None = None) -> "Listing":
        """The listing of a file of which nobody said what is in it. Tick sizes are not known: none is checked."""
        return cls(venue, Discovered(), (), (), (), terms or Terms(np.empty(0)))

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self.index)

    def instrument(self, place: int) -> str:
        """The id of the instrument at a place."""
        return self.instruments[place] if self.instruments else list(self.index)[place]

    def instrument_of(self, symbol: str) -> str:
        """The id of a symbol's instrument; the symbol itself where it is not listed."""
        return self.instrument(self.index[symbol]) if symbol in self.index else symbol

    def shards_of(self, symbols: Sequence[str]) -> tuple[int, ...]:
        """The shards that ticks of these symbols can go to; unknown symbols go nowhere."""
        known = [self.shards[self.index[symbol]] for symbol in symbols if symbol in self.index]
        return tuple(sorted({shard for found in known for shard in found}))


def normalise(
    state: SessionState,
    listing: Listing,
    decoder: Decoder,
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
        lost = (_lost_frames(state, first_sequence, receive_ns[0] + listing.terms.clock_skew_ns),)
    decoded = decoder.decode(frames, receive_ns)
    state, terms = _grown(state, listing)
    batch = _Batch(state, listing, decoded, first_sequence, np.array(receive_ns, np.int64), frames)
    judged = judge(state, decoded.rows, batch.received, first_sequence, terms)
    advanced = replace(
        state,
        seen=judged.seen,
        next_frame=first_sequence + len(frames),
        tick_sequence=state.tick_sequence + len(judged.ticks),
        time_ns=int(judged.time_ns[-1]) if len(judged.time_ns) else state.time_ns,
    )
    return Normalised(advanced, judged.ticks, lost + batch.rejects(judged), decoded.messages)


def _grown(state: SessionState, listing: Listing) -> tuple[SessionState, Terms]:
    """State and terms with room for symbols discovered since."""
    more = len(listing.index) - len(state.seen)
    if more > 0:
        state = replace(state, seen=np.concatenate((state.seen, unseen(more))))
    short = len(state.seen) - len(listing.terms.tick_size)
    if short <= 0:
        return state, listing.terms
    return state, replace(listing.terms, tick_size=np.pad(listing.terms.tick_size, (0, short)))


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


@dataclass(frozen=True, slots=True)
class _Batch:
    """What a batch was, to tell of what was set aside in it."""

    state: SessionState
    listing: Listing
    decoded: Decoded
    first_sequence: int
    received: Ids
    frames: Sequence[bytes]

    def rejects(self, judged: Judged) -> tuple[Reject, ...]:
        """By frame. Of one frame, instrument and reason there is one, for the first row; it says how many there are."""
        rows, verdicts = self.decoded.rows, judged.verdicts
        flagged = np.flatnonzero((verdicts != Verdict.GOOD) | (judged.missing > 0))
        if not len(flagged) and not self.decoded.faults and not self.decoded.missing:
            return ()
        found: list[Reject] = []
        for fault in self.decoded.faults:
            named = self.listing.instrument_of(fault.symbol) if fault.symbol else ""
            found.append(self._reject(judged, fault.position, 1, fault.reason, fault.detail, named, fault.offset))
        for gap in self.decoded.missing:
            named = self.listing.instrument_of(gap.symbol) if gap.symbol else ""
            found.append(self._reject(judged, gap.position, 0, Reason.GAP, gap.detail, named))
        for place in flagged.tolist():
            row, verdict = rows[place], Verdict(int(verdicts[place]))
            detail = _detail(self.listing, row, verdict, int(judged.missing[place]), self._received(row))
            named = self.listing.instrument(int(row["instrument"]))
            frames, reason = int(verdict != Verdict.GOOD), REASON_OF.get(verdict, Reason.GAP)
            found.append(self._reject(judged, int(row["position"]), frames, reason, detail, named))
        found.sort(key=lambda one: one.frame)
        used = set((rows["position"][verdicts == Verdict.GOOD] + self.first_sequence).tolist())
        return tuple(_once(found, used))

    def _received(self, row: np.void) -> int:
        return int(self.received[int(row["position"])])

    def _reject(
        self, judged: Judged, position: int, frames: int, reason: Reason, detail: str, instrument: str, offset: int = 0
    ) -> Reject:
        before = int(np.searchsorted(self.decoded.rows["position"], position))
        session_ns = int(judged.time_ns[before - 1]) if before else self.state.time_ns
        when = session_ns or int(self.received[position]) + self.listing.terms.clock_skew_ns
        payload = self.frames[position][:512]
        return Reject(self.first_sequence + position, frames, reason, detail, when, payload, instrument, offset)


def _once(found: Sequence[Reject], used: set[int]) -> Iterator[Reject]:
    """One for each frame, instrument and reason; the first of a frame that gave no tick counts the frame."""
    told: dict[tuple[int, str, Reason], Reject] = {}
    counted: set[int] = set()
    for reject in found:
        key = (reject.frame, reject.instrument, reject.reason)
        if key in told:
            told[key] = replace(told[key], rows=told[key].rows + 1)
            continue
        if reject.frames and (reject.frame in used or reject.frame in counted):
            reject = replace(reject, frames=0)
        elif reject.frames:
            counted.add(reject.frame)
        told[key] = reject
    for reject in told.values():
        more = f" (and {reject.rows - 1} more in this frame)" if reject.rows > 1 else ""
        yield replace(reject, detail=reject.detail + more) if more else reject


def _detail(listing: Listing, row: np.void, verdict: Verdict, missing: int, received_ns: int) -> str:
    place = int(row["instrument"])
    symbol = list(listing.index)[place]
    kind, number = int(row["kind"]), int(row["venue_sequence"])
    trade = kind == Kind.TRADE
    named = f"{symbol} {KIND_NAMES[kind]}" + (f" {number}" if number >= 0 else "")
    bid, bid_size, ask, ask_size = (float(row[name]) for name in ("bid", "bid_size", "ask", "ask_size"))
    ahead_ms = (int(row["event_ns"]) - received_ns - listing.terms.clock_skew_ns) // NS_PER_MS
    prices = f"price {bid!r}" if trade else f"bid {bid!r}, ask {ask!r}"
    match verdict:
        case Verdict.GOOD:
            return f"{named}: {missing} missing before it, {number - missing} was expected"
        case Verdict.DUPLICATE:
            return f"{named}: taken before"
        case Verdict.OUT_OF_ORDER:
            return f"{named}: a later one was taken before it"
        case Verdict.NON_POSITIVE if trade:
            return f"{named}: price {bid!r}, quantity {bid_size!r}: both must be above 0"
        case Verdict.NON_POSITIVE:
            return f"{named}: bid {bid!r} x {bid_size!r}, ask {ask!r} x {ask_size!r}: prices must be above 0"
        case Verdict.CROSSED:
            return f"{named}: bid {bid!r} above ask {ask!r}"
        case Verdict.LOCKED:
            return f"{named}: bid and ask are both {bid!r}"
        case Verdict.OFF_TICK:
            return f"{named}: {prices}: not whole ticks of {listing.terms.tick_size[place]:g}"
        case Verdict.OUTLIER:
            return f"{named}: {prices}: far outside the band of the last prices"
        case Verdict.HALTED:
            return f"{named}: while the venue has halted it"
        case Verdict.STALE:
            late_ms, most_ms = -ahead_ms, listing.terms.rules.stale_ms
            return f"{named}: received {late_ms} ms after its event time, {most_ms:g} allowed"
        case Verdict.FUTURE:
            return f"{named}: event time {ahead_ms} ms ahead of its receipt, {FUTURE_LIMIT_NS // NS_PER_MS} allowed"


def _lost_frames(state: SessionState, first_sequence: int, receive_ns: int) -> Reject:
    count = first_sequence - state.next_frame
    detail = f"frames {state.next_frame} to {first_sequence - 1} of the session are not in the topic"
    return Reject(state.next_frame, count, Reason.GAP, detail, state.time_ns or receive_ns, b"")
