"""What a signal's SQL sees: views of fixed names and columns over the market's topics, and where its rows go."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipelines.contracts.ddl import sink_ddl, table_ddl
from pipelines.contracts.topics import Topics
from pipelines.signals.poison import Place, segments

SOURCE = "market_spreads"
SAMPLES = "market_samples"
SINK = "trading_events"

SAMPLE_COLUMNS = ("pair", "rung", "z", "spread", "`mean`", "std", "beta", "mid_a", "mid_b")
PLACE_COLUMNS = "shard, `sequence`, event_time, event_time_ms, event_time_ns"
SPREAD_COLUMNS = f"{PLACE_COLUMNS}, {', '.join(SAMPLE_COLUMNS)}"
COLUMNS = f"{SPREAD_COLUMNS}, z_before"

READ = (
    *("kind", "shard", "sequence", "event_time_ms", "event_time_ns", "samples", "z_before"),
    *(name.strip("`") for name in SAMPLE_COLUMNS),
)
"""Fields of the records that become columns, and no others: then state outlives what is added to a record."""

COLUMN_NAMES = tuple(name.strip().strip("`") for name in COLUMNS.split(","))


BY_ARRIVAL, BY_TIME = "PROCTIME()", "event_time"
"""How the rows of a log are ordered."""


def once(name: str, source: str, columns: str, order: str) -> dict[str, str]:
    """Views that give each row of a log once, the second of which is `name`.

    The log may hold a stretch of it twice, after a kill. A row is new if its sequence is above all before it. Flink's
    windows end at the current row, so this takes two steps: those that reach the running maximum, then, as these never
    fall, those that differ from the row before. ROWS throughout: RANGE, and so LAG, lumps rows of one time together.
    `order`: of arrival, which is that of the log, as a shard lies in one partition; by event time each row would wait
    for a timer at each step, half the cost of a signals job. State: two numbers a shard.
    """
    return {
        f"{name}_reached": f"""
        SELECT {columns}, arrival FROM (
          SELECT {columns}, arrival, MAX(`sequence`) OVER (
            PARTITION BY shard ORDER BY arrival ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS highest
          FROM (SELECT {columns}, {order} AS arrival FROM {source})
        ) WHERE `sequence` = highest""",
        name: f"""
        SELECT {columns} FROM (
          SELECT {columns}, MIN(`sequence`) OVER last_two AS before, COUNT(*) OVER last_two AS rows_there
          FROM {name}_reached
          WINDOW last_two AS (PARTITION BY shard ORDER BY arrival ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        ) WHERE `sequence` > before OR rows_there = 1""",
    }


def views(order: str) -> dict[str, str]:
    """What `VIEWS` has, its rows taken in one order or the other."""
    return {
        **once("crossings", f"{SOURCE} WHERE kind = 'crossing'", COLUMNS, order),
        **once("seconds", SAMPLES, f"{PLACE_COLUMNS}, samples", order),
        "spreads": f"""
        SELECT {PLACE_COLUMNS}, {", ".join(f"s.{each}" for each in SAMPLE_COLUMNS)}
        FROM seconds CROSS JOIN UNNEST(samples) AS s ({", ".join(SAMPLE_COLUMNS)})""",
    }


VIEWS = views(BY_ARRIVAL)
"""In this order: each may stand on those before it. `crossings`: z of a pair has passed a level. `spreads`: every pair
once a second."""

INPUTS = ("crossings", "spreads")
"""The views that are for signals to read."""

INNER = (SOURCE, SAMPLES, *(name for name in VIEWS if name not in INPUTS))
"""What those stand on."""

_HEAD = "shard INT, `sequence` BIGINT, event_time_ms BIGINT, event_time_ns BIGINT"
_SPREAD = (
    "pair STRING, rung INT, z DOUBLE, spread DOUBLE, `mean` DOUBLE, std DOUBLE, beta DOUBLE, mid_a DOUBLE, mid_b DOUBLE"
)
FILE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        SOURCE: f"{_HEAD}, kind STRING, {_SPREAD}, z_before DOUBLE",
        SAMPLES: f"{_HEAD}, samples ARRAY<ROW<{_SPREAD}>>",
    }
)
"""Of the tables that the views stand on, where their rows are in files and not in topics."""


def declare_views(t_env: Any, folder: Path) -> None:
    """The views in the current database, over `<table>.json` in a folder: to plan, or to run over given rows."""
    for name in reversed(VIEWS):
        t_env.execute_sql(f"DROP VIEW IF EXISTS `{name}`")
    for table, columns in FILE_COLUMNS.items():
        t_env.execute_sql(f"DROP TABLE IF EXISTS {table}")
        t_env.execute_sql(
            f"CREATE TABLE {table} ({columns}, event_time AS TO_TIMESTAMP_LTZ(event_time_ms, 3), "
            "WATERMARK FOR event_time AS event_time - INTERVAL '0.001' SECOND) WITH ("
            f"'connector' = 'filesystem', 'path' = '{(folder / f'{table}.json').as_uri()}', 'format' = 'json')"
        )
    for name, query in VIEWS.items():
        t_env.execute_sql(f"CREATE VIEW `{name}` AS {query}")


@dataclass(frozen=True, slots=True)
class Wires:
    """Where the tables' topics are. `group` names the consumer group; `skip` records of market.spreads to leave out,
    by partition and offset, as they cannot be decoded; `shards` is how many partitions it has."""

    bootstrap: str
    registry_url: str
    topics: Topics
    group: str
    shards: int = 1
    skip: tuple[Place, ...] = ()

    def definitions(self) -> list[str]:
        """Statements that declare sources, views and the sink, in order."""
        sink = sink_ddl(
            SINK,
            "helios.trading.TradingEvent",
            self.topics.events,
            key="account",
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            options={"properties.linger.ms": "1", "sink.delivery-guarantee": "at-least-once"},
        )
        # Where records are left out the log is read in pieces, side by side: then only time tells their order.
        queries = views(BY_TIME if self.skip else BY_ARRIVAL)
        return [*self._sources(), *(f"CREATE VIEW `{name}` AS {query}" for name, query in queries.items()), sink]

    def _sources(self) -> list[str]:
        """The tables of spread events and of samples. Where records are left out, the first is a view over pieces."""
        pieces = segments(self.skip, self.shards)
        names = [SOURCE if len(pieces) == 1 else f"{SOURCE}_{number}" for number in range(1, len(pieces) + 1)]
        tables = [
            self._table(name, "helios.market.SpreadEvent", self.topics.spreads, piece)
            for name, piece in zip(names, pieces, strict=True)
        ]
        tables.append(self._table(SAMPLES, "helios.market.SpreadSamples", self.topics.samples, {}))
        together = " UNION ALL ".join(f"SELECT kind, {COLUMNS} FROM {name}" for name in names)
        return tables if len(pieces) == 1 else [*tables, f"CREATE VIEW {SOURCE} AS {together}"]

    def _table(self, name: str, record: str, topic: str, options: Mapping[str, str]) -> str:
        return table_ddl(
            name,
            record,
            topic,
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            only=READ,
            options={"properties.group.id": self.group} | dict(options),
        )
