"""Captures of WebSocket feeds, as recorders write them: a line a frame, plain, gzip or zstd.

hftbacktest's, and ours (`live.recorder`): `<receive time, ns> <frame>`. cryptofeed's: `<receive time, s>: <frame>`, and
between these connections (`wss://... <-> time`), what was sent (`wss://... <- time: text`), and REST answers
(`https://... -> time: answer`). A REST answer that is an order book becomes a frame of the session; what was sent is
none. A line of another form is given as a frame, for its decoder to say what is wrong with it.
"""

import re
from binascii import Error as NotBase64
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.domain.decoding import OpenDecoder
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.capture_lines import read_lines
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece, UnknownFormat
from pipelines.feeds.live.recorder import written
from pipelines.feeds.protocols import binance, bitstamp
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.protocols.bitstamp import Bitstamp
from pipelines.feeds.protocols.coinbase import Coinbase
from pipelines.feeds.protocols.kraken import Kraken

PIECE_FRAMES = 2000

HEAD_LINES = 200
"""Lines in which the venue, and the instrument of a capture of one, are looked for."""


class Line(NamedTuple):
    """A frame of a capture: when it was received (UTC ns; of a line of another form, as the one before), and its line.
    `sound`: it has the form of a capture's line."""

    receive_ns: int
    frame: bytes
    number: int
    sound: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """A venue as captures show it. `urls`: parts of its addresses; `frames`: how its frames look; `book`: the symbol in
    the address of a REST order book, and `snapshot`, which makes a frame of the answer."""

    name: str
    protocol: OpenDecoder
    urls: re.Pattern[bytes]
    frames: re.Pattern[bytes]
    book: re.Pattern[bytes] | None = None
    snapshot: Callable[[str, bytes], bytes] | None = None


VENUES = (
    Recorded(
        "binance",
        Binance,
        re.compile(rb"binance\.\w"),
        re.compile(rb'\{"stream":"|\{"e":"|\{"lastUpdateId":|\{"u":\d+,"s":"'),
        re.compile(rb"/depth\?(?:.*&)?symbol=(\w+)"),
        binance.snapshot_frame,
    ),
    Recorded("coinbase", Coinbase, re.compile(rb"coinbase\.com"), re.compile(rb'\{"type":"\w+"')),
    Recorded(
        "kraken",
        Kraken,
        re.compile(rb"kraken\.com"),
        re.compile(rb'\[\d+,|\{"channel":"\w+","(?:type|data)"|\{"connectionID":|\{"channelID":|\{"event":"heartbeat"'),
    ),
    Recorded(
        "bitstamp",
        Bitstamp,
        re.compile(rb"bitstamp\.net"),
        re.compile(rb'\{"event":"bts:|\{"data":\{.*"channel":"(?:diff_order_book|live_trades)_'),
        re.compile(rb"/order_book/(\w+)"),
        bitstamp.snapshot_frame,
    ),
)

_NS_LINE = re.compile(rb"(\d{19}) (.+)", re.DOTALL)
_S_LINE = re.compile(rb"(\d{10})(?:\.(\d{1,9}))?: (\S.*)", re.DOTALL)
_ANSWER = re.compile(rb"(https?://\S+) -> (.*)", re.DOTALL)
_OTHER = re.compile(rb"(?:wss?://\S+ <->? |https?://\S+ <- |configuration: )")
_REST_BOOK = re.compile(rb'\{"lastUpdateId":\d+,.*"bids":', re.DOTALL)
_SYMBOL = re.compile(rb'"s":"(\w+)"')


def recognise(path: Path, head: bytes) -> bool:
    """Whether a file begins as a capture of a venue that is known."""
    return _venue_of(head.split(b"\n")[:HEAD_LINES]) is not None


def open_file(path: Path) -> FrameFile:
    """A capture, alone. Raises UnknownFormat where it is of no venue known."""
    return open_files([path])


def open_files(paths: Sequence[Path]) -> FrameFile:
    """Captures of one session of one venue, such as of its connections: their frames in the order of receipt. Raises
    UnknownFormat where one is of no venue known, or they are of several."""
    found = {path: _recorded(path) for path in paths}
    venues = {recorded.name for recorded in found.values()}
    if len(venues) > 1:
        raise UnknownFormat(f"{paths[0]} and others: captures of {', '.join(sorted(venues))}: give those of one venue")
    venue = next(iter(found.values()))
    name = "+".join(session_name(path) for path in paths)
    pieces = partial(_pieces, tuple(paths))
    return FrameFile(paths[0], f"{venue.name}-ws", venue.name, venue.protocol, "line", pieces, name)


