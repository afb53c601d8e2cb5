"""What must hold of each record, whoever wrote it: the domain's rules, said so that a report can repeat them.

They are for samples and tables, not for every tick: what each tick is held to is done at the door (domain/quality.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from pipelines.domain.decoding import Reason
from pipelines.domain.market import Flag, Kind

LATEST_NS = 4_102_444_800_000_000_000
"""2100-01-01."""

EARLIEST_NS = 0

CROSSED = "flagged_crossed"
"""A column made of `flags` where there is one."""


Where = tuple[tuple[str, Literal["==", "!=", ">"], str | float | bool], ...]
"""Conditions on columns that hold together."""


@dataclass(frozen=True, slots=True)
class Between:
    """A column's values lie in a range; `above`: the low end itself is out."""

    says: str
    column: str
    low: float | None = None
    high: float | None = None
    above: bool = False
    where: Where = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """A column's values are among some."""

    says: str
    column: str
    values: tuple[str, ...]
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Ordered:
    """In each row the one column is at most the other."""

    says: str
    smaller: str
    larger: str
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Unique:
    """No two rows have the same values in these columns together."""

    says: str
    columns: tuple[str, ...]


Rule = Between | OneOf | Ordered | Unique
"""`where`: the rows that it is about; empty for all."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that rules are about. `record`: the Avro record its columns are of, where they are of one; `identity`:
    the columns that name a row."""

    name: str
    identity: tuple[str, ...]
    rules: tuple[Rule, ...]
    record: str = ""


_TIMES: tuple[Rule, ...] = (
    Between("event times lie between 1970 and 2100", "event_ns", EARLIEST_NS, LATEST_NS),
    Between("receive times lie between 1970 and 2100", "receive_ns", EARLIEST_NS, LATEST_NS),
)
_SIDES = OneOf("a side is buy or sell", "side", ("buy", "sell"))
_ALL_FLAGS = int(sum(Flag))


def _ticks() -> tuple[Rule, ...]:
    quote: Where = (("kind", "==", "quote"),)
    trade: Where = (("kind", "==", "trade"),)
    straight: Where = (*quote, ("bid", ">", 0), ("ask", ">", 0), (CROSSED, "==", False))
    kinds = tuple(kind.name.lower() for kind in (Kind.QUOTE, Kind.TRADE, Kind.STATUS, Kind.AUCTION, Kind.INDICATIVE))
    return (
        OneOf("kinds are those that are known", "kind", kinds),
        Between("flags are those that are known", "flags", 0, _ALL_FLAGS),
        Between("a tick's number is 1 or more", "sequence", 1),
        Ordered("a bid is not above its ask, unless flagged crossed", "bid", "ask", where=straight),
        Between("a trade has a price above 0", "bid", 0, above=True, where=trade),
        Between("a trade has a quantity above 0", "bid_size", 0, above=True, where=trade),
        Between("bids are not negative", "bid", 0, where=quote),
        Between("asks are not negative", "ask", 0, where=quote),
        Between("quantities at the bid are not negative", "bid_size", 0),
        Between("quantities at the ask are not negative", "ask_size", 0),
        *_TIMES,
    )


_REASONS = OneOf("reasons are those that are known", "reason", tuple(reason.value for reason in Reason))
_OF_A_PAIR: Where = (("kind", "!=", "heartbeat"), ("kind", "!=", "end"))
_SPREAD: tuple[Rule, ...] = (
    Between(
        "a standard deviation is above 0",
        "std",
        0,
        above=True,
        where=(("kind", "!=", "heartbeat"), ("kind", "!=", "end")),
    ),
    Between("z is a number one can believe", "z", -1e6, 1e6),
)
_BAR: tuple[Rule, ...] = (
    Ordered("the low is not above the high", "low", "high"),
    Ordered("the open is not above the high", "open", "high"),
    Ordered("the low is not above the open", "low", "open"),
    Ordered("the close is not above the high", "close", "high"),
    Ordered("the low is not above the close", "low", "close"),
    Between("volume is not negative", "volume", 0),
    Between("trades are not negative", "trades", 0),
)
_ORDER: tuple[Rule, ...] = (
    OneOf("actions are those that are known", "action", ("new", "cancel", "refused", "drain", "notice")),
    OneOf("a side is buy or sell", "side", ("buy", "sell"), where=(("action", "==", "new"),)),
    Between("an order is of a lot or more", "quantity", 1, where=(("action", "==", "new"),)),
)
_REPORT: tuple[Rule, ...] = (
    Between("quantities filled are not negative", "cumulative_quantity", 0),
    Between("quantities left are not negative", "leaves_quantity", 0),
    Ordered("a fill is not above all that was filled", "last_quantity", "cumulative_quantity"),
)
_KINDS_OF_SPREAD = OneOf("kinds are those that are known", "kind", ("crossing", "sample", "heartbeat", "end"))

_ROW = ("venue", "feed_session", "sequence")
_EXECUTION = ("venue", "exec_id")

TOPICS: Mapping[str, Subject] = MappingProxyType(
    {
        subject.name: subject
        for subject in (
            Subject("market.ticks", ("venue", "session", "sequence"), _ticks()),
            Subject(
                "market.books",
                ("venue", "session", "sequence"),
                (
                    Between("a level has a price above 0", "bid", 0, above=True),
                    Between("a level's quantity is not negative", "bid_size", 0),
                    *_TIMES,
                ),
            ),
            Subject("market.rejects", ("venue", "session", "frame", "reason"), (_REASONS,), "helios.market.Reject"),
            Subject(
                "market.spreads",
                ("shard", "pair", "sequence", "kind"),
                (_KINDS_OF_SPREAD, *_SPREAD),
                "helios.market.SpreadEvent",
            ),
            Subject("market.bars", ("venue", "instrument", "interval_s", "start_ms"), _BAR, "helios.market.Bar"),
            Subject("trading.orders", ("client_order_id", "action"), _ORDER, "helios.trading.OrderRequest"),
        )
    }
)
"""By topic, without its session's prefix. An event may lie at two offsets, so ids are not unique there."""

TABLES: Mapping[str, Subject] = MappingProxyType(
    {
        subject.name: subject
        for subject in (
            Subject("ticks", _ROW, (Unique("a tick's id is its own", _ROW), *_ticks())),
            Subject(
                "books",
                _ROW,
                (
                    Unique("a row's id is its own", _ROW),
                    OneOf("a level is of the bid or the ask side", "side", ("bid", "ask")),
                    Between("a level has a price above 0", "price", 0, above=True),
                    Between("a level's quantity is not negative", "quantity", 0),
                    *_TIMES,
                ),
            ),
            Subject("rejects", ("venue", "feed_session", "frame", "instrument", "reason"), (_REASONS,)),
            Subject("spreads", ("shard", "pair", "sequence"), (_KINDS_OF_SPREAD, *_SPREAD)),
            Subject("ohlcv_1m", ("venue", "instrument", "start_time"), _BAR),
            Subject("orders", ("client_order_id", "action"), _ORDER),
            Subject(
                "reports", ("venue", "exec_id"), (Unique("an execution id is its own", ("venue", "exec_id")), *_REPORT)
            ),
            Subject(
                "fills",
                _EXECUTION,
                (
                    Unique("a fill is counted once", (*_EXECUTION, "amends")),
                    _SIDES,
                    Between("a fill is of a lot or more", "quantity", 1, where=(("amends", "==", ""),)),
                    Between("a fill has a price above 0", "price", 0, above=True),
                ),
            ),
        )
    }
)
"""By table of the history."""
