"""Prices and quantities of before a split or a dividend, as if it had always been.

Source: the proportional method of CRSP ("Data Definitions", factor to adjust price), which LEAN's factor files use too:
a split divides earlier prices by its ratio, a dividend takes off earlier prices the share that it is of the last price
before its ex-date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.reference import Dividend, Split


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What prices and quantities of each day are to be multiplied by, shape (days,). 1 from the last ex-date on."""

    price: NDArray[np.float64]
    quantity: NDArray[np.float64]


def adjustment(
    days: Sequence[date], closes: NDArray[np.float64], splits: Sequence[Split], dividends: Sequence[Dividend] = ()
) -> Adjustment:
    """The factors of an instrument's days, rising, whose unadjusted closing prices are given.

    An ex-date after the last day is yet to come and changes nothing; a dividend whose ex-date is not after the first
    day has no price before it, and nothing to change. ValueError for days that do not rise, and for a dividend of the
    whole price or more.
    """
    numbers = np.array([day.toordinal() for day in days], np.int64)
    if (np.diff(numbers) <= 0).any():
        raise ValueError("days to adjust must rise")
    price, quantity = np.ones(len(days)), np.ones(len(days))
    for split in splits:
        before = _before(numbers, split.ex_date)
        price[:before] *= split.old / split.new
        quantity[:before] *= split.new / split.old
    for dividend in dividends:
        before = _before(numbers, dividend.ex_date)
        if before == 0:
            continue
        last = float(closes[before - 1])
        if not dividend.amount < last:
            raise ValueError(
                f"{dividend.instrument}: dividend of {dividend.amount:g} on {dividend.ex_date}: the last price before "
                f"it is {last:g}"
            )
        price[:before] *= 1.0 - dividend.amount / last
    return Adjustment(price, quantity)


def _before(days: NDArray[np.int64], ex_date: date) -> int:
    """How many days are before an ex-date; 0 where the last of them is, too."""
    before = int(np.searchsorted(days, ex_date.toordinal()))
    return before if before < len(days) else 0
