"""The loader: a session's topics into its tables, each event once, through the failure of any part of it."""

import logging
import os
import socket
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import psycopg

from pipelines.contracts.registry import RegistryError, SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.domain.universe import Strategy
from pipelines.history.kafka_log import KafkaAway, KafkaLog, SessionPlace
from pipelines.history.reader import Batch, Message, SessionReader
from pipelines.history.timescale import place
from pipelines.history.turns import Turns
from pipelines.history.writer import Place, Status, Writer

log = logging.getLogger("helios.loader")

UNSTORABLE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
"""What PostgreSQL says of a row that it will never take: a value out of range, a key too long for its index."""

TIMESCALE_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)

SHORTEST_WAIT_S = 0.1
POLL_RECORDS = 500


@dataclass(frozen=True, slots=True)
class LoaderConfig:
    """Where a loader reads and writes, and how much at a time."""

    bootstrap: str
    registry_url: str
    dsn: str
    topics: Topics
    strategy: Strategy | None = None
    """Its instruments and pairs are kept with the session."""
    batch_bytes: int = 2 << 20
    """A transaction takes this much of the topics, about 50 thousand ticks..."""
    batch_records: int = 5_000
    linger_s: float = 0.2
    """...or what has come since its first record, this long ago."""
    status_every_s: float = 1.0
    line_every_s: float = 10.0
    retention_every_s: float = 3_600.0
    """How often what is older than it is kept is dropped, where the server does not do so itself."""
    longest_wait_s: float = 5.0


@dataclass(slots=True)
class Loaded:
    """Counts of this process in one session."""

    session_id: str
    epoch: int | None = None
    rows: int = 0
    bad_records: int = 0
    rows_at_last_status: int = 0
    started_s: float = field(default_factory=time.time)


class SessionOver(Exception):
    """The topics were made anew: another session lives in them."""


