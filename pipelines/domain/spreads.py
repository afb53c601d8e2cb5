"""The spread kernel: rows of a shard's tick log in; crossings, samples, marks, bars, pairs at full minutes, snapshots
and heartbeats out.

What comes out is a function of the sequence of rows alone, however they were cut into blocks: all that is remembered
between two rows is in `State`. For each quote of a leg, once both legs have quoted, z is that of the spread against
moments from before this row (pair_fit.py). Moments are taken after it, or at the end of each second or minute of shard
time; of a pair whose legs cannot be compared (live.py) none are. Of static slopes and each quote:

    spread = mid_a - beta * mid_b;  d = spread - mean;  z = d / sqrt(var)      moments from before this row
    mean += alpha * d;  var = (1 - alpha) * (var + alpha * d * d)              alpha = 2 / (span + 1)

(T. Finch, "Incremental calculation of weighted mean and variance", 2009, section 9.)

Shard time is the running maximum of the rows' event times. A row that moves it past a boundary of a grid first makes
that grid's output: stamped with the boundary, with values from before the row. Moments take every second and every
minute that has passed, as long as legs are not stale; told is the last of each, in the order snapshots, samples (1 s),
marks (100 ms), bars and pairs (60 s); then come the row's own crossings, which tell their legs' mids and need no marks
of their own. Heartbeats alone depend on the blocks: one at the end of a block that moved time past the last event,
where somebody may wait for that.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from pipelines.domain.bars import INTERVAL_NS, beat_bars, close_bars, take_quote, take_trade
from pipelines.domain.closes import MINUTES, SECONDS, close_all
from pipelines.domain.compiled import compiled, inlined_part, part
from pipelines.domain.held import held
from pipelines.domain.ladder import RUNG_Z, level_above, level_below, rung_of
from pipelines.domain.live import APART, flags_of, take_gap, take_status
from pipelines.domain.market import NS_PER_MS, NS_PER_S, Flag, Kind, Ticks
from pipelines.domain.pair_fit import act, expected, price, refit, take_spread
from pipelines.domain.pair_health import examine
from pipelines.domain.shard import MINUTE, SECOND, STATIC, TICK, Indices, Legs
from pipelines.domain.snapshots import (
    begin_lean,
    interval_quote,
    interval_status,
    interval_trade,
    lean,
    leant,
    tell_interval,
    tilt_of,
)
from pipelines.domain.spread_rows import (
    BARS_AT,
    BEAT,
    CROSSING,
    ENDED,
    INTERVALS_AT,
    MARKED_AT,
    MARKS_AT,
    MINUTES_AT,
    PAIR_BARS_AT,
    SAMPLED_AT,
    SAMPLES_AT,
    SNAPS_AT,
    SPREADS_AT,
    Out,
)
from pipelines.domain.spread_state import UNSET_NS, State
from pipelines.domain.trading import CLOSED, HALTED

HEARTBEAT_NS = 10 * NS_PER_MS
"""At most this much shard time goes by without a word, but for the length of a block."""
MARKS_NS = 100 * NS_PER_MS
"""Also the finest grid: every other is a multiple of it."""
SAMPLE_NS = NS_PER_S
HIGHEST_PRICE = 1e15
"""A price that is not finite, or beyond this, is not taken: one would spoil a pair's moments for ever."""

_QUOTE, _TRADE, _STATUS, _END = int(Kind.QUOTE), int(Kind.TRADE), int(Kind.STATUS), int(Kind.END)
_HOME, _AFTER_GAP = int(Flag.HOME), int(Flag.AFTER_GAP)


