"""A whole session on real parts: simulated venue, feed, Kafka, the four jobs, gateway, simulated fills, TimescaleDB."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from infra.settings import Settings
from jobs.demo import FeedCommand, Stopwatch, run_session
from jobs.session import SessionPlan, TradingSession
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.feeds.simulated import Simulation
from pipelines.feeds.simulated_faults import FaultRates

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SIMULATION = Simulation(
    seed=7,
    instruments=12,
    seconds=60.0,
    ticks_per_second=400.0,
    shards=2,
    faults=FaultRates.each(0.001),
    venue="simulated",
)


@contextmanager
def ended(settings: Settings, plan: SessionPlan) -> Iterator[None]:
    try:
        yield
    finally:
        TradingSession(settings, plan).close()


def test_a_session_is_conserved_from_frames_to_history(stack: Settings, tmp_path: Path) -> None:
    strategy = tmp_path / "strategy.yaml"
    strategy.write_text(dump_strategy(SIMULATION.strategy()))
    words = ("--seed", "7", "--instruments", "12", "--seconds", "60", "--ticks-per-second", "400", "--shards", "2")
    feed = FeedCommand(("simulated", *words, "--fault-rate", "0.001", "--venue", "simulated", "--speed", "4"), 24_000)
    plan = SessionPlan(strategy, "e2e.", seed=7, venue_port=17301)
    with ended(stack, plan):
        summary = run_session(stack, plan, feed, Console(stderr=True), Stopwatch.started())
    assert summary["conservation"] == {"frames": True, "rows": True, "orders": True, "faults": True}
    assert min(summary[name] for name in ("ticks", "rejects", "spreads", "signals", "orders", "fills")) > 0
    assert summary["rejects"] == summary["injected_faults"]
