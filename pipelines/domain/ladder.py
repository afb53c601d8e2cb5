"""The ladder of z: rungs a quarter apart, the levels among them that are told of, and when a spread has passed one.

    z     ...  -0.25    0    0.25   0.5  ...
    rung  ...     -1  |  0  |  1  |  2   ...        a rung r holds the z of [r / 4, (r + 1) / 4)

A level is the lower edge of its rung. Which levels are told of is for those to say who read the crossings; left unsaid,
all are. The first crossing of a level is exact, so a signal whose parameters are levels fires on the tick that a rule
on every tick would fire on. Only a level that was crossed by itself and is crossed straight back is damped: it counts
when z has gone a whole rung past it, so that a z trembling on a level does not fill the log. (After a leap over several
all are exact: the tick that comes back into a band that was leapt over must be told.)
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined

RUNG_Z = 0.25
"""How far apart rungs are, and how far past a level z has to be to have crossed it straight back."""
FARTHEST_Z = 250_000.0
"""|z| is taken as at most this on the ladder: a hair of variance may make any z, and a rung is an Avro int."""

REACH = 80
"""Rungs on each side of 0 that a `Ladder` lists one by one; beyond, either all are levels or none is."""


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels told of, on both sides of 0, in rungs from it: each of `at`, and all from `beyond` on (None: no more)."""

    at: frozenset[int] = frozenset()
    beyond: int | None = None

    @classmethod
    def parse(cls, text: str) -> "Levels":
        """Of what `str` gives. ValueError says what is no level."""
        found = cls()
        for part in (each.strip() for each in text.split(",")):
            number = float(part.removesuffix(".."))
            rung = round(number / RUNG_Z) if math.isfinite(number) else -1
            if rung < 0 or abs(rung * RUNG_Z - number) > 1e-9:
                raise ValueError(f"{part}: levels are multiples of {RUNG_Z} from 0 on")
            found |= cls(beyond=rung) if part.endswith("..") else cls(frozenset({rung}))
        return found

    def __or__(self, other: "Levels") -> "Levels":
        ends = [each for each in (self.beyond, other.beyond) if each is not None]
        beyond = min(ends, default=None)
        return Levels(frozenset(at for at in self.at | other.at if beyond is None or at < beyond), beyond)

    def __ge__(self, other: "Levels") -> bool:
        """Whether these have all of the other's."""
        return self | other == self

    def __str__(self) -> str:
        """In z: `0.5, 2..`."""
        parts = [f"{at * RUNG_Z:g}" for at in sorted(self.at)]
        return ", ".join(parts if self.beyond is None else [*parts, f"{self.beyond * RUNG_Z:g}.."]) or "none"


ALL_LEVELS = Levels(beyond=0)


class Ladder(NamedTuple):
    """`Levels` as the kernel looks them up: of rung r, at r + REACH, z of the level at or below it, and of the next
    above it (infinite where there is none). `open`: whether every rung beyond REACH is a level."""

    below: NDArray[np.float64]
    above: NDArray[np.float64]
    open: bool

    @classmethod
    def of(cls, levels: Levels) -> "Ladder":
        """ValueError where a level lies beyond REACH."""
        told = sorted({*levels.at, *(range(levels.beyond, REACH) if levels.beyond is not None else ())})
        if told and not 0 <= told[0] <= told[-1] < REACH:
            raise ValueError(f"levels {levels}: the ladder reaches from 0 to {(REACH - 1) * RUNG_Z:g}")
        is_open = levels.beyond is not None
        ends = (-math.inf, math.inf) if not is_open else (-REACH * RUNG_Z, REACH * RUNG_Z)
        edges = np.array([ends[0], *sorted({sign * at * RUNG_Z for at in told for sign in (-1, 1)}), ends[1]])
        rungs = np.arange(-REACH, REACH) * RUNG_Z
        place = np.searchsorted(edges[:-1], rungs, side="right")
        return cls(edges[place - 1], edges[place], is_open)


@compiled
def rung_of(z: float) -> int:
    """The rung that a z lies on."""
    return math.floor(min(max(z, -FARTHEST_Z), FARTHEST_Z) / RUNG_Z)


@inlined
def level_below(ladder: Ladder, rung: int) -> float:
    """z of the highest level at or below a rung."""
    if -REACH <= rung < REACH:
        z: float = ladder.below[rung + REACH]
    elif ladder.open:
        z = RUNG_Z * rung
    else:
        z = -math.inf if rung < 0 else ladder.below[-1]
    return -math.inf if z <= -FARTHEST_Z else z


@inlined
def level_above(ladder: Ladder, rung: int) -> float:
    """z of the lowest level above a rung."""
    if -REACH <= rung < REACH:
        z: float = ladder.above[rung + REACH]
    elif ladder.open:
        z = RUNG_Z * (rung + 1)
    else:
        z = math.inf if rung > 0 else ladder.above[0]
    return math.inf if z >= FARTHEST_Z else z
