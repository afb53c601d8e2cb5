"""The trading operator without a JVM: records in, orders and rejects out, state over restarts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from jobs.benchmarks.market import bench_strategy
from pipelines.contracts.signing import command_id, sign, trader_config
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EVENT, ORDER, POSITION, EventCodec, OrderCodec, PositionCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.account_bytes import VERSION, dump
from pipelines.domain.replay import replay
from pipelines.domain.standing import Standing
from pipelines.domain.trading import Action, Decision, OrderRequest, TradingEvent
from pipelines.operators.journal import MOST_RECORDS
from pipelines.operators.trading import Trading
from tests.support.accounts import ACCOUNT, T0, command, filled, marks, rejected, signal, strategy
from tests.support.fake_flink import KeyedHarness, Snapshot, record
from tests.support.long_walk import MACHINES, walk
from tests.support.trader_machine import LIMIT, TraderMachine

TOPICS = Topics("t.")
IDS = {EVENT: 1, ORDER: 2, "helios.market.Reject": 3, POSITION: 4}
EVENTS = EventCodec(1)
ORDERS = OrderCodec(2)
POSITIONS = PositionCodec(4)
REJECTS = Codec("helios.market.Reject", 3)
SESSION = "session-1"


ALICE = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
EVE = Ed25519PrivateKey.from_private_bytes(b"e" * 32)


def trading(snapshot: Snapshot | None = None, operators: Mapping[str, bytes] | None = None) -> KeyedHarness:
    of = strategy(of={"operators": operators or {}})
    return KeyedHarness(Trading(of, SESSION, TOPICS, IDS), snapshot=snapshot)


def given(harness: KeyedHarness, *events: TradingEvent) -> list[Any]:
    return harness.feed_all(record(EVENTS.encode(event), key=ACCOUNT) for event in events)


def orders(rows: list[Any]) -> list[OrderRequest]:
    assert {row[0] for row in rows} <= {"t.trading.orders", "t.trading.positions"}
    return [ORDERS.decode(value) for row in rows for value in row[2] if row[0] == "t.trading.orders"]


def positions(rows: list[Any]) -> list[Standing]:
    return [POSITIONS.decode(value) for row in rows for value in row[2] if row[0] == "t.trading.positions"]


def reject(rows: list[Any]) -> dict[str, Any]:
    ((topic, key, (value,), (_,)),) = rows
    assert (topic, key) == ("t.market.rejects", "helios")
    return REJECTS.decode(value)


def session() -> list[TradingEvent]:
    """An entry, one leg of it rejected, its closing, another entry and its exit."""
    events = [marks(0, 1), marks(1, 1), signal("A-B", Action.ENTER_LONG, 1)]
    account = trader_config(strategy(), SESSION)
    answers = (filled, rejected, filled, filled, filled)
    for number, answer in enumerate(answers):
        if number == 3:
            events.append(signal("A-C", Action.ENTER_SHORT, 2))
        events.append(answer(replay(account, events)[1][number]))
    return [*events, command("kill", "k"), signal("A-C", Action.EXIT, 3), command("resume", "r"), command("drain", "d")]


def test_both_legs_of_an_entry_are_one_row_of_two_orders() -> None:
    _, (topic, key, values, times_ms), _ = given(trading(), marks(0, 1), signal("A-B", Action.ENTER_LONG, 1))
    assert (topic, key) == ("t.trading.orders", ACCOUNT)
    assert [ORDERS.decode(value).instrument for value in values] == ["A", "B"]
    assert times_ms == [T0 // 1_000_000] * 2


def test_what_is_written_is_a_replay_of_the_log() -> None:
    events = session()
    _, decided = replay(trader_config(strategy(), SESSION), events)
    assert orders(given(trading(), *events)) == list(decided)
    assert {order.action for order in decided} == set(Decision) - {Decision.CANCEL, Decision.BOOKED}


@pytest.mark.parametrize("at", range(len(session())))
def test_a_restart_anywhere_gives_the_same_orders(at: int) -> None:
    events = session()
    undisturbed = given(trading(), *events)
    first = trading()
    before = given(first, *events[:at])
    lost = trading(first.snapshot())
    given(lost, *events[at:])  # died after its checkpoint: what it did is done again
    assert before + given(trading(first.snapshot()), *events[at:]) == undisturbed


def test_where_a_pair_stands_is_told_after_its_orders_with_heartbeats_between() -> None:
    harness = trading()
    rows = given(harness, marks(0, 1), signal("A-B", Action.ENTER_LONG, 1))
    assert [row[0] for row in rows] == ["t.trading.positions", "t.trading.orders", "t.trading.positions"]
    rows += given(harness, *(filled(order) for order in orders(rows)))
    told = positions(rows)
    assert [(each.kind, each.stance, each.lots_a, each.lots_b) for each in told] == [
        ("heartbeat", "", 0, 0),
        ("position", "entering", 0, 0),
        ("position", "entering", 10, 0),
        ("position", "long", 10, -7),
    ]
    assert [each.sequence for each in told] == [1, 2, 3, 4]
    ((_, key, _, times_ms), *_) = [row for row in rows if row[0] == "t.trading.positions"]
    assert (key, times_ms) == (ACCOUNT, [T0 // 1_000_000])


def test_a_restart_tells_the_same_with_the_same_numbers() -> None:
    events = session()
    undisturbed = positions(given(trading(), *events))
    assert [each.sequence for each in undisturbed] == list(range(1, len(undisturbed) + 1))
    first = trading()
    before = positions(given(first, *events[:6]))
    assert before + positions(given(trading(first.snapshot()), *events[6:])) == undisturbed


def test_an_operator_that_is_restarted_at_every_event_decides_and_keeps_the_same() -> None:
    events = [*session(), *session()]
    undisturbed, rows = trading(), []
    snapshot: Snapshot = {}
    for event in events:
        restarted = trading(snapshot)
        rows += given(restarted, event)
        snapshot = restarted.snapshot()
    assert rows == given(undisturbed, *events)
    assert snapshot == undisturbed.snapshot()


@pytest.mark.parametrize("machine", MACHINES)
def test_so_it_does_over_random_histories(machine: type[TraderMachine]) -> None:
    walked = walk(machine, seed=4, steps=150)
    of = strategy(position_lots=LIMIT, of=machine.of, **machine.more)
    undisturbed = KeyedHarness(Trading(of, SESSION, TOPICS, IDS))
    snapshot: Snapshot = {}
    for event in walked.events:
        restarted = KeyedHarness(Trading(of, SESSION, TOPICS, IDS), snapshot=snapshot)
        assert given(restarted, event) == given(undisturbed, event)
        snapshot = restarted.snapshot()
    assert snapshot == undisturbed.snapshot()
    assert len(walked.outputs) > 20


def test_the_first_event_is_kept_whole_and_each_that_follows_as_its_changes() -> None:
    harness = trading()
    given(harness, marks(0, 1))
    base = harness.state("trading", ACCOUNT)
    given(harness, marks(1, 1), signal("A-B", Action.ENTER_LONG, 1))
    assert harness.state("trading", ACCOUNT) is base
    assert [data[16:17] for data in harness.state("trading-since", ACCOUNT)] == [VERSION] * 2


def test_state_is_not_written_when_nothing_changed() -> None:
    harness = trading()
    given(harness, marks(0, 1), marks(1, 1))
    before = harness.snapshot()
    given(harness, marks(0, 1), marks(1, 1))
    assert harness.snapshot() == before


def test_changes_are_kept_whole_again_before_they_are_many() -> None:
    harness, log = trading(), []
    for number in range(1, MOST_RECORDS):
        log.append(marks(0, number))
        given(harness, log[-1])
        if number > 1 and not harness.state("trading-since", ACCOUNT):
            break
    account, _ = replay(trader_config(strategy(), SESSION), log)
    assert len(log) < MOST_RECORDS - 1
    assert harness.state("trading", ACCOUNT) == dump(account)


@pytest.mark.parametrize("version", [b"\x01", b"\x02"])
def test_state_of_an_older_format_goes_on_and_is_kept_in_that_of_now(version: bytes) -> None:
    events = session()[:1]
    account, _ = replay(trader_config(strategy(), SESSION), events)
    old = trading({"trading": {ACCOUNT: version + dump(account)[1:]}})
    undisturbed = trading()
    given(undisturbed, *events)
    assert given(old, *session()[1:]) == given(undisturbed, *session()[1:])
    assert old.state("trading", ACCOUNT)[:1] == VERSION
    assert given(trading(old.snapshot()), marks(0, 9)) == given(undisturbed, marks(0, 9))


def test_an_event_writes_no_more_however_many_pairs_are_held() -> None:
    few, many = written_by_a_fill(pairs=4), written_by_a_fill(pairs=300)
    assert few < 450
    assert many < 450


def written_by_a_fill(pairs: int) -> int:
    """Bytes of the last fill of so many pairs' entries. All that it writes is one record of changes."""
    of = bench_strategy(instruments=40, pairs=pairs, seed=1)
    names = tuple(each.id for each in of.instruments)
    harness = KeyedHarness(Trading(of, SESSION, TOPICS, IDS))
    log = [marks(0, 1, names=names), *(signal(pair.name, Action.ENTER_LONG, 1) for pair in of.pairs)]
    rows = [row for event in log for row in bench_given(harness, of.account, event)]
    *fills, last = [filled(order) for order in orders(rows)]
    for event in fills:
        bench_given(harness, of.account, event)
    before = harness.snapshot()
    bench_given(harness, of.account, last)
    assert harness.state("trading", of.account) == before["trading"][of.account]
    *since, written = harness.state("trading-since", of.account)
    assert since == before["trading-since"][of.account]
    return len(written)


