"""Columns of a table, text or typed, made into numbers, times and kinds; and by row what could not be."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.contracts.mapping_file import ISO, TimeColumn
from pipelines.feeds.protocols.decimals import LARGEST

LAST_NS = 9_000_000_000_000_000_000
_NS_PER_US = 1000


class Wrong:
    """The first thing that is wrong with each row of a chunk."""

    def __init__(self, rows: int) -> None:
        self.good = np.ones(rows, np.bool_)
        self.told: dict[int, str] = {}

    def note(self, places: Sequence[int], column: str, values: pa.Array, expected: str) -> None:
        """Rows at `places` hold a value that is not what was expected."""
        for place in places:
            if self.good[place]:
                self.good[place] = False
                value = values[place].as_py()
                shown = "nothing" if value is None or value == "" else repr(value)[:60]
                self.told[place] = f"{column}: {shown}: expected {expected}"


def texts(values: pa.Array) -> pa.Array:
    """A column as text; what is empty is null."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if not pa.types.is_string(values.type):
        values = values.cast(pa.string(), safe=False)
    return pc.if_else(pc.equal(values, ""), None, values)


def numbers(values: pa.Array, column: str, wrong: Wrong, rows: NDArray[np.bool_], needed: bool) -> NDArray[np.float64]:
    """A column as doubles, looked at in `rows`; 0 where it is empty, which is wrong only if it is needed."""
    if pa.types.is_string(values.type) or pa.types.is_dictionary(values.type):
        read = _cast(texts(values), pa.float64(), float)
    else:
        read = values.cast(pa.float64(), safe=False)
    found: NDArray[np.float64] = read.fill_null(np.nan).to_numpy(zero_copy_only=False)
    empty = _nulls(texts(values) if pa.types.is_string(values.type) else values)
    bad = rows & ~(np.abs(found) <= LARGEST) & (~empty | needed)
    wrong.note(np.flatnonzero(bad).tolist(), column, values, f"a number of at most {LARGEST:.0e}")
    return np.where(np.isfinite(found), found, 0.0)


def whole(values: pa.Array, column: str, wrong: Wrong) -> NDArray[np.int64]:
    """A column as whole numbers from 0; -1 where it is empty."""
    read = _cast(texts(values), pa.int64(), int) if not pa.types.is_integer(values.type) else values.cast(pa.int64())
    found: NDArray[np.int64] = read.fill_null(-2).to_numpy(zero_copy_only=False)
    empty = _nulls(texts(values) if pa.types.is_string(values.type) else values)
    wrong.note(np.flatnonzero((found < 0) & ~empty).tolist(), column, values, "a whole number of 0 or more")
    return np.where(found < 0, -1, found)


def times(values: pa.Array, of: TimeColumn, wrong: Wrong) -> NDArray[np.int64]:
    """A column as UTC ns; 0 where it is none."""
    if pa.types.is_timestamp(values.type):
        read = values.cast(pa.timestamp("ns", values.type.tz), safe=False)
        read = (read if values.type.tz else _in_zone(read, of.zone)).cast(pa.int64())
    elif of.unit_ns and pa.types.is_integer(values.type):
        read = _scaled(values.cast(pa.int64()), of.unit_ns)
    elif of.unit_ns:
        read = _numbered(texts(values), of.unit_ns)
    elif of.format == ISO:
        read = _iso(texts(values), of.zone)
    else:
        zone = ZoneInfo(of.zone)
        read = _each(texts(values), pa.int64(), lambda text: _strptime(text, of.format, zone))
    found: NDArray[np.int64] = read.fill_null(0).to_numpy(zero_copy_only=False)
    expected = "a number" if of.unit_ns else "a time as 2013-10-07 09:30:00" if of.format == ISO else of.format
    bad = (found <= 0) | (found > LAST_NS)
    wrong.note(np.flatnonzero(bad).tolist(), of.column, values, f"{expected}, after 1970")
    return np.where(bad, 0, found)


def _nulls(values: pa.Array) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = values.is_null().to_numpy(zero_copy_only=False)
    return found


def _cast(values: pa.Array, to: pa.DataType, one: Callable[[str], object]) -> pa.Array:
    """Cast all at once; where that fails, each alone, null where it is none."""
    try:
        return values.cast(to)
    except pa.ArrowInvalid:
        return _each(values, to, one)


def _each(values: pa.Array, to: pa.DataType, one: Callable[[str], object]) -> pa.Array:
    known: dict[str | None, Any] = {None: None}
    for text in values.unique().to_pylist():
        if text is None:
            continue
        try:
            known[text] = one(text) if len(text) <= 64 and "_" not in text else None
            pa.scalar(known[text], to)
        except (ValueError, OverflowError, InvalidOperation, pa.ArrowInvalid):
            known[text] = None
    return pa.array([known[text] for text in values.to_pylist()], to)


def _scaled(values: pa.Array, unit_ns: int) -> pa.Array:
    """Whole numbers times their unit; null where that is more than 64 bits hold."""
    fits = pc.and_(pc.greater(values, 0), pc.less_equal(values, LAST_NS // unit_ns))
    return pc.multiply(pc.if_else(fits, values, None), unit_ns)


def _numbered(values: pa.Array, unit_ns: int) -> pa.Array:
    try:
        return _scaled(values.cast(pa.int64()), unit_ns)
    except pa.ArrowInvalid:
        return _each(values, pa.int64(), lambda text: _exact(text, unit_ns))


def _exact(text: str, unit_ns: int) -> int | None:
    """A decimal times its unit, to the nanosecond."""
    number = Decimal(text)
    return int(number * unit_ns) if number.is_finite() and 0 < number <= LAST_NS else None


def _iso(values: pa.Array, zone: str) -> pa.Array:
    """Text as Arrow reads ISO 8601: all without an offset, or all with one; else each alone."""
    for kind in (pa.timestamp("ns"), pa.timestamp("ns", "UTC")):
        try:
            read = values.cast(kind)
        except pa.ArrowInvalid:
            continue
        return (read if kind.tz else _in_zone(read, zone)).cast(pa.int64())
    if len(values) == 1:
        return pa.nulls(1, pa.int64())
    known = {text: _iso(pa.array([text], pa.string()), zone)[0].as_py() for text in values.unique().to_pylist()}
    return pa.array([known[text] for text in values.to_pylist()], pa.int64())


def _in_zone(values: pa.Array, zone: str) -> pa.Array:
    return pc.assume_timezone(values, zone, ambiguous="earliest", nonexistent="earliest")


def _strptime(text: str, form: str, zone: ZoneInfo) -> int:
    when = datetime.strptime(text, form)
    when = when if when.tzinfo else when.replace(tzinfo=zone)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * _NS_PER_US
