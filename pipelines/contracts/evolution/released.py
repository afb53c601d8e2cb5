"""The released versions of every record: schemas/released/<record>/<N>.avsc, each whole, each frozen by its digest.

SHA256SUMS beside them has a line for each file, so that `sha256sum -c` holds them too. A line is added when a version
is released and never touched again: a released file that was edited, lost or slipped in is a fault.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.contracts.schemas import SCHEMAS_DIR, Schema, SchemaError, expanded

FOLDER = "released"
SUMS = "SHA256SUMS"


def released_records(folder: Path = SCHEMAS_DIR) -> tuple[str, ...]:
    """Full names of all records that were ever released, sorted."""
    return tuple(sorted(path.name for path in (folder / FOLDER).glob("*") if path.is_dir()))


def versions(record: str, folder: Path = SCHEMAS_DIR) -> dict[int, Schema]:
    """The released versions of a record by number, rising; empty where it has none. SchemaError for a faulty file."""
    files = {_number(path): path for path in (folder / FOLDER / record).glob("*.avsc")}
    return {number: _schema(files[number], record) for number in sorted(files)}


def freeze(record: str, folder: Path = SCHEMAS_DIR) -> int:
    """Write the schema of a record as its next version; its number, from 1."""
    number = max(versions(record, folder), default=0) + 1
    file = folder / FOLDER / record / f"{number}.avsc"
    file.parent.mkdir(parents=True, exist_ok=True)
    data = (json.dumps(expanded(record, folder), indent=2, ensure_ascii=False) + "\n").encode()
    with file.open("xb") as out:
        out.write(data)
    with (folder / FOLDER / SUMS).open("a") as sums:
        sums.write(f"{hashlib.sha256(data).hexdigest()}  {record}/{file.name}\n")
    return number


def broken_seals(folder: Path = SCHEMAS_DIR) -> list[tuple[str, int, str]]:
    """Released files that are not as they were released: record, version, and what is wrong."""
    home = folder / FOLDER
    told = _sums(home / SUMS)
    there = {f"{path.parent.name}/{path.name}": path for path in home.glob("*/*.avsc")}
    faults = []
    for name in sorted(told.keys() | there.keys()):
        record, _, file = name.partition("/")
        number = _number(home / name)
        if name not in there:
            faults.append((record, number, f"{file} is gone: take it back from the version control"))
        elif name not in told:
            faults.append((record, number, f"{file} is not in {SUMS}: versions are made by helios schemas release"))
        elif hashlib.sha256(there[name].read_bytes()).hexdigest() != told[name]:
            faults.append(
                (
                    record,
                    number,
                    f"{file} was changed after its release: take it back, and change schemas/{record}.avsc",
                )
            )
        elif number > 1 and f"{record}/{number - 1}.avsc" not in told:
            faults.append((record, number, f"there is no version {number - 1} before it"))
    return faults


def _sums(file: Path) -> dict[str, str]:
    """Digest by file, of the lines that sha256sum writes."""
    if not file.is_file():
        return {}
    told: dict[str, str] = {}
    for place, line in enumerate(file.read_text().splitlines(), 1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or name.count("/") != 1 or told.setdefault(name, digest) != digest:
            raise SchemaError(f"{file}:{place}: a line `<sha256>  <record>/<N>.avsc` expected, each file once")
    return told


def _number(file: Path) -> int:
    if not file.stem.isdecimal() or file.stem != str(int(file.stem)) or file.stem == "0":
        raise SchemaError(f"{file}: a released version is named by its number: 1.avsc, 2.avsc, ...")
    return int(file.stem)


def _schema(file: Path, record: str) -> Schema:
    try:
        schema: Any = json.loads(file.read_text())
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{file}: not JSON: {error}") from None
    whole = isinstance(schema, dict) and isinstance(schema.get("fields"), list)
    if whole and f"{schema.get('namespace')}.{schema.get('name')}" == record:
        return dict(schema)
    raise SchemaError(f"{file}: the schema of {record} expected")
