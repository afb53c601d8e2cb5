"""The mapping file of a table of ticks (CSV or Parquet): which column is what. YAML, checked whole.

```yaml
venue: desk                             # the name of the venue; `file` if left out
header: true                            # CSV: the first line names the columns. If false, give them: columns: t, s, p
delimiter: ","                          # CSV
time: {column: t, unit: ms, zone: UTC}  # numbers since 1970 (s, ms, us, ns); see below
instrument: {column: sym}               # or {constant: AIG}
kind: {column: type, quote: Q, trade: T, ignore: "C,X"}     # several by commas; or {constant: quote}
quote: {bid: b, bid_size: bs, ask: a, ask_size: as}         # sizes may be left out
trade: {price: p, quantity: q, side: {column: s, buy: B, sell: S}}      # the side that took; may be left out
sequence: id                            # the venue's numbers, rising by instrument; may be left out
scale: {price: 0.0001, size: 1}         # a number of the file times this is a price, a quantity
```

`time` may be text instead: `{column: t, format: iso}` (2013-10-07 09:30:00.123456789, with an offset or in `zone`), or
a format of Python's strptime. `zone` is a name as America/New_York; a time that comes twice when clocks are set back
counts as its first.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from pipelines.contracts import marked_yaml
from pipelines.contracts.marked_yaml import Section

UNITS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
ISO = "iso"


class MappingError(ValueError):
    """What is wrong with a mapping file: one line a fault, `file:line: field: what: way out`."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """Where the time of a row is. `unit_ns`: of a number; 0 where it is text of `format`; `zone`: of times without an
    offset."""

    column: str
    unit_ns: int
    format: str
    zone: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A column whose values stand for something, or something that holds for all rows."""

    column: str = ""
    constant: str = ""


@dataclass(frozen=True, slots=True)
class KindColumn:
    """What a row is: `constant` (quote or trade), or by the values of a column."""

    column: str
    constant: str
    quote: tuple[str, ...]
    trade: tuple[str, ...]
    ignore: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuoteColumns:
    """Columns of a quote; empty where there is none for it."""

    bid: str
    ask: str
    bid_size: str = ""
    ask_size: str = ""


@dataclass(frozen=True, slots=True)
class TradeColumns:
    """Columns of a trade; `buy`, `sell`: what `side` says of the taker."""

    price: str
    quantity: str
    side: str = ""
    buy: tuple[str, ...] = ()
    sell: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableMapping:
    """What the columns of a table of ticks are. `columns`: their names, where a CSV file has no header."""

    venue: str
    time: TimeColumn
    instrument: Choice
    kind: KindColumn
    quote: QuoteColumns | None
    trade: TradeColumns | None
    sequence: str = ""
    price_scale: float = 1.0
    size_scale: float = 1.0
    columns: tuple[str, ...] = ()
    delimiter: str = ","

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read."""
        names = [self.time.column, self.instrument.column, self.kind.column, self.sequence]
        if self.quote:
            names += [self.quote.bid, self.quote.ask, self.quote.bid_size, self.quote.ask_size]
        if self.trade:
            names += [self.trade.price, self.trade.quantity, self.trade.side]
        return tuple(dict.fromkeys(name for name in names if name))


def load_mapping(path: str | os.PathLike[str]) -> TableMapping:
    """The mapping in a file. Raises MappingError with all of its faults."""
    top, faults = marked_yaml.read(Path(path))
    mapping = None if faults else _mapping(top)
    if mapping is None or faults:
        raise MappingError(str(faults))
    return mapping


def _mapping(top: Section) -> TableMapping:
    header = top.one_of("header", ("true", "false"), "answer", default="true")
    columns = _list(top.text("columns", default=""))
    if header == "false" and not columns:
        top.fault("columns", "missing: give the names of the columns, as `columns: t, sym, bid, ask`")
    if header == "true" and columns:
        top.fault("columns", "the first line names them: leave this out, or say header: false")
    delimiter = top.text("delimiter", default=",")
    if len(delimiter) != 1 or not delimiter.isascii():
        top.fault("delimiter", f"{delimiter!r}: one character expected")
    kind = _kind(top.section("kind"))
    quote = _quote(top, kind)
    trade = _trade(top, kind)
    scale = top.section("scale", required=False)
    mapping = TableMapping(
        venue=top.name("venue", default="file"),
        time=_time(top.section("time")),
        instrument=_choice(top.section("instrument")),
        kind=kind,
        quote=quote,
        trade=trade,
        sequence=top.text("sequence", default=""),
        price_scale=scale.number("price", default=1.0, positive=True) if scale else 1.0,
        size_scale=scale.number("size", default=1.0, positive=True) if scale else 1.0,
        columns=columns,
        delimiter=delimiter,
    )
    if scale:
        scale.done()
    top.done()
    for name in mapping.used if columns else ():
        if name not in columns:
            top.fault("columns", f"{name!r} is used below, and is not among them")
    return mapping


def _time(section: Section | None) -> TimeColumn:
    if section is None:
        return TimeColumn("", 1, "", "UTC")
    column, zone = section.text("column"), section.zone("zone", default="UTC").key
    form = section.text("format", default="")
    unit = section.one_of("unit", UNITS, "unit", default="" if form else None)
    if form and unit:
        section.fault("unit", "a time is a number with a unit, or text with a format: leave one out")
    if unit and zone != "UTC":
        section.fault("zone", "numbers count from 1970 in UTC: leave it out")
    section.done()
    return TimeColumn(column, UNITS.get(unit, 0), form, zone)


def _choice(section: Section | None) -> Choice:
    if section is None:
        return Choice()
    choice = Choice(section.text("column", default=""), section.text("constant", default=""))
    if bool(choice.column) == bool(choice.constant):
        section.fault("column", "give a column, or a constant")
    section.done()
    return choice


def _kind(section: Section | None) -> KindColumn:
    if section is None:
        return KindColumn("", "quote", (), (), ())
    column = section.text("column", default="")
    constant = section.one_of("constant", ("quote", "trade"), "kind", default="" if column else None)
    said = {name: _list(section.text(name, default="")) for name in ("quote", "trade", "ignore")}
    if column and constant:
        section.fault("column", "give a column, or a constant")
    if column and not (said["quote"] or said["trade"]):
        section.fault("column", "say what its values are, as {column: type, quote: Q, trade: T}")
    every = [value for values in said.values() for value in values]
    for value in sorted({value for value in every if every.count(value) > 1}):
        section.fault("column", f"{value!r} stands for more than one thing")
    section.done()
    return KindColumn(column, constant, said["quote"], said["trade"], said["ignore"])


def _quote(top: Section, kind: KindColumn) -> QuoteColumns | None:
    section = top.section("quote", required=kind.constant == "quote" or bool(kind.quote))
    if section is None:
        return None
    sizes = [section.text(name, default="") for name in ("bid_size", "ask_size")]
    found = QuoteColumns(section.text("bid"), section.text("ask"), *sizes)
    section.done()
    return found


def _trade(top: Section, kind: KindColumn) -> TradeColumns | None:
    section = top.section("trade", required=kind.constant == "trade" or bool(kind.trade))
    if section is None:
        return None
    price, quantity = section.text("price"), section.text("quantity")
    side = section.section("side", required=False)
    section.done()
    if side is None:
        return TradeColumns(price, quantity)
    buy, sell = _list(side.text("buy")), _list(side.text("sell"))
    found = TradeColumns(price, quantity, side.text("column"), buy, sell)
    side.done()
    return found


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
