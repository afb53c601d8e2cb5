"""What became of an immutable value, told so that the same is made of the old one again: states share what stayed.

A part tells the difference `between` two values of a type, and `applied` to the first it gives the second, the order of
its dicts included. `wire` is the type of what it tells. What is the same object on both sides is never told of; that
`then` is None says that there was nothing.
"""

from collections.abc import Collection, Mapping
from itertools import compress
from operator import is_not
from typing import Any, Protocol, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

Dict = Mapping[Any, Any]


class Part(Protocol):
    wire: Any

    def between(self, then: Any, now: Any) -> Any: ...

    def applied(self, then: Any, told: Any) -> Any: ...


class Whole:
    """Told as it is."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire

    def between(self, then: Any, now: Any) -> Any:
        return now

    def applied(self, then: Any, told: Any) -> Any:
        return told


class Entries:
    """A dict: keys that go, then what is put in their order, each told as `value` tells it. A key that moves does both.

    Where nothing goes or moves, no loop of Python's own: of 300 entries it takes 7 us.
    """

    def __init__(self, key: Any, value: Part) -> None:
        self._value = value
        self.wire = tuple[frozenset[key], dict[key, value.wire]]  # type: ignore[name-defined]

    def between(self, then: Dict | None, now: Dict) -> tuple[list[Any], Dict]:
        then = then or {}
        keys, kept, gone = list(now), list(then), []
        if keys[: len(kept)] != kept:
            kept = _in_place(kept, keys)
            stay = set(kept)
            gone = [key for key in then if key not in stay]
            told = compress(kept, map(is_not, map(then.get, kept), now.values()))
        else:
            told = compress(kept, map(is_not, then.values(), now.values()))
        names = (*told, *keys[len(kept) :])
        if isinstance(self._value, Whole):
            return gone, {key: now[key] for key in names}
        return gone, {key: self._value.between(then.get(key), now[key]) for key in names}

    def applied(self, then: Dict | None, told: tuple[frozenset[Any], Dict]) -> Dict:
        then = then or {}
        gone, put = told
        found = {key: value for key, value in then.items() if key not in gone} if gone else dict(then)
        for key, each in put.items():
            found[key] = self._value.applied(then.get(key), each)
        return found


def _in_place(then: list[Any], now: list[Any]) -> list[Any]:
    """Those of `then` that `now` begins with."""
    place, count = 0, len(now)
    for key in then:
        if place < count and key == now[place]:
            place += 1
    return now[:place]


class Fields:
    """A struct, field by field but for those `without`: dicts by their entries, structs that are `apart` by their
    fields, all else whole. Fields are told by name, so that those of an older or newer program are read too."""

    def __init__(self, kind: type[msgspec.Struct], apart: Collection[type] = (), without: Collection[str] = ()) -> None:
        self._kind = kind
        hints = get_type_hints(kind)
        self._parts = {name: _part(hints[name], apart) for name in kind.__struct_fields__ if name not in without}
        told = [(name, part.wire | msgspec.UnsetType, msgspec.UNSET) for name, part in self._parts.items()]
        self.wire: Any = msgspec.defstruct(f"{kind.__name__}Told", told, frozen=True)

    def between(self, then: Any, now: Any) -> dict[str, Any]:
        found = {}
        for name, part in self._parts.items():
            was, value = getattr(then, name, None), getattr(now, name)
            if then is None or was is not value:
                found[name] = part.between(was, value)
        return found

    def applied(self, then: Any, told: Any) -> Any:
        found = {}
        for name, part in self._parts.items():
            each = getattr(told, name)
            if each is not msgspec.UNSET:
                found[name] = part.applied(getattr(then, name, None), each)
        return self._kind(**found) if then is None else replace(then, **found)


def _part(kind: Any, apart: Collection[type]) -> Part:
    if get_origin(kind) is dict:
        key, value = get_args(kind)
        return Entries(key, _part(value, apart))
    return Fields(kind, apart) if kind in apart else Whole(kind)
