"""Closing prices from before a session, that moments warm up from: CSV (gzip too) or Parquet, a column `time` (the
bar's end; with a zone, or UTC) and one an instrument, empty where it had no price. Rows a second or a minute apart,
which says what moments they are for; rows may be missing.

```
time,S000,S001
2026-01-05T14:31:00Z,388.42,238.45
```
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.market import NS_PER_S
from pipelines.domain.spread_model import Every

_SPACING_NS = {Every.SECOND: NS_PER_S, Every.MINUTE: 60 * NS_PER_S}


class ClosingPricesError(ValueError):
    """What is wrong with a file of closing prices, and the way out."""


@dataclass(frozen=True, slots=True)
class ClosingPrices:
    """`times_ns` (rows,), rising; `mids` (instruments, rows), NaN where there is none."""

    every: Every
    times_ns: NDArray[np.int64]
    mids: NDArray[np.float64]


def load_closing_prices(path: Path, instruments: tuple[str, ...]) -> ClosingPrices:
    """Those of some instruments, in that order. Raises ClosingPricesError; an instrument without a column has no
    prices."""
    times, mids = read_prices(path, instruments)
    step = int(np.diff(times).min())
    every = next((every for every, spacing in _SPACING_NS.items() if step == spacing), None)
    if every is None or (times % step).any():
        raise ClosingPricesError(f"{path}: rows {step / 1e9:g} s apart: full seconds or full minutes expected")
    return ClosingPrices(every, times, mids)


def read_prices(path: Path, instruments: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ns, rising, at least two, and prices, shape (instruments, times), however far apart. As
    `load_closing_prices` besides."""
    import pandas

    try:
        table = pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path)
        times = pandas.DatetimeIndex(pandas.to_datetime(table["time"], utc=True, format="ISO8601")).as_unit("ns").asi8
        mids = np.stack([_column(table, name) for name in instruments])
    except KeyError:
        raise ClosingPricesError(f"{path}: no column `time`: the end of each bar expected in it") from None
    except (OSError, ValueError, TypeError) as error:
        raise ClosingPricesError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    if times.size < 2 or (np.diff(times) <= 0).any():
        raise ClosingPricesError(f"{path}: two rows or more expected, their times rising")
    return times, mids


def _column(table: object, name: str) -> NDArray[np.float64]:
    import pandas

    assert isinstance(table, pandas.DataFrame)
    if name not in table:
        return np.full(len(table), np.nan)
    prices: NDArray[np.float64] = table[name].to_numpy(np.float64)
    bad = np.flatnonzero(~np.isnan(prices) & ~(np.isfinite(prices) & (prices > 0.0)))
    if bad.size:
        raise ValueError(f"row {bad[0] + 1}, {name}: {prices[bad[0]]:g} is no price")
    return prices
