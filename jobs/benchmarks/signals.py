"""market.ticks to signals at several numbers of pairs, beside NautilusTrader on the same ticks and pairs, Kafka alone
and the kernel alone; every signal compared with the yardstick's rule in plain Python.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infra.settings import Settings
from infra.stack import StackError
from jobs.benchmarks.alone import engine_alone
from jobs.benchmarks.broker import bulk_producer, kafka_seconds, send_all
from jobs.benchmarks.load import PATIENCE_S, PREFIX, cancel_jobs, strategy_file, values_of
from jobs.benchmarks.market import SESSION, VENUE, BenchMarket, bench_market, end_of_session
from jobs.benchmarks.threads import seconds
from jobs.benchmarks.throughput import Growth, bench_topics
from jobs.benchmarks.yardstick import Rule, Signalled, Yardstick, expected_signals, run_yardstick, with_its_rule
from jobs.submit import Progress, submit
from pipelines.contracts.blocks import RECORD, BlockCodec, TickBlock
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.contracts.trading import EventCodec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Signal

COMPILED = 0.1
"""Of the processor time: JVMs that compile less have warmed up."""


@dataclass(frozen=True, slots=True)
class SignalsLoad:
    """What to run: `ticks` of `instruments` in blocks, at each number of `pairs`; counted after the first quarter. Runs
    before them all, `warm_runs` at most, are thrown away: in them JVMs compile. `nautilus`: the yardstick's script,
    None to leave it out."""

    pairs: tuple[int, ...] = (100, 300, 500, 1000)
    instruments: int = 200
    ticks: int = 4_000_000
    block_ticks: int = 500
    seed: int = 1
    nautilus: Path | None = None
    warm_runs: int = 4

    @property
    def uncounted(self) -> int:
        return self.ticks // 4


@dataclass(frozen=True, slots=True)
class Through:
    """A run: `ticks` in `seconds`; CPU seconds of these by what the threads did; all signals."""

    ticks: int
    seconds: float
    spent: dict[str, float]
    signals: list[Signalled]


def measure(settings: Settings, load: SignalsLoad, progress: Progress) -> dict[str, Any]:
    """A result for each number of pairs. Nothing of them is left on the stack."""
    ids = SchemaRegistry(settings.registry.url).register_all()
    cancel_jobs(settings)
    runs: list[dict[str, Any]] = []
    for pairs in load.pairs:
        yardstick = _yardstick(settings, load, pairs, progress)
        if not runs:
            _warm_up(settings, load, yardstick.market, ids, progress)
        runs.append(_measure(settings, load, yardstick, ids, progress))
    return {
        "runs": runs,
        "growth": _growth(runs),
        "signal": "pair_band: plain SQL, an OVER window of two rows a pair",
        "instruments": load.instruments,
        "ticks": load.ticks,
        "block_ticks": load.block_ticks,
        "seed": load.seed,
        "jit": settings.flink.jit,
        "linger_ms": settings.flink.linger_ms,
        "cores": os.cpu_count(),
    }


def _warm_up(
    settings: Settings, load: SignalsLoad, market: BenchMarket, ids: dict[str, int], progress: Progress
) -> None:
    """Runs that do not count, until JVMs have all but compiled."""
    for number in range(1, load.warm_runs + 1):
        progress(f"warming up, run {number} of at most {load.warm_runs}")
        run, _ = _run(settings, load, market, ids, progress)
        compiling = run.spent.get("JIT compiler", 0.0) / max(sum(run.spent.values()), 1e-9)
        progress(f"warming up: {compiling:.0%} of the processor time went into compiling")
        if compiling < COMPILED:
            return


def _yardstick(settings: Settings, load: SignalsLoad, pairs: int, progress: Progress) -> Yardstick:
    """Ticks and pairs: the yardstick's own, or as many of ours where it is left out."""
    if load.nautilus is not None:
        return run_yardstick(load.nautilus, settings.home, load.instruments, pairs, load.ticks, load.seed, progress)
    rule = Rule()
    return Yardstick(with_its_rule(bench_market(load.instruments, pairs, load.ticks, load.seed), rule), rule, {})


