"""Rows of a case as records of the logs that their views stand on.

A cell is text; a column that is left out has a default: a flat spread, a pair in health, an instrument quoted at 100.
`sequence` counts up in each log, `z_before` is the z of the pair's crossing before. `legs` are `KO-PEP:a KO-XOM:b`.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Any

from pipelines.contracts.schemas import expanded
from pipelines.signals.signal_file import nearest
from pipelines.signals.sources import SOURCES, VIEWS, Source, sources_of

Row = dict[str, str]
DAY = datetime(2026, 1, 5, tzinfo=UTC)

_TIME = re.compile(r"(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})(?:\.(?P<part>\d{1,9}))?")
_ZERO: Mapping[str, object] = MappingProxyType(
    {"double": 0.0, "int": 0, "long": 0, "boolean": False, "string": "", "array": []}
)
DEFAULTS: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(("std", "beta", "slope"), 1.0)
    | dict.fromkeys(("mid_a", "mid_b", "open", "high", "low", "close", "last", "vwap"), 100.0)
    | {"bars": 60, "half_life_s": 600.0, "adf_t": -5.0, "adf_critical": -2.9, "correlation": 0.9}
    | {"bid": 99.99, "ask": 100.01, "bid_size": 100.0, "ask_size": 100.0, "interval_s": 60}
    | {"venue": "SIM", "home": True, "status": "trading", "account": "desk", "stance": "flat"}
)
"""What fields are where a case does not say; others are 0, false or empty."""

_NAMES = ("pair", "instrument", "account")
"""Fields that keep the rows of cases apart, by the case's number before the name."""


class CaseError(ValueError):
    """What is wrong with a row: the column, and the way out."""


def check_row(view: str, row: Row) -> None:
    """Raises CaseError for a column that the view has not, one that is missing, and a value that is not of its type."""
    (source,) = sources_of((view,))
    known = (*VIEWS[view].columns, "event_time", *({"sequence"} - source.made.keys()))
    unknown = next((name for name in row if name not in known), "")
    if unknown:
        raise CaseError(f"no column {unknown!r} of {view}: {nearest(unknown, known, 'there are')}")
    name = "pair" if "pair" in known else "instrument"
    missing = [each for each in (name, "event_time") if not row.get(each)]
    if missing:
        raise CaseError(f"a row of {view} without {' and '.join(missing)}: add the column")
    time_ns(row["event_time"])
    for column, text in row.items():
        if column not in ("event_time", "sequence"):
            _value(source, VIEWS[view].field_of(column), column, text)
    _whole("sequence", row.get("sequence", "1"))


def time_ns(text: str) -> int:
    """`10:00:00.250` of the cases' day, UTC ns. CaseError for what is no time."""
    match = _TIME.fullmatch(text)
    if not match:
        raise CaseError(f"event_time: {text!r} is not a time such as 10:00:01 or 10:00:01.250")
    since = (int(match["hours"]) * 60 + int(match["minutes"])) * 60 + int(match["seconds"])
    return (int(DAY.timestamp()) + since) * 1_000_000_000 + int((match["part"] or "0").ljust(9, "0"))


def source_lines(cases: Mapping[int, Sequence[tuple[str, Row]]]) -> dict[str, list[str]]:
    """The rows of cases as JSON, by table and event time; those of a case in their order. Its number is its shard."""
    lines: dict[str, list[tuple[int, int, str]]] = {source.table: [] for source in SOURCES}
    for shard, rows in cases.items():
        reached: dict[str, int] = {}
        counted: dict[str, int] = {}
        crossed: dict[str, str] = {}
        for view, given in rows:
            row = dict(given)
            (source,) = sources_of((view,))
            counted[source.numbers] = counted.get(source.numbers, 0) + 1
            if view == "crossings":
                row.setdefault("z_before", crossed.get(row["pair"], row.get("z", "0")))
                crossed[row["pair"]] = row.get("z", "0")
            at_ns = time_ns(row.pop("event_time"))
            reached[source.table] = max(reached.get(source.table, 0), at_ns)
            sequence = int(row.pop("sequence", counted[source.numbers]))
            record = _record(source, view, row, shard, sequence, at_ns)
            lines[source.table].append((reached[source.table], shard, json.dumps(record)))
    return {table: [line for *_, line in sorted(its, key=lambda line: line[:2])] for table, its in lines.items()}


def _record(source: Source, view: str, row: Row, shard: int, sequence: int, at_ns: int) -> dict[str, Any]:
    place = {"shard": shard, "sequence": sequence, "event_time_ms": at_ns // 1_000_000, "event_time_ns": at_ns}
    shown = VIEWS[view]
    item: dict[str, Any] = {
        name: DEFAULTS.get(name, _ZERO[kind]) for name, kind in _types(source.record, source.rows).items()
    }
    item |= {"start_ms": at_ns // 1_000_000 - 60_000} if "start_ms" in item else {}
    if source.rows and shown.when:
        item |= dict.fromkeys(("quotes", "trades"), 0) | {shown.when[0]: 1 if shown.when[1] == "> 0" else True}
    item |= {shown.field_of(name): _value(source, shown.field_of(name), name, text) for name, text in row.items()}
    item |= {name: f"{shard}#{item[name]}" for name in _NAMES if name in item}
    if "legs" in item:
        item["legs"] = [leg | {"pair": f"{shard}#{leg['pair']}"} for leg in item["legs"]]
    if source.rows:
        return place | {source.rows: [{name: value for name, value in item.items() if name in source.fields}]}
    told = item | {"kind": source.kind} | place
    return {name: value for name, value in told.items() if name in source.fields}


@cache
def _types(record: str, rows: str) -> dict[str, str]:
    """Avro types of the fields of a source's rows, by name; `array` for one."""
    fields: Any = expanded(record)["fields"]
    if rows:
        fields = next(each for each in fields if each["name"] == rows)["type"]["items"]["fields"]
    return {each["name"]: each["type"]["type"] if isinstance(each["type"], dict) else each["type"] for each in fields}


def _value(source: Source, field: str, column: str, text: str) -> object:
    match _types(source.record, source.rows)[field]:
        case "double":
            return _number(column, text)
        case "int" | "long":
            return _whole(column, text)
        case "boolean":
            if text not in ("true", "false"):
                raise CaseError(f"{column}: {text!r}: true or false expected")
            return text == "true"
        case "array":
            return [_leg(column, each) for each in text.split()]
    return text


def _number(column: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise CaseError(f"{column}: {text!r} is not a number") from None
    if not math.isfinite(number):
        raise CaseError(f"{column}: {text!r} is not a finite number")
    return number


def _whole(column: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise CaseError(f"{column}: {text!r} is not a whole number") from None


def _leg(column: str, text: str) -> dict[str, str]:
    pair, colon, leg = text.rpartition(":")
    if not colon or leg not in ("a", "b"):
        raise CaseError(f"{column}: {text!r}: PAIR:a or PAIR:b expected")
    return {"pair": pair, "leg": leg}
