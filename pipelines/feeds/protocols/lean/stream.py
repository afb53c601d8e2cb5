"""What a LEAN file of one day and instrument is: its place in LEAN's data folder says how its lines are to be read.

Source: QuantConnect's LEAN, Data/<asset>/readme.md (line formats, price scale) and
Data/market-hours/market-hours-database.json (dataTimeZone).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from functools import cached_property
from types import MappingProxyType
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import NS_PER_S

TICKS, BARS, DATED_BARS = ("tick",), ("second", "minute"), ("hour", "daily")
RESOLUTIONS = TICKS + BARS + DATED_BARS
KINDS = ("trade", "quote", "openinterest")

TIME_ZONES: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("equity", "usa"): "America/New_York",
        ("forex", "oanda"): "UTC",
        ("cfd", "oanda"): "UTC",
    }
    | {("crypto", name): "UTC" for name in ("coinbase", "gdax", "bitfinex", "binance", "kraken", "bitstamp")}
    | {("cryptofuture", name): "UTC" for name in ("binance", "bybit")}
    | {("future", name): "UTC" for name in ("cme", "cbot", "nymex", "comex", "cfe", "ice")}
)
"""The time zone that the times of a market's files are in, by asset class and market."""

BAR_SECONDS: Mapping[str, int] = MappingProxyType({"second": 1, "minute": 60})
"""How long the bars are whose lines begin with a time of the day: that time is when a bar begins."""

ASSETS = tuple(dict.fromkeys(asset for asset, _ in TIME_ZONES))
DECI_CENTS = 4
"""Prices of equities are whole numbers of 1/10,000."""


class Column(IntEnum):
    """How a field of a line is written."""

    TIME = 0
    """Milliseconds since midnight, with up to six decimals."""
    DATED = 1
    """`YYYYMMDD HH:MM`."""
    PRICE = 2
    SIDE = 3
    """A price, or nothing where nobody quoted."""
    SIZE = 4
    LETTER = 5
    WORD = 6
    """Text that nothing is made of."""
    FLAGS = 7
    """Hexadecimal, 32 bits."""
    BIT = 8


EXPECTED: Mapping[Column, str] = MappingProxyType(
    {
        Column.TIME: "milliseconds since midnight, below 86400000",
        Column.DATED: "a time as 20131008 09:30",
        Column.PRICE: "a decimal price",
        Column.SIDE: "a decimal price, or nothing",
        Column.SIZE: "a decimal quantity of 0 or more",
        Column.LETTER: "an exchange's letter",
        Column.WORD: "a word",
        Column.FLAGS: "hexadecimal flags of at most 32 bits",
        Column.BIT: "0 or 1",
    }
)

Fields = tuple[tuple[str, Column], ...]

_TIME, _WHEN = ("time", Column.TIME), ("time", Column.DATED)
_TRADE: Fields = (("price", Column.PRICE), ("quantity", Column.SIZE))
_QUOTE: Fields = (
    ("bid", Column.PRICE), ("bid size", Column.SIZE), ("ask", Column.PRICE), ("ask size", Column.SIZE),
)  # fmt: skip
_EQUITY: Fields = (("exchange", Column.LETTER), ("sale condition", Column.FLAGS), ("suspicious", Column.BIT))
_FUTURE: Fields = (("exchange", Column.WORD), ("sale condition", Column.WORD), ("suspicious", Column.BIT))
_TRADE_BAR: Fields = (*((name, Column.PRICE) for name in ("open", "high", "low", "close")), ("volume", Column.SIZE))
_QUOTE_BAR: Fields = tuple(
    column
    for side in ("bid", "ask")
    for column in (
        *((f"{side} {name}", Column.SIDE) for name in ("open", "high", "low", "close")),
        (f"{side} size", Column.SIZE),
    )
)
_TICKS: Mapping[tuple[str, str], Fields] = MappingProxyType(
    {
        ("equity", "trade"): (_TIME, *_TRADE, *_EQUITY),
        ("equity", "quote"): (_TIME, *_QUOTE, *_EQUITY),
        ("future", "trade"): (_TIME, *_TRADE, *_FUTURE),
        ("future", "quote"): (_TIME, *_QUOTE, *_FUTURE),
        ("forex", "quote"): (_TIME, ("bid", Column.PRICE), ("ask", Column.PRICE)),
        ("cfd", "quote"): (_TIME, ("bid", Column.PRICE), ("ask", Column.PRICE)),
    }
    | {(asset, "trade"): (_TIME, *_TRADE) for asset in ("crypto", "cryptofuture")}
    | {(asset, "quote"): (_TIME, *_QUOTE) for asset in ("crypto", "cryptofuture")}
)

