"""The fused topology: spreads, signals and trading in one job, from market.ticks on.

The builders, the signals' SQL and the topics are those of the jobs apart. What differs: the signals' views stand on
what the spreads operator gives and not on its topics, so a signal is one Kafka hop nearer to its tick. Signals still
pass through trading.events, which orders all that a trader is told.

    helios submit market fused --strategy strategy.yaml
"""

from typing import Any

from jobs import signals, spreads, trading
from pipelines.domain.universe import Strategy
from pipelines.operators.avro_rows import declare_rows
from pipelines.operators.flink import JobConfig, raw_sink, raw_source
from pipelines.signals.tables import RECORDS, VIEWS_ON_STREAMS, Wires, created, row_schema, topic_of

NAME = "fused"

PARTS = (spreads.NAME, signals.NAME, trading.NAME)
"""The jobs that it is instead of. State and consumer groups have the names that they have there."""


def define(env: Any, t_env: Any, config: JobConfig, strategy: Strategy) -> None:
    """Put the job into an environment. Signals come last, so that one more leaves the ids of all the rest."""
    topics = config.topics
    made = spreads.build(raw_source(t_env, [topics.ticks], spreads.NAME, config), config, strategy)
    raw_sink(t_env, made, spreads.written(topics), config, "spreads_out")
    # An account's log is one, and so is the log that signals are written to: from here on a subtask for each.
    t_env.get_config().set("table.exec.resource.default-parallelism", "1")
    decided = trading.build(raw_source(t_env, [topics.events], trading.NAME, config), config, strategy)
    raw_sink(t_env, decided, trading.written(topics), config, "trading_out")
    for table in RECORDS:
        declare_rows(t_env, table, made, topic_of(table, topics), row_schema(table), config.registry_url)
    wires = Wires(config.bootstrap, config.registry_url, topics, NAME)
    for definition in (*created(VIEWS_ON_STREAMS), wires.sink()):
        t_env.execute_sql(definition)
    signals.build(t_env, strategy)
