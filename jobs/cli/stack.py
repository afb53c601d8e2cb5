"""helios up, status, logs, down, doctor: the local services."""

import json
import os
import subprocess
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from infra import doctor as machine
from infra.flink_jobs import Job, jobs
from infra.lag import lags
from infra.parts.part import Unhealthy
from infra.settings import Settings, load_settings
from infra.stack import PARTS, StackError, State, state
from infra.stack import down as stop_stack
from infra.stack import up as start_stack
from infra.supervision import Supervision
from jobs.cli.submit import print_jobs

Parts = Annotated[str, typer.Option("--parts", help=f"Only these, with commas: {','.join(PARTS)}.")]


def up(parts: Parts = "") -> None:
    """Start the local services and wait until each is healthy. Services named in the settings are used, not started."""
    bring_up(load_settings(), parts)


def bring_up(settings: Settings, parts: str = "", console: Console | None = None) -> None:
    """`helios up`, with its progress drawn on the console."""
    names = _chosen(parts)
    doing = dict.fromkeys(names, "")
    live = Live(_progress(doing), console=console or Console(stderr=True), refresh_per_second=8, transient=True)

    def note(part: str, word: str) -> None:
        doing[part] = word
        live.update(_progress(doing))

    with live:
        start_stack(settings, names, note)
    (console or Console(stderr=True)).print(_progress(doing))


def _chosen(parts: str) -> list[str]:
    names = [name.strip() for name in parts.split(",") if name.strip()] or list(PARTS)
    for name in names:
        if name not in PARTS:
            raise StackError(f"no part is called {name!r}: take of {', '.join(PARTS)}")
    return names


def _progress(doing: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2))
    for part, word in doing.items():
        healthy = word.startswith("healthy")
        table.add_row(f"[bold]{part}[/]", f"[green]{word}[/]" if healthy else f"[yellow]{word}[/]")
    return table


def status(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Each part, healthy or why not, address and memory; jobs; how far readers are behind. Exits 1 if one is ill."""
    from jobs.bad_records import fault_of

    settings = load_settings()
    parts = state(settings)
    healthy = {part.part: part.healthy for part in parts}
    running: list[tuple[Job, str]] = []
    behind: list[dict[str, Any]] = []
    try:
        if healthy["flink"]:
            running = [(job, fault_of(settings, job)) for job in jobs(settings.flink.rest)]
        if healthy["kafka"]:
            behind = [asdict(lag) for lag in lags(settings.kafka.bootstrap)]
    except Unhealthy as error:
        Console(stderr=True).print(f"[red]{error}[/]")
    services = [asdict(p) for p in Supervision(settings).processes() if not _is_part(p.program)]
    if as_json:
        told = [asdict(part) | {"healthy": part.healthy} for part in parts]
        at_work = [asdict(job) | {"fault": fault} for job, fault in running]
        print(json.dumps({"parts": told, "jobs": at_work, "lag": behind, "services": services}, indent=2))
    else:
        console = Console()
        console.print(_parts_table(parts))
        if running:
            print_jobs(console, running)
        for title, rows in (("services", services), ("lag", behind)):
            if rows:
                console.print(_rows_table(title, rows))
    raise typer.Exit(0 if all(healthy.values()) else 1)


def _is_part(program: str) -> bool:
    return program.partition("-")[0] in PARTS


def _parts_table(parts: list[State]) -> Table:
    table = Table("part", "health", "address", "memory", title="stack", title_justify="left")
    for part in parts:
        health = f"[green]healthy[/]: {part.says}" if part.healthy else f"[red]not healthy[/]: {part.fault}"
        memory = f"{part.memory_bytes >> 20} MB" if part.memory_bytes else "" if part.local else "your own"
        table.add_row(part.part, health, part.address, memory)
    return table


def _rows_table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(*rows[0], title=title, title_justify="left")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    return table


def logs(
    part: Annotated[str, typer.Argument(help="A part, or a program of one: flink, flink-taskmanager-0, kafka …")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 100,
) -> None:
    """The last lines of a part's log."""
    folder = load_settings().home / "logs"
    files = sorted([*folder.glob(f"{part}.log"), *folder.glob(f"{part}-*.log")])
    if not files:
        known = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none yet: helios up"
        raise StackError(f"no log of {part!r} in {folder}; there is: {known}")
    command = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)]
    if follow:
        os.execvp("tail", command)
    subprocess.run(command)


def down() -> None:
    """Stop every local service of this checkout. Data stays."""
    Console(stderr=True).print("stopped" if stop_stack(load_settings()) else "nothing was running")


def doctor() -> None:
    """What this machine lacks for the local stack, and the command that mends it. Exits 1 if something is missing."""
    console, well = Console(), True
    for check in machine.examine(load_settings()):
        well &= check.well or check.optional
        mark = "[green]ok[/]" if check.well else "[yellow]--[/]" if check.optional else "[red]no[/]"
        console.print(f"{mark}  {check.what}: {check.found}" + ("" if check.well else f"\n      [bold]{check.mend}[/]"))
    raise typer.Exit(0 if well else 1)
