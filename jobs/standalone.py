"""A job handed to a cluster by Flink's own client, alone: `flink run -py jobs/<name>.py --strategy …`."""

import argparse
from collections.abc import Callable
from typing import Any

from infra.topics import session_id
from jobs.client import parallelism
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import JobConfig, environment


def run_alone(name: str, what: str, define: Callable[[Any, Any, JobConfig, Strategy], None]) -> None:
    """Read the arguments, put the job into an environment, and execute it. `what`: for --help."""
    given = arguments(what).parse_args()
    strategy = load_strategy(given.strategy)
    execute(name, config_of(given, parallelism=parallelism(name, strategy)), strategy, define)


def execute(
    name: str, config: JobConfig, strategy: Strategy, define: Callable[[Any, Any, JobConfig, Strategy], None]
) -> None:
    """Put the job into an environment, and execute it."""
    env, t_env = environment(config.parallelism)
    define(env, t_env, config, strategy)
    env.execute(f"{config.prefix}{name}")


def arguments(what: str) -> argparse.ArgumentParser:
    """Those that every job takes: its strategy, and where its session is."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--strategy", required=True, help="strategy file")
    parser.add_argument("--bootstrap", required=True, help="Kafka, host:port")
    parser.add_argument("--registry", required=True, help="schema registry, Confluent's API")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    parser.add_argument("--linger-ms", type=int, default=1, help="how long a record may wait for others into Kafka")
    return parser


def config_of(given: argparse.Namespace, **more: Any) -> JobConfig:
    """The session of the arguments, as Kafka and the registry have it. `more`: fields of the job's own."""
    return JobConfig(
        bootstrap=given.bootstrap,
        registry_url=given.registry,
        session_id=session_id(given.bootstrap, Topics(given.prefix)),
        schema_ids=SchemaRegistry(given.registry).ids(),
        prefix=given.prefix,
        linger_ms=given.linger_ms,
        **more,
    )
