"""The signals job: market.spreads through the SQL of a strategy's signals to trading.events. No Python runs in it.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/signals.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

import argparse
from typing import Any

from infra.topics import session_id
from jobs.client import place
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import JobConfig, environment
from pipelines.signals.of_strategy import bound_signals
from pipelines.signals.planner import columns
from pipelines.signals.statement import insert_signals
from pipelines.signals.tables import Wires

NAME = "signals"


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put every signal of the strategy into the environment, each with a source of its own.

    Planned together, two patterns that differ in WITHIN alone would be taken for one: Flink's plan does not tell them
    apart. Planned one after the other, each also keeps its ids when another is added behind it.
    """
    group = f"{config.prefix}{NAME}"
    wires = Wires(config.bootstrap, config.registry_url, config.topics, group, strategy.shards, config.skip)
    signals = bound_signals(strategy)
    for definition in wires.definitions({table for signal in signals for table in signal.tables}):
        t_env.execute_sql(definition)
    for signal in signals:
        statements = t_env.create_statement_set()
        statements.add_insert_sql(insert_signals(signal, strategy.account, columns(t_env, signal)))
        statements.attach_as_datastream()


def main() -> None:
    parser = argparse.ArgumentParser(description="Submit the signals job.")
    parser.add_argument("--strategy", required=True, help="strategy file")
    parser.add_argument("--bootstrap", required=True, help="Kafka, host:port")
    parser.add_argument("--registry", required=True, help="schema registry, Confluent's API")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    parser.add_argument("--skip", type=place, action="append", default=[], help="PARTITION:OFFSET of a bad record")
    given = parser.parse_args()
    config = JobConfig(
        bootstrap=given.bootstrap,
        registry_url=given.registry,
        session_id=session_id(given.bootstrap, Topics(given.prefix)),
        schema_ids=SchemaRegistry(given.registry).ids(),
        prefix=given.prefix,
        skip=tuple(given.skip),
    )
    env, t_env = environment(config.parallelism)
    define(env, t_env, config, load_strategy(given.strategy))
    env.execute(f"{given.prefix}{NAME}")


if __name__ == "__main__":
    main()
