"""How an account takes itself down when a limit breaks: how much at a time, and when it is inside again."""

from dataclasses import dataclass

from pipelines.domain.market import NS_PER_S

DAY_S = 23_400
"""Seconds of a trading day, of which volumes are told: six and a half hours."""


@dataclass(frozen=True, slots=True)
class Unwinding:
    """`every_ns`: a stage each. Of a leg at most `participation` of what trades in that time, and no more than moves
    its price by `impact` (a share) by the square-root law; where its volume is not known, `fraction` of what is held.

    It is over when all that was broken is below its limit by `hysteresis` (a share). What is beyond a limit of money
    by drift of prices alone is borne up to `drift`. `patience` stages that move nothing end it, halted.
    """

    every_ns: int = NS_PER_S
    participation: float = 0.1
    impact: float = 0.002
    fraction: float = 0.25
    hysteresis: float = 0.1
    drift: float = 0.1
    patience: int = 20


USUAL = Unwinding()


def slice_lots(held: int, volume_per_day: float, deviation: float, how: Unwinding) -> int:
    """The most lots of a leg that go in a stage; 1 at least. `deviation`: of a day's return, as a share.

    The square-root law: n lots of a day's volume V move a price by deviation * sqrt(n / V) (Almgren and others 2005;
    Toth and others 2011).
    """
    lots = abs(held)
    if volume_per_day <= 0:
        return max(1, -int(-lots * how.fraction // 1))
    most = how.participation * volume_per_day * how.every_ns / NS_PER_S / DAY_S
    if deviation > 0:
        most = min(most, volume_per_day * (how.impact / deviation) ** 2)
    return min(lots, max(1, int(most)))
