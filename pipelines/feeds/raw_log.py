"""raw.<venue>, the topic that a feed handler writes: records in, and how far its sessions are written already."""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.topics import kafka_partition
from pipelines.contracts.wire import BadRecord
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.source import Mark

MOST_BYTES = 512 * 1024
"""Of the frames in one record: a broker takes a megabyte."""

MOST_UNACKNOWLEDGED = 200
"""Records under way; then the handler waits, so that memory stays small however slow the broker."""

LOOK_BACK = 256
"""Records of a partition read at once, from its end backwards, in search of a session's last."""

ACKNOWLEDGE_S = 120.0


class LogError(RuntimeError):
    """The topic cannot be written or read: says which broker and topic, and the way out."""


class RawLog:
    """Writes the records of one venue: acknowledged by all replicas, in order, and each once (idempotent producer)."""

    def __init__(self, bootstrap: str, topic: str, codec: FramesCodec) -> None:
        self._topic = topic
        self._where = f"topic {topic} at {bootstrap}"
        self._codec = codec
        self._sent: deque[object] = deque()
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap.split(","),
                client_id=f"feed-{topic}",
                acks="all",
                enable_idempotence=True,
                linger_ms=0,  # a frame has waited for others in the handler
                batch_size=MOST_BYTES,
                max_request_size=16 << 20,
            )
        except KafkaError as error:
            raise LogError(f"{self._where}: no broker answers ({error}): helios status") from error

    def write(self, record: RawFrames) -> None:
        size = sum(map(len, record.frames))
        if size > MOST_BYTES and len(record.frames) > 1:
            middle = len(record.frames) // 2
            self.write(replace(record, receive_ns=record.receive_ns[:middle], frames=record.frames[:middle], end=False))
            later = record.receive_ns[middle:], record.frames[middle:]
            first = record.first_sequence + middle
            self.write(replace(record, first_sequence=first, symbols=(), receive_ns=later[0], frames=later[1]))
            return
        time_ns = record.receive_ns[-1] if record.receive_ns else record.clock_ns
        try:
            value, key = self._codec.encode(record), record.session.encode()
            self._sent.append(self._producer.send(self._topic, value, key=key, timestamp_ms=time_ns // NS_PER_MS))
        except KafkaError as error:
            raise self._failed(error) from error
        if len(self._sent) > MOST_UNACKNOWLEDGED:
            self._await_oldest()

    def flush(self) -> None:
        """Return when every record is acknowledged."""
        while self._sent:
            self._await_oldest()

    def close(self) -> None:
        self._producer.close()

    def _await_oldest(self) -> None:
        future = self._sent.popleft()
        try:
            future.get(timeout=ACKNOWLEDGE_S)  # type: ignore[attr-defined]
        except KafkaError as error:
            raise self._failed(error) from error

    def _failed(self, error: KafkaError) -> LogError:
        return LogError(f"{self._where}: not written: {' '.join(str(error).split())}: helios status; then start again")


def read_marks(bootstrap: str, topic: str, codec: FramesCodec, sessions: Iterable[str]) -> dict[str, Mark]:
    """How far each session is written in the topic, by its last record; a session without any is not in the answer."""
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), enable_auto_commit=False)
    except KafkaError as error:
        raise LogError(f"topic {topic} at {bootstrap}: no broker answers ({error}): helios status") from error
    try:
        partitions = consumer.partitions_for_topic(topic)
        if not partitions:
            raise LogError(f"topic {topic} at {bootstrap} is not there: make the session's topics first")
        found: dict[str, Mark] = {}
        wanted: dict[int, set[str]] = {}
        for session in sessions:
            wanted.setdefault(kafka_partition(session.encode(), len(partitions)), set()).add(session)
        for partition, names in wanted.items():
            found |= _last_records(consumer, TopicPartition(topic, partition), codec, names)
        return found
    except KafkaError as error:
        raise LogError(f"topic {topic} at {bootstrap}: not read: {' '.join(str(error).split())}") from error
    finally:
        consumer.close()


def _last_records(
    consumer: KafkaConsumer, place: TopicPartition, codec: FramesCodec, names: set[str]
) -> dict[str, Mark]:
    consumer.assign([place])
    begin, upto = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
    found: dict[str, Mark] = {}
    while upto > begin and names - found.keys():
        start = max(begin, upto - LOOK_BACK)
        consumer.seek(place, start)
        here: dict[str, Mark] = {}
        while consumer.position(place) < upto:
            for records in consumer.poll(timeout_ms=1000).values():
                for record in records:
                    if record.offset < upto and (mark := _mark(codec, record.value)) is not None:
                        here[mark[0]] = mark[1]
        found = {name: mark for name, mark in here.items() if name in names} | found
        upto = start
    return found


def _mark(codec: FramesCodec, value: bytes) -> tuple[str, Mark] | None:
    try:
        record = codec.decode(value)
    except BadRecord:
        return None  # the market job tells of it
    return record.session, Mark(record.first_sequence + len(record.frames), record.clock_ns, record.end)
