"""The risk job: market.bars and trading.positions, keyed by the account, to risk updates in trading.events.

State, uid and consumer group: "risk". It stands alone beside the fused job too: it reads what that writes.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/risk.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

from typing import Any

from jobs.standalone import run_alone
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.risk_file import load_history
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import EMITTED, JobConfig, raw_sink, raw_source
from pipelines.operators.risk import Risk

NAME = "risk"


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment: it alone between its topics. Raises ClosingPricesError where the operator could
    not read its history."""
    load_history(strategy)
    read = raw_source(t_env, [config.topics.bars, config.topics.positions], NAME, config, under=strategy.account)
    raw_sink(t_env, build(read, config, strategy), written(config.topics), config)


def build(records: Any, config: JobConfig, strategy: Strategy) -> Any:
    """Records of both topics in, rows of `emit` out. One account, so one subtask."""
    schema_of = SchemaRegistry(config.registry_url).schema
    risk = Risk(strategy, config.topics, config.schema_ids, schema_of)
    return records.process(risk, EMITTED).uid(NAME).name(NAME).set_parallelism(1)


def written(topics: Topics) -> list[str]:
    """The topics that those rows are for."""
    return [topics.events, topics.rejects]


def main() -> None:
    run_alone(NAME, "Submit the risk job.", define)


if __name__ == "__main__":
    main()
