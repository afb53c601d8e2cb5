"""What a signal's SQL sees: views of fixed names and columns over the market's topics, and where its rows go."""

from dataclasses import dataclass

from pipelines.contracts.ddl import sink_ddl, table_ddl
from pipelines.contracts.topics import Topics
from pipelines.signals.poison import Place, segments

SOURCE = "market_spreads"
SINK = "trading_events"

COLUMNS = (
    "kind, shard, `sequence`, pair, event_time, event_time_ms, event_time_ns, rung, z, spread, `mean`, std, beta, "
    "mid_a, mid_b"
)

COLUMN_NAMES = tuple(name.strip().strip("`") for name in COLUMNS.split(","))

VIEWS = {
    # The log may hold a stretch of it twice, after a kill. Flink drops what lies behind the watermark; of the last
    # millisecond both copies may still wait here. A row is new if its sequence is above all before it. Flink's windows
    # end at the current row, so this takes two steps: those that reach the running maximum, then, as these never fall,
    # those that differ from the row before. ROWS throughout: RANGE, and so LAG, lumps rows of one time together.
    # State: two numbers a shard.
    "spreads_reached": f"""
        SELECT {COLUMNS} FROM (
          SELECT {COLUMNS}, MAX(`sequence`) OVER (
            PARTITION BY shard ORDER BY event_time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS highest
          FROM {SOURCE} WHERE kind IN ('crossing', 'sample')
        ) WHERE `sequence` = highest""",
    "spreads": f"""
        SELECT {COLUMNS} FROM (
          SELECT {COLUMNS}, MIN(`sequence`) OVER last_two AS before, COUNT(*) OVER last_two AS rows_there
          FROM spreads_reached
          WINDOW last_two AS (PARTITION BY shard ORDER BY event_time ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        ) WHERE `sequence` > before OR rows_there = 1""",
    "crossings": f"SELECT {COLUMNS} FROM spreads WHERE kind = 'crossing'",
}
"""In this order: each may stand on those before it. `spreads`: crossings and once-a-second samples of every pair."""


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
        return [*self._sources(), *(f"CREATE VIEW `{name}` AS {query}" for name, query in VIEWS.items()), sink]

    def _sources(self) -> list[str]:
        """The table of spread events; in pieces, and a view that puts them together, where records are left out."""
        pieces = segments(self.skip, self.shards)
        names = [SOURCE if len(pieces) == 1 else f"{SOURCE}_{number}" for number in range(1, len(pieces) + 1)]
        tables = [
            table_ddl(
                name,
                "helios.market.SpreadEvent",
                self.topics.spreads,
                bootstrap=self.bootstrap,
                registry_url=self.registry_url,
                options={"properties.group.id": self.group} | dict(piece),
            )
            for name, piece in zip(names, pieces, strict=True)
        ]
        together = " UNION ALL ".join(f"SELECT {COLUMNS} FROM {name}" for name in names)
        return tables if len(pieces) == 1 else [*tables, f"CREATE VIEW {SOURCE} AS {together}"]
