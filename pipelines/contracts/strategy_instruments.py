"""The instruments of a strategy file: what is traded where, in which steps, in whose hours, and what borrowing costs.

```yaml
instruments:
  - {id: KO, venue: sim, symbol: KO, tick_size: 0.01, lot_size: 1, currency: USD, calendar: XNYS,
     sector: staples,           # what `limits: sector_notional` counts together
     borrow: 0.004}             # what being short costs, as a share of its worth a year
```
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.contracts.calendars import UnknownCalendar, check_calendar
from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.contracts.reference_file import ReferenceUse
from pipelines.domain.universe import Instrument, Strategy

_MOST_BORROW = 100.0


@dataclass(slots=True)
class Listed:
    """The instruments of a file, and what of them the strategy holds beside them, by id."""

    instruments: list[Instrument] = field(default_factory=list)
    calendars: dict[str, str] = field(default_factory=dict)
    borrow: dict[str, float] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [instrument.id for instrument in self.instruments]


def read_instruments(top: Section, venues: tuple[str, ...], reference: ReferenceUse) -> Listed:
    """Of a file's top, faults noted in it."""
    listed = Listed()
    ids, symbols = Unique("id"), Unique("symbol")
    for section in top.sections("instruments"):
        instrument = _instrument(section, venues, reference, listed)
        section.done()
        ids.take(section, instrument.id, instrument.id)
        symbols.take(section, instrument.symbol, (instrument.venue, instrument.symbol))
        listed.instruments.append(instrument)
    return listed


def dump_instruments(strategy: Strategy) -> Iterator[dict[str, object]]:
    """The sections that read as a strategy's instruments."""
    for instrument in strategy.instruments:
        told: dict[str, object] = {
            "id": instrument.id,
            "venue": instrument.venue,
            "symbol": instrument.symbol,
            "tick_size": instrument.tick_size,
            "lot_size": instrument.lot_size,
            "currency": instrument.currency,
        }
        if instrument.sector:
            told["sector"] = instrument.sector
        beside: dict[str, Mapping[str, object]] = {"calendar": strategy.calendars, "borrow": strategy.borrow}
        yield told | {name: of[instrument.id] for name, of in beside.items() if instrument.id in of}


def _instrument(section: Section, venues: tuple[str, ...], reference: ReferenceUse, listed: Listed) -> Instrument:
    id = section.name("id")
    known = reference.find(section, id)
    instrument = Instrument(
        id=id,
        venue=section.one_of("venue", venues, "venue", default=known.venue if known else None),
        symbol=section.text("symbol", default=known.symbol if known else None),
        tick_size=section.number("tick_size", positive=True, default=known.tick_size or 0.0 if known else None),
        lot_size=section.number("lot_size", positive=True, default=known.lot_size if known else None),
        currency=section.name("currency", default=known.currency if known else "USD"),
        sector=section.text("sector", default=""),
    )
    calendar = section.text("calendar", default=known.calendar if known else "")
    if calendar and calendar != "24/7":
        try:
            check_calendar(calendar)
            listed.calendars[id] = calendar
        except UnknownCalendar as error:
            section.fault("calendar", str(error))
    if section.has("borrow"):
        listed.borrow[id] = section.between("borrow", 0.0, _MOST_BORROW)
    return instrument
