"""The jobs on a Flink cluster, through its REST."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.parts.part import Unhealthy, http_get

ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})


ANSWER_S = 10.0
"""How long Flink may take to answer: a machine that is busy compiling takes seconds."""


class FlinkError(RuntimeError):
    """What Flink refuses or lacks, and the way out."""


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    name: str
    state: str
    running_tasks: int
    finished_tasks: int
    tasks: int
    seconds: float

    @property
    def running(self) -> bool:
        """Every task at work, not only the job accepted; one that reads up to a fixed offset may be done with it."""
        return self.state == "RUNNING" and 0 < self.running_tasks == self.tasks - self.finished_tasks


def _told(url: str) -> Any:
    """What Flink answers. Unhealthy if it does not."""
    return json.loads(http_get(url, ANSWER_S))


def jobs(rest: str, *, ended: bool = False) -> list[Job]:
    """Jobs, newest first; those that ended only if asked for. Unhealthy if Flink does not answer."""
    found: Any = _told(f"{rest}/jobs/overview")
    known = [_job(found_job) for found_job in sorted(found["jobs"], key=lambda j: -int(j["start-time"]))]
    return [job for job in known if ended or job.state not in ENDED]


def _job(found: dict[str, Any]) -> Job:
    tasks, seconds = found["tasks"], found["duration"] / 1000
    return Job(
        found["jid"], found["name"], found["state"], tasks["running"], tasks["finished"], tasks["total"], seconds
    )


def fault(rest: str, job_id: str) -> str:
    """The root cause of a job's last failure, in one line; empty if it has had none."""
    return root_cause(trace(rest, job_id))


def trace(rest: str, job_id: str) -> str:
    """The stack trace of a job's last failure; empty if it has had none."""
    found: Any = _told(f"{rest}/jobs/{job_id}/exceptions")
    entries = found.get("exceptionHistory", {}).get("entries", [])
    return str((entries[0].get("stacktrace", "") if entries else found.get("root-exception", "")) or "")


def watermark_ms(rest: str, job_id: str, after: str = "") -> int:
    """The event time that every operator of a job has passed, in ms; the lowest there is while one has none.

    `after`: only what is downstream of the operators whose names begin so, where a job has parts without event time.
    """
    lowest = None
    found: Any = _told(f"{rest}/jobs/{job_id}")
    for vertex in found["vertices"]:
        if after and vertex["id"] not in downstream(found["plan"]["nodes"], after):
            continue
        marks: Any = _told(f"{rest}/jobs/{job_id}/vertices/{vertex['id']}/watermarks")
        values = [int(mark["value"]) for mark in marks]
        if marks:
            lowest = min([*values, *(() if lowest is None else (lowest,))])
    return -(1 << 63) if lowest is None else lowest


def downstream(nodes: Sequence[Any], name: str) -> set[str]:
    """Ids of a plan's nodes that take what comes of an operator whose name contains `name`, in whatever steps."""
    reached = {node["id"] for node in nodes if name in node.get("description", "")}
    first = set(reached)
    while True:
        more = {node["id"] for node in nodes if any(each["id"] in reached for each in node.get("inputs", ()))} - reached
        if not more:
            return reached - first
        reached |= more


