"""A bound signal as the INSERT that a job runs: its rows become TradingEvents of kind signal."""

from pipelines.signals.signal_file import BoundSignal
from pipelines.signals.tables import SINK

ROW = (
    *(("pair", "STRING"), ("action", "STRING")),
    *((name, "DOUBLE") for name in ("z", "spread", "beta", "mid_a", "mid_b")),
    *(("shard", "INT"), ("first_sequence", "BIGINT"), ("last_sequence", "BIGINT")),
)
"""What the body of a signal gives, besides `event_time_ns`: helios.trading.Signal after name and version."""


def insert_signals(signal: BoundSignal, account: str) -> str:
    """INSERT INTO trading_events; the event_id is that of `domain.identity.signal_id`, tests hold."""
    name, version = _text(signal.name), _text(signal.version)
    row = ", ".join(f"CAST(`{column}` AS {kind})" for column, kind in ROW)
    return f"""INSERT INTO {SINK} (event_id, kind, account, event_time_ms, event_time_ns, signal, kafka_time)
SELECT
  CONCAT('signal/', {name}, '/', {version}, '/', pair, '/', CAST(last_sequence AS STRING), '/', `action`),
  'signal', {_text(account)}, event_time_ns / 1000000, event_time_ns,
  ROW({name}, {version}, {row}),
  TO_TIMESTAMP_LTZ(event_time_ns / 1000000, 3)
FROM (
{signal.sql}
)"""


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
