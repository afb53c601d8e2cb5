"""The risk operator without a JVM: bars and positions in, risk updates and rejects out, state over restarts."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.contracts.schemas import load
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EVENT, POSITION, EventCodec, PositionCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.risk import Bar, RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.standing import Standing
from pipelines.domain.trading import RiskUpdate, TradingEvent
from pipelines.operators.risk import BAR, REJECT, Risk
from tests.support import risk_records
from tests.support.accounts import ACCOUNT
from tests.support.fake_flink import KeyedHarness, Snapshot, emitted, record
from tests.support.risk_records import SETTINGS, START_NS, Record, heartbeat, position, session, strategy

TOPICS = Topics("t.")
IDS = {EVENT: 1, BAR: 2, REJECT: 3, POSITION: 4}
EVENTS, POSITIONS, BARS, REJECTS = EventCodec(1), PositionCodec(4), Codec(BAR, 2), Codec(REJECT, 3)
MS = 1_000_000


def risk(snapshot: Snapshot | None = None, settings: RiskSettings = SETTINGS) -> KeyedHarness:
    operator = Risk(strategy(settings), TOPICS, IDS)
    return KeyedHarness(operator, key_by=lambda _: ACCOUNT, snapshot=snapshot)


def bar_record(bar: Bar, **values: Any) -> dict[str, Any]:
    start_ms = bar.start_ns // MS
    prices = dict.fromkeys(("open", "high", "low", "close"), bar.price)
    told = {"kind": "bar", "venue": "sim", "instrument": bar.instrument, "shard": bar.shard, "interval_s": 60}
    told |= {"start_ms": start_ms, "event_time_ms": start_ms + 60_000, "volume": bar.volume, "trades": 1, "quotes": 1}
    return told | prices | {"bid": bar.price - 0.01, "ask": bar.price + 0.01} | values


def row(of: Record, offset: int = 0) -> Any:
    """The Kafka record of a bar, a heartbeat of the bars, or a position."""
    match of:
        case Standing():
            return record(POSITIONS.encode(of), key=ACCOUNT, offset=offset)
        case Bar():
            return record(BARS.encode(bar_record(of)), key=f"shard-{of.shard}", offset=offset)
        case (shard, time_ns):
            beat = bar_record(Bar(shard, time_ns - 60_000 * MS, "", 0.0, 0.0), kind="heartbeat")
            return record(BARS.encode(beat), key=f"shard-{shard}", offset=offset)


def given(harness: KeyedHarness, *records: Record) -> list[tuple[str, str, bytes, int]]:
    return emitted(harness.feed_all(map(row, records)))


def told(records: list[tuple[str, str, bytes, int]]) -> list[TradingEvent]:
    assert {each[0] for each in records} <= {"t.trading.events"}
    return [EVENTS.decode(each[2]) for each in records]


def reject(rows: list[Any]) -> dict[str, Any]:
    ((topic, key, value, _),) = emitted(rows)
    assert (topic, key) == ("t.market.rejects", "helios")
    return REJECTS.decode(value)


def test_what_is_told_is_what_the_domain_tells_under_the_accounts_key() -> None:
    written = given(risk(), *session())
    expected = risk_records.given(RiskState.empty(RiskConfig.of(strategy())), *session())
    events = told(written)
    bodies = [event.body for event in events]
    assert len(bodies) == len(expected) > 10
    for body, wanted in zip(bodies, expected, strict=True):
        assert isinstance(body, RiskUpdate)
        assert (body.var, body.es, *body.pair_es) == pytest.approx((wanted.var, wanted.es, *wanted.pair_es))
    assert {each[1] for each in written} == {ACCOUNT}
    first = expected[0]
    assert events[0].event_id == f"risk/{ACCOUNT}/{first.as_of_ns}/1"
    assert (events[0].event_time_ns, written[0][3]) == (first.as_of_ns, first.as_of_ns // MS)


def test_ids_are_all_different() -> None:
    ids = [event.event_id for event in told(given(risk(), *session()))]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("at", [0, 1, 100, 300, 361, 365, 500, len(session()) - 2])
@pytest.mark.parametrize("method", ["historical", "monte-carlo"])
def test_a_restart_anywhere_gives_the_same_bytes(at: int, method: str) -> None:
    settings = RiskSettings(method=method, draws=200)  # type: ignore[arg-type]
    records = session()
    undisturbed = given(risk(settings=settings), *records)
    first = risk(settings=settings)
    before = given(first, *records[:at])
    lost = risk(first.snapshot(), settings)
    given(lost, *records[at:])  # died after its checkpoint: what it did is done again
    assert before + given(risk(first.snapshot(), settings), *records[at:]) == undisturbed


def test_the_base_is_made_anew_when_the_journal_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.operators.journal.MOST_RECORDS", 50)
    records, first = session(), risk()
    undisturbed = given(risk(), *records)
    before = given(first, *records[:333])
    assert len(first.state("risk-since", ACCOUNT)) < 50
    assert before + given(risk(first.snapshot()), *records[333:]) == undisturbed


def test_daily_closing_prices_have_it_told_from_the_first_position_on(tmp_path: Path) -> None:
    file = tmp_path / "closes.csv"
    days = [
        f"2023-{month:02}-{day:02},{100 + day},{50 + month},{20 + day % 7},{70}"
        for month in (9, 10)
        for day in range(1, 28)
    ]
    file.write_text("\n".join(["time,A,B,C,D", *days]))
    harness = risk(settings=RiskSettings(history=str(file)))
    (event,) = told(given(harness, position(1, "A-B", 10, -7)))
    assert isinstance(event.body, RiskUpdate)
    assert (event.body.scenarios, event.body.gross) == (53, 10 * 127 + 7 * 60)
    again = risk(harness.snapshot(), RiskSettings(history=str(file)))
    assert len(told(given(again, heartbeat(2, 1.0)))) == 1


def test_a_record_that_cannot_be_read_is_rejected_with_its_place_and_the_next_is_taken() -> None:
    harness, records = risk(), session()
    undisturbed = given(risk(), *records)
    half = given(harness, *records[:200])
    found = reject(harness.feed(record(b"garbage", key="shard-0", partition=1, offset=41, timestamp=5)))
    assert found["reason"] == "bad_record"
    assert found["detail"].startswith("t.market.bars partition 1 offset 41: not in Confluent's wire format")
    assert (found["raw_topic"], found["raw_partition"], found["raw_offset"]) == ("t.market.bars", 1, 41)
    found = reject(harness.feed(record(b"garbage", key=ACCOUNT, offset=42)))
    assert found["detail"].startswith("t.trading.positions partition 0 offset 42: not in")
    assert half + given(harness, *records[200:]) == undisturbed


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"instrument": "X"}, "a bar of 'X', which is no instrument of the strategy"),
        ({"shard": 7}, "shard 7: the strategy has shards 0 to 1"),
        ({"close": float("nan"), "bid": 0.0}, "nan is no price: one above 0 expected"),
        ({"close": -1.0, "bid": 0.0}, "-1 is no price"),
        ({"volume": -1.0}, "volume -1: full minutes and volumes from 0 on expected"),
        ({"start_ms": START_NS // MS + 1}, "full minutes"),
        ({"event_time_ms": 2**62}, "not times"),
        ({"start_ms": -5}, "not times"),
    ],
)
def test_a_bar_that_cannot_be_is_rejected(values: dict[str, Any], says: str) -> None:
    harness = risk()
    value = BARS.encode(bar_record(Bar(0, START_NS, "A", 100.0, 1.0), **values))
    assert says in reject(harness.feed(record(value, key="shard-0")))["detail"]
    assert not harness.state("risk-since", ACCOUNT)


def test_bars_of_other_lengths_are_passed_over() -> None:
    value = BARS.encode(bar_record(Bar(0, START_NS, "A", 100.0, 1.0), interval_s=1))
    assert risk().feed(record(value, key="shard-0")) == []


def test_a_bar_without_a_quote_counts_at_its_close() -> None:
    harness = risk()
    harness.feed(record(BARS.encode(bar_record(Bar(0, START_NS, "A", 50.0, 1.0), bid=0.0, ask=0.0)), key="shard-0"))
    ((prices, _),) = harness.function._held.state.minutes.pending.values()
    assert prices[0] == 50.0


def test_positions_of_another_account_or_pair_are_rejected() -> None:
    harness = risk()
    other = POSITIONS.encode(Standing("position", "other", 1, START_NS, "A-B", "long", 1, 1, "x"))
    assert "account 'other' under the key 'desk'" in reject(harness.feed(record(other, key=ACCOUNT)))["detail"]
    assert "lots of 'X-Y'" in reject(harness.feed(row(position(1, "X-Y", 1, 1))))["detail"]


def test_every_field_of_an_update_is_told() -> None:
    fields = {field["name"] for field in load("helios.trading.RiskUpdate")["fields"]}  # type: ignore[union-attr]
    assert fields == set(RiskUpdate.__slots__)
    *_, last = told(given(risk(), *session()))
    empty = {name for name in fields if getattr(last.body, name) in (0, 0.0, "", ())}
    assert empty <= {"exceptions"}


def test_state_of_another_version_stops_the_job_instead_of_losing_days() -> None:
    harness = risk({"risk": {ACCOUNT: b"\x09old!"}})
    with pytest.raises(ValueError, match="risk of account desk: state of format"):
        given(harness, heartbeat(1, 0.0))
