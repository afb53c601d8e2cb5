"""Daily closing prices from before a simulated session: what its risk looks back on.

Of each pair a walk that both legs share and a spread that is drawn back, as the session's own prices, a step a day; the
last close is where the session begins. Seeded by the session's seed, and by nothing that it draws itself.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import NS_PER_S
from pipelines.feeds.simulated import Simulation
from pipelines.feeds.simulated_prices import PairPrices

CHUNK = 1 << 30
"""Of the generator: no session has so many chunks of events."""

WALK_SD = 0.012
"""Of the shared walk, a day."""

SPREAD_SD = 0.006
"""Of the spread, of the first leg's price."""

PHI = 0.8
"""What a spread keeps of itself from a day to the next."""


def daily_closes(simulation: Simulation, days: int) -> tuple[Sequence[datetime], dict[str, NDArray[np.float64]]]:
    """Times, a day apart, the last a day before the session, and prices by instrument, shape (days,)."""
    begins = datetime.fromtimestamp(simulation.start_ns / NS_PER_S, UTC)
    times = [begins - timedelta(days=days - number) for number in range(days)]
    found: dict[str, NDArray[np.float64]] = {}
    for shard in range(simulation.shards):
        numbers = simulation.pairs_of(shard)
        prices = PairPrices.drawn(simulation.rng(shard, 0), len(numbers))
        normals = simulation.rng(shard, CHUNK).standard_normal((2, len(numbers), days))
        for place, number in enumerate(numbers):
            walk = np.exp(WALK_SD * np.cumsum(normals[0, place]))
            walk *= prices.walk[place] / walk[-1]
            first = prices.intercept[place] + prices.beta[place] * walk
            spread = _drawn_back(normals[1, place]) * SPREAD_SD * first[-1]
            first += spread - spread[-1]
            for symbol, closes in zip(simulation.symbols[2 * number : 2 * number + 2], (first, walk), strict=True):
                found[symbol.removesuffix("USDT")] = np.maximum(np.round(closes, 2), 0.01)
    return times, found


def _drawn_back(normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """AR(1) of deviation 1."""
    found = normals.copy()
    for day in range(1, len(found)):
        found[day] = PHI * found[day - 1] + np.sqrt(1.0 - PHI * PHI) * normals[day]
    return found
