"""helios schemas: how the wire formats differ from what was released, whether they may go out, and their release."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.contracts.schemas import SCHEMAS_DIR, SchemaError

if TYPE_CHECKING:
    from pipelines.contracts.evolution.check import Checked
    from pipelines.contracts.schemas import Json

app = typer.Typer(help="The Avro schemas of everything on a wire, and how they change.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--schemas", help="Folder of <record>.avsc and released/.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command(epilog="Example: helios schemas diff")
def diff(folder: Folder = SCHEMAS_DIR, as_json: AsJson = False) -> None:
    """Every record that differs from its newest released version, field by field."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from pipelines.contracts.evolution.check import differences

    found = differences(folder)
    if as_json:
        told = {
            record: {
                "released": newest or None,
                "changes": [
                    {"field": it.field, "change": it.kind.value, "before": it.before, "after": it.after}
                    for it in changes
                ],
            }
            for record, (newest, changes) in found.items()
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    console = Console()
    if not found:
        console.print("every record is as its newest released version has it")
        return
    table = Table("record", "since", "field", "change")
    for record, (newest, changes) in found.items():
        if not newest:
            table.add_row(record, "never released", "", "new record")
        for number, it in enumerate(changes):
            head = (record, f"version {newest}") if number == 0 else ("", "")
            table.add_row(*head, escape(it.field or "(the record)"), escape(str(it)))
        table.add_section()
    console.print(table)


@app.command(epilog="Example: helios schemas check; helios schemas check reader.avsc --against writer.avsc --json")
def check(
    file: Annotated[Path | None, typer.Argument(help="One schema file, instead of all records.")] = None,
    against: Annotated[Path | None, typer.Option(help="Whether FILE can read what this schema wrote.")] = None,
    released: Annotated[bool, typer.Option("--released", help="Fail also where a change is not released yet.")] = False,
    folder: Folder = SCHEMAS_DIR,
    as_json: AsJson = False,
) -> None:
    """Whether the schemas may go out: new code reads what every released version wrote, and old code what new code
    writes. Exits 1, with reasons, if not.

    With FILE: that file in the place of its record. With FILE --against OTHER: any two schemas, as reader and writer.
    """
    if against is not None:
        if file is None:
            raise SchemaError("--against: name the reader's schema too: helios schemas check READER --against WRITER")
        _check_pair(file, against, as_json)
    elif file is not None:
        _check_file(file, folder, as_json)
    else:
        _check_all(folder, released, as_json)


def _check_all(folder: Path, released: bool, as_json: bool) -> None:
    from pipelines.contracts.evolution.check import WAY_OUT
    from pipelines.contracts.evolution.check import check as check_folder

    found = check_folder(folder)
    well = not found.faults and not (released and found.unreleased)
    if as_json:
        print(json.dumps(_told(found) | {"compatible": well}, indent=2, ensure_ascii=False))
    else:
        for fault in found.faults:
            typer.echo(str(fault), err=True)
        if found.breaking:
            typer.echo(WAY_OUT, err=True)
        for record, newest in found.unreleased.items():
            since = f"changed since version {newest}" if newest else "a new record"
            typer.echo(f"{record}: {since}, not released yet: helios schemas release", err=released)
        for record in found.retired:
            typer.echo(f"{record}: retired: released, and no file any more")
        if not found.faults:
            typer.echo("every record and its released versions read each other")
    raise typer.Exit(0 if well else 1)


def _told(found: "Checked") -> dict[str, object]:
    return {
        "compatible": not found.faults,
        "messages": [str(fault) for fault in found.faults],
        "faults": [
            {
                "record": fault.record,
                "field": fault.field,
                "version": fault.version or None,
                "direction": fault.direction.value if fault.direction else None,
                "reason": fault.reason,
            }
            for fault in found.faults
        ],
        "unreleased": found.unreleased,
        "retired": found.retired,
    }


def _check_file(file: Path, folder: Path, as_json: bool) -> None:
    """A file in the place of its record, written out whole, as schemas/released/ has them."""
    from pipelines.contracts.evolution.check import WAY_OUT, Checked, check_one
    from pipelines.contracts.evolution.compatibility import verdict
    from pipelines.contracts.evolution.released import versions

    schema = _whole(file)
    if not isinstance(schema, dict) or schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
        raise SchemaError(f"{file}: a record expected; of any two schemas: helios schemas check FILE --against OTHER")
    verdict(schema, schema)  # a schema at all
    name = str(schema.get("name", ""))
    record = name if "." in name else f"{schema.get('namespace', '')}.{name}"
    frozen = versions(record, folder)
    found = Checked(tuple(check_one(record, schema, frozen)), {}, ())
    if as_json:
        print(json.dumps(_told(found) | {"record": record, "versions": list(frozen)}, indent=2, ensure_ascii=False))
    else:
        for fault in found.faults:
            typer.echo(f"{file}: {fault}", err=True)
        if found.breaking:
            typer.echo(WAY_OUT, err=True)
        if not found.faults:
            held = f"reads and is read by {len(frozen)} released versions" if frozen else "was never released"
            typer.echo(f"{file}: {record} {held}")
    raise typer.Exit(1 if found.faults else 0)


def _check_pair(reader: Path, writer: Path, as_json: bool) -> None:
    from pipelines.contracts.evolution.compatibility import obstacles, verdict

    schemas = _whole(reader), _whole(writer)
    found = verdict(*schemas)
    why = [f"{it.field}: {it.reason}" if it.field else it.reason for it in obstacles(*schemas)]
    if as_json:
        told = {"compatible": found.compatible, "messages": why, "reader": str(reader), "writer": str(writer)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    elif found.compatible:
        typer.echo(f"{reader} reads all that {writer} writes")
    else:
        for line in why:
            typer.echo(f"{reader} does not read {writer}: {line}", err=True)
    raise typer.Exit(0 if found.compatible else 1)


def _whole(file: Path) -> "Json":
    """The schema in a file; if it is one of a folder like ours, with the records that it names written out."""
    from pipelines.contracts.schemas import expanded

    try:
        schema: Json = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise SchemaError(f"{file}: no schema can be read: {error}") from None
    if isinstance(schema, dict) and f"{schema.get('namespace')}.{schema.get('name')}" == file.stem:
        return expanded(file.stem, file.parent)
    return schema


@app.command(epilog="Example: helios schemas release")
def release(folder: Folder = SCHEMAS_DIR, as_json: AsJson = False) -> None:
    """Freeze every record that differs from its newest version as the next one. Refused where the check fails."""
    from pipelines.contracts.evolution.check import release as release_all

    made = release_all(folder)
    if as_json:
        print(json.dumps(made, indent=2))
        return
    for record, number in made.items():
        typer.echo(f"{record}: version {number}")
    typer.echo(f"commit {folder / 'released'}" if made else "nothing differs from what was released")


@app.command(epilog="Example: helios schemas register --registry http://127.0.0.1:18080/apis/ccompat/v7")
def register(
    registry: Annotated[str, typer.Option(help="Schema registry; the settings' if left out.")] = "",
    folder: Folder = SCHEMAS_DIR,
    as_json: AsJson = False,
) -> None:
    """Check the schemas, then register them; `helios up` does the same. The registry takes what was there before."""
    from infra.settings import load_settings
    from pipelines.contracts.registry import SchemaRegistry

    url = registry or load_settings().registry.url
    ids = SchemaRegistry(url).register_all(folder)
    if as_json:
        print(json.dumps(ids, indent=2))
        return
    for record, number in ids.items():
        typer.echo(f"{record}: id {number}")
