"""A session whose orders go out by FIX to three venues that do not do so well: its books agree, its secrets stay."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from rich.console import Console

from infra.settings import Settings
from jobs.account_log import AccountLog
from jobs.demo import Stopwatch, run_session
from jobs.demo_plans import simulated_plan
from jobs.order_books import Compared, compare, journals
from jobs.session import TradingSession
from pipelines.execution.fix.engine import MISSING

PREFIX = "fix."
pytestmark = [
    pytest.mark.stack,
    pytest.mark.timeout(600),
    pytest.mark.skipif(importlib.util.find_spec("quickfix") is None, reason=MISSING),
]


@dataclass(frozen=True, slots=True)
class Ran:
    session: TradingSession
    summary: dict[str, Any]
    books: dict[str, Compared]


@pytest.fixture(scope="module")
def ran(stack: Settings) -> Iterator[Ran]:
    plan, feed = simulated_plan(stack, 3, 24, 40.0, 400.0, 4.0, venues=3)
    plan = replace(plan, prefix=PREFIX, venue_port=17341, fix=True, fault_seed=3)
    session = TradingSession(stack, plan)
    try:
        summary = run_session(stack, plan, feed, Console(stderr=True), Stopwatch.started())
        session.session_id = summary["session"]
        log = AccountLog(stack.kafka.bootstrap, stack.registry.url, PREFIX)
        books = compare(log, session.strategy, journals(stack, summary["session"]))
        yield Ran(session, summary, books)
    finally:
        session.close()


def test_nothing_is_lost_on_the_way(ran: Ran) -> None:
    assert ran.summary["conservation"] == dict.fromkeys(ran.summary["conservation"], True)
    assert ran.summary["orders"] > 20


def test_the_log_and_each_venue_have_the_same_book_of_orders(ran: Ran) -> None:
    assert sorted(ran.books) == ["venue1", "venue2", "venue3"]
    assert {venue: book.differences for venue, book in ran.books.items()} == dict.fromkeys(ran.books, ())
    assert sum(book.orders for book in ran.books.values()) == ran.summary["orders"]


def test_faults_were_put_in(ran: Ran) -> None:
    told = "".join(
        file.read_text(errors="replace") for file in (ran.session.settings.home / "logs").glob(f"{PREFIX}venue-*")
    )
    assert "fault=" in told


def test_passwords_are_in_no_log_state_or_topic(ran: Ran) -> None:
    files = sorted(ran.session.fix_folder.glob("*.password"))
    passwords = [file.read_bytes() for file in files]
    assert len(set(passwords)) == 3
    searched, found = 0, []
    for file in ran.session.settings.home.rglob("*"):
        if file.is_file() and file not in files:
            searched += 1
            found += [file for password in passwords if password in _bytes(file)]
    assert found == []
    assert searched > 100
    values = list(_values(ran.session.settings))
    assert len(values) > 1000
    assert not any(password in value for password in passwords for value in values)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # a service's, gone since it was listed
        return b""


def _values(settings: Settings) -> Iterator[bytes]:
    """Every record of the session's topics, read as a client reads it."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap, enable_auto_commit=False)
    places = [
        TopicPartition(topic, partition)
        for topic in consumer.topics()
        if topic.startswith(PREFIX)
        for partition in consumer.partitions_for_topic(topic) or ()
    ]
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    while found := consumer.poll(timeout_ms=2_000, max_records=5_000):
        for records in found.values():
            yield from (record.value or b"" for record in records)
    consumer.close()
