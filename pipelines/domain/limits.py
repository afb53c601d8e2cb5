"""What an account may do at most. Told in the strategy file, and changed by a command of its log alone."""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

MOST = 2**31 - 1
NONE = "none"
"""The word that lifts a limit."""


class LimitError(ValueError):
    """A change of a limit that is none: names the limit, what was given, and the way out."""


def _limit(unit: str, kind: type, *, required: bool = False) -> Any:
    metadata = {"unit": unit, "kind": kind}
    return field(metadata=metadata) if required else field(default=None, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of an account; None: not limited. Lots and money are counted filled + working + unknown, as if all that works for
    the worse filled. Money is in the account's currency: `rates` has what one unit of each other currency is worth."""

    position_lots: int = _limit("lots of an instrument, each way", int, required=True)
    stale_marks_ms: int = _limit("ms of event time since a leg was quoted", int, required=True)
    order_lots: int | None = _limit("lots of an order", int)
    order_notional: float | None = _limit("money of an order", float)
    collar: float | None = _limit("share of the mark that a signal's mid may be off it", float)
    pair_notional: float | None = _limit("money of both legs of a pair", float)
    gross_notional: float | None = _limit("money of all legs, long and short", float)
    net_notional: float | None = _limit("money of all legs, long less short, each way", float)
    daily_loss: float | None = _limit("money lost since the UTC day began, realised and marked", float)
    drawdown: float | None = _limit("money below the most that was ever made, realised and marked", float)
    var: float | None = _limit("money of value at risk, as it is measured", float)
    es: float | None = _limit("money of expected shortfall, as measured, and of each lot since, working and new", float)
    stale_risk_ms: int | None = _limit("ms of event time since risk was measured, where `es` or `var` is limited", int)
    sector_notional: float | None = _limit("money of all legs of a sector, long and short", float)
    credit: float | None = _limit("money bought and sold since the UTC day began, and working", float)
    fat_finger: float | None = _limit("share of an instrument's volume a day that an order may be", float)
    messages_per_second: int | None = _limit("orders and cancels in a second of event time, exits too: these wait", int)
    orders_per_second: int | None = _limit("orders in a second of event time", int)
    entries_per_minute: int | None = _limit("entries of one pair in a minute of event time", int)
    repeats: int | None = _limit("entries of one pair until a person looks: then it is halted until resumed", int)
    restricted: tuple[str, ...] = field(default=(), metadata={"unit": "instruments that are not entered"})
    short_lots: Mapping[str, int] = field(
        default_factory=dict, metadata={"unit": "lots that are located, by instrument"}
    )
    no_self_match: bool = field(
        default=False, metadata={"unit": "whether an entry must not meet a working order of ours"}
    )
    rates: Mapping[str, float] = field(default_factory=dict, metadata={"unit": "money of one unit, by currency"})

    def rate(self, currency: str) -> float:
        """What one unit of a currency is worth; one that `rates` does not name is the account's own."""
        return self.rates.get(currency, 1.0)

    @property
    def messages_kept(self) -> int:
        """How many of the last orders are remembered."""
        return max(self.orders_per_second or 0, self.messages_per_second or 0)

    @property
    def of_money(self) -> bool:
        """Whether anything is limited that takes the worth of the whole account."""
        return self.gross_notional is not None or self.net_notional is not None


BY_NAME: Mapping[str, Field[Any]] = MappingProxyType({each.name: each for each in fields(Limits)})
NUMBERS = tuple(name for name, each in BY_NAME.items() if "kind" in each.metadata)
"""Names of the limits that are one number."""
REQUIRED = tuple(name for name, each in BY_NAME.items() if each.default is each.default_factory is MISSING)
"""Names of those that an account has always."""


def change(limits: Limits, text: str) -> Limits:
    """Limits after `NAME=VALUE`: a number or `none`; of restricted, names with commas; of short_lots, `NAME:LOTS` with
    commas. Raises LimitError."""
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or name not in {*NUMBERS, "restricted", "short_lots"}:
        there = ", ".join((*NUMBERS, "restricted", "short_lots"))
        raise LimitError(f"{text!r}: NAME=VALUE expected, of {there}")
    if name == "restricted":
        return replace(limits, restricted=tuple(sorted(listed(value))))
    if name == "short_lots":
        return replace(limits, short_lots=_lots_by_name(value))
    if value == NONE and name in REQUIRED:
        raise LimitError(f"{name}: an account has one always: give a number")
    changed: dict[str, Any] = {name: None if value == NONE else number(name, value)}
    return replace(limits, **changed)


def listed(text: str) -> tuple[str, ...]:
    """What a text with commas lists."""
    return tuple(filter(None, map(str.strip, text.split(","))))


def number(name: str, value: str) -> int | float:
    """The number that a text gives a limit. Raises LimitError."""
    whole = BY_NAME[name].metadata["kind"] is int
    try:
        found: int | float = int(value) if whole else float(value)
    except ValueError:
        raise LimitError(f"{name}: {value!r} is no {'whole ' if whole else ''}number: give one, or {NONE}") from None
    if not (math.isfinite(found) and 0 < found <= (MOST if whole else 1e18)):
        raise LimitError(f"{name}: {value}: give more than 0{f' and {MOST} at most' if whole else ''}, or {NONE}")
    return found


def _lots_by_name(text: str) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for part in listed(text):
        name, _, lots = part.rpartition(":")
        if not name or not lots.isdecimal():
            raise LimitError(f"short_lots: {part!r}: NAME:LOTS expected, such as BAC:500")
        found[name] = int(lots)
    return found
