"""market.ticks to signals at full speed, and a raw frame to its order at a given rate, both beside Kafka alone."""

import os
from typing import Any

from infra.settings import Settings
from jobs.benchmarks.latency import LatencyLoad
from jobs.benchmarks.latency import measure as measure_latency
from jobs.benchmarks.load import PipelineLoad, cancel_jobs
from jobs.benchmarks.market import bench_market
from jobs.benchmarks.throughput import measure_throughput
from jobs.submit import Progress
from pipelines.contracts.registry import SchemaRegistry


def measure(settings: Settings, load: PipelineLoad, progress: Progress) -> dict[str, Any]:
    """Both measurements. Nothing of them is left on the stack."""
    ids = SchemaRegistry(settings.registry.url).register_all()
    cancel_jobs(settings)
    market = bench_market(load.instruments, load.pairs, load.ticks + load.warm_ticks, load.seed)
    through = measure_throughput(settings, load, market, ids, progress)
    levels = str(market.strategy.levels)
    del market
    progress(f"{through['ticks_to_signals']['ticks_per_second']:,} ticks/s to signals")
    steady = LatencyLoad(
        pairs=load.pairs,
        rates=(load.rate,),
        rate_s=load.rate_s,
        warm_s=load.warm_s,
        linger_ms=load.linger_ms,
        seed=load.seed,
        topologies=("split",),
        signals=("pattern",),
    )
    latency = measure_latency(settings, steady, progress)
    return {
        **through,
        "latency": latency["runs"],
        "kafka_round_trip_ms": latency["kafka_round_trip_ms"],
        "pairs": load.pairs,
        "instruments": load.instruments,
        "block_ticks": load.block_ticks,
        "linger_ms": load.linger_ms,
        "levels": levels,
        "jit": settings.flink.jit,
        "ticks": load.ticks,
        "seed": load.seed,
        "cores": os.cpu_count(),
    }
