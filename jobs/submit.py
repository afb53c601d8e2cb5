"""Jobs to the cluster: all of them in one Flink client, on TaskManagers that have today's code."""

import hashlib
import json
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from infra.flink_jobs import FlinkError, cancel, jobs, wait_until_running
from infra.parts.flink import TASKMANAGER, client_command, flink_environment, probe
from infra.parts.part import Unhealthy, http_get
from infra.settings import ROOT, Settings
from infra.supervision import Supervision
from jobs.client import FAULT, JOB, parallelism
from pipelines.contracts.strategy_file import load_strategy

JOBS = ("market", "spreads", "signals", "trading")
PATIENCE_S = 180.0

Progress = Callable[[str], None]


def submit(
    settings: Settings,
    names: Sequence[str],
    strategy_file: Path,
    prefix: str = "",
    *,
    progress: Progress = lambda doing: None,
) -> dict[str, str]:
    """Submit jobs of a session whose topics exist, and return when every task runs: Flink's id by job.

    FlinkError says in a line what was wrong; then none of these jobs is left on the cluster.
    """
    rest = settings.flink.rest
    strategy = load_strategy(strategy_file)  # a faulty file is told here, before a JVM is started
    wanted = sum(parallelism(name, strategy) for name in names)
    there = {job.name for job in jobs(rest)}
    twice = [name for name in names if f"{prefix}{name}" in there]
    if twice:
        raise FlinkError(f"{', '.join(prefix + name for name in twice)} runs already: helios cancel {' '.join(twice)}")
    workers = Workers(settings)
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
        wrong = [line.strip() for line in last if "Error" in line or "Exception" in line]
        raise FlinkError(f"submit: {fault or (wrong or ['the client ended'])[-1]} (all of it: {log})")


class Workers:
    """The TaskManagers and which state of our code each has imported: a TaskManager keeps what it once imported."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._record = settings.home / "flink" / "imported.json"
        self._code = code_hash()

    def refresh(self, progress: Progress) -> None:
        """Restart the idle TaskManagers that ran older code; FlinkError if fresh ones are not to be had."""
        imported = self._imported()
        stale = [name for name in self._idle() if imported.get(self._life(name), self._code) != self._code]
        if not stale:
            return
        progress(f"the code has changed: restarting {len(stale)} idle TaskManagers")
        supervision = Supervision(self._settings)
        supervision.restart(TASKMANAGER, stale)
        flink = self._settings.flink
        _await(lambda: probe(flink.rest, flink.taskmanagers), lambda: set(stale) <= set(self._idle()))

    def remember(self) -> None:
        """Note that what was idle may have taken the code of now."""
        imported = self._imported()
        lives = {self._life(name) for name in self._all()}
        fresh = {life: imported.get(life, self._code) for life in lives}
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(fresh))
        draft.replace(self._record)

    def _imported(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._record.read_text()) if self._record.exists() else {}
        return found

    def _all(self) -> dict[str, int]:
        """Free slots by TaskManager."""
        answer: Any = json.loads(http_get(f"{self._settings.flink.rest}/taskmanagers"))
        return {worker["id"]: worker["freeSlots"] for worker in answer["taskmanagers"]}

    def _idle(self) -> list[str]:
        return [name for name, free in self._all().items() if free]

    def _life(self, name: str) -> str:
        """A TaskManager from its start to its end: restarted, it is another."""
        pids = {process.name: process.pid for process in Supervision(self._settings).processes()}
        return f"{name}/{pids.get(name, 0)}"


def code_hash() -> str:
    """Of everything that a TaskManager may import from this checkout."""
    digest = hashlib.blake2b(digest_size=16)
    for folder in ("pipelines", "jobs", "schemas", "infra"):
        for file in sorted((ROOT / folder).rglob("*.*")):
            if file.suffix in (".py", ".avsc"):
                digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _await(*conditions: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Return once every condition holds: gives something true and is not Unhealthy."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            if all(condition() for condition in conditions):
                return
        except Unhealthy:
            pass
        if time.monotonic() > deadline:
            raise FlinkError(f"TaskManagers are not back after {patience_s:.0f} s: helios logs {TASKMANAGER}")
        time.sleep(0.2)
