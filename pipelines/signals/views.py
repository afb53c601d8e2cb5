"""The SQL of the views: each row of a log once, heartbeats left out, arrays opened."""

from collections.abc import Collection

from pipelines.contracts.ddl import EVENT_TIME, column_types
from pipelines.signals.sources import SOURCES, Source, View, sources_of

BY_ARRIVAL, BY_TIME = "PROCTIME()", "event_time"
"""How the rows of a log are ordered."""


def view_queries(
    source: Source, names: Collection[str] | None = None, on_stream: bool = False, order: str = BY_ARRIVAL
) -> dict[str, str]:
    """Name -> SELECT of the views over a source's table, in an order in which each may stand on those before it.

    `names`: of the views that signals read, those that are wanted, and what they stand on; all if left out.
    `on_stream`: rows come from an operator of the same job. A job restores all of its operators to one point, so none
    comes twice there, and nothing has to wait for a watermark to be told from its copy.
    """
    once = f"{source.table}_once"
    fields = [name for name in column_types(source.record, source.fields) if name != "kind"]
    heartbeats = f" WHERE kind = '{source.kind}'" if source.kind else ""
    columns = ", ".join(f"`{name}`" for name in (*fields, EVENT_TIME))
    wanted = [view for view in source.views if names is None or view.name in names]
    rows = f"{source.table}{heartbeats}"
    each_once = {once: f"SELECT {columns} FROM {rows}"}
    return {
        **(each_once if on_stream else rows_once(once, rows, columns, source.key, source.number, order)),
        **{view.name: _query(source, view, once) for view in wanted},
    }


def rows_once(name: str, source: str, columns: str, key: str, number: str, order: str) -> dict[str, str]:
    """Views that give each row of a log once, the second of which is `name`.

    The log may hold a stretch of it twice, after a kill. A row is new if its number is above all of its key before it.
    Flink's windows end at the current row, so this takes two steps: those that reach the running maximum, then, as
    these never fall, those that differ from the row before. ROWS throughout: RANGE, and so LAG, lumps rows of one time
    together. `order`: of arrival, which is that of the log, as a key lies in one partition; by event time each row
    would wait for a timer at each step, half the cost of a signals job. State: two numbers a key.
    """
    return {
        f"{name}_reached": f"""
        SELECT {columns}, arrival FROM (
          SELECT {columns}, arrival, MAX(`{number}`) OVER (
            PARTITION BY `{key}` ORDER BY arrival ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS highest
          FROM (SELECT {columns}, {order} AS arrival FROM {source})
        ) WHERE `{number}` = highest""",
        name: f"""
        SELECT {columns} FROM (
          SELECT {columns}, MIN(`{number}`) OVER last_two AS before, COUNT(*) OVER last_two AS rows_there
          FROM {name}_reached
          WINDOW last_two AS (PARTITION BY `{key}` ORDER BY arrival ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
        ) WHERE `{number}` > before OR rows_there = 1""",
    }


def _query(source: Source, view: View, once: str) -> str:
    item = "item" if source.rows else "log"
    shown = [f"{item}.`{view.field_of(column)}` AS `{column}`" for column in view.columns]
    place = [f"{source.made.get(name, f'log.`{name}`')} AS `{name}`" for name in source.place]
    opened = f" CROSS JOIN UNNEST(log.`{source.rows}`) AS item" if source.rows else ""
    only = f" WHERE {item}.`{view.when[0]}` {view.when[1]}" if view.when else ""
    return f"SELECT {', '.join([*shown, *place])} FROM {once} AS log{opened}{only}"


def inner_names() -> frozenset[str]:
    """Of the tables and views that those for signals stand on."""
    shown = {view.name for source in SOURCES for view in source.views}
    return frozenset(
        {source.table for source in SOURCES} | {name for source in SOURCES for name in view_queries(source)} - shown
    )


def queries_of(names: Collection[str], on_streams: Collection[Source] = (), order: str = BY_ARRIVAL) -> dict[str, str]:
    """`view_queries` of all sources that views of these names stand on; some of them `on_streams`."""
    return {
        name: query
        for source in sources_of(names)
        for name, query in view_queries(source, names, source in on_streams, order).items()
    }
