"""How far the readers of Kafka are behind."""

from contextlib import suppress
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from infra.parts.part import Unhealthy


@dataclass(frozen=True, slots=True)
class Lag:
    """Records between what a group has committed and the end of a topic, over the partitions that it has committed."""

    group: str
    topic: str
    records: int


def forget(bootstrap: str, group: str) -> None:
    """Take a consumer group away whose reader will not come back: it would be ever further behind. One that is read by
    another, or not there, stays so; nothing hangs on it."""
    with suppress(KafkaError, OSError):
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), request_timeout_ms=10_000, bootstrap_timeout_ms=3_000
        )
        try:
            admin.delete_groups([group])
        finally:
            admin.close()


def lags(bootstrap: str) -> list[Lag]:
    """Of every consumer group, by group and topic; Unhealthy if the broker does not answer."""
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), request_timeout_ms=10_000, bootstrap_timeout_ms=3_000
        )
        try:
            groups = sorted(group["group_id"] for group in admin.list_groups())
            committed = {group: admin.list_group_offsets(group)[group] for group in groups}
            partitions = {partition for offsets in committed.values() for partition in offsets}
            there = set(admin.list_topics())
            latest = admin.list_partition_offsets({p: -1 for p in partitions if p.topic in there}) if partitions else {}
        finally:
            admin.close()
    except (KafkaError, OSError) as error:
        raise Unhealthy(f"{bootstrap} does not tell its consumer groups ({type(error).__name__})") from None
    found: dict[tuple[str, str], int] = {}
    for group, offsets in committed.items():
        for partition, offset in offsets.items():
            if partition in latest and offset.offset >= 0:
                key = (group, partition.topic)
                found[key] = found.get(key, 0) + max(0, latest[partition].offset - offset.offset)
    return [Lag(group, topic, records) for (group, topic), records in sorted(found.items())]
