"""What is told of an account's risk at a time: a function of its state."""

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.risk import RiskState
from pipelines.domain.tails import shares, tails
from pipelines.domain.trading import RiskUpdate

Floats = NDArray[np.float64]

S_PER_MINUTE = 60
PARTS_AT_ONCE = 128
"""Pairs whose leaving is worked out together: their profits lie in the processor's cache."""


def update(state: RiskState) -> RiskUpdate:
    """The risk as of the account's time; of a state that is `ready`."""
    config, settings, of_window = state.config, state.config.settings, state.of_window
    worth, exposures = state.worth_of_lot, state.exposures
    var, es = state.tail(exposures)
    held = np.flatnonzero(state.lots.any(axis=1))
    pair_es, incremental = _of_pairs(state, held, exposures, es)
    worths = state.lots * worth[config.legs]
    gross = float(np.abs(worths).sum())
    volume = state.window.volume_per_day(settings.day_minutes) / config.lot_size
    lot = np.abs(worth)
    days, exceptions = state.days.counts
    return RiskUpdate(
        as_of_ns=state.time_ns,
        var=var + 0.0,  # not -0.0
        es=es + 0.0,
        instruments=config.instruments,
        es_per_lot=_told(of_window.es * lot),
        method=settings.method,
        confidence=settings.confidence,
        scenarios=of_window.profits.shape[1],
        deviation_per_lot=_told(of_window.deviation * lot),
        volume_per_day=_told(volume),
        pairs=tuple(config.pairs[place] for place in held),
        pair_es=_told(pair_es),
        pair_incremental=_told(incremental),
        gross=gross,
        net=float(worths.sum()) + 0.0,
        leverage=gross / settings.capital if settings.capital else 0.0,
        beta=float(exposures @ of_window.beta) + 0.0,
        liquidity_s=_liquidity_s(state, volume),
        stress=tuple(scenario.name for scenario in settings.scenarios),
        stress_loss=_told(-(config.moves @ exposures)),
        days=days,
        exceptions=exceptions,
        zone=state.days.zone(settings.confidence),
        position_sequence=state.sequence,
    )


def _of_pairs(state: RiskState, held: NDArray[np.int64], exposures: Floats, es: float) -> tuple[Floats, Floats]:
    """What each pair has in the expected shortfall, and how much less it were without the pair: shape (held,)."""
    profits, rule = state.of_window.profits, state.config.rule
    whole = exposures @ profits
    found = np.empty((2, len(held)))
    worth = state.worth_of_lot
    for first in range(0, len(held), PARTS_AT_ONCE):
        some = slice(first, first + PARTS_AT_ONCE)
        (a, b), (lots_a, lots_b) = state.config.legs[held[some]].T, state.lots[held[some]].T
        parts = profits[a] * (lots_a * worth[a])[:, None] + profits[b] * (lots_b * worth[b])[:, None]
        found[0, some] = shares(whole, parts, rule)
        found[1, some] = es - tails(whole - parts, rule).es
    return found[0], found[1]


def _liquidity_s(state: RiskState, volume: Floats) -> float:
    """Seconds of trading until the slowest instrument is closed at our share of its volume (lots a day)."""
    settings = state.config.settings
    lots = np.abs(state.net_lots)
    held = lots > 0
    if not held.any() or not (volume[held] > 0).all():
        return 0.0
    days = lots[held] / (settings.participation * volume[held])
    return float(days.max()) * settings.day_minutes * S_PER_MINUTE


def _told(values: Floats) -> tuple[float, ...]:
    return tuple((values + 0.0).tolist())
