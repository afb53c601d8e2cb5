"""helios signals: signals as SQL files, written, checked and tried without a session."""

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.settings import ROOT
from pipelines.signals.parameters import Parameter
from pipelines.signals.signal_file import SignalError, SignalFile, load_signal, nearest

if TYPE_CHECKING:
    from pipelines.signals.case_file import Case

app = typer.Typer(help="Signals: SQL files that a desk writes, checks, tests and ships.", no_args_is_help=True)

FOLDER = ROOT / "sql" / "signals"

Name = Annotated[str, typer.Argument(help="A name in the folder, or a file.")]
Named = Annotated[list[str] | None, typer.Argument(help="Names in the folder, or files; all of the folder if none.")]
Folder = Annotated[Path, typer.Option(help="Where signals lie.", file_okay=False, exists=True)]
Set = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE: a parameter; else its default.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list", epilog="Example: helios signals list")
def list_signals(folder: Folder = FOLDER, as_json: AsJson = False) -> None:
    """The signals of a folder: what each looks for, its parameters and how many cases test it."""
    from pipelines.signals.case_file import load_cases

    told: list[dict[str, object]] = []
    faults = []
    for path in _paths(None, folder):
        try:
            signal = load_signal(path)
            tests = path.with_suffix(".test.yaml")
            cases = len(load_cases(tests)) if tests.exists() else 0
        except SignalError as error:
            faults.append(str(error))
            continue
        parameters = {each.name: each.default for each in signal.parameters}
        told.append({"signal": signal.name, "about": signal.about, "parameters": parameters, "cases": cases})
    if as_json:
        print(json.dumps(told))
    else:
        _table(told)
    if faults:
        raise SignalError("\n".join(faults))


