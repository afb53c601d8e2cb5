"""Checks between a signal and its orders: their names, and what each says.

A refusal's reason is `name: text`, and so is each check that an order passed: either way it has value and limit."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple


class Check(StrEnum):
    """Names of all refusals: they begin `reason`, and dashboards count by them."""

    UNKNOWN_PAIR = "unknown_pair"
    KILL_SWITCH = "kill_switch"
    REDUCING = "reducing"
    HALTED = "halted"
    SESSION = "session"
    PAIR_NOT_FLAT = "pair_not_flat"
    ZERO_QUANTITY = "zero_quantity"
    RESTRICTED = "restricted"
    STALE_MARKS = "stale_marks"
    NOT_TRADING = "not_trading"
    PRICE_COLLAR = "price_collar"
    ORDER_LOTS = "order_lots"
    ORDER_NOTIONAL = "order_notional"
    FAT_FINGER = "fat_finger"
    POSITION_LIMIT = "position_limit"
    SHORT_SALE = "short_sale"
    SELF_MATCH = "self_match"
    ORDER_RATE = "order_rate"
    MESSAGE_RATE = "message_rate"
    ENTRY_RATE = "entry_rate"
    PAIR_NOTIONAL = "pair_notional"
    SECTOR_NOTIONAL = "sector_notional"
    GROSS_NOTIONAL = "gross_notional"
    NET_NOTIONAL = "net_notional"
    CREDIT = "credit"
    ES = "es"
    VAR = "var"
    DAILY_LOSS = "daily_loss"
    DRAWDOWN = "drawdown"
    CLOSE_TRIES = "close_tries"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    IMPLAUSIBLE_REPORT = "implausible_report"
    UNKNOWN_COMMAND = "unknown_command"
    OUT_OF_PLACE = "out_of_place"
    NOT_SIGNED = "not_signed"
    BAD_LIMIT = "bad_limit"


class Verdict(NamedTuple):
    """What a check says of an entry: `text` has value and limit."""

    check: Check
    passed: bool
    text: str

    def __str__(self) -> str:
        return reason(self.check, self.text)


Verdicts = Iterator[Verdict]


def reason(check: Check, text: str) -> str:
    return f"{check.value}: {text}"


def judged(verdicts: Iterable[Verdict]) -> tuple[str, tuple[str, ...]]:
    """The first that says no, or an empty string; and those before it."""
    passed: list[str] = []
    for verdict in verdicts:
        if not verdict.passed:
            return str(verdict), tuple(passed)
        passed.append(str(verdict))
    return "", tuple(passed)
