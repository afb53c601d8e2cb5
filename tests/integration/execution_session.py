"""A trading session without its jobs: topics, ticks and orders written by a test, gateway and venue as processes."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.settings import ROOT, Settings
from infra.topics import create_topics, delete_topics
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import load_strategy
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.domain.market import NS_PER_MS, TICK, Flag, Kind
from pipelines.domain.matching import MatchConfig
from pipelines.domain.trading import Decision, OrderRequest, Report, Side, TradingEvent

STRATEGY = """
strategy: execution-test
account: desk
shards: 2
venues:
  sim: {protocol: binance}
instruments:
  - {id: A, venue: sim, symbol: AUSDT, tick_size: 0.01, lot_size: 1}
  - {id: B, venue: sim, symbol: BUSDT, tick_size: 0.01, lot_size: 1}
  - {id: C, venue: sim, symbol: CUSDT, tick_size: 0.01, lot_size: 1}
  - {id: D, venue: sim, symbol: DUSDT, tick_size: 0.01, lot_size: 1}
pairs:
  - {name: A-B, a: A, b: B, beta: 1.0, shard: 0}
  - {name: C-D, a: C, b: D, beta: 1.0, shard: 1}
sizing: {leg_notional: 1000}
limits: {position_lots: 100, stale_marks_ms: 1000}
"""
SHARD_OF = {"A": 0, "B": 0, "C": 1, "D": 1}
START_NS = 1_700_000_000_000_000_000
CONFIG = MatchConfig(seed=11)
PATIENCE_S = 60.0


class ExecutionSession:
    """Everything that a test of gateway and venue does to the world. Kill processes at will; read the logs after."""

    def __init__(self, settings: Settings, folder: Path, prefix: str) -> None:
        self.bootstrap, self.registry = settings.kafka.bootstrap, settings.registry.url
        self.prefix, self.topics, self._folder = prefix, Topics(prefix), folder
        self.strategy_file = folder / "strategy.yaml"
        self.strategy_file.write_text(STRATEGY)
        self.strategy = load_strategy(self.strategy_file)
        ids = SchemaRegistry(self.registry).register_all()
        self._blocks = BlockCodec(ids[RECORDS["market.ticks"]])
        self._events = EventCodec(ids[RECORDS["trading.events"]])
        self._orders = OrderCodec(ids[RECORDS["trading.orders"]])
        self.id = create_topics(self.bootstrap, self.topics, ("sim",), 2, recreate=True)
        self._producer = KafkaProducer(bootstrap_servers=[self.bootstrap], acks="all", linger_ms=2)
        self._sequence = 0
        self.clock_ns = START_NS
        self.port = free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.blocks: list[TickBlock] = []

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)
        self._producer.close()
        delete_topics(self.bootstrap, self.topics, ("sim",))

    def market(self, ms: int, seed: int = 1) -> None:
        """Go on with the market for so many ms of event time: each instrument quotes every 2 ms, in blocks of 20 ms."""
        dice = np.random.default_rng(seed + self._sequence)
        for _ in range(ms // 20):
            for shard, names in enumerate((("A", "B"), ("C", "D"))):
                ticks = np.zeros(20, TICK)
                ticks["sequence"] = self._sequence + 1 + np.arange(20)
                ticks["instrument"] = np.arange(20) % 2
                ticks["flags"] = Flag.HOME
                ticks["event_ns"] = self.clock_ns + np.arange(20) * NS_PER_MS
                ticks["bid"] = 100 + dice.integers(-50, 50, 20) / 100
                ticks["ask"] = ticks["bid"] + 0.02
                ticks["bid_size"] = ticks["ask_size"] = dice.integers(1, 6, 20)
                self._block(TickBlock("sim", "s1", shard, 0, 0, names, ticks))
                self._sequence += 20
            self.clock_ns += 20 * NS_PER_MS
        self._producer.flush()

    def end_market(self) -> None:
        """The end of the session: time moves a day on."""
        for shard in (0, 1):
            ticks = np.zeros(1, TICK)
            self._sequence += 1
            ticks["sequence"], ticks["kind"], ticks["instrument"] = self._sequence, Kind.END, -1
            ticks["event_ns"] = self.clock_ns + 86_400 * 1_000 * NS_PER_MS
            self._block(TickBlock("sim", "s1", shard, 0, 0, (), ticks))
        self._producer.flush()

    def _block(self, block: TickBlock) -> None:
        self.blocks.append(block)
        self._producer.send(
            self.topics.ticks,
            key=shard_key(block.shard, 2).encode(),
            value=self._blocks.encode(block),
            timestamp_ms=int(block.ticks["event_ns"][-1]) // NS_PER_MS,
        )

    def order(self, number: int, at_ns: int, action: Decision = Decision.NEW) -> OrderRequest:
        order = OrderRequest(
            client_order_id=f"{self.id}-{number}",
            action=action,
            account="desk",
            event_time_ns=at_ns,
            venue="sim",
            instrument="ABCD"[number % 4],
            side=Side.BUY if number % 3 else Side.SELL,
            quantity=1 + number % 9,
            order_type="market",
            limit_price=0.0,
            pair="A-B",
            leg=0,
            cause=f"signal/{number}",
            reason="",
        )
        self._producer.send(
            self.topics.orders,
            key=b"desk",
            value=self._orders.encode(order),
            timestamp_ms=at_ns // NS_PER_MS,
        )
        return order

    def flush(self) -> None:
        self._producer.flush()

    def start_venue(self, name: str = "venue", port: int | None = None, window_s: int = 60) -> None:
        more = ["--window-s", str(window_s)]
        more += ["--port", str(port or self.port), "--seed", str(CONFIG.seed), "--data", str(self._folder)]
        self._start(name, "jobs.venue", ["--venue", "sim", *more])

    def start_gateway(self, name: str = "gateway") -> None:
        self._start(name, "jobs.gateway", ["--venue", f"sim=127.0.0.1:{self.port}"])

    def _start(self, name: str, module: str, more: list[str]) -> None:
        command = [sys.executable, "-m", module, "--strategy", str(self.strategy_file), "--prefix", self.prefix]
        command += ["--bootstrap", self.bootstrap, "--registry", self.registry, *more]
        with self.log_file(name).open("ab") as output:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONPATH": str(ROOT)}
            )

    def log_file(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def log_of(self, name: str) -> str:
        return self.log_file(name).read_text()

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal and wait for the end; the exit status."""
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(timeout=PATIENCE_S)

    def wait_for_exit(self, name: str) -> int:
        return self.processes.pop(name).wait(timeout=PATIENCE_S)

    def until(self, what: str, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not done():
            dead = {name: process.poll() for name, process in self.processes.items() if process.poll() is not None}
            assert not dead, f"{dead}: {[self.log_of(name) for name in dead]}"
            assert time.monotonic() < deadline, f"{what}: {[self.log_of(name) for name in self.processes]}"
            time.sleep(0.05)

    def events(self) -> Iterator[TradingEvent]:
        """Every committed event of trading.events, from its beginning to its present end."""
        consumer = KafkaConsumer(
            bootstrap_servers=[self.bootstrap], isolation_level="read_committed", enable_auto_commit=False
        )
        partition = TopicPartition(self.topics.events, 0)
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        consumer.seek_to_beginning(partition)
        empty = 0
        while consumer.position(partition) < end and empty < 5:
            records = consumer.poll(timeout_ms=100).get(partition, [])
            empty = 0 if records else empty + 1
            for record in records:
                yield self._events.decode(record.value)
        consumer.close()

    def commands(self) -> list[str]:
        return [event.body.command for event in self.events() if hasattr(event.body, "command")]

    def drained(self, number: int) -> bool:
        return f"drained/{self.id}-{number}" in {event.event_id for event in self.events()}

    def orders_at_venue(self) -> dict[str, int]:
        """How often the venue received each client order id."""
        with sqlite3.connect(f"file:{self._folder}/sim-{self.id}.sqlite3?mode=ro", uri=True) as database:
            return dict(database.execute("SELECT client_order_id, received FROM orders").fetchall())


def fills(events: list[TradingEvent]) -> list[TradingEvent]:
    found = [event for event in events if isinstance(event.body, Report) and event.body.last_quantity]
    return sorted(found, key=lambda event: event.event_id)


def repeated(events: list[TradingEvent]) -> list[str]:
    return [each for each, count in Counter(event.event_id for event in events).items() if count > 1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
