"""TotalView-ITCH 5.0 as a file: Nasdaq's BinaryFILE, every message behind its length in two bytes, plain or gzip.

Some writers leave the length 0; it is then the one of the message's type, and is filled in. Messages come in frames of
about 64 kB and at most a second of event time, received at the event time of their last message. The date is in the
file's name (S013020-v50.txt.gz, 01302020.NASDAQ_ITCH50.gz, AAPL_20190130.itch50), or is given; else it is 1970-01-01.
"""

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece
from pipelines.feeds.files.itch50_cuts import AT, BROKEN, FRAMES, cut, fitting, next_fitting
from pipelines.feeds.files.octets import read_octets
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.layouts import DAY_NS, LENGTHS
from pipelines.feeds.protocols.itch50.session import UNDATED, midnight_ns
from pipelines.feeds.protocols.itch50.wire import Bytes

FORMAT = "itch50"

PIECE_FRAMES = 16
MOST_FRAMES = 256
"""Found by one call of the kernel; then it is called again."""

SEARCHED_BYTES = 1 << 20
"""How far on messages are looked for after broken framing."""

CHAIN = 8
"""Messages in a row that must fit before a place after broken framing is taken for a message's begin: one by chance is
frequent, eight of known types, lengths and rising times are not."""

_DATES = (
    ("Ymd", re.compile(r"(?<!\d)(?P<Y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?!\d)")),
    ("mdY", re.compile(r"(?<!\d)(?P<m>\d\d)(?P<d>\d\d)(?P<Y>(?:19|20)\d\d)(?!\d)")),
    ("mdy", re.compile(r"(?<![A-Za-z0-9])S(?P<m>\d\d)(?P<d>\d\d)(?P<y>\d\d)(?!\d)")),
)

_LENGTHS = np.zeros(256, np.int64)
_LENGTHS[list(LENGTHS)] = list(LENGTHS.values())


def recognise(path: Path, head: bytes) -> bool:
    """Whether a file begins as one of messages. `head`: its first bytes, uncompressed, at least a message's."""
    octets = np.frombuffer(head, np.uint8)
    found = fitting(octets, 0, _LENGTHS, CHAIN)
    if 0 < found < CHAIN:  # a file of few messages: they must be all of it
        ends, counts, times, told = (np.zeros(CHAIN, np.int64) for _ in range(4))
        cut(octets.copy(), 0, _LENGTHS, ends, counts, times, told)
        return int(told[AT]) == len(head)
    return bool(found == CHAIN)


def session_date(path: Path) -> date | None:
    """The date in a file's name: YYYYMMDD, MMDDYYYY, or SMMDDYY; None where there is none."""
    for _, pattern in _DATES:
        for found in pattern.finditer(path.name):
            parts = found.groupdict()
            year = int(parts["Y"]) if "Y" in parts else 2000 + int(parts["y"])
            try:
                return date(year, int(parts["m"]), int(parts["d"]))
            except ValueError:
                continue
    return None


def open_file(path: Path, day: date | None = None, levels: bool = True) -> FrameFile:
    """Open a BinaryFILE. `day`: the session's date in New York, where the name does not say it or is wrong."""
    begins_ns = midnight_ns(day or session_date(path) or UNDATED)
    return FrameFile(
        path, FORMAT, "nasdaq", lambda index: Itch50(index, levels), "byte", lambda: _pieces(path, begins_ns)
    )


def _pieces(path: Path, begins_ns: int) -> Iterator[Piece]:
    """Frames in pieces; what was found before a break comes before it is told."""
    reader = _Reader(path, begins_ns)
    frames = reader.frames()
    while some := list(islice(frames, PIECE_FRAMES)):
        columns = zip(*some, strict=True)
        received, octets, places, counts = (list(column) for column in columns)
        yield Piece(received, octets, places, counts)
    if reader.broken:
        raise reader.broken


class Frame(NamedTuple):
    """When it was received (UTC ns), its bytes, where they are in the file, how many messages they are."""

    receive_ns: int
    octets: bytes
    place: int
    messages: int


