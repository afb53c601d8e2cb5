"""What of a pair is drawn as lines: few enough points, all at the same times, and open where nothing is known."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.trading import Side
from pipelines.history.pair_course import Break, PairCourse, Values
from pipelines.pages.outline import Outline, outline

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """Where points are: UTC ms, and the course's rows; NaN and -1 where a line is open."""

    time_ms: Values
    rows: Rows

    def of(self, values: Values) -> Values:
        """A series of the course at these points."""
        return np.where(self.rows < 0, np.nan, values[self.rows])


def drawn(course: PairCourse, series: Sequence[Values]) -> Outline:
    """The rows that outline each of some series, of the rows at which both legs are known or one is."""
    known = np.flatnonzero(course.known(course.a) | course.known(course.b))
    outlines = [outline(values[known]) for values in series]
    return Outline(known[np.unique(np.concatenate([each.rows for each in outlines]))], outlines[0].run)


def line(course: PairCourse, rows: Rows, *legs: str) -> Line:
    """Points at those of some rows at which legs are known, open in their breaks; both legs if none is named."""
    kept = rows[course.known(*legs)[rows]]
    starts = np.sort([each.start_us for each in course.breaks if each.instrument in (legs or (course.a, course.b))])
    part = np.searchsorted(starts, course.time_us[kept], "left")
    opens = np.flatnonzero(np.diff(part)) + 1
    return Line(np.insert(course.time_us[kept] / 1e3, opens, np.nan), np.insert(kept, opens, -1))


def lots_held(course: PairCourse, rows: Rows, leg: str) -> tuple[Values, Values]:
    """Times, UTC ms, and lots of a leg then, signed: at some rows, and at each of its fills since the first row."""
    fills = [each for each in course.fills if each.fill.instrument == leg]
    times = np.array([each.time_us for each in fills], np.int64)
    after = np.cumsum([0] + [each.fill.lots if each.fill.side == Side.BUY else -each.fill.lots for each in fills])
    shown = np.union1d(course.time_us[rows], times[times >= course.time_us[0]])
    return shown / 1e3, after[np.searchsorted(times, shown, "right")].astype(np.float64)


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