def root_cause(trace: str) -> str:
    """The line of a Java or Python stack trace that says what went wrong."""
    lines = [line.strip() for line in trace.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")] or lines[:1]
    return causes[-1] if causes else ""


def wait_until_running(rest: str, job_ids: Sequence[str], patience_s: float, progress: Callable[[str], None]) -> None:
    """Return when every task of the jobs runs; FlinkError with the cause if one failed or does not come."""
    deadline = time.monotonic() + patience_s
    while True:
        mine = [job for job in jobs(rest, ended=True) if job.id in job_ids]
        waiting = [job for job in mine if not job.running and job.state != "FINISHED"]
        if len(mine) == len(job_ids) and not waiting:
            return
        for job in waiting:
            if job.state in ENDED:
                raise FlinkError(f"job {job.name} {job.state.lower()}: {fault(rest, job.id) or 'no cause given'}")
        if time.monotonic() > deadline:
            raise FlinkError("; ".join(_why_waiting(rest, job) for job in waiting) or "jobs are not listed by Flink")
        progress(", ".join(f"{job.name} {job.running_tasks}/{job.tasks}" for job in waiting))
        time.sleep(0.2)


def _why_waiting(rest: str, job: Job) -> str:
    cause = fault(rest, job.id)
    if "NoResourceAvailable" in cause or not cause:
        free = _told(f"{rest}/overview")["slots-available"]
        cause = f"{free} slots are free"
        if not free:
            cause += ": helios cancel a job, or raise flink.taskmanagers in helios.yaml and helios up"
    return f"job {job.name} does not run ({job.running_tasks} of {job.tasks} tasks): {cause}"


def stop_with_savepoint(rest: str, job_id: str, patience_s: float = 60) -> str:
    """End a job with a savepoint, all that it took being written: where the savepoint is. FlinkError if it fails."""
    trigger: Any = _post(f"{rest}/jobs/{job_id}/stop", {"drain": False})
    deadline = time.monotonic() + patience_s
    while True:
        told: Any = _told(f"{rest}/jobs/{job_id}/savepoints/{trigger['request-id']}")
        operation = told.get("operation") or {}
        if "location" in operation:
            return str(operation["location"])
        if "failure-cause" in operation:
            raise FlinkError(
                f"job {job_id}: no savepoint: {root_cause(operation['failure-cause'].get('stack-trace', ''))}"
            )
        if time.monotonic() > deadline:
            raise FlinkError(f"job {job_id}: no savepoint in {patience_s:.0f} s: helios jobs")
        time.sleep(0.1)


def last_state(rest: str, job_id: str) -> str:
    """Where the last savepoint, or checkpoint that was kept, of a job lies; empty if Flink knows of none.

    A job that finished by `stop_with_savepoint` has its savepoint here, also where who asked for it was gone by then.
    """
    try:
        state = _told(f"{rest}/jobs/{job_id}")["state"]
        latest: Any = _told(f"{rest}/jobs/{job_id}/checkpoints")["latest"]
    except Unhealthy as error:
        if "answers 404" in str(error):  # an older life of the JobManager may have known it
            return ""
        raise
    kinds = ("savepoint",) if state == "FINISHED" else ("savepoint", "completed")
    found = [latest[kind] for kind in kinds if latest.get(kind)]
    there = [each for each in found if _lies_there(each["external_path"])]
    return str(max(there, key=lambda each: each["trigger_timestamp"])["external_path"]) if there else ""


def _lies_there(place: str) -> bool:
    """Whether a savepoint is where Flink says, as far as this machine can tell."""
    path = urllib.parse.urlparse(place)
    return path.scheme != "file" or Path(path.path, "_metadata").exists()


def await_ended(rest: str, job_ids: Sequence[str], patience_s: float = 30) -> None:
    """Return when jobs have ended; FlinkError if they do not in time."""
    deadline = time.monotonic() + patience_s
    while left := [job for job in jobs(rest) if job.id in job_ids]:
        if time.monotonic() > deadline:
            raise FlinkError(
                f"{', '.join(job.name for job in left)} did not end in {patience_s:.0f} s: helios logs flink"
            )
        time.sleep(0.1)


def _post(url: str, body: object) -> object:
    request = urllib.request.Request(
        url, method="POST", data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise FlinkError(f"Flink refuses {url}: {error.code} {error.reason}: helios jobs") from None
    except OSError as error:
        raise Unhealthy(f"{url} does not answer ({error})") from None


def cancel(rest: str, job_ids: Sequence[str], patience_s: float = 30) -> None:
    """Cancel jobs and wait until they have ended."""
    for job_id in job_ids:
        request = urllib.request.Request(f"{rest}/jobs/{job_id}?mode=cancel", method="PATCH")
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except urllib.error.HTTPError as error:
            if error.code != 409:  # it has ended already
                raise FlinkError(f"Flink does not cancel job {job_id}: {error.code} {error.reason}") from None
        except OSError as error:
            raise Unhealthy(f"{rest} does not answer ({error})") from None
    await_ended(rest, job_ids, patience_s)
