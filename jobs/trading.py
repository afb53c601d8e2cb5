"""The trading job: trading.events, keyed by account, to trading.orders and trading.positions.

State, uid and consumer group: "trading".

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/trading.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

from typing import Any

from jobs.standalone import run_alone
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import EMITTED, JobConfig, raw_sink, raw_source
from pipelines.operators.trading import Trading

NAME = "trading"


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment: it alone between its topics."""
    decided = build(raw_source(t_env, [config.topics.events], NAME, config), config, strategy)
    raw_sink(t_env, decided, written(config.topics), config)


def build(events: Any, config: JobConfig, strategy: Strategy) -> Any:
    """Records of trading.events in, rows of `emit` out. An account is one log, so one subtask does all of its work, in
    its order."""
    schema_of = SchemaRegistry(config.registry_url).schema
    trader = Trading(strategy, config.session_id, config.topics, config.schema_ids, schema_of)
    return events.process(trader, EMITTED).uid(NAME).name(NAME).set_parallelism(1)


def written(topics: Topics) -> list[str]:
    """The topics that those rows are for."""
    return [topics.orders, topics.positions, topics.rejects]


def main() -> None:
    run_alone(NAME, "Submit the trading job.", define)


if __name__ == "__main__":
    main()
