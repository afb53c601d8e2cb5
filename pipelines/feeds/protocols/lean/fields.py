"""The fields of a line, byte by byte: times, decimals, flags. For the kernel of `lines`."""

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import inlined
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.protocols.decimals import LARGEST, LONGEST

GOOD, SLOW = -1, -2
"""A field or line that was read, and one with a number of more digits than a double holds."""

DAY_NS = 86_400_000 * NS_PER_MS
_EXACT = 1 << 53
_POWERS = 10.0 ** np.arange(23)


@inlined
def read_time(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Milliseconds since midnight as ns; -1 for other text."""
    if at == end or end - at > 15:
        return -1
    value = np.int64(0)
    places = -1
    for place in range(at, end):
        digit = np.int64(text[place]) - 48
        if 0 <= digit <= 9:
            value = value * 10 + digit
            if places >= 0:
                places += 1
        elif text[place] == 46 and places < 0 and place > at:
            places = 0
        else:
            return -1
    if places == 0 or places > 6:
        return -1
    for _ in range(6 - max(places, 0)):
        value *= 10
    return int(value) if value < DAY_NS else -1


@inlined
def read_dated(text: NDArray[np.uint8], at: int, end: int) -> int:
    """`YYYYMMDD HH:MM` as ns as if UTC; -1 for other text."""
    if end - at != 14 or text[at + 8] != 32 or text[at + 11] != 58:
        return -1
    digits = np.int64(0)
    for place in range(14):
        if place == 8 or place == 11:
            continue
        digit = np.int64(text[at + place]) - 48
        if digit < 0 or digit > 9:
            return -1
        digits = digits * 10 + digit
    minute = digits % 100
    hour = digits // 100 % 100
    day = digits // 10_000 % 100
    month = digits // 1_000_000 % 100
    year = digits // 100_000_000
    if not (1970 <= year <= 2250 and 1 <= month <= 12 and hour < 24 and minute < 60 and day >= 1):
        return -1
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    short = month == 4 or month == 6 or month == 9 or month == 11
    longest = (29 if leap else 28) if month == 2 else 30 if short else 31
    if day > longest:
        return -1
    # Days since 1970 in the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return int((days * 1440 + hour * 60 + minute) * 60_000 * NS_PER_MS)


@inlined
def read_decimal(text: NDArray[np.uint8], at: int, end: int, shift: int) -> tuple[float, int]:
    """A decimal divided by ten to `shift`, and GOOD, SLOW, or 0 for what is none."""
    start = at
    negative = at < end and text[at] == 45
    if negative:
        at += 1
    mantissa = np.int64(0)
    whole_digits = 0
    scale = 0
    point = False
    while at < end:
        digit = np.int64(text[at]) - 48
        if 0 <= digit <= 9:
            mantissa = mantissa * 10 + digit if mantissa <= _EXACT else mantissa
            if point:
                scale += 1
            else:
                whole_digits += 1
        elif text[at] == 46 and not point:
            point = True
        else:
            return 0.0, 0
        at += 1
    if whole_digits == 0 or (point and scale == 0) or end - start > LONGEST:
        return 0.0, 0
    if mantissa > _EXACT or scale + shift >= len(_POWERS):
        return 0.0, SLOW
    value = mantissa / _POWERS[scale + shift]
    if value > LARGEST:
        return 0.0, 0
    return (-value if negative else value), GOOD


@inlined
def read_flags(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Hexadecimal digits; -1 for other text."""
    if at == end or end - at > 8:
        return -1
    value = np.int64(0)
    for place in range(at, end):
        letter = np.int64(text[place])
        if 48 <= letter <= 57:
            value = value * 16 + letter - 48
        elif 65 <= letter <= 70:
            value = value * 16 + letter - 55
        elif 97 <= letter <= 102:
            value = value * 16 + letter - 87
        else:
            return -1
    return int(value)


@inlined
def read_word(text: NDArray[np.uint8], at: int, end: int) -> int:
    """Its first letter, 0 for none; -1 where there is anything but printable ASCII."""
    if end - at > 32:
        return -1
    for place in range(at, end):
        if text[place] < 32 or text[place] > 126:
            return -1
    return int(text[at]) if end > at else 0
