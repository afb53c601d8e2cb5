"""The levels of z that a strategy's signals go by: lines to hold a spread against."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """A parameter of type z: the signals that have it at this value, its name without `_z`, and the value."""

    signals: tuple[str, ...]
    name: str
    z: float


def bands(levels: Iterable[tuple[str, str, float]]) -> tuple[Band, ...]:
    """Of signal, parameter and value; one band for each name and value, by rising value."""
    found: dict[tuple[float, str], list[str]] = {}
    for signal, parameter, z in levels:
        found.setdefault((z, parameter.removesuffix("_z")), []).append(signal)
    return tuple(Band(tuple(signals), name, z) for (z, name), signals in sorted(found.items()))
