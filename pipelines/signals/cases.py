"""Tests of a signal as rows in, rows out, in YAML beside it; the cases of all signals run as one bounded Flink job.

    - case: a spread that leaves its band and turns gives one signal
      parameters: {entry_z: 2.0}
      rows: |
        pair   | event_time   | z
        KO-PEP | 10:00:00     | 2.1
        KO-PEP | 10:00:01.500 | 1.9
      expect: |
        pair   | action      | z
        KO-PEP | enter_short | 1.9

Columns left out have defaults; `sequence` counts up, and `z_before` is the z of the pair's crossing before. A row of
kind `sample` is one of the view `spreads`. What is expected is compared by the columns that are written.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

from pipelines.signals.planner import columns
from pipelines.signals.signal_file import BoundSignal, SignalError, SignalFile
from pipelines.signals.statement import identified_rows
from pipelines.signals.tables import FILE_COLUMNS, SAMPLES, SOURCE, declare_views

DAY = datetime(2026, 1, 5, tzinfo=UTC)
DEFAULTS: Mapping[str, str | float] = {
    "kind": "crossing",
    "rung": 0,
    "z": 0.0,
    "spread": 0.0,
    "mean": 0.0,
    "std": 1.0,
    "beta": 1.0,
    "mid_a": 100.0,
    "mid_b": 100.0,
}
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: the rows of the log in its order, and the rows that should come of them."""

    name: str
    parameters: Mapping[str, object]
    rows: tuple[Row, ...]
    expect: tuple[Row, ...]


def load_cases(path: Path) -> list[Case]:
    """The cases of a file. SignalError names file and case."""
    try:
        listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SignalError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise SignalError(f"{path}: a list of cases expected, each with case, rows and expect")
    cases = []
    for number, each in enumerate(listed, 1):
        name = str(each.get("case", f"case {number}"))
        missing = [key for key in ("rows", "expect") if key not in each]
        if missing:
            raise SignalError(f"{path}: {name}: {' and '.join(missing)} missing")
        rows, expect = _table(path, name, each["rows"]), _table(path, name, each["expect"])
        cases.append(Case(name, each.get("parameters") or {}, rows, expect))
    return cases


def _table(path: Path, case: str, text: str | None) -> tuple[Row, ...]:
    lines = [[cell.strip() for cell in line.split("|")] for line in (text or "").splitlines() if line.strip()]
    for cells in lines:
        if len(cells) != len(lines[0]):
            raise SignalError(
                f"{path}: {case}: a row of {len(cells)} cells under {len(lines[0])} columns: {' | '.join(cells)}"
            )
    return tuple(dict(zip(lines[0], cells, strict=True)) for cells in lines[1:])


def time_ns(text: str) -> int:
    """`10:00:00.250` of the cases' day, UTC ns."""
    hours, minutes, seconds = text.split(":")
    whole, _, part = seconds.partition(".")
    since = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
    return (int(DAY.timestamp()) + since) * 1_000_000_000 + int((part or "0").ljust(9, "0"))


def source_lines(cases: Mapping[int, Case]) -> dict[str, list[str]]:
    """The rows of cases as JSON, by table and event time; those of a case in their order. Its number is its shard."""
    lines: dict[str, list[tuple[int, int, str]]] = {table: [] for table in FILE_COLUMNS}
    for shard, case in cases.items():
        reached = 0
        crossed: dict[str, str] = {}
        for number, row in enumerate(case.rows, 1):
            at_ns = time_ns(row["event_time"])
            reached = max(reached, at_ns)
            pair = row["pair"]
            z_before = crossed.get(pair, row.get("z", "0"))
            spread = {**DEFAULTS, "sequence": number, "z_before": z_before, **row, "pair": f"{shard}#{pair}"}
            told: dict[str, object] = {"shard": shard, "sequence": spread.pop("sequence")}
            told |= {"event_time_ms": at_ns // 1_000_000, "event_time_ns": at_ns}
            del spread["event_time"]
            if spread["kind"] == "crossing":
                crossed[pair] = row.get("z", "0")
                lines[SOURCE].append((reached, shard, json.dumps(told | spread)))
            else:
                lines[SAMPLES].append((reached, shard, json.dumps(told | {"samples": [spread]})))
    return {table: [line for _, _, line in sorted(its, key=lambda line: line[:2])] for table, its in lines.items()}


def run_cases(
    t_env: Any, signals: Sequence[tuple[SignalFile, Sequence[Case]]], folder: Path
) -> list[list[tuple[Row, ...]]]:
    """What each signal gives for each of its cases, by event time and sequence, all in one job.

    `t_env`: a streaming environment; `folder`: for the rows. SignalError where the planner refuses a signal. Rows have
    the columns of `statement.ROW`, `event_time_ns` and `event_id`.
    """
    cases = [case for _, its_cases in signals for case in its_cases]
    bound = [file.bound(case.parameters, case.name) for file, its_cases in signals for case in its_cases]
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
            found[int(shard)].append(values | {"pair": pair})
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
    for table, lines in source_lines(mine).items():
        (rows_in / f"{table}.json").write_text("\n".join(lines) + "\n")
    declare_views(t_env, rows_in)
    return t_env.sql_query(identified_rows(signal, columns(t_env, signal)))


def _place_in_time(row: Row) -> tuple[int, int, str]:
    return int(row["event_time_ns"]), int(row["last_sequence"]), row["action"]


def seen(case: Case, rows: Sequence[Row]) -> list[Row]:
    """The rows found, by the columns that are expected."""
    columns = list(case.expect[0]) if case.expect else ["pair", "action", "z", "last_sequence"]
    return [{name: row[name] for name in columns} for row in rows]


def matches(found: Sequence[Row], expect: Sequence[Row]) -> bool:
    """Whether the rows found are those expected, by the columns that these have."""
    if len(found) != len(expect):
        return False
    return all(
        _same(row[name], text) for row, wanted in zip(found, expect, strict=True) for name, text in wanted.items()
    )


def _same(found: str, wanted: str) -> bool:
    try:
        return abs(float(found) - float(wanted)) < 1e-9
    except ValueError:
        return found == wanted
