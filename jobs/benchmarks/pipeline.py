"""market.ticks to signals at full speed, and a raw frame to its order at a given rate, both beside Kafka alone."""

import os
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from infra.flink_jobs import cancel, jobs
from infra.settings import Settings
from infra.stack import StackError
from infra.topics import create_topics, delete_topics
from jobs.benchmarks.broker import bulk_producer, kafka_seconds, percentiles, round_trip_ms, send_all
from jobs.benchmarks.market import VENUE as BENCH
from jobs.benchmarks.market import BenchMarket, bench_market, closing_rows
from jobs.session import SessionPlan, TradingSession
from jobs.submit import submit
from pipelines.contracts.blocks import RECORD, BlockCodec, TickBlock
from pipelines.contracts.frames import RECORD as FRAMES
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.strategy_file import dump_strategy
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.trading import Decision, Signal
from pipelines.feeds.handler import Log, Pace, handle
from pipelines.feeds.raw_log import RawLog
from pipelines.feeds.simulated import SimulatedSource, Simulation

PREFIX = "bench."
PATIENCE_S = 180.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class PipelineLoad:
    """What to run: `ticks` in blocks of `block_ticks` over pairs, after `warm_ticks` of them; then `rate` frames/s for
    `rate_s` seconds, after `warm_s` of the same, in which JVMs compile."""

    pairs: int = 100
    instruments: int = 200
    ticks: int = 4_000_000
    warm_ticks: int = 2_000_000
    block_ticks: int = 500
    rate: float = 5_000.0
    rate_s: float = 20.0
    warm_s: float = 30.0
    linger_ms: float = 20.0
    seed: int = 1


def measure(settings: Settings, load: PipelineLoad, progress: Progress) -> dict[str, Any]:
    """Both measurements. Nothing of them is left on the stack."""
    ids = SchemaRegistry(settings.registry.url).register_all()
    _cancel(settings)
    market = bench_market(load.instruments, load.pairs, load.ticks + load.warm_ticks, load.seed)
    through = _throughput(settings, load, market, ids, progress)
    market_levels = market.strategy.levels
    del market
    progress(f"{through['ticks_to_signals']['ticks_per_second']:,} ticks/s to signals")
    latency = _latency(settings, load, ids, progress)
    return {
        **through,
        **latency,
        "pairs": load.pairs,
        "instruments": load.instruments,
        "block_ticks": load.block_ticks,
        "linger_ms": load.linger_ms,
        "levels": str(market_levels),
        "jit": settings.flink.jit,
        "ticks": load.ticks,
        "seed": load.seed,
        "cores": os.cpu_count(),
    }


