"""How much an entry buys."""

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """FIXED: the same money each time. VOLATILITY: the same money at risk a day. KELLY: by what the pair has made."""

    FIXED = "fixed"
    VOLATILITY = "volatility"
    KELLY = "kelly"


class Broken(StrEnum):
    """What becomes of an entry of which one leg filled and the other did not: closed, or ordered again first."""

    UNWIND = "unwind"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Sizing:
    """`leg_notional`: money of the first leg, the second leg by beta; `capital` of a pair stands instead of it.

    VOLATILITY: as many lots as have together `risk` money of standard deviation a day, by the last risk update; at most
    `cap` times the leg's money. KELLY: of the leg's money the share `kelly` * mean / variance of what the pair's closed
    round trips returned on theirs (Kelly 1956, for small returns), between 0 and `cap`; the leg's money itself until
    there are `trips` of them.

    `units`: how many entries one way a strategy may add up in a pair. `flips`: an entry the other way turns the pair
    around in one move. `broken`: the leg risk.
    """

    leg_notional: float
    mode: Mode = Mode.FIXED
    risk: float = 0.0
    kelly: float = 0.5
    cap: float = 3.0
    trips: int = 20
    units: int = 1
    flips: bool = False
    broken: Broken = Broken.UNWIND


def kelly_share(trips: int, returns: float, squares: float, kelly: float, cap: float) -> float:
    """The share of a leg's money by the sums of n returns and their squares: 0 where they lost on average."""
    mean = returns / trips
    variance = squares / trips - mean * mean
    if mean <= 0:
        return 0.0
    return cap if variance <= 0 else min(cap, kelly * mean / variance)
