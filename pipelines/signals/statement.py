"""A bound signal as the INSERT that a job runs: its rows become TradingEvents of kind signal."""

from collections.abc import Sequence

from pipelines.signals.signal_file import BoundSignal
from pipelines.signals.sources import numbers_of
from pipelines.signals.tables import ROUTED, SINK

ROW = {
    "pair": "STRING",
    "action": "STRING",
    **dict.fromkeys(("z", "spread", "beta", "mid_a", "mid_b"), "DOUBLE"),
    "shard": "INT",
    "first_sequence": "BIGINT",
    "last_sequence": "BIGINT",
}
"""The columns of helios.trading.Signal after name and version, and their types."""

TIMED = {"event_time_ns": "BIGINT"} | ROW
"""The columns of `signal_rows`."""

IDENTIFIED = {"event_id": "STRING"} | TIMED
"""The columns of `identified_rows`."""

EVENT_TIME_NS = (
    "(CAST(1000 AS BIGINT) * TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 3), event_time)"
    " + EXTRACT(MILLISECOND FROM event_time)) * 1000000"
)
SEQUENCES = ("first_sequence", "last_sequence")


def needed(signal: BoundSignal) -> tuple[tuple[str, ...], ...]:
    """What the body of a signal must give: of each of these, one."""
    filled = {"spread", *(SEQUENCES if of_several_logs(signal) else SEQUENCES[:1])}
    return (("event_time", "event_time_ns"), *((name,) for name in ROW if name not in filled))


def of_several_logs(signal: BoundSignal) -> bool:
    """Whether it reads logs that are numbered each by itself.

    The trader takes a signal only if its `last_sequence` is above that of the one before: of two counts, the higher
    would mask the other, and two events might have one id. So the sequence of such a signal is its event time in ns.
    """
    return len(numbers_of(signal.tables)) > 1


def _filled(signal: BoundSignal, columns: Sequence[str]) -> dict[str, str]:
    """What a signal may leave out, and what it is then."""
    time_ns = "event_time_ns" if "event_time_ns" in columns else EVENT_TIME_NS
    last = time_ns if of_several_logs(signal) else "last_sequence"
    sequences = dict.fromkeys(SEQUENCES, last)
    return {"event_time_ns": EVENT_TIME_NS, "spread": "mid_a - beta * mid_b", **sequences}


def signal_rows(signal: BoundSignal, columns: Sequence[str]) -> str:
    """A SELECT of every column of `TIMED`. `columns`: what the body gives, at least what is `needed`."""
    filled = _filled(signal, columns)
    told = [f"CAST({f'`{name}`' if name in columns else filled[name]} AS {TIMED[name]}) AS `{name}`" for name in TIMED]
    return f"SELECT {', '.join(told)} FROM (\n{signal.sql}\n)"


def identified_rows(signal: BoundSignal, columns: Sequence[str]) -> str:
    """`signal_rows` with the event id of each."""
    return f"SELECT {event_id_sql(signal)} AS event_id, * FROM ({signal_rows(signal, columns)})"


def insert_signals(signal: BoundSignal, account: str, columns: Sequence[str], route: str = "") -> str:
    """INSERT INTO trading_events. Event ids are those of `domain.identity.signal_id`; a test holds the two together.

    `route`: of `event_time_ns`, the topic that a row goes to, in SQL; then the sink is the one of several topics.
    """
    name, version = _text(signal.name), _text(signal.version)
    sink, topic, routed = (ROUTED, ", topic", f",\n  {route}") if route else (SINK, "", "")
    return f"""INSERT INTO {sink} (event_id, kind, account, event_time_ms, event_time_ns, signal, kafka_time{topic})
SELECT
  {event_id_sql(signal)},
  'signal', {_text(account)}, event_time_ns / 1000000, event_time_ns,
  ROW({name}, {version}, {", ".join(f"`{column}`" for column in ROW)}),
  TO_TIMESTAMP_LTZ(event_time_ns / 1000000, 3){routed}
FROM ({signal_rows(signal, columns)})"""


def event_id_sql(signal: BoundSignal) -> str:
    """The id of a row of `signal_rows`, in SQL."""
    parts = ["'signal'", _text(signal.name), _text(signal.version), "pair", "CAST(last_sequence AS STRING)", "`action`"]
    return f"CONCAT({', '.join(parts[:1] + [each for part in parts[1:] for each in (_text('/'), part)])})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
