"""Prices of research from CSV files, compressed or not: a column of dates and a column a leg, or a file a leg."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DATES = ("date", "day", "datetime", "timestamp", "time")
"""Names of the column of dates, whatever their case; else the first column is it."""

PRICES = ("adj close", "adj_close", "adjusted close", "close", "price", "last")
"""Names of the price in a file of one leg, the first that there is."""


class PricesError(ValueError):
    """A file or a column that gives no prices: names it, the line, and the way out."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of legs on the dates that all have. `values`: shape (dates, legs); `left_out`: dates that one leg has and
    another has not."""

    legs: tuple[str, ...]
    dates: pd.DatetimeIndex
    values: NDArray[np.float64]
    left_out: int

    def __len__(self) -> int:
        return len(self.dates)


def read_prices(
    files: Sequence[Path],
    legs: Sequence[str],
    column: str = "",
    first: date | None = None,
    last: date | None = None,
) -> Prices:
    """The legs' prices, by rising date. A leg is a column of a file, or a file of that name; of such a file `column`
    is the price (`PRICES` if left out). `first`, `last`: dates to begin and end with."""
    if len(legs) < 2 or len(set(legs)) < len(legs):
        raise PricesError(f"{','.join(legs)}: give two legs or more, each once")
    tables = {file: read_table(file) for file in files}
    series = [_leg(leg, tables, column) for leg in legs]
    joined = pd.concat(series, axis=1, join="outer").sort_index()
    joined = between(joined, first, last)
    common = joined.dropna()
    if not len(common):
        raise PricesError(f"{', '.join(legs)}: no date in common{' between the dates given' if first or last else ''}")
    return Prices(tuple(legs), pd.DatetimeIndex(common.index), common.to_numpy(np.float64), len(joined) - len(common))


def read_table(file: Path) -> pd.DataFrame:
    """A file's columns as text, by date. Raises PricesError."""
    try:
        table = pd.read_csv(file, dtype=str, skipinitialspace=True)
    except (ValueError, EOFError, UnicodeDecodeError) as error:  # pandas' own are ValueErrors
        raise PricesError(f"{file}: {' '.join(str(error).split())}: give a CSV file with a header") from error
    table.columns = [str(name).strip() for name in table.columns]
    if table.shape[1] < 2 or not len(table):
        raise PricesError(
            f"{file}: {len(table)} rows of {table.shape[1]} columns: give a date and a number in each row"
        )
    found = [name for name in table.columns if name.lower() in DATES]
    of_dates = found[0] if found else table.columns[0]
    with warnings.catch_warnings():  # that it reads an unusual form date by date
        warnings.simplefilter("ignore", UserWarning)
        dates = pd.to_datetime(table[of_dates], errors="coerce")
    _refuse(file, of_dates, table[of_dates], dates.isna(), "is no date")
    _refuse(file, of_dates, table[of_dates], dates.duplicated(), "is there twice")
    return table.set_index(pd.DatetimeIndex(dates.dt.tz_localize(None))).drop(columns=of_dates)


def _leg(leg: str, tables: dict[Path, pd.DataFrame], column: str) -> pd.Series:
    """A leg's prices by date, under its name."""
    for file, table in tables.items():
        if leg in table.columns:
            return read_numbers(file, table[leg], leg).rename(leg)
    for file, table in tables.items():
        if file.name.partition(".")[0].lower() != leg.lower():
            continue
        by_name = {name.lower(): name for name in table.columns}
        wanted = (column.lower(),) if column else PRICES
        name = next((by_name[each] for each in wanted if each in by_name), None)
        if name is None:
            raise PricesError(f"{file}: no column {' or '.join(wanted)}: it has {', '.join(table.columns)}: --column")
        return read_numbers(file, table[name], name).rename(leg)
    raise no_column(leg, tables)


def between(table: pd.DataFrame, first: date | None, last: date | None) -> pd.DataFrame:
    """The rows from the beginning of a date to the end of another."""
    if first is not None:
        table = table[table.index >= pd.Timestamp(first)]
    if last is not None:
        table = table[table.index < pd.Timestamp(last) + pd.Timedelta(days=1)]
    return table


def no_column(name: str, tables: Mapping[Path, pd.DataFrame]) -> PricesError:
    """What is said of a column that no file has."""
    known = [name for table in tables.values() for name in table.columns]
    near = get_close_matches(name, known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known[:30])}"
    return PricesError(f"{', '.join(map(str, tables))}: no column {name}: {hint}")


def read_numbers(file: Path, texts: pd.Series, name: str, what: str = "price") -> pd.Series:
    """Numbers of a column's texts; what is empty is none. Raises PricesError."""
    values = pd.to_numeric(texts, errors="coerce")
    _refuse(file, name, texts, values.isna() & texts.notna() | np.isinf(values), f"is no {what}")
    return values


def _refuse(file: Path, name: str, texts: pd.Series, wrong: pd.Series, why: str) -> None:
    places = np.flatnonzero(wrong.to_numpy())
    if len(places):
        place = int(places[0])
        raise PricesError(f"{file}:{place + 2}: {name}: {texts.iloc[place]!r} {why}")
