"""When instruments trade, as the kernel looks it up."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.domain.market import Ticks

Indices = NDArray[np.int64]


class Hours(NamedTuple):
    """Sessions of instrument i: from `opens_ns[j]` to before `closes_ns[j]`, UTC ns, for j of
    `starts[i]:starts[i + 1]`, rising; one with none is always open."""

    starts: Indices
    opens_ns: Indices
    closes_ns: Indices

    def of(self, instruments: int) -> "Hours":
        """As many instruments, each always open."""
        return Hours(np.zeros(instruments + 1, np.int64), self.opens_ns[:0], self.closes_ns[:0])


ALWAYS = Hours(np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64))


def hours_of(sessions: Sequence[Sequence[tuple[int, int]]]) -> Hours:
    """Of each instrument's sessions (opens, closes), rising."""
    flat = [hours for each in sessions for hours in each]
    return Hours(
        np.cumsum([0, *map(len, sessions)], dtype=np.int64),
        np.array([opens for opens, _ in flat], np.int64),
        np.array([closes for _, closes in flat], np.int64),
    )


@inlined
def is_open(hours: Hours, instrument: int, time_ns: int) -> bool:
    """Whether an instrument trades at a time, its close included: what is quoted until then is still of the session."""
    first, last = hours.starts[instrument], hours.starts[instrument + 1]
    if first == last:
        return True
    low, high = first, last
    while low < high:  # the first session that opens after it
        middle = (low + high) // 2
        if hours.opens_ns[middle] <= time_ns:
            low = middle + 1
        else:
            high = middle
    opened: bool = low > first and time_ns <= hours.closes_ns[low - 1]
    return opened


@compiled
def span_ns(ticks: Ticks) -> tuple[int, int]:
    """Event times of the earliest and of the latest row; of one row at least."""
    first = last = ticks[0].event_ns
    for row in range(1, ticks.size):
        first, last = min(first, ticks[row].event_ns), max(last, ticks[row].event_ns)
    return first, last
