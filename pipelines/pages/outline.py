"""A long series with as many points as a page can draw: of each run of rows the first, lowest, highest and last.

What is left out lies between two points that are drawn: no peak is lost, and no value is made up (U. Jugel et al.,
"M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POINTS = 2400
"""Of a line: four for each of 600 runs, with which it looks on a screen as it does with all."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The rows to draw, rising, and how many rows a run has: 1 where all are drawn."""

    rows: NDArray[np.int64]
    run: int


def outline(values: NDArray[np.float64], points: int = POINTS) -> Outline:
    """Of finite values, shape (rows,); at most about `points` of them, 4 at least."""
    count = len(values)
    if count <= points:
        return Outline(np.arange(count), 1)
    run = -(-count // max(1, points // 4))
    whole = count // run * run
    starts = np.arange(0, whole, run)
    runs = values[:whole].reshape(-1, run)
    kept = [starts, starts + runs.argmin(1), starts + runs.argmax(1), starts + run - 1]
    if whole < count:
        rest = values[whole:]
        kept.append(whole + np.array([0, rest.argmin(), rest.argmax(), len(rest) - 1]))
    return Outline(np.unique(np.concatenate(kept)), run)