MOST_STREAMS = 58
"""Of one frame: the letters from `A` to `z` and what is between them."""
FIRST_TAG = ord("A")

_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}")
_LARGEST_LINE = 1 << 50


class StreamError(ValueError):
    """What is not a stream of lines that can be read: one line of why."""


@dataclass(frozen=True)
class LeanStream:
    """The lines of one instrument and kind. `day`: None where lines are dated (hour and daily bars)."""

    asset: str
    market: str
    resolution: str
    kind: str
    day: date | None
    symbol: str

    def __post_init__(self) -> None:
        if (self.asset, self.market) not in TIME_ZONES:
            known = ", ".join(f"{asset}/{market}" for asset, market in TIME_ZONES)
            raise StreamError(f"{self.asset}/{self.market}: no market whose files can be read: there is {known}")
        if self.resolution not in RESOLUTIONS:
            raise StreamError(f"resolution {self.resolution!r}: expected one of {', '.join(RESOLUTIONS)}")
        if self.kind not in KINDS or (self.resolution in TICKS and not self._of_ticks()):
            raise StreamError(f"{self.asset} {self.resolution} {self.kind!r}: no such files are known")
        if not _SYMBOL.fullmatch(self.symbol):
            raise StreamError(f"symbol {self.symbol!r}: expected capital letters, digits and . _ -")
        if (self.day is None) != (self.resolution in DATED_BARS):
            raise StreamError(f"{self.resolution} lines: the day must be {'left out' if self.day else 'given'}")

    @classmethod
    def parse(cls, text: str) -> "LeanStream":
        """Read what `str` gives: `equity usa tick trade 20131007 AIG`."""
        parts = text.split(" ")
        if len(parts) != 6:
            raise StreamError(f"{text[:80]!r}: expected `asset market resolution kind day symbol`")
        asset, market, resolution, kind, day, symbol = parts
        return cls(asset, market, resolution, kind, None if day == "-" else read_day(day), symbol)

    def __str__(self) -> str:
        day = self.day.strftime("%Y%m%d") if self.day else "-"
        return f"{self.asset} {self.market} {self.resolution} {self.kind} {day} {self.symbol}"

    @cached_property
    def fields(self) -> Fields:
        """The fields of a line, in their order."""
        if self.kind == "openinterest":
            return (_WHEN if self.day is None else _TIME, ("open interest", Column.SIZE))
        if self.resolution in TICKS:
            return _TICKS[self.asset, self.kind]
        bar = _TRADE_BAR if self.kind == "trade" else _QUOTE_BAR
        return (_WHEN if self.day is None else _TIME, *bar)

    @property
    def told_after_ns(self) -> int:
        """How long after the time at its beginning a line is known: of a bar its length, of a tick nothing."""
        return BAR_SECONDS.get(self.resolution, 0) * NS_PER_S

    @property
    def quotes(self) -> bool:
        """Whether its lines give quotes: those of ticks, and of bars the closing bid and ask."""
        return self.kind == "quote" and self.resolution in TICKS + BARS

    @property
    def decimals(self) -> int:
        """Digits of a price behind the point that its text leaves out."""
        return DECI_CENTS if self.asset == "equity" else 0

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(TIME_ZONES[self.asset, self.market])

    @cached_property
    def midnight_ns(self) -> int:
        """The day's midnight as a wall clock shows it, counted as if it were UTC; 0 where lines are dated."""
        return wall_ns(self.day) if self.day else 0

    @cached_property
    def clock(self) -> tuple[int, int, int]:
        """What the wall clock is ahead of UTC on this day, ns: until a time since midnight, that time, and from it on.

        They differ on the two days a year when clocks are set. Zeros where lines are dated.
        """
        if self.day is None:
            return 0, 0, 0
        first, last = (self.ahead_ns(self.midnight_ns + at * NS_PER_S) for at in (0, 86_399))
        low, high = 0, 86_400
        while first != last and high - low > 1:
            middle = (low + high) // 2
            before = self.ahead_ns(self.midnight_ns + middle * NS_PER_S) == first
            low, high = (middle, high) if before else (low, middle)
        return first, high * NS_PER_S, last

    def ahead_ns(self, wall: int) -> int:
        """What this market's wall clock is ahead of UTC when it shows `wall` (ns as if UTC). A time that comes twice
        counts as its first, one that is skipped by the clock before."""
        shown = datetime(1970, 1, 1) + timedelta(seconds=wall // NS_PER_S)
        ahead = shown.replace(tzinfo=self.zone).utcoffset() or timedelta()
        return round(ahead.total_seconds()) * NS_PER_S

    def utc_ns(self, wall: NDArray[np.int64]) -> NDArray[np.int64]:
        """UTC ns of what lines show, shape (n,): ns since midnight, or as if UTC where they are dated."""
        if self.day is None:
            times, where = np.unique(wall, return_inverse=True)
            ahead = np.array([self.ahead_ns(time) for time in times.tolist()], np.int64)
            return np.subtract(wall, ahead[where])
        first, changes, then = self.clock
        return np.subtract(self.midnight_ns + wall, np.where(wall < changes, first, then))

    def start_ns(self) -> int:
        """When its day begins, UTC ns; 0 where lines are dated."""
        return self.midnight_ns - self.clock[0]

    def _of_ticks(self) -> bool:
        return self.kind == "openinterest" or (self.asset, self.kind) in _TICKS


def wall_ns(day: date) -> int:
    """Midnight of a day as if it were UTC."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * NS_PER_S


def read_day(text: str) -> date:
    """`20131007`."""
    try:
        if not re.fullmatch(r"[0-9]{8}", text):
            raise ValueError
        day = date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if not 1970 <= day.year <= 2250:
            raise ValueError
        return day
    except ValueError:
        raise StreamError(f"day {text[:16]!r}: expected one as 20131007") from None


def write_header(parts: list[tuple[LeanStream, int]]) -> bytes:
    """The first line of a frame: its streams, and of each the number (from 1) that its first line here has in its file.

    With one stream the lines follow as they are; with several each line begins with a letter, `A` for the first.
    """
    return b"lean " + ";".join(f"{stream} {line}" for stream, line in parts).encode() + b"\n"


def read_header(line: bytes, known: dict[str, LeanStream]) -> list[tuple[LeanStream, int]]:
    """Read what `write_header` wrote, without its end. `known` keeps streams by text. StreamError for other bytes."""
    try:
        text = line.decode("ascii")
    except UnicodeDecodeError:
        text = ""
    if not text.startswith("lean "):
        raise StreamError(f"header: {line[:40]!r}: expected `lean asset market resolution kind day symbol line`")
    found: list[tuple[LeanStream, int]] = []
    for part in text[5:].split(";"):
        named, _, number = part.rpartition(" ")
        if not re.fullmatch(r"[1-9][0-9]{0,15}", number) or int(number) > _LARGEST_LINE:
            raise StreamError(f"header: {part[:80]!r}: expected the number of its first line at the end")
        stream = known.get(named)
        if stream is None:
            stream = LeanStream.parse(named)
            if len(known) > 10_000:
                known.clear()
            known[named] = stream
        found.append((stream, int(number)))
    if len(found) > MOST_STREAMS:
        raise StreamError(f"header: {len(found)} streams, {MOST_STREAMS} at most")
    return found
