"""Whether the schemas may go out: old and new code read each other, whichever version either has; and the next release.

During a roll-out both run, and a replay reads what any version wrote. So each schema is held against all released
versions of its record, in both directions (FULL_TRANSITIVE).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pipelines.contracts.evolution.changes import Change, Kind, changes
from pipelines.contracts.evolution.compatibility import obstacles
from pipelines.contracts.evolution.released import broken_seals, freeze, released_records, versions
from pipelines.contracts.evolution.rules import breaches
from pipelines.contracts.schemas import SCHEMAS_DIR, Schema, SchemaError, expanded, parse, records

WAY_OUT = (
    "a breaking change is a new record on a new topic: write both, move the readers over, then retire the old one "
    "(docs/schemas.md)"
)


class Direction(StrEnum):
    """Which side cannot read."""

    BACKWARD = "new code reads old records"
    FORWARD = "old code reads new records"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record may not go out. `version`: of the released one that it breaks with; 0 where it is none's matter."""

    record: str
    field: str
    reason: str
    version: int = 0
    direction: Direction | None = None

    def __str__(self) -> str:
        place = f"{self.record}: field {self.field}" if self.field else self.record
        against = f"version {self.version}: " if self.version else ""
        return f"{place}: {against}{f'{self.direction}: ' if self.direction else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found. `unreleased`: records that differ from their newest version, or have none, and its number;
    `retired`: records that were released and have no file any more."""

    faults: tuple[Fault, ...]
    unreleased: dict[str, int]
    retired: tuple[str, ...]

    @property
    def breaking(self) -> bool:
        """Whether one of the faults is that a released version is broken with."""
        return any(fault.version and (fault.direction or fault.field) for fault in self.faults)


def check(folder: Path = SCHEMAS_DIR) -> Checked:
    """Every record of a folder, against its own released versions and our rules."""
    faults, unreleased = list(_seals(folder)), {}
    for record in records(folder):
        try:
            schema, frozen = expanded(record, folder), versions(record, folder)
            faults += check_one(record, schema, frozen)
        except SchemaError as error:
            faults.append(Fault(record, "", str(error)))
            continue
        newest = max(frozen, default=0)
        if not newest or changes(frozen[newest], schema):
            unreleased[record] = newest
    retired = tuple(record for record in released_records(folder) if record not in records(folder))
    return Checked(tuple(faults), unreleased, retired)


def check_one(record: str, schema: Schema, frozen: dict[int, Schema]) -> list[Fault]:
    """One record, its schema written out whole, against released versions by number."""
    faults = [Fault(record, field, reason) for field, reason in breaches(schema)]
    try:
        parse(schema)  # fastavro, by which the codecs go, also looks at defaults
    except Exception as error:  # of many kinds, as its input is anything
        return faults or [Fault(record, "", f"fastavro does not take it: {error}")]
    for number, old in frozen.items():
        for direction, reader, writer in ((Direction.BACKWARD, schema, old), (Direction.FORWARD, old, schema)):
            faults += [Fault(record, it.field, it.reason, number, direction) for it in obstacles(reader, writer)]
        known = {fault.field for fault in faults}
        faults += [
            Fault(record, change.field, reason, number)
            for change in changes(old, schema)
            if change.field not in known and (reason := _silent(change))
        ]
    return faults + list(_defaults(record, schema, frozen))


def require(folder: Path = SCHEMAS_DIR) -> None:
    """SchemaError, a line a fault, if the schemas of a folder may not go out."""
    found = check(folder)
    if found.faults:
        raise SchemaError("\n".join([*map(str, found.faults), *([WAY_OUT] if found.breaking else [])]))


def release(folder: Path = SCHEMAS_DIR) -> dict[str, int]:
    """Freeze what differs from its newest version as the next; the new numbers by record. SchemaError if refused."""
    require(folder)
    return {record: freeze(record, folder) for record in check(folder).unreleased}


def differences(folder: Path = SCHEMAS_DIR) -> dict[str, tuple[int, list[Change]]]:
    """The records that differ from their newest version: its number, and the changes; none where it has no version.

    SchemaError for the first that cannot be read.
    """
    found = {}
    for record in records(folder):
        schema, frozen = expanded(record, folder), versions(record, folder)
        newest = max(frozen, default=0)
        told = changes(frozen[newest], schema) if newest else []
        if told or not newest:
            found[record] = newest, told
    return found


def _silent(change: Change) -> str:
    """Why a change that Avro reads over would still lose or bend values without a word."""
    match change.kind:
        case Kind.RENAMED:
            return f"renamed from {change.before}: old code would take its default for every value written"
        case Kind.RETYPED:
            return f"retyped from {change.before} to {change.after}: columns and SQL have one type for a field"
    return ""


def _defaults(record: str, schema: Schema, frozen: dict[int, Schema]) -> Iterator[Fault]:
    """A default is what old records say that lack the field: another one, and they replay differently."""
    lacking = {
        number: [c.field for c in changes(old, schema) if c.kind is Kind.ADDED] for number, old in frozen.items()
    }
    newest = max(frozen, default=0)
    for change in changes(frozen[newest], schema) if newest else ():
        without = [number for number, fields in lacking.items() if change.field in fields]
        if change.kind is Kind.DEFAULT and without:
            reason = f"{change}: records of version {without[0]} lack the field and would replay differently"
            yield Fault(record, change.field, reason, newest)


def _seals(folder: Path) -> Iterator[Fault]:
    try:
        for record, number, reason in broken_seals(folder):
            yield Fault(record, "", reason, number)
    except SchemaError as error:
        yield Fault("released", "", str(error))
