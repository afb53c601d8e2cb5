"""What Flink says of a job, read: when it runs."""

import pytest

from infra.flink_jobs import Job, downstream


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


def test_downstream_is_what_takes_from_an_operator_in_any_number_of_steps() -> None:
    #  ticks -> spreads + rows of a -> match -> sink        events -> trading
    nodes = [
        {"id": "ticks", "description": "source"},
        {"id": "spreads", "description": "spreads<br/>+- rows of a", "inputs": [{"id": "ticks"}]},
        {"id": "match", "description": "match", "inputs": [{"id": "spreads"}]},
        {"id": "sink", "description": "sink", "inputs": [{"id": "match"}, {"id": "spreads"}]},
        {"id": "events", "description": "source"},
        {"id": "trading", "description": "trading", "inputs": [{"id": "events"}]},
    ]
    assert downstream(nodes, "rows of") == {"match", "sink"}
    assert downstream(nodes, "nothing") == set()
