"""A raw frame to its order: whole sessions at steady rates, split and fused, through a pattern and through a filter."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from infra.parts.part import Unhealthy
from infra.settings import Settings
from infra.stack import StackError
from infra.topics import delete_topics
from jobs.benchmarks.broker import round_trip_ms
from jobs.benchmarks.load import PATIENCE_S, PREFIX, cancel_jobs, strategy_file
from jobs.benchmarks.order_paths import OrderPath, OrderPaths, stamp_on_arrival, summed_up
from jobs.benchmarks.paced_feed import Record, Sent, play, raw_records, tick_records
from jobs.session import SessionPlan, TradingSession
from jobs.submit import Progress
from pipelines.contracts.registry import SchemaRegistry
from pipelines.domain.market import NS_PER_S
from pipelines.domain.universe import SignalUse, Strategy
from pipelines.feeds.simulated import Simulation

SIGNALS: Mapping[str, tuple[str, str]] = {
    "pattern": ("sql/signals/pair_reversion.sql", "pair_reversion"),
    "filter": (str(Path(__file__).with_name("level_filter.sql")), "level_filter"),
}
"""What a run goes through: MATCH_RECOGNIZE, or the same rule as rows that pass a condition."""

TOPOLOGIES = ("split", "fused")
WARM_RATE = 2_000.0
SETTLE_S = 3.0
"""At a new rate, until it counts."""
BEHIND_MS = 250.0
"""A rate is not kept up with where the last orders take so much longer than the first; nor where frames cannot be
written at 97 % of it. What is then told is not a latency, but how far behind it all is."""
LATE_MS = 2_000.0
"""An order that comes so late waited behind others, whether or not they were all late alike."""
DAY_NS = 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class LatencyLoad:
    """What to run: each topology with each signal, `rate_s` seconds at each rate (frames/s), after `warm_s` seconds in
    which JVMs compile. `linger_ms`: event time that the feed puts into a record. `loader`: whether history is kept."""

    pairs: int = 100
    rates: tuple[float, ...] = (1_000.0, 10_000.0, 20_000.0, 100_000.0)
    rate_s: float = 20.0
    warm_s: float = 30.0
    linger_ms: float = 2.0
    seed: int = 1
    topologies: tuple[str, ...] = TOPOLOGIES
    signals: tuple[str, ...] = tuple(SIGNALS)
    jumps_per_minute: float = 6.0
    loader: bool = True

    def simulation(self, rate: float, seconds: float, number: int = 0) -> Simulation:
        """The market at a rate; `number` of them before it, each on days of its own: a feed's end moves time on."""
        made = Simulation(self.seed, 2 * self.pairs, seconds, rate, shards=1, jumps_per_minute=self.jumps_per_minute)
        return replace(made, start_ns=made.start_ns + 3 * number * DAY_NS)


def measure(settings: Settings, load: LatencyLoad, progress: Progress) -> dict[str, Any]:
    """Every combination, one after the other. Nothing of them is left on the stack."""
    ids = SchemaRegistry(settings.registry.url).register_all()
    cancel_jobs(settings)
    runs: list[dict[str, Any]] = []
    bare: dict[str, float] = {}
    for topology in load.topologies:
        for signal in load.signals:
            with _session(settings, load, topology, signal, progress) as session:
                progress("Kafka round trip")
                bare = round_trip_ms(settings.kafka.bootstrap, session.topics.rejects)
                for run in _Rates(session, load, ids, progress).measured():
                    runs.append({"topology": topology, "signal": signal, "kafka_round_trip_ms": bare} | run)
    return {
        "runs": runs,
        "kafka_round_trip_ms": bare,
        "pairs": load.pairs,
        "linger_ms": load.linger_ms,
        "loader": load.loader,
        "jit": settings.flink.jit,
        "seed": load.seed,
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1),
    }


