"""The order of a feed session: what was seen of each instrument, and the verdict on every row that comes after it.

Trades of a venue are numbered without holes, so a hole is a gap; updates of a book rise, with holes that mean nothing.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_S, TICK, Flag, Kind, Ticks

Ids = NDArray[np.int64]

DECODED = np.dtype(
    [
        ("position", "i8"),
        ("instrument", "i4"),
        ("kind", "i4"),
        ("flags", "i4"),
        ("event_ns", "i8"),
        ("venue_sequence", "i8"),
        ("bid", "f8"),
        ("bid_size", "f8"),
        ("ask", "f8"),
        ("ask_size", "f8"),
    ]
)
"""A frame's row before any check of its worth. `position`: of its frame in the batch; `instrument`: index in the
listing; `event_ns`: 0 where the frame tells no time; `venue_sequence`: trade id of a trade, update id of a quote."""

DecodedRows = NDArray[np.void]
"""A structured array of `DECODED`, shape (n,), positions rising."""

FUTURE_LIMIT_NS = 5 * NS_PER_S
"""How far ahead of its receive time (plus the venue's known skew) an event may be, or a corrupt stamp freezes time."""


class Verdict(IntEnum):
    """What a row is worth."""

    GOOD = 0
    DUPLICATE = 1
    OUT_OF_ORDER = 2
    NON_POSITIVE = 3
    CROSSED = 4
    FUTURE = 5


@dataclass(frozen=True, slots=True)
class SessionState:
    """What is remembered of one feed session: enough to go on from any record of it. `last_quote`, `last_trade`: the
    highest update and trade id taken of each instrument of the listing, -1 before the first."""

    last_quote: Ids
    last_trade: Ids
    next_frame: int = 0
    tick_sequence: int = 0
    time_ns: int = 0
    ended: bool = False
    shards: tuple[int, ...] = ()

    VERSION = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on a batch: `ticks` are its good rows; `verdicts`, `missing` (trades lost before the row) and
    `time_ns` (session time after it) are of all rows, in their order."""

    ticks: Ticks
    verdicts: NDArray[np.int8]
    missing: Ids
    time_ns: Ids
    last_quote: Ids
    last_trade: Ids


_HEADER = struct.Struct("<BqqqBHII")


def new_session(instruments: int) -> SessionState:
    """A session of which nothing was read yet."""
    return SessionState(np.full(instruments, -1, np.int64), np.full(instruments, -1, np.int64))


def dump(state: SessionState, symbols: tuple[str, ...]) -> bytes:
    """State as bytes: version, header, shards, ids by instrument, and the symbols that name them."""
    names = "\n".join(symbols).encode()
    header = _HEADER.pack(
        SessionState.VERSION, state.next_frame, state.tick_sequence, state.time_ns, state.ended, len(state.shards),
        len(symbols), len(names),
    )  # fmt: skip
    shards = np.array(state.shards, np.uint16).tobytes()
    return b"".join((header, shards, state.last_quote.tobytes(), state.last_trade.tobytes(), names))


def load(data: bytes, symbols: tuple[str, ...]) -> SessionState:
    """Read what `dump` wrote, also where symbols came, went or moved since. ValueError: other bytes."""
    if not data or data[0] != SessionState.VERSION:
        found = data[0] if data else "none"
        raise ValueError(f"market session state: version {found}, this code reads {SessionState.VERSION}")
    try:
        _, next_frame, tick_sequence, time_ns, ended, shard_count, count, names_size = _HEADER.unpack_from(data)
        shards = np.frombuffer(data, np.uint16, shard_count, _HEADER.size)
        ids_at = _HEADER.size + 2 * shard_count
        quotes = np.frombuffer(data, np.int64, count, ids_at)
        trades = np.frombuffer(data, np.int64, count, ids_at + 8 * count)
    except (struct.error, ValueError) as error:
        raise ValueError(f"market session state: {len(data)} bytes, cut short") from error
    names = data[ids_at + 16 * count :]
    if len(names) != names_size:
        raise ValueError(f"market session state: {len(names)} bytes of symbols, {names_size} expected")
    if names != "\n".join(symbols).encode():
        quotes, trades = _moved(names.decode().split("\n"), symbols, quotes, trades)
    return SessionState(
        quotes, trades, next_frame, tick_sequence, time_ns, bool(ended), tuple(int(shard) for shard in shards)
    )


def _moved(stored: list[str], symbols: tuple[str, ...], quotes: Ids, trades: Ids) -> tuple[Ids, Ids]:
    place = {symbol: index for index, symbol in enumerate(stored)}
    fresh = new_session(len(symbols))
    for index, symbol in enumerate(symbols):
        if symbol in place and place[symbol] < len(quotes):
            fresh.last_quote[index] = quotes[place[symbol]]
            fresh.last_trade[index] = trades[place[symbol]]
    return fresh.last_quote, fresh.last_trade


def judge(state: SessionState, rows: DecodedRows, receive_ns: Ids, first_sequence: int, clock_skew_ns: int) -> Judged:
    """Judge a batch of rows against its session. `receive_ns`: by position; `first_sequence`: position 0's place in the
    session. Pure: the state given is left as it was."""
    ticks = np.empty(len(rows), TICK)
    verdicts = np.empty(len(rows), np.int8)
    missing = np.zeros(len(rows), np.int64)
    time_ns = np.empty(len(rows), np.int64)
    last_quote, last_trade = state.last_quote.copy(), state.last_trade.copy()
    good = _judge(
        rows, receive_ns, first_sequence, clock_skew_ns, state.time_ns, state.tick_sequence,
        last_quote, last_trade, ticks, verdicts, missing, time_ns,
    )  # fmt: skip
    return Judged(ticks[:good], verdicts, missing, time_ns, last_quote, last_trade)


_QUOTE, _TRADE = int(Kind.QUOTE), int(Kind.TRADE)
_LATE, _AFTER_GAP, _LOCKED = int(Flag.LATE), int(Flag.AFTER_GAP), int(Flag.LOCKED)
_GOOD, _DUPLICATE, _OUT_OF_ORDER = int(Verdict.GOOD), int(Verdict.DUPLICATE), int(Verdict.OUT_OF_ORDER)
_NON_POSITIVE, _CROSSED, _FUTURE = int(Verdict.NON_POSITIVE), int(Verdict.CROSSED), int(Verdict.FUTURE)


@compiled
def _judge(
    rows: DecodedRows,
    receive_ns: Ids,
    first_sequence: int,
    clock_skew_ns: int,
    session_ns: int,
    tick_sequence: int,
    last_quote: Ids,
    last_trade: Ids,
    ticks: Ticks,
    verdicts: NDArray[np.int8],
    missing: Ids,
    time_ns: Ids,
) -> int:
    good = 0
    for i in range(len(rows)):
        row = rows[i]
        trade = row.kind == _TRADE
        received = receive_ns[row.position]
        venue_now = received + clock_skew_ns
        event_ns = row.event_ns if row.event_ns > 0 else venue_now
        last = last_trade[row.instrument] if trade else last_quote[row.instrument]

        verdict = _GOOD
        if last >= 0 and row.venue_sequence <= last:
            verdict = _DUPLICATE if row.venue_sequence == last else _OUT_OF_ORDER
        elif (
            min(row.bid, row.ask) <= 0.0 or row.ask_size < 0.0 or row.bid_size < 0.0 or (trade and row.bid_size == 0.0)
        ):
            verdict = _NON_POSITIVE
        elif row.bid > row.ask:
            verdict = _CROSSED
        elif event_ns > venue_now + FUTURE_LIMIT_NS:
            verdict = _FUTURE

        if verdict == _GOOD:
            flags = row.flags
            if trade:
                if last >= 0 and row.venue_sequence > last + 1:
                    missing[i] = row.venue_sequence - last - 1
                    flags |= _AFTER_GAP
                last_trade[row.instrument] = row.venue_sequence
            else:
                if row.bid == row.ask:
                    flags |= _LOCKED
                last_quote[row.instrument] = row.venue_sequence
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
            tick.event_ns = event_ns
            tick.receive_ns = received
            tick.bid = row.bid
            tick.bid_size = row.bid_size
            tick.ask = row.ask
            tick.ask_size = row.ask_size
            good += 1
        elif trade and last >= 0 and row.venue_sequence == last + 1:
            # A trade that came in its turn but cannot be used leaves no hole behind it: its own reject tells of it.
            last_trade[row.instrument] = row.venue_sequence
        verdicts[i] = verdict
        time_ns[i] = session_ns
    return good