def _measure(
    settings: Settings, load: SignalsLoad, yardstick: Yardstick, ids: dict[str, int], progress: Progress
) -> dict[str, Any]:
    market = yardstick.market
    pairs = len(market.strategy.pairs)
    progress(f"{pairs} pairs: the kernel alone")
    codec = BlockCodec(ids[RECORD])
    blocks = market.blocks(codec, load.block_ticks)
    alone = engine_alone(market.strategy, codec, ids, blocks)
    progress(f"{pairs} pairs: the rule in plain Python")
    expected = expected_signals(market, yardstick.rule)
    run, kafka_s = _run(settings, load, market, ids, progress)
    rate, kernel = run.ticks / run.seconds, load.ticks / alone.kernel_s
    with_avro, kafka = load.ticks / alone.with_avro_s, load.ticks / kafka_s
    missing, extra = set(expected) - set(run.signals), set(run.signals) - set(expected)
    progress(f"{pairs} pairs: {rate:,.0f} ticks/s to signals")
    found = {
        "pairs": pairs,
        "pairs_a_tick": round(2 * pairs / load.instruments, 2),
        "ticks_per_second": round(rate),
        "seconds": round(run.seconds, 2),
        "signals": {
            "given": len(run.signals),
            "expected": len(expected),
            "missing": len(missing),
            "extra": len(extra),
            "equal": sorted(run.signals) == sorted(expected),
        },
        "ratio_to_kernel": round(rate / kernel, 3),
        "ratio_to_kernel_with_avro": round(rate / with_avro, 3),
        "ratio_to_kafka": round(rate / kafka, 3),
        "kernel": {"ticks_per_second": round(kernel), "with_avro_ticks_per_second": round(with_avro)},
        "kafka": {"ticks_per_second": round(kafka), "megabytes": round(sum(map(len, blocks)) / 1e6)},
        "records_a_block": {name: round(each / len(blocks), 2) for name, each in alone.records.items()},
        "cpu_seconds_per_million_ticks": {
            "all": round(sum(run.spent.values()) / run.ticks * 1e6, 3),
            **{does: round(spent / run.ticks * 1e6, 3) for does, spent in run.spent.items()},
        },
    }
    if yardstick.said:
        said = yardstick.said
        its = said["ticks_per_second"]
        found["nautilus"] = {
            "version": said["version"],
            "ticks_per_second": round(its),
            "ticks_per_cpu_second": round(said["ticks"] / said["run_cpu_seconds"]),
            "signals": said["signals"],
            "same_number": said["signals"] == len(run.signals),
        }
        found["ratio_to_nautilus"] = round(rate / its, 2)
    return found


def _run(
    settings: Settings, load: SignalsLoad, market: BenchMarket, ids: dict[str, int], progress: Progress
) -> tuple[Through, float]:
    """The jobs over a log that is there; and the seconds that Kafka alone takes for the same bytes."""
    topics, place = Topics(PREFIX), settings.kafka.bootstrap
    codec = BlockCodec(ids[RECORD])
    blocks = market.blocks(codec, load.block_ticks)
    lasts = np.minimum(np.arange(1, len(blocks) + 1) * load.block_ticks, len(market.ticks)) - 1
    ends = (market.ticks["event_ns"][lasts] // NS_PER_MS).tolist()
    names = tuple(instrument.id for instrument in market.strategy.instruments)
    tail = end_of_session(market)
    last = codec.encode(TickBlock(VENUE, SESSION, 0, 0, len(blocks), names, tail))
    with bench_topics(settings, topics, market):
        progress(f"{len(market.strategy.pairs)} pairs: Kafka alone")
        kafka_s = kafka_seconds(place, topics.rejects, blocks)
        with bulk_producer(place) as producer:
            its = [*blocks, last], [*ends, int(tail["event_ns"][0]) // NS_PER_MS]
            send_all(producer, topics.ticks, shard_key(0, 1), *its)
        growth = Growth(place, topics.events, lambda: seconds(settings))
        try:
            file = strategy_file(settings, market.strategy)
            submit(settings, ("signals", "spreads"), file, PREFIX, progress=progress)
            progress(f"{len(market.strategy.pairs)} pairs: ticks to signals")
            return _through(settings, growth, EventCodec(ids[RECORDS["trading.events"]]), market, load), kafka_s
        finally:
            growth.close()
            cancel_jobs(settings)


def _through(settings: Settings, growth: Growth, codec: EventCodec, market: BenchMarket, load: SignalsLoad) -> Through:
    """Waits until nothing more comes. Counted from when the spreads job has passed the uncounted ticks, by its marks,
    to the last signal: what waits between the two jobs counts, so neither can be ahead at the other's cost."""
    deadline = time.monotonic() + PATIENCE_S
    while not growth.rests(2.0):
        if time.monotonic() > deadline:
            raise StackError(f"signals still come after {PATIENCE_S:.0f} s: give fewer --ticks")
        time.sleep(0.2)
    times, first, last = market.ticks["event_ns"], None, 0
    found: list[Signalled] = []
    for offset, value in enumerate(values_of(settings.kafka.bootstrap, growth.topic)):
        if b"marks/" in value[:16] and first is None and codec.decode(value).event_time_ns >= times[load.uncounted]:
            first = offset
        elif b"signal/" in value[:16]:
            event = codec.decode(value)
            if isinstance(event.body, Signal):
                found.append((event.event_time_ns, event.body.pair, event.body.action.value))
                last = offset
    if first is None or not found:
        raise StackError("no signals came: helios jobs, helios logs flink")
    begin, end = growth.reached(first), growth.reached(last)
    ticks = int(np.searchsorted(times, found[-1][0])) - load.uncounted
    return Through(ticks, end - begin, growth.spent(begin, end), found)


def _growth(runs: Sequence[dict[str, Any]]) -> dict[str, float]:
    """From the fewest pairs to the most: how many times the pairs that a tick touches, the kernel's cost, and all."""
    least, most = (choose(runs, key=lambda run: run["pairs"]) for choose in (min, max))

    def ratio(of: Any) -> float:
        return round(float(of(most) / of(least)), 2)

    return {
        "pairs_a_tick": ratio(lambda run: run["pairs_a_tick"]),
        "kernel": ratio(lambda run: 1 / run["kernel"]["ticks_per_second"]),
        "kernel_with_avro": ratio(lambda run: 1 / run["kernel"]["with_avro_ticks_per_second"]),
        "cpu": ratio(lambda run: run["cpu_seconds_per_million_ticks"]["all"]),
        "time": ratio(lambda run: 1 / run["ticks_per_second"]),
    }
