"""Participation (POV): a share of the volume that has been seen, and never of any that has not."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.domain.schedules import ScheduleError, check


@dataclass(frozen=True, slots=True)
class Participation:
    """`rate`: the share of the volume seen since the parent's start, own fills in it, that is aimed at: 0.1 is a tenth
    of all that trades. `cap`: of the volume since the last order no more than this share; what was missed (a halt, a
    venue away) is caught up at it, and not at once. `lot`: units of volume a lot; `least`: no order has fewer lots but
    the last. Raises ScheduleError."""

    lots: int
    rate: float
    cap: float = 1.0
    lot: float = 1.0
    least: int = 1

    def __post_init__(self) -> None:
        check("lots", self.lots, least=1)
        check("participation", self.rate, above=0.0, most=1.0)
        check("lot", self.lot, above=0.0)
        check("least", self.least, least=1)
        check("cap", self.cap, above=0.0, most=1.0)
        if self.cap < self.rate:
            raise ScheduleError(f"cap: {self.cap:g}: give the participation, {self.rate:g}, or more")

    def due(self, elapsed_ns: int, observed_volume: float) -> int:
        """Lots to have been sent, by the volume seen since the start."""
        return min(self.lots, _lots(self.rate, observed_volume, self.lot))

    def next_lots(self, done: int, observed_volume: float, before: float = 0.0) -> int:
        """Lots to send now. `done`: lots filled or working; `before`: the volume that had been seen when the last order
        was sent. 0 where fewer than `least` are due and more are left."""
        check("observed_volume", observed_volume, least=0.0)
        check("before", before, least=0.0, most=observed_volume)
        wanted = max(0, self.due(0, observed_volume) - done)
        allowed = min(wanted, _lots(self.cap, observed_volume - before, self.lot))
        return allowed if allowed >= min(self.least, self.lots - done) else 0


def follow(participation: Participation, others: Iterable[float]) -> tuple[int, ...]:
    """The lots sent in each step, when so much is traded by others in it: by the volume of the steps before."""
    done, seen, before, sent = 0, 0.0, 0.0, []
    for volume in others:
        lots = participation.next_lots(done, seen, before)
        if lots:
            done, before = done + lots, seen
        sent.append(lots)
        seen += volume + lots * participation.lot
    return tuple(sent)


def _lots(share: float, volume: float, lot: float) -> int:
    return math.floor(share * volume / lot)
