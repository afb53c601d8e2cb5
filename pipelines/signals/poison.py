"""Records that stop a SQL job: which they are, and how the job's table leaves them out.

Flink's Kafka source fails at a record that it cannot decode, again at each restart, and does not say which it is:
connector 5.0.0 says "Failed to deserialize consumer record due to", and no more. So we read what it read.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition

from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.wire import BadRecord, Codec

Place = tuple[int, int]
"""Partition and offset."""

_FAULT = re.compile(r"Failed to deserialize (?:consumer|Avro) record")
_NAMED = re.compile(r"topic=(?P<topic>[\w.-]+), partition=(?P<partition>\d+), offset=(?P<offset>\d+)")


@dataclass(frozen=True, slots=True)
class PoisonRecord:
    """A record that cannot be decoded, and what our own codec says of it."""

    topic: str
    partition: int
    offset: int
    why: str

    def __str__(self) -> str:
        return f"{self.topic} partition {self.partition} offset {self.offset}: {self.why}"


def poison_record(
    exception: str, *, bootstrap: str, registry_url: str, topic: str, record: str, group: str
) -> PoisonRecord | None:
    """The record at which a job fails, by the text of its exception; None if it fails at something else.

    Where the text does not name it, the first that cannot be decoded after what the job's consumer group committed at
    its last checkpoint; None again if there is none.
    """
    if not _FAULT.search(exception):
        return None
    named = _NAMED.search(exception)
    if named:
        return PoisonRecord(named["topic"], int(named["partition"]), int(named["offset"]), "Flink cannot decode it")
    return next(bad_records(bootstrap, registry_url, topic, record, group=group), None)


def bad_records(
    bootstrap: str, registry_url: str, topic: str, record: str, *, group: str | None = None
) -> Iterator[PoisonRecord]:
    """Every record of a topic that cannot be decoded as `record`, partition by partition, as far as they go now.

    From what `group` has committed, else from the beginning. Records without a value are none: Flink passes over them.
    """
    registry = SchemaRegistry(registry_url)
    codec = Codec(record, registry.ids()[record], registry.schema)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), group_id=group, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        for partition in partitions:
            committed = consumer.committed(partition) if group else None
            start = max(first[partition], committed or 0)
            for offset, value in _values(consumer, partition, start, end[partition]):
                why = _why_bad(codec, value)
                if why:
                    yield PoisonRecord(topic, partition.partition, offset, why)
    finally:
        consumer.close()


def _values(consumer: KafkaConsumer, partition: TopicPartition, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    consumer.assign([partition])
    consumer.seek(partition, start)
    while consumer.position(partition) < end:
        for each in consumer.poll(timeout_ms=1000).get(partition, ()):
            if each.value is not None and each.offset < end:
                yield each.offset, each.value


def _why_bad(codec: Codec, value: bytes) -> str:
    try:
        codec.decode(value)
    except (BadRecord, LookupError) as error:  # the latter where the registry does not know the schema it names
        return " ".join(str(error).split())
    return ""


def segments(skip: Sequence[Place], partitions: int) -> list[Mapping[str, str]]:
    """Options of Kafka tables that, put together, hold every record of a topic but those of `skip`.

    All but the last table are bounded. They are read at once, so their rows come mixed, and yet none is late: the
    watermark of a union is the lowest of theirs. Raises ValueError for a partition that the topic has not.
    """
    for partition, _ in skip:
        if not 0 <= partition < partitions:
            raise ValueError(f"partition {partition} to skip in: the topic has 0 to {partitions - 1}")
    bad = [sorted({offset for of, offset in skip if of == number}) for number in range(partitions)]
    bounded = []
    for number in range(max(map(len, bad), default=0)):
        # Of each partition the stretch up to its next bad record; of one that has none left, nothing.
        starts = [(offsets[number - 1] + 1 if number else 0) if number < len(offsets) else 0 for offsets in bad]
        ends = [offsets[number] if number < len(offsets) else 0 for offsets in bad]
        bounded.append(_from(starts) | {"scan.bounded.mode": "specific-offsets", **_offsets("scan.bounded", ends)})
    return [*bounded, _from([offsets[-1] + 1 if offsets else 0 for offsets in bad])]


def _from(offsets: Sequence[int]) -> dict[str, str]:
    if not any(offsets):
        return {"scan.startup.mode": "earliest-offset"}
    return {"scan.startup.mode": "specific-offsets", **_offsets("scan.startup", offsets)}


def _offsets(option: str, offsets: Sequence[int]) -> dict[str, str]:
    text = ";".join(f"partition:{partition},offset:{offset}" for partition, offset in enumerate(offsets))
    return {f"{option}.specific-offsets": text}
