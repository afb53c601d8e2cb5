"""Whole sessions of one simulated market, for the tests of this folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.settings import Settings
from jobs.demo import FeedCommand, Stopwatch, run_session
from jobs.session import SessionPlan, TradingSession
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.feeds.simulated import Simulation
from pipelines.feeds.simulated_faults import FaultRates

SPEED = 4.0
SIMULATION = Simulation(
    seed=7, instruments=12, seconds=60.0, ticks_per_second=400.0, shards=2, faults=FaultRates.each(0.001)
)
FEED = FeedCommand(
    (
        "simulated",
        *("--seed", "7", "--instruments", "12", "--seconds", "60", "--ticks-per-second", "400", "--shards", "2"),
        *("--fault-rate", "0.001", "--speed", str(SPEED), "--linger-ms", "10"),
    ),
    24_000,
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session of SIMULATION, to be run once."""

    running: TradingSession
    plan: SessionPlan

    def run(self) -> dict[str, Any]:
        """Its summary."""
        return run_session(self.running.settings, self.plan, FEED, Console(stderr=True), Stopwatch.started())


@contextmanager
def simulated_session(settings: Settings, folder: Path, prefix: str, venue_port: int) -> Iterator[Session]:
    """A session whose services and jobs are gone at the end; its topics stay."""
    folder.mkdir(parents=True, exist_ok=True)
    strategy = folder / "strategy.yaml"
    strategy.write_text(dump_strategy(SIMULATION.strategy()))
    plan = SessionPlan(strategy, prefix, seed=SIMULATION.seed, venue_port=venue_port)
    session = Session(TradingSession(settings, plan), plan)
    try:
        yield session
    finally:
        session.running.close()
