"""Volume by minute of the day, of history: what a VWAP follows, and what a POV is tried on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.rollups import DAY_NS, MINUTE_NS
from pipelines.domain.schedules import MOST_SLICES, Jitter, Planned, ScheduleError, check, plan

MINUTES = DAY_NS // MINUTE_NS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class VolumeCurve:
    """`volumes`: of an average day, shape (1440,), by the minute of the day that trades are in, in the market's own
    time. `days` that it is the average of. Raises ScheduleError where there is none."""

    volumes: Floats
    days: int = 1

    def __post_init__(self) -> None:
        if self.volumes.shape != (MINUTES,) or not np.isfinite(self.volumes).all() or self.volumes.min() < 0:
            raise ScheduleError(f"volume curve: give {MINUTES} volumes of 0 or more, one a minute of the day")
        if not self.volumes.any():
            raise ScheduleError("volume curve: no minute has any volume: give one of a day on which there was trading")

    @classmethod
    def of(
        cls, minutes: Sequence[int] | NDArray[np.int64], volumes: Sequence[float] | Floats, days: int
    ) -> "VolumeCurve":
        """The average of so many days by rows of all of them; a day without a row of a minute had no volume in it."""
        summed = np.bincount(np.asarray(minutes, np.int64), np.asarray(volumes, np.float64), MINUTES)
        return cls(summed / days, days)

    @property
    def daily(self) -> float:
        """Volume of a day."""
        return float(self.volumes.sum())

    def between(self, start_ns: int, ends_ns: Sequence[int]) -> Floats:
        """Volume from each end to the next, in ns after `start_ns` of the day; within a minute it is even, and after
        midnight the day begins again. Shape (len(ends_ns) - 1,)."""
        after = np.concatenate([[0.0], np.cumsum(np.tile(self.volumes, 2))])
        at = (np.asarray(ends_ns, np.int64) + start_ns % DAY_NS) / MINUTE_NS
        return np.diff(np.interp(at, np.arange(2 * MINUTES + 1), after))


def vwap(
    lots: int,
    start_ns: int,
    duration_ns: int,
    slices: int,
    curve: VolumeCurve,
    least: int = 1,
    jitter: Jitter | None = None,
) -> Planned:
    """In proportion to the curve's volume in each slice. `start_ns`: of the day, in the market's own time. Raises
    ScheduleError."""
    check("slices", slices, least=1, most=MOST_SLICES)
    volumes = curve.between(start_ns, [duration_ns * number // slices for number in range(slices + 1)])
    if not volumes.any():
        raise ScheduleError("volume curve: it has no volume between these times: give others, or another curve")
    return plan(lots, duration_ns, volumes.tolist(), least, jitter)


def minutes_within(start_ns: int, duration_ns: int) -> list[int]:
    """Where minutes of the day end within a window, from 0 to `duration_ns`: ns after `start_ns`."""
    first = MINUTE_NS - start_ns % MINUTE_NS
    return [0, *range(first, duration_ns, MINUTE_NS), duration_ns]


def variance_a_minute(minutes: Floats, prices: Floats, days: NDArray[np.int64]) -> float:
    """Of price changes within days, $^2 a minute: the squares of changes from a row to the next of its day, over the
    minutes between. Rows by rising time, `minutes` of the day. 0 where no day has two; nights do not count."""
    within = (np.diff(days) == 0) & (np.diff(minutes) > 0)
    spans = float(np.diff(minutes)[within].sum())
    return float((np.diff(prices)[within] ** 2).sum()) / spans if spans else 0.0
