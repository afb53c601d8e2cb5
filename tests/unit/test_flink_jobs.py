"""What Flink says of a job, read: when it runs."""

import pytest

from infra.flink_jobs import Job


@pytest.mark.parametrize(
    ("state", "running", "finished", "runs"),
    [
        ("RUNNING", 6, 0, True),
        ("RUNNING", 5, 1, True),  # a source that reads up to a record that is left out
        ("RUNNING", 5, 0, False),
        ("RUNNING", 0, 6, False),
        ("RESTARTING", 6, 0, False),
    ],
)
def test_a_job_runs_when_every_task_does_or_is_done(state: str, running: int, finished: int, runs: bool) -> None:
    assert Job("id", "signals", state, running, finished, 6, 1.0).running is runs
