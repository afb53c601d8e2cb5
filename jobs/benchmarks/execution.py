"""Order request to NewOrderSingle, and on to its fill in the log, through the real gateway; beside bare QuickFIX.

The venue is a process that fills at once: what is measured is the gateway, two hops of Kafka and the wire.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from infra.settings import ROOT, Settings
from infra.stack import StackError
from infra.topics import create_topics, delete_topics
from jobs.benchmarks.broker import percentiles, round_trip_ms
from jobs.benchmarks.fix_peer import PEER
from jobs.benchmarks.fix_ping import Ping
from jobs.benchmarks.load import PREFIX
from pipelines.contracts.fix_sessions import FixSession
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Decision, OrderRequest, Report, Side
from pipelines.domain.universe import Strategy
from pipelines.feeds.simulated import START_NS, Simulation

GATEWAY, PING = "HELIOS", "PING"
PATIENCE_S = 60.0
WARM = 300
"""Orders before those that are measured."""

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExecutionLoad:
    """`orders` at `rate` a second for latencies, then `burst` at once for what is sustained."""

    orders: int
    rate: float
    burst: int


def measure(home: Settings, load: ExecutionLoad, progress: Progress) -> dict[str, Any]:
    """Latencies in ms, orders in a second, and their ratios to bare QuickFIX in this run."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="helios-bench-")))
        port, times = _free_port(), folder / "times.json"
        progress("a venue that fills at once")
        peer = stack.enter_context(_process("fix_peer", [port, folder / "peer", times, GATEWAY, PING]))
        assert peer.stdout is not None
        peer.stdout.readline()
        progress("bare QuickFIX")
        with closing(Ping(FixSession(PING, PEER, "127.0.0.1", port, heartbeat_s=30), folder / "ping")) as ping:
            ping.one_by_one(WARM)
            bare_ms = [each / NS_PER_MS for each in ping.one_by_one(load.orders)]
            bare_per_s = load.burst / ping.at_once(load.burst)
        progress("Kafka alone")
        with _topics(home) as (topics, strategy, codecs):
            kafka = round_trip_ms(home.kafka.bootstrap, topics.rejects)
            stack.enter_context(_gateway(home, folder, strategy, port))
            with closing(_Log(home.kafka.bootstrap, topics, strategy, codecs)) as log:
                progress("warming up")
                log.paced(WARM, load.rate)
                progress(f"{load.orders:,} orders, {load.rate:,.0f} a second")
                paced = log.paced(load.orders, load.rate)
                progress(f"{load.burst:,} orders at once")
                per_s = load.burst / log.at_once(load.burst)
        peer.send_signal(signal.SIGTERM)
        peer.wait(timeout=PATIENCE_S)
        there = json.loads(times.read_text())
    wire = [(there[name] - sent) / NS_PER_MS for name, (sent, _) in paced.items()]
    back = [(filled - sent) / NS_PER_MS for sent, filled in paced.values()]
    bare = percentiles(bare_ms)
    return {
        "orders": load.orders,
        "rate": load.rate,
        "request_to_wire_ms": _beside(percentiles(wire), bare),
        "request_to_fill_in_log_ms": _beside(percentiles(back), bare),
        "bare_quickfix_ms": bare,
        "kafka_round_trip_ms": kafka,
        "orders_per_second": round(per_s),
        "bare_quickfix_orders_per_second": round(bare_per_s),
        "ratio_of_orders_per_second": round(per_s / bare_per_s, 3),
    }


def _beside(found: dict[str, float], bare: dict[str, float]) -> dict[str, float]:
    return found | {f"{name}_times_bare": round(found[name] / bare[name], 2) for name in ("p50", "p99")}


