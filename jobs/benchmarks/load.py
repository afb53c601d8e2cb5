"""What a benchmark of the pipeline is given, and what its measurements share."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from infra.flink_jobs import cancel, jobs
from infra.settings import Settings
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.domain.universe import Strategy

PREFIX = "bench."
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class PipelineLoad:
    """What to run: `ticks` in blocks of `block_ticks` over pairs, after `warm_ticks` of them; then `rate` frames/s for
    `rate_s` seconds, after `warm_s` of the same, in which JVMs compile."""

    pairs: int = 100
    instruments: int = 200
    ticks: int = 4_000_000
    warm_ticks: int = 2_000_000
    block_ticks: int = 500
    rate: float = 5_000.0
    rate_s: float = 20.0
    warm_s: float = 30.0
    linger_ms: float = 20.0
    seed: int = 1


def strategy_file(settings: Settings, strategy: Strategy) -> Path:
    """The file of a benchmark's strategy, written anew: jobs and services are given one."""
    file = settings.home / "bench" / f"{strategy.name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dump_strategy(strategy))
    return file


def cancel_jobs(settings: Settings) -> None:
    """No job of a benchmark runs, be it of one that was killed."""
    cancel(settings.flink.rest, [job.id for job in jobs(settings.flink.rest) if job.name.startswith(PREFIX)])


def values_of(bootstrap: str, topic: str) -> Iterator[bytes]:
    """Every record of a topic of one partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=2000,
    )
    consumer.assign([TopicPartition(topic, 0)])
    try:
        yield from (record.value for record in consumer)
    finally:
        consumer.close()
