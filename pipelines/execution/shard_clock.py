"""Shard time as a log is read, and which of its rows come for the first time."""

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.blocks import TickBlock

BEGINNING_NS = -(2**63)
"""Before all event time: where a reader stands that starts at the beginning of a log."""


class ShardClock:
    """Reads one shard's blocks in the order of its log. `time_ns`: the running maximum of event times."""

    def __init__(self) -> None:
        self.time_ns = BEGINNING_NS
        self._marks: dict[tuple[str, str], int] = {}

    def take(self, block: TickBlock) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Shard time at each row of a block, one row at least, and whether its sequence is above its session's mark:
        those that are not are a repeated read, to be dropped."""
        ticks = block.ticks
        times = np.maximum.accumulate(np.maximum(ticks["event_ns"], self.time_ns))
        session = (block.venue, block.session)
        mark = self._marks.get(session, -1)
        self._marks[session] = max(mark, int(ticks["sequence"].max()))
        self.time_ns = int(times[-1])
        return times, ticks["sequence"] > mark
