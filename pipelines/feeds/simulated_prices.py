"""Quotes and trades of cointegrated pairs: legs that share a random walk, and a spread that is drawn back to its mean.

mid(b) = w, a random walk; mid(a) = c + beta * w + x, with x an Ornstein-Uhlenbeck process sampled at the pair's events
(AR(1), phi = 1 - 1/tau) that also jumps. The spread mid(a) - beta * mid(b) is then c + x, but for rounding to ticks
and for the leg that has not quoted yet. Only +, - and * touch prices, so a seed gives the same bytes on every machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.domain.market import Kind

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRADE_SHARE = 0.2
WALK_SD = 2e-5
"""Of the shared walk, of its level, an event."""

SPREAD_SD = 2e-3
"""Of the spread, of the first leg's price, once it has run for long."""

REVERSION_EVENTS = 600
"""tau: events of a pair in which the spread forgets 63 % of where it was."""

JUMP_SDS = 5.0


@dataclass(frozen=True, slots=True)
class PairPrices:
    """Where the pairs of a session stand, and what each is like, by pair; its instruments are 2k and 2k + 1."""

    beta: Floats
    intercept: Floats
    spread_sd: Floats
    walk: Floats
    spread: Floats
    bid: Ints
    ask: Ints

    @classmethod
    def drawn(cls, rng: np.random.Generator, pairs: int) -> "PairPrices":
        beta = np.round(rng.uniform(0.5, 1.5, pairs), 4)
        intercept = np.round(rng.uniform(5.0, 50.0, pairs), 2)
        walk = rng.uniform(50.0, 400.0, pairs)
        spread_sd = SPREAD_SD * (intercept + beta * walk)
        unquoted = np.zeros(2 * pairs, np.int64)
        return cls(beta, intercept, spread_sd, walk, np.zeros(pairs), unquoted, unquoted.copy())


@dataclass(frozen=True, slots=True)
class Moves:
    """Events of a session, in order: arrays of one length. Prices in ticks of 0.01; of a trade, `bid` is its price.
    `side`: 1 where the buyer took."""

    instrument: Ints
    kind: Ints
    side: Ints
    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints


def advance(
    prices: PairPrices,
    rng: np.random.Generator,
    events: int,
    jump_share: float,
    shown: np.random.Generator | None = None,
) -> Moves:
    """Draw the next events and move the prices along, in place. `jump_share`: of events at which the spread jumps.
    `shown` draws what another venue shows of the same prices: what an event is, how wide a quote, what sizes."""
    pairs = len(prices.beta)
    instrument = rng.integers(0, 2 * pairs, events)
    kind, side, width, sizes = _shown(rng, events)
    jumps = np.where(rng.random(events) < jump_share, np.where(rng.random(events) < 0.5, -JUMP_SDS, JUMP_SDS), 0.0)
    normals = rng.standard_normal((2, events))
    if shown is not None:
        kind, side, width, sizes = _shown(shown, events)
    bid, ask = np.empty(events, np.int64), np.empty(events, np.int64)
    _walk(
        instrument, kind, side, width, jumps, normals[0], normals[1],
        prices.beta, prices.intercept, prices.spread_sd, prices.walk, prices.spread, prices.bid, prices.ask, bid, ask,
    )  # fmt: skip
    return Moves(instrument, kind, side, bid, ask, sizes[0], sizes[1])


def _shown(rng: np.random.Generator, events: int) -> tuple[Ints, Ints, Ints, Ints]:
    kind = np.where(rng.random(events) < TRADE_SHARE, int(Kind.TRADE), int(Kind.QUOTE))
    return kind, rng.integers(0, 2, events), rng.integers(1, 5, events), rng.integers(100, 5001, (2, events))


_TRADE = int(Kind.TRADE)
_PHI = 1.0 - 1.0 / REVERSION_EVENTS
_SHOCK = (1.0 - _PHI * _PHI) ** 0.5


@compiled
def _walk(
    instrument: Ints,
    kind: Ints,
    side: Ints,
    width: Ints,
    jumps: Floats,
    walk_normal: Floats,
    spread_normal: Floats,
    beta: Floats,
    intercept: Floats,
    spread_sd: Floats,
    walk: Floats,
    spread: Floats,
    last_bid: Ints,
    last_ask: Ints,
    bid: Ints,
    ask: Ints,
) -> None:
    for i in range(len(instrument)):
        leg = instrument[i]
        pair = leg // 2
        walk[pair] += walk[pair] * WALK_SD * walk_normal[i]
        spread[pair] = _PHI * spread[pair] + spread_sd[pair] * (_SHOCK * spread_normal[i] + jumps[i])
        if kind[i] == _TRADE and last_bid[leg] > 0:
            bid[i] = last_ask[leg] if side[i] == 1 else last_bid[leg]
            ask[i] = bid[i]
            continue
        first = leg % 2 == 0
        mid = intercept[pair] + beta[pair] * walk[pair] + spread[pair] if first else walk[pair]
        bid[i] = max(np.int64(np.floor(mid * 100.0 - 0.5 * width[i])), 1)
        ask[i] = bid[i] + width[i]
        if kind[i] != _TRADE:
            last_bid[leg] = bid[i]
            last_ask[leg] = ask[i]
