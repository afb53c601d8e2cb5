"""The last word on an account's risk in trading.events of a session, found from its end."""

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from infra.topics import session_id
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics, kafka_partition
from pipelines.contracts.trading import EVENT, EventCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.trading import RiskUpdate, TradingEvent

RISK = b"risk/"
"""What event ids of risk updates begin with."""

HEAD_BYTES = 8
"""At most this much comes before an event's id: the frame, and how long the id is."""

STEP = 4_000
"""Records that are read at once, further and further from the end."""


class RiskLogError(RuntimeError):
    """Why no risk can be told of, and the way out."""


def latest(bootstrap: str, registry_url: str, prefix: str, account: str = "") -> TradingEvent:
    """The newest risk update of a session, or of one account. Raises RiskLogError, TopicsError, RegistryError."""
    topics = Topics(prefix)
    session_id(bootstrap, topics)  # it is there: a consumer would make it
    registry = SchemaRegistry(registry_url)
    codec = EventCodec(registry.ids()[EVENT], registry.schema)
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap.split(","),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
        )
        try:
            found = _search(consumer, topics.events, codec, account)
        finally:
            consumer.close()
    except (KafkaError, OSError) as error:
        raise RiskLogError(f"{topics.events} at {bootstrap}: {error}: helios status") from error
    if found is None:
        of = f" of account {account}" if account else ""
        raise RiskLogError(
            f"{topics.events} has no risk update{of}: there is none before the window has 20 rows (minutes, or closing "
            "prices of risk.history) and a price of all that is held; helios jobs shows whether the job risk runs"
        )
    return found


def _search(consumer: KafkaConsumer, topic: str, codec: EventCodec, account: str) -> TradingEvent | None:
    partitions = sorted(consumer.partitions_for_topic(topic) or {0})
    if account:
        partitions = [kafka_partition(account.encode(), len(partitions))]
    found = [_newest(consumer, TopicPartition(topic, each), codec, account) for each in partitions]
    return max((each for each in found if each is not None), key=lambda each: each.event_time_ns, default=None)


def _newest(consumer: KafkaConsumer, place: TopicPartition, codec: EventCodec, account: str) -> TradingEvent | None:
    consumer.assign([place])
    start, end = consumer.beginning_offsets([place])[place], consumer.end_offsets([place])[place]
    while end > start:
        first, found = max(start, end - STEP), None
        consumer.seek(place, first)
        while consumer.position(place) < end:
            for records in consumer.poll(timeout_ms=500, max_records=STEP).values():
                for record in records:
                    if record.offset < end and (event := _risk(record.value, codec)) is not None:
                        found = event if event.account == account or not account else found
        if found is not None:
            return found
        end = first
    return None


def _risk(value: bytes | None, codec: EventCodec) -> TradingEvent | None:
    # An id is the first field: all others are told apart without being decoded.
    if value is None or RISK not in value[: HEAD_BYTES + len(RISK)]:
        return None
    try:
        event = codec.decode(value)
    except BadRecord:
        return None
    return event if isinstance(event.body, RiskUpdate) else None
