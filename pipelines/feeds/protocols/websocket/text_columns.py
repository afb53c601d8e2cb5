"""Columns of text to numbers, many at once: decimals with their digits, and times; strict."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled, inlined
from pipelines.feeds.protocols.decimals import LARGEST, LONGEST, read_decimal
from pipelines.feeds.protocols.websocket.fields import Op

Text = NDArray[np.uint8]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MOST_SECONDS = 9_000_000_000
"""Until the year 2255: beyond it, nanoseconds do not fit in 64 bits."""

NO_DIGITS = -1

_NONE, _READ, _AGAIN = 0, 1, 2
_EXACT = 1 << 53
_MOST_DIGITS = 10**17
_POWERS = tuple(10.0**power for power in range(23))
_WHOLE_POWERS = tuple(10**power for power in range(10))
_DAYS_BEFORE = (0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_ISO, _SECONDS = int(Op.ISO_TIME), int(Op.SECONDS)


def read_numbers(texts: Sequence[str]) -> tuple[Floats, Ints]:
    """Decimals to the nearest doubles, shape (n,), as `decimals.read_decimals` has them: NaN where a text is none; and
    their digits without the point as a whole number, zeros at the end kept (`NO_DIGITS` beyond 18, or below 0)."""
    values, digits = np.empty(len(texts)), np.empty(len(texts), np.int64)
    again = np.empty(len(texts), np.int64)
    joined = np.frombuffer(",".join(texts).encode(), np.uint8)
    left = _read_numbers(joined, values, digits, again) if texts else 0
    if left < 0:  # a text holds a comma: the columns cannot be told apart
        for place, text in enumerate(texts):
            values[place] = read_decimal(text)
            digits[place] = NO_DIGITS
        return values, digits
    for place in again[:left].tolist():
        values[place] = read_decimal(texts[place])
    return values, digits


def read_times(texts: Sequence[str], op: Op) -> Ints:
    """Times as text to UTC ns, shape (n,); -1 where a text is none."""
    times = np.empty(len(texts), np.int64)
    joined = np.frombuffer(",".join(texts).encode(), np.uint8)
    if texts and not _read_times(joined, int(op), times):
        alone = [read_times([text], op)[0] if "," not in text else -1 for text in texts]
        return np.array(alone, np.int64)
    return times


@inlined
def _digits(text: Text, at: int, end: int, most: int) -> tuple[int, int]:
    """A whole number of at most `most` digits, and the place after it; -1 where there is none."""
    value = 0
    start = at
    while at < end and at - start < most:
        digit = int(np.int64(text[at])) - 48
        if digit < 0 or digit > 9:
            break
        value = value * 10 + digit
        at += 1
    return (value if at > start else -1), at


@inlined
def _decimal(text: Text, at: int, end: int) -> tuple[int, float, int, int]:
    """A decimal: none, read, or to be read again by Python; its value, its digits, and the place after it."""
    start = at
    negative = at < end and text[at] == 45
    if negative:
        at += 1
    mantissa = 0
    big = False
    first, point = at, -1
    while at < end:
        digit = int(np.int64(text[at])) - 48
        if 0 <= digit <= 9:
            if mantissa < _MOST_DIGITS:
                mantissa = mantissa * 10 + digit
            else:
                big = True
        elif digit == -2 and point < 0 and at > first:
            point = at
        else:
            break
        at += 1
    scale = at - point - 1 if point >= 0 else 0
    if at == first or (point >= 0 and scale == 0) or at - start > LONGEST:
        return _NONE, 0.0, NO_DIGITS, at
    if big:
        return _AGAIN, 0.0, NO_DIGITS, at
    digits = NO_DIGITS if negative else mantissa
    while mantissa > _EXACT and scale > 0 and mantissa % 10 == 0:
        mantissa //= 10
        scale -= 1
    if mantissa > _EXACT or scale >= len(_POWERS):
        return _AGAIN, 0.0, digits, at
    value = mantissa / _POWERS[scale]  # both exact, so rounded once, to the nearest (Clinger 1990)
    if value > LARGEST:
        return _NONE, 0.0, digits, at
    return _READ, (-value if negative else value), digits, at


@compiled
def _read_numbers(text: Text, values: Floats, digits: Ints, again: Ints) -> int:
    """Comma-separated decimals. How many Python must read again, or -1 where there are not as many as values."""
    left = 0
    at, end = 0, len(text)
    for place in range(len(values)):
        read, value, of_it, at = _decimal(text, at, end)
        if at < end and text[at] != 44:
            read = _NONE
            while at < end and text[at] != 44:
                at += 1
        values[place] = value if read == _READ else np.nan
        digits[place] = of_it
        if read == _AGAIN:
            again[left] = place
            left += 1
        if (at < end) == (place == len(values) - 1):
            return -1
        at += 1
    return left


@inlined
def _fraction_ns(text: Text, at: int, end: int) -> tuple[int, int]:
    """Nanoseconds of a point and up to nine digits, 0 where there is no point; -1 where the digits are missing."""
    if at >= end or text[at] != 46:
        return 0, at
    start = at + 1
    value, at = _digits(text, start, end, 9)
    if value < 0:
        return -1, at
    return value * _WHOLE_POWERS[9 - (at - start)], at


@inlined
def _pair(text: Text, at: int, end: int, before: int) -> int:
    """Two digits after a character; -1 where they are something else."""
    if at + 3 > end or text[at] != before:
        return -1
    value, after = _digits(text, at + 1, end, 2)
    return value if after == at + 3 else -1


@inlined
def _iso_ns(text: Text, at: int, end: int) -> tuple[int, int]:
    """UTC ns of `2021-04-17T16:43:30.244075Z`; -1 where it is none."""
    year, after = _digits(text, at, end, 4)
    month, day = _pair(text, at + 4, end, 45), _pair(text, at + 7, end, 45)
    hour, minute, second = _pair(text, at + 10, end, 84), _pair(text, at + 13, end, 58), _pair(text, at + 16, end, 58)
    if after != at + 4 or year < 1970 or year > 2250 or month < 1 or month > 12 or day < 1:
        return -1, at
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    month_days = 31 - (month - 1) % 7 % 2
    if month == 2:
        month_days = 29 if leap else 28
    if day > month_days or hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1, at
    before = year - 1
    days = 365 * year + before // 4 - before // 100 + before // 400 + _DAYS_BEFORE[month] + day - 1 - 719527
    days += 1 if leap and month > 2 else 0
    fraction, at = _fraction_ns(text, at + 19, end)
    if fraction < 0 or at >= end or text[at] != 90:
        return -1, at
    return (days * 86400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction, at + 1


@compiled
def _read_times(text: Text, op: int, times: Ints) -> bool:
    """Comma-separated times; whether there are as many as `times`."""
    at, end = 0, len(text)
    for place in range(len(times)):
        if op == _ISO:
            time, at = _iso_ns(text, at, end)
        elif op == _SECONDS:
            time, at = _digits(text, at, end, 10)
            fraction, at = _fraction_ns(text, at, end)
            time = -1 if time < 0 or fraction < 0 or time > MOST_SECONDS else time * 1_000_000_000 + fraction
        else:
            time, at = _digits(text, at, end, 16)
            time = time * 1000 if 0 < time <= MOST_SECONDS * 1_000_000 else -1
        if at < end and text[at] != 44:
            time = -1
            while at < end and text[at] != 44:
                at += 1
        times[place] = time
        if (at < end) == (place == len(times) - 1):
            return False
        at += 1
    return True
