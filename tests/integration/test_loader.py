"""The loader on real Kafka and TimescaleDB: killed, doubled, cut off; every event is one row."""

import multiprocessing
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from threading import Event, Thread
from uuid import uuid4

import psycopg
import pytest

from infra.lag import lags
from infra.settings import Settings
from infra.supervision import Supervision
from infra.topics import delete_topics
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.history.counts import distinct_events, row_counts
from pipelines.history.loader import Loader, LoaderConfig
from pipelines.history.reader import Batch
from pipelines.history.timescale import HistoryError, Migration, connect, migrate, migrations
from pipelines.history.writer import Superseded, Writer
from tests.support.accounts import strategy
from tests.support.session_log import (
    INSTRUMENTS,
    SessionLog,
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

pytestmark = pytest.mark.stack

PATIENCE_S = 120.0


@pytest.fixture
def dsn(stack: Settings) -> Iterator[str]:
    """A database of the test's own."""
    name = f"history_{uuid4().hex[:12]}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"CREATE DATABASE {name}")
    yield f"{stack.timescale.dsn.rpartition('/')[0]}/{name}"
    with connect(stack.timescale.dsn, application="test") as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def session(stack: Settings) -> Iterator[SessionLog]:
    """A session's topics under a prefix of the test's own."""
    topics = Topics(f"loader-{uuid4().hex[:8]}.")
    with closing(SessionLog(stack.kafka.bootstrap, stack.registry.url, topics)) as log:
        yield log
    delete_topics(stack.kafka.bootstrap, topics, ("binance",))


@pytest.fixture
def config(stack: Settings, session: SessionLog, dsn: str) -> LoaderConfig:
    return LoaderConfig(
        stack.kafka.bootstrap, stack.registry.url, dsn, session.topics, linger_s=0.05, status_every_s=0.1
    )


@pytest.fixture
def supervision(stack: Settings) -> Supervision:
    """Of a stack whose services may be restarted: not one that others work on."""
    if os.environ.get("HELIOS_TEST_STACK") == "dev" and not os.environ.get("HELIOS_TEST_RESTARTS"):
        pytest.skip("restarts services: not on the stack of `helios up` (HELIOS_TEST_RESTARTS=1 if nobody minds)")
    return Supervision(stack)


@contextmanager
def running(config: LoaderConfig) -> Iterator[Thread]:
    """A loader in a thread; stopped at the end."""
    stop = Event()
    thread = Thread(target=Loader(config, stop).run, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join(PATIENCE_S)


def run_loader(config: LoaderConfig) -> None:
    Loader(config, Event()).run()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {PATIENCE_S:.0f} s"
        time.sleep(0.05)


def events(session: SessionLog, config: LoaderConfig) -> dict[str, int]:
    return distinct_events(session.bootstrap, session.topics, config.registry_url)


def rows(session: SessionLog, config: LoaderConfig) -> dict[str, int]:
    try:
        return row_counts(config.dsn, session.session_id)
    except psycopg.OperationalError:
        return {}


def wait_until_loaded(session: SessionLog, config: LoaderConfig) -> None:
    """Until there are as many rows as distinct events in the topics now."""
    wanted = events(session, config)
    wait_until(lambda: rows(session, config) == wanted, f"rows equal to {wanted}")


def records_loaded(config: LoaderConfig) -> int:
    """How far the loader has come, asked lightly; 0 before there are tables."""
    try:
        with connect(config.dsn, application="test") as connection:
            return _one(connection, "SELECT coalesce(sum(next_offset), 0)::bigint FROM loader_offsets")
    except psycopg.errors.UndefinedTable:
        return 0


def wait_for_more(config: LoaderConfig, before: int) -> None:
    wait_until(lambda: records_loaded(config) > before, "the loader goes on")


def write_everything(session: SessionLog, number: int = 1) -> None:
    """One or two events of each kind; of a number, always the same."""
    session.ticks(block(ticks(100, first=number * 100 - 99)))
    session.ticks(block(ticks(10, first=number * 100 - 99, kinds=(2,)), session="books-1"), topic="market.books")
    session.write("market.spreads", spread_event(number), spread_event(number, kind="heartbeat", pair=""))
    session.write("market.samples", samples(number, "ETH-BTC"))
    session.write("market.bars", bar(number))
    session.write("market.rejects", reject(number), reject(number, "gap", frames=0))
    session.write("trading.events", signal(number), report(number), command(number), risk(number), marks(number))
    worked = order(number, order_type="worked", reason="pov: 0.1 of the volume")
    child = order(number, client_order_id=f"order-{number}.0", target=f"order-{number}", reason="takes 5 at sim")
    names = [f"intent/{each['client_order_id']}" for each in (worked, child)]
    session.write("trading.events", *map(partial(event, "intent"), names, (worked, child)))
    session.write("trading.orders", order(number), order(number, action="refused", reason="limit"))


def test_events_of_every_kind_arrive(session: SessionLog, config: LoaderConfig) -> None:
    write_everything(session)
    session.flush()
    with running(config):
        wait_until_loaded(session, config)
    assert rows(session, config) == {
        "ticks": 100,
        "books": 10,
        "spreads": 2,
        "bars_1m": 1,
        "signals": 1,
        "orders": 2,
        "reports": 1,
        "fills": 1,
        "children": 2,
        "commands": 1,
        "risk_updates": 1,
        "rejects": 2,
    }


def test_records_that_lie_in_the_log_twice_are_rows_once(session: SessionLog, config: LoaderConfig) -> None:
    for number in (1, 2, 1, 2, 2):
        write_everything(session, number)
    session.ticks(block(ticks(150, first=30)), block(ticks(150, first=30, flags=0), shard=1))
    session.flush()
    with running(config):
        wait_until_loaded(session, config)
    assert rows(session, config)["ticks"] == 200
    assert rows(session, config)["signals"] == 2


def test_a_loader_killed_again_and_again_leaves_every_event_as_one_row(
    session: SessionLog, config: LoaderConfig
) -> None:
    count, chance = 200_000, random.Random(7)
    for first in range(1, count, 500):
        session.ticks(block(ticks(500, first=first), shard=first // 500 % 2, session=f"feed-{first // 500 % 3}"))
    for number in range(1, 3_000):
        session.write("market.spreads", spread_event(number))
    session.flush()
    small_steps = replace(config, batch_records=2)
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.integration.test_loader"])
    for _ in range(5):
        before = records_loaded(config)
        process = processes.Process(target=run_loader, args=(small_steps,), daemon=True)
        process.start()
        wait_for_more(config, before)
        time.sleep(chance.random() * 0.2)
        process.kill()
        process.join()
    assert 0 < rows(session, config)["ticks"] < count
    with running(config):
        wait_until_loaded(session, config)
    with connect(config.dsn, application="test") as connection:
        found = connection.execute(
            "SELECT count(DISTINCT (feed_session, sequence)), min(sequence), max(sequence), max(o.writer_epoch) "
            "FROM ticks, (SELECT max(writer_epoch) AS writer_epoch FROM loader_offsets) o"
        ).fetchone()
    assert found == (count, 1, count, 6)


def test_a_newer_loader_ends_an_older_one_and_nothing_is_lost(session: SessionLog, config: LoaderConfig) -> None:
    ended: list[Exception] = []

    def older() -> None:
        try:
            Loader(config, Event()).run()
        except Superseded as error:
            ended.append(error)

    write_everything(session, 1)
    session.flush()
    thread = Thread(target=older, daemon=True)
    thread.start()
    wait_until_loaded(session, config)
    with running(config):
        for number in range(2, 6):
            write_everything(session, number)
            session.flush()
            wait_until_loaded(session, config)
        wait_until(lambda: not thread.is_alive(), "the older one ends")
    assert "a newer loader (epoch 2) writes session" in str(ended[0])


def test_a_write_under_an_older_epoch_leaves_neither_rows_nor_offsets(
    session: SessionLog, config: LoaderConfig
) -> None:
    with (
        closing(Writer(config.dsn, session.session_id, "")) as older,
        closing(Writer(config.dsn, session.session_id, "")) as newer,
    ):
        batch = Batch(ticks={("binance", "recording-1"): (INSTRUMENTS, ticks(10))})
        with pytest.raises(Superseded):
            older.write(batch, {("market.ticks", 0): 1})
        assert newer.offsets() == {}
        assert rows(session, config)["ticks"] == 0
        assert newer.write(batch, {("market.ticks", 0): 1}) == 10
        assert newer.write(batch, {("market.ticks", 0): 2}) == 0
        assert newer.offsets() == {("market.ticks", 0): 2}


def test_what_cannot_be_read_or_stored_is_set_aside_and_the_rest_goes_on(
    session: SessionLog, config: LoaderConfig
) -> None:
    write_everything(session, 1)
    for name in (each for each in RECORDS if each != "raw"):
        session.send(name, b"garbage")
        session.send(name, b"\x00\x00\x01\xe2\x40unknown schema")
    too_long_for_an_index = random.Random(7).randbytes(10_000).hex()
    session.write("market.rejects", reject(77, session=too_long_for_an_index))
    write_everything(session, 2)
    session.flush()
    with running(config):
        wait_until(lambda: rows(session, config).get("rejects") == 4 + 16 + 1, "all bad records are set aside")
        wait_until(lambda: rows(session, config).get("orders") == 4, "the rest goes on")
    with connect(config.dsn, application="test") as connection:
        found = connection.execute(
            "SELECT count(DISTINCT raw_topic), count(*) FROM rejects WHERE reason = 'bad_record'"
        ).fetchone()
        (detail,) = connection.execute("SELECT detail FROM rejects WHERE detail LIKE 'index row%'").fetchone() or ("",)
    assert found == (8, 17)
    assert "maximum size" in detail


def test_topics_made_anew_are_another_session(session: SessionLog, config: LoaderConfig) -> None:
    write_everything(session, 1)
    session.flush()
    with running(config):
        wait_until_loaded(session, config)
        with closing(SessionLog(session.bootstrap, session.registry_url, session.topics)) as second:
            assert second.session_id != session.session_id
            for number in (2, 3):
                write_everything(second, number)
            second.flush()
            wait_until_loaded(second, config)
    assert rows(session, config)["ticks"] == 100
    assert rows(second, config)["ticks"] == 200


def test_the_loader_says_how_far_behind_it_is(session: SessionLog, config: LoaderConfig) -> None:
    write_everything(session)
    session.flush()
    with running(config):
        wait_until_loaded(session, config)
    with connect(config.dsn, application="test") as connection:
        said = connection.execute("SELECT records_behind, rows_loaded, bad_records FROM loader_status").fetchone()
        behind = {
            lag.topic: lag.records for lag in lags(session.bootstrap) if lag.group == f"{session.topics.prefix}loader"
        }
    assert said == (0, 124, 0)
    assert behind[session.topics.ticks] == 0


def test_the_strategy_is_kept_with_its_session(session: SessionLog, config: LoaderConfig) -> None:
    write_everything(session)
    session.flush()
    with running(replace(config, strategy=strategy())):
        wait_until(lambda: records_loaded(config) > 0, "it loads")
        with connect(config.dsn, application="test") as connection:
            wait_until(lambda: _one(connection, "SELECT count(*) FROM pairs") == 4, "the pairs")
            assert _one(connection, "SELECT count(*) FROM instruments") == 4


def test_timescale_restarted_in_the_middle_loses_nothing(
    supervision: Supervision, session: SessionLog, config: LoaderConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "helios.loader")
    with running(replace(config, batch_bytes=50_000)):
        for first in range(1, 100_000, 500):
            session.ticks(block(ticks(500, first=first)))
        session.flush()
        wait_until(lambda: rows(session, config).get("ticks", 0) > 0, "it loads")
        supervision.restart("timescale")
        wait_until(lambda: rows(session, config).get("ticks", 0) == 100_000, "all ticks")
        wait_until_loaded(session, config)
    said = [
        record.getMessage()
        for record in caplog.records
        if record.name == "helios.loader" and record.levelname == "WARNING"
    ]
    assert len(said) == 1
    assert "Waiting; nothing is lost" in said[0]


def test_kafka_restarted_in_the_middle_loses_nothing(
    supervision: Supervision, session: SessionLog, config: LoaderConfig
) -> None:
    with running(replace(config, batch_bytes=50_000)):
        for first in range(1, 100_000, 500):
            session.ticks(block(ticks(500, first=first)))
        session.flush()
        wait_until(lambda: rows(session, config).get("ticks", 0) > 0, "it loads")
        supervision.restart("kafka")
        wait_until(lambda: rows(session, config).get("ticks", 0) == 100_000, "all ticks")
        write_everything(session, 2_000)
        session.flush()
        wait_until_loaded(session, config)


def test_a_loader_started_before_timescale_waits_and_says_so_once(
    stack: Settings, session: SessionLog, config: LoaderConfig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "helios.loader")
    write_everything(session)
    session.flush()
    elsewhere = config.dsn.replace(f":{stack.timescale.port}/", ":1/")
    with running(replace(config, dsn=elsewhere, longest_wait_s=0.2)) as thread:
        wait_until(lambda: bool(caplog.records), "it says that it waits")
        time.sleep(1.0)
        assert thread.is_alive()
    (said,) = [record.getMessage() for record in caplog.records if record.name == "helios.loader"]
    assert said.startswith("Timescale at 127.0.0.1:1/")


def test_migrations_are_applied_once(dsn: str) -> None:
    with connect(dsn, application="test") as connection:
        assert migrate(connection) == tuple(each.name for each in migrations())
        assert migrate(connection) == ()


def test_a_migration_that_changed_after_it_was_applied_is_refused(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect(dsn, application="test") as connection:
        migrate(connection)
        monkeypatch.setattr(Migration, "digest", "another")
        with pytest.raises(HistoryError, match="has changed since it was applied"):
            migrate(connection)


def _one(connection: "psycopg.Connection[tuple[int, ...]]", sql: str) -> int:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return row[0]