def _throughput(
    settings: Settings, load: PipelineLoad, market: BenchMarket, ids: dict[str, int], progress: Progress
) -> dict[str, Any]:
    """The spreads and signals jobs over a log that is there already, counted from the first signal after warm-up."""
    topics = Topics(PREFIX)
    folder = settings.home / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    strategy_file = folder / "strategy.yaml"
    strategy_file.write_text(dump_strategy(market.strategy))
    codec = BlockCodec(ids[RECORD])
    blocks = market.blocks(codec, load.block_ticks)
    warm = load.warm_ticks // load.block_ticks
    times = market.ticks["event_ns"] // NS_PER_MS
    ends = [int(times[min(end, len(times)) - 1]) for end in _ends(len(blocks), load)]
    names = tuple(instrument.id for instrument in market.strategy.instruments)
    tail = closing_rows(market, market.strategy.pairs[0])
    last = codec.encode(TickBlock(BENCH, BENCH, 0, 0, len(blocks), names, tail))
    with _topics(settings, topics, market):
        progress("Kafka alone")
        kafka_s = kafka_seconds(settings.kafka.bootstrap, topics.rejects, blocks[warm:])
        progress("writing the log")
        with bulk_producer(settings.kafka.bootstrap) as producer:
            its = [*blocks, last], [*ends, int(tail["event_ns"][2]) // NS_PER_MS]
            send_all(producer, topics.ticks, shard_key(0, 1), *its)
        growth = _Growth(settings.kafka.bootstrap, topics.events)
        try:
            submit(settings, ("spreads", "signals"), strategy_file, PREFIX, progress=progress)
            progress("ticks to signals")
            run = _through(settings, growth, EventCodec(ids[RECORDS["trading.events"]]), market, load.warm_ticks)
        finally:
            growth.close()
            _cancel(settings)
    rate, alone = run.ticks / run.seconds, load.ticks / kafka_s
    return {
        "ticks_to_signals": {
            "ticks_per_second": round(rate),
            "seconds": round(run.seconds, 2),
            "ratio_to_kafka": round(rate / alone, 3),
            "signals": run.signals,
        },
        "kafka": {"ticks_per_second": round(alone), "megabytes": round(sum(map(len, blocks[warm:])) / 1e6)},
    }


def _cancel(settings: Settings) -> None:
    """No job of a benchmark runs, be it of one that was killed."""
    cancel(settings.flink.rest, [job.id for job in jobs(settings.flink.rest) if job.name.startswith(PREFIX)])


def _ends(blocks: int, load: PipelineLoad) -> Iterator[int]:
    return ((number + 1) * load.block_ticks for number in range(blocks))


@contextmanager
def _topics(settings: Settings, topics: Topics, market: BenchMarket) -> Iterator[None]:
    venues = tuple(venue.name for venue in market.strategy.venues)
    create_topics(settings.kafka.bootstrap, topics, venues, market.strategy.shards, recreate=True)
    try:
        yield
    finally:
        delete_topics(settings.kafka.bootstrap, topics, venues)


class _Growth:
    """When how much of a topic of one partition was there: its end, ten times a second. An onlooker that read it all
    would take what is to be measured."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap, self.topic = bootstrap, topic
        self._samples: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        partition = TopicPartition(self.topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap)
        while not self._over.wait(0.1):
            self._samples.append((time.time(), consumer.end_offsets([partition])[partition]))
        consumer.close()

    def rests(self, seconds: float) -> bool:
        """Whether something is there, and nothing came for that long."""
        last = self._samples[-1:]
        since = [at for at, end in self._samples if last and end == last[0][1]]
        return bool(last) and last[0][1] > 0 and last[0][0] - since[0] > seconds

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def reached(self, offset: int) -> float:
        """Wall time at which the record of an offset had been written."""
        times, ends = zip(*self._samples, strict=True)
        known, first = np.unique(ends, return_index=True)
        return float(np.interp(offset + 1, known, np.asarray(times)[first]))


@dataclass(frozen=True, slots=True)
class _Run:
    """Signals between two points of the log: how many, how many ticks, how long it took."""

    signals: int
    ticks: int
    seconds: float


def _through(settings: Settings, growth: _Growth, codec: EventCodec, market: BenchMarket, warm_ticks: int) -> _Run:
    """Waits until all of the market's ticks are signals; counted from the first signal after `warm_ticks`."""
    deadline = time.monotonic() + PATIENCE_S
    times = market.ticks["event_ns"]
    while time.monotonic() < deadline:
        time.sleep(0.5)
        if not growth.rests(1.0):
            continue
        found = list(_signals(settings.kafka.bootstrap, growth.topic, codec, int(times[warm_ticks])))
        if found and found[-1][1] > times[-1]:
            (first, first_ns), (last, _) = found[0], found[-1]
            ticks = len(times) - int(np.searchsorted(times, first_ns))
            return _Run(len(found), ticks, growth.reached(last) - growth.reached(first))
    raise StackError(f"the last signal did not come in {PATIENCE_S:.0f} s: helios jobs, helios logs flink")


def _signals(bootstrap: str, topic: str, codec: EventCodec, from_ns: int) -> Iterator[tuple[int, int]]:
    """Offset and event time (ns) of the signals of a topic, from an event time on."""
    for offset, value in enumerate(_values(bootstrap, topic)):
        if b"signal/" in value[:16]:
            event = codec.decode(value)
            if event.event_time_ns >= from_ns:
                yield offset, event.event_time_ns


@dataclass
class _Stamped:
    """A log that notes when each frame was handed to Kafka."""

    log: Log
    first: dict[str, list[int]] = field(default_factory=dict)
    at_ns: dict[str, list[int]] = field(default_factory=dict)

    def write(self, record: RawFrames) -> None:
        if record.frames:
            self.first.setdefault(record.session, []).append(record.first_sequence)
            self.at_ns.setdefault(record.session, []).append(time.time_ns())
        self.log.write(record)

    def flush(self) -> None:
        self.log.flush()

    @property
    def began_ns(self) -> int:
        return min(times[0] for times in self.at_ns.values())

    def sent_ns(self, session: str, frame: int) -> int:
        return self.at_ns[session][bisect_right(self.first[session], frame) - 1]


def _latency(settings: Settings, load: PipelineLoad, ids: dict[str, int], progress: Progress) -> dict[str, Any]:
    """A whole session at a steady rate: from a frame's hand-over to Kafka until its order is read back."""
    simulation = Simulation(
        load.seed, 2 * load.pairs, load.warm_s + load.rate_s, load.rate, shards=1, jumps_per_minute=2.0
    )
    folder = settings.home / "bench"
    strategy_file = folder / "latency.yaml"
    strategy_file.write_text(dump_strategy(simulation.strategy()))
    session = TradingSession(settings, SessionPlan(strategy_file, PREFIX, load.seed, 17101))
    session.close()
    session.open()
    try:
        session.start(progress)
        topics = session.topics
        progress("Kafka round trip")
        bare = round_trip_ms(settings.kafka.bootstrap, topics.rejects)
        progress(f"{load.rate:,.0f} frames/s, {load.warm_s:.0f} s to warm up and {load.rate_s:.0f} s to measure")
        arrivals = _Arrivals(settings, topics, ids)
        raw = RawLog(settings.kafka.bootstrap, topics.raw("simulated"), FramesCodec(ids[FRAMES]))
        log = _Stamped(raw)
        handled = handle(SimulatedSource(simulation), log, {}, Pace(1.0, load.linger_ms))
        _await_last_order(session, handled.event_ns)
        took = arrivals.latencies(log, settings, topics, ids, load.warm_s)
    finally:
        session.close()
        with suppress(Exception):
            delete_topics(settings.kafka.bootstrap, session.topics, ("simulated",))
    if not took:
        raise StackError(f"no order came of {handled.frames} frames: take more pairs, or measure longer")
    return {
        "raw_to_order_ms": percentiles(took)
        | {"orders": len(took), "frames_per_second": round(handled.frames_per_second)},
        "kafka_round_trip_ms": bare,
    }


def _await_last_order(session: TradingSession, end_ns: int) -> None:
    """Until all that was sent has been through: what is behind comes late, and is to be measured as late."""
    deadline = time.monotonic() + PATIENCE_S
    while not session.signals_done(end_ns):
        if time.monotonic() > deadline:
            raise StackError(f"not through after {PATIENCE_S:.0f} s: give a lower --rate")
        time.sleep(0.5)
    session.drain(PATIENCE_S)


class _Arrivals:
    """Notes when each order is read back."""

    def __init__(self, settings: Settings, topics: Topics, ids: dict[str, int]) -> None:
        self._codec = OrderCodec(ids[RECORDS["trading.orders"]])
        self._consumer = KafkaConsumer(bootstrap_servers=settings.kafka.bootstrap, auto_offset_reset="earliest")
        self._consumer.assign([TopicPartition(topics.orders, 0)])
        self._seen: list[tuple[int, bytes]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            for records in self._consumer.poll(timeout_ms=200).values():
                now = time.time_ns()
                self._seen.extend((now, record.value) for record in records)

    def latencies(
        self, log: _Stamped, settings: Settings, topics: Topics, ids: dict[str, int], warm_s: float
    ) -> list[float]:
        """Milliseconds for each order, by way of its signal, spread event and tick to the frame; of the frames that
        were sent once `warm_s` had passed."""
        self._stop.set()
        self._thread.join()
        self._consumer.close()
        place = settings.kafka.bootstrap
        events = EventCodec(ids[RECORDS["trading.events"]])
        spreads = Codec(RECORDS["market.spreads"], ids[RECORDS["market.spreads"]])
        blocks = BlockCodec(ids[RECORD])
        signals = {event.event_id: event.body for event in map(events.decode, _values(place, topics.events))}
        crossings = {each["sequence"]: each for each in map(spreads.decode, _values(place, topics.spreads))}
        ticks = np.concatenate([blocks.decode(value).ticks for value in _values(place, topics.ticks)])
        frames = dict(zip(ticks["sequence"].tolist(), ticks["frame"].tolist(), strict=True))
        took, counted = [], set()
        for now, value in self._seen:
            order = self._codec.decode(value)
            signal = signals.get(order.cause)
            if order.action != Decision.NEW or not isinstance(signal, Signal) or order.cause in counted:
                continue
            counted.add(order.cause)
            crossing = crossings[signal.last_sequence]
            frame = frames[crossing["tick_sequence"]]
            sent_ns = log.sent_ns(crossing["tick_session"], frame)
            if sent_ns >= log.began_ns + warm_s * NS_PER_S:
                took.append((now - sent_ns) / NS_PER_MS)
        return took


def _values(bootstrap: str, topic: str) -> Iterator[bytes]:
    """Every record of a topic of one partition."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=2000,
    )
    consumer.assign([TopicPartition(topic, 0)])
    try:
        yield from (record.value for record in consumer)
    finally:
        consumer.close()
