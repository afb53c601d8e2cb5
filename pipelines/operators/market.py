"""The market operator: raw records of one venue, keyed by feed session, to blocks of ticks by shard, and rejects."""

from collections.abc import Iterator, Mapping

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import BadRecord, Codec, SchemaOf
from pipelines.domain.market import NS_PER_MS, Ticks
from pipelines.domain.normalise import Decode, Listing, Reason, Reject, by_shard, heartbeat, hello, normalise
from pipelines.domain.sequencing import SessionState, dump, load, new_session
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import (
    BytesState,
    Context,
    Emitted,
    KeyedProcessFunction,
    RawRecord,
    RuntimeContext,
    bytes_state,
    emit,
)

LATEST_NS = 1 << 62
"""Year 2116: a receive time or clock beyond it is none."""

LONGEST_HOLE = 100_000_000
"""Frames that a session may have lost before a record; a position further on is a fault of the record."""


class Market(KeyedProcessFunction):
    """One record of raw.<venue> in; at most one block a shard out, and rejects. State: SessionState bytes by session.

    Nothing that a record holds stops it: what cannot be read becomes a reject that names topic, partition and offset.
    """

    def __init__(
        self,
        strategy: Strategy,
        venue: str,
        decode: Decode,
        topics: Topics,
        schema_ids: Mapping[str, int],
        schema_of: SchemaOf | None = None,
    ) -> None:
        self._venue = venue
        self._shards = strategy.shards
        self._listing = Listing.of(strategy, venue)
        self._decode = decode
        self._topics = topics
        self._raw = FramesCodec(schema_ids["helios.market.RawFrames"], schema_of)
        self._blocks = BlockCodec(schema_ids["helios.market.TickBlock"])
        self._rejects = Codec("helios.market.Reject", schema_ids["helios.market.Reject"])
        self._held: dict[str, SessionState] = {}

    def open(self, runtime_context: RuntimeContext) -> None:
        self._state: BytesState = runtime_context.get_state(bytes_state("market"))
        self._held = {}

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        key = text_of(value.key)
        try:
            raw = self._raw.decode(value.value or b"")
            self._check(raw, key)
        except BadRecord as error:
            yield self._bad_record(value, key, str(error))
            return
        before = self._load(key)
        state, ticks, rejects = self._advance(before, raw)
        if state is before:
            return
        self._save(key, state)
        for shard, instruments, part in by_shard(state, self._listing, ticks):
            block = TickBlock(raw.venue, raw.session, shard, value.partition, value.offset, instruments, part)
            time_ms = int(part["event_ns"][-1]) // NS_PER_MS
            yield emit(self._topics.ticks, shard_key(shard, self._shards), [self._blocks.encode(block)], [time_ms])
        if rejects:
            records = [self._reject_record(value, raw.session, reject) for reject in rejects]
            times_ms = [reject.event_time_ns // NS_PER_MS for reject in rejects]
            yield emit(self._topics.rejects, self._venue, records, times_ms)

    def _advance(self, state: SessionState, raw: RawFrames) -> tuple[SessionState, Ticks, tuple[Reject, ...]]:
        if raw.symbols:
            state = hello(state, self._listing, raw.symbols)
        read = normalise(state, self._listing, self._decode, raw.first_sequence, raw.receive_ns, raw.frames)
        if not raw.end and (raw.frames or not raw.clock_ns):
            return read.state, read.ticks, read.rejects
        beat = heartbeat(read.state, raw.clock_ns, raw.end)
        return beat.state, np.concatenate((read.ticks, beat.ticks)), read.rejects

    def _check(self, raw: RawFrames, key: str) -> None:
        """A record that contradicts where it lies, or itself, must not touch a session's state."""
        if raw.venue != self._venue:
            raise BadRecord(f"venue {raw.venue!r} on the topic of {self._venue}")
        if raw.session != key:
            raise BadRecord(f"session {raw.session!r} under the key {key!r}")
        if raw.first_sequence < 0:
            raise BadRecord(f"first_sequence: {raw.first_sequence}: expected 0 or more")
        if raw.first_sequence - self._load(key).next_frame > LONGEST_HOLE:
            raise BadRecord(f"first_sequence: {raw.first_sequence}: far beyond {self._load(key).next_frame}, the next")
        if not 0 <= raw.clock_ns < LATEST_NS:
            raise BadRecord(f"clock_ns: {raw.clock_ns}: not a time")
        if raw.receive_ns and not 0 <= min(raw.receive_ns) <= max(raw.receive_ns) < LATEST_NS:
            raise BadRecord(f"receive_ns: {min(raw.receive_ns)} to {max(raw.receive_ns)}: not times")

    def _load(self, key: str) -> SessionState:
        """The session's state. Its bytes are read once: from then on, all that changes them is what is written here."""
        held = self._held.get(key)
        if held is None:
            data, symbols = self._state.value(), self._listing.symbols
            if data is None:  # not held: a bad record may name any session
                return new_session(len(symbols))
            held = self._held[key] = load(data, symbols)
        return held

    def _save(self, key: str, state: SessionState) -> None:
        self._state.update(dump(state, self._listing.symbols))
        self._held[key] = state

    def _bad_record(self, value: RawRecord, key: str, error: str) -> Emitted:
        """Of its frames nothing is known, so it counts none; if its session goes on, the hole is told there."""
        topic = self._topics.raw(self._venue)
        session = key or f"{topic}/{value.partition}"
        detail = f"{topic} partition {value.partition} offset {value.offset}: {' '.join(error.split())}"
        reject = Reject(
            frame=-1 - value.offset,
            frames=0,
            reason=Reason.BAD_RECORD,
            detail=detail,
            event_time_ns=max(value.timestamp, 0) * NS_PER_MS,
            payload=bytes(value.value or b"")[:512],
        )
        record = self._reject_record(value, session, reject)
        return emit(self._topics.rejects, self._venue, [record], [max(value.timestamp, 0)])

    def _reject_record(self, value: RawRecord, session: str, reject: Reject) -> bytes:
        return self._rejects.encode(
            {
                "venue": self._venue,
                "session": session,
                "frame": reject.frame,
                "frames": reject.frames,
                "reason": reject.reason.value,
                "detail": reject.detail,
                "event_time_ms": reject.event_time_ns // NS_PER_MS,
                "raw_topic": self._topics.raw(self._venue),
                "raw_partition": value.partition,
                "raw_offset": value.offset,
                "payload": reject.payload,
            }
        )


def text_of(key: str | bytes | None) -> str:
    """A record's key as text; one that is not UTF-8 keeps what can be read."""
    return key if isinstance(key, str) else bytes(key or b"").decode(errors="replace")
