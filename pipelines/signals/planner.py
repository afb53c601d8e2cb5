"""What Flink's planner says of a signal, told at the place in its file."""

import re
from typing import Any

from py4j.protocol import Py4JJavaError
from pyflink.util.exceptions import JavaException

from pipelines.signals.signal_file import BoundSignal, SignalError, nearest
from pipelines.signals.sources import VIEWS, columns_of, numbers_of
from pipelines.signals.statement import SEQUENCES, needed, of_several_logs

REFUSED = (Py4JJavaError, JavaException)
"""What calls of the planner raise."""

_PLACE = re.compile(r"(?:From|at) line (\d+), column (\d+)(?: to line \d+, column \d+)?\.?:?\s*")
_UNKNOWN_COLUMN = re.compile(r"Column '([^']+)' not found")
_UPDATING = re.compile(r"consuming update (?:and delete )?changes which is produced by node (\w+)")
_NOT_IN_TIME = re.compile(r"time attribute|rowtime or proctime|rowtime attribute", re.IGNORECASE)
_UNKNOWN_TABLE = re.compile(r"Object '([^']+)' not found")


def columns(t_env: Any, signal: BoundSignal) -> tuple[str, ...]:
    """The columns that the body of a signal gives, by the real planner; nothing runs.

    Raises SignalError at file, line and column for what the planner refuses, and for columns that a signal must give.
    """
    try:
        given = tuple(t_env.sql_query(signal.sql).get_resolved_schema().get_column_names())
    except REFUSED as error:
        raise refusal(signal, error) from None
    missing = [" or ".join(names) for names in needed(signal) if not set(names) & set(given)]
    if missing:
        raise SignalError(
            f"{signal.path}:{signal.first_line}: signal {signal.name} gives no column {', '.join(missing)}: "
            f"add it to the SELECT, which gives {', '.join(given)}"
        )
    uncounted = " and ".join(name for name in SEQUENCES if name in given)
    if uncounted and of_several_logs(signal):
        raise SignalError(
            f"{signal.path}:{signal.first_line}: {uncounted} of a signal that reads logs of several counts"
            f" ({', '.join(numbers_of(signal.tables))}): leave it out, it is then the event time in ns"
        )
    return given


def refusal(signal: BoundSignal, error: Exception) -> SignalError:
    """What the planner said, one of `REFUSED`, in one line with the place in the signal's file."""
    messages = _messages(error)
    text = next((message for message in messages if _PLACE.search(message)), messages[-1])
    place = _PLACE.search(text)
    line = signal.first_line + (int(place[1]) - 1 if place else 0)
    column = f":{place[2]}" if place else ""
    said = (text[: place.start()] + text[place.end() :]) if place else text
    updating = _UPDATING.search(said)
    if updating:
        over = "order by event_time" if updating[1] == "OverAggregate" else "aggregate over a window"
        said = f"{updating[1]} changes rows that it has given, and a signal is given once: {over}"
    said = said.replace("SQL validation failed.", "").replace("SQL parse failed.", "").split("\nWas expecting")[0]
    return SignalError(f"{signal.path}:{line}{column}: {' '.join(said.split()).rstrip('.')}{_hint(signal, said)}")


def _hint(signal: BoundSignal, said: str) -> str:
    column, table = _UNKNOWN_COLUMN.search(said), _UNKNOWN_TABLE.search(said)
    if column:
        known = dict.fromkeys(name for view in VIEWS if view in signal.tables for name in columns_of(view))
        return "" if column[1] in known else f": {nearest(column[1], tuple(known), 'the views have')}"
    if table:
        return f": {nearest(table[1], tuple(VIEWS), 'there are')}"
    if _NOT_IN_TIME.search(said):
        return ": order by event_time as a view has it: no other column, and nothing made of it, has a watermark"
    return ""


def _messages(error: Exception) -> list[str]:
    """What an error and its causes say, the outermost first."""
    if isinstance(error, JavaException):  # some of Java's exceptions come as text alone
        return [line.partition("Exception: ")[2] for line in str(error).splitlines() if "Exception: " in line]
    found: list[str] = []
    java: Any = getattr(error, "java_exception", None)
    while java is not None:
        found.append(str(java.getMessage() or java.toString()))
        java = java.getCause()
    return found
