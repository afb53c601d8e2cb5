"""Flink's plan of a signal, and a bound of the state that each step of it comes to keep.

A step keeps something for each of its keys: that is bounded where the keys are names of the strategy (`FINITE`), and
what is kept of one is a row, a number, or the rows of a stretch of time. A signal with a step that is not bounded is
refused, unless its header says `state: forever`.
"""

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipelines.signals.actions import check_actions
from pipelines.signals.planner import REFUSED, columns, refusal, word_of
from pipelines.signals.signal_file import FOREVER, BoundSignal, SignalError
from pipelines.signals.sources import VIEWS
from pipelines.signals.statement import IDENTIFIED, identified_rows
from pipelines.signals.tables import declare_views
from pipelines.signals.views import inner_names

FINITE = frozenset({"pair", "shard", "instrument", "venue", "account", "action", "kind"})
"""Columns that have as many values as the strategy has names."""

STATELESS = frozenset(
    {"table-source-scan", "calc", "watermark-assigner", "exchange", "union", "correlate", "sink", "expand", "values"}
)

_SHOWN = 300
_KEYS = re.compile(r"(?:partitionBy|groupBy|key)=\[([^\]]*)\]")
_RANGE = re.compile(r"window=\[ (ROWS|RANGE) BETWEEN (\S+) PRECEDING")
_JOIN_BOUNDS = re.compile(r"leftLowerBound=(-?\d+), leftUpperBound=(-?\d+)")
_WINDOW = re.compile(r"window=\[(\w+\([^)]*\))")


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the plan that keeps state: what, and whether that is bounded."""

    step: str
    keeps: str
    bounded: bool


@dataclass(frozen=True, slots=True)
class Explained:
    """`plan`: a line a step, with the steps that it reads from; `steps`: those that keep state."""

    signal: str
    version: str
    plan: str
    steps: tuple[Step, ...]


def explain_signal(t_env: Any, signal: BoundSignal) -> Explained:
    """Plan a signal; nothing runs. Raises SignalError for what the planner refuses, for inputs that the header does not
    name as they are, for actions that there are not, and for state without a bound."""
    check_inputs(signal)
    plan = _plan(t_env, signal)
    check_actions(signal, plan)
    return Explained(signal.name, signal.version, _drawn(plan), check_state(signal, plan))


def check_state(signal: BoundSignal, plan: Mapping[str, Any]) -> tuple[Step, ...]:
    """The steps of a signal's plan that keep state. SignalError where one has no bound, and the signal says nothing."""
    steps = tuple(step for node in plan["nodes"] if (step := _step(node)) is not None)
    endless = next((step for step in steps if not step.bounded), None)
    if endless is not None and not signal.forever:
        raise SignalError(
            f"{signal.place_of(word_of(endless.step))}: state without an end: {endless.step} keeps {endless.keeps}: "
            f"bound it in time (a window, WITHIN, BETWEEN of event times), or write `-- state: {FOREVER}` in the header"
        )
    return steps


def check_inputs(signal: BoundSignal) -> None:
    """The header's inputs are the views that the text names. SignalError where they are not."""
    read = sorted(signal.tables & VIEWS.keys())
    inner = min(signal.tables & inner_names(), default="")
    if inner:
        raise SignalError(f"{signal.place_of(inner)}: {inner} is not for signals to read: there are {', '.join(VIEWS)}")
    if signal.inputs and sorted(set(signal.inputs)) != read:
        raise SignalError(
            f"{signal.path}:{signal.inputs_line}: inputs: {', '.join(signal.inputs)}: the text reads "
            f"{', '.join(read) or 'none'}: write that"
        )


def _plan(t_env: Any, signal: BoundSignal) -> dict[str, Any]:
    """The compiled plan as a JSON document. The tables that it is planned over are in a database of its own."""
    database = t_env.get_current_database()
    name = f"plan_{signal.version}"
    t_env.execute_sql(f"CREATE DATABASE IF NOT EXISTS `{name}`")
    t_env.use_database(name)
    try:
        with tempfile.TemporaryDirectory() as folder:
            declare_views(t_env, Path(folder), signal.tables)
            given = ", ".join(f"`{column}` {kind}" for column, kind in IDENTIFIED.items())
            t_env.execute_sql(
                f"CREATE TABLE given ({given}) WITH ('connector' = 'filesystem', 'format' = 'json', "
                f"'path' = '{Path(folder).as_uri()}/given')"
            )
            insert = f"INSERT INTO given {identified_rows(signal, columns(t_env, signal))}"
            try:
                compiled = t_env.compile_plan_sql(insert)
                compiled.explain()  # makes operators of it: some faults are found only then
                plan: dict[str, Any] = json.loads(compiled.as_json_string())
            except REFUSED as error:
                raise refusal(signal, error, t_env.list_functions()) from None
            return plan
    finally:
        t_env.use_database(database)
        t_env.execute_sql(f"DROP DATABASE `{name}` CASCADE")


