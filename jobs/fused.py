"""The fused topology: spreads, signals and trading in one job, from market.ticks on.

The builders, the signals' SQL and the topics are those of the jobs apart. What differs: the signals' views stand on
what the spreads operator gives and not on its topics, so a signal is one Kafka hop nearer to its tick. Signals still
pass through trading.events, which orders all that a trader is told.

    flink run -pyexec .venv/bin/python -pyclientexec .venv/bin/python -pyfs .local/code -py jobs/fused.py \\
        --strategy strategy.yaml --bootstrap 127.0.0.1:19092 --registry http://127.0.0.1:18080/apis/ccompat/v7
"""

from typing import Any

from jobs import signals, spreads, trading
from jobs.standalone import run_alone
from pipelines.domain.universe import Strategy
from pipelines.operators.avro_rows import declare_rows
from pipelines.operators.flink import JobConfig, raw_sink, raw_source
from pipelines.signals.of_strategy import bound_signals
from pipelines.signals.sources import sources_of
from pipelines.signals.tables import Wires, created, row_schema
from pipelines.signals.views import queries_of

NAME = "fused"


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment. Signals come last, so that one more leaves the ids of all the rest."""
    topics = config.topics
    made = spreads.build(raw_source(t_env, [topics.ticks], spreads.NAME, config), config, strategy)
    raw_sink(t_env, made, spreads.written(topics), config, "spreads_out")
    # An account's log is one, and so is the log that signals are written to: from here on a subtask for each.
    t_env.get_config().set("table.exec.resource.default-parallelism", "1")
    decided = trading.build(raw_source(t_env, [topics.events], trading.NAME, config), config, strategy)
    raw_sink(t_env, decided, trading.written(topics), config, "trading_out")
    wanted = bound_signals(strategy)
    names = frozenset().union(*(signal.tables for signal in wanted))
    wires = Wires(config.bootstrap, config.registry_url, topics, NAME, linger_ms=config.linger_ms)
    streams = [source for source in sources_of(names) if source.topic.startswith("market.")]
    for source in sources_of(names):
        if source in streams:
            topic = topics.named(source.topic)
            declare_rows(t_env, source.table, made, topic, row_schema(source), config.registry_url)
        else:
            for statement in wires.tables(source):
                t_env.execute_sql(statement)
    for statement in (*created(queries_of(names, streams)), wires.sink()):
        t_env.execute_sql(statement)
    signals.build(t_env, wanted, strategy.account)


def main() -> None:
    run_alone(NAME, "Submit spreads, signals and trading as one job.", define)


if __name__ == "__main__":
    main()
