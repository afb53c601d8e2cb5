"""The order and the worth of a feed session's rows: what was seen of each instrument, and the verdict on every row.

Trades of a venue are numbered without holes, so a hole is a gap; updates of a book rise, with holes that mean nothing.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.decoding import DecodedRows
from pipelines.domain.market import NS_PER_S, TICK, Condition, Flag, Kind, Status, Ticks
from pipelines.domain.quality import ACTIONS, BAND, WINDOW, Action, Rules, action_codes, measures, outside, remember

Ids = NDArray[np.int64]

FUTURE_LIMIT_NS = 5 * NS_PER_S
"""How far ahead of its receive time (plus the venue's known skew) an event may be, or a corrupt stamp freezes time."""


class Verdict(IntEnum):
    """What a row is worth."""

    GOOD = 0
    DUPLICATE = 1
    OUT_OF_ORDER = 2
    CROSSED = 3
    LOCKED = 4
    OFF_TICK = 5
    OUTLIER = 6
    STALE = 7
    HALTED = 8
    NON_POSITIVE = 9
    FUTURE = 10


SEEN = np.dtype([("quote", "i8"), ("trade", "i8"), ("halted", "i4"), ("band", BAND)])
"""What was seen of an instrument: the highest update and trade id taken (-1 before the first), whether its venue has
halted it, and its last prices."""

Seen = NDArray[np.void]
"""A structured array of `SEEN`, shape (instruments,)."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """What is remembered of one feed session: enough to go on from any record of it."""

    seen: Seen
    next_frame: int = 0
    tick_sequence: int = 0
    time_ns: int = 0
    ended: bool = False
    shards: tuple[int, ...] = ()

    VERSION = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """What a venue's rows are held against. `tick_size`: by instrument of the listing, 0 where it is not known."""

    tick_size: NDArray[np.float64]
    clock_skew_ns: int = 0
    rules: Rules = field(default_factory=Rules)


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on a batch: `ticks` are its good rows; `verdicts`, `missing` (trades lost before the row) and
    `time_ns` (session time after it) are of all rows, in their order."""

    ticks: Ticks
    verdicts: NDArray[np.int8]
    missing: Ids
    time_ns: Ids
    seen: Seen


_HEADER = struct.Struct("<BqqqBHII")


def new_session(instruments: int) -> SessionState:
    """A session of which nothing was read yet."""
    return SessionState(unseen(instruments))


def unseen(instruments: int) -> Seen:
    """Instruments of which nothing was seen."""
    seen = np.zeros(instruments, SEEN)
    seen["quote"] = seen["trade"] = -1
    return seen


def dump(state: SessionState, symbols: tuple[str, ...]) -> bytes:
    """State as bytes: version, header, shards, what was seen by instrument, and the symbols that name them."""
    names = "\n".join(symbols).encode()
    header = _HEADER.pack(
        SessionState.VERSION, state.next_frame, state.tick_sequence, state.time_ns, state.ended, len(state.shards),
        len(symbols), len(names),
    )  # fmt: skip
    shards = np.array(state.shards, np.uint16).tobytes()
    return b"".join((header, shards, state.seen.tobytes(), names))


def load(data: bytes, symbols: tuple[str, ...]) -> SessionState:
    """Read what `dump` wrote, also where symbols came, went or moved since. ValueError: other bytes."""
    if not data or data[0] != SessionState.VERSION:
        found = data[0] if data else "none"
        raise ValueError(f"market session state: version {found}, this code reads {SessionState.VERSION}")
    try:
        _, next_frame, tick_sequence, time_ns, ended, shard_count, count, names_size = _HEADER.unpack_from(data)
        shards = np.frombuffer(data, np.uint16, shard_count, _HEADER.size)
        seen_at = _HEADER.size + 2 * shard_count
        stored = np.frombuffer(data, SEEN, count, seen_at)
    except (struct.error, ValueError) as error:
        raise ValueError(f"market session state: {len(data)} bytes, cut short") from error
    names = data[seen_at + stored.nbytes :]
    if len(names) != names_size:
        raise ValueError(f"market session state: {len(names)} bytes of symbols, {names_size} expected")
    if names == "\n".join(symbols).encode():
        seen = stored.copy()
    else:
        seen = _moved(names.decode().split("\n"), symbols, stored)
    return SessionState(seen, next_frame, tick_sequence, time_ns, bool(ended), tuple(int(shard) for shard in shards))


def _moved(names: list[str], symbols: tuple[str, ...], stored: Seen) -> Seen:
    place = {symbol: index for index, symbol in enumerate(names)}
    seen = unseen(len(symbols))
    for index, symbol in enumerate(symbols):
        if symbol in place and place[symbol] < len(stored):
            seen[index] = stored[place[symbol]]
    return seen


def judge(state: SessionState, rows: DecodedRows, receive_ns: Ids, first_sequence: int, terms: Terms) -> Judged:
    """Judge a batch of rows against its session. `receive_ns`: by position; `first_sequence`: position 0's place in the
    session. A row received at 0 counts as received at its event time. Pure: the state given is left as it was."""
    ticks = np.empty(len(rows), TICK)
    verdicts = np.empty(len(rows), np.int8)
    missing = np.zeros(len(rows), np.int64)
    time_ns = np.empty(len(rows), np.int64)
    seen = state.seen.copy()
    good = _judge(
        rows, receive_ns, first_sequence, terms.clock_skew_ns, terms.tick_size, action_codes(terms.rules),
        measures(terms.rules), state.time_ns, state.tick_sequence, seen, ticks, verdicts, missing, time_ns,
    )  # fmt: skip
    return Judged(ticks[:good], verdicts, missing, time_ns, seen)


_QUOTE, _TRADE, _LEVEL, _STATUS = int(Kind.QUOTE), int(Kind.TRADE), int(Kind.LEVEL), int(Kind.STATUS)
_LATE, _AFTER_GAP = int(Flag.LATE), int(Flag.AFTER_GAP)
_GOOD, _DUPLICATE, _OUT_OF_ORDER = int(Verdict.GOOD), int(Verdict.DUPLICATE), int(Verdict.OUT_OF_ORDER)
_CROSSED, _LOCKED, _OFF_TICK = int(Verdict.CROSSED), int(Verdict.LOCKED), int(Verdict.OFF_TICK)
_OUTLIER, _STALE, _HALTED = int(Verdict.OUTLIER), int(Verdict.STALE), int(Verdict.HALTED)
_NON_POSITIVE, _FUTURE = int(Verdict.NON_POSITIVE), int(Verdict.FUTURE)
_REJECT = int(Action.REJECT)
_FLAG = int(Action.FLAG)
_NOT_TRADED = (int(Status.HALTED), int(Status.PAUSED), int(Status.CLOSED))
_TRADED = (int(Status.TRADING), int(Status.QUOTING))
_ASIDE = int(Condition.OUT_OF_SEQUENCE | Condition.NOT_LAST)

FLAG_OF: Mapping[str, Flag] = MappingProxyType({name: Flag[name.upper()] for name in ACTIONS})
"""The flag that a row of a finding carries where the rule lets it pass."""

_FLAGS = tuple(int(FLAG_OF[name]) for name in ACTIONS)


@inlined
def _number(rows: DecodedRows, i: int, seen: Seen) -> int:
    """What its own number says of a row: GOOD where it has none, or comes in its turn."""
    row = rows[i]
    if row.venue_sequence < 0 or (row.kind != _QUOTE and row.kind != _TRADE):
        return _GOOD
    known = seen[int(row.instrument)]
    last = known.trade if row.kind == _TRADE else known.quote
    if last < 0 or row.venue_sequence > last:
        return _GOOD
    return _DUPLICATE if row.venue_sequence == last else _OUT_OF_ORDER


@inlined
def _sound(rows: DecodedRows, i: int) -> bool:
    """Whether prices and quantities can be such. A side of a quote that is not there is 0 at 0."""
    row = rows[i]
    if row.kind == _TRADE:
        return bool(row.bid > 0.0 and row.bid_size > 0.0)
    if row.kind == _LEVEL:
        return bool(row.bid > 0.0 and row.bid_size >= 0.0)
    if row.kind == _QUOTE:
        bid_sound = (row.bid > 0.0 and row.bid_size >= 0.0) or (row.bid == 0.0 and row.bid_size == 0.0)
        ask_sound = (row.ask > 0.0 and row.ask_size >= 0.0) or (row.ask == 0.0 and row.ask_size == 0.0)
        return bool(bid_sound and ask_sound)
    return bool(row.bid >= 0.0 and row.bid_size >= 0.0 and row.ask >= 0.0 and row.ask_size >= 0.0)


@inlined
def _off_tick(price: float, tick_size: float) -> bool:
    """Whether a price is no whole number of ticks, beyond what a double of its decimal is off."""
    ticks = price / tick_size
    return bool(abs(ticks - np.rint(ticks)) > 1e-6 + 1e-9 * ticks)


@inlined
def _price(rows: DecodedRows, i: int) -> float:
    """The price that the band is asked about: a mid, a trade's that moves the last price; 0 for none."""
    row = rows[i]
    if row.kind == _QUOTE:
        return 0.5 * (row.bid + row.ask) if row.bid > 0.0 and row.ask > 0.0 else 0.0
    return float(row.bid) if row.kind == _TRADE and not row.code & _ASIDE else 0.0


@inlined
def _take_number(rows: DecodedRows, i: int, missing: Ids, seen: Seen) -> int:
    """Remember a taken row's number; the flag of a trade before which others are missing."""
    row = rows[i]
    flag = 0
    known = seen[int(row.instrument)]
    if row.kind == _TRADE:
        if known.trade >= 0 and row.venue_sequence > known.trade + 1:
            missing[i] = row.venue_sequence - known.trade - 1
            flag = _AFTER_GAP
        known.trade = max(known.trade, row.venue_sequence)
    elif row.kind == _QUOTE:
        known.quote = max(known.quote, row.venue_sequence)
    elif row.kind == _STATUS:
        if row.code in _NOT_TRADED:
            known.halted = 1
        elif row.code in _TRADED:
            known.halted = 0
    return flag


@inlined
def _weigh(finding: int, actions: NDArray[np.int8], verdict: int, flags: int) -> tuple[int, int]:
    """Verdict and flags after a finding; of several that reject, the first counts."""
    action = actions[finding - 1]
    if action == _REJECT:
        return (finding if verdict == _GOOD else verdict), flags
    return verdict, (flags | _FLAGS[finding - 1] if action == _FLAG else flags)


@compiled
def _judge(
    rows: DecodedRows,
    receive_ns: Ids,
    first_sequence: int,
    clock_skew_ns: int,
    tick_size: NDArray[np.float64],
    actions: NDArray[np.int8],
    measured: NDArray[np.float64],
    session_ns: int,
    tick_sequence: int,
    seen: Seen,
    ticks: Ticks,
    verdicts: NDArray[np.int8],
    missing: Ids,
    time_ns: Ids,
) -> int:
    good = 0
    for i in range(len(rows)):
        row = rows[i]
        venue_now = receive_ns[row.position] + clock_skew_ns
        event_ns = row.event_ns if row.event_ns > 0 else venue_now
        if receive_ns[row.position] == 0:
            venue_now = event_ns
        known = seen[int(row.instrument)]
        flags = row.flags
        verdict = _GOOD
        number = _number(rows, i, seen)
        if number != _GOOD:
            verdict, flags = _weigh(number, actions, verdict, flags)
        sound = _sound(rows, i)
        if verdict == _GOOD and not sound:
            verdict = _NON_POSITIVE
        priced = row.kind == _QUOTE or row.kind == _TRADE
        if verdict == _GOOD and priced:
            if row.kind == _QUOTE and row.bid >= row.ask and row.ask > 0.0:
                verdict, flags = _weigh(_CROSSED if row.bid > row.ask else _LOCKED, actions, verdict, flags)
            step = tick_size[row.instrument]
            if step > 0.0 and (_off_tick(row.bid, step) or _off_tick(row.ask, step)):
                verdict, flags = _weigh(_OFF_TICK, actions, verdict, flags)
            if known.halted:
                verdict, flags = _weigh(_HALTED, actions, verdict, flags)
            if venue_now - event_ns > measured[2]:
                verdict, flags = _weigh(_STALE, actions, verdict, flags)
        if verdict == _GOOD and event_ns > venue_now + FUTURE_LIMIT_NS:
            verdict = _FUTURE
        price = _price(rows, i) if sound and verdict == _GOOD else 0.0
        if price > 0.0:
            band = known.band
            if outside(band.ring, band.ordered, band.count, price, measured[0], measured[1]):
                verdict, flags = _weigh(_OUTLIER, actions, verdict, flags)
            remember(band.ring, band.ordered, band.count, band.next, price)
            band.next = (band.next + 1) % WINDOW
            band.count = min(band.count + 1, WINDOW)

        if verdict == _GOOD:
            flags |= _take_number(rows, i, missing, seen)
            if event_ns < session_ns:
                flags |= _LATE
            else:
                session_ns = event_ns
            tick_sequence += 1
            tick = ticks[good]
            tick.sequence = tick_sequence
            tick.frame = first_sequence + row.position
            tick.instrument = row.instrument
            tick.kind = row.kind
            tick.flags = flags
            tick.code = row.code
            tick.event_ns = event_ns
            tick.receive_ns = venue_now - clock_skew_ns
            tick.bid = row.bid
            tick.bid_size = row.bid_size
            tick.ask = row.ask
            tick.ask_size = row.ask_size
            good += 1
        elif row.kind == _TRADE and known.trade >= 0 and row.venue_sequence == known.trade + 1:
            # A trade that came in its turn but cannot be used leaves no hole behind it: its own reject tells of it.
            known.trade = row.venue_sequence
        verdicts[i] = verdict
        time_ns[i] = session_ns
    return good
