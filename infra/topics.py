"""The topics of a session: made, remade, found. The id of trading.events is the session's id."""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from pipelines.contracts.topics import Topics

MARKET_BYTES = 4 << 30
"""What a partition of a market topic keeps. By size: timestamps are event times, and those of a replay are old."""

PATIENCE_S = 20.0


class TopicsError(RuntimeError):
    """What is wrong with the topics, and the way out."""


def create_topics(
    bootstrap: str, topics: Topics, venues: tuple[str, ...], shards: int, *, recreate: bool = False
) -> str:
    """Make the topics that are missing; the session id, which is new whenever trading.events is.

    `recreate` deletes them all first: a new session. A topic with other partitions than wanted is a TopicsError.
    """
    wanted = topics.partitions(venues, shards)
    with _admin(bootstrap) as admin:
        there = _partitions(admin, wanted)
        if recreate and there:
            _delete(admin, there)
            there = {}
        for name, count in there.items():
            if count != wanted[name]:
                raise TopicsError(
                    f"topic {name} has {count} partitions and this session wants {wanted[name]}: "
                    "take another prefix, or recreate the topics (what is in them is lost)"
                )
        _create(admin, {name: count for name, count in wanted.items() if name not in there}, topics)
        return _session_id(admin, topics)


def session_id(bootstrap: str, topics: Topics) -> str:
    """The id of the session whose topics these are; TopicsError if there is none."""
    with _admin(bootstrap) as admin:
        return _session_id(admin, topics)


def last_time_ms(bootstrap: str, names: Collection[str]) -> int:
    """The greatest Kafka timestamp in topics, which is event time, ms; 0 where they are empty or not there."""
    with _admin(bootstrap) as admin:
        found = admin.describe_topics(sorted(names)) if names else []
        places = [
            TopicPartition(topic["name"], partition["partition_index"])
            for topic in found
            if topic["error_code"] == 0
            for partition in topic["partitions"]
        ]
        greatest = dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP)
        last = admin.list_partition_offsets(greatest).values() if places else ()
        return max((place.timestamp for place in last), default=0)


def delete_topics(bootstrap: str, topics: Topics, venues: tuple[str, ...]) -> None:
    """Delete the session's topics, those that exist."""
    with _admin(bootstrap) as admin:
        there = _partitions(admin, topics.partitions(venues, 1))
        if there:
            _delete(admin, there)


@contextmanager
def _admin(bootstrap: str) -> Iterator[KafkaAdminClient]:
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap.split(","), request_timeout_ms=15_000, bootstrap_timeout_ms=5_000
        )
    except (KafkaError, OSError) as error:
        raise TopicsError(f"no Kafka broker answers on {bootstrap} ({type(error).__name__}): helios status") from None
    try:
        yield admin
    except (KafkaError, OSError) as error:
        raise TopicsError(f"Kafka at {bootstrap}: {' '.join(str(error).split())[:300]}: helios status") from error
    finally:
        admin.close()


def _partitions(admin: KafkaAdminClient, wanted: Mapping[str, int]) -> dict[str, int]:
    """Of the wanted topics, those that exist, with their partitions."""
    found = admin.describe_topics(list(wanted))
    there = {topic["name"]: len(topic["partitions"]) for topic in found if topic["error_code"] == 0}
    return {name: there[name] for name in wanted if name in there}


def _create(admin: KafkaAdminClient, missing: Mapping[str, int], topics: Topics) -> None:
    if not missing:
        return
    deadline = time.monotonic() + PATIENCE_S
    forever = {
        "retention.ms": "-1",
        "message.timestamp.after.max.ms": str((1 << 63) - 1),
        "max.message.bytes": str(16 << 20),
    }
    by_size = forever | {"retention.bytes": str(MARKET_BYTES)}
    log_of_record = {topics.events, topics.orders}
    definitions = {
        name: {"num_partitions": count, "configs": forever if name in log_of_record else by_size}
        for name, count in missing.items()
    }
    while definitions:
        try:
            admin.create_topics(definitions, wait_for_metadata=True)
            return
        except TopicAlreadyExistsError:
            # Deleted a moment ago, or made by another process in between.
            there = _partitions(admin, missing)
            definitions = {name: it for name, it in definitions.items() if name not in there}
            if definitions and time.monotonic() > deadline:
                raise TopicsError(f"topics {', '.join(definitions)} are still being deleted: try again") from None
            time.sleep(0.1)


def _delete(admin: KafkaAdminClient, there: Mapping[str, int]) -> None:
    """Delete and wait until they are gone."""
    try:
        admin.delete_topics(list(there))
    except UnknownTopicOrPartitionError:
        for name in _partitions(admin, there):
            admin.delete_topics([name])
    deadline = time.monotonic() + PATIENCE_S
    while left := _partitions(admin, there):
        if time.monotonic() > deadline:
            raise TopicsError(
                f"topics {', '.join(left)} are still there {PATIENCE_S:.0f} s after their deletion: helios logs kafka"
            )
        time.sleep(0.05)


def _session_id(admin: KafkaAdminClient, topics: Topics) -> str:
    (found,) = admin.describe_topics([topics.events])
    if found["error_code"] or not found["topic_id"]:
        raise TopicsError(f"topic {topics.events} is not there: make the session's topics first (create_topics)")
    return str(found["topic_id"])