@part
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
            _end(tick.event_ns, session, sequence, legs, state, out)
            continue
        if tick.event_ns >= clock.next_grid_ns or clock.time_ns == UNSET_NS:
            _pass_grid(tick.event_ns, legs, state, out)
        clock.time_ns = max(clock.time_ns, tick.event_ns)
        if tick.flags & _AFTER_GAP:
            take_gap(session, state)
        if tick.instrument < 0 or not (abs(tick.bid) < HIGHEST_PRICE and abs(tick.ask) < HIGHEST_PRICE):
            continue
        instrument = instrument_of[tick.instrument]
        if instrument < 0:
            continue
        home = tick.flags & _HOME != 0
        if tick.kind == _QUOTE:
            if home and tick.bid > 0.0 and tick.ask > 0.0:
                take_quote(state.bars, instrument, tick.bid, tick.ask)
            interval_quote(instrument, tick.bid_size, tick.ask_size, clock.time_ns, state)
            lean(instrument, tilt_of(tick.bid_size, tick.ask_size), clock.time_ns, state)
            _quote(instrument, tick.bid, tick.ask, tick.event_ns, session, legs, state)
            for leg in range(legs.leg_start[instrument], legs.leg_start[instrument + 1]):
                _update_pair(legs.leg_pair[leg], session, sequence, legs, state, out)
        elif tick.kind == _TRADE:
            interval_trade(instrument, tick.bid, tick.bid_size, tick.flags, state)
            if home:
                take_trade(state.bars, instrument, tick.bid, tick.bid_size)
        elif tick.kind == _STATUS:
            take_status(instrument, tick.code, state)
            _to_be_marked(instrument, state)
            interval_status(instrument, tick.code, clock.time_ns, state)
    _beat(session, state, out)
    return ticks.size


@cache
def advance_held(kind: Any) -> Callable[[int, Ticks, int, int, Indices], int]:
    """`advance` of legs, state and out that are Held together, `kind` theirs: it takes their address first."""

    @compiled
    def advance_at(address: int, ticks: Ticks, first: int, session: int, instrument_of: Indices) -> int:
        legs, state, out = held(address, kind)
        return advance(ticks, first, session, instrument_of, legs, state, out)

    return advance_at


@inlined_part
def _has_room(legs: Legs, state: State, out: Out) -> bool:
    enough: bool = (
        out.counts[SPREADS_AT] + legs.a.size + 2 <= out.spreads.size
        and out.counts[MARKS_AT] + 2 <= out.marks.size
        and out.counts[MARKED_AT] + state.quotes.size + 1 <= out.marked.size
        and out.counts[BARS_AT] + state.quotes.size + 1 <= out.bars.size
        and out.counts[SAMPLES_AT] + 3 <= out.samples.size
        and out.counts[SAMPLED_AT] + legs.a.size <= out.sampled.size
        and out.counts[MINUTES_AT] + 2 <= out.minutes.size
        and out.counts[PAIR_BARS_AT] + legs.a.size <= out.pair_bars.size
        and out.counts[INTERVALS_AT] + 2 <= out.intervals.size
        and out.counts[SNAPS_AT] + state.intervals.size <= out.snapshots.size
    )
    return enough


@inlined_part
def _quote(instrument: int, bid: float, ask: float, event_ns: int, session: int, legs: Legs, state: State) -> None:
    quote = state.quotes[instrument]
    mid = 0.5 * (bid + ask) if bid > 0.0 and ask > 0.0 else np.nan  # a side that is not there has no price
    quote.bid, quote.ask, quote.mid, quote.time_ns, quote.session = bid, ask, mid, event_ns, session
    if legs.logs[instrument]:
        quote.log = math.log(mid)
    _to_be_marked(instrument, state)


@inlined_part
def _to_be_marked(instrument: int, state: State) -> None:
    quote = state.quotes[instrument]
    if quote.changed == 0:
        quote.changed = 1
        state.changed[state.clock[0].changed] = instrument
        state.clock[0].changed += 1


@inlined_part
def _update_pair(index: int, session: int, sequence: int, legs: Legs, state: State, out: Out) -> None:
    pair, model = state.pairs[index], legs.models[index]
    y, x = price(legs.a[index], model.logs, state), price(legs.b[index], model.logs, state)
    if math.isnan(y) or math.isnan(x):
        return
    mean, std = pair.mean, pair.std
    spread = y - pair.slope * x
    if model.every == TICK:
        if not pair.formed:
            if not pair.out:
                refit(index, y, x, legs, state)
            return
        if model.method == STATIC:
            if not pair.out:
                pair.updates += 1
                take_spread(spread, model.alpha, index, state)  # refit's, without a call: a quote's whole cost here
                pair.formed = pair.var > 0.0
        else:
            std = expected(index, x, legs, state)
            if not pair.out:
                refit(index, y, x, legs, state)
    elif pair.formed:
        std = expected(index, x, legs, state)
    else:
        return
    z = (spread - mean) / std
    pair.z, pair.spread, pair.z_mean, pair.z_std = z, spread, mean, std
    pair.session, pair.sequence = session, sequence
    if pair.lower <= z < pair.upper and pair.ready:
        return
    _cross(index, legs, state, out)


