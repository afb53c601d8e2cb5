"""The reference file: venues, instruments from when until when, their ticks and lots, splits and dividends. YAML,
checked whole.

```yaml
reference: us-desk
version: 1                      # a whole number, one more at each change
venues:                         # calendar: of exchange_calendars (XNYS, CMES, 24/7, ...)
  nasdaq: {protocol: itch50, time_zone: America/New_York, calendar: XNYS}
tick_tables:                    # steps by price; may be left out
  us_equity: [{from: 0, tick_size: 0.0001}, {from: 1, tick_size: 0.01}]
instruments:                    # tick_size in the currency, or tick_table; lot_size in units of the instrument
  - {id: USO, venue: nasdaq, symbol: USO, asset_class: equity, currency: USD, tick_table: us_equity, lot_size: 1,
     valid_from: 2006-04-10}    # and valid_to, a day on which it is no longer so; calendar, where not the venue's
splits:                         # from ex_date on there are `new` shares for `old` ones
  - {instrument: USO, ex_date: 2020-04-29, new: 1, old: 8}
dividends:                      # in the instrument's currency
  - {instrument: SPY, ex_date: 2013-09-20, amount: 0.838}
```

What changed for an instrument (symbol, tick, lot) is a further entry of the same id, from the day on which the one
before ends.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.contracts import marked_yaml
from pipelines.contracts.calendars import UnknownCalendar, check_calendar
from pipelines.contracts.marked_yaml import Section
from pipelines.domain.reference import (
    Dividend,
    Reference,
    ReferenceInstrument,
    ReferenceVenue,
    Split,
    TickTable,
    UnknownReference,
)

ASSET_CLASSES = ("equity", "etf", "future", "forex", "crypto", "perpetual", "option", "index", "bond")

_NO_DAY = date(1970, 1, 1)
_MOST = 2**31 - 1


class ReferenceFileError(ValueError):
    """What is wrong with a reference file: one line a fault, `file:line: field: what: way out`."""


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """A reference as another file uses it: as of a day, or each instrument in its latest version. Without one, nothing
    is known."""

    reference: Reference | None = None
    on: date | None = None

    @property
    def protocols(self) -> Mapping[str, str]:
        """By venue."""
        return {venue.name: venue.protocol for venue in self.reference.venues} if self.reference else {}

    def find(self, section: Section, id: str) -> ReferenceInstrument | None:
        """What is known of the instrument that a section of the other file names; None for nothing. Notes a fault where
        that section leaves out what the reference does not say."""
        if self.reference is None or id not in self.reference.ids:
            return None
        try:
            found = self.reference.instrument(id, self.on)
        except UnknownReference as error:
            section.fault("id", str(error))
            return None
        if found.tick_size is None and not section.has("tick_size"):
            steps = ", ".join(f"{size:g}" for size in found.ticks.tick_sizes)
            section.fault("tick_size", f"goes by price in the reference ({steps}): give the one that is meant")
        return found


def load_reference(path: str | os.PathLike[str]) -> Reference:
    """The reference in a file. Raises ReferenceFileError with all of its faults."""
    top, faults = marked_yaml.read(Path(path))
    reference = None if faults else _reference(top)
    if reference is None or faults:
        raise ReferenceFileError(str(faults))
    return reference


def _reference(top: Section) -> Reference:
    name, version = top.name("reference"), top.whole("version", 1, _MOST)
    venues = {venue.name: venue for venue in _venues(top.section("venues"))}
    tables = {table.name: table for table in _tick_tables(top.section("tick_tables", required=False))}
    instruments = tuple(_instruments(top, venues, tables))
    ids = tuple(dict.fromkeys(instrument.id for instrument in instruments))
    splits, dividends = tuple(_splits(top, ids)), tuple(_dividends(top, ids))
    top.done()
    return Reference(name, version, tuple(venues.values()), instruments, splits, dividends)


def _venues(section: Section | None) -> Iterator[ReferenceVenue]:
    for name in section.names() if section else ():
        venue = section.section(name) if section else None
        if not section or not venue:
            continue
        section.check_name(name, name)
        zone = venue.text("time_zone")
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            if zone:
                venue.fault("time_zone", f"{zone!r} is no time zone: give one as America/New_York")
        yield ReferenceVenue(name, venue.name("protocol"), zone, _calendar(venue))
        venue.done()


def _calendar(section: Section, default: str | None = None) -> str:
    name = section.text("calendar", default=default)
    if name and name != default:
        try:
            check_calendar(name)
        except UnknownCalendar as error:
            section.fault("calendar", str(error))
    return name


def _tick_tables(section: Section | None) -> Iterator[TickTable]:
    for name in section.names() if section else ():
        if section is None:
            continue
        section.check_name(name, name)
        prices: list[float] = []
        sizes: list[float] = []
        for step in section.sections(name):
            price, size = step.number("from"), step.number("tick_size", positive=True)
            step.done()
            if not prices and price != 0:
                step.fault("from", f"{price:g}: the first step is from 0")
            if prices and price <= prices[-1]:
                step.fault("from", f"{price:g}: not above the step before ({prices[-1]:g})")
            prices.append(price)
            sizes.append(size)
        yield TickTable(name, tuple(prices) or (0.0,), tuple(sizes) or (0.0,))


def _instruments(
    top: Section, venues: Mapping[str, ReferenceVenue], tables: Mapping[str, TickTable]
) -> Iterator[ReferenceInstrument]:
    seen: list[tuple[Section, ReferenceInstrument]] = []
    for section in top.sections("instruments"):
        venue = section.one_of("venue", venues, "venue")
        instrument = ReferenceInstrument(
            id=section.name("id"),
            venue=venue,
            symbol=section.text("symbol"),
            asset_class=section.one_of("asset_class", ASSET_CLASSES, "asset class"),
            currency=section.name("currency"),
            lot_size=section.number("lot_size", positive=True),
            ticks=_ticks(section, tables),
            calendar=_calendar(section, default=venues[venue].calendar if venue else ""),
            valid_from=_day(section, "valid_from"),
            valid_to=_day(section, "valid_to") if section.has("valid_to") else None,
        )
        section.done()
        if instrument.valid_to is not None and instrument.valid_to <= instrument.valid_from:
            section.fault("valid_to", f"{instrument.valid_to}: not after valid_from, {instrument.valid_from}")
        same = [one for one in seen if one[1].id == instrument.id and instrument.id]
        _alone(same, section, instrument, f"instrument {instrument.id!r}")
        others = [one for one in seen if one[1].id != instrument.id and one[1].venue == venue and venue]
        named = f"symbol {instrument.symbol!r} of venue {venue}"
        _alone([one for one in others if one[1].symbol == instrument.symbol], section, instrument, named)
        seen.append((section, instrument))
        yield instrument


def _ticks(section: Section, tables: Mapping[str, TickTable]) -> TickTable:
    if section.has("tick_table"):
        if section.has("tick_size"):
            section.fault("tick_size", "a tick_table is given too: leave one out")
        return tables.get(section.one_of("tick_table", tables, "tick table"), TickTable("", (0.0,), (0.0,)))
    return TickTable("", (0.0,), (section.number("tick_size", positive=True),))


def _alone(
    taken: list[tuple[Section, ReferenceInstrument]], section: Section, instrument: ReferenceInstrument, what: str
) -> None:
    """Note a fault where an entry holds on a day on which another of those taken does."""
    for other, known in taken:
        begins_before_end = known.valid_to is None or instrument.valid_from < known.valid_to
        ends_after_begin = instrument.valid_to is None or instrument.valid_to > known.valid_from
        if begins_before_end and ends_after_begin:
            line = other.line("valid_from")
            section.fault("valid_from", f"{what} is given twice from {instrument.valid_from} on: see line {line}")
            break


def _splits(top: Section, ids: tuple[str, ...]) -> Iterator[Split]:
    taken: set[tuple[str, date]] = set()
    for section in top.sections("splits", required=False):
        split = Split(
            instrument=section.one_of("instrument", ids, "instrument"),
            ex_date=_day(section, "ex_date"),
            new=section.number("new", positive=True),
            old=section.number("old", positive=True),
        )
        section.done()
        _once(taken, section, split.instrument, split.ex_date)
        yield split


def _dividends(top: Section, ids: tuple[str, ...]) -> Iterator[Dividend]:
    taken: set[tuple[str, date]] = set()
    for section in top.sections("dividends", required=False):
        dividend = Dividend(
            instrument=section.one_of("instrument", ids, "instrument"),
            ex_date=_day(section, "ex_date"),
            amount=section.number("amount", positive=True),
        )
        section.done()
        _once(taken, section, dividend.instrument, dividend.ex_date)
        yield dividend


def _once(taken: set[tuple[str, date]], section: Section, instrument: str, ex_date: date) -> None:
    if instrument and (instrument, ex_date) in taken:
        section.fault("ex_date", f"{instrument} has one on {ex_date} already: add them up")
    taken.add((instrument, ex_date))


def _day(section: Section, name: str) -> date:
    text = section.text(name)
    if not text:
        return _NO_DAY
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        section.fault(name, f"{text!r} is no day: give one as 2013-10-07")
        return _NO_DAY
