"""What a record of a topic says, as rows of the history: pure functions from decoded records to tuples."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pipelines.contracts.wire import Record
from pipelines.domain.parent_rules import WORKED
from pipelines.history.tables import (
    BARS,
    CHILDREN,
    COMMANDS,
    FILLS,
    ORDERS,
    REJECTS,
    REPORTS,
    RISK_UPDATES,
    SIGNALS,
    SPREADS,
    Table,
)

Value = str | int | float | bytes | datetime | list[str] | list[float]
Row = tuple[Value, ...]

BAR_SECONDS = 60
"""The bars that `bars_1m` holds."""

PAYLOAD_BYTES = 512
"""How much of an unreadable record is kept."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(ns: int) -> datetime:
    """A UTC time from event ns, cut to microseconds. Raises OverflowError outside the years 1 to 9999."""
    return _EPOCH + timedelta(microseconds=ns // 1000)


def spread_rows(session_id: str, event: Record) -> Iterator[tuple[Table, Row]]:
    """Crossings; heartbeats and the end only move time."""
    if event["kind"] in ("heartbeat", "end"):
        return
    yield (
        SPREADS,
        (
            *(session_id, event["shard"], event["pair"], event["sequence"], moment(event["event_time_ns"])),
            *(event["event_time_ns"], event["kind"], event["rung"], event["z"], event["spread"], event["mean"]),
            *(event["std"], event["beta"], event["mid_a"], event["mid_b"], event["tick_session"]),
            event["tick_sequence"],
        ),
    )


def sample_rows(session_id: str, second: Record) -> Iterator[tuple[Table, Row]]:
    """A second's samples. Which tick left a pair so is not told."""
    shard, sequence, event_ns = second["shard"], second["sequence"], second["event_time_ns"]
    time = moment(event_ns)
    for each in second["samples"]:
        yield (
            SPREADS,
            (
                *(session_id, shard, each["pair"], sequence, time, event_ns, "sample", each["rung"], each["z"]),
                *(each["spread"], each["mean"], each["std"], each["beta"], each["mid_a"], each["mid_b"], "", 0),
            ),
        )


def bar_rows(session_id: str, bar: Record) -> Iterator[tuple[Table, Row]]:
    """Minute bars; other intervals have no table yet, and heartbeats say nothing of an instrument."""
    if bar["interval_s"] != BAR_SECONDS or bar["kind"] != "bar":
        return
    yield (
        BARS,
        (
            *(
                session_id,
                bar["venue"],
                bar["instrument"],
                moment_ms(bar["start_ms"]),
                moment_ms(bar["event_time_ms"]),
            ),
            *(bar["shard"], bar["open"], bar["high"], bar["low"], bar["close"], bar["volume"], bar["trades"]),
            *(bar["quotes"], bar["bid"], bar["ask"]),
        ),
    )


def order_rows(session_id: str, order: Record) -> Iterator[tuple[Table, Row]]:
    yield (
        ORDERS,
        (
            *(session_id, order["client_order_id"], order["action"], order["account"], moment(order["event_time_ns"])),
            *(order["event_time_ns"], order["venue"], order["instrument"], order["side"], order["quantity"]),
            *(order["order_type"], order["limit_price"], order["pair"], order["leg"], order["cause"], order["reason"]),
            *(order["strategy"], order["checks"], order["target"], order["amount"]),
        ),
    )


def reject_rows(session_id: str, reject: Record) -> Iterator[tuple[Table, Row]]:
    yield (
        REJECTS,
        (
            *(session_id, reject["venue"], reject["session"], reject["frame"], reject["instrument"]),
            *(reject["reason"], reject["frames"], reject["detail"], moment_ms(reject["event_time_ms"])),
            *(reject["raw_topic"], reject["raw_partition"], reject["raw_offset"], reject["payload"]),
        ),
    )


def event_rows(session_id: str, event: Record) -> Iterator[tuple[Table, Row]]:
    """Signals, commands, risk, reports and what they fill or take back, orders that are worked and their children.
    Marks repeat ticks, another intent its order."""
    part = event.get(event["kind"])
    time_ns = event["event_time_ns"]
    head: Row = (session_id, event["event_id"], event["account"], moment(time_ns), time_ns)
    match event["kind"], part:
        case "marks", _:
            return
        case "intent", dict():
            if part["target"] or part["order_type"] == WORKED:
                yield (
                    CHILDREN,
                    (*head, part["client_order_id"], part["target"], *(part[name] for name in CHILDREN.columns[7:])),
                )
        case "signal", dict():
            yield SIGNALS, (*head, *(part[name] for name in SIGNALS.columns[5:]))
        case "command", dict():
            yield COMMANDS, (*head, *(part[name] for name in COMMANDS.columns[5:]))
        case "risk", dict():
            yield RISK_UPDATES, (*head, *(part[name] for name in RISK_UPDATES.columns[5:]))
        case "report", dict():
            yield REPORTS, (*head, *(part[name] for name in REPORTS.columns[5:]))
            yield from _fills(session_id, event, part)
        case kind, _:
            raise ValueError(f"trading event {event['event_id']}: kind {kind!r} with no part of that name filled")


def _fills(session_id: str, event: Record, report: Record) -> Iterator[tuple[Table, Row]]:
    """What a report does to the position: lots that it takes back of the fill it amends, and lots that it fills."""
    moved = [("", report["last_quantity"], report["last_price"])]
    if report["amends"]:
        moved.insert(0, (report["amends"], -report["amended_quantity"], report["amended_price"]))
    for amends, quantity, price in moved:
        if quantity:
            yield (
                FILLS,
                (
                    *(session_id, report["venue"], report["exec_id"], amends, event["account"]),
                    *(moment(event["event_time_ns"]), event["event_time_ns"], report["client_order_id"]),
                    *(report["instrument"], report["side"], quantity, price, report["cumulative_quantity"]),
                    report["leaves_quantity"],
                ),
            )


def unreadable(
    session_id: str, topic: str, partition: int, offset: int, timestamp_ms: int, value: bytes | None, why: str
) -> tuple[Table, Row]:
    """The row of a record that cannot be used: it stands among the rejects under the place where it lies."""
    time = moment_ms(timestamp_ms if 0 <= timestamp_ms < _LAST_MS else 0)
    return REJECTS, (
        *(session_id, "", f"{topic}/{partition}", offset, "", "bad_record", 0, why, time, topic, partition, offset),
        (value or b"")[:PAYLOAD_BYTES],
    )


_LAST_MS = 253_402_300_800_000
"""The year 10000."""


def moment_ms(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
