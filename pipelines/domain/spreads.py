"""The spread kernel: rows of a shard's tick log in; crossings, samples, marks, bars and heartbeats of its pairs out.

What comes out is a function of the sequence of rows alone, however they were cut into blocks: all that is remembered
between two rows is in `State`. Spread and moments, for each quote of a leg once both legs have quoted (exponentially
weighted mean and variance: T. Finch, "Incremental calculation of weighted mean and variance", 2009, section 9):

    spread = mid_a - beta * mid_b;  d = spread - mean;  z = d / sqrt(var)      moments from before this row
    mean += alpha * d;  var = (1 - alpha) * (var + alpha * d * d)              alpha = 2 / (span + 1)

Shard time is the running maximum of the rows' event times. A row that moves it past a boundary of a grid first makes
that grid's output: stamped with the boundary, with values from before the row, in the order samples (1 s), marks
(100 ms), bars (60 s); then come the row's own crossings, which tell their legs' mids and need no marks of their own.
Heartbeats alone depend on the blocks: one at the end of a block that moved time past the last event, where somebody may
wait for that.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from pipelines.domain.bars import BAR, INTERVAL_NS, Bars, close_bars, take_quote, take_trade
from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.ladder import RUNG_Z, level_above, level_below, rung_of
from pipelines.domain.market import NS_PER_MS, NS_PER_S, Flag, Kind, Ticks
from pipelines.domain.shard import Indices, Legs
from pipelines.domain.spread_state import UNSET_NS, Rows, State

HEARTBEAT_NS = 10 * NS_PER_MS
"""At most this much shard time goes by without a word, but for the length of a block."""
MARKS_NS = 100 * NS_PER_MS
"""Also the finest grid: every other is a multiple of it."""
SAMPLE_NS = NS_PER_S
HIGHEST_PRICE = 1e15
"""A price that is not finite, or beyond this, is not taken: one would spoil a pair's moments for ever."""

CROSSING, BEAT, ENDED = 0, 1, 2
EVENT_KINDS = ("crossing", "heartbeat", "end")

_QUOTE, _TRADE, _END, _HOME = int(Kind.QUOTE), int(Kind.TRADE), int(Kind.END), int(Flag.HOME)

_SPREAD_OF_PAIR = [
    ("rung", "i8"),
    ("z", "f8"),
    ("spread", "f8"),
    ("mean", "f8"),
    ("std", "f8"),
    ("beta", "f8"),
    ("mid_a", "f8"),
    ("mid_b", "f8"),
]

SPREAD = np.dtype(
    [
        ("kind", "i8"),
        ("sequence", "i8"),
        ("pair", "i8"),
        ("event_ns", "i8"),
        *_SPREAD_OF_PAIR,
        ("session", "i8"),
        ("tick_sequence", "i8"),
        ("z_before", "f8"),
    ]
)
"""A spread event; `kind` indexes EVENT_KINDS, `pair` the shard's pairs (-1: none), `session` the state's sessions."""

SAMPLED = np.dtype([("pair", "i8"), *_SPREAD_OF_PAIR])

MARKED = np.dtype([("instrument", "i8"), ("bid", "f8"), ("ask", "f8"), ("time_ns", "i8")])

SAMPLES = MARKS = np.dtype([("sequence", "i8"), ("event_ns", "i8"), ("first", "i8"), ("count", "i8")])
"""One second's samples, or marks: rows `first` to `first + count` of the sampled pairs, or of the marked quotes."""


class Out(NamedTuple):
    """Where `advance` writes, and how many of each it has written: `counts`, in the order of the fields."""

    spreads: Rows
    marks: Rows
    marked: Rows
    bars: Bars
    samples: Rows
    sampled: Rows
    counts: Indices


def new_out(instruments: int, pairs: int, spare: int = 4096) -> Out:
    """Room for the most that one row can make, and `spare` more of each."""
    return Out(
        np.zeros(pairs + 2 + spare, SPREAD),
        np.zeros(2 + spare, MARKS),
        np.zeros(instruments + 1 + 2 * spare, MARKED),
        np.zeros(instruments + spare, BAR),
        np.zeros(1 + spare, SAMPLES),
        np.zeros(pairs + 2 * spare, SAMPLED),
        np.zeros(6, np.int64),
    )


