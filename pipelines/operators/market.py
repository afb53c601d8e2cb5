"""The market operator: raw records of one venue, keyed by feed session, to blocks of ticks by shard, and rejects."""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import BadRecord, Codec, SchemaOf
from pipelines.domain.decoding import Decoder, OpenDecoder, Reason
from pipelines.domain.market import NS_PER_MS, Kind, Ticks
from pipelines.domain.normalise import Listing, Reject, by_shard, heartbeat, hello, normalise
from pipelines.domain.sequencing import SessionState, dump, load, new_session
from pipelines.domain.universe import Strategy
from pipelines.operators.flink import Context, Emitted, KeyedProcessFunction, RawRecord, RuntimeContext, emit
from pipelines.operators.journal import Entry, Journal, Size

LATEST_NS = 1 << 62
"""Year 2116: a receive time or clock beyond it is none."""

LONGEST_HOLE = 100_000_000
"""Frames that a session may have lost before a record; a position further on is a fault of the record."""

_SIZE = struct.Struct("<I")


@dataclass(slots=True)
class _Session:
    """A feed session at work: what is remembered of it, its decoder, and how big its journal is."""

    state: SessionState
    decoder: Decoder
    size: Size = field(default_factory=Size)


class Market(KeyedProcessFunction):
    """One record of raw.<venue> in; at most a block of ticks and one of book levels a shard out, and rejects.

    Nothing that a record holds stops it: what cannot be read becomes a reject that names topic, partition and offset.
    State, by session: what it remembers and its decoder's books, journaled: as a base and the records since.
    """

    def __init__(
        self,
        strategy: Strategy,
        venue: str,
        protocol: OpenDecoder,
        topics: Topics,
        schema_ids: Mapping[str, int],
        schema_of: SchemaOf | None = None,
    ) -> None:
        self._venue = venue
        self._shards = strategy.shards
        self._listing = Listing.of(strategy, venue)
        self._protocol = protocol
        self._topics = topics
        self._raw = FramesCodec(schema_ids["helios.market.RawFrames"], schema_of)
        self._blocks = BlockCodec(schema_ids["helios.market.TickBlock"])
        self._rejects = Codec("helios.market.Reject", schema_ids["helios.market.Reject"])
        self._held: dict[str, _Session] = {}

    def open(self, runtime_context: RuntimeContext) -> None:
        self._journal = Journal(runtime_context, "market")
        self._held = {}
        self._compile()

    def process_element(self, value: RawRecord, ctx: Context) -> Iterator[Emitted]:
        key = text_of(value.key)
        try:
            raw = self._raw.decode(value.value or b"")
            session = self._session(key)
            self._check(raw, key, session.state)
        except BadRecord as error:
            yield self._bad_record(value, key, str(error))
            return
        before = session.state
        session.state, ticks, rejects = self._advance(session, raw)
        if session.state is before:
            return
        self._save(key, session, value.value)
        for shard, instruments, part in by_shard(session.state, self._listing, ticks):
            levels = part["kind"] == Kind.LEVEL
            for topic, rows in ((self._topics.ticks, part[~levels]), (self._topics.books, part[levels])):
                if not len(rows):
                    continue
                block = TickBlock(raw.venue, raw.session, shard, value.partition, value.offset, instruments, rows)
                time_ms = int(rows["event_ns"][-1]) // NS_PER_MS
                yield emit(topic, shard_key(shard, self._shards), [self._blocks.encode(block)], [time_ms])
        if rejects:
            records = [self._reject_record(value, raw.session, reject) for reject in rejects]
            times_ms = [reject.event_time_ns // NS_PER_MS for reject in rejects]
            yield emit(self._topics.rejects, self._venue, records, times_ms)

    def _compile(self) -> None:
        """Kernels are compiled at their first use, for seconds: now, and not when the first frame waits."""
        empty = _Session(new_session(len(self._listing.symbols)), self._protocol(self._listing.index))
        normalise(empty.state, self._listing, empty.decoder, 0, [1], [b"\x00"])
        load(dump(empty.state, self._listing.symbols), self._listing.symbols)

    def _advance(self, session: _Session, raw: RawFrames) -> tuple[SessionState, Ticks, tuple[Reject, ...]]:
        state = session.state
        if raw.symbols:
            state = hello(state, self._listing, raw.symbols)
        read = normalise(state, self._listing, session.decoder, raw.first_sequence, raw.receive_ns, raw.frames)
        if not raw.end and (raw.frames or not raw.clock_ns):
            return read.state, read.ticks, read.rejects
        beat = heartbeat(read.state, raw.clock_ns, raw.end)
        return beat.state, np.concatenate((read.ticks, beat.ticks)), read.rejects

    def _check(self, raw: RawFrames, key: str, state: SessionState) -> None:
        """A record that contradicts where it lies, or itself, must not touch a session's state."""
        if raw.venue != self._venue:
            raise BadRecord(f"venue {raw.venue!r} on the topic of {self._venue}")
        if raw.session != key:
            raise BadRecord(f"session {raw.session!r} under the key {key!r}")
        if raw.first_sequence < 0:
            raise BadRecord(f"first_sequence: {raw.first_sequence}: expected 0 or more")
        if raw.first_sequence - state.next_frame > LONGEST_HOLE:
            raise BadRecord(f"first_sequence: {raw.first_sequence}: far beyond {state.next_frame}, the next")
        if not 0 <= raw.clock_ns < LATEST_NS:
            raise BadRecord(f"clock_ns: {raw.clock_ns}: not a time")
        if raw.receive_ns and not 0 <= min(raw.receive_ns) <= max(raw.receive_ns) < LATEST_NS:
            raise BadRecord(f"receive_ns: {min(raw.receive_ns)} to {max(raw.receive_ns)}: not times")

    def _session(self, key: str) -> _Session:
        """The session at work. Its state is read once: from then on, all that changes it is what is written here."""
        held = self._held.get(key)
        return held if held is not None else self._read(key)

    def _read(self, key: str) -> _Session:
        """A session as its journal left it; a new one, not held yet, where there is none: a bad record may name any."""
        symbols = self._listing.symbols
        session = _Session(new_session(len(symbols)), self._protocol(self._listing.index))
        base = self._journal.base()
        if base is not None:
            (size,) = _SIZE.unpack_from(base)
            session.state = load(base[_SIZE.size : _SIZE.size + size], symbols)
            session.decoder.load(base[_SIZE.size + size :])
            session.size.base = len(base)
        taken = False
        for entry in self._journal.entries():
            # Numbers and time are as they were then, whatever the strategy lists now: no id is given twice.
            state, _, _ = self._advance(session, self._raw.decode(entry.record))
            tick_sequence, time_ns = entry.numbers
            session.state = replace(state, tick_sequence=tick_sequence, time_ns=time_ns)
            session.size.take(len(entry.record))
            taken = True
        if taken or base is not None:
            self._held[key] = session
        return session

    def _save(self, key: str, session: _Session, record: bytes) -> None:
        self._held[key] = session
        state = session.state
        session.size.take(self._journal.add(Entry((state.tick_sequence, state.time_ns), bytes(record))))
        if session.size.due:
            dumped = dump(state, self._listing.symbols)
            base = _SIZE.pack(len(dumped)) + dumped + session.decoder.dump()
            self._journal.renew(base)
            session.size = Size(len(base))

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
                "instrument": reject.instrument,
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
