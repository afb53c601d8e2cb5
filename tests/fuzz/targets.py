"""What is fuzzed: decoders, files and wire formats, each with what must hold whatever the bytes.

A target takes bytes and raises only where something is wrong with the code: a crash, or a law that does not hold.
"""

import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.frames import FramesCodec
from pipelines.contracts.schemas import records
from pipelines.contracts.wire import BadRecord, Codec
from pipelines.domain.decoding import Discovered
from pipelines.domain.market import Kind
from pipelines.domain.normalise import Listing, normalise
from pipelines.domain.sequencing import new_session
from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat
from pipelines.feeds.files.reading import read_through
from pipelines.feeds.protocols.catalogue import PROTOCOLS

JSON_PROTOCOLS = ("binance", "coinbase", "kraken", "bitstamp")

RECEIVED_NS = 1_700_000_000_000_000_000

MOST_FRAMES = 32

Target = Callable[[bytes], None]


def frames_of(data: bytes) -> list[bytes]:
    """Bytes cut into frames at a rare byte, so that sequences are fuzzed too."""
    return data.split(b"\xff\xfe")[:MOST_FRAMES]


def decoder(name: str) -> Target:
    """A protocol's decoder and the checks after it, alone and taken up from its dump in the middle."""
    opened, listing = PROTOCOLS[name], Listing.discovering(name)

    def target(data: bytes) -> None:
        frames = frames_of(data)
        received = [RECEIVED_NS + number for number in range(len(frames))]
        index = Discovered()
        whole, first = opened(index), opened(Discovered())
        decoded = whole.decode(frames, received)
        rows = decoded.rows
        assert set(rows["kind"].tolist()) <= set(Kind), "a kind that is none"
        assert all(0 <= at < len(frames) for at in rows["position"].tolist()), "a row of no frame"
        assert np.all(np.diff(rows["position"]) >= 0), "rows out of order"
        for name_of in ("bid", "bid_size", "ask", "ask_size"):
            assert all(map(math.isfinite, rows[name_of].tolist())), f"{name_of} is not finite"
        faulty = {fault.position for fault in decoded.faults}
        if name in JSON_PROTOCOLS:
            for position, frame in enumerate(frames):
                assert position in faulty or is_json(frame), f"taken, and no JSON: {frame!r}"
        middle = len(frames) // 2
        first.decode(frames[:middle], received[:middle])
        second = opened(Discovered())
        second.load(first.dump())
        made = normalise(new_session(0), listing, opened(listing.index), 0, received, frames)
        used = len(frames) - sum(reject.frames for reject in made.rejects)
        assert 0 <= used <= len(frames), "frames are not conserved"

    return target


def is_json(frame: bytes) -> bool:
    """What Python's own reader says, as strictly as RFC 8259."""
    try:
        json.loads(frame.decode("utf-8"), parse_constant=_refused)
    except (ValueError, RecursionError):
        return False
    return True


def _refused(word: str) -> Any:
    raise ValueError(word)


def file(name: str) -> Target:
    """A file of a format, whatever is in it, through `open_frames` and all checks."""
    folder = Path(tempfile.mkdtemp(prefix="helios-fuzz-"))
    path = folder / {"itch50": "20190130.itch50", "itch50-pcap": "x.pcap", "lean": "20131007_trade.zip"}.get(
        name, "x.gz"
    )

    def target(data: bytes) -> None:
        path.write_bytes(data)
        try:
            found = read_through(open_frames(path, name))
        except (UnknownFormat, BrokenFile):
            return
        assert found.frames >= 0

    return target


def wire(record: str) -> Target:
    """A record as it lies in Kafka."""
    ids = {each: number for number, each in enumerate(records(), start=1)}
    codec: Any = Codec(record, ids[record])
    if record == "helios.market.TickBlock":
        codec = BlockCodec(ids[record])
    elif record == "helios.market.RawFrames":
        codec = FramesCodec(ids[record])

    def target(data: bytes) -> None:
        try:
            codec.decode(b"\x00" + ids[record].to_bytes(4, "big") + data)
        except BadRecord:
            return

    return target


FORMATS = ("binance-ws", "coinbase-ws", "kraken-ws", "itch50", "itch50-pcap", "lean")


def targets() -> dict[str, Callable[[], Target]]:
    """By name."""
    made: dict[str, Callable[[], Target]] = {}
    for name in PROTOCOLS:
        made[f"decoder:{name}"] = lambda name=name: decoder(name)  # type: ignore[misc]
    for name in FORMATS:
        made[f"file:{name}"] = lambda name=name: file(name)  # type: ignore[misc]
    for name in ("helios.market.TickBlock", "helios.market.RawFrames", "helios.trading.TradingEvent"):
        made[f"wire:{name}"] = lambda name=name: wire(name)  # type: ignore[misc]
    return made
