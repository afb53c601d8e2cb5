"""The local TaskManagers keep what they once imported: those with older code are restarted before they get a job."""

import ast
import fcntl
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.flink_jobs import FlinkError, jobs
from infra.parts.flink import TASKMANAGER, probe
from infra.parts.part import Unhealthy, http_get
from infra.settings import ROOT, FlinkSettings, Settings
from infra.supervision import Supervision

PATIENCE_S = 180.0
OURS = ("pipelines", "jobs", "infra")


@dataclass(frozen=True, slots=True)
class Worker:
    """A TaskManager as Flink tells of it."""

    name: str
    slots: int
    free: int


class TaskManagers:
    """The local TaskManagers, and which state of our code each may have imported."""

    def __init__(self, settings: Settings, modules: Sequence[str]) -> None:
        """`modules`: those of the jobs, by whose imports the code is known."""
        self._settings = settings
        self._record = settings.home / "flink" / "imported.json"
        self._code = code_hash(modules)

    def refresh(self, progress: Callable[[str], None]) -> None:
        """Restart the idle TaskManagers that ran older code, and return when they are registered again.

        FlinkError if one that still runs jobs of older code has room: a new job could land there and run that code.
        """
        with self._record.with_suffix(".lock").open("w") as lock:  # two submissions at once would restart them twice
            fcntl.flock(lock, fcntl.LOCK_EX)
            imported = self._imported()
            stale = [w for w in self._all() if w.free and imported.get(self._life(w.name), self._code) != self._code]
            if any(worker.free < worker.slots for worker in stale):
                running = " ".join(job.name for job in jobs(self._settings.flink.rest))
                raise FlinkError(
                    "the code has changed since these jobs were submitted, and new ones beside them would run the old: "
                    f"helios cancel {running}"
                )
            if stale:
                progress(f"the code has changed: restarting {len(stale)} idle TaskManagers")
                Supervision(self._settings).restart(TASKMANAGER, [worker.name for worker in stale])
                _await_all(self._settings.flink)

    def remember(self) -> None:
        """Note that what was idle may have taken the code of now."""
        imported = self._imported()
        lives = {self._life(worker.name) for worker in self._all()}
        fresh = {life: imported.get(life, self._code) for life in lives}
        draft = self._record.with_suffix(".draft")
        draft.write_text(json.dumps(fresh))
        draft.replace(self._record)

    def _imported(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self._record.read_text()) if self._record.exists() else {}
        return found

    def _all(self) -> list[Worker]:
        answer: Any = json.loads(http_get(f"{self._settings.flink.rest}/taskmanagers"))
        return [Worker(told["id"], told["slotsNumber"], told["freeSlots"]) for told in answer["taskmanagers"]]

    def _life(self, name: str) -> str:
        """A TaskManager from its start to its end: restarted, it is another."""
        pids = {process.name: process.pid for process in Supervision(self._settings).processes()}
        return f"{name}/{pids.get(name, 0)}"


def code_hash(modules: Sequence[str]) -> str:
    """Of these modules, of all of ours that they import, however indirectly, and of the schemas."""
    found: dict[str, Path] = {}
    left = list(modules)
    while left:
        name = left.pop()
        file = _file_of(name)
        if name not in found and file is not None:
            found[name] = file
            left += _imports(file)
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted({*found.values(), *(ROOT / "schemas").glob("*.avsc")}):
        digest.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _file_of(module: str) -> Path | None:
    place = ROOT.joinpath(*module.split("."))
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()), None)


def _imports(file: Path) -> Iterator[str]:
    """Modules of ours that a file names in its imports; `from a import b` names a and, if it is one, a.b."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.partition(".")[0] in OURS)


def _await_all(flink: FlinkSettings) -> None:
    """Return once every TaskManager is registered."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            probe(flink)
            return
        except Unhealthy as error:
            if time.monotonic() > deadline:
                raise FlinkError(f"TaskManagers: {error} after {PATIENCE_S:.0f} s: helios logs {TASKMANAGER}") from None
        time.sleep(0.2)
