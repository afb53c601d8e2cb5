"""Samples of topics as data frames: the last records of each partition, decoded."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pandas as pd
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.registry import SchemaRegistry
from pipelines.contracts.topics import RECORDS, Topics
from pipelines.contracts.wire import BadRecord, Codec
from pipelines.domain.market import Kind
from pipelines.domain.normalise import KIND_NAMES

BLOCKS = ("market.ticks", "market.books")

_NOT_DATA = (int(Kind.HEARTBEAT), int(Kind.END))


class SampleError(RuntimeError):
    """A topic cannot be sampled: which, and the way out."""


def sample(bootstrap: str, registry_url: str, topics: Topics, name: str, rows: int) -> tuple[pd.DataFrame, list[str]]:
    """About the last `rows` rows of a topic (its name without the prefix), and what could not be decoded, by place."""
    registry = SchemaRegistry(registry_url)
    schema_id, schema_of = registry.ids()[RECORDS[name]], registry.schema
    block = BlockCodec(schema_id, schema_of) if name in BLOCKS else None
    codec = Codec(RECORDS[name], schema_id, schema_of)
    parts: list[pd.DataFrame] = []
    single: list[dict[str, Any]] = []
    bad: list[str] = []
    # A block holds many rows: the last few are enough, however full they are.
    records = max(rows // 20, 50) if block else rows
    for place, value in _last(bootstrap, topics.prefix + name, records):
        try:
            if block is not None:
                parts.append(_frame(block, value))
            else:
                single.append(codec.decode(value))
        except BadRecord as error:
            bad.append(f"{place}: {error}")
    if block is None:
        return pd.DataFrame(single), bad
    return (pd.concat(parts, ignore_index=True).tail(rows) if parts else pd.DataFrame()), bad


def _frame(codec: BlockCodec, value: bytes) -> pd.DataFrame:
    """The home rows of a block: each tick is in one of them."""
    block = codec.decode(value)
    ticks = block.ticks[(block.ticks["flags"] & 1 == 1) & ~np.isin(block.ticks["kind"], _NOT_DATA)]
    frame = pd.DataFrame({name: ticks[name] for name in ticks.dtype.names or ()})
    frame["kind"] = [KIND_NAMES.get(kind, f"unknown {kind}") for kind in ticks["kind"].tolist()]
    frame["instrument"] = [block.instruments[place] for place in ticks["instrument"].tolist()]
    return frame.assign(venue=block.venue, session=block.session, shard=block.shard)


def _last(bootstrap: str, topic: str, records: int) -> Iterator[tuple[str, bytes]]:
    """The last records of each partition, and where each lies."""
    try:
        with closing(
            KafkaConsumer(
                bootstrap_servers=bootstrap.split(","), enable_auto_commit=False, isolation_level="read_committed"
            )
        ) as consumer:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise SampleError(f"topic {topic} at {bootstrap} is not there: start a session first, or give --prefix")
            parts = [TopicPartition(topic, number) for number in sorted(numbers)]
            consumer.assign(parts)
            begins, ends = consumer.beginning_offsets(parts), consumer.end_offsets(parts)
            for part in parts:
                consumer.seek(part, max(begins[part], ends[part] - records))
            while any(consumer.position(part) < ends[part] for part in parts):
                for found in consumer.poll(timeout_ms=500).values():
                    for record in found:
                        yield f"{topic} partition {record.partition} offset {record.offset}", record.value or b""
    except (KafkaError, OSError) as error:
        raise SampleError(f"Kafka at {bootstrap}: {' '.join(str(error).split())}: helios status") from error
