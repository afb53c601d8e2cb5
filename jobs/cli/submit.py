"""helios submit, jobs, cancel: jobs on the cluster."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.flink_jobs import FlinkError, Job, stop_with_savepoint
from infra.flink_jobs import cancel as cancel_jobs
from infra.flink_jobs import jobs as list_jobs
from infra.settings import load_settings
from jobs.deployments import signal_job_prefix
from jobs.steps import steps


def submit(
    jobs: Annotated[
        list[str],
        typer.Argument(help="Of market, spreads, signals, trading, fused (these three in one), risk; or all."),
    ],
    strategy: Annotated[Path, typer.Option("--strategy", help="The strategy file.")],
    prefix: Annotated[str, typer.Option("--prefix", help="Of the session's topics.")] = "",
    savepoints: Annotated[
        list[str] | None, typer.Option("--from", help="JOB=SAVEPOINT, as `helios cancel --savepoint` told it.")
    ] = None,
) -> None:
    """Submit jobs of a strategy to Flink, all through one client, and wait until they run: of signals one each.

    Example: helios submit market fused risk --strategy strategy.yaml
    """
    from jobs.submit import FUSED, JOBS
    from jobs.submit import submit as hand_over

    names = list(JOBS) if jobs == ["all"] else jobs
    for name in names:
        if name not in (*JOBS, FUSED):
            raise FlinkError(f"no job is called {name!r}: take of {', '.join((*JOBS, FUSED))}, or all")
    found = dict(each.partition("=")[::2] for each in savepoints or ())
    for name, savepoint in found.items():
        wanted = "signals" if name.startswith("signal-") else name
        if wanted not in names or not savepoint:
            raise FlinkError(f"--from {name}={savepoint}: JOB=SAVEPOINT expected, the job being of {', '.join(names)}")
    console = Console(stderr=True)
    with steps(console, "submitting") as step:
        ids = hand_over(load_settings(), names, strategy, prefix, savepoints=found, progress=step)
    for name, job_id in ids.items():
        console.print(f"[green]running[/] {prefix}{name} {job_id}")


def jobs(ended: Annotated[bool, typer.Option("--ended", help="Also those that have ended.")] = False) -> None:
    """The jobs on Flink, newest first, each with its last fault."""
    from jobs.bad_records import fault_of

    settings = load_settings()
    print_jobs(Console(), [(job, fault_of(settings, job)) for job in list_jobs(settings.flink.rest, ended=ended)])


def print_jobs(console: Console, found: Sequence[tuple[Job, str]]) -> None:
    """A table of jobs, and below it what is wrong with which."""
    table = Table("job", "state", "tasks", "seconds", "id", title="jobs", title_justify="left")
    for job, _ in found:
        done = f", {job.finished_tasks} done" if job.finished_tasks else ""
        table.add_row(job.name, job.state, f"{job.running_tasks}/{job.tasks}{done}", f"{job.seconds:.0f}", job.id)
    console.print(table)
    for job, fault in found:
        if fault:
            console.print(f"[{'yellow' if job.running else 'red'}]{job.name}[/] {escape(fault)}", soft_wrap=True)


def cancel(
    names: Annotated[
        list[str], typer.Argument(help="Names or ids of jobs, as `helios jobs` shows them; signals for those of all.")
    ],
    prefix: Annotated[str, typer.Option("--prefix", help="Of the session whose jobs are meant.")] = "",
    savepoint: Annotated[bool, typer.Option("--savepoint", help="End each with a savepoint; print JOB=PATH.")] = False,
) -> None:
    """Cancel jobs and wait until they have ended. Their last checkpoint stays.

    With --savepoint all that a job took is written first; `helios submit --from JOB=PATH` goes on from there.
    """
    rest = load_settings().flink.rest
    running = list_jobs(rest)

    def called(job: Job, name: str) -> bool:
        return (
            name in (job.id, job.name)
            or job.name == f"{prefix}{name}"
            or (name == "signals" and signal_job_prefix(job.name) == prefix)
        )

    chosen = [job for job in running if any(called(job, name) for name in names)]
    if not all(any(called(job, name) for job in chosen) for name in names):
        there = ", ".join(job.name for job in running) or "none"
        raise FlinkError(f"not all of {', '.join(names)} run; running: {there}")
    if savepoint:
        for job in chosen:
            print(f"{job.name.removeprefix(prefix)}={stop_with_savepoint(rest, job.id)}", flush=True)
    cancel_jobs(rest, [job.id for job in chosen])
    Console(stderr=True).print(f"cancelled {', '.join(job.name for job in chosen)}")


def skip(prefix: Annotated[str, typer.Option("--prefix", help="Of the session's topics.")] = "") -> None:
    """Restart the signal jobs without the records of market.spreads that they cannot decode, and say which they are."""
    from jobs.bad_records import restart_without

    console = Console(stderr=True)
    with steps(console, "reading market.spreads") as step:
        found = restart_without(load_settings(), prefix, progress=step)
    for each in found:
        console.print(f"left out {each}", soft_wrap=True)
    console.print(f"[green]running[/] the signals of {prefix or 'the session'}")
