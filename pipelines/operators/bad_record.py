"""A record of a topic of our own that cannot be used, as a reject: it names topic, partition and offset."""

from pipelines.contracts.wire import Codec
from pipelines.operators.flink import Emitted, RawRecord, emit

PAYLOAD_BYTES = 512
"""Of the record, at most this much is kept."""


def bad_record(rejects: Codec, to: str, value: RawRecord, topic: str, error: str, reader: str = "") -> Emitted:
    """A row for the topic of rejects, `to`. It counts no frame. `reader`: who could not use it, where several read the
    topic. Venue: ourselves."""
    time_ms = max(value.timestamp, 0)
    record = rejects.encode(
        {
            "venue": "helios",
            "session": f"{topic}/{value.partition}{reader and f'/{reader}'}",
            "frame": -1 - value.offset,
            "frames": 0,
            "reason": "bad_record",
            "detail": f"{topic} partition {value.partition} offset {value.offset}: {' '.join(error.split())}",
            "event_time_ms": time_ms,
            "raw_topic": topic,
            "raw_partition": value.partition,
            "raw_offset": value.offset,
            "payload": bytes(value.value or b"")[:PAYLOAD_BYTES],
        }
    )
    return emit(to, "helios", [record], [time_ms])
