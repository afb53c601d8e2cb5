"""The course of a pair over a time: spread, legs, signals, fills, and the stretches of which nothing is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import Status
from pipelines.domain.trading import Booked, Side
from pipelines.history.profit import Fill, Terms

Times = NDArray[np.int64]
Values = NDArray[np.float64]

FILLED = ("time", "pair", "instrument", "side", "lots", "price", "booked", "amount")
"""What `filled` takes of a row."""

SERIES = ("z", "spread", "mean", "std", "beta", "mid_a", "mid_b")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STOPPED = (Status.HALTED, Status.PAUSED)
_GOES_ON = (Status.TRADING, Status.QUOTING)


@dataclass(frozen=True, slots=True)
class SignalMade:
    """A signal, and what the trader made of it: how many orders, or why none. `time_us`: event time, UTC."""

    time_us: int
    name: str
    action: str
    z: float
    spread: float
    orders: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A fill, or what was booked without one, and its event time, UTC µs."""

    time_us: int
    fill: Fill


@dataclass(frozen=True, slots=True)
class Break:
    """From after `start_us` until `end_us` nothing is known of an instrument: it is silent, or halted."""

    instrument: str
    start_us: int
    end_us: int
    why: str


@dataclass(frozen=True)
class PairCourse:
    """A pair over a time. Arrays: shape (rows,), by rising time; a row is a crossing of z or a sample of a second."""

    session: str
    pair: str
    a: str
    b: str
    terms: dict[str, Terms]
    time_us: Times
    """Event times, UTC microseconds."""
    values: dict[str, Values]
    """By name of `SERIES`."""
    signals: tuple[SignalMade, ...]
    fills: tuple[Filled, ...]
    """Of the pair since the session's beginning: positions need them all."""
    breaks: tuple[Break, ...]

    @property
    def rows(self) -> int:
        return len(self.time_us)

    @property
    def currencies(self) -> tuple[str, ...]:
        """What the legs are paid in: one currency, or two."""
        return tuple(dict.fromkeys(self.terms.get(leg, Terms()).currency for leg in (self.a, self.b)))

    @property
    def shown_fills(self) -> tuple[Filled, ...]:
        """What was traded, by a venue or against other pairs, not before the first row."""
        return tuple(
            each
            for each in self.fills
            if each.time_us >= self.time_us[0] and each.fill.booked in (None, Booked.CROSSED)
        )

    def known(self, *instruments: str) -> NDArray[np.bool_]:
        """Which rows lie in no break of these instruments; of both legs if none is named."""
        known = np.ones(self.rows, np.bool_)
        for each in self.breaks:
            if each.instrument in (instruments or (self.a, self.b)):
                known &= (self.time_us <= each.start_us) | (self.time_us >= each.end_us)
        return known


def halts(statuses: Iterable[tuple[str, datetime, int]], end_us: int) -> list[Break]:
    """The stretches in which instruments were halted or paused. `statuses`: instrument, time and code, in order; one
    that is still halted is so until `end_us`."""
    since: dict[str, int] = {}
    found = []
    for instrument, time, code in statuses:
        if code in _STOPPED:
            since.setdefault(instrument, microseconds(time))
        elif code in _GOES_ON and instrument in since:
            found.append(Break(instrument, since.pop(instrument), microseconds(time), "halted"))
    return found + [Break(instrument, start, end_us, "halted") for instrument, start in since.items() if start < end_us]


def filled(time: datetime, pair: str, instrument: str, side: str, *rest: Any) -> Filled:
    """A row of the fills: of `FILLED`."""
    lots, price, booked, amount = rest
    fill = Fill(pair, instrument, Side(side), lots, price, booked=Booked(booked) if booked else None, amount=amount)
    return Filled(microseconds(time), fill)


def microseconds(time: datetime) -> int:
    """A time with a zone as UTC microseconds, exactly."""
    return (time - _EPOCH) // timedelta(microseconds=1)
