"""What is known of instruments besides their prices: where and in what steps they trade, from when until when, and what
was done to their shares."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property


class UnknownReference(LookupError):
    """An instrument, symbol or venue that is not known on a day: says which, and what is known."""


@dataclass(frozen=True, slots=True)
class TickTable:
    """Steps of a price by its size: `tick_sizes[i]` holds from `from_prices[i]` on; both rising, the first from 0."""

    name: str
    from_prices: tuple[float, ...]
    tick_sizes: tuple[float, ...]

    def at(self, price: float) -> float:
        """The tick size at a price."""
        return self.tick_sizes[max(0, bisect_right(self.from_prices, price) - 1)]


@dataclass(frozen=True, slots=True)
class ReferenceVenue:
    """Where instruments trade. `protocol` names its feed; `calendar`: of exchange_calendars, as XNYS, CMES, 24/7."""

    name: str
    protocol: str
    time_zone: str
    calendar: str


@dataclass(frozen=True, slots=True)
class ReferenceInstrument:
    """What held of an instrument from `valid_from` to before `valid_to` (None: still). `lot_size` in units of it,
    prices in its currency; `calendar`: its session's, which may be another than its venue's."""

    id: str
    venue: str
    symbol: str
    asset_class: str
    currency: str
    lot_size: float
    ticks: TickTable
    calendar: str
    valid_from: date
    valid_to: date | None = None

    def holds(self, on: date) -> bool:
        """Whether this is what held on a day."""
        return self.valid_from <= on and (self.valid_to is None or on < self.valid_to)

    @property
    def tick_size(self) -> float | None:
        """The tick size, where it is the same at every price."""
        return self.ticks.tick_sizes[0] if len(self.ticks.tick_sizes) == 1 else None


@dataclass(frozen=True, slots=True)
class Split:
    """From `ex_date` on there are `new` shares for every `old` ones: 1 for 8 is a reverse split."""

    instrument: str
    ex_date: date
    new: float
    old: float


@dataclass(frozen=True, slots=True)
class Dividend:
    """Who buys from `ex_date` on does not get `amount` a share, in the instrument's currency."""

    instrument: str
    ex_date: date
    amount: float


@dataclass(frozen=True)
class Reference:
    """A reference file, checked. Of an instrument there may be several versions, which never overlap."""

    name: str
    version: int
    venues: tuple[ReferenceVenue, ...]
    instruments: tuple[ReferenceInstrument, ...]
    splits: tuple[Split, ...] = ()
    dividends: tuple[Dividend, ...] = ()

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The instruments, in the file's order."""
        return tuple(dict.fromkeys(instrument.id for instrument in self.instruments))

    def venue(self, name: str) -> ReferenceVenue:
        """The venue of a name. UnknownReference where there is none."""
        for venue in self.venues:
            if venue.name == name:
                return venue
        raise UnknownReference(
            f"venue {name!r} is not in reference {self.name}: it has {_few(v.name for v in self.venues)}"
        )

    def instrument(self, id: str, on: date | None = None) -> ReferenceInstrument:
        """What held of an instrument on a day; without one, its latest version. UnknownReference where nothing did."""
        versions = sorted(self._versions(id), key=lambda version: version.valid_from)
        if on is None:
            return versions[-1]
        for version in versions:
            if version.holds(on):
                return version
        spans = ", ".join(f"{version.valid_from} to {version.valid_to or 'now'}" for version in versions)
        raise UnknownReference(f"instrument {id!r} is not valid on {on}: it is {spans} (the last day not included)")

    def first_day(self, id: str) -> date:
        """From when on an instrument is known. UnknownReference where there is none."""
        return min(version.valid_from for version in self._versions(id))

    def by_symbol(self, venue: str, symbol: str, on: date) -> ReferenceInstrument:
        """The instrument that had a symbol at a venue on a day: symbols move. UnknownReference where none had."""
        for instrument in self.instruments:
            if instrument.venue == venue and instrument.symbol == symbol and instrument.holds(on):
                return instrument
        raise UnknownReference(f"symbol {symbol!r} of venue {venue} is nobody's on {on} in reference {self.name}")

    def splits_of(self, id: str) -> tuple[Split, ...]:
        """By ex-date."""
        return tuple(sorted((one for one in self.splits if one.instrument == id), key=lambda one: one.ex_date))

    def dividends_of(self, id: str) -> tuple[Dividend, ...]:
        """By ex-date."""
        return tuple(sorted((one for one in self.dividends if one.instrument == id), key=lambda one: one.ex_date))

    def _versions(self, id: str) -> list[ReferenceInstrument]:
        found = [instrument for instrument in self.instruments if instrument.id == id]
        if not found:
            raise UnknownReference(f"instrument {id!r} is not in reference {self.name}: it has {_few(self.ids)}")
        return found


def _few(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:8]) + (", …" if len(every) > 8 else "") if every else "none"
