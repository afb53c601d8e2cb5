"""A signal's compiled plan: a text that a job is made of, the same for the same signal, in which the window is open.

Flink numbers the steps in it, and their state hangs on those numbers; so a job goes on from a savepoint as long as its
plan is kept. Where a version is live is two constants of a step without state, the last before the sink: a plan with
other constants in their place takes the same savepoint.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipelines.contracts.topics import Topics
from pipelines.signals.deployment import Window
from pipelines.signals.explained import check_inputs, check_state
from pipelines.signals.planner import REFUSED, columns, refusal
from pipelines.signals.signal_file import BoundSignal
from pipelines.signals.statement import insert_signals

FROM, UNTIL = 8_000_000_000_000_000_001, 8_000_000_000_000_000_002
"""Stand in a kept plan for the ends of the window: event times of the year 2223, which no log has."""


def route(topics: Topics) -> str:
    """The topic of a signal by its event time, in SQL. Not as a range: the planner would fold it, and refuse one that
    is empty."""
    return (
        f"CASE WHEN event_time_ns < CAST({FROM} AS BIGINT) THEN '{topics.shadow}' "
        f"WHEN event_time_ns < CAST({UNTIL} AS BIGINT) THEN '{topics.events}' ELSE '{topics.shadow}' END"
    )


def compile_signal(t_env: Any, signal: BoundSignal, account: str, topics: Topics) -> str:
    """The plan of a signal over the tables of `Wires`, its window open. `t_env`: a fresh one, that numbers from one.

    Raises SignalError for what the planner refuses, and for state without a bound.
    """
    check_inputs(signal)
    insert = insert_signals(signal, account, columns(t_env, signal), route(topics))
    try:
        text = str(t_env.compile_plan_sql(insert).as_json_string())
    except REFUSED as error:
        raise refusal(signal, error) from None
    check_state(signal, json.loads(text))
    return text


def windowed(plan: str, window: Window) -> str:
    """The plan with its window closed: what Flink runs."""
    return plan.replace(str(FROM), str(window.from_ns)).replace(str(UNTIL), str(window.until_ns))


def topics_read(plan: str) -> set[str]:
    """The topics that a plan reads."""
    return {
        topic
        for node in json.loads(plan)["nodes"]
        if "scanTableSource" in node
        for options in _options(node["scanTableSource"])
        for topic in options.get("topic", "").split(";")
        if topic
    }


def _options(told: Any) -> Iterator[Mapping[str, str]]:
    if isinstance(told, dict):
        if isinstance(told.get("options"), dict):
            yield told["options"]
        for value in told.values():
            yield from _options(value)