def bench_given(harness: KeyedHarness, account: str, event: TradingEvent) -> list[Any]:
    value = EVENTS.encode(replace(event, account=account))
    return [row for row in harness.feed(record(value, key=account)) if row[0] == TOPICS.orders]


def test_a_record_that_cannot_be_read_is_rejected_with_its_place_and_the_next_is_taken() -> None:
    harness = trading()
    found = reject(harness.feed(record(b"garbage", key=ACCOUNT, partition=0, offset=41, timestamp=5)))
    assert found["reason"] == "bad_record"
    assert found["detail"].startswith("t.trading.events partition 0 offset 41: not in Confluent's wire format")
    assert (found["raw_topic"], found["raw_partition"], found["raw_offset"]) == ("t.trading.events", 0, 41)
    assert found["payload"] == b"garbage"
    assert found["frames"] == 0
    assert len(orders(given(harness, marks(0, 1), signal("A-B", Action.ENTER_LONG, 1)))) == 2


@pytest.mark.parametrize(("key", "account"), [("other", ACCOUNT), (ACCOUNT, "other"), ("other", "other")])
def test_an_event_of_another_account_is_rejected(key: str, account: str) -> None:
    event = command("kill", "k")
    value = EVENTS.encode(TradingEvent(event.event_id, account, T0, event.body))
    assert f"account {account!r} under the key {key!r}" in reject(trading().feed(record(value, key=key)))["detail"]


