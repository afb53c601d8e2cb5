"""Which deployments the signals of a strategy are, in a session that may have had others."""

from dataclasses import replace

import pytest

from infra.flink_jobs import FlinkError
from jobs.submit import live_signals
from pipelines.feeds.simulated import Simulation
from pipelines.signals.deployment import ALWAYS, NEVER, Ledger, Window

STRATEGY = Simulation(seed=1, instruments=2, seconds=1.0, ticks_per_second=100.0, shards=1).strategy()
(FIRST,) = live_signals(STRATEGY, Ledger(), {})
OTHER = replace(FIRST, signal=replace(FIRST.signal, version="0a1b2c3d4e"))


def test_a_session_that_begins_has_the_strategys_signals_live_throughout() -> None:
    assert (FIRST.window, FIRST.savepoint) == (ALWAYS, "")


def test_one_that_was_stopped_goes_on_where_it_is_live_and_from_the_savepoint_given() -> None:
    known = replace(FIRST, window=Window(5), job_id="ab", savepoint="file:/old")
    assert live_signals(STRATEGY, Ledger((known,)), {known.job: "file:/new"}) == [
        replace(known, job_id="", savepoint="file:/new")
    ]


@pytest.mark.parametrize(
    ("ledger", "told"),
    [
        (Ledger((OTHER,)), f"{FIRST.version} is not live in this session, which has 0a1b2c3d4e (live)"),
        (Ledger((replace(FIRST, retired=True),)), f"which has {FIRST.version} (retired): helios signals deploy"),
        (Ledger((OTHER, replace(FIRST, window=NEVER))), f"0a1b2c3d4e (live), {FIRST.version} (shadow)"),
    ],
)
def test_one_that_is_not_live_is_not_made_so_through_all_the_past(ledger: Ledger, told: str) -> None:
    with pytest.raises(FlinkError) as error:
        live_signals(STRATEGY, ledger, {})
    assert told in str(error.value)


def test_a_savepoint_of_another_text_is_refused() -> None:
    with pytest.raises(FlinkError, match=f"--from {OTHER.job}: the signal jobs of the strategy are {FIRST.job}"):
        live_signals(STRATEGY, Ledger(), {OTHER.job: "file:/s"})