@compiled
def advance(ticks: Ticks, first: int, session: int, instrument_of: Indices, legs: Legs, state: State, out: Out) -> int:
    """Take the rows of one block from row `first` on; the row to go on from (`ticks.size` when all are taken).

    It comes back early when `out` may not hold what the next row makes: empty it and call again. `session` is the
    block's place in the state's sessions; `instrument_of` maps its instruments to the shard's (-1: not one of them).
    """
    out.counts[:] = 0
    clock = state.clock[0]
    for row in range(first, ticks.size):
        if not _has_room(legs, state, out):
            return row
        tick = ticks[row]
        sequence = tick.sequence
        if sequence <= state.sessions[session].taken:
            continue
        state.sessions[session].taken = sequence
        if tick.kind == _END:
            _end(tick.event_ns, session, sequence, state, out)
            continue
        if tick.event_ns >= clock.next_grid_ns or clock.time_ns == UNSET_NS:
            _pass_grid(tick.event_ns, legs, state, out)
        clock.time_ns = max(clock.time_ns, tick.event_ns)
        if tick.instrument < 0 or not (abs(tick.bid) < HIGHEST_PRICE and abs(tick.ask) < HIGHEST_PRICE):
            continue
        instrument = instrument_of[tick.instrument]
        if instrument < 0:
            continue
        home = tick.flags & _HOME != 0
        if tick.kind == _QUOTE:
            if home and tick.bid > 0.0 and tick.ask > 0.0:
                take_quote(state.bars, instrument, tick.bid, tick.ask)
            _quote(instrument, tick.bid, tick.ask, tick.event_ns, state)
            for leg in range(legs.leg_start[instrument], legs.leg_start[instrument + 1]):
                _update_pair(legs.leg_pair[leg], session, sequence, legs, state, out)
        elif tick.kind == _TRADE and home:
            take_trade(state.bars, instrument, tick.bid, tick.bid_size)
    return ticks.size


@inlined
def _has_room(legs: Legs, state: State, out: Out) -> bool:
    enough: bool = (
        out.counts[0] + legs.a.size + 2 <= out.spreads.size
        and out.counts[1] + 2 <= out.marks.size
        and out.counts[2] + state.quotes.size + 1 <= out.marked.size
        and out.counts[3] + state.quotes.size <= out.bars.size
        and out.counts[4] + 1 <= out.samples.size
        and out.counts[5] + legs.a.size <= out.sampled.size
    )
    return enough


@inlined
def _quote(instrument: int, bid: float, ask: float, event_ns: int, state: State) -> None:
    quote = state.quotes[instrument]
    mid = 0.5 * (bid + ask) if bid > 0.0 and ask > 0.0 else np.nan  # a side that is not there has no price
    quote.bid, quote.ask, quote.mid, quote.time_ns = bid, ask, mid, event_ns
    if quote.changed == 0:
        quote.changed = 1
        state.changed[state.clock[0].changed] = instrument
        state.clock[0].changed += 1


@inlined
def _update_pair(index: int, session: int, sequence: int, legs: Legs, state: State, out: Out) -> None:
    mid_a = state.quotes[legs.a[index]].mid
    mid_b = state.quotes[legs.b[index]].mid
    if math.isnan(mid_a) or math.isnan(mid_b):
        return
    pair = state.pairs[index]
    spread = mid_a - legs.beta[index] * mid_b
    pair.updates += 1
    if pair.updates == 1:
        pair.mean = spread
        return
    mean, var = pair.mean, pair.var
    d = spread - mean
    pair.mean += legs.alpha * d
    pair.var = (1.0 - legs.alpha) * (var + legs.alpha * d * d)
    if pair.updates <= legs.warmup or var == 0.0:
        return
    std = math.sqrt(var)
    z = d / std
    pair.z, pair.spread, pair.z_mean, pair.z_std = z, spread, mean, std
    pair.session, pair.sequence = session, sequence
    if pair.lower <= z < pair.upper and pair.ready:
        return
    _cross(index, legs, state, out)


@compiled
def _cross(index: int, legs: Legs, state: State, out: Out) -> None:
    """The pair's z has crossed a level, or is its first."""
    pair = state.pairs[index]
    z = z_before = pair.z
    rung = rung_of(z)
    below, above = level_below(legs.ladder, rung), level_above(legs.ladder, rung)
    if pair.ready:
        z_before = pair.z_crossed
        rung_before = rung_of(z_before)
        if below == level_above(legs.ladder, rung_before):  # up past that one alone: straight back it is damped
            below -= RUNG_Z
        elif above == level_below(legs.ladder, rung_before):
            above += RUNG_Z
    pair.ready, pair.lower, pair.upper, pair.z_crossed = 1, below, above, z
    state.clock[0].spreads += 1
    _event(CROSSING, state.clock[0].time_ns, pair.session, pair.sequence, state, out)
    event = out.spreads[out.counts[0] - 1]
    event.z_before = z_before
    _tell(event, index, legs, state)


