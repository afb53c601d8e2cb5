"""What a Flink client says, read: its jobs, its fault, that it stands by, and whether anybody is there to serve."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.flink_jobs import FlinkError
from jobs.client import stand_by
from jobs.flink_client import FlinkClient

Started = Callable[..., FlinkClient]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    """A client that says these lines, and ends with a status."""
    running: list[subprocess.Popen[str]] = []
    with (tmp_path / "client.log").open("w") as log:

        def start(*lines: str, status: int = 0) -> FlinkClient:
            says = f"import sys\nfor line in {lines!r}: print(line, flush=True)\nsys.exit({status})"
            running.append(subprocess.Popen([sys.executable, "-c", says], stdout=subprocess.PIPE, text=True))
            return FlinkClient(running[-1], log)

        yield start
        for process in running:
            with process:
                process.kill()


def test_jobs_are_told_as_they_come(started: Started) -> None:
    ids: dict[str, str] = {}
    told: list[str] = []
    started("a warning", 'helios-job {"job": "market", "id": "ab"}').finish(ids, told.append)
    assert (ids, told) == ({"market": "ab"}, ["market is with Flink"])


def test_a_fault_is_told_in_a_line(started: Started) -> None:
    client = started("Traceback", 'helios-fault {"fault": "job market: no such topic"}', status=1)
    with pytest.raises(FlinkError, match=r"^submit: job market: no such topic "):
        client.finish({}, lambda doing: None)


def test_one_that_ends_before_it_stands_by_says_why(started: Started) -> None:
    client = started('helios-fault {"fault": "the plan is gone"}', status=1)
    with pytest.raises(FlinkError, match=r"^submit: the plan is gone "):
        client.until_ready()


def test_one_that_stands_by_goes_on_later(started: Started) -> None:
    client = started("helios-ready", 'helios-job {"job": "market", "id": "ab"}')
    client.until_ready()
    ids: dict[str, str] = {}
    client.finish(ids, lambda doing: None)
    assert ids == {"market": "ab"}


def test_one_that_nobody_will_tell_what_to_start_ends(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with pytest.raises(RuntimeError, match="the command that this client was to serve is gone"):
        stand_by(tmp_path / "never.json", gone.pid, {})
