"""The spreads job: market.ticks, keyed by shard, to market.spreads, .samples, .bars, .pair_bars, .snapshots, and marks
to trading.events.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/spreads.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

from typing import Any

from jobs.standalone import run_alone
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import MAX_PARALLELISM, Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import EMITTED, JobConfig, raw_sink, raw_source
from pipelines.operators.spreads import Spreads

NAME = "spreads"
"""Also the uid of its state, and its consumer group."""


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment: it alone between its topics."""
    made = build(raw_source(t_env, [config.topics.ticks], NAME, config), config, strategy)
    raw_sink(t_env, made, written(config.topics), config)


def build(ticks: Any, config: JobConfig, strategy: Strategy) -> Any:
    """Records of market.ticks in, rows of `emit` out. As many subtasks as shards: their keys are chosen such that each
    has one."""
    spreads = Spreads(strategy, config.topics, config.schema_ids, SchemaRegistry(config.registry_url).schema)
    made = ticks.process(spreads, EMITTED).uid(NAME).name(NAME)
    return made.set_parallelism(strategy.shards).set_max_parallelism(MAX_PARALLELISM)


def written(topics: Topics) -> list[str]:
    """The topics that those rows are for."""
    its = [topics.bars, topics.samples, topics.pair_bars, topics.snapshots, topics.spreads]
    return [topics.events, *its, topics.rejects]


def main() -> None:
    run_alone(NAME, "Submit the spreads job.", define)


if __name__ == "__main__":
    main()
