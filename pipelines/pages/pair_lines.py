"""What of a pair's course is drawn as lines: few enough points, and open where nothing is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.trading import Side
from pipelines.history.pair_course import Break, PairCourse, Values
from pipelines.pages.outline import outline


@dataclass(frozen=True, slots=True)
class Line:
    """Points of a line; NaN where it is open. `time_ms`: UTC; `rows`: which of the course's rows they are, -1 of none;
    `run`: rows of which four at most are drawn."""

    time_ms: Values
    values: Values
    rows: NDArray[np.int64]
    run: int

    def of(self, values: Values) -> Values:
        """Another series of the course at the same points."""
        return np.where(self.rows < 0, np.nan, values[self.rows])


def line(course: PairCourse, values: Values, *legs: str) -> Line:
    """A series of the course, open in the breaks of some legs; of both if none is named."""
    known = np.flatnonzero(course.known(*legs))
    drawn = outline(values[known])
    rows = known[drawn.rows]
    starts = np.sort([each.start_us for each in course.breaks if each.instrument in (legs or (course.a, course.b))])
    part = np.searchsorted(starts, course.time_us[rows], "left")
    opens = np.flatnonzero(np.diff(part)) + 1
    return Line(
        np.insert(course.time_us[rows] / 1e3, opens, np.nan),
        np.insert(values[rows], opens, np.nan),
        np.insert(rows, opens, -1),
        drawn.run,
    )


def lots_held(course: PairCourse, leg: str) -> Line:
    """Lots of a leg after each fill, signed, from the first row's time to the last's."""
    first, last = int(course.time_us[0]), int(course.time_us[-1])
    steps = [(first, 0)]
    for each in course.fills:
        if each.fill.instrument == leg:
            signed = each.fill.lots if each.fill.side == Side.BUY else -each.fill.lots
            steps.append((max(each.time_us, first), steps[-1][1] + signed))
    steps.append((max(last, steps[-1][0]), steps[-1][1]))
    times, lots = np.array(steps, np.float64).T
    return Line(times / 1e3, lots, np.full(len(steps), -1), 1)


def unknown(course: PairCourse) -> Iterator[tuple[int, int]]:
    """The stretches in which one leg or both are not known, µs, apart from each other and within the course."""
    first, last = int(course.time_us[0]), int(course.time_us[-1])
    merged: list[Break] = []
    for each in sorted(course.breaks, key=lambda each: each.start_us):
        if merged and each.start_us <= merged[-1].end_us:
            before = merged.pop()
            each = Break("", before.start_us, max(before.end_us, each.end_us), "")
        merged.append(each)
    for each in merged:
        start, end = max(each.start_us, first), min(each.end_us, last)
        if start < end:
            yield start, end
