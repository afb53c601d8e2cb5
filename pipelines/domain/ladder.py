"""The ladder of z: rungs a quarter apart, and when a spread has passed one.

    z     ...  -0.25    0    0.25   0.5  ...
    rung  ...     -1  |  0  |  1  |  2   ...        a rung r holds the z of [r / 4, (r + 1) / 4)

A level is the lower edge of its rung. The first crossing of a level is exact, so a signal whose parameters are levels
fires on the tick that a rule on every tick would fire on. Only the same level crossed straight back is damped: it
counts when z has gone `HYSTERESIS_Z` past it, so that a z trembling on a level does not fill the log.
"""

import math

from pipelines.domain.compiled import compiled

RUNG_Z = 0.25
HYSTERESIS_Z = 0.05
FARTHEST_Z = 250_000.0
"""|z| is taken as at most this on the ladder: a hair of variance may make any z, and a rung is an Avro int."""

UP, STAYS, DOWN = 1, 0, -1


@compiled
def rung_of(z: float) -> int:
    """The rung that a z lies on."""
    return math.floor(min(max(z, -FARTHEST_Z), FARTHEST_Z) / RUNG_Z)


@compiled
def direction_of(z: float, rung: int, last_level: int, last_direction: int) -> int:
    """Whether `z` leaves `rung`: UP, DOWN or STAYS. `last_level` was crossed in `last_direction`, STAYS if none was."""
    on_ladder = min(max(z, -FARTHEST_Z), FARTHEST_Z)
    above = rung + 1
    if on_ladder >= RUNG_Z * above:
        damped = last_direction == DOWN and last_level == above
        return STAYS if damped and on_ladder < RUNG_Z * above + HYSTERESIS_Z else UP
    if on_ladder < RUNG_Z * rung:
        damped = last_direction == UP and last_level == rung
        return STAYS if damped and on_ladder >= RUNG_Z * rung - HYSTERESIS_Z else DOWN
    return STAYS


@compiled
def level_crossed(rung: int, direction: int) -> int:
    """Of the levels crossed on the way to `rung`, the one nearest to z."""
    return rung if direction == UP else rung + 1
