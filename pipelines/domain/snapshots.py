"""Instruments over short intervals of shard time: what was quoted and traded in it, and how the sizes of the best
quotes lean to one side."""

from pipelines.domain.compiled import inlined, inlined_part, part
from pipelines.domain.market import Flag
from pipelines.domain.spread_rows import INTERVALS_AT, SNAPS_AT, Out
from pipelines.domain.spread_state import State

_BUYER = int(Flag.BUYER_AGGRESSOR)


@inlined
def tilt_of(bid_size: float, ask_size: float) -> float:
    """The imbalance of two sizes, from -1 (all is offered) to 1 (all is bid for)."""
    total = bid_size + ask_size
    return (bid_size - ask_size) / total if total > 0.0 else 0.0


@inlined_part
def lean(instrument: int, tilt: float, now_ns: int, state: State) -> None:
    """From now on the imbalance is this."""
    quote = state.quotes[instrument]
    if quote.time_ns == 0:
        quote.tilted_from_ns = now_ns
    else:
        quote.tilted += quote.tilt * (now_ns - quote.tilt_ns)
    quote.tilt, quote.tilt_ns = tilt, now_ns


@inlined_part
def leant(instrument: int, now_ns: int, state: State) -> float:
    """The mean imbalance, by time, since `begin_lean`."""
    quote = state.quotes[instrument]
    past = now_ns - quote.tilted_from_ns
    if quote.time_ns == 0 or past <= 0:
        return 0.0
    mean: float = (quote.tilted + quote.tilt * (now_ns - quote.tilt_ns)) / past
    return mean


@inlined_part
def begin_lean(instrument: int, now_ns: int, state: State) -> None:
    quote = state.quotes[instrument]
    quote.tilted, quote.tilt_ns, quote.tilted_from_ns = 0.0, now_ns, now_ns


@inlined_part
def interval_quote(instrument: int, bid_size: float, ask_size: float, now_ns: int, state: State) -> None:
    """A quote, before it is the instrument's: until now its imbalance was the last one's."""
    if state.intervals.size == 0:
        return
    interval = state.intervals[instrument]
    if state.quotes[instrument].time_ns == 0:
        interval.tilted_from_ns = now_ns
    else:
        interval.tilted += state.quotes[instrument].tilt * (now_ns - interval.tilt_ns)
    interval.tilt_ns = now_ns
    interval.quotes += 1
    interval.bid_size, interval.ask_size = bid_size, ask_size


@inlined_part
def interval_trade(instrument: int, price: float, quantity: float, flags: int, state: State) -> None:
    if state.intervals.size == 0:
        return
    interval = state.intervals[instrument]
    interval.high = price if interval.trades == 0 else max(interval.high, price)
    interval.low = price if interval.trades == 0 else min(interval.low, price)
    interval.last = price
    interval.trades += 1
    interval.volume += quantity
    interval.value += price * quantity
    if flags & _BUYER:
        interval.buy_volume += quantity


@inlined_part
def interval_status(instrument: int, code: int, now_ns: int, state: State) -> None:
    if state.intervals.size == 0:
        return
    interval = state.intervals[instrument]
    interval.status, interval.status_ns, interval.status_changed = code, now_ns, 1


@part
def tell_interval(end_ns: int, state: State, out: Out) -> None:
    """The interval that ends here, of every instrument that something came of; it is told without one too, as time has
    passed."""
    clock = state.clock[0]
    first = out.counts[SNAPS_AT]
    count = 0
    for instrument in range(state.intervals.size):
        interval, quote = state.intervals[instrument], state.quotes[instrument]
        if interval.quotes == 0 and interval.trades == 0 and interval.status_changed == 0:
            interval.tilted, interval.tilt_ns, interval.tilted_from_ns = 0.0, end_ns, end_ns
            continue
        row = out.snapshots[first + count]
        count += 1
        past = end_ns - interval.tilted_from_ns
        tilted = interval.tilted + quote.tilt * (end_ns - interval.tilt_ns)
        row.instrument, row.quotes, row.trades = instrument, interval.quotes, interval.trades
        row.bid, row.bid_size, row.ask, row.ask_size = quote.bid, interval.bid_size, quote.ask, interval.ask_size
        row.imbalance = tilted / past if quote.time_ns and past > 0 else 0.0
        row.last, row.high, row.low = interval.last, interval.high, interval.low
        row.vwap = interval.value / interval.volume if interval.volume > 0.0 else 0.0
        row.volume, row.buy_volume = interval.volume, interval.buy_volume
        row.status, row.status_ns, row.status_changed = interval.status, interval.status_ns, interval.status_changed
        interval.quotes = interval.trades = interval.status_changed = 0
        interval.high = interval.low = interval.value = interval.volume = interval.buy_volume = 0.0
        interval.tilted, interval.tilt_ns, interval.tilted_from_ns = 0.0, end_ns, end_ns
    clock.intervals += 1
    told = out.intervals[out.counts[INTERVALS_AT]]
    told.sequence, told.event_ns, told.first, told.count = clock.intervals, end_ns, first, count
    out.counts[INTERVALS_AT] += 1
    out.counts[SNAPS_AT] += count