@contextmanager
def _session(
    settings: Settings, load: LatencyLoad, topology: str, signal: str, progress: Progress
) -> Iterator[TradingSession]:
    file, name = SIGNALS[signal]
    strategy = load.simulation(WARM_RATE, load.warm_s).strategy()
    strategy = replace(strategy, signals=(SignalUse(file, {}, name),))
    plan = SessionPlan(strategy_file(settings, strategy), PREFIX, load.seed, 17101, fused=topology == "fused")
    session = TradingSession(settings, plan)
    session.close()
    session.open()
    try:
        progress(f"{topology}, {signal}: starting")
        session.start(progress)
        if not load.loader:
            session.supervision.stop({f"{PREFIX}loader"})
        topics, venue = session.topics, strategy.venues[0].name
        way = (topics.raw(venue), topics.ticks, topics.spreads, topics.events, topics.orders)
        stamp_on_arrival(settings.kafka.bootstrap, way)
        yield session
    finally:
        session.close()
        with suppress(Exception):
            delete_topics(settings.kafka.bootstrap, session.topics, ("simulated",))


class _Rates:
    """The rates of one session, the lowest first."""

    def __init__(self, session: TradingSession, load: LatencyLoad, ids: Mapping[str, int], progress: Progress) -> None:
        self._session, self._load, self._ids, self._progress = session, load, ids, progress
        self._strategy: Strategy = session.strategy
        self._bootstrap = session.settings.kafka.bootstrap
        self._played = 0

    def measured(self) -> Iterator[dict[str, Any]]:
        """One of each rate, and one more from market.ticks where frames are too much. It ends where a rate is not
        through in time: what is left of it would be measured with the next."""
        if self._load.warm_s:
            self._play(WARM_RATE, self._load.warm_s, "raw")
        for rate in sorted(self._load.rates):
            for source in ("raw", "market.ticks"):
                run = self._run(rate, source)
                yield run
                if "not_through_s" in run:
                    return
                if run["keeps_up"]:
                    break

    def _run(self, rate: float, source: str) -> dict[str, Any]:
        """At one rate; `source`: frames by default, blocks of ticks where reading frames costs too much."""
        sent, paths, through = self._play(rate, self._load.rate_s + SETTLE_S, source)
        about = {"from": source, "rate": rate, "written_per_second": round(sent.per_second), "orders": len(paths)}
        if not through:
            return about | {"keeps_up": False, "not_through_s": PATIENCE_S}
        if not paths:
            raise StackError(f"no order came of {sent.things} frames: take more pairs, or measure longer")
        latest = max(path.took_ms for path in paths)
        if sent.per_second < 0.97 * rate or latest > LATE_MS or _grown_ms(paths) > BEHIND_MS:
            return about | {"keeps_up": False, "behind_ms": round(latest)}
        return about | {"keeps_up": True} | summed_up(paths)

    def _play(self, rate: float, seconds: float, source: str) -> tuple[Sent, list[OrderPath], bool]:
        """What was sent, the orders that came of it, and whether all of it came through in time."""
        simulation = self._load.simulation(rate, seconds, self._played)
        self._played += 1
        self._progress(f"drawing {rate:,.0f} frames/s for {seconds:.0f} s")
        records = self._records(simulation, source)
        self._progress(f"{rate:,.0f} frames/s from {source} for {seconds:.0f} s")
        look = OrderPaths(
            self._bootstrap, self._session.topics, simulation.venue, self._ids, fused=self._session.plan.fused
        )
        with closing(look):
            sent = play(self._bootstrap, records)
            through = self._await_orders(simulation.start_ns + int(seconds * NS_PER_S))
            return sent, look.found(sent, simulation.session(0), SETTLE_S) if through else [], through

    def _records(self, simulation: Simulation, source: str) -> Sequence[Record]:
        topics, linger_ms = self._session.topics, self._load.linger_ms
        if source == "raw":
            return raw_records(simulation, self._ids, topics, linger_ms)
        return tick_records(simulation, self._strategy, self._ids, topics, linger_ms)

    def _await_orders(self, end_ns: int) -> bool:
        """Whether all that was sent comes through in time: what is behind comes late, and is to be measured as late."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with suppress(Unhealthy):  # Flink's REST on a machine that falls behind
                if self._session.signals_done(end_ns):
                    return self._session.drain(PATIENCE_S)
            time.sleep(0.5)
        return False


def _grown_ms(paths: Sequence[OrderPath]) -> float:
    """By how much the median of the last third of orders is above that of the first."""
    took = np.array([path.took_ms for path in sorted(paths, key=lambda path: path.sent_ns)])
    third = max(len(took) // 3, 1)
    return float(np.median(took[-third:]) - np.median(took[:third]))
