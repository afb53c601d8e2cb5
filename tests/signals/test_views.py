"""The views over rows in files: what of each log a signal sees, each row once, and the documents that say so."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infra.settings import ROOT
from pipelines.contracts.topics import RECORDS
from pipelines.operators.flink import environment
from pipelines.signals.case_rows import Row, source_lines
from pipelines.signals.sources import SOURCES, VIEWS, columns_of, numbers_of, sources_of
from pipelines.signals.tables import declare_views

ROWS: Mapping[str, list[Row]] = {
    "crossings": [
        {"pair": "A-B", "event_time": "10:00:00", "z": "2.1", "slope": "0.5", "flags": "3"},
        {"pair": "A-B", "event_time": "10:00:01", "z": "1.9"},
    ],
    "spreads": [{"pair": "A-B", "event_time": "10:00:01", "z": "1.5", "imbalance_a": "0.25", "flags": "1"}],
    "book_imbalance": [{"pair": "A-B", "event_time": "10:00:02", "z": "0.5", "imbalance_b": "-0.5"}],
    "bars": [{"instrument": "A", "event_time": "10:01:00", "close": "7", "trade_count": "3"}],
    "pair_bars": [{"pair": "A-B", "event_time": "10:01:00", "minutes": "30", "adf_t": "-1.5"}],
    "quotes": [{"instrument": "A", "event_time": "10:00:00.100", "bid": "6", "legs": "A-B:a C-A:b", "home": "false"}],
    "trades": [{"instrument": "A", "event_time": "10:00:00.200", "last": "7", "trade_count": "2"}],
    "sessions": [{"instrument": "A", "event_time": "10:00:00.300", "status": "halted", "status_time_ns": "5"}],
    "positions": [{"pair": "A-B", "event_time": "10:00:00", "stance": "long", "lots_a": "3", "lots_b": "-2"}],
}
SHOWN = {
    "crossings": ("pair", "z", "z_before", "slope", "flags", "sequence"),
    "spreads": ("pair", "z", "imbalance_a", "flags", "sequence"),
    "book_imbalance": ("pair", "z", "imbalance_b", "sequence"),
    "bars": ("instrument", "close", "trade_count", "start_ms", "sequence", "event_time_ns"),
    "pair_bars": ("pair", "minutes", "adf_t", "sequence"),
    "quotes": ("instrument", "bid", "legs", "home", "quote_count"),
    "trades": ("instrument", "last", "trade_count"),
    "sessions": ("instrument", "status", "status_time_ns"),
    "positions": ("account", "pair", "stance", "lots_a", "lots_b", "sequence"),
}
AT_MS = 1_767_607_200_000
"""10:00:00 of the cases' day."""


@pytest.fixture(scope="module")
def t_env() -> Any:
    made = environment()[1]
    made.get_config().set("pipeline.auto-watermark-interval", "0 ms")
    return made


@pytest.fixture(scope="module")
def seen(t_env: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Of each view what is `SHOWN`, cell by cell, all in one job: every log with heartbeats, and written twice."""
    folder = tmp_path_factory.mktemp("rows")
    for table, lines in logs().items():
        (folder / f"{table}.json").write_text("\n".join(lines) + "\n")
    declare_views(t_env, folder)
    selects = [
        f"SELECT '{view}', CONCAT_WS(' ', {', '.join(f'CAST(`{name}` AS STRING)' for name in names)}) FROM `{view}`"
        for view, names in SHOWN.items()
    ]
    found: dict[str, list[str]] = {view: [] for view in VIEWS}
    with t_env.sql_query(" UNION ALL ".join(selects)).execute().collect() as rows:
        for view, text in rows:
            found[view].append(text)
    return found


def logs() -> dict[str, list[str]]:
    """Lines of `ROWS` by table, each written twice and with a heartbeat after it."""
    made = source_lines({0: [(view, row) for view, rows in ROWS.items() for row in rows]})
    return {source.table: [*with_heartbeats(source.kind, made[source.table])] for source in SOURCES}


def with_heartbeats(kind: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        record = json.loads(line)
        yield line
        yield line
        if kind:
            yield json.dumps(record | {"kind": "heartbeat"})
        else:
            (rows,) = [name for name, value in record.items() if isinstance(value, list)]
            yield json.dumps(record | {rows: []})


def test_each_view_has_its_rows_of_the_log_once(seen: dict[str, list[str]]) -> None:
    assert seen["crossings"] == ["0#A-B 2.1 2.1 0.5 3 1", "0#A-B 1.9 2.1 1.0 0 2"]
    assert seen["spreads"] == ["0#A-B 1.5 0.25 1 3", "0#A-B 0.5 0.0 0 4"]
    assert seen["book_imbalance"] == ["0#A-B 1.5 0.0 3", "0#A-B 0.5 -0.5 4"]
    assert seen["pair_bars"] == ["0#A-B 30 -1.5 1"]
    assert seen["positions"] == ["0#desk 0#A-B long 3 -2 1"]


def test_a_bar_is_numbered_by_its_minute(seen: dict[str, list[str]]) -> None:
    assert seen["bars"] == [f"0#A 7.0 3 {AT_MS} {AT_MS // 60_000} {(AT_MS + 60_000) * 1_000_000}"]


def test_snapshots_are_seen_by_what_came_in_them(seen: dict[str, list[str]]) -> None:
    assert seen["quotes"] == ["0#A 6.0 [(0#A-B, a), (0#C-A, b)] FALSE 1"]
    assert seen["trades"] == ["0#A 7.0 2"]
    assert seen["sessions"] == ["0#A halted 5"]


def test_columns_are_those_of_the_table_of_sources(t_env: Any, seen: dict[str, list[str]]) -> None:
    for view in VIEWS:
        assert tuple(t_env.from_path(view).get_resolved_schema().get_column_names()) == columns_of(view)


@pytest.mark.parametrize("view", VIEWS)
def test_heartbeats_move_the_watermark_before_they_are_left_out(
    t_env: Any, seen: dict[str, list[str]], view: str
) -> None:
    """The plan is drawn from its end: what filters stands above what gives the watermark; the scan filters nothing."""
    plan = t_env.explain_sql(f"SELECT * FROM `{view}`").partition("Optimized Execution Plan")[2]
    assert "filter=[" not in plan
    if "kind" in plan.partition("TableSourceScan")[2]:
        assert plan.index("where=[(kind = ") < plan.index("WatermarkAssigner")


def test_logs_that_are_numbered_by_themselves_are_told_apart() -> None:
    assert numbers_of(["crossings", "spreads", "book_imbalance"]) == ("spreads",)
    assert numbers_of(["crossings", "pair_bars", "no view"]) == ("spreads", "pair_bars")
    assert [source.table for source in sources_of(["trades", "quotes"])] == ["market_snapshots"]
    assert {source.topic for source in SOURCES} < RECORDS.keys()


def test_the_document_has_every_view_with_its_columns() -> None:
    text = (ROOT / "docs" / "signals.md").read_text()
    for view in VIEWS.values():
        (row,) = re.findall(rf"^\| `{view.name}` \|.*$", text, re.MULTILINE)
        _, _, about, columns, _ = row.split("|")
        assert about.strip() == view.about
        assert tuple(re.findall(r"`(\w+)`", columns)) == view.columns
