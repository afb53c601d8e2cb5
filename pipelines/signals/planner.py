"""What Flink's planner says of a signal, told at the place in its file."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
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
_WORDS = {"Match": "MATCH_RECOGNIZE", "Join": "JOIN", "GroupAggregate": "GROUP"}
_WORDS |= dict.fromkeys(("OverAggregate", "Deduplicate", "Rank"), "OVER")
_UNKNOWN_FUNCTION = re.compile(r"No match found for function signature (\w+)\(")
_TYPES = re.compile(r"Cannot apply '[^']*' to arguments of type")
_SYNTAX = re.compile(r'(?P<met>Encountered "(?P<word>[^"]*)")(?P<wanted>.*)', re.DOTALL)


def columns(t_env: Any, signal: BoundSignal) -> tuple[str, ...]:
    """The columns that the body of a signal gives, by the real planner; nothing runs.

    Raises SignalError at file, line and column for what the planner refuses, and for columns that a signal must give.
    """
    try:
        given = tuple(t_env.sql_query(signal.sql).get_resolved_schema().get_column_names())
    except REFUSED as error:
        raise refusal(signal, error, t_env.list_functions()) from None
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


def refusal(signal: BoundSignal, error: Exception, functions: Sequence[str] = ()) -> SignalError:
    """What the planner said, one of `REFUSED`, in one line with the place in the signal's file, and the way out.

    `functions`: the names of those that there are.
    """
    messages = _messages(error)
    text = next((message for message in messages if _PLACE.search(message)), messages[-1])
    place = _PLACE.search(text)
    where = f"{signal.path}:{signal.first_line + int(place[1]) - 1}:{place[2]}" if place else ""
    said = (text[: place.start()] + text[place.end() :]) if place else text
    updating = _UPDATING.search(said)
    if updating:
        where = where or signal.place_of(word_of(updating[1]))
        over = "order by event_time" if updating[1] == "OverAggregate" else "aggregate over a window"
        said = f"{updating[1]} changes rows that it has given, and a signal is given once: {over}"
    said = said.replace("SQL validation failed.", "").replace("SQL parse failed.", "")
    hint = _hint(signal, said, functions)
    shown = re.split(r"\s+Was expecting|\.?\s*Supported form\(s\)", said, maxsplit=1)[0]
    where = where or signal.place_of("ORDER" if _NOT_IN_TIME.search(said) else "SELECT")
    return SignalError(f"{where}: {' '.join(shown.split()).rstrip('.')}{hint}")


def word_of(step: str) -> str:
    """The word of a text that makes a step of its plan, by the step's name."""
    return _WORDS.get(step.partition(" ")[0], "SELECT")


def _hint(signal: BoundSignal, said: str, functions: Sequence[str]) -> str:
    """The way out of what the planner said, after a colon; empty where none is known."""
    if column := _UNKNOWN_COLUMN.search(said):
        return _of_column(signal, column[1])
    if table := _UNKNOWN_TABLE.search(said):
        return f": {nearest(table[1], tuple(VIEWS), 'there are')}"
    if function := _UNKNOWN_FUNCTION.search(said):
        if function[1].lower() in functions:
            return f": {function[1]} takes arguments of other types: CAST them"
        near = get_close_matches(function[1].lower(), functions, 1)
        return f": did you mean {near[0].upper()}?" if near else ": see Flink's built-in functions"
    if _TYPES.search(said):
        return ": CAST one side to the type of the other, or compare what is of one type"
    if _NOT_IN_TIME.search(said):
        return ": order by event_time as a view has it: no other column, and nothing made of it, has a watermark"
    if syntax := _SYNTAX.search(said):
        if syntax["word"] == "<EOF>":
            return ": the text ends too early: close what is open, a bracket or a quote"
        near = get_close_matches(syntax["word"].upper(), re.findall(r'"(\w+)"', syntax["wanted"]), 1)
        return (
            f": did you mean {near[0]}?"
            if near
            else ": look before it for a comma, bracket or word too many or too few"
        )
    return ""


def _of_column(signal: BoundSignal, column: str) -> str:
    read = [view for view in VIEWS if view in signal.tables]
    known = dict.fromkeys(name for view in read for name in columns_of(view))
    if column in known:
        return ": the part of the text that it stands in does not give it: add it to the SELECT within"
    others = [view for view in VIEWS if column in columns_of(view)]
    if others:
        return (
            f": {', '.join(others)} {'have' if len(others) > 1 else 'has'} it, {', '.join(read) or 'no view here'} not"
        )
    return f": {nearest(column, tuple(known), 'the views have')}"


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
