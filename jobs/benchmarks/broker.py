"""What Kafka alone does with the same bytes, from the same client, in the same run: the measure that ratios are to."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from kafka import KafkaConsumer, KafkaProducer, TopicPartition


@contextmanager
def bulk_producer(bootstrap: str, linger_ms: int = 2) -> Iterator[KafkaProducer]:
    """A producer for throughput: acknowledged by the broker, batches of 1 MB."""
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, acks="all", linger_ms=linger_ms, batch_size=1 << 20, max_request_size=8 << 20
    )
    try:
        yield producer
    finally:
        producer.close()


def send_all(producer: KafkaProducer, topic: str, key: str, values: Sequence[bytes], times_ms: Sequence[int]) -> None:
    """Send in order to the partition of a key, as fast as the client goes; returns when all are acknowledged."""
    name = key.encode()
    for value, at in zip(values, times_ms, strict=True):
        producer.send(topic, value=value, key=name, timestamp_ms=at)
    producer.flush()


def kafka_seconds(bootstrap: str, topic: str, values: Sequence[bytes]) -> float:
    """Seconds from the first send until a consumer in another process has read the last of the values."""
    command = [sys.executable, "-m", "jobs.benchmarks.broker", bootstrap, topic, str(len(values))]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert reader.stdout is not None
    try:
        reader.stdout.readline()  # it is ready
        with bulk_producer(bootstrap) as producer:
            started = time.time()
            send_all(producer, topic, "bench", values, range(len(values)))
            finished = float(reader.stdout.readline())
        return finished - started
    finally:
        reader.kill()
        reader.wait()


def round_trip_ms(bootstrap: str, topic: str, samples: int = 500, pause_s: float = 0.005) -> dict[str, float]:
    """p50 and p99 in ms from the send of a small record to its arrival at a consumer of the same process."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=100, auto_offset_reset="earliest")
    consumer.assign([partition])
    consumer.seek_to_end(partition)
    consumer.position(partition)
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks=1, linger_ms=0)
    took = []
    try:
        for number in range(samples + 50):
            started = time.perf_counter()
            producer.send(topic, value=b"%d" % number, partition=0)
            while not consumer.poll(timeout_ms=1000):
                pass
            took.append(1000 * (time.perf_counter() - started))
            time.sleep(pause_s)
    finally:
        producer.close()
        consumer.close()
    return percentiles(took[50:])


def percentiles(milliseconds: Sequence[float]) -> dict[str, float]:
    """p50, p90 and p99, to a hundredth."""
    found = np.percentile(np.asarray(milliseconds), [50, 90, 99])
    return {f"p{at}": round(float(each), 2) for at, each in zip((50, 90, 99), found, strict=True)}


def _read(bootstrap: str, topic: str, expected: int) -> None:
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 << 20,
        fetch_max_bytes=32 << 20,
    )
    consumer.assign([TopicPartition(topic, 0)])
    consumer.position(TopicPartition(topic, 0))
    print("ready", flush=True)
    taken = 0
    while taken < expected:
        taken += sum(len(records) for records in consumer.poll(timeout_ms=1000, max_records=10_000).values())
    print(time.time(), flush=True)
    consumer.close()


if __name__ == "__main__":
    _read(sys.argv[1], sys.argv[2], int(sys.argv[3]))
