"""A parent order, venues and their books in a file, for `helios route preview`. YAML, and so JSON too.

```yaml
instrument: {name: AIG, tick: 0.01, lot: 100}
parent: {side: buy, lots: 30, limit: 48.90, urgency: 0.8}   # limit may be left out; urgency 1 posts nothing
model: {thinning: 0.2, impact_ticks: 0.5, drift_ticks: 0.5, wait_ticks: 1, adverse_ticks: 0.5}
venues:
  - name: Q
    latency_ms: 2
    taker: {per_unit: 0.003}                    # or bps; below zero a rebate
    maker: {per_unit: -0.002}
    chance: 0.98                                # that a quote is there; of those, 1/e are left after lifetime_ms
    lifetime_ms: 500
    turnover_lots: 30                           # trades at its touch while a posted order waits; 0: post nothing
  - {name: MID, latency_ms: 3, dark: {chance: 0.3, lots: 8}}
books:
  - venue: Q
    bids: [{price: 48.85, lots: 13}]
    asks: [{price: 48.86, lots: 12, age_ms: 40, chance: 0.9}]   # told 40 ms ago, and then not for sure
```
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from pipelines.contracts import marked_yaml
from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Side
from pipelines.domain.venue_books import Dark, Fee, Level, ParentOrder, RouteModel, RouteVenue, VenueBook

MOST_LOTS = 1_000_000_000
MOST_TICKS = 1_000_000_000
MOST_MS = 3_600_000.0


class RouteFileError(ValueError):
    """What is wrong with the file: one line a fault, `file:line: field: what: way out`."""


@dataclass(frozen=True, slots=True)
class RouteFile:
    """What a file asks to be routed."""

    instrument: str
    parent: ParentOrder
    venues: tuple[RouteVenue, ...]
    books: tuple[VenueBook, ...]
    model: RouteModel


def load_route(path: Path) -> RouteFile:
    """Read a file. Raises RouteFileError with all that is wrong with it."""
    try:
        top, faults = marked_yaml.read(path)
    except RecursionError:
        raise RouteFileError(f"{path}:1: nested too deep: three levels are enough") from None
    name, tick, lot = "", Decimal(1), 1.0
    instrument = top.section("instrument")
    if instrument is not None:
        name = instrument.text("name", "the instrument")
        tick = _decimal(instrument, "tick") or Decimal(1)
        lot = instrument.number("lot", 1.0, positive=True)
        instrument.done()
    parent = _parent(top.section("parent"), tick)
    model = read_model(top.section("model", required=False), tick, lot)
    venues = tuple(read_venues(top))
    books = tuple(_books(top, {each.name: each for each in venues if each.name}, tick))
    top.done()
    if not faults and not any(book.far(parent.side) for book in books):
        top.fault("books", f"nobody quotes what a {parent.side} order takes: give a book with that side")
    if faults:
        raise RouteFileError(str(faults))
    return RouteFile(name, parent, venues, books, model)


def load_venues(path: Path) -> tuple[RouteVenue, ...]:
    """The venues of a file that has nothing else, as `load_route` reads them. Raises RouteFileError."""
    try:
        top, faults = marked_yaml.read(path)
    except RecursionError:
        raise RouteFileError(f"{path}:1: nested too deep: three levels are enough") from None
    venues = tuple(read_venues(top))
    top.done()
    if faults:
        raise RouteFileError(str(faults))
    return venues


def _parent(section: Section | None, tick: Decimal) -> ParentOrder:
    if section is None:
        return ParentOrder(Side.BUY, 1)
    side = section.one_of("side", tuple(Side), "side")
    lots = section.whole("lots", 1, MOST_LOTS)
    limit = _price(section, "limit", tick) if section.has("limit") else None
    urgency = section.between("urgency", 0.0, 1.0, 1.0)
    section.done()
    return ParentOrder(Side(side or "buy"), lots, limit, urgency)


def read_model(section: Section | None, tick: Decimal, lot: float) -> RouteModel:
    """What costs are reckoned by, in ticks of a size; the defaults where the section is left out."""
    made = RouteModel(float(tick), lot)
    if section is None:
        return made
    told = {
        name: section.between(name, 0.0, 1.0 if name == "thinning" else MOST_TICKS, getattr(made, name))
        for name in ("thinning", "impact_ticks", "drift_ticks", "wait_ticks", "adverse_ticks")
    }
    section.done()
    return RouteModel(float(tick), lot, **told)


def read_venues(top: Section) -> Iterator[RouteVenue]:
    """The venues of a file, faults noted in it."""
    names = Unique("name")
    for section in top.sections("venues"):
        name = section.name("name")
        names.take(section, name, name)
        inner = section.section("dark", required=False)
        dark = None
        if inner is not None:
            dark = Dark(inner.between("chance", 0.0, 1.0), inner.whole("lots", 1, MOST_LOTS))
            inner.done()
        yield RouteVenue(
            name,
            _ns(section, "latency_ms", None),
            _fee(section.section("taker", required=False)),
            _fee(section.section("maker", required=False)),
            section.between("chance", 0.0, 1.0, 1.0),
            _ns(section, "lifetime_ms", 0.0),
            section.between("turnover_lots", 0.0, MOST_LOTS, 0.0),
            dark,
        )
        section.done()


def _fee(section: Section | None) -> Fee:
    if section is None:
        return Fee()
    if section.has("per_unit") and section.has("bps"):
        section.fault("bps", "charged by unit and by value: give one of per_unit and bps")
    fee = Fee(section.between("per_unit", -1e6, 1e6, 0.0), section.between("bps", -1000.0, 1000.0, 0.0))
    section.done()
    return fee


def _books(top: Section, venues: dict[str, RouteVenue], tick: Decimal) -> Iterator[VenueBook]:
    names = Unique("venue")
    for section in top.sections("books"):
        name = section.one_of("venue", venues, "venue")
        names.take(section, name, name)
        if name and venues[name].dark is not None:
            section.fault("venue", f"{name} is dark and displays nothing: leave its book or its `dark` out")
        bids = tuple(_levels(section, "bids", tick, -1))
        asks = tuple(_levels(section, "asks", tick, 1))
        if bids and asks and bids[0].price_ticks >= asks[0].price_ticks:
            section.fault("asks", f"best ask {asks[0].price_ticks * tick} is not above its best bid")
        section.done()
        yield VenueBook(name, bids, asks)


def _levels(book: Section, side: str, tick: Decimal, worse: int) -> Iterator[Level]:
    before: int | None = None
    for section in book.sections(side, required=False):
        price = _price(section, "price", tick)
        if before is not None and worse * price <= worse * before:
            section.fault("price", f"{price * tick} is not worse than the level before: begin with the best price")
        before = price
        lots, age_ns = section.whole("lots", 1, MOST_LOTS), _ns(section, "age_ms", 0.0)
        yield Level(price, lots, age_ns, section.between("chance", 0.0, 1.0, 1.0))
        section.done()


def _ns(section: Section, name: str, default: float | None) -> int:
    return round(section.between(name, 0.0, MOST_MS, default) * NS_PER_MS)


def _price(section: Section, name: str, tick: Decimal) -> int:
    """A price in whole ticks; 1 where it is none."""
    price = _decimal(section, name)
    if price is None:
        return 1
    ticks, over = divmod(price, tick) if price / tick < MOST_TICKS else (Decimal(MOST_TICKS), Decimal(0))
    if over:
        section.fault(name, f"{price} is off the tick of {tick}: give a multiple of it")
    if not 1 <= ticks < MOST_TICKS:
        section.fault(name, f"{price} is out of range: give 1 to {MOST_TICKS:,} ticks of {tick}")
        return 1
    return int(ticks)


def _decimal(section: Section, name: str) -> Decimal | None:
    """A decimal above zero as it is written; None, with the fault noted, for what is none or no sum of money."""
    if section.number(name, positive=True) <= 0:
        return None
    try:
        value = Decimal(section.text(name))
    except InvalidOperation:
        value = Decimal("nan")
    if not (value.is_finite() and Decimal("1e-12") <= value <= Decimal("1e12")):
        section.fault(name, f"{section.text(name)[:40]} is out of range: give 1e-12 to 1e12")
        return None
    return value
