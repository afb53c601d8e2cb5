"""What differs between two schemas of a record, field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipelines.contracts.schemas import Json, Schema


class Kind(StrEnum):
    """How a field differs."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RETYPED = "retyped"
    DEFAULT = "default changed"
    MOVED = "moved"
    DOC = "doc only"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `field`: its path in the newer schema, `ticks[].bid`; empty for the record's own words."""

    field: str
    kind: Kind
    before: Json = None
    after: Json = None

    def __str__(self) -> str:
        match self.kind:
            case Kind.DOC | Kind.MOVED:
                return str(self.kind)
            case Kind.ADDED:
                return f"added: {self.after}"
            case Kind.REMOVED:
                return f"removed: it was {self.before}"
        return f"{self.kind}: from {self.before} to {self.after}"


def changes(before: Schema, after: Schema) -> list[Change]:
    """What is to be done to `before` to have `after`, both written out whole. A record in it is told of once."""
    return list(_Walk(_named(before), _named(after)).record(_full_name(before), _full_name(after), ""))


class _Walk:
    """Through two schemas at once; each record that they name is entered at its first place."""

    def __init__(self, before: Mapping[str, Schema], after: Mapping[str, Schema]) -> None:
        self._before = before
        self._after = after
        self._entered: set[str] = set()

    def record(self, was: str, now: str, where: str) -> Iterator[Change]:
        if now in self._entered:
            return
        self._entered.add(now)
        before, after = self._before[was], self._after[now]
        if before.get("doc") != after.get("doc"):
            yield Change(where, Kind.DOC)
        old, new = _fields(before), _fields(after)
        renamed = {name: alias for name in new.keys() - old.keys() for alias in _aliases(new[name]) if alias in old}
        for name, field in new.items():
            path = f"{where}.{name}" if where else name
            if name not in old and name not in renamed:
                yield Change(path, Kind.ADDED, after=_told(field, now))
                continue
            if name in renamed:
                yield Change(path, Kind.RENAMED, renamed[name], name)
            yield from self._field(old[renamed.get(name, name)], field, was, now, path)
        for name in [each for each in old if each not in new and each not in renamed.values()]:
            yield Change(f"{where}.{name}" if where else name, Kind.REMOVED, before=_told(old[name], was))
        kept = [name for name in new if name in old]
        for name in _moved([name for name in old if name in new], kept):
            yield Change(f"{where}.{name}" if where else name, Kind.MOVED)

    def _field(self, old: Schema, new: Schema, was: str, now: str, path: str) -> Iterator[Change]:
        before, after = type_text(old["type"], _space(was)), type_text(new["type"], _space(now))
        if before != after:
            yield Change(path, Kind.RETYPED, before, after)
        if _default(old) != _default(new):
            yield Change(path, Kind.DEFAULT, _default(old), _default(new))
        if old.get("doc") != new.get("doc"):
            yield Change(path, Kind.DOC)
        if before == after:
            for name, inside in _inner(new["type"], _space(now), path):
                yield from self.record(name, name, inside)


def type_text(kind: Json, space: str = "") -> str:
    """A type in words, records by their full names."""
    match kind:
        case list():
            return f"[{', '.join(type_text(branch, space) for branch in kind)}]"
        case {"type": "array", "items": items}:
            return f"array of {type_text(items, space)}"
        case dict() if kind["type"] == "record":
            return _full_name(kind, space)
        case {"type": other}:
            return type_text(other, space)
        case str() if kind in ("int", "long", "float", "double", "boolean", "string", "bytes", "null"):
            return kind
    return str(kind) if "." in str(kind) else f"{space}.{kind}"  # a record written out before


def _named(kind: Json, space: str = "") -> dict[str, Schema]:
    """Every record in a type, by its full name."""
    match kind:
        case list():
            return {name: it for branch in kind for name, it in _named(branch, space).items()}
        case {"type": "array", "items": items}:
            return _named(items, space)
        case dict() if kind["type"] == "record":
            name = _full_name(kind, space)
            inside = (_named(field["type"], _space(name)) for field in _fields(kind).values())
            return {name: kind} | {key: it for each in inside for key, it in each.items()}
    return {}


def _inner(kind: Json, space: str, path: str) -> Iterator[tuple[str, str]]:
    """The record that a type holds, and its path."""
    match kind:
        case list():
            for branch in kind:
                yield from _inner(branch, space, path)
        case {"type": "array", "items": items}:
            yield from _inner(items, space, f"{path}[]")
        case dict() if kind["type"] == "record":
            yield _full_name(kind, space), path


def _moved(old: list[str], new: list[str]) -> list[str]:
    """Names that have to move for the rest to stand in the same order: the longest common run of it stays."""
    longest: list[list[str]] = []
    place = {name: number for number, name in enumerate(old)}
    for name in new:
        before = [run for run in longest if place[run[-1]] < place[name]]
        longest.append([*max(before, key=len, default=[]), name])
    return [name for name in new if name not in max(longest, key=len, default=[])]


def _fields(record: Schema) -> dict[str, Schema]:
    fields = record["fields"]
    assert isinstance(fields, list)
    return {str(field["name"]): field for field in fields if isinstance(field, dict)}


def _aliases(field: Schema) -> list[str]:
    aliases = field.get("aliases", [])
    return [str(alias) for alias in aliases] if isinstance(aliases, list) else []


def _default(field: Schema) -> str:
    return _literal(field["default"]) if "default" in field else "none"


def _told(field: Schema, record: str) -> str:
    said = type_text(field["type"], _space(record))
    return f"{said} = {_literal(field['default'])}" if "default" in field else f"{said}, no default"


def _literal(value: Json) -> str:
    """A default as the schema has it."""
    return json.dumps(value, ensure_ascii=False)


def _full_name(schema: Mapping[str, Json], space: str = "") -> str:
    name = str(schema["name"])
    return name if "." in name else f"{schema.get('namespace', space)}.{name}"


def _space(name: str) -> str:
    return name.rpartition(".")[0]
