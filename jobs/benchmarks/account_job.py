"""The trading job over a log of account events that is there: events a second, beside Kafka alone."""

import time
from collections.abc import Sequence
from typing import Any

from infra.settings import Settings
from infra.stack import StackError
from jobs.benchmarks.broker import bulk_producer, kafka_seconds, send_all
from jobs.benchmarks.load import PATIENCE_S, PREFIX, cancel_jobs, strategy_file, values_of
from jobs.benchmarks.market import BenchMarket
from jobs.benchmarks.throughput import Growth, bench_topics
from jobs.submit import Progress, submit
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import POSITION as POSITION_RECORD
from pipelines.contracts.trading import EventCodec, PositionCodec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import TradingEvent


def measure_job(
    settings: Settings,
    market: BenchMarket,
    events: Sequence[TradingEvent],
    ids: dict[str, int],
    progress: Progress,
) -> dict[str, Any]:
    """Counted from a quarter of the log to its end, by the heartbeats that the job tells of the account's time."""
    topics, place = Topics(PREFIX), settings.kafka.bootstrap
    codec = EventCodec(ids[RECORDS["trading.events"]])
    values = [codec.encode(event) for event in events]
    times_ms = [event.event_time_ns // NS_PER_MS for event in events]
    with bench_topics(settings, topics, market):
        progress("Kafka alone")
        kafka_s = kafka_seconds(place, topics.rejects, values)
        with bulk_producer(place) as producer:
            send_all(producer, topics.events, market.strategy.account, values, times_ms)
        growth = Growth(place, topics.positions)
        try:
            submit(settings, ("trading",), strategy_file(settings, market.strategy), PREFIX, progress=progress)
            progress("trading.events to orders")
            deadline = time.monotonic() + PATIENCE_S
            while not growth.rests(3.0):
                if time.monotonic() > deadline:
                    raise StackError(f"orders still come after {PATIENCE_S:.0f} s: give fewer --ticks")
                time.sleep(0.2)
            taken, seconds = _through(growth, PositionCodec(ids[POSITION_RECORD]), events, place)
        finally:
            growth.close()
            cancel_jobs(settings)
    rate = taken / seconds
    return {
        "events_per_second": round(rate),
        "seconds": round(seconds, 2),
        "events": taken,
        "ratio_to_kafka": round(rate / (len(values) / kafka_s), 4),
    }


def _through(growth: Growth, codec: PositionCodec, events: Sequence[TradingEvent], place: str) -> tuple[int, float]:
    """Events taken between two things told, and the seconds between these: each names the event that caused it."""
    number = {event.event_id: at for at, event in enumerate(events)}
    told = [(offset, codec.decode(value)) for offset, value in enumerate(values_of(place, growth.topic))]
    caused = [(offset, number[each.cause]) for offset, each in told if each.cause in number]
    late = [(offset, at) for offset, at in caused if at >= len(events) // 4]
    if len(late) < 2:
        raise StackError("no positions came: helios jobs, helios logs flink")
    (first, begin), (last, end) = late[0], late[-1]
    return end - begin, growth.reached(last) - growth.reached(first)
