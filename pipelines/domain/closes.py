"""Closing prices of instruments, the last bars of them: rings of a row a second and of a row a minute of shard time."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined, part
from pipelines.domain.hedge import Sums
from pipelines.domain.live import is_live
from pipelines.domain.shard import Indices, Legs
from pipelines.domain.spread_state import State

SECONDS, MINUTES = 0, 1
"""Places in State.closed."""


class Window(NamedTuple):
    """Sums over the rows of a window in which both legs have a price; how many these are."""

    rows: int
    sums: Sums


@part
def close_all(which: int, now_ns: int, times: Indices, mids: NDArray[np.float64], legs: Legs, state: State) -> None:
    """Put every instrument's mid in: NaN for one that is stale, halted or closed."""
    if times.size == 0:
        return
    place = state.closed[which] % times.size
    times[place] = now_ns
    for instrument in range(state.quotes.size):
        live = is_live(instrument, now_ns, legs, state)
        mids[instrument, place] = state.quotes[instrument].mid if live else np.nan
    state.closed[which] += 1
    state.clock[0].slow = 1


@inlined
def value(mid: float, logs: bool) -> float:
    return np.log(mid) if logs else mid


@compiled
def window_of(closed: int, window: int, a: int, b: int, logs: bool, mids: NDArray[np.float64]) -> Window:
    """Of y, the first leg, and x, the second, over the last `window` bars."""
    size = mids.shape[1]
    wanted = min(closed, window, size)
    start = (closed - wanted) % size if size else 0
    rows, mean_x, mean_y = 0, 0.0, 0.0
    place = start
    for _ in range(wanted):
        y, x = mids[a, place], mids[b, place]
        if not (np.isnan(y) or np.isnan(x)):
            mean_y += value(y, logs)
            mean_x += value(x, logs)
            rows += 1
        place = place + 1 if place + 1 < size else 0
    if rows == 0:
        return Window(0, Sums(0.0, 0.0, 0.0, 0.0, 0.0))
    mean_x /= rows
    mean_y /= rows
    xx = xy = yy = 0.0
    place = start
    for _ in range(wanted):
        y, x = mids[a, place], mids[b, place]
        if not (np.isnan(y) or np.isnan(x)):
            of_y, of_x = value(y, logs) - mean_y, value(x, logs) - mean_x
            xx += of_x * of_x
            xy += of_x * of_y
            yy += of_y * of_y
        place = place + 1 if place + 1 < size else 0
    return Window(rows, Sums(mean_x, mean_y, xx / rows, xy / rows, yy / rows))


@part
def rescale(instrument: int, factor: float, state: State) -> None:
    """All closing prices of an instrument, as if a corporate action had always been."""
    for place in range(state.second_times.size):
        state.second_mids[instrument, place] *= factor
    for place in range(state.minute_times.size):
        state.minute_mids[instrument, place] *= factor
    state.clock[0].slow = 1