class _Log:
    """The session's logs, from both sides: orders go in, fills are waited for."""

    def __init__(
        self, bootstrap: str, topics: Topics, strategy: Strategy, codecs: tuple[EventCodec, OrderCodec]
    ) -> None:
        self._events, self._orders = codecs
        self._topics, self._strategy = topics, strategy
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=0)
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=50,
        )
        self._partition = TopicPartition(topics.events, 0)
        self._consumer.assign([self._partition])
        self._consumer.seek_to_beginning(self._partition)
        self._made = 0

    def close(self) -> None:
        self._producer.close()
        self._consumer.close()

    def paced(self, count: int, rate: float) -> dict[str, tuple[int, int]]:
        """Steady ns of sending, and of reading the fill, by order."""
        sent: dict[str, int] = {}
        filled: dict[str, int] = {}
        begin = time.monotonic()
        deadline = begin + count / rate + PATIENCE_S
        while len(filled) < count:
            due = min(count, int((time.monotonic() - begin) * rate) + 1)
            while len(sent) < due:
                name = self._order()
                sent[name] = time.monotonic_ns()
                self._flush()
            self._read(filled, 1)
            if time.monotonic() > deadline:
                raise StackError(f"{count - len(filled)} of {count} orders are not filled: give a smaller --rate")
        return {name: (at, filled[name]) for name, at in sent.items()}

    def at_once(self, count: int) -> float:
        """Seconds from the first order to the last fill in the log."""
        filled: dict[str, int] = {}
        begin = time.monotonic()
        for _ in range(count):
            self._order()
        self._flush()
        while len(filled) < count:
            self._read(filled, 50)
            if time.monotonic() > begin + PATIENCE_S:
                raise StackError(f"{count - len(filled)} of {count} orders are not filled in {PATIENCE_S:.0f} s")
        return time.monotonic() - begin

    def _order(self) -> str:
        instrument = self._strategy.instruments[self._made % len(self._strategy.instruments)]
        self._made += 1
        order = OrderRequest(
            client_order_id=f"bench-{self._made}",
            action=Decision.NEW,
            account=self._strategy.account,
            event_time_ns=START_NS + self._made * NS_PER_MS,
            venue=instrument.venue,
            instrument=instrument.id,
            side=Side.BUY if self._made % 2 else Side.SELL,
            quantity=1 + self._made % 9,
            order_type="market",
            limit_price=0.0,
            pair=self._strategy.pairs[0].name,
            leg=0,
            cause=f"bench/{self._made}",
            reason="",
        )
        self._producer.send(self._topics.orders, key=order.account.encode(), value=self._orders.encode(order))
        return order.client_order_id

    def _flush(self) -> None:
        self._producer.flush()

    def _read(self, filled: dict[str, int], wait_ms: int) -> None:
        for record in self._consumer.poll(timeout_ms=wait_ms).get(self._partition, ()):
            body = self._events.decode(record.value).body
            if isinstance(body, Report) and body.last_quantity:
                filled.setdefault(body.client_order_id, time.monotonic_ns())


@contextmanager
def _topics(home: Settings) -> Iterator[tuple[Topics, Strategy, tuple[EventCodec, OrderCodec]]]:
    """A session of a few instruments, gone afterwards."""
    registry = SchemaRegistry(home.registry.url)
    ids = registry.register_all()
    strategy = Simulation(seed=1, instruments=4, shards=1, venue="bench").strategy()
    topics, place = Topics(PREFIX), home.kafka.bootstrap
    create_topics(place, topics, ("bench",), 1, recreate=True)
    try:
        codecs = EventCodec(ids[RECORDS["trading.events"]]), OrderCodec(ids[RECORDS["trading.orders"]])
        yield topics, strategy, codecs
    finally:
        delete_topics(place, topics, ("bench",))


@contextmanager
def _gateway(home: Settings, folder: Path, strategy: Strategy, port: int) -> Iterator[None]:
    """The gateway's own process, logged on."""
    file, sessions, log = folder / "strategy.yaml", folder / "sessions.yaml", folder / "gateway.log"
    file.write_text(dump_strategy(strategy))
    venue = {"address": f"127.0.0.1:{port}", "target": PEER, "heartbeat_s": 30}
    sessions.write_text(yaml.safe_dump({"sender": GATEWAY, "venues": {"bench": venue}}))
    words = ["--strategy", file, "--fix", sessions, "--data", folder / "gateway", "--prefix", PREFIX]
    words += ["--bootstrap", home.kafka.bootstrap, "--registry", home.registry.url]
    with log.open("w") as out:
        command = [sys.executable, "-m", "jobs.gateway", *map(str, words)]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=_environment())
        try:
            deadline = time.monotonic() + PATIENCE_S
            while "state=up" not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise StackError(f"the gateway does not log on: {log.read_text().strip().splitlines()[-1:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


@contextmanager
def _process(module: str, words: list[Any]) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", f"jobs.benchmarks.{module}", *map(str, words)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=_environment())
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
