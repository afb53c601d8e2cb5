"""Columns of decimal text, as venues quote prices, to the nearest doubles: strict, and many at once."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled

LARGEST = 1e15
"""A price or quantity above it is no price or quantity."""

LONGEST = 40
"""Characters of a number; longer text is refused unread."""

_DECIMAL = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_EXACT_MANTISSA = 1 << 53
_POWERS = 10.0 ** np.arange(23)
"""Both exact as doubles, so one division of them rounds once, to the nearest (Clinger 1990, the fast path)."""


def read_decimals(texts: Sequence[str]) -> NDArray[np.float64]:
    """Texts to doubles, shape (n,); NaN where a text is not `-?digits[.digits]`, or its size is above `LARGEST`."""
    if not texts:
        return np.empty(0)
    joined = ",".join(texts).encode()
    values = np.empty(len(texts))
    slow = np.empty(len(texts), np.int64)
    count = _read(np.frombuffer(joined, np.uint8), values, slow)
    if count < 0:  # a text holds a comma: the columns cannot be told apart, so each is read alone
        return np.array([read_decimal(text) for text in texts])
    for place in slow[:count].tolist():
        values[place] = read_decimal(texts[place])
    return values


def read_decimal(text: str) -> float:
    """One text by Python's own float, under the same rules."""
    if len(text) > LONGEST or not _DECIMAL.fullmatch(text):
        return float("nan")
    value = float(text)
    return value if abs(value) <= LARGEST else float("nan")


@compiled
def _read(text: NDArray[np.uint8], values: NDArray[np.float64], slow: NDArray[np.int64]) -> int:
    """Fill `values` from comma-separated `text`; places that want the slow reading go to `slow`. Their number, or -1
    where there are more or fewer texts than values."""
    slow_count = 0
    place = 0
    at = 0
    size = len(text)
    while at <= size:
        if place == len(values):
            return -1
        start = at
        negative = at < size and text[at] == 45
        if negative:
            at += 1
        mantissa = np.int64(0)
        scale = 0
        zeros = 0
        whole_digits = 0
        fraction_digits = 0
        point = False
        plain = True
        while at < size and text[at] != 44:
            digit = np.int64(text[at]) - 48
            if 0 <= digit <= 9:
                if point:
                    fraction_digits += 1
                    if digit == 0:
                        zeros += 1
                    else:
                        # Zeros at the end are not taken in: 61837.63000000 has seven digits that matter.
                        for _ in range(zeros + 1):
                            mantissa = mantissa * 10 if mantissa <= _EXACT_MANTISSA else mantissa
                        scale += zeros + 1
                        zeros = 0
                        mantissa += digit
                else:
                    whole_digits += 1
                    mantissa = mantissa * 10 + digit if mantissa <= _EXACT_MANTISSA else mantissa
            elif text[at] == 46 and not point:
                point = True
            else:
                plain = False
            at += 1
        if not plain or whole_digits == 0 or point != (fraction_digits > 0) or at - start > LONGEST:
            values[place] = np.nan
        elif mantissa > _EXACT_MANTISSA or scale >= len(_POWERS):
            slow[slow_count] = place
            slow_count += 1
        else:
            value = mantissa / _POWERS[scale]
            if value > LARGEST:
                values[place] = np.nan
            else:
                values[place] = -value if negative else value
        place += 1
        at += 1
    return slow_count if place == len(values) else -1