def session_name(path: Path) -> str:
    """Of a capture's session: the same recording has the same name wherever it lies, and however it is packed."""
    return path.name.removesuffix(".gz").removesuffix(".zst").removesuffix(".jsonl")


def read_frames(path: Path) -> Iterator[Line]:
    """The frames of a capture, in its order. BrokenFile, after all before it, where the file is cut off."""
    head = _head(path)
    venue = _venue_of(head)
    instrument, as_frame = _instrument(head), venue.snapshot if venue is not None else None
    receive_ns = 0
    for number, line in read_lines(path):
        found = _NS_LINE.fullmatch(line)
        if found is not None:
            receive_ns = int(found[1])
            try:
                frame = written(found[2])
            except NotBase64:
                yield Line(receive_ns, line, number, sound=False)
                continue
            if instrument and as_frame is not None and _REST_BOOK.match(frame):
                frame = as_frame(instrument, frame)
            yield Line(receive_ns, frame, number)
            continue
        answer = _ANSWER.fullmatch(line)
        found = _S_LINE.fullmatch(answer[2] if answer is not None else line)
        if found is not None:
            receive_ns, frame = _nanoseconds(found[1], found[2]), found[3]
            if answer is None:
                yield Line(receive_ns, frame, number)
            elif as_frame is not None and (book := _book(venue, answer[1])):
                yield Line(receive_ns, as_frame(book, frame), number)
        elif line and answer is None and not _OTHER.match(line):
            yield Line(receive_ns, line, number, sound=False)


def _book(venue: Recorded | None, address: bytes) -> str:
    """The symbol whose book a REST address asks for; empty where it asks for something else."""
    found = venue.book.search(address) if venue is not None and venue.book is not None else None
    return found[1].decode() if found is not None else ""


def _pieces(paths: Sequence[Path]) -> Iterator[Piece]:
    """The frames of all files; where one is cut off the others are read on, and it is told at the end."""
    broken: list[BrokenFile] = []
    lines = merge(*(_unbroken(path, broken) for path in paths), key=lambda line: line.receive_ns)
    while taken := list(islice(lines, PIECE_FRAMES)):
        yield Piece(
            [line.receive_ns for line in taken], [line.frame for line in taken], [line.number for line in taken]
        )
    if broken:
        raise broken[0]


def _unbroken(path: Path, broken: list[BrokenFile]) -> Iterator[Line]:
    try:
        yield from read_frames(path)
    except BrokenFile as error:
        broken.append(error)


def _recorded(path: Path) -> Recorded:
    """The venue of a capture, by its first lines."""
    lines = _head(path)
    venue = _venue_of(lines)
    if venue is None:
        begins = lines[0][:40] if lines else b""
        raise UnknownFormat(f"{path}: begins with {begins!r}: no capture of {', '.join(v.name for v in VENUES)}")
    return venue


def _head(path: Path) -> list[bytes]:
    head: list[bytes] = []
    with suppress(BrokenFile):
        head.extend(line for _, line in islice(read_lines(path), HEAD_LINES))
    return head


def _venue_of(lines: Sequence[bytes]) -> Recorded | None:
    """The venue of the first line that shows one, by an address or by how a frame looks."""
    for line in lines:
        if _OTHER.match(line) or _ANSWER.match(line):
            address = line.split(b" ", 1)[0]
            found = next((venue for venue in VENUES if venue.urls.search(address)), None)
        else:
            frame = _NS_LINE.match(line) or _S_LINE.match(line)
            text = frame[frame.lastindex or 0] if frame is not None else b""
            found = next((venue for venue in VENUES if venue.frames.match(text)), None)
        if found is not None:
            return found
    return None


def _instrument(head: Sequence[bytes]) -> str:
    """The symbol of a capture of one instrument, by its first lines; empty where there are several: then a REST answer
    that does not name its own cannot be told whose it is."""
    symbols = {found for line in head for found in _SYMBOL.findall(line[:400])}
    return symbols.pop().decode() if len(symbols) == 1 else ""


def _nanoseconds(seconds: bytes, fraction: bytes | None) -> int:
    """Exact, from the decimal text."""
    return int(seconds) * NS_PER_S + int((fraction or b"").ljust(9, b"0"))
