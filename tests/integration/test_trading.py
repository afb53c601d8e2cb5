"""The trading job on Flink and Kafka, and an operator's commands to it."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from typer.testing import CliRunner

from jobs.account_log import AccountLog
from jobs.cli.limits import LimitsError
from jobs.cli.main import app
from jobs.submit import submit
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.signing import trader_config
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.trading import EVENT, ORDER, EventCodec, OrderCodec
from pipelines.contracts.wire import BadRecord, Codec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.replay import replay
from pipelines.domain.trading import Action, Command, OrderRequest, TradingEvent
from tests.conftest import OpenSession
from tests.support.accounts import ACCOUNT, T0, filled, marks, rejected, signal, strategy

pytestmark = pytest.mark.stack

PATIENCE_S = 120.0


class Log:
    """A session's trading topics, as a test writes and reads them."""

    def __init__(self, session: OpenSession) -> None:
        self.session = session
        self.bootstrap = session.settings.kafka.bootstrap
        registry = SchemaRegistry(session.settings.registry.url)
        ids = registry.register_all()
        self.events, self.orders = EventCodec(ids[EVENT]), OrderCodec(ids[ORDER])
        self.rejects = Codec("helios.market.Reject", ids["helios.market.Reject"])
        self._producer = KafkaProducer(bootstrap_servers=[self.bootstrap], acks="all")

    def write(self, *events: TradingEvent) -> None:
        for event in events:
            self.write_bytes(self.events.encode(event), event.event_time_ns // NS_PER_MS)

    def write_bytes(self, value: bytes, time_ms: int = T0 // NS_PER_MS) -> None:
        self._producer.send(self.session.topics.events, key=ACCOUNT.encode(), value=value, timestamp_ms=time_ms).get(30)

    def read(self, topic: str, at_least: int = 0) -> list[bytes]:
        """All values of a topic's one partition, once there are so many."""
        place = TopicPartition(topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=[self.bootstrap], group_id=None, isolation_level="read_committed")
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        found: list[bytes] = []
        deadline = time.monotonic() + PATIENCE_S
        while len(found) < at_least or consumer.position(place) < consumer.end_offsets([place])[place]:
            assert time.monotonic() < deadline, f"{topic}: {len(found)} records, {at_least} expected"
            for records in consumer.poll(timeout_ms=100).values():
                found += [record.value for record in records]
        consumer.close()
        return found

    def decided(self, at_least: int) -> list[OrderRequest]:
        return [self.orders.decode(value) for value in self.read(self.session.topics.orders, at_least)]

    def commands(self) -> list[Command]:
        read = [self.events.decode(value).body for value in self.read(self.session.topics.events)]
        return [body for body in read if isinstance(body, Command)]

    def close(self) -> None:
        self._producer.close()


@pytest.fixture
def log(trading_session: OpenSession) -> Iterator[Log]:
    log = Log(trading_session)
    yield log
    log.close()


@pytest.fixture
def account_log(log: Log) -> AccountLog:
    return AccountLog(log.bootstrap, log.session.settings.registry.url, log.session.prefix)


def test_the_job_decides_what_a_replay_of_its_log_decides(log: Log, account_log: AccountLog, tmp_path: Path) -> None:
    session = log.session
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(strategy()))
    submit(session.settings, ["trading"], file, session.prefix)
    log.write(marks(0, 1), marks(1, 1), signal("A-B", Action.ENTER_LONG, 1))
    a, b = log.decided(2)
    log.write_bytes(b"garbage")
    log.write(filled(a), rejected(b), signal("A-C", Action.ENTER_SHORT, 2))
    account_log.write(ACCOUNT, "limit", operator="test", reason="a test", time_ns=T0, scope="order_lots=9")
    log.write(signal("A-D", Action.ENTER_LONG, 3))
    account_log.write(ACCOUNT, "kill", operator="test", reason="a test", time_ns=T0)
    log.write(signal("A-D", Action.ENTER_LONG, 4))
    drain = account_log.write(ACCOUNT, "drain", operator="test", reason="", time_ns=T0)
    # two, one to close, two; the limit, a refusal; the kill with three cancels, a refusal; the drain
    decided = log.decided(13)
    actions = [each.action.value for each in decided]
    assert actions == [*("new",) * 5, "notice", "refused", "notice", *("cancel",) * 3, "refused", "drain"]
    assert {each.target for each in decided[8:11]} == {each.client_order_id for each in decided[2:5]}
    assert decided[6].reason == "order_lots: A 10 lots, limit 9"
    assert decided[7].reason == "killed: desk by test: a test"
    assert decided[11].reason == "kill_switch: account desk was killed by test: a test"
    assert decided[-1].client_order_id == drain.event_id

    events = []
    for value in log.read(session.topics.events):
        try:
            events.append(log.events.decode(value))
        except BadRecord:
            assert value == b"garbage"
    _, expected = replay(trader_config(strategy(), session.session_id), events)
    assert decided == list(expected)
    (reject,) = (log.rejects.decode(value) for value in log.read(session.topics.rejects, 1))
    assert (reject["reason"], reject["raw_topic"], reject["raw_offset"]) == ("bad_record", session.topics.events, 3)


def test_a_command_is_in_the_log_with_who_and_why(log: Log, account_log: AccountLog) -> None:
    written = account_log.write(ACCOUNT, "kill", operator="alice", reason="prices look wrong", time_ns=T0)
    assert (written.partition, written.offset) == (0, 0)
    assert log.commands() == [Command("kill", ACCOUNT, "alice", "prices look wrong")]
    again = account_log.write(ACCOUNT, "kill", operator="alice", reason="prices look wrong", time_ns=T0)
    assert again.event_id != written.event_id


def test_limits_are_shown_as_the_log_has_changed_them(log: Log, account_log: AccountLog, tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(strategy(order_lots=50, restricted=("D",))))
    prefix = log.session.prefix

    def limits(*words: str) -> Result:
        return CliRunner().invoke(app, ["limits", *words, "--prefix", prefix, "--json"], catch_exceptions=False)

    log.write(marks(0, 1))
    account_log.write(ACCOUNT, "limit", operator="bob", reason="a slip", time_ns=T0, scope="order_lots=many")
    set_ = limits("set", "order_lots=9", "--account", ACCOUNT, "--reason", "thin market", "--operator", "alice")
    assert json.loads(set_.stdout)["command"] == "limit"
    cut = TradingEvent("command/limit/cut", ACCOUNT, T0, Command("limit", "order_lots=7", "bob", "cut short"))
    log.write_bytes(log.events.encode(cut)[:-3])
    log.write_bytes(b"garbage")
    told = json.loads(limits("show", "--strategy", str(file)).stdout)
    assert told["limits"]["order_lots"] == 9
    assert told["limits"]["restricted"] == ["D"]
    assert list(told["changes"]) == ["order_lots"]
    changed = told["changes"]["order_lots"]
    assert (changed["operator"], changed["reason"]) == ("alice", "thin market")
    with pytest.raises(LimitsError, match=r"order_lots: 'few' is no whole number"):
        limits("set", "order_lots=few", "--account", ACCOUNT, "--reason", "")


def test_a_drain_is_waited_for_until_the_log_says_drained(log: Log, account_log: AccountLog) -> None:
    written = account_log.write(ACCOUNT, "drain", operator="alice", reason="", time_ns=T0)
    other = Command("drained", "another", "gateway", "")
    log.write(TradingEvent("drained/another", ACCOUNT, T0, other))
    log.write_bytes(b"garbage")
    assert not account_log.await_drained(written, 0.5)
    answer = TradingEvent("drained/it", ACCOUNT, T0, Command("drained", written.event_id, "gateway", ""))
    gateway = threading.Timer(0.3, lambda: log.write(answer))
    gateway.start()
    assert account_log.await_drained(written, PATIENCE_S)
    gateway.join()


def test_the_accounts_of_the_log_are_told(log: Log, account_log: AccountLog) -> None:
    account_log.write(ACCOUNT, "kill", operator="alice", reason="", time_ns=T0)
    account_log.write("dsek", "kill", operator="alice", reason="", time_ns=T0)
    assert account_log.accounts("dsek") == {ACCOUNT: 1, "dsek": 1}
