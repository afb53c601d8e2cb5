"""Books of a shard that also know what was traded in their window, for those who take part in the volume."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import Ticks
from pipelines.execution.books import BEGINNING_NS, BeforeWindow, NotYet, ShardBooks


class TradedBooks(ShardBooks):
    """As ShardBooks, with the trades of its instruments, by shard time."""

    def __init__(self, instruments: Iterable[str], since_ns: int = BEGINNING_NS) -> None:
        super().__init__(instruments, since_ns)
        self._trades_since_ns = since_ns
        self._trades: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]] = []
        """Of each block that has some: times, instruments, units."""

    def traded(self, instrument: str, after_ns: int, until_ns: int) -> float:
        """Units traded after one time and until another. Raises NotYet or BeforeWindow."""
        if until_ns >= self.time_ns:
            raise NotYet(f"{instrument} until {until_ns}: shard time is {self.time_ns}")
        if after_ns < self._trades_since_ns:
            raise BeforeWindow(f"{instrument} after {after_ns}: the window begins at {self._trades_since_ns}")
        number, total = self._index[instrument], 0.0
        for times, numbers, units in self._trades:
            if times[-1] > after_ns and times[0] <= until_ns:
                total += float(units[(numbers == number) & (times > after_ns) & (times <= until_ns)].sum())
        return total

    def forget(self, before_ns: int) -> None:
        super().forget(before_ns)
        self._trades_since_ns = max(self._trades_since_ns, before_ns)
        while self._trades and self._trades[0][0][-1] < before_ns:
            del self._trades[0]

    def _keep_trades(
        self, ticks: Ticks, times: NDArray[np.int64], numbers: NDArray[np.int32], which: NDArray[np.bool_]
    ) -> None:
        if which.any():
            self._trades.append((times[which], numbers[which], ticks["bid_size"][which]))
