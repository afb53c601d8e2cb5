"""Good bytes to begin with: of the recordings where they are, and of what the project makes itself."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.schemas import records
from pipelines.domain.market import TICK
from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.files.frame_file import BrokenFile, UnknownFormat

DATA = Path(__file__).parents[3] / "shared/data"

FILES = {
    "binance": "ws_binance/usdm_btcusdt_20240808.jsonl.gz",
    "coinbase": "ws_cryptofeed/COINBASE.ws.28.0.zst",
    "kraken": "ws_cryptofeed/KRAKEN.ws.50.0.zst",
    "bitstamp": "ws_cryptofeed/BITSTAMP.ws.1.0.zst",
    "itch50": "itch/AAPL_20190130_0930_first4000.itch50.gz",
    "lean": "equity_ticks/tick/aig/20131007_trade.zip",
}

MOST_BYTES = 20_000


def seeds(target: str) -> Iterator[bytes]:
    """For a target; none where there is nothing to begin with."""
    what, _, name = target.partition(":")
    if what == "wire":
        yield from _of_wire(name)
    elif what == "decoder" and name in FILES and (DATA / FILES[name]).exists():
        yield from _frames(DATA / FILES[name])
    elif what == "file":
        yield from _files(name)


def _frames(path: Path) -> Iterator[bytes]:
    """Frames of a file, some joined as the targets part them."""
    try:
        piece = next(open_frames(path).pieces())
    except (UnknownFormat, BrokenFile, StopIteration):
        return
    frames = [frame for frame in piece.frames if len(frame) < MOST_BYTES][:200]
    yield from frames[::20]
    yield b"\xff\xfe".join(frames[:8])


def _files(name: str) -> Iterator[bytes]:
    """The head of a recorded file, packed as it was."""
    found = DATA / FILES.get(name.removesuffix("-ws"), "nothing")
    if name == "itch50-pcap":
        yield from (path.read_bytes() for path in islice((DATA / "itch/pcap").glob("*Itch*.pcap"), 5))
    elif found.suffix == ".gz" and found.exists():
        with gzip.open(found) as file:
            head = file.read(MOST_BYTES)
        yield head
        yield gzip.compress(head)
    elif found.suffix == ".zip" and found.exists():
        with zipfile.ZipFile(found) as archive:
            (member,) = archive.namelist()[:1]
            text = b"\n".join(archive.read(member).splitlines()[:200])
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, text)
        yield packed.getvalue()


def _of_wire(record: str) -> Iterator[bytes]:
    ids = {each: number for number, each in enumerate(records(), start=1)}
    if record == "helios.market.TickBlock":
        ticks = np.zeros(3, TICK)
        ticks["sequence"] = [1, 2, 3]
        yield BlockCodec(ids[record]).encode(TickBlock("v", "s", 0, 0, 0, ("A", "B"), ticks))[5:]
    elif record == "helios.market.RawFrames":
        yield FramesCodec(ids[record]).encode(RawFrames("v", "s", 0, 0, receive_ns=[1, 2], frames=[b"{}", b"[]"]))[5:]
