"""What signals have given, live and in shadow: both topics, read as one."""

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition

from infra.settings import Settings
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import Topics
from pipelines.contracts.trading import EVENT, EventCodec
from pipelines.contracts.wire import BadRecord
from pipelines.domain.trading import Signal, TradingEvent


@dataclass(frozen=True, slots=True)
class Given:
    """A signal as it came. `live`: it was in trading.events, where the trader sees it."""

    event: TradingEvent
    signal: Signal
    live: bool


class SignalLog:
    """trading.events and signals.shadow of a session, signals alone: each as often as it lies there."""

    def __init__(self, settings: Settings, prefix: str, *, from_beginning: bool) -> None:
        """`from_beginning`: else from the end on."""
        registry = SchemaRegistry(settings.registry.url)
        self._codec = EventCodec(registry.ids()[EVENT], registry.schema)
        topics = Topics(prefix)
        self._live = TopicPartition(topics.events, 0)
        self._places = [self._live, TopicPartition(topics.shadow, 0)]
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.kafka.bootstrap.split(","),
            group_id=None,
            enable_auto_commit=False,
            isolation_level="read_committed",
            allow_auto_create_topics=False,
        )
        self._consumer.assign(self._places)
        if from_beginning:
            self._consumer.seek_to_beginning()
        else:
            self._consumer.seek_to_end()
            for place in self._places:
                self._consumer.position(place)  # the end of now, not of the first poll

    def poll(self, timeout_s: float, versions: Collection[str] = ()) -> list[Given]:
        """What has come; of these versions alone, if any are named."""
        wanted = [version.encode() for version in versions]
        found = []
        for place, records in self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=10_000).items():
            for record in records:
                value = record.value
                # Most of the log is marks: what does not hold a version's name is not decoded.
                if value is None or (wanted and not any(each in value for each in wanted)):
                    continue
                try:
                    event = self._codec.decode(value)
                except BadRecord:  # its readers report it
                    continue
                if isinstance(event.body, Signal) and (not versions or event.body.version in versions):
                    found.append(Given(event, event.body, place == self._live))
        return found

    def to_the_end(self, versions: Collection[str]) -> Iterator[Given]:
        """All that there is now."""
        ends = self._consumer.end_offsets(self._places)
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            yield from self.poll(0.5, versions)

    def close(self) -> None:
        self._consumer.close()


def signals_given(settings: Settings, prefix: str, name: str, *versions: str) -> list[dict[str, TradingEvent]]:
    """Of each version of a signal all that it has given so far, live or in shadow, by event id."""
    found: dict[str, dict[str, TradingEvent]] = {version: {} for version in versions}
    with closing(SignalLog(settings, prefix, from_beginning=True)) as log:
        for given in log.to_the_end(versions):
            if given.signal.name == name:
                found[given.signal.version][given.event.event_id] = given.event
    return [found[version] for version in versions]
