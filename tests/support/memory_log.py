"""A session's topics in memory, read as jobs.why reads Kafka's."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jobs.why.log_reader import LogReader
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.topics import RECORDS
from pipelines.contracts.wire import Codec

IDS = {record: number for number, record in enumerate(sorted(set(RECORDS.values())), start=1)}


@dataclass(frozen=True, slots=True)
class Record:
    partition: int
    offset: int
    timestamp: int
    value: bytes


class MemoryLog(LogReader):
    """One partition a topic. `first`: the offset at which each begins, as after a retention."""

    def __init__(self, first: int = 0) -> None:
        self._first = first
        self._topics: dict[str, list[Record]] = defaultdict(list)

    def add(self, topic: str, value: bytes, time_ns: int) -> int:
        """Its offset."""
        records = self._topics[topic]
        records.append(Record(0, self._first + len(records), time_ns // 1_000_000, value))
        return records[-1].offset

    def write(self, topic: str, *records: Mapping[str, Any]) -> None:
        for record in records:
            value = Codec(RECORDS[topic], IDS[RECORDS[topic]]).encode(record)
            self.add(topic, value, record["event_time_ns"])

    def block(self, block: TickBlock) -> None:
        self.add(
            "market.ticks", BlockCodec(IDS[RECORDS["market.ticks"]]).encode(block), int(block.ticks["event_ns"][-1])
        )

    def raw(self, raw: RawFrames) -> int:
        return self.add(f"raw.{raw.venue}", FramesCodec(IDS[RECORDS["raw"]]).encode(raw), raw.clock_ns)

    def partitions(self, topic: str) -> list[int]:
        return [0] if topic in self._topics else []

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        return self._first, self._first + len(self._topics[topic])

    def at(self, topic: str, partition: int, time_ms: int) -> int:
        later = (each.offset for each in self._topics[topic] if each.timestamp >= time_ms)
        return next(later, self.bounds(topic, partition)[1])

    def read(self, topic: str, partition: int, start: int, end: int) -> Iterator[Any]:
        assert start >= self._first, "an offset that the log does not have any more"
        yield from self._topics[topic][start - self._first : end - self._first]

    def close(self) -> None:
        pass
