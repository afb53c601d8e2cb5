"""Records of a session's topics as batches of rows. One that cannot be read becomes a row too, among the rejects."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.wire import Codec, Record, SchemaOf
from pipelines.domain.market import Ticks
from pipelines.history.copy_format import home, merge
from pipelines.history.rows import (
    Row,
    Value,
    bar_rows,
    event_rows,
    order_rows,
    reject_rows,
    sample_rows,
    spread_rows,
    unreadable,
)
from pipelines.history.tables import Table

RowsOf = Callable[[str, Record], Iterator[tuple[Table, Row]]]


class Message(Protocol):
    """What is used of a Kafka record: kafka-python's ConsumerRecord has it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None


@dataclass(slots=True)
class Batch:
    """Rows of some records, ready to be copied: ticks as columns by feed session, the rest as tuples by table."""

    ticks: dict[tuple[str, str], tuple[tuple[str, ...], Ticks]] = field(default_factory=dict)
    """(venue, feed session) -> its instruments, and rows that index them."""
    rows: dict[Table, list[Row]] = field(default_factory=lambda: defaultdict(list))
    bad_records: int = 0

    @property
    def size(self) -> int:
        return sum(len(ticks) for _, ticks in self.ticks.values()) + sum(len(rows) for rows in self.rows.values())


class SessionReader:
    """Reads the topics of one session, whose names and codecs it holds."""

    def __init__(
        self, session_id: str, topics: Topics, schema_ids: Mapping[str, int], schema_of: SchemaOf | None = None
    ) -> None:
        self.session_id = session_id
        self.topics = topics
        self._block_topics = (topics.ticks, topics.books)
        self._blocks = BlockCodec(schema_ids[RECORDS["market.ticks"]], schema_of)
        rows_of: dict[str, tuple[str, RowsOf]] = {
            topics.spreads: (RECORDS["market.spreads"], spread_rows),
            topics.samples: (RECORDS["market.samples"], sample_rows),
            topics.bars: (RECORDS["market.bars"], bar_rows),
            topics.rejects: (RECORDS["market.rejects"], reject_rows),
            topics.events: (RECORDS["trading.events"], event_rows),
            topics.orders: (RECORDS["trading.orders"], order_rows),
        }
        self._rows = {
            topic: (Codec(record, schema_ids[record], schema_of), rows) for topic, (record, rows) in rows_of.items()
        }

    @classmethod
    def of(cls, session_id: str, topics: Topics, registry: SchemaRegistry) -> "SessionReader":
        """With the ids of a registry, asked again for schemas that are not ours."""
        return cls(session_id, topics, registry.ids(), registry.schema)

    def names(self) -> tuple[str, ...]:
        """The topics that are read."""
        return (*self._block_topics, *self._rows)

    def batch(self, messages: Iterable[Message]) -> Batch:
        """The rows of some records. Raises RegistryError if a schema is needed and the registry does not answer."""
        made = Batch()
        blocks: dict[tuple[str, str], list[tuple[tuple[str, ...], Ticks]]] = defaultdict(list)
        for message in messages:
            try:
                if message.topic in self._block_topics:
                    block = self._blocks.decode(_value(message))
                    kept = home(block.instruments, block.ticks)
                    blocks[block.venue, block.session].append((block.instruments, kept))
                else:
                    self._add(message, made)
            except (ValueError, OverflowError) as error:
                self._set_aside(message, error, made)
        made.ticks = {feed: merge(parts) for feed, parts in blocks.items()}
        return made

    def set_aside(self, message: Message, why: str) -> Batch:
        """A batch of one record that cannot be used."""
        made = Batch()
        self._set_aside(message, why, made)
        return made

    def _add(self, message: Message, made: Batch) -> None:
        codec, rows_of = self._rows[message.topic]
        rows = [(table, _storable(row)) for table, row in rows_of(self.session_id, codec.decode(_value(message)))]
        for table, row in rows:
            made.rows[table].append(row)

    def _set_aside(self, message: Message, why: object, made: Batch) -> None:
        place = (message.topic, message.partition, message.offset, message.timestamp)
        table, row = unreadable(self.session_id, *place, message.value, str(why))
        made.rows[table].append(_storable(row))
        made.bad_records += 1


def _value(message: Message) -> bytes:
    if message.value is None:
        raise ValueError("a record without a value: nothing on this topic is ever deleted")
    return message.value


def _storable(row: Row) -> Row:
    """PostgreSQL's text cannot hold a NUL."""
    return tuple(_without_nul(value) for value in row)


def _without_nul(value: Value) -> Value:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd") if "\x00" in value else value
    if isinstance(value, list):
        return [each.replace("\x00", "\ufffd") if isinstance(each, str) else each for each in value]  # type: ignore[return-value]
    return value
