"""The market job: raw.<venue> of every venue of a strategy, to market.ticks, market.books and market.rejects.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/market.py \
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

from functools import reduce
from typing import Any

from jobs.standalone import arguments, config_of, execute
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import StrategyError, load_strategy
from pipelines.domain.decoding import OpenDecoder
from pipelines.domain.universe import Strategy, Venue
from pipelines.feeds.protocols.catalogue import UnknownProtocol, protocol
from pipelines.operators.flink import EMITTED, JobConfig, raw_sink, raw_source
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
    parser = arguments("Submit the market job.")
    parser.add_argument("--parallelism", type=int, default=1)
    given = parser.parse_args()
    config = config_of(given, parallelism=given.parallelism)
    execute("market", config, load_strategy(given.strategy), define)


if __name__ == "__main__":
    main()
