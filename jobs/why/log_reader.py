"""A session's topics in Kafka, read by place: from an offset to an offset, or from a time on."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from jobs.why.chain import WhyError

PATIENCE_S = 30.0
"""Without a record: then the broker counts as away."""


class LogReader:
    """One consumer without a group. Its reads are not to be mixed: each is to be done with before the next."""

    def __init__(self, bootstrap: str) -> None:
        """Raises WhyError where no broker answers."""
        self._bootstrap = bootstrap
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap.split(","),
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                allow_auto_create_topics=False,
                isolation_level="read_committed",
                max_partition_fetch_bytes=8 << 20,
            )
        except (KafkaError, OSError) as error:
            raise WhyError(f"no Kafka broker answers on {bootstrap} ({type(error).__name__}): helios status") from error

    def close(self) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> list[int]:
        """Sorted; none where there is no such topic."""
        with self._answering(topic):
            return sorted(self._consumer.partitions_for_topic(topic) or ())

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Where a partition begins and ends now."""
        place = TopicPartition(topic, partition)
        with self._answering(topic):
            begin, end = self._consumer.beginning_offsets([place])[place], self._consumer.end_offsets([place])[place]
        return int(begin), int(end)

    def at(self, topic: str, partition: int, time_ms: int) -> int:
        """The first offset of a record not older than a time (Kafka's, which is event time); the end if none is."""
        place = TopicPartition(topic, partition)
        with self._answering(topic):
            found = self._consumer.offsets_for_times({place: max(0, time_ms)})[place]
        return int(found.offset) if found is not None else self.bounds(topic, partition)[1]

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[Any]:
        """kafka-python's records from `start` to before `end`. Raises WhyError where Kafka falls silent."""
        place = TopicPartition(topic, partition)
        with self._answering(topic):
            self._consumer.assign([place])
            self._consumer.seek(place, start)
            heard = time.monotonic()
            while self._consumer.position(place) < end:
                records = self._consumer.poll(timeout_ms=500, max_records=10_000).get(place, ())
                for record in records:
                    if record.offset >= end:
                        return
                    yield record
                if records:
                    heard = time.monotonic()
                elif time.monotonic() - heard > PATIENCE_S:
                    raise WhyError(f"{topic}/{partition} at {self._bootstrap}: nothing comes any more: helios status")

    def back(self, topic: str, partition: int, end: int, size: int, most: int) -> Iterator[list[Any]]:
        """What lies before `end`, in pieces that grow, the nearest first; at most so many records in all."""
        begin, _ = self.bounds(topic, partition)
        left = most
        while end > begin and left > 0:
            start = max(begin, end - min(size, left))
            yield list(self.read(topic, partition, start, end))
            left -= end - start
            end, size = start, size * 4

    @contextmanager
    def _answering(self, topic: str) -> Iterator[None]:
        try:
            yield
        except KafkaError as error:
            text = " ".join(str(error).split())[:200]
            raise WhyError(f"{topic} at {self._bootstrap}: {text}: helios status") from error
