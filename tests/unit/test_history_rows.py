"""What the records of a session's topics become."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.registry import RegistryError, UnknownSchema
from pipelines.contracts.schemas import Schema
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.wire import Codec
from pipelines.history.counts import Distinct
from pipelines.history.reader import Batch, SessionReader
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
from tests.support.session_log import (
    T0_NS,
    bar,
    block,
    command,
    event,
    marks,
    order,
    reject,
    report,
    risk,
    samples,
    signal,
    spread_event,
    ticks,
)

IDS = {record: number for number, record in enumerate(sorted(RECORDS.values()), start=1)}
TOPICS = Topics("test.")
READER = SessionReader("session-1", TOPICS, IDS)


@dataclass(frozen=True)
class Message:
    topic: str
    value: bytes | None
    partition: int = 0
    offset: int = 0
    timestamp: int = T0_NS // 1_000_000


def written(name: str, *records: Mapping[str, Any]) -> Batch:
    codec = Codec(RECORDS[name], IDS[RECORDS[name]])
    return READER.batch(
        Message(f"test.{name}", codec.encode(record), offset=offset) for offset, record in enumerate(records)
    )


def columns(batch: Batch, table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in batch.rows[table]]


def tables(batch: Batch) -> set[str]:
    return {table.name for table, rows in batch.rows.items() if rows}


def test_a_crossing_is_a_row_with_its_time_in_both_forms() -> None:
    (row,) = columns(written("market.spreads", spread_event(7)), SPREADS)
    assert row["session_id"] == "session-1"
    assert (row["shard"], row["pair"], row["sequence"]) == (0, "BTC-ETH", 7)
    assert row["event_ns"] == T0_NS + 7_000_000
    assert row["event_time"] == datetime(2023, 11, 14, 22, 13, 20, 7_000, tzinfo=UTC)


def test_a_second_of_samples_is_a_row_a_pair() -> None:
    found = columns(written("market.samples", samples(7, "BTC-ETH", "SOL-ETH")), SPREADS)
    assert [(row["pair"], row["kind"], row["sequence"], row["z"]) for row in found] == [
        ("BTC-ETH", "sample", 7, 2.1),
        ("SOL-ETH", "sample", 7, 2.1),
    ]


@pytest.mark.parametrize("kind", ["heartbeat", "end"])
def test_spread_events_that_only_move_time_are_not_kept(kind: str) -> None:
    assert written("market.spreads", spread_event(7, kind=kind, pair="")).size == 0


def test_a_minute_bar_is_a_row_and_other_bars_are_not() -> None:
    batch = written("market.bars", bar(1), bar(2, interval_s=1))
    (row,) = columns(batch, BARS)
    assert row["start_time"] == datetime(2023, 11, 14, 22, 14, tzinfo=UTC)
    assert row["high"] == 102.0


def test_a_report_with_a_quantity_is_also_a_fill() -> None:
    batch = written("trading.events", report(1), report(2, quantity=0, status="rejected"))
    assert [row["exec_id"] for row in columns(batch, REPORTS)] == ["exec-1", "exec-2"]
    (fill,) = columns(batch, FILLS)
    assert (fill["exec_id"], fill["quantity"], fill["price"], fill["account"]) == ("exec-1", 5, 100.01, "desk")


def test_a_fill_that_is_taken_back_is_a_row_of_negative_lots() -> None:
    taken_back = report(2, quantity=0, amends="exec-1", amended_quantity=5, amended_price=100.01)
    batch = written("trading.events", report(1), taken_back)
    rows = [(row["exec_id"], row["amends"], row["quantity"], row["price"]) for row in columns(batch, FILLS)]
    assert rows == [("exec-1", "", 5, 100.01), ("exec-2", "exec-1", -5, 100.01)]
    assert columns(batch, REPORTS)[1]["amended_quantity"] == 5


def test_a_corrected_fill_is_a_row_that_takes_back_and_one_that_is_right() -> None:
    corrected = report(2, quantity=4, last_price=99.0, amends="exec-1", amended_quantity=5, amended_price=100.01)
    rows = [
        (row["amends"], row["quantity"], row["price"]) for row in columns(written("trading.events", corrected), FILLS)
    ]
    assert rows == [("exec-1", -5, 100.01), ("", 4, 99.0)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_fills_add_up_to_the_position_whatever_is_amended(words: list[tuple[int, int]]) -> None:
    """Each word corrects the one before it (to 0: takes it back) or fills anew where nothing stands."""
    events, standing, position = [], 0, 0
    for number, (lots, amend) in enumerate(words):
        of_last = bool(standing) and amend > 4
        more = {"amends": f"exec-{number - 1}", "amended_quantity": standing} if of_last else {}
        events.append(report(number, quantity=lots, **more))
        position += lots - (standing if of_last else 0)
        standing = lots
    assert sum(row["quantity"] for row in columns(written("trading.events", *events), FILLS)) == position


def test_checks_of_an_order_are_kept_and_an_order_without_any_has_none() -> None:
    checks = ["position_limit: 5\x00, limit 10"]
    batch = written("trading.orders", order(1, checks=checks, strategy="pairs"), order(2, action="cancel", target="o"))
    first, second = columns(batch, ORDERS)
    assert (first["checks"], first["strategy"]) == (["position_limit: 5\ufffd, limit 10"], "pairs")
    assert (second["checks"], second["target"]) == ([], "o")


def test_signals_and_commands_are_rows_and_marks_and_intents_are_not() -> None:
    intent = event("intent", "intent/order-1", order(1))
    batch = written("trading.events", signal(3), command(1), marks(1), intent)
    assert tables(batch) == {"signals", "commands"}
    assert columns(batch, SIGNALS)[0]["last_sequence"] == 4
    assert columns(batch, COMMANDS)[0]["operator"] == "trader"


def test_an_order_that_is_worked_and_its_children_are_rows() -> None:
    worked = order(1, order_type="worked", reason="twap: 6 slices over 60 s")
    child = order(1, client_order_id="order-1.0", quantity=2, target="order-1", reason="takes 2 at N")
    events = event("intent", "intent/order-1", worked), event("intent", "intent/order-1.0", child)
    found = columns(written("trading.events", *events), CHILDREN)
    assert [(row["client_order_id"], row["parent"], row["reason"]) for row in found] == [
        ("order-1", "", "twap: 6 slices over 60 s"), ("order-1.0", "order-1", "takes 2 at N"),
    ]  # fmt: skip
    assert (found[1]["quantity"], found[1]["order_type"]) == (2, "market")


def test_a_risk_update_is_a_row_with_its_lists() -> None:
    (row,) = columns(written("trading.events", risk(1), marks(1)), RISK_UPDATES)
    assert (row["event_id"], row["as_of_ns"], row["var"], row["zone"]) == (
        "risk/desk/1",
        row["event_ns"],
        100.0,
        "green",
    )
    assert (row["pairs"], row["pair_es"]) == (["BTC-ETH"], [150.0])
    assert row["instruments"] == ["BTCUSDT", "ETH\ufffdUSDT"]


def test_an_event_whose_part_is_missing_is_set_aside() -> None:
    batch = written("trading.events", {**signal(3), "signal": None}, signal(4))
    assert len(columns(batch, SIGNALS)) == 1
    assert "kind 'signal' with no part" in columns(batch, REJECTS)[0]["detail"]


def test_orders_and_refusals_are_rows_of_their_own() -> None:
    batch = written("trading.orders", order(1), order(1, action="refused", reason="position limit"))
    assert [row["action"] for row in columns(batch, ORDERS)] == ["new", "refused"]


def test_a_reject_keeps_where_its_frame_lies() -> None:
    (row,) = columns(written("market.rejects", reject(12)), REJECTS)
    assert (row["feed_session"], row["frame"], row["raw_topic"], row["raw_offset"]) == (
        "recording-1",
        12,
        "raw.binance",
        7,
    )


def test_a_nul_in_a_text_is_replaced_because_postgres_refuses_it() -> None:
    (row,) = columns(written("trading.orders", order(1, reason="a\x00b")), ORDERS)
    assert row["reason"] == "a\ufffdb"


def test_blocks_of_several_feed_sessions_stay_apart() -> None:
    codec = BlockCodec(IDS[RECORDS["market.ticks"]])
    blocks = [block(ticks(5), session="a"), block(ticks(5), session="b"), block(ticks(5, first=6), session="a")]
    batch = READER.batch(Message("test.market.ticks", codec.encode(each)) for each in blocks)
    assert {feed: len(rows) for feed, (_, rows) in batch.ticks.items()} == {("binance", "a"): 10, ("binance", "b"): 5}


@pytest.mark.parametrize("value", [None, b"", b"garbage", b"\x00\x00\x00\x00\x63", b"\x00\x00\x00\x00\x01\xff\xff\xff"])
@pytest.mark.parametrize("topic", READER.names())
def test_an_unreadable_record_is_a_reject_that_says_where_it_lies(topic: str, value: bytes | None) -> None:
    batch = READER.batch([Message(topic, value, partition=3, offset=99)])
    (row,) = columns(batch, REJECTS)
    assert batch.bad_records == 1
    assert (row["reason"], row["feed_session"], row["frame"]) == ("bad_record", f"{topic}/3", 99)
    assert row["payload"] == (value or b"")
    assert row["frames"] == 0


def test_a_time_that_no_calendar_holds_is_a_bad_record() -> None:
    batch = written("market.bars", bar(1, start_ms=2**62), bar(1))
    assert len(batch.rows[BARS]) == 1
    assert columns(batch, REJECTS)[0]["reason"] == "bad_record"


def test_a_kafka_time_that_no_calendar_holds_does_not_stop_the_setting_aside() -> None:
    batch = READER.batch([Message("test.market.ticks", b"x", timestamp=2**62)])
    assert columns(batch, REJECTS)[0]["event_time"] == datetime(1970, 1, 1, tzinfo=UTC)


def test_only_the_beginning_of_a_long_unreadable_record_is_kept() -> None:
    batch = READER.batch([Message("test.market.ticks", b"x" * 10_000)])
    assert columns(batch, REJECTS)[0]["payload"] == b"x" * 512


def test_a_tick_without_its_instrument_makes_the_block_a_bad_record_and_loses_no_other() -> None:
    codec = BlockCodec(IDS[RECORDS["market.ticks"]])
    rows = ticks(5)
    rows["instrument"][2] = -1
    values = (codec.encode(block(rows)), codec.encode(block(ticks(5, first=6))))
    batch = READER.batch(Message("test.market.ticks", value, offset=offset) for offset, value in enumerate(values))
    assert [len(kept) for _, kept in batch.ticks.values()] == [5]
    assert columns(batch, REJECTS)[0]["frame"] == 0


def test_a_registry_that_is_away_makes_us_wait_and_rejects_nothing() -> None:
    def schema(schema_id: int) -> Schema:
        raise RegistryError("no answer")

    reader = SessionReader("session-1", TOPICS, IDS, schema)
    with pytest.raises(RegistryError, match="no answer"):
        reader.batch([Message("test.trading.orders", b"\x00\x00\x00\x00\x63abc")])


def test_a_schema_that_the_registry_does_not_know_makes_a_bad_record() -> None:
    def schema(schema_id: int) -> Schema:
        raise UnknownSchema(f"schema id {schema_id} is not in the registry")

    reader = SessionReader("session-1", TOPICS, IDS, schema)
    batch = reader.batch([Message("test.trading.orders", b"\x00\x00\x00\x00\x63abc")])
    assert "not in the registry" in columns(batch, REJECTS)[0]["detail"]


def test_distinct_events_are_counted_once_however_often_they_lie_in_the_log() -> None:
    codec = BlockCodec(IDS[RECORDS["market.ticks"]])
    blocks = [block(ticks(100)), block(ticks(100, first=51)), block(ticks(100), session="other")]
    seen = Distinct()
    for each in blocks:
        seen.take(READER.batch([Message("test.market.ticks", codec.encode(each))]))
    seen.take(written("market.spreads", spread_event(1), spread_event(1), spread_event(2)))
    seen.take(written("market.spreads", spread_event(2), spread_event(2, pair="SOL-ETH")))
    seen.take(written("trading.events", report(1), report(1)))
    counts = seen.counts()
    assert (counts["ticks"], counts["spreads"], counts["reports"], counts["fills"]) == (250, 3, 1, 1)