def test_marks_that_contradict_themselves_are_rejected() -> None:
    event = marks(0, 7)
    body = type(event.body)(0, 7, ("A", "B"), (1.0,), (1.0,), (T0,))  # type: ignore[call-arg,arg-type]
    harness = trading()
    found = reject(given(harness, TradingEvent(event.event_id, ACCOUNT, T0, body)))
    assert "offset 0: marks/0/7: " in found["detail"]
    assert harness.state("trading", ACCOUNT) is None


def test_changes_of_another_version_stop_the_job_too() -> None:
    harness = trading()
    given(harness, marks(0, 1), marks(1, 1))
    newer = harness.snapshot()
    newer["trading-since"][ACCOUNT] = [bytes(16) + b"\x09new"]
    with pytest.raises(ValueError, match="state of account desk: format"):
        given(trading(newer), marks(0, 2))


def test_state_of_another_version_stops_the_job_instead_of_losing_positions() -> None:
    harness = trading({"trading": {ACCOUNT: b"\x09old"}})
    with pytest.raises(ValueError, match="state of account desk: format"):
        given(harness, marks(0, 1))


def of_alice() -> KeyedHarness:
    """An account that obeys alice alone, killed by somebody without a key: to stop needs none."""
    harness = trading(operators={"alice": ALICE.public_key().public_bytes_raw()})
    (killed,) = orders(given(harness, marks(0, 1), command("kill", "k")))
    assert killed.reason == "killed: desk by alice: because"
    return harness


def resume(session: str = SESSION, own: str = "1") -> TradingEvent:
    return command("resume", command_id("resume", session, own))


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (resume(), "resume by alice is not signed: the strategy names its operators"),
        (sign(EVE, resume()), "the signature of resume is not alice's"),
        (sign(ALICE, resume("session-0")), "resume by alice was signed for another session"),
    ],
)
def test_a_word_that_its_operator_did_not_sign_is_refused_and_says_why(event: TradingEvent, why: str) -> None:
    harness = of_alice()
    (refused,) = orders(given(harness, event))
    assert refused.action is Decision.REFUSED
    assert refused.reason == f"not_signed: resume of 'desk': {why}"
    (still,) = orders(given(harness, signal("A-B", Action.ENTER_LONG, 1)))
    assert still.reason.startswith("kill_switch: ")


def test_a_word_that_its_operator_signed_is_obeyed() -> None:
    harness = of_alice()
    (resumed,) = orders(given(harness, sign(ALICE, resume())))
    assert (resumed.action, resumed.reason) == (Decision.NOTICE, "resumed: desk by alice: because")
    assert len(orders(given(harness, signal("A-B", Action.ENTER_LONG, 1)))) == 2


def test_words_of_services_need_no_signature() -> None:
    assert [each.action for each in orders(given(of_alice(), command("drain", "d")))] == [Decision.DRAIN]
