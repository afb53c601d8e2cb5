"""Crossings, ticks and frames of a session, looked up in its logs in Kafka."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from jobs.why.chain import Crossing, Frame, Tick, TickOf, both_legs
from jobs.why.log_reader import LogReader
from jobs.why.tick_search import last_quotes, tick_at, tick_of
from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.peek import leading_texts, samples_place, spread_place
from pipelines.contracts.topics import Topics, kafka_partition, shard_key
from pipelines.contracts.wire import BadRecord, Codec
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.trading import Signal

BEFORE_MS = 1_000
"""A block is looked for from this long before its crossing: ticks may be late by that much."""

BLOCKS_ON = 5_000
BLOCKS_BACK = 20_000
"""So many blocks of a shard are searched for a tick, and for the last quote of a leg."""

RECORDS_BACK = 1_000_000


class MarketLog:
    """market.spreads, market.samples, market.ticks and raw.<venue>. `missing` is told what is not found."""

    def __init__(
        self,
        reader: LogReader,
        topics: Topics,
        *,
        spreads: Codec,
        samples: Codec,
        blocks: BlockCodec,
        frames: FramesCodec,
        missing: list[str],
    ) -> None:
        self._reader = reader
        self._topics = topics
        self._spreads, self._samples, self._blocks, self._frames = spreads, samples, blocks, frames
        self._missing = missing

    def crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        """The spread events of its pair from its first to its last sequence: crossings, else samples of seconds."""
        found = {each.sequence: each for each in self._crossings(signal, time_ns)}
        if signal.last_sequence not in found:
            found |= {each.sequence: each for each in self._sampled(signal, time_ns)}
        if signal.last_sequence not in found:
            self._missing.append(
                f"crossings: {self._topics.spreads} has no event {signal.last_sequence} of {signal.pair} any more"
            )
        return [found[sequence] for sequence in sorted(found)]

    def ticks(self, crossing: Crossing, legs: dict[int, str]) -> Sequence[TickOf]:
        """The tick that made a crossing, and the last quotes of both legs by then."""
        topic, name = self._topics.ticks, f"{crossing.tick_session}/{crossing.tick_sequence}"
        partition = self._partition(topic, crossing.shard)
        if partition is None:
            return []
        _, end = self._reader.bounds(topic, partition)
        start = self._reader.at(topic, partition, crossing.event_time_ns // NS_PER_MS - BEFORE_MS)
        session = crossing.tick_session.encode()
        for record in self._reader.read(topic, partition, start, min(end, start + BLOCKS_ON)):
            if leading_texts(record.value, 2)[1:] != (session,):
                continue
            block = self._block(record)
            row = None if block is None else tick_of(block, crossing.tick_sequence)
            if block is None or row is None:
                continue
            made = tick_at(block, row)
            both = both_legs(legs, made.instrument)
            return [TickOf(crossing.sequence, "made", made), *self._quotes(crossing, both, record, block, row)]
        self._missing.append(f"ticks: {topic} has no tick {name} any more")
        return []

    def frame(self, tick: Tick) -> Frame:
        """The frame that a tick was read from."""
        topic = self._topics.raw(tick.venue)
        if tick.raw_partition is None or tick.raw_offset is None:
            return Frame(topic, tick.session, tick.frame)
        if tick.raw_partition in self._reader.partitions(topic):
            begin, end = self._reader.bounds(topic, tick.raw_partition)
            if begin <= tick.raw_offset < end:
                for record in self._reader.read(topic, tick.raw_partition, tick.raw_offset, tick.raw_offset + 1):
                    with suppress(BadRecord):
                        raw = self._frames.decode(record.value)
                        index = tick.frame - raw.first_sequence
                        payload = raw.frames[index] if 0 <= index < len(raw.frames) else None
                        return Frame(
                            topic, tick.session, tick.frame, tick.raw_partition, tick.raw_offset, index, payload
                        )
        self._missing.append(f"frames: {topic}/{tick.raw_partition}@{tick.raw_offset} is not there any more")
        return Frame(topic, tick.session, tick.frame, tick.raw_partition, tick.raw_offset)

    def _crossings(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        pair, found = signal.pair.encode(), list[Crossing]()
        for record in self._shard_back(self._topics.spreads, signal, time_ns, lambda value: spread_place(value)[1]):
            kind, sequence, of = spread_place(record.value)
            if kind == b"crossing" and of == pair and signal.first_sequence <= sequence <= signal.last_sequence:
                with suppress(BadRecord):
                    it = self._spreads.decode(record.value)
                    found.append(Crossing(**{name: it[name] for name in Crossing.__dataclass_fields__}))
        return found

    def _sampled(self, signal: Signal, time_ns: int) -> Sequence[Crossing]:
        found = []
        for record in self._shard_back(self._topics.samples, signal, time_ns, samples_place):
            if signal.first_sequence <= samples_place(record.value) <= signal.last_sequence:
                with suppress(BadRecord):
                    second = self._samples.decode(record.value)
                    of = {"kind": "sample", "tick_session": "", "tick_sequence": 0} | second
                    for each in (each for each in second["samples"] if each["pair"] == signal.pair):
                        it = of | each
                        found.append(Crossing(**{name: it[name] for name in Crossing.__dataclass_fields__}))
        return found

    def _shard_back(self, topic: str, signal: Signal, time_ns: int, sequence_of: Any) -> list[Any]:
        """Records of the signal's shard from its first sequence, or before, to its time: sequences rise in a shard."""
        partition = self._partition(topic, signal.shard)
        if partition is None:
            return []
        end, found = self._reader.at(topic, partition, time_ns // NS_PER_MS + 1), list[Any]()
        for piece in self._reader.back(topic, partition, end, 500, RECORDS_BACK):
            found = piece + found
            if piece and 0 <= sequence_of(piece[0].value) < signal.first_sequence:
                break
        return found

    def _quotes(
        self, crossing: Crossing, legs: dict[int, str], record: Any, block: TickBlock, row: int
    ) -> list[TickOf]:
        """The last quotes of the legs, the row's own block first and then those before it."""
        found = last_quotes(block, row + 1, set(legs.values()))
        if set(legs.values()) - found.keys():
            for piece in self._reader.back(self._topics.ticks, record.partition, record.offset, 200, BLOCKS_BACK):
                for before in reversed(piece):
                    wanted = set(legs.values()) - found.keys()
                    if not wanted:
                        break
                    if any(name.encode() in before.value for name in wanted) and (earlier := self._block(before)):
                        found |= last_quotes(earlier, len(earlier.ticks), wanted)
                if not set(legs.values()) - found.keys():
                    break
        return [
            TickOf(crossing.sequence, "ab"[leg], found[name]) for leg, name in sorted(legs.items()) if name in found
        ]

    def _partition(self, topic: str, shard: int) -> int | None:
        count = len(self._reader.partitions(topic))
        return kafka_partition(shard_key(shard, count).encode(), count) if shard < count else None

    def _block(self, record: Any) -> TickBlock | None:
        try:
            return self._blocks.decode(record.value)
        except BadRecord:
            return None
