"""The cases of signals, run: all of them as one bounded Flink job on a cluster of this process."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from pipelines.signals.case_file import Case
from pipelines.signals.case_rows import DAY, Row, source_lines, time_ns
from pipelines.signals.planner import columns
from pipelines.signals.signal_file import BoundSignal, SignalFile
from pipelines.signals.statement import identified_rows
from pipelines.signals.tables import declare_views


def run_cases(
    t_env: Any, signals: Sequence[tuple[SignalFile, Sequence[Case]]], folder: Path
) -> list[list[tuple[Row, ...]]]:
    """What each signal gives for each of its cases, by event time and sequence, all in one job.

    `t_env`: a streaming environment; `folder`: for the rows. SignalError where the planner refuses a signal. Rows have
    the columns of `statement.TIMED`, `event_time` and `event_id`.
    """
    cases = [case for _, its_cases in signals for case in its_cases]
    bound = [file.bound(case.parameters, case.place or case.name) for file, its_cases in signals for case in its_cases]
    t_env.get_config().set("pipeline.auto-watermark-interval", "0 ms")  # one after every row: lateness is not chance
    t_env.get_config().set("table.local-time-zone", "UTC")
    database = t_env.get_current_database()
    try:
        tables = [_signals_of(t_env, each, bound, cases, folder) for each in dict.fromkeys(bound)]
    finally:
        t_env.use_database(database)
    table = reduce(lambda left, right: left.union_all(right), tables)
    names = table.get_resolved_schema().get_column_names()
    found: list[list[Row]] = [[] for _ in cases]
    with table.execute().collect() as rows:
        for row in rows:
            values = {name: str(value) for name, value in zip(names, row, strict=True)}
            shard, _, pair = values["pair"].partition("#")
            found[int(shard)].append(values | {"pair": pair, "event_time": _time(int(values["event_time_ns"]))})
    ordered = iter([tuple(sorted(each, key=_place_in_time)) for each in found])
    return [[next(ordered) for _ in its_cases] for _, its_cases in signals]


def _signals_of(
    t_env: Any, signal: BoundSignal, bound: Sequence[BoundSignal], cases: Sequence[Case], folder: Path
) -> Any:
    """What a signal gives for those of the cases that bind it. Its tables are in a database of its own.

    Over the same table Flink would take two patterns that differ in WITHIN alone for one, and run the first.
    """
    mine = {number: case for number, case in enumerate(cases) if bound[number] == signal}
    t_env.execute_sql(f"CREATE DATABASE IF NOT EXISTS `{signal.version}`")
    t_env.use_database(signal.version)
    rows_in = folder / signal.version
    rows_in.mkdir(exist_ok=True)
    for table, lines in source_lines({number: case.rows for number, case in mine.items()}).items():
        (rows_in / f"{table}.json").write_text("\n".join(lines) + "\n")
    declare_views(t_env, rows_in, signal.tables)
    return t_env.sql_query(identified_rows(signal, columns(t_env, signal)))


def _place_in_time(row: Row) -> tuple[int, int, str]:
    return int(row["event_time_ns"]), int(row["last_sequence"]), row["action"]


def _time(at_ns: int) -> str:
    """As a case has it."""
    seconds, part = divmod(at_ns - int(DAY.timestamp()) * 1_000_000_000, 1_000_000_000)
    told = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{told}.{part:09}".rstrip("0") if part else told


def seen(case: Case, rows: Sequence[Row]) -> list[Row]:
    """The rows found, by the columns that are expected."""
    columns = list(case.expect[0]) if case.expect else ["pair", "action", "event_time", "z", "last_sequence"]
    return [{name: row[name] for name in columns} for row in rows]


def matches(found: Sequence[Row], expect: Sequence[Row]) -> bool:
    """Whether the rows found are those expected, by the columns that these have."""
    if len(found) != len(expect):
        return False
    return all(
        _same(name, row[name], text) for row, wanted in zip(found, expect, strict=True) for name, text in wanted.items()
    )


def _same(name: str, found: str, wanted: str) -> bool:
    if name == "event_time":
        return time_ns(found) == time_ns(wanted)
    try:
        return abs(float(found) - float(wanted)) < 1e-9
    except ValueError:
        return found == wanted