def _drawn(plan: Mapping[str, Any]) -> str:
    first = min(node["id"] for node in plan["nodes"])
    inputs: dict[int, list[str]] = {}
    for edge in plan["edges"]:
        inputs.setdefault(edge["target"], []).append(str(edge["source"] - first + 1))
    lines = []
    for node in plan["nodes"]:
        text = node["description"]
        text = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]} …"
        source = f"  <- {', '.join(inputs[node['id']])}" if node["id"] in inputs else ""
        lines.append(f"{node['id'] - first + 1:>3} {text}{source}")
    return "\n".join(lines)


def _step(node: Mapping[str, Any]) -> Step | None:
    kind = re.sub(r"^stream-exec-|_\d+$", "", node["type"])
    if kind in STATELESS:
        return None
    text = node["description"]
    found = _KEYS.search(text)
    keys = [key.strip() for key in found[1].split(",") if key.strip()] if found else []
    name = text.partition("(")[0] + (f" by {', '.join(keys)}" if keys else "")
    of_each = " and ".join(keys)
    keep = _KEEPS.get(kind)
    if keep is None:
        return Step(name, "state of a kind that is not known", bounded=False)
    what, bounded = keep(node)
    if not set(keys) <= FINITE:
        return Step(name, f"{what} for every {of_each} that there will ever be", bounded=False)
    return Step(name, f"{what} for each {of_each}" if keys else what, bounded)


def _of_over(node: Mapping[str, Any]) -> tuple[str, bool]:
    found = _RANGE.search(node["description"])
    if found is None or found[2] == "UNBOUNDED":
        return "a running value", True
    if found[1] == "ROWS":
        return f"{int(found[2]) + 1} rows", True
    return f"the rows of {_time(int(found[2]))}", True


def _of_match(node: Mapping[str, Any]) -> tuple[str, bool]:
    interval = node["matchSpec"]["interval"]
    if interval is not None:
        return f"the rows of a match begun, of {_time(int(interval['value']))} at most", True
    if re.search(r"PATTERN_QUANTIFIER\([^)]*, -1,", node["description"]):
        return "the rows of a match begun, which has no WITHIN", False
    return "as many rows as the pattern has", True


def _of_interval_join(node: Mapping[str, Any]) -> tuple[str, bool]:
    found = _JOIN_BOUNDS.search(node["description"])
    span = f" of {_time(int(found[2]) - int(found[1]))}" if found else ""
    return f"the rows{span} of both sides", True


def _of_window(node: Mapping[str, Any]) -> tuple[str, bool]:
    found = _WINDOW.search(node["description"])
    return f"a row of each open window{f', {found[1]}' if found else ''}", True


def _time(milliseconds: int) -> str:
    for size, name in ((86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second")):
        if milliseconds >= size and milliseconds % size == 0:
            count = milliseconds // size
            return f"{count} {name}{'s' if count > 1 else ''}"
    return f"{milliseconds} ms"


_KEEPS: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, bool]]] = MappingProxyType(
    {
        "over-aggregate": _of_over,
        "match": _of_match,
        "interval-join": _of_interval_join,
        "local-window-aggregate": _of_window,
        "global-window-aggregate": _of_window,
        "window-aggregate": _of_window,
        "temporal-join": lambda node: ("the rows that wait for time, and the newest row of the other side", True),
        "window-join": lambda node: ("the rows of each open window of both sides", True),
        "window-deduplicate": lambda node: ("a row of each open window", True),
        "window-rank": lambda node: ("rows of each open window", True),
        "temporal-sort": lambda node: ("the rows of the last instant", True),
        "deduplicate": lambda node: ("a row", True),
        "rank": lambda node: ("as many rows as are ranked", True),
        "group-aggregate": lambda node: ("a running value", True),
        "join": lambda node: ("every row of both sides", False),
    }
)
"""What is kept for one key, by kind of step, and whether that has an end."""
