"""Jobs to the cluster: all of them in one Flink client, on TaskManagers that have today's code."""

import json
import os
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from infra.flink_jobs import FlinkError, cancel, jobs, root_cause, wait_until_running
from infra.parts.flink import client_command, flink_environment
from infra.parts.part import http_get
from infra.settings import ROOT, Settings
from infra.taskmanagers import TaskManagers
from jobs.client import FAULT, JOB, parallelism
from pipelines.contracts.strategy_file import load_strategy
from pipelines.signals.of_strategy import bound_signals

JOBS = ("market", "spreads", "signals", "trading")
FUSED = "fused"
"""All of them but market in one job (jobs/fused.py)."""
INSTEAD = MappingProxyType({FUSED: JOBS[1:]} | dict.fromkeys(JOBS[1:], (FUSED,)))
"""Which jobs a job must not run beside: both would do the same work."""
PATIENCE_S = 180.0

Progress = Callable[[str], None]


def submit(
    settings: Settings,
    names: Sequence[str],
    strategy_file: Path,
    prefix: str = "",
    *,
    skip: Sequence[tuple[int, int]] = (),
    savepoints: Mapping[str, str] = MappingProxyType({}),
    progress: Progress = lambda doing: None,
) -> dict[str, str]:
    """Submit jobs of a session whose topics exist, and return when every task runs: Flink's id by job.

    FlinkError says in a line what was wrong; then none of these jobs is left on the cluster.
    `skip`: records of market.spreads that the signals job leaves out, by partition and offset. `savepoints`: where jobs
    go on from, by name; the others begin at the beginning of their topics.
    """
    rest = settings.flink.rest
    strategy = load_strategy(strategy_file)  # a faulty file is told here, before a JVM is started
    if not {"signals", FUSED}.isdisjoint(names):
        bound_signals(strategy)  # so is a faulty parameter
    wanted = sum(parallelism(name, strategy) for name in names)
    there = {job.name for job in jobs(rest)}
    twice = [name for name in names if f"{prefix}{name}" in there]
    if twice:
        raise FlinkError(f"{', '.join(prefix + name for name in twice)} runs already: helios cancel {' '.join(twice)}")
    for name in names:
        beside = [other for other in INSTEAD.get(name, ()) if other in names or f"{prefix}{other}" in there]
        if beside:
            raise FlinkError(
                f"{prefix}{name} does the work of {', '.join(beside)}: submit {FUSED}, or {', '.join(JOBS[1:])}; "
                f"what runs is ended by helios cancel {' '.join(beside)}"
            )
    workers = TaskManagers(settings, [f"jobs.{name}" for name in (*JOBS, FUSED)])
    if settings.flink.local:
        workers.refresh(progress)
    free = json.loads(http_get(f"{rest}/overview"))["slots-available"]
    if free < wanted:
        raise FlinkError(
            f"{', '.join(names)} of {strategy.shards} shards need {wanted} slots and {free} are free: cancel jobs "
            f"(helios jobs), or raise flink.taskmanagers in helios.yaml and helios up"
        )
    progress(f"submitting {', '.join(names)}")
    arguments = ["--bootstrap", settings.kafka.bootstrap, "--registry", settings.registry.url]
    arguments += ["--strategy", str(strategy_file.resolve()), "--prefix", prefix]
    arguments += [f"--skip={partition}:{offset}" for partition, offset in skip]
    arguments += [f"--from={name}={savepoint}" for name, savepoint in savepoints.items()]
    ids: dict[str, str] = {}
    try:
        _run_client(settings, [*names, *arguments], ids, progress)
        if settings.flink.local:
            workers.remember()
        wait_until_running(rest, list(ids.values()), PATIENCE_S, progress)
    except (FlinkError, KeyboardInterrupt):
        cancel(rest, list(ids.values()))
        raise
    return ids


def _run_client(settings: Settings, arguments: Sequence[str], ids: dict[str, str], progress: Progress) -> None:
    """Run the client to its end, putting the ids of jobs into `ids` as they come."""
    command = client_command(settings, ROOT / "jobs" / "client.py", arguments)
    log = settings.home / "logs" / "flink-client.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    last: deque[str] = deque(maxlen=200)
    fault = ""
    environment = {**os.environ, **flink_environment(settings)}
    with (
        log.open("w") as told,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        ) as client,
    ):
        assert client.stdout is not None
        for line in client.stdout:
            told.write(line)
            last.append(line)
            if line.startswith(JOB):
                said: Any = json.loads(line.removeprefix(JOB))
                ids[said["job"]] = said["id"]
                progress(f"{said['job']} is with Flink")
            elif line.startswith(FAULT):
                fault = json.loads(line.removeprefix(FAULT))["fault"]
    if client.returncode or fault:
        raise FlinkError(f"submit: {fault or root_cause(''.join(last)) or 'the client ended'} (all of it: {log})")
