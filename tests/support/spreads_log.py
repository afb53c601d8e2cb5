"""market.spreads written by hand: crossings of one pair, second by second, where no spreads job runs."""

from kafka import KafkaProducer

from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import shard_key
from pipelines.contracts.wire import Codec
from pipelines.domain.market import NS_PER_MS
from tests.conftest import OpenSession

RECORD = "helios.market.SpreadEvent"
START_MS = 1_767_600_000_000
"""2026-01-05, 08:00 UTC."""


class SpreadsLog:
    """Of a session of one shard."""

    def __init__(self, session: OpenSession, pair: str) -> None:
        ids = SchemaRegistry(session.settings.registry.url).register_all()
        self._codec = Codec(RECORD, ids[RECORD])
        self._producer = KafkaProducer(bootstrap_servers=session.settings.kafka.bootstrap, acks="all")
        self._topic = session.topics.spreads
        self._pair = pair
        self._z = 0.0
        self._sequence = 0
        self.now_ms = START_MS

    def crosses(self, *levels: float) -> int:
        """z passes levels, one a second; the sequence of the last. A heartbeat takes time past it."""
        for z in levels:
            self.now_ms += 1000
            self._sequence += 1
            self._write("crossing", self._pair, z, self._z)
            self._z = z
        self.now_ms += 10
        self._write("heartbeat", "", 0.0, 0.0)
        self._producer.flush()
        return self._sequence

    def spoil(self) -> None:
        """Write what no reader can decode."""
        self._producer.send(self._topic, b"no Avro", key=shard_key(0, 1).encode(), timestamp_ms=self.now_ms)
        self._producer.flush()

    def _write(self, kind: str, pair: str, z: float, z_before: float) -> None:
        told = {"kind": kind, "pair": pair, "shard": 0, "sequence": self._sequence, "z": z, "z_before": z_before}
        told |= {"event_time_ms": self.now_ms, "event_time_ns": self.now_ms * NS_PER_MS, "rung": round(z * 4)}
        told |= {"spread": z, "mean": 0.0, "std": 1.0, "beta": 1.0, "mid_a": 100.0 + z, "mid_b": 100.0}
        told |= {"tick_session": "", "tick_sequence": 0}
        self._producer.send(
            self._topic, self._codec.encode(told), key=shard_key(0, 1).encode(), timestamp_ms=self.now_ms
        )

    def close(self) -> None:
        self._producer.close()
