"""Moments made ready from closing prices of before the first row."""

import math

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.closes import MINUTES, SECONDS, close_all
from pipelines.domain.compiled import compiled
from pipelines.domain.live import is_live
from pipelines.domain.market import NS_PER_S
from pipelines.domain.pair_fit import price, refit
from pipelines.domain.shard import SECOND, Indices, Legs
from pipelines.domain.spread_state import State

MINUTE_NS = 60 * NS_PER_S


@compiled
def warm_up(every: int, times_ns: Indices, mids: NDArray[np.float64], legs: Legs, state: State) -> None:
    """Take closing prices, (instruments, rows), NaN for none, as bars of the pairs that have such (SECOND or MINUTE).

    No quote is left of them: the first of the session finds every pair as after a pause.
    """
    for row in range(times_ns.size):
        now_ns = times_ns[row]
        for instrument in range(state.quotes.size):
            quote, mid = state.quotes[instrument], mids[instrument, row]
            quote.mid, quote.time_ns = mid, now_ns
            quote.log = math.log(mid)
        if every == SECOND:
            close_all(SECONDS, now_ns, state.second_times, state.second_mids, legs, state)
        if now_ns % MINUTE_NS == 0:
            close_all(MINUTES, now_ns, state.minute_times, state.minute_mids, legs, state)
        for index in range(state.pairs.size):
            model = legs.models[index]
            if model.every != every or not (
                is_live(legs.a[index], now_ns, legs, state) and is_live(legs.b[index], now_ns, legs, state)
            ):
                continue
            refit(index, price(legs.a[index], model.logs, state), price(legs.b[index], model.logs, state), legs, state)
            state.pairs[index].out = 1
    for instrument in range(state.quotes.size):
        quote = state.quotes[instrument]
        quote.mid = quote.log = np.nan
        quote.time_ns = 0
