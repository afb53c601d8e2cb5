"""A reference file into the history: venues, sessions of calendars, versions of instruments, corporate actions."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from pipelines.contracts.calendars import sessions
from pipelines.domain.market import NS_PER_S
from pipelines.domain.reference import Reference
from pipelines.history.reference import Reference as Rows
from pipelines.history.reference import store_reference
from pipelines.history.timescale import connect, migrate


def store(dsn: str, reference: Reference, first: date, last: date) -> dict[str, int]:
    """Write a reference, with the sessions of its calendars from one day to another; rows that were new or have
    changed, by table. Raises HistoryError, psycopg.Error."""
    connection = connect(dsn, application="reference")
    try:
        migrate(connection)
        return store_reference(connection, rows(reference, first, last))
    finally:
        connection.close()


def rows(reference: Reference, first: date, last: date) -> Rows:
    """As the tables have them. Of an instrument with a table of tick sizes, the smallest is kept."""
    return Rows(
        venues=[
            {"venue": each.name, "name": each.name, "mic": "", "time_zone": each.time_zone, "calendar": each.calendar}
            for each in reference.venues
        ],
        calendars=list(_calendars(reference, first, last)),
        instrument_versions=[
            {
                "instrument": each.id,
                "valid_from": _midnight(each.valid_from),
                "valid_to": _midnight(each.valid_to) if each.valid_to else "infinity",
                "venue": each.venue,
                "symbol": each.symbol,
                "kind": each.asset_class,
                "tick_size": min(each.ticks.tick_sizes),
                "lot_size": each.lot_size,
                "multiplier": 1.0,
                "currency": each.currency,
                "calendar": each.calendar,
            }
            for each in reference.instruments
        ],
        corporate_actions=list(_actions(reference)),
    )


def _calendars(reference: Reference, first: date, last: date) -> Iterator[Mapping[str, Any]]:
    named = {each.calendar for each in reference.venues} | {each.calendar for each in reference.instruments}
    for name in sorted(named):
        for day, (opens_ns, closes_ns) in sessions(name, first, last).items():
            yield {"calendar": name, "session_date": day, "opens_at": _at(opens_ns), "closes_at": _at(closes_ns)}


def _actions(reference: Reference) -> Iterator[Mapping[str, Any]]:
    currency = {each.id: each.currency for each in reference.instruments}
    for split in reference.splits:
        said = {"instrument": split.instrument, "ex_date": split.ex_date, "kind": "split"}
        yield said | {"ratio": split.new / split.old, "amount": None, "currency": currency[split.instrument]}
    for dividend in reference.dividends:
        said = {"instrument": dividend.instrument, "ex_date": dividend.ex_date, "kind": "dividend"}
        yield said | {"ratio": None, "amount": dividend.amount, "currency": currency[dividend.instrument]}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _at(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // NS_PER_S, UTC)