@compiled
def _pass_grid(event_ns: int, legs: Legs, state: State, out: Out) -> None:
    """What the grids owe before a row at `event_ns` is taken; nothing for the shard's first row."""
    clock = state.clock[0]
    before = clock.time_ns
    marks_ns = event_ns // MARKS_NS * MARKS_NS
    clock.next_grid_ns = marks_ns + MARKS_NS
    if before == UNSET_NS:
        return
    if event_ns // SAMPLE_NS * SAMPLE_NS > before:
        _sample(event_ns // SAMPLE_NS * SAMPLE_NS, legs, state, out)
    if marks_ns > before:
        _marks(marks_ns, state, out)
    if event_ns // INTERVAL_NS > before // INTERVAL_NS:
        out.counts[3] = close_bars(state.bars, before // INTERVAL_NS * INTERVAL_NS, out.bars, out.counts[3])


@compiled
def _sample(event_ns: int, legs: Legs, state: State, out: Out) -> None:
    """Every pair that has a z, under one number; nothing where none has."""
    count = 0
    for index in range(state.pairs.size):
        if not state.pairs[index].ready:
            continue
        _tell(out.sampled[out.counts[5] + count], index, legs, state)
        count += 1
    if count == 0:
        return
    clock = state.clock[0]
    clock.spreads += 1
    samples = out.samples[out.counts[4]]
    samples.sequence, samples.event_ns, samples.first, samples.count = clock.spreads, event_ns, out.counts[5], count
    out.counts[4] += 1
    out.counts[5] += count


@compiled
def beat(session: int, state: State, out: Out) -> None:
    """At the end of a block of `session`: a heartbeat, if an event waits for time to go on or none came for long.

    It takes no number: it is the same event log however many there are.
    """
    clock = state.clock[0]
    if clock.time_ns // NS_PER_MS <= clock.last_event_ns // NS_PER_MS:
        return
    if clock.waiting or clock.time_ns >= clock.last_event_ns + HEARTBEAT_NS:
        _event(BEAT, clock.time_ns, session, state.sessions[session].taken, state, out)
        clock.waiting = 0


@compiled
def _end(event_ns: int, session: int, sequence: int, state: State, out: Out) -> None:
    """A session is over. Its end lies far ahead, so it moves the shard's time only when no other session still runs."""
    state.sessions[session].ended = 1
    for other in range(state.sessions.size):
        if not state.sessions[other].ended:
            return
    clock = state.clock[0]
    if clock.time_ns != UNSET_NS:
        out.counts[3] = close_bars(state.bars, clock.time_ns // INTERVAL_NS * INTERVAL_NS, out.bars, out.counts[3])
    clock.time_ns = max(clock.time_ns, event_ns)
    clock.next_grid_ns = clock.time_ns // MARKS_NS * MARKS_NS + MARKS_NS
    clock.spreads += 1
    _event(ENDED, clock.time_ns, session, sequence, state, out)


@compiled
def _marks(event_ns: int, state: State, out: Out) -> None:
    """The quotes that changed since the last marks; none when none did."""
    clock = state.clock[0]
    if clock.changed == 0:
        return
    clock.marks += 1
    marks = out.marks[out.counts[1]]
    marks.sequence, marks.event_ns, marks.first, marks.count = clock.marks, event_ns, out.counts[2], clock.changed
    for place in range(clock.changed):
        instrument = state.changed[place]
        quote = state.quotes[instrument]
        quote.changed = 0
        marked = out.marked[out.counts[2] + place]
        marked.instrument, marked.bid, marked.ask, marked.time_ns = instrument, quote.bid, quote.ask, quote.time_ns
    out.counts[1] += 1
    out.counts[2] += clock.changed
    clock.changed = 0


@inlined
def _tell(row: Any, index: int, legs: Legs, state: State) -> None:
    """Put a pair and its spread as it is into a row of SPREAD or SAMPLED."""
    pair = state.pairs[index]
    row.pair, row.rung, row.z = index, rung_of(pair.z), pair.z
    row.spread, row.mean, row.std, row.beta = pair.spread, pair.z_mean, pair.z_std, legs.beta[index]
    row.mid_a, row.mid_b = state.quotes[legs.a[index]].mid, state.quotes[legs.b[index]].mid


@inlined
def _event(kind: int, event_ns: int, session: int, sequence: int, state: State, out: Out) -> None:
    """An event of the shard under its last number, of no pair."""
    clock = state.clock[0]
    clock.last_event_ns = event_ns
    clock.waiting = 1
    event = out.spreads[out.counts[0]]
    out.counts[0] += 1
    event.kind, event.sequence, event.event_ns = kind, clock.spreads, event_ns
    event.pair, event.rung = -1, 0
    event.z = event.z_before = event.spread = event.mean = event.std = event.beta = event.mid_a = event.mid_b = 0.0
    event.session, event.tick_sequence = session, sequence
