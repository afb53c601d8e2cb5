"""The tables that a signal's views stand on, over topics or files, and the one that its rows go to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.contracts.ddl import column_types, reader_schema, schema_text, sink_ddl, table_ddl
from pipelines.contracts.topics import Topics
from pipelines.signals.poison import Place, segments
from pipelines.signals.sources import SOURCES, VIEWS, Source, sources_of
from pipelines.signals.views import BY_ARRIVAL, BY_TIME, queries_of

SPREADS = SOURCES[0]
SINK = "trading_events"
ROUTED = "signals_routed"
"""As `SINK`, and `topic` says whether a signal goes to trading.events or to signals.shadow."""


def declare_views(t_env: Any, folder: Path, names: Collection[str] = tuple(VIEWS)) -> None:
    """Views of these names in the current database, over `<table>.json` in a folder: to plan, or to run over rows."""
    for name in reversed(queries := queries_of(names)):
        t_env.execute_sql(f"DROP VIEW IF EXISTS `{name}`")
    for source in sources_of(names):
        t_env.execute_sql(f"DROP TABLE IF EXISTS {source.table}")
        columns = [f"`{name}` {kind}" for name, kind in column_types(source.record, source.fields).items()]
        t_env.execute_sql(
            f"CREATE TABLE {source.table} ({', '.join(columns)}, event_time AS TO_TIMESTAMP_LTZ(event_time_ms, 3), "
            "WATERMARK FOR event_time AS event_time - INTERVAL '0.001' SECOND) WITH ("
            f"'connector' = 'filesystem', 'path' = '{(folder / f'{source.table}.json').as_uri()}', 'format' = 'json')"
        )
    for statement in created(queries):
        t_env.execute_sql(statement)


def created(views: Mapping[str, str]) -> list[str]:
    """Statements that create views, in their order."""
    return [f"CREATE VIEW `{name}` AS {query}" for name, query in views.items()]


def row_schema(source: Source) -> str:
    """The Avro schema, as JSON, by which rows of a source are read."""
    return schema_text(reader_schema(source.record, source.fields))


@dataclass(frozen=True, slots=True)
class Wires:
    """Where the tables' topics are. `group` names the consumer group; `skip` records of market.spreads to leave out,
    by partition and offset, as they cannot be decoded; `shards` is how many partitions it has; `linger_ms`: how long a
    signal may wait for others on its way into Kafka."""

    bootstrap: str
    registry_url: str
    topics: Topics
    group: str
    shards: int = 1
    skip: tuple[Place, ...] = ()
    linger_ms: int = 1

    def definitions(self, names: Collection[str] = tuple(VIEWS)) -> list[str]:
        """Statements that declare the sources of views of these names, the views, and the sinks, in order."""
        tables = [statement for source in sources_of(names) for statement in self.tables(source)]
        routed = self._sink(ROUTED, f"{self.topics.events};{self.topics.shadow}")
        # Where records are left out the log is read in pieces, side by side: then only time tells their order.
        queries = queries_of(names, order=BY_TIME if self.skip else BY_ARRIVAL)
        return [*tables, *created(queries), self.sink(), routed]

    def sink(self) -> str:
        """The statement that declares where signals go."""
        return self._sink(SINK, self.topics.events)

    def _sink(self, name: str, topics: str) -> str:
        return sink_ddl(
            name,
            "helios.trading.TradingEvent",
            topics,
            key="account",
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            options={"properties.linger.ms": str(self.linger_ms), "sink.delivery-guarantee": "at-least-once"},
        )

    def tables(self, source: Source) -> list[str]:
        """The table of a source. Where records are left out, it is a view over pieces."""
        pieces = segments(self.skip, self.shards) if source is SPREADS else [{}]
        if len(pieces) == 1:
            return [self._table(source, source.table, pieces[0])]
        names = [f"{source.table}_{number}" for number in range(1, len(pieces) + 1)]
        tables = [self._table(source, name, piece) for name, piece in zip(names, pieces, strict=True)]
        together = " UNION ALL ".join(f"SELECT * FROM {name}" for name in names)
        return [*tables, f"CREATE VIEW {source.table} AS {together}"]

    def _table(self, source: Source, name: str, options: Mapping[str, str]) -> str:
        return table_ddl(
            name,
            source.record,
            self.topics.named(source.topic),
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            only=source.fields,
            options={"properties.group.id": self.group} | dict(options),
        )
