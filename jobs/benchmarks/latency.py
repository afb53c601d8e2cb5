"""A raw frame to its order: a whole session at a steady rate, each order followed back to its frame."""

import threading
import time
from bisect import bisect_right
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition

from infra.settings import Settings
from infra.stack import StackError
from infra.topics import delete_topics
from jobs.benchmarks.broker import percentiles, round_trip_ms
from jobs.benchmarks.load import PATIENCE_S, PREFIX, PipelineLoad, strategy_file, values_of
from jobs.session import SessionPlan, TradingSession
from jobs.submit import Progress
from pipelines.contracts.blocks import RECORD, BlockCodec
from pipelines.contracts.frames import RECORD as FRAMES
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.trading import EventCodec, OrderCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.trading import Decision, Signal
from pipelines.feeds.handler import Log, Pace, handle
from pipelines.feeds.raw_log import RawLog
from pipelines.feeds.simulated import SimulatedSource, Simulation


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


def measure_latency(settings: Settings, load: PipelineLoad, ids: dict[str, int], progress: Progress) -> dict[str, Any]:
    """A whole session at a steady rate: from a frame's hand-over to Kafka until its order is read back."""
    simulation = Simulation(
        load.seed, 2 * load.pairs, load.warm_s + load.rate_s, load.rate, shards=1, jumps_per_minute=2.0
    )
    plan = SessionPlan(strategy_file(settings, simulation.strategy()), PREFIX, load.seed, 17101)
    session = TradingSession(settings, plan)
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
        signals = {event.event_id: event.body for event in map(events.decode, values_of(place, topics.events))}
        crossings = {each["sequence"]: each for each in map(spreads.decode, values_of(place, topics.spreads))}
        ticks = np.concatenate([blocks.decode(value).ticks for value in values_of(place, topics.ticks)])
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
