"""Value at risk held against what the days brought: at the first word of a UTC day the VaR told and what is held are
kept, and at the first word of a later day it is seen what those lots would have made.

Hypothetical profits, as the Basel Committee asks for (2019, MAR32.4): of the positions of the day's beginning, without
what was traded since.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipelines.domain.value_at_risk import LEAST_ROWS
from pipelines.domain.var_backtest import Backtest, Transitions, backtest, traffic_light

NS_PER_DAY = 86_400_000_000_000

Floats = NDArray[np.float64]


class Days(msgspec.Struct):
    """`day`: number since 1970 of the day that is on, -1 for none. `exposures` (money) and `prices` as it began, shape
    (instruments,), empty where nothing was held: such a day is not counted. `exceeded`: by day."""

    day: int = -1
    var: float = 0.0
    exposures: tuple[float, ...] = ()
    prices: tuple[float, ...] = ()
    exceeded: bytes = b""
    """A byte a day: 1 for an exception."""

    def over(self, time_ns: int) -> bool:
        """Whether a time is of another, later day."""
        return time_ns // NS_PER_DAY > self.day

    def turn(self, time_ns: int, var: float, exposures: Floats, prices: Floats) -> None:
        """Hold the day that is over against its VaR, and begin the one of `time_ns`."""
        if self.exposures:
            then, now = np.array(self.prices), prices
            known = ~(np.isnan(then) | np.isnan(now))
            made = float(np.array(self.exposures)[known] @ (now[known] / then[known] - 1.0))
            self.exceeded += b"\x01" if made < -self.var else b"\x00"
        self.day, self.var = time_ns // NS_PER_DAY, var
        held = bool(exposures.any())
        self.exposures = tuple(exposures.tolist()) if held else ()
        self.prices = tuple(prices.tolist()) if held else ()

    @property
    def counts(self) -> tuple[int, int]:
        """Days that were held against their VaR, and exceptions of these."""
        return len(self.exceeded), self.exceeded.count(1)

    def zone(self, confidence: float) -> str:
        """Of all days; empty before the first."""
        days, exceptions = self.counts
        return traffic_light(exceptions, days, confidence).value if days else ""

    def tested(self, confidence: float) -> Backtest | None:
        """Kupiec's and Christoffersen's tests of the days; None before there are two."""
        days, exceptions = self.counts
        if days < LEAST_ROWS:
            return None
        hits = np.frombuffer(self.exceeded, np.uint8) != 0
        return backtest(exceptions, days, confidence, Transitions.of(hits))
