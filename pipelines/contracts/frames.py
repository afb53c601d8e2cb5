"""Raw frames: what a feed session read from its venue, unparsed."""

from dataclasses import dataclass, field

from pipelines.contracts.wire import BadRecord, Codec, SchemaOf

RECORD = "helios.market.RawFrames"


@dataclass(frozen=True, slots=True)
class RawFrames:
    """Some frames of a session, in its order; without frames a heartbeat of the venue's clock (times in UTC ns).

    The first of a session is its hello: no frames, `first_sequence` 0, and the `symbols` that it subscribed to.
    `end` says that nothing follows.
    """

    venue: str
    session: str
    first_sequence: int
    clock_ns: int
    end: bool = False
    symbols: tuple[str, ...] = ()
    receive_ns: list[int] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)


@dataclass(slots=True)
class FramesCodec:
    """RawFrames as framed bytes. Written under `schema_id`; read under it, or any other that `schema_of` knows."""

    schema_id: int
    schema_of: SchemaOf | None = None
    _codec: Codec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._codec = Codec(RECORD, self.schema_id, self.schema_of)

    def encode(self, raw: RawFrames) -> bytes:
        return self._codec.encode(
            {
                "venue": raw.venue,
                "session": raw.session,
                "first_sequence": raw.first_sequence,
                "clock_ns": raw.clock_ns,
                "end": raw.end,
                "symbols": raw.symbols,
                "receive_ns": raw.receive_ns,
                "frames": raw.frames,
            }
        )

    def decode(self, data: bytes) -> RawFrames:
        """The frames in framed bytes. Raises BadRecord, also when there is not a receive time for each frame."""
        record = self._codec.decode(data)
        if len(record["receive_ns"]) != len(record["frames"]):
            frames, times = len(record["frames"]), len(record["receive_ns"])
            raise BadRecord(f"{RECORD}: {frames} frames but {times} receive times: one for each expected")
        record["symbols"] = tuple(record["symbols"])
        return RawFrames(**{name: record[name] for name in _FIELDS})


_FIELDS = tuple(RawFrames.__dataclass_fields__)
"""The schema may be ahead of them by fields with a default."""