class Loader:
    """Runs until stopped, or until a newer loader takes its session (Superseded).

    What it holds in memory is only what a transaction is being made of: whenever Kafka, Timescale or the registry
    falls away, it waits, takes up the offsets in Timescale, and goes on from there.
    """

    def __init__(self, config: LoaderConfig, stop: Event) -> None:
        self._config = config
        self._stop = stop
        self._loaded = Loaded("")
        self._outages: dict[str, float] = {}
        self._wait_s = SHORTEST_WAIT_S

    def run(self) -> None:
        """Raises Superseded and HistoryError; anything that may pass is waited for."""
        while not self._stop.is_set():
            try:
                with ExitStack() as open_ones:
                    self._load_session(open_ones)
            except SessionOver:
                log.info("session %s is over: its topics were made anew", self._loaded.session_id)
            except TIMESCALE_AWAY as error:
                self._away("Timescale", f"Timescale at {place(self._config.dsn)}: {_line(error)}")
            except KafkaAway as error:
                self._away(str(error), str(error))
            except (RegistryError, ConnectionError) as error:
                self._away("registry", _line(error))
            if self._outages:
                self._stop.wait(self._wait_s)
                self._wait_s = min(self._wait_s * 2, self._config.longest_wait_s)

    def _load_session(self, open_ones: ExitStack) -> None:
        config = self._config
        where = open_ones.enter_context(closing(SessionPlace(config.bootstrap, config.topics)))
        session_id = where.session_id()
        if session_id != self._loaded.session_id:
            self._loaded = Loaded(session_id)
        reader = SessionReader.of(session_id, config.topics, SchemaRegistry(config.registry_url))
        writer = open_ones.enter_context(
            closing(Writer(config.dsn, session_id, config.topics.prefix, self._loaded.epoch))
        )
        if self._loaded.epoch is None and config.strategy is not None:
            writer.describe(config.strategy)
        self._loaded.epoch = writer.epoch
        offsets = writer.offsets()
        records = open_ones.enter_context(closing(KafkaLog(config.bootstrap, reader.names(), offsets)))
        self._begin(records, offsets)
        turns = open_ones.enter_context(Turns())
        self._go_on(where, reader, writer, records, offsets, turns)

    def _begin(self, records: KafkaLog, offsets: dict[Place, int]) -> None:
        for lost in records.lost:
            log.error("records are lost: %s", lost)
        log.info(
            "loading session %s as writer %d: %d records are loaded, %d wait",
            *(self._loaded.session_id, self._loaded.epoch, sum(offsets.values()), records.behind(offsets)),
        )
        for said, since in self._outages.items():
            log.info("over after %.0f s: %s", time.monotonic() - since, said)
        self._outages.clear()
        self._wait_s = SHORTEST_WAIT_S

    def _go_on(
        self,
        where: SessionPlace,
        reader: SessionReader,
        writer: Writer,
        records: KafkaLog,
        offsets: dict[Place, int],
        turns: Turns,
    ) -> None:
        config, loaded = self._config, self._loaded
        next_status = next_line = next_retention = time.monotonic()
        last_status = time.monotonic() - config.status_every_s
        while not self._stop.is_set():
            messages = self._gather(records)
            if messages:
                offsets = records.offsets()
                batch = reader.batch(messages)
                if where.session_id() != loaded.session_id:
                    raise SessionOver
                turns.take(partial(self._load, reader, writer, messages, batch, offsets))
            now = time.monotonic()
            if now < next_status and not self._stop.is_set():
                continue
            if where.session_id() != loaded.session_id:
                raise SessionOver
            turns.wait()
            status = self._status(records.behind(offsets), now - last_status)
            writer.say(status)
            where.show(f"{config.topics.prefix}loader", offsets)
            last_status, next_status = now, now + config.status_every_s
            if now >= next_retention:
                next_retention = now + config.retention_every_s
                self._drop_old(writer)
            if now >= next_line or self._stop.is_set():
                next_line = now + config.line_every_s
                log.info(
                    "%d rows, %.0f rows/s, %d records behind, %d unreadable",
                    *(status.rows_loaded, status.rows_per_second, status.records_behind, status.bad_records),
                )

    def _gather(self, records: KafkaLog) -> list[Message]:
        """What one transaction takes."""
        config = self._config
        gathered: list[Message] = []
        size, until = 0, time.monotonic() + config.linger_s
        while size < config.batch_bytes and len(gathered) < config.batch_records and not self._stop.is_set():
            left = until - time.monotonic()
            if left <= 0:
                break
            polled = records.poll(max(1, int(left * 1000)), min(POLL_RECORDS, config.batch_records - len(gathered)))
            if not gathered:
                until = time.monotonic() + config.linger_s
            gathered += polled
            size += sum(len(message.value or b"") for message in polled)
            if not polled and not gathered:
                break
        return gathered

    def _load(
        self,
        reader: SessionReader,
        writer: Writer,
        messages: list[Message],
        batch: Batch,
        offsets: dict[Place, int],
    ) -> None:
        """Write the records; one that holds what PostgreSQL cannot is found by halving and set aside."""
        try:
            self._loaded.rows += writer.write(batch, offsets)
            self._loaded.bad_records += batch.bad_records
        except UNSTORABLE as error:
            if len(messages) == 1:
                self._loaded.rows += writer.write(reader.set_aside(messages[0], _line(error)), offsets)
                self._loaded.bad_records += 1
                return
            first, second = messages[: len(messages) // 2], messages[len(messages) // 2 :]
            read_to = {(each.topic, each.partition): each.offset + 1 for each in first}
            self._load(reader, writer, first, reader.batch(first), read_to)
            self._load(reader, writer, second, reader.batch(second), offsets)

    def _drop_old(self, writer: Writer) -> None:
        try:
            for table, chunks in writer.drop_old().items():
                log.info("%d chunks of %s were older than they are kept: dropped", chunks, table)
        except psycopg.errors.LockNotAvailable:
            log.warning("a long question holds what is older than it is kept: dropped in an hour")

    def _status(self, behind: int, elapsed_s: float) -> Status:
        loaded = self._loaded
        rate = (loaded.rows - loaded.rows_at_last_status) / max(elapsed_s, 1e-3)
        loaded.rows_at_last_status = loaded.rows
        process = f"{socket.gethostname()}:{os.getpid()}"
        return Status(process, loaded.started_s, behind, loaded.rows, rate, loaded.bad_records)

    def _away(self, what: str, says: str) -> None:
        """Said once an outage."""
        if what not in self._outages:
            self._outages[what] = time.monotonic()
            log.warning("%s. Waiting; nothing is lost, the records stay in Kafka", says)


def _line(error: Exception) -> str:
    """An error as one line: its first, what libpq adds left out."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
