"""Loader and broker killed at random points: every row once, and roll-ups that say what the rows say."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from infra.settings import Settings
from infra.supervision import Supervision
from infra.topics import delete_topics
from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.topics import Topics
from pipelines.history.loader import LoaderConfig
from pipelines.history.rollup_tables import ROLLUP_TABLES
from pipelines.history.timescale import connect
from tests.integration.test_history_market import KEPT, ROLLED_UP
from tests.integration.test_loader import records_loaded, run_loader, supervision, wait_until
from tests.support.market_history import NAMES, database, market
from tests.support.session_log import SessionLog

__all__ = ["supervision"]
pytestmark = [pytest.mark.stack, pytest.mark.long]

KILLS = 20
SEED = 5


@pytest.fixture
def session(stack: Settings) -> Iterator[SessionLog]:
    topics = Topics(f"kills-{uuid4().hex[:8]}.")
    with closing(SessionLog(stack.kafka.bootstrap, stack.registry.url, topics)) as log:
        yield log
    delete_topics(stack.kafka.bootstrap, topics, ("binance",))


def test_a_loader_killed_twenty_times_and_its_broker_twice_leave_every_row_once(
    stack: Settings, supervision: Supervision, session: SessionLog
) -> None:
    """Blocks overlap and some lie in the log twice, as after a kill of the market job."""
    chance, ticks = random.Random(SEED), market(120_000, seed=SEED)
    for number, first in enumerate(range(0, len(ticks), 400)):
        rows = ticks[first : first + 500]
        for _ in range(2 if number % 7 == 0 else 1):
            session.ticks(TickBlock("sim", "feed-1", number % 2, 0, number, NAMES, rows))
    session.flush()
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.integration.test_loader"])
    with database(stack) as dsn:
        config = LoaderConfig(
            stack.kafka.bootstrap,
            stack.registry.url,
            dsn,
            session.topics,
            linger_s=0.02,
            status_every_s=0.1,
            batch_records=9,
        )
        for kill in range(KILLS):
            before = records_loaded(config)
            loader = processes.Process(target=run_loader, args=(config,), daemon=True)
            loader.start()
            wait_until(lambda before=before: records_loaded(config) > before, "the loader goes on")
            if kill in (6, 13):
                kill_broker(supervision)
            time.sleep(chance.random() * 0.1)
            loader.kill()
            loader.join()
        with connect(dsn, application="test") as connection:
            killed_at = connection.execute("SELECT count(*) FROM ticks").fetchone()
            assert killed_at is not None
            assert killed_at[0] < len(ticks), f"seed {SEED}: all was loaded before the last kill: nothing is shown"
            config = LoaderConfig(stack.kafka.bootstrap, stack.registry.url, dsn, session.topics)
            loader = processes.Process(target=run_loader, args=(config,), daemon=True)
            loader.start()
            blocks = -(-len(ticks) // 400)
            wait_until(lambda: records_loaded(config) == blocks + -(-blocks // 7), "all is loaded")
            loader.kill()
            loader.join()
            found = connection.execute(
                "SELECT count(*), count(DISTINCT (venue, feed_session, sequence)), min(sequence), max(sequence) "
                "FROM ticks"
            ).fetchone()
            assert found == (len(ticks), len(ticks), 1, len(ticks)), f"seed {SEED}"
            for table, length in zip(ROLLUP_TABLES, ("1 second", "1 minute", "1 day"), strict=True):
                kept = set(connection.execute(KEPT.format(table=table).encode()))
                assert kept == set(connection.execute(ROLLED_UP.format(length=length).encode())), (
                    f"seed {SEED}: {table}"
                )


def kill_broker(supervision: Supervision) -> None:
    (pid,) = (process.pid for process in supervision.processes() if process.program == "kafka")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
