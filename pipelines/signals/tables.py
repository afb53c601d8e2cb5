"""What a signal's SQL sees: views of fixed names and columns over the market's topics, and where its rows go."""

from dataclasses import dataclass

from pipelines.contracts.ddl import sink_ddl, table_ddl
from pipelines.contracts.topics import Topics

SOURCE = "market_spreads"
SINK = "trading_events"

COLUMNS = (
    "kind, shard, `sequence`, pair, event_time, event_time_ms, event_time_ns, rung, z, spread, `mean`, std, beta, "
    "mid_a, mid_b"
)

VIEWS = {
    # The log may hold a stretch of it twice, after a kill. Flink drops what lies behind the watermark; of the last
    # millisecond both copies may still wait. The running maximum lets pass what has not been reached before, and of its
    # own repeats (they follow each other) the second comparison keeps the first. State: two numbers a shard.
    "spreads_rising": f"""
        SELECT * FROM (
          SELECT {COLUMNS},
            MAX(`sequence`) OVER (
              PARTITION BY shard ORDER BY event_time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS highest
          FROM {SOURCE} WHERE kind IN ('crossing', 'sample')
        ) WHERE `sequence` = highest""",
    "spreads": f"""
        SELECT {COLUMNS} FROM (
          SELECT {COLUMNS}, LAG(`sequence`) OVER (PARTITION BY shard ORDER BY event_time) AS before
          FROM spreads_rising
        ) WHERE before IS NULL OR `sequence` > before""",
    "crossings": f"SELECT {COLUMNS} FROM spreads WHERE kind = 'crossing'",
}
"""In this order: each may stand on those before it. `spreads`: crossings and once-a-second samples of every pair."""


@dataclass(frozen=True, slots=True)
class Wires:
    """Where the tables' topics are. `group` names the consumer group."""

    bootstrap: str
    registry_url: str
    topics: Topics
    group: str

    def definitions(self) -> list[str]:
        """Statements that declare sources, views and the sink, in order."""
        source = table_ddl(
            SOURCE,
            "helios.market.SpreadEvent",
            self.topics.spreads,
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            options={"properties.group.id": self.group},
        )
        sink = sink_ddl(
            SINK,
            "helios.trading.TradingEvent",
            self.topics.events,
            key="account",
            bootstrap=self.bootstrap,
            registry_url=self.registry_url,
            options={"properties.linger.ms": "1", "sink.delivery-guarantee": "at-least-once"},
        )
        return [source, *(f"CREATE VIEW `{name}` AS {query}" for name, query in VIEWS.items()), sink]
