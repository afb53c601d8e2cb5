"""Parameters of signals: typed, ranged, and bound as SQL literals of their type, never as text."""

import math
import re
from dataclasses import dataclass

from pipelines.domain.ladder import REACH, RUNG_Z

TYPES = ("z", "double", "int", "interval", "string")
UNITS = {"second": "SECOND", "minute": "MINUTE", "hour": "HOUR", "day": "DAY"}
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}

_DECLARATION = re.compile(
    r"(?P<name>[A-Za-z_]\w*)\s+(?P<type>\w+)\s*=\s*(?P<default>.+?)(?:\s+range\s+(?P<low>\S+?)\.\.(?P<high>\S+))?\s*$"
)
_INTERVAL = re.compile(r"(?P<count>\d{1,4})\s*(?P<unit>second|minute|hour|day)s?$")


class ParameterError(ValueError):
    """A declaration or a value that is not of its type: what came, what was expected."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter. `low` and `high` bound numbers, both included."""

    name: str
    type: str
    default: object
    low: float
    high: float
    line: int

    @classmethod
    def parse(cls, text: str, line: int) -> "Parameter":
        """Of `NAME TYPE = DEFAULT [range A..B]`."""
        match = _DECLARATION.match(text)
        if not match:
            raise ParameterError(f"{text!r}: NAME TYPE = DEFAULT [range A..B] expected")
        kind = match["type"]
        if kind not in TYPES:
            raise ParameterError(f"type {kind!r}: one of {', '.join(TYPES)} expected")
        low, high = -math.inf, math.inf
        if match["low"] is not None:
            if kind not in ("z", "double", "int"):
                raise ParameterError(f"a {kind} has no range")
            low, high = _number(match["low"]), _number(match["high"])
            if low > high:
                raise ParameterError(f"range {match['low']}..{match['high']} is empty: give the lower bound first")
        parameter = cls(match["name"], kind, match["default"].strip(), low, high, line)
        parameter.literal(parameter.default)
        return parameter

    def literal(self, value: object) -> str:
        """The value as a SQL literal of this type. Raises ParameterError."""
        match self.type:
            case "string":
                return _string(value)
            case "interval":
                return _interval(value)
            case "int":
                number = self._in_range(_number(value))
                if number != int(number):
                    raise ParameterError(f"{value!r} is not a whole number: give one such as {int(number)}")
                return str(int(number))
            case "z":
                return _double(rungs(self._in_range(_number(value))) * RUNG_Z)
            case _:
                return _double(self._in_range(_number(value)))

    def _in_range(self, number: float) -> float:
        if not self.low <= number <= self.high:
            raise ParameterError(f"{number:g} is outside {self.low:g}..{self.high:g}: give one within")
        return number


def rungs(value: object) -> int:
    """A z as a level of the ladder, in rungs from 0. ParameterError for one between levels or beyond them all."""
    number = _number(value)
    if abs(number) >= REACH * RUNG_Z:
        raise ParameterError(f"{number:g} is beyond the ladder, whose last level is {(REACH - 1) * RUNG_Z:g}")
    rung = round(number / RUNG_Z)
    if not math.isclose(rung * RUNG_Z, number, abs_tol=1e-9):
        raise ParameterError(f"{number:g} is between the rungs of z, which are {RUNG_Z} apart: take {rung * RUNG_Z:g}")
    return rung


def _number(value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        number = float(value)
    except ValueError:
        raise ParameterError(f"{value!r} is not a number: give one such as 2 or 0.5") from None
    if not math.isfinite(number):
        raise ParameterError(f"{value!r} is not a finite number")
    return number


def _double(number: float) -> str:
    """With an exponent: SQL takes any other for a DECIMAL."""
    mantissa, _, exponent = f"{number!r}".partition("e")
    return f"{mantissa}E{int(exponent or 0)}" if number >= 0 else f"({mantissa}E{int(exponent or 0)})"


def _interval(value: object) -> str:
    match = _INTERVAL.match(str(value).strip().lower())
    if not match or int(match["count"]) == 0:
        raise ParameterError(
            f"{value!r} is not an interval such as `30 minutes`: a number and second, minute, hour or day"
        )
    count, unit = int(match["count"]), match["unit"]
    if count < 100:
        return f"INTERVAL '{count}' {UNITS[unit]}"
    # In three digits or more a plan cannot hold a unit below a day.
    minutes, seconds = divmod(count * _SECONDS[unit], 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"INTERVAL '{days} {hours:02}:{minutes:02}:{seconds:02}' DAY({max(2, len(str(days)))}) TO SECOND"


def _string(value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ParameterError(f"{value!r} is not a text of one line: give letters, digits and signs alone")
    return "'" + value.replace("'", "''") + "'"