class _Reader:
    """Cuts a file as its bytes come. `broken`: where and why it ended before its end."""

    def __init__(self, path: Path, begins_ns: int) -> None:
        self._path, self._begins_ns, self._received = path, begins_ns, begins_ns
        self._chunks = read_octets(path)
        self._data, self._base = b"", 0
        self._ended = False
        self._damage: BrokenFile | None = None
        self.broken: BrokenFile | None = None

    def frames(self) -> Iterator[Frame]:
        """Frames from the file's first to its last, or to where it breaks."""
        wanted = 0
        while not self._ended:
            self._read(wanted)
            octets, at, wanted = np.frombuffer(self._data, np.uint8).copy(), 0, 0
            while at < len(octets):
                found, stopped, wrong = self._cut(octets, at)
                yield from found
                at = stopped
                if wrong and not self._ended and len(octets) - at < SEARCHED_BYTES:
                    wanted = SEARCHED_BYTES
                    break
                begins = self._next_begin(octets, at) if wrong else -1
                if begins < 0:
                    break
                yield self._frame(octets, at, begins, 1, -1)
                at = begins
            if self.broken:
                return
            self._base, self._data = self._base + at, octets[at:].tobytes()
        self.broken = self._damage
        if self._data and not self.broken:
            self._break(0, f"the file is cut off in a message: {len(self._data)} bytes of it are there")

    def _read(self, wanted: int) -> None:
        """Read a chunk, and on to `wanted` bytes."""
        parts, size = [self._data], len(self._data)
        try:
            while not self._ended and (len(parts) == 1 or size < wanted):
                chunk = next(self._chunks, b"")
                self._ended = not chunk
                parts.append(chunk)
                size += len(chunk)
        except BrokenFile as error:
            self._ended, self._damage = True, error
        self._data = b"".join(parts)

    def _cut(self, octets: Bytes, at: int) -> tuple[list[Frame], int, bool]:
        """Frames from a place on, where they end, and whether no message begins there. A last frame that more messages
        may follow is left for the next time."""
        told = np.zeros(3, np.int64)
        ends, counts, times = (np.zeros(MOST_FRAMES, np.int64) for _ in range(3))
        frames: list[Frame] = []
        while True:
            cut(octets, at, _LENGTHS, ends, counts, times, told)
            found, wrong = int(told[FRAMES]), bool(told[BROKEN])
            full = found == MOST_FRAMES
            if not (wrong or self._ended or full):
                found = max(found - 1, 0)
            for place in range(found):
                end = int(ends[place])
                frames.append(self._frame(octets, at, end, int(counts[place]), int(times[place])))
                at = end
            if not full:
                return frames, at, wrong

    def _next_begin(self, octets: Bytes, at: int) -> int:
        """Where messages go on after one that is none: behind it, where it has a length and they fit there, or at the
        next place where they do. -1, and the file is broken, where there is none near."""
        if len(octets) - at >= 3 and (size := int(octets[at]) << 8 | int(octets[at + 1])):
            behind = at + 2 + size
            last = self._ended and behind == len(octets)
            if last or (behind < len(octets) and fitting(octets, behind, _LENGTHS, CHAIN) == CHAIN):
                return behind
        begins = int(next_fitting(octets[: at + SEARCHED_BYTES], at + 1, _LENGTHS, CHAIN))
        if begins < 0:
            head = octets[at : at + 12].tobytes()
            self._break(at, f"no message of ITCH 5.0 begins here ({head!r}), nor {CHAIN} in a row further on")
        return begins

    def _frame(self, octets: Bytes, start: int, end: int, count: int, time_ns: int) -> Frame:
        if 0 <= time_ns < DAY_NS:
            self._received = self._begins_ns + time_ns
        return Frame(self._received, octets[start:end].tobytes(), self._base + start, count)

    def _break(self, at: int, why: str) -> None:
        self.broken = BrokenFile(self._path, "byte", self._base + at, why)
