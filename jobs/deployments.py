"""The signal deployments of a session on disk: their ledger, their compiled plans, and who may change them."""

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from infra.flink_jobs import FlinkError, Job, jobs
from infra.settings import Settings
from infra.topics import session_id
from pipelines.contracts.topics import Topics
from pipelines.signals.deployment import Deployment, Ledger, Start
from pipelines.signals.plan import topics_read
from pipelines.signals.signal_file import SignalError, nearest

PATIENCE_S = 180.0
"""For another command that is at work: as long as a submission may take."""

Progress = Callable[[str], None]

_JOB = re.compile(r"(?P<prefix>.*?)signal-(?P<name>.+)-(?P<version>[0-9a-f]{10})")


def signal_job_prefix(job_name: str) -> str | None:
    """The session's prefix in the name of a signal job; None where it is another job."""
    found = _JOB.fullmatch(job_name)
    return found["prefix"] if found else None


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Deployments:
    """What the folder of a session says of its signals. TopicsError where there is no session of the prefix."""

    def __init__(self, settings: Settings, prefix: str = "", session: str = "") -> None:
        """`session`: its id, where it is known; else Kafka is asked."""
        self.settings = settings
        self.prefix = prefix
        session = session or session_id(settings.kafka.bootstrap, Topics(prefix))
        self.folder = settings.home / "sessions" / session / "signals"
        self._file = self.folder / "deployments.json"

    def read(self) -> Ledger:
        return Ledger.load(self._file.read_text(encoding="utf-8")) if self._file.exists() else Ledger()

    def write(self, ledger: Ledger) -> None:
        """Whole or not at all, and on the disk before this returns."""
        draft = self._file.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            file.write(ledger.dump())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._file)

    @contextmanager
    def held(self, progress: Progress = lambda doing: None) -> Iterator[int]:
        """Alone with the deployments; a file descriptor for a child that goes on when its parent is killed.

        As long as one that has it lives, no other command comes in. FlinkError if one does not end in time.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + PATIENCE_S
        with (self.folder / "lock").open("w") as lock:
            told = False
            while not _taken(lock):
                if time.monotonic() > deadline:
                    raise FlinkError(f"another command still changes the signals of this session ({lock.name})")
                if not told:
                    progress("another command changes the signals of this session: waiting for it")
                told = True
                time.sleep(0.2)
            yield lock.fileno()

    def running(self) -> dict[str, Job]:
        """Signal jobs of the session on Flink, by their names after its prefix."""
        mine = [job for job in jobs(self.settings.flink.rest) if signal_job_prefix(job.name) == self.prefix]
        return {job.name.removeprefix(self.prefix): job for job in mine}

    def plan(self, deployment: Deployment) -> Path:
        """Where its compiled plan is kept."""
        return self.folder / f"{deployment.name}-{deployment.version}.plan.json"

    def topics_read(self, deployment: Deployment) -> set[str]:
        """By a version's job. FlinkError where its plan is not there any more."""
        file = self.plan(deployment)
        if not file.exists():
            raise FlinkError(f"{file} is gone, the plan of {deployment.job}: retire and deploy it again")
        return topics_read(file.read_text(encoding="utf-8"))

    def starting(self, deployments: Sequence[Deployment]) -> Path:
        """A file that tells the Flink client what to start."""
        file = self.folder / "starting.json"
        file.write_text(json.dumps([Start(each, str(self.plan(each))).dump() for each in deployments]))
        return file

    def named(self, ledger: Ledger, name: str) -> tuple[Deployment, ...]:
        """The versions of a signal. SignalError with the nearest name where there are none."""
        found = ledger.of(name)
        if not found:
            known = sorted({each.name for each in ledger.deployments})
            raise SignalError(f"no signal {name!r} is deployed in this session: {nearest(name, known, 'there are')}")
        return found