@app.command(epilog="Example: helios signals show pair_reversion --set entry_z=1.5")
def show(
    signal: Name,
    values: Set = None,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """A signal as it would run: its header, parameters with their ranges, version, and SQL with values bound."""
    file = load_signal(signal_path(signal, folder))
    given = given_values(values)
    bound = file.bound(given, "--set")
    told = {
        "signal": file.name,
        "about": file.about,
        "owner": file.owner,
        "path": file.path,
        "label": file.label,
        "version": bound.version,
        "inputs": list(file.inputs),
        "levels": str(bound.levels),
        "parameters": [
            {
                "name": each.name,
                "type": each.type,
                "value": given.get(each.name, each.default),
                "default": each.default,
                "range": _range(each),
            }
            for each in file.parameters
        ],
        "sql": bound.sql,
    }
    if as_json:
        print(json.dumps(told))
        return
    for name in ("signal", "about", "owner", "path", "version", "levels"):
        typer.echo(f"{name:<10}{told[name] or '-'}")
    for each in file.parameters:
        value = given.get(each.name, each.default)
        typer.echo(f"{'param':<10}{each.name} {each.type} = {value}{_range(each) and f'  range {_range(each)}'}")
    typer.echo(f"\n{bound.sql}")


@app.command(epilog="Example: helios signals new turn_of_month")
def new(
    name: Annotated[str, typer.Argument(help="Of letters, digits and _.")],
    about: Annotated[str, typer.Option(help="What it looks for, in a line.")] = "",
    owner: Annotated[str, typer.Option(help="Who is asked about it.")] = "",
    folder: Folder = FOLDER,
) -> None:
    """A signal to begin with, and a test of it beside it: both run as they are."""
    from pipelines.signals.template import write_template

    for path in write_template(folder, name, about, owner):
        typer.echo(str(path))


@app.command(epilog="Example: helios signals validate pair_reversion --set entry_z=1.5")
def validate(signals: Named = None, values: Set = None, folder: Folder = FOLDER, as_json: AsJson = False) -> None:
    """Signals against Flink's own planner, and what state they keep: a line a fault, at file, line and column."""
    from pipelines.signals.explained import explain_signal

    given, told, faults = given_values(values), [], []
    t_env = _planner()
    for path in _paths(signals, folder):
        try:
            found = explain_signal(t_env, load_signal(path).bound(given, "--set"))
        except SignalError as error:
            faults.append(str(error))
            told.append({"path": str(path), "valid": False, "fault": str(error)})
        else:
            told.append({"path": str(path), "valid": True, "version": found.version})
    if as_json:
        print(json.dumps(told))
    if faults:
        raise SignalError("\n".join(faults))
    if not as_json:
        typer.echo(f"{len(told)} signals are valid")


@app.command(epilog="Example: helios signals explain pair_reversion")
def explain(
    signal: Name,
    values: Set = None,
    folder: Folder = FOLDER,
    as_json: AsJson = False,
) -> None:
    """Flink's plan of a signal, and how much state each step of it may come to keep."""
    from pipelines.signals.explained import explain_signal

    bound = load_signal(signal_path(signal, folder)).bound(given_values(values), "--set")
    found = explain_signal(_planner(), bound)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    typer.echo(found.plan)
    typer.echo("\nstate")
    for step in found.steps:
        typer.echo(f"  {step.step}: {step.keeps}")


@app.command("test", epilog="Example: helios signals test")
def run_tests(signals: Named = None, folder: Folder = FOLDER, as_json: AsJson = False) -> None:
    """The cases beside signals, rows in and rows out, in one job on a Flink of its own; exit status 1 if one fails."""
    from pipelines.signals.case_file import load_cases
    from pipelines.signals.cases import matches, run_cases, seen

    chosen: list[tuple[SignalFile, list[Case]]] = []
    for path in _paths(signals, folder):
        tests = path.with_suffix(".test.yaml")
        if not tests.exists():
            raise SignalError(f"{tests}: missing: write cases (case, rows, expect), as pair_reversion.test.yaml has")
        chosen.append((load_signal(path), load_cases(tests)))
    with tempfile.TemporaryDirectory() as at:
        found = run_cases(_planner(), chosen, Path(at))
    told, failed = [], 0
    for (signal, cases), its_rows in zip(chosen, found, strict=True):
        for case, rows in zip(cases, its_rows, strict=True):
            passed = matches(rows, case.expect)
            failed += not passed
            told.append({"signal": signal.name, "case": case.name, "passed": passed})
            if not passed:
                told[-1] |= {"expected": case.expect, "found": seen(case, rows)}
    if as_json:
        print(json.dumps(told))
    else:
        for each in told:
            if not each["passed"]:
                _draw_failure(each)
        typer.echo(f"{len(told) - failed} cases passed, {failed} failed")
    if failed:
        sys.exit(1)


def _draw_failure(told: dict[str, Any]) -> None:
    typer.echo(f"{told['signal']}: {told['case']}")
    for name in ("expected", "found"):
        typer.echo(f"  {name:<9}" + ("nothing" if not told[name] else ""))
        for row in told[name]:
            typer.echo("    " + "  ".join(f"{key} {value}" for key, value in row.items()))


def _planner() -> Any:
    """A table environment of Flink in this process."""
    from pipelines.operators.flink import environment

    return environment()[1]


def _paths(names: Sequence[str] | None, folder: Path) -> list[Path]:
    if names:
        return [signal_path(name, folder) for name in names]
    found = sorted(folder.glob("*.sql"))
    if not found:
        raise SignalError(f"{folder}: no signals in it: helios signals new NAME --folder {folder}")
    return found


def signal_path(name: str, folder: Path) -> Path:
    """A signal's file, of its name in the folder or its path."""
    if name.endswith(".sql"):
        return Path(name)
    path = folder / f"{name}.sql"
    if path.exists():
        return path
    known = sorted(each.stem for each in folder.glob("*.sql"))
    raise SignalError(f"{folder}: no signal {name!r}: {nearest(name, known, 'there are')}")


def given_values(values: Sequence[str] | None) -> dict[str, object]:
    """Of `--set NAME=VALUE`."""
    found: dict[str, object] = {}
    for text in values or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise SignalError(f"--set {text}: NAME=VALUE expected")
        found[name.strip()] = value.strip()
    return found


def _range(parameter: Parameter) -> str:
    bounded = parameter.low > float("-inf") or parameter.high < float("inf")
    return f"{parameter.low:g}..{parameter.high:g}" if bounded else ""


def _table(told: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    from jobs.cli.answers import console

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("signal", "about", "parameters", "cases"):
        table.add_column(column, overflow="fold")
    for each in told:
        parameters = "\n".join(f"{name} = {value}" for name, value in each["parameters"].items())
        table.add_row(each["signal"], each["about"], parameters, str(each["cases"]))
    console().print(table)
