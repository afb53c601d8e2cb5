"""Returns of two series of bars over the times that both have: how alike they move, in one time zone or not at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Prices = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Alike:
    """`common`: bars that both series have, with a price in each; `correlation`: Pearson's, of their log returns from
    one common bar to the next; NaN below three of them, and where one never moves."""

    common: int
    correlation: float


def alike(first_ns: Times, first: Prices, second_ns: Times, second: Prices, within_ns: int = 0) -> Alike:
    """Compare two series of closing prices by the starts of their bars, UTC ns, each start once.

    `within_ns`: returns over a longer time between two common bars are left out, as over a night or a gap; 0 takes all.
    """
    times, a, b = np.intersect1d(first_ns, second_ns, assume_unique=True, return_indices=True)
    priced = (first[a] > 0) & (second[b] > 0)
    times, left, right = times[priced], first[a][priced], second[b][priced]
    moves = np.diff(np.log(left)), np.diff(np.log(right))
    kept = np.diff(times) <= within_ns if within_ns else np.ones(max(0, len(times) - 1), np.bool_)
    one, other = moves[0][kept], moves[1][kept]
    if len(one) < 3 or not one.std() or not other.std():
        return Alike(len(times), float("nan"))
    return Alike(len(times), float(np.corrcoef(one, other)[0, 1]))
