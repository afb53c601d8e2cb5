"""market.ticks to signals: the spreads and signals jobs over a log that is there, as fast as they go."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from infra.settings import Settings
from infra.stack import StackError
from infra.topics import create_topics, delete_topics
from jobs.benchmarks.broker import bulk_producer, kafka_seconds, send_all
from jobs.benchmarks.load import PATIENCE_S, PREFIX, PipelineLoad, cancel_jobs, strategy_file, values_of
from jobs.benchmarks.market import VENUE as BENCH
from jobs.benchmarks.market import BenchMarket, closing_rows
from jobs.benchmarks.threads import Seconds, used
from jobs.submit import Progress, submit
from pipelines.contracts.blocks import RECORD, BlockCodec, TickBlock
from pipelines.contracts.topics import RECORDS, Topics, shard_key
from pipelines.contracts.trading import EventCodec
from pipelines.domain.market import NS_PER_MS


def measure_throughput(
    settings: Settings, load: PipelineLoad, market: BenchMarket, ids: dict[str, int], progress: Progress
) -> dict[str, Any]:
    """Ticks and signals a second, counted from the first signal after the warm-up, and the same bytes through Kafka."""
    topics = Topics(PREFIX)
    codec = BlockCodec(ids[RECORD])
    blocks = market.blocks(codec, load.block_ticks)
    warm = load.warm_ticks // load.block_ticks
    lasts = np.minimum(np.arange(1, len(blocks) + 1) * load.block_ticks, len(market.ticks)) - 1
    ends = (market.ticks["event_ns"][lasts] // NS_PER_MS).tolist()
    names = tuple(instrument.id for instrument in market.strategy.instruments)
    tail = closing_rows(market, market.strategy.pairs[0])
    last = codec.encode(TickBlock(BENCH, BENCH, 0, 0, len(blocks), names, tail))
    with bench_topics(settings, topics, market):
        progress("Kafka alone")
        kafka_s = kafka_seconds(settings.kafka.bootstrap, topics.rejects, blocks[warm:])
        progress("writing the log")
        with bulk_producer(settings.kafka.bootstrap) as producer:
            its = [*blocks, last], [*ends, int(tail["event_ns"][2]) // NS_PER_MS]
            send_all(producer, topics.ticks, shard_key(0, 1), *its)
        growth = Growth(settings.kafka.bootstrap, topics.events)
        try:
            submit(
                settings, ("spreads", "signals"), strategy_file(settings, market.strategy), PREFIX, progress=progress
            )
            progress("ticks to signals")
            run = _through(settings, growth, EventCodec(ids[RECORDS["trading.events"]]), market, load.warm_ticks)
        finally:
            growth.close()
            cancel_jobs(settings)
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


@contextmanager
def bench_topics(settings: Settings, topics: Topics, market: BenchMarket) -> Iterator[None]:
    venues = tuple(venue.name for venue in market.strategy.venues)
    create_topics(settings.kafka.bootstrap, topics, venues, market.strategy.shards, recreate=True)
    try:
        yield
    finally:
        delete_topics(settings.kafka.bootstrap, topics, venues)


class Growth:
    """When how much of a topic of one partition was there: its end, ten times a second, and what the threads of a stack
    had spent by then. An onlooker that read it all would take what is to be measured."""

    def __init__(self, bootstrap: str, topic: str, spent: Callable[[], Seconds] = dict) -> None:
        self._bootstrap, self.topic, self._look_at_threads = bootstrap, topic, spent
        self._samples: list[tuple[float, int]] = []
        self._spent: list[tuple[float, Seconds]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        partition = TopicPartition(self.topic, 0)
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap)
        while not self._over.wait(0.1):
            self._samples.append((time.time(), consumer.end_offsets([partition])[partition]))
            if len(self._samples) % 3 == 1:
                self._spent.append((time.time(), self._look_at_threads()))
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

    def spent(self, begin: float, end: float) -> dict[str, float]:
        """CPU seconds between two wall times, by what the threads do: of the looks nearest to them, made to fit."""
        first, last = (min(self._spent, key=lambda look: abs(look[0] - at)) for at in (begin, end))
        span = last[0] - first[0]
        fit = (end - begin) / span if span > 0 else 0.0
        return {does: fit * seconds for does, seconds in used(first[1], last[1]).items()}


@dataclass(frozen=True, slots=True)
class _Run:
    """Signals between two points of the log: how many, how many ticks, how long it took."""

    signals: int
    ticks: int
    seconds: float


def _through(settings: Settings, growth: Growth, codec: EventCodec, market: BenchMarket, warm_ticks: int) -> _Run:
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
    for offset, value in enumerate(values_of(bootstrap, topic)):
        if b"signal/" in value[:16]:
            event = codec.decode(value)
            if event.event_time_ns >= from_ns:
                yield offset, event.event_time_ns
