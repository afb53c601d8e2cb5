"""The tables of a session's history as the loader fills them; `sql/timescale/` declares them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Columns in the order in which they are copied; the first `key` of them are the session and the event's id."""

    name: str
    key: int
    columns: tuple[str, ...]

    @property
    def incoming(self) -> str:
        """The temporary table that a batch is copied into."""
        return f"incoming_{self.name}"


TICKS = Table(
    "ticks",
    4,
    (
        *("session_id", "venue", "feed_session", "sequence", "event_time", "instrument", "kind", "flags"),
        *("event_ns", "receive_ns", "frame", "bid", "bid_size", "ask", "ask_size", "code"),
    ),
)
BOOKS = Table(
    "books",
    4,
    (
        *("session_id", "venue", "feed_session", "sequence", "event_time", "instrument", "side", "flags"),
        *("event_ns", "receive_ns", "frame", "price", "quantity", "code"),
    ),
)
SPREADS = Table(
    "spreads",
    4,
    (
        *("session_id", "shard", "pair", "sequence", "event_time", "event_ns", "kind", "rung", "z", "spread"),
        *("mean", "std", "beta", "mid_a", "mid_b", "tick_session", "tick_sequence"),
    ),
)
BARS = Table(
    "bars_1m",
    4,
    (
        *("session_id", "venue", "instrument", "start_time", "closed_at", "shard", "open", "high", "low", "close"),
        *("volume", "trades", "quotes", "bid", "ask"),
    ),
)
SIGNALS = Table(
    "signals",
    2,
    (
        *("session_id", "event_id", "account", "event_time", "event_ns", "name", "version", "pair", "action", "z"),
        *("spread", "beta", "mid_a", "mid_b", "shard", "first_sequence", "last_sequence"),
    ),
)
ORDERS = Table(
    "orders",
    3,
    (
        *("session_id", "client_order_id", "action", "account", "event_time", "event_ns", "venue", "instrument"),
        *("side", "quantity", "order_type", "limit_price", "pair", "leg", "cause", "reason"),
        *("strategy", "checks", "target", "amount"),
    ),
)
REPORTS = Table(
    "reports",
    2,
    (
        *("session_id", "event_id", "account", "event_time", "event_ns", "venue", "exec_id", "client_order_id"),
        *("status", "instrument", "side", "last_quantity", "last_price", "cumulative_quantity", "leaves_quantity"),
        *("text", "amends", "amended_quantity", "amended_price", "child", "child_status", "child_cumulative"),
    ),
)
FILLS = Table(
    "fills",
    4,
    (
        *("session_id", "venue", "exec_id", "amends", "account", "event_time", "event_ns", "client_order_id"),
        *("instrument", "side", "quantity", "price", "cumulative_quantity", "leaves_quantity"),
    ),
)
CHILDREN = Table(
    "children",
    2,
    (
        *("session_id", "event_id", "account", "event_time", "event_ns", "client_order_id", "parent", "venue"),
        *("instrument", "side", "quantity", "order_type", "limit_price", "reason"),
    ),
)
COMMANDS = Table(
    "commands",
    2,
    (
        *("session_id", "event_id", "account", "event_time", "event_ns", "command", "scope", "operator", "reason"),
        "signature",
    ),
)
RISK_UPDATES = Table(
    "risk_updates",
    2,
    (
        *("session_id", "event_id", "account", "event_time", "event_ns", "as_of_ns", "var", "es", "instruments"),
        *("es_per_lot", "method", "confidence", "scenarios", "deviation_per_lot", "volume_per_day", "pairs"),
        *("pair_es", "pair_incremental", "gross", "net", "leverage", "beta", "liquidity_s", "stress", "stress_loss"),
        *("days", "exceptions", "zone", "position_sequence"),
    ),
)
REJECTS = Table(
    "rejects",
    6,
    (
        *("session_id", "venue", "feed_session", "frame", "instrument", "reason", "frames", "detail", "event_time"),
        *("raw_topic", "raw_partition", "raw_offset", "payload"),
    ),
)

TABLES = (TICKS, BOOKS, SPREADS, BARS, SIGNALS, ORDERS, REPORTS, FILLS, CHILDREN, COMMANDS, RISK_UPDATES, REJECTS)
"""All that hold events."""
