"""Courses of a pair made by hand: a row a second, z as it is given."""

from collections.abc import Sequence

import numpy as np

from pipelines.domain.trading import Side
from pipelines.history.pair_course import Break, Filled, PairCourse, SignalMade
from pipelines.history.profit import Fill, Terms

START_US = 1_767_623_400_000_000
"""2026-01-05T14:30:00Z"""


def at(second: float) -> int:
    """Seconds since the start, as a time of the course."""
    return START_US + round(second * 1_000_000)


def course(
    z: Sequence[float],
    signals: Sequence[SignalMade] = (),
    fills: Sequence[Filled] = (),
    breaks: Sequence[Break] = (),
    pair: str = "KO-PEP",
) -> PairCourse:
    """KO at 60 and a hundredth of z, PEP at 170; mean 0, standard deviation 1."""
    values = np.array(z, np.float64)
    flat = np.ones(len(values))
    return PairCourse(
        session="session-1",
        pair=pair,
        a="KO",
        b="PEP",
        terms={"KO": Terms(0.01, 10.0, "USD"), "PEP": Terms(0.01, 1.0, "USD")},
        time_us=at(0) + np.arange(len(values)) * 1_000_000,
        values={"z": values, "spread": values, "mean": 0 * flat, "std": flat, "beta": flat,
                "mid_a": 60 + values / 100, "mid_b": 170 * flat},
        signals=tuple(signals),
        fills=tuple(fills),
        breaks=tuple(breaks),
    )  # fmt: skip


def fill(second: float, instrument: str, lots: int, price: float) -> Filled:
    """Bought lots; sold where they are negative."""
    side = Side.BUY if lots > 0 else Side.SELL
    return Filled(at(second), Fill("KO-PEP", instrument, side, abs(lots), price))


def signal(second: float, action: str, z: float, orders: int = 2, refusal: str = "") -> SignalMade:
    return SignalMade(at(second), "pair_reversion", action, z, z, orders, refusal)
