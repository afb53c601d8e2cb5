"""The market job: raw.<venue> of every venue of a strategy, to market.ticks, market.books and market.rejects.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/market.py \
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

import argparse
from functools import reduce
from typing import Any

from infra.topics import session_id
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.contracts.topics import Topics
from pipelines.domain.decoding import OpenDecoder
from pipelines.domain.universe import Strategy, Venue
from pipelines.feeds.protocols.catalogue import UnknownProtocol, protocol
from pipelines.operators.flink import EMITTED, JobConfig, environment, raw_sink, raw_source
from pipelines.operators.market import Market


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment: a source and an operator a venue, one sink. State: by feed session."""
    schema_of = SchemaRegistry(config.registry_url).schema
    streams = []
    for venue in strategy.venues:
        operator = Market(
            strategy, venue.name, _protocol(venue, strategy.name), config.topics, config.schema_ids, schema_of
        )
        keyed = raw_source(t_env, [config.topics.raw(venue.name)], f"market-{venue.name}", config)
        name = f"market-{venue.name}"
        streams.append(keyed.process(operator, EMITTED).uid(name).name(name))
    emitted = reduce(lambda left, right: left.union(right), streams)
    raw_sink(t_env, emitted, [config.topics.ticks, config.topics.books, config.topics.rejects], config)


def _protocol(venue: Venue, strategy: str) -> OpenDecoder:
    try:
        return protocol(venue.protocol)
    except UnknownProtocol as error:
        raise StrategyError(f"strategy {strategy}: venue {venue.name}: {error}") from None


def main() -> None:
    parser = argparse.ArgumentParser(description="Submit the market job.")
    parser.add_argument("--strategy", required=True, help="strategy file")
    parser.add_argument("--bootstrap", required=True, help="Kafka, host:port")
    parser.add_argument("--registry", required=True, help="schema registry, Confluent's API")
    parser.add_argument("--prefix", default="", help="of the session's topics")
    parser.add_argument("--linger-ms", type=int, default=1, help="how long a record may wait for others into Kafka")
    parser.add_argument("--parallelism", type=int, default=1)
    given = parser.parse_args()
    config = JobConfig(
        bootstrap=given.bootstrap,
        registry_url=given.registry,
        session_id=session_id(given.bootstrap, Topics(given.prefix)),
        schema_ids=SchemaRegistry(given.registry).ids(),
        prefix=given.prefix,
        linger_ms=given.linger_ms,
        parallelism=given.parallelism,
    )
    env, t_env = environment(config.parallelism)
    define(env, t_env, config, load_strategy(given.strategy))
    env.execute(f"{given.prefix}market")


if __name__ == "__main__":
    main()
