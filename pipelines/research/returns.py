"""Returns of research from CSV files, and the weights of a portfolio of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from pipelines.research.prices import PricesError, between, no_column, read_numbers, read_table


@dataclass(frozen=True, slots=True)
class Returns:
    """Returns on the dates that every column has. `values`: shape (dates, columns); `left_out`: dates that one column
    has and another has not."""

    dates: pd.DatetimeIndex
    values: NDArray[np.float64]
    left_out: int


def read_returns(file: Path, names: Sequence[str], first: date | None = None, last: date | None = None) -> Returns:
    """Columns of a CSV file (.gz too), by rising date. `first`, `last`: dates to begin and end with. Raises
    PricesError."""
    table = read_table(file)
    missing = next((name for name in names if name not in table.columns), None)
    if missing is not None:
        raise no_column(missing, {file: table})
    joined = pd.concat([read_numbers(file, table[name], name, "return") for name in names], axis=1).sort_index()
    joined = between(joined, first, last)
    told, common = joined.dropna(how="all"), joined.dropna()
    if not len(common):
        raise PricesError(f"{file}: {', '.join(names)}: no date with a return of each")
    values = common.to_numpy(np.float64)
    return Returns(pd.DatetimeIndex(common.index), values, len(told) - len(common))


def read_weights(file: Path) -> dict[str, float]:
    """Weights by name: CSV of two columns, or a mapping in YAML or JSON. Raises PricesError that names the line."""
    text = file.read_text()
    if file.suffix.lower() in (".yaml", ".yml", ".json"):
        try:
            told: Any = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise PricesError(f"{file}: {' '.join(str(error).split())}") from error
        if not isinstance(told, dict) or not told:
            raise PricesError(f"{file}: a weight for each name expected, such as {json.dumps({'KO': 0.6, 'PEP': 0.4})}")
        rows = [(f"{file}: {name}", str(name), value) for name, value in told.items()]
    else:
        lines = [line.rpartition(",") for line in text.splitlines()]
        rows = [
            (f"{file}:{at}", name.strip(' "'), value) for at, (name, _, value) in enumerate(lines, 1) if name or value
        ]
        if rows and _number(rows[0][2]) is None:  # names of the columns
            rows = rows[1:]
    found: dict[str, float] = {}
    for place, name, value in rows:
        weight = _number(value)
        if not name or weight is None or not np.isfinite(weight):
            raise PricesError(f"{place}: {value!r} is no weight: give a name and a number, such as KO,0.6")
        if name in found:
            raise PricesError(f"{place}: {name} is there twice")
        found[name] = weight
    if not found:
        raise PricesError(f"{file}: no weights in it: give a name and a number in each line, such as KO,0.6")
    return found


def _number(value: object) -> float | None:
    try:
        return float(value) if not isinstance(value, bool) else None  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
