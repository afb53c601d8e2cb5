"""The logs that signals read, and the views of each that a signal sees.

One table: Kafka's tables, files of rows, streams of a fused job, hints and documents are made of it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pipelines.contracts.ddl import EVENT_TIME, field_names
from pipelines.contracts.topics import RECORDS

PLACE = ("shard", "sequence", "event_time", "event_time_ms", "event_time_ns")
"""Where and when a row of any view is: `event_time` is its time attribute, to order and join by."""


@dataclass(frozen=True, slots=True)
class View:
    """What a signal reads of a log. `columns`: besides those of its place; `of`: the field that a column is of, where
    it is not its name; `when`: a field and the test that tells this view's rows from others of the log."""

    name: str
    about: str
    columns: tuple[str, ...]
    of: Mapping[str, str] = field(default_factory=dict)
    when: tuple[str, str] | None = None

    def field_of(self, column: str) -> str:
        """The field of the record that a column shows."""
        return self.of.get(column, column)


@dataclass(frozen=True, slots=True)
class Source:
    """A log as a table. `topic`: as in RECORDS. `numbers`: which running numbers are its `sequence`; those of several
    logs with the same are of one count. `rows`: the array whose items are the rows, where a record holds many. `kind`:
    of the records that are rows; others say that time has passed. `key`, `number`: of the records of one `key`, those
    are new whose `number` is above all before. `made`: columns of the place that are made of fields."""

    table: str
    topic: str
    numbers: str
    views: tuple[View, ...]
    rows: str = ""
    kind: str = ""
    key: str = "shard"
    number: str = "sequence"
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def record(self) -> str:
        return RECORDS[self.topic]

    @property
    def place(self) -> tuple[str, ...]:
        """The columns of `PLACE` that its views have."""
        there = {*field_names(self.record), *self.made, EVENT_TIME}
        return tuple(name for name in PLACE if name in there)

    @property
    def fields(self) -> tuple[str, ...]:
        """Fields of its records that become columns, and no others: then state outlives what is added to a record."""
        shown = [view.field_of(column) for view in self.views for column in view.columns]
        tested = [view.when[0] for view in self.views if view.when]
        kinds = ["kind"] if self.kind else []
        place = [name for name in (self.key, self.number, *self.place) if name in field_names(self.record)]
        legs = ["pair", "leg"] if "legs" in shown else []
        return tuple(dict.fromkeys([*kinds, *place, *([self.rows] if self.rows else []), *shown, *tested, *legs]))


_SPREAD = ("pair", "z", "spread", "mean", "std", "beta", "slope", "mid_a", "mid_b", "rung", "flags")
_OF_INSTRUMENT = ("instrument", "venue", "home", "legs")

SOURCES = (
    Source(
        "market_spreads",
        "market.spreads",
        "spreads",
        (View("crossings", "when z of a pair has passed a level", (*_SPREAD, "z_before")),),
        kind="crossing",
    ),
    Source(
        "market_samples",
        "market.samples",
        "spreads",
        (
            View("spreads", "every pair once a second, from its first z on", (*_SPREAD, "imbalance_a", "imbalance_b")),
            View(
                "book_imbalance",
                "the same, for what rests at the legs' best quotes",
                ("pair", "imbalance_a", "imbalance_b", "z", "spread", "beta", "mid_a", "mid_b", "flags"),
            ),
        ),
        rows="samples",
    ),
    Source(
        "market_bars",
        "market.bars",
        "bars",
        (
            View(
                "bars",
                "an instrument's minute, when it closes",
                (
                    *("instrument", "venue", "interval_s", "start_ms", "open", "high", "low", "close", "volume"),
                    *("trade_count", "quote_count", "bid", "ask"),
                ),
                of={"trade_count": "trades", "quote_count": "quotes"},
            ),
        ),
        kind="bar",
        key="instrument",
        number="start_ms",
        made={"sequence": "start_ms / (interval_s * 1000)", "event_time_ns": "event_time_ms * 1000000"},
    ),
    Source(
        "market_pair_bars",
        "market.pair_bars",
        "pair_bars",
        (
            View(
                "pair_bars",
                "every pair at each full minute, and its health over the minutes before",
                (
                    *("pair", "mid_a", "mid_b", "spread", "z", "mean", "std", "slope", "beta", "flags"),
                    *("minutes", "half_life_s", "adf_t", "adf_critical", "correlation", "breaks"),
                ),
                of={"minutes": "bars"},
            ),
        ),
        rows="bars",
    ),
    Source(
        "market_snapshots",
        "market.snapshots",
        "snapshots",
        (
            View(
                "quotes",
                "an instrument at the end of each interval in which it was quoted",
                (*_OF_INSTRUMENT, "bid", "bid_size", "ask", "ask_size", "imbalance", "quote_count"),
                of={"quote_count": "quotes"},
                when=("quotes", "> 0"),
            ),
            View(
                "trades",
                "an instrument at the end of each interval in which it was traded",
                (*_OF_INSTRUMENT, "last", "high", "low", "vwap", "volume", "buy_volume", "trade_count", "bid", "ask"),
                of={"trade_count": "trades"},
                when=("trades", "> 0"),
            ),
            View(
                "sessions",
                "an instrument at the end of each interval in which its venue said how it trades",
                (*_OF_INSTRUMENT, "status", "status_time_ns"),
                when=("status_changed", "= TRUE"),
            ),
        ),
        rows="snapshots",
    ),
    Source(
        "trading_positions",
        "trading.positions",
        "positions",
        (
            View(
                "positions",
                "when where a pair stands, or what is held of it, has changed",
                ("account", "pair", "stance", "lots_a", "lots_b", "cause"),
            ),
        ),
        kind="position",
        key="account",
    ),
)

VIEWS: Mapping[str, View] = MappingProxyType({view.name: view for source in SOURCES for view in source.views})
"""What there is for signals to read, by name."""

SNAPSHOTS = ("quotes", "trades", "sessions")
"""Views that are there only where the strategy has `snapshots`."""


def sources_of(names: Collection[str]) -> tuple[Source, ...]:
    """The logs that views of these names stand on; names of no view are passed over."""
    return tuple(source for source in SOURCES if any(view.name in names for view in source.views))


def columns_of(view: str) -> tuple[str, ...]:
    """The columns of a view, in its order."""
    (source,) = sources_of((view,))
    return (*VIEWS[view].columns, *source.place)


def numbers_of(names: Collection[str]) -> tuple[str, ...]:
    """Whose running numbers the `sequence`s of views are: more than one cannot be compared with each other."""
    return tuple(dict.fromkeys(source.numbers for source in sources_of(names)))
