"""The one Flink client of a submission, as a process: what it says, read line by line."""

import json
import os
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from infra.flink_jobs import FlinkError, root_cause
from infra.parts.flink import client_command, flink_environment
from infra.settings import ROOT, Settings
from jobs.client import FAULT, JOB, READY

Progress = Callable[[str], None]


class FlinkClient:
    """A Flink client at work, its output kept in a log."""

    def __init__(self, process: subprocess.Popen[str], log: TextIO) -> None:
        self._process = process
        self._log = log
        self._last: deque[str] = deque(maxlen=200)
        self._fault = ""

    def until_ready(self) -> None:
        """Return when it stands by; FlinkError if it ends instead."""
        for line in self._lines():
            if line.startswith(READY):
                return
        self.finish({}, lambda doing: None)

    def finish(self, ids: dict[str, str], progress: Progress) -> None:
        """Read to its end, putting the ids of jobs into `ids` as they come; FlinkError with what it says went wrong."""
        for line in self._lines():
            if line.startswith(JOB):
                said: Any = json.loads(line.removeprefix(JOB))
                ids[said["job"]] = said["id"]
                progress(f"{said['job']} is with Flink")
        if self._process.wait() or self._fault:
            why = self._fault or root_cause("".join(self._last)) or "the client ended"
            raise FlinkError(f"submit: {why} (all of it: {self._log.name})")

    def end(self) -> None:
        """Where it is still at work, or stands by, and is not wanted any more."""
        self._process.terminate()

    def _lines(self) -> Iterator[str]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._log.write(line)
            self._last.append(line)
            if line.startswith(FAULT):
                self._fault = json.loads(line.removeprefix(FAULT))["fault"]
            yield line


@contextmanager
def flink_client(settings: Settings, arguments: Sequence[str], lock: int | None) -> Iterator[FlinkClient]:
    """A client that is started; at the end it has ended too."""
    command = client_command(settings, ROOT / "jobs" / "client.py", arguments)
    log = settings.home / "logs" / "flink-client.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **flink_environment(settings)}
    with (
        log.open("w") as told,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            pass_fds=() if lock is None else (lock,),
        ) as client,
    ):
        yield FlinkClient(client, told)
