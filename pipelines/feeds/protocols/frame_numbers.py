"""Numbers, times and literals in a frame's text, read by kernels: strict, each with the place after it."""

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import inlined
from pipelines.feeds.protocols.decimals import LARGEST, LONGEST

Text = NDArray[np.uint8]

AGAIN = 2
"""A decimal that a double division does not round rightly: to be read again by Python."""

_MOST_WHOLE = 1 << 62
_EXACT = 1 << 53
_MOST_DIGITS = 10**17
_POWERS = tuple(10.0**power for power in range(23))
_WHOLE_POWERS = tuple(10**power for power in range(10))
_DAYS_BEFORE = (0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


@inlined
def is_plain(character: int) -> bool:
    """Printable ASCII without quote and backslash: what a string can hold as it is."""
    return bool(32 <= character < 127 and character != 34 and character != 92)


@inlined
def matches(text: Text, at: int, end: int, literals: Text, place: int, size: int) -> bool:
    if at + size > end:
        return False
    for j in range(size):  # noqa: SIM110 (numba has no all())
        if text[at + j] != literals[place + j]:
            return False
    return True


@inlined
def read_digits(text: Text, at: int, end: int, most: int) -> tuple[int, int]:
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
def read_whole(text: Text, at: int, end: int) -> tuple[int, int]:
    """A whole number as JSON writes it; -1 where there is none, or it is too big."""
    start = at
    value, at = read_digits(text, at, end, 19)
    if value > _MOST_WHOLE or (at - start > 1 and text[start] == 48) or value < 0:
        return -1, at
    return value, at


@inlined
def read_decimal_at(text: Text, at: int, end: int) -> tuple[int, float, int, int]:
    """A decimal: 0 where it is none, 1 where it is read, 2 where Python must read it; its value, its digits without
    the point (-1 beyond 18), and the place after it."""
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
        return 0, 0.0, -1, at
    if big:
        return AGAIN, 0.0, -1, at
    digits = mantissa
    while mantissa > _EXACT and scale > 0 and mantissa % 10 == 0:
        mantissa //= 10
        scale -= 1
    if mantissa > _EXACT or scale >= 23:
        return AGAIN, 0.0, digits, at
    value = mantissa / _POWERS[scale]  # both exact, so rounded once, to the nearest (Clinger 1990)
    if value > LARGEST:
        return 0, 0.0, digits, at
    return 1, (-value if negative else value), digits, at


@inlined
def read_fraction(text: Text, at: int, end: int) -> tuple[int, int]:
    """Nanoseconds of a point and up to nine digits, 0 where there is no point; -1 where the digits are missing."""
    if at >= end or text[at] != 46:
        return 0, at
    start = at + 1
    value, at = read_digits(text, start, end, 9)
    if value < 0:
        return -1, at
    return value * _WHOLE_POWERS[9 - (at - start)], at


@inlined
def _pair(text: Text, at: int, end: int, before: int) -> int:
    """Two digits after a character; -1 where they are something else."""
    if at + 3 > end or text[at] != before:
        return -1
    high, low = int(np.int64(text[at + 1])) - 48, int(np.int64(text[at + 2])) - 48
    return int(10 * high + low) if 0 <= high <= 9 and 0 <= low <= 9 else -1


@inlined
def read_iso(text: Text, at: int, end: int) -> tuple[int, int]:
    """UTC ns of `2021-04-17T16:43:30.244075Z`; -1 where it is none."""
    year, after = read_digits(text, at, end, 4)
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
    fraction, at = read_fraction(text, at + 19, end)
    if fraction < 0 or at >= end or text[at] != 90:
        return -1, at
    return (days * 86400 + hour * 3600 + minute * 60 + second) * 1_000_000_000 + fraction, at + 1