@part
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
    event_ns = state.clock[0].time_ns
    _event(CROSSING, event_ns, pair.session, pair.sequence, state, out)
    event = out.spreads[out.counts[SPREADS_AT] - 1]
    event.z_before = z_before
    _tell(event, index, event_ns, legs, state)


@part
def _pass_grid(event_ns: int, legs: Legs, state: State, out: Out) -> None:
    """What the grids owe before a row at `event_ns` is taken; nothing for the shard's first row."""
    clock = state.clock[0]
    before = clock.time_ns
    marks_ns = event_ns // MARKS_NS * MARKS_NS
    clock.next_grid_ns = marks_ns + MARKS_NS
    if before == UNSET_NS:
        clock.acted_ns = event_ns
        return
    if legs.snapshots_ns and event_ns // legs.snapshots_ns * legs.snapshots_ns > before:
        tell_interval(event_ns // legs.snapshots_ns * legs.snapshots_ns, state, out)
    seconds_ns = event_ns // SAMPLE_NS * SAMPLE_NS
    if seconds_ns > before:
        _close_seconds(before, seconds_ns, legs, state)
        _sample(seconds_ns, legs, state, out)
    if marks_ns > before:
        _marks(marks_ns, state, out)
    if event_ns // INTERVAL_NS > before // INTERVAL_NS:
        start_ns, end_ns = before // INTERVAL_NS * INTERVAL_NS, event_ns // INTERVAL_NS * INTERVAL_NS
        _close_minutes(start_ns, end_ns, end_ns + NS_PER_MS, legs, state, out)
    _act(event_ns, legs, state)


@part
def _close_seconds(before_ns: int, last_ns: int, legs: Legs, state: State) -> None:
    """Every second that has passed, and of each what moments take of it, as long as a leg may be live."""
    end_ns = before_ns // SAMPLE_NS * SAMPLE_NS + SAMPLE_NS
    while end_ns <= last_ns:
        minute = end_ns % INTERVAL_NS == 0
        close_all(SECONDS, end_ns, state.second_times, state.second_mids, legs, state)
        if minute:
            close_all(MINUTES, end_ns, state.minute_times, state.minute_mids, legs, state)
        for index in range(state.pairs.size):
            _close_bar(index, minute, end_ns, legs, state)
        for instrument in range(state.quotes.size):
            state.quotes[instrument].gap = 0
        if end_ns - before_ns > legs.patience_ns:  # every leg is stale by now, and stays so
            return
        end_ns += SAMPLE_NS


@inlined_part
def _close_bar(index: int, minute: bool, now_ns: int, legs: Legs, state: State) -> None:
    """A second of a pair is over, perhaps a minute: how it stands, and what its moments take of it."""
    pair, model, fit = state.pairs[index], legs.models[index], state.fits[index]
    y, x = price(legs.a[index], model.logs, state), price(legs.b[index], model.logs, state)
    flags = flags_of(index, now_ns, legs, state)
    if flags & APART or math.isnan(y) or math.isnan(x):
        pair.out = pair.updates > 0
        return
    own = minute or model.every != MINUTE
    gap = state.quotes[legs.a[index]].gap or state.quotes[legs.b[index]].gap
    if gap != fit.gap and (gap or own):
        fit.gap = gap
        state.clock[0].slow = 1
    if pair.out:
        pair.out, fit.settling = 0, model.settle
        state.clock[0].slow = 1
    elif own and (fit.settling or fit.adjusting):
        fit.settling, fit.adjusting = max(fit.settling - 1, 0), max(fit.adjusting - 1, 0)
        state.clock[0].slow = 1
    if model.every == SECOND or (minute and model.every == MINUTE):
        refit(index, y, x, legs, state)


@part
def _close_minutes(start_ns: int, end_ns: int, beat_ns: int, legs: Legs, state: State, out: Out) -> None:
    """Bars of instruments that began at `start_ns`, pairs at `end_ns`, and heartbeats: nothing else will be told of a
    time before `beat_ns`."""
    out.counts[BARS_AT] = close_bars(state.bars, start_ns, out.bars, out.counts[BARS_AT])
    out.counts[BARS_AT] = beat_bars(beat_ns, out.bars, out.counts[BARS_AT])
    first, count = out.counts[PAIR_BARS_AT], 0
    for index in range(state.pairs.size):
        mid_a, mid_b = state.quotes[legs.a[index]].mid, state.quotes[legs.b[index]].mid
        if math.isnan(mid_a) or math.isnan(mid_b):
            continue
        examine(index, legs, state)
        _tell_minute(out.pair_bars[first + count], index, end_ns, legs, state)
        count += 1
    if count:
        _told_minute(end_ns, first, count, state, out)
    _told_minute(beat_ns, first, 0, state, out)
    out.counts[PAIR_BARS_AT] += count


@inlined_part
def _told_minute(event_ns: int, first: int, count: int, state: State, out: Out) -> None:
    state.clock[0].minutes += 1
    told = out.minutes[out.counts[MINUTES_AT]]
    told.sequence, told.event_ns, told.first, told.count = state.clock[0].minutes, event_ns, first, count
    out.counts[MINUTES_AT] += 1


@part
def _act(event_ns: int, legs: Legs, state: State) -> None:
    """Corporate actions that hold from now on."""
    clock = state.clock[0]
    for row in range(legs.actions.size):
        if clock.acted_ns < legs.actions[row].time_ns <= event_ns:
            act(row, legs, state)
    clock.acted_ns = max(clock.acted_ns, event_ns)


@part
def _sample(event_ns: int, legs: Legs, state: State, out: Out) -> None:
    """Every pair that has a z, under one number, and a millisecond later that time has passed; nothing where none
    has."""
    count = 0
    for index in range(state.pairs.size):
        if not state.pairs[index].ready:
            continue
        row = out.sampled[out.counts[SAMPLED_AT] + count]
        _tell(row, index, event_ns, legs, state)
        row.imbalance_a = leant(legs.a[index], event_ns, state)
        row.imbalance_b = leant(legs.b[index], event_ns, state)
        count += 1
    for instrument in range(state.quotes.size):
        begin_lean(instrument, event_ns, state)
    if count == 0:
        return
    clock = state.clock[0]
    clock.spreads += 1
    samples = out.samples[out.counts[SAMPLES_AT]]
    samples.sequence, samples.event_ns = clock.spreads, event_ns
    samples.first, samples.count = out.counts[SAMPLED_AT], count
    out.counts[SAMPLES_AT] += 1
    out.counts[SAMPLED_AT] += count
    _beat_samples(event_ns + NS_PER_MS, state, out)


@inlined_part
def _beat_samples(event_ns: int, state: State, out: Out) -> None:
    """A second without samples, under the last number: nothing else will be told of a time before it."""
    samples = out.samples[out.counts[SAMPLES_AT]]
    samples.sequence, samples.event_ns, samples.first, samples.count = state.clock[0].spreads, event_ns, 0, 0
    out.counts[SAMPLES_AT] += 1


@part
def _beat(session: int, state: State, out: Out) -> None:
    """At the end of a block of `session`: a heartbeat, if an event waits for time to go on or none came for long.

    It takes no number: it is the same event log however many there are.
    """
    clock = state.clock[0]
    if clock.time_ns // NS_PER_MS <= clock.last_event_ns // NS_PER_MS:
        return
    if clock.waiting or clock.time_ns >= clock.last_event_ns + HEARTBEAT_NS:
        _event(BEAT, clock.time_ns, session, state.sessions[session].taken, state, out)
        clock.waiting = 0


@part
def _end(event_ns: int, session: int, sequence: int, legs: Legs, state: State, out: Out) -> None:
    """A session is over. Its end lies far ahead, so it moves the shard's time only when no other session still runs."""
    state.sessions[session].ended = 1
    for other in range(state.sessions.size):
        if not state.sessions[other].ended:
            return
    clock = state.clock[0]
    before, now_ns = clock.time_ns, max(clock.time_ns, event_ns)
    if before != UNSET_NS:
        if legs.snapshots_ns:
            tell_interval(now_ns, state, out)
        start_ns = before // INTERVAL_NS * INTERVAL_NS
        end_ns = start_ns + INTERVAL_NS
        _close_minutes(start_ns, end_ns, max(now_ns, end_ns + NS_PER_MS), legs, state, out)
    clock.time_ns = now_ns
    clock.next_grid_ns = clock.time_ns // MARKS_NS * MARKS_NS + MARKS_NS
    clock.spreads += 1
    _event(ENDED, clock.time_ns, session, sequence, state, out)
    _beat_samples(clock.time_ns, state, out)


@part
def _marks(event_ns: int, state: State, out: Out) -> None:
    """The quotes that changed since the last marks, and those whose trading did; none when none did."""
    clock = state.clock[0]
    if clock.changed == 0:
        return
    clock.marks += 1
    marks = out.marks[out.counts[MARKS_AT]]
    marks.sequence, marks.event_ns = clock.marks, event_ns
    marks.first, marks.count = out.counts[MARKED_AT], clock.changed
    for place in range(clock.changed):
        instrument = state.changed[place]
        quote = state.quotes[instrument]
        quote.changed = 0
        marked = out.marked[out.counts[MARKED_AT] + place]
        marked.instrument, marked.bid, marked.ask, marked.time_ns = instrument, quote.bid, quote.ask, quote.time_ns
        marked.state = (HALTED if quote.halted else 0) | (CLOSED if quote.closed else 0)
    out.counts[MARKS_AT] += 1
    out.counts[MARKED_AT] += clock.changed
    clock.changed = 0


@inlined_part
def _tell(row: Any, index: int, now_ns: int, legs: Legs, state: State) -> None:
    """Put a pair and its spread as it is into a row of SPREAD or SAMPLED."""
    pair = state.pairs[index]
    row.pair, row.rung, row.z = index, rung_of(pair.z), pair.z
    row.spread, row.mean, row.std, row.slope = pair.spread, pair.z_mean, pair.z_std, pair.slope
    row.mid_a, row.mid_b = state.quotes[legs.a[index]].mid, state.quotes[legs.b[index]].mid
    row.beta = _units(index, legs, state)
    row.flags = flags_of(index, now_ns, legs, state)


@inlined_part
def _units(index: int, legs: Legs, state: State) -> float:
    """Units of the second leg that make up for one of the first, in moves or in worth."""
    model = legs.models[index]
    slope: float = state.pairs[index].slope
    if not (model.dollar or model.logs):
        return slope
    worth: float = state.quotes[legs.a[index]].mid / state.quotes[legs.b[index]].mid
    return math.copysign(worth, slope) if model.dollar else slope * worth


@inlined_part
def _tell_minute(row: Any, index: int, now_ns: int, legs: Legs, state: State) -> None:
    pair, fit = state.pairs[index], state.fits[index]
    a, b = legs.a[index], legs.b[index]
    row.pair, row.z = index, pair.z
    row.mid_a, row.mid_b = state.quotes[a].mid, state.quotes[b].mid
    y, x = price(a, legs.models[index].logs, state), price(b, legs.models[index].logs, state)
    row.spread, row.mean, row.slope = y - pair.slope * x, pair.mean, pair.slope
    row.std = expected(index, x, legs, state) if pair.formed else 0.0
    row.beta = _units(index, legs, state)
    row.flags = flags_of(index, now_ns, legs, state)
    row.bars, row.half_life_s, row.breaks = fit.bars, fit.half_life_s, fit.breaks
    row.adf_t, row.adf_critical, row.correlation = fit.adf_t, fit.adf_critical, fit.correlation


@inlined_part
def _event(kind: int, event_ns: int, session: int, sequence: int, state: State, out: Out) -> None:
    """An event of the shard under its last number, of no pair."""
    clock = state.clock[0]
    clock.last_event_ns = event_ns
    clock.waiting = 1
    event = out.spreads[out.counts[SPREADS_AT]]
    out.counts[SPREADS_AT] += 1
    event.kind, event.sequence, event.event_ns = kind, clock.spreads, event_ns
    event.pair, event.rung, event.flags = -1, 0, 0
    event.z = event.z_before = event.spread = event.mean = event.std = event.beta = event.mid_a = event.mid_b = 0.0
    event.slope = 0.0
    event.session, event.tick_sequence = session, sequence
