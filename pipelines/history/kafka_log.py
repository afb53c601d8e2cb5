"""The session's topics in Kafka, read from where the history says that it stands."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from pipelines.contracts.topics import Topics
from pipelines.history.reader import Message
from pipelines.history.writer import Place

ANSWER_MS = 5_000
"""How long Kafka may take to answer before it counts as away."""


class KafkaAway(ConnectionError):
    """Kafka does not answer, or has not got the topics (yet): says which. Worth trying again."""


class SessionPlace:
    """Which session lives in the topics now. A session's id is the id of its topic trading.events."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        """Raises KafkaAway."""
        self._bootstrap = bootstrap
        self._topic = topics.events
        with _away(bootstrap):
            self._admin = KafkaAdminClient(
                bootstrap_servers=bootstrap.split(","), bootstrap_timeout_ms=ANSWER_MS, request_timeout_ms=ANSWER_MS * 2
            )

    def session_id(self) -> str:
        """Asked of Kafka each time: it changes when the topics are made anew. Raises KafkaAway."""
        with _away(self._bootstrap):
            (found,) = self._admin.describe_topics([self._topic])
        if found["error_code"] or not found["topic_id"]:
            raise KafkaAway(f"Kafka at {self._bootstrap} has no topic {self._topic}: no session has been started")
        return str(found["topic_id"])

    def show(self, group: str, offsets: Mapping[Place, int]) -> None:
        """Leave the offsets as those of a consumer group, so that every Kafka tool shows how far the loader is behind.

        Nobody reads on from them, so a broker that will not take them now is no harm.
        """
        shown = {TopicPartition(*place): OffsetAndMetadata(offset, "", -1) for place, offset in offsets.items()}
        with suppress(KafkaError, OSError):
            self._admin.alter_group_offsets(group, shown)

    def close(self) -> None:
        self._admin.close()


class KafkaLog:
    """A consumer of a session's topics without a group: only the history knows how far it has been read."""

    def __init__(self, bootstrap: str, names: Iterable[str], offsets: Mapping[Place, int]) -> None:
        """Starts each partition at its offset in `offsets`, others at their beginning. Raises KafkaAway."""
        self._bootstrap = bootstrap
        self.lost: list[str] = []
        """Where the log does not reach to the offset wanted: one line each."""
        with _away(bootstrap):
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap.split(","),
                client_id="helios-loader",
                group_id=None,
                enable_auto_commit=False,
                auto_offset_reset="none",  # a reset by the client would read another session's log in silence
                allow_auto_create_topics=False,
                isolation_level="read_committed",
                bootstrap_timeout_ms=ANSWER_MS,
                request_timeout_ms=ANSWER_MS * 2,
                reconnect_backoff_max_ms=1_000,
                fetch_min_bytes=1 << 20,  # a few large fetches, not one for each record
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=4 << 20,
            )
        try:
            with _away(bootstrap):
                self._parts = [TopicPartition(name, number) for name in names for number in self._partitions(name)]
                self._begin(offsets)
        except BaseException:
            self.close()
            raise

    def poll(self, timeout_ms: int, limit: int = 2_000) -> list[Message]:
        """The next records, at most `limit`, in order within each partition; empty if none come within the time."""
        with _away(self._bootstrap):
            return [record for part in self._consumer.poll(timeout_ms, max_records=limit).values() for record in part]

    def offsets(self) -> dict[Place, int]:
        """What comes after the records that were polled, by topic and partition."""
        return {(part.topic, part.partition): self._consumer.position(part, ANSWER_MS) for part in self._parts}

    def ends(self) -> dict[Place, int]:
        """Where each partition ends now: what is committed. Raises KafkaAway."""
        with _away(self._bootstrap):
            ends = self._consumer.end_offsets(self._parts, timeout_ms=ANSWER_MS)
        return {(part.topic, part.partition): end for part, end in ends.items()}

    def behind(self, offsets: Mapping[Place, int]) -> int:
        """How many records lie beyond the given offsets. Raises KafkaAway."""
        return sum(max(0, end - offsets.get(place, 0)) for place, end in self.ends().items())

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=1_000)

    def _begin(self, offsets: Mapping[Place, int]) -> None:
        self._consumer.assign(self._parts)
        firsts = self._consumer.beginning_offsets(self._parts, timeout_ms=ANSWER_MS)
        ends = self._consumer.end_offsets(self._parts, timeout_ms=ANSWER_MS)
        for part in self._parts:
            wanted = offsets.get((part.topic, part.partition), 0)
            at = min(max(wanted, firsts[part]), ends[part])
            self._consumer.seek(part, at)
            if at != wanted:
                there = f"Kafka has {firsts[part]} to {ends[part]}"
                self.lost.append(f"{part.topic}/{part.partition}: {there}, {wanted} is wanted: going on at {at}")

    def _partitions(self, name: str) -> list[int]:
        found = self._consumer.partitions_for_topic(name)
        if not found:
            raise KafkaAway(f"Kafka at {self._bootstrap} has no topic {name}: it is made with the session's others")
        return sorted(found)


@contextmanager
def _away(bootstrap: str) -> Iterator[None]:
    """What the client raises, as KafkaAway."""
    try:
        yield
    except KafkaAway:
        raise
    except (KafkaError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise KafkaAway(f"Kafka at {bootstrap} does not answer ({text or type(error).__name__})") from error
