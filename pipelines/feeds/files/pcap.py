"""TotalView-ITCH 5.0 as captured from the wire: MoldUDP64 packets in pcap or pcapng files.

A frame is a UDP payload, received at its packet's time. What is no MoldUDP64 packet of ITCH 5.0 messages (OUCH, say,
over TCP) is passed over. A session that may have packets held for a gap is closed at the end of the file.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece
from pipelines.feeds.files.octets import OctetStream
from pipelines.feeds.files.udp_packets import Payload, is_capture, payloads
from pipelines.feeds.protocols.itch50.layouts import LENGTHS
from pipelines.feeds.protocols.itch50.moldudp64 import HOLD_MESSAGES, HOLD_NS, MoldUDP64
from pipelines.feeds.protocols.itch50.moldudp64_packets import (
    END_OF_SESSION,
    HEADER_BYTES,
    Header,
    end_of_session,
    read_header,
)

FORMAT = "itch50-pcap"

PIECE_FRAMES = 1024


class Frame(NamedTuple):
    """When it was received (UTC ns), its bytes, where they are in the file, how many messages they are."""

    receive_ns: int
    octets: bytes
    place: int
    messages: int


def recognise(path: Path, head: bytes) -> bool:
    """Whether a capture has packets of the feed among its first. `head`: its first bytes, uncompressed."""
    if not is_capture(head):
        return False
    try:
        return any(_carries_itch(found.octets) for found in payloads(path, OctetStream(path, iter((head,)))))
    except BrokenFile:
        return False  # as where the head ends in a packet, and there was none of the feed before


def open_file(path: Path, levels: bool = True) -> FrameFile:
    """Open a capture. `levels` as in `Itch50`."""
    return FrameFile(path, FORMAT, "nasdaq", lambda index: MoldUDP64(index, levels), "byte", lambda: _pieces(path))


def _pieces(path: Path) -> Iterator[Piece]:
    frames = _Frames(path)
    found = iter(frames)
    while some := list(islice(found, PIECE_FRAMES)):
        received, octets, places, counts = (list(column) for column in zip(*some, strict=True))
        yield Piece(received, octets, places, counts)
    if frames.broken:
        raise frames.broken


class _Frames:
    """The feed's packets of a capture. `broken`: where and why it ended before its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next: dict[bytes, int] = {}
        self._gapped: dict[bytes, int] = {}
        self.broken: BrokenFile | None = None

    def __iter__(self) -> Iterator[Frame]:
        stream = OctetStream(self._path)
        received = 0
        try:
            for found in payloads(self._path, stream):
                header = self._mine(found)
                if header is not None:
                    received = found.received_ns
                    yield Frame(received, found.octets, found.place, header.messages % END_OF_SESSION)
        except BrokenFile as error:
            self.broken = error
        for session, gapped_ns in sorted(self._gapped.items()):
            if received - gapped_ns <= HOLD_NS:
                yield Frame(received, end_of_session(session, self._next[session]), stream.place, 0)

    def _mine(self, found: Payload) -> Header | None:
        """The header of a packet of the feed. A session is one of the feed from its first packet of messages on: then
        all that bears its name is, also what is damaged."""
        header = read_header(found.octets)
        if header is None or (header.session not in self._next and not _carries_itch(found.octets)):
            return None
        expected = self._next.get(header.session, header.sequence)
        if 0 < header.sequence - expected <= HOLD_MESSAGES:
            self._gapped[header.session] = found.received_ns
        messages = header.messages % END_OF_SESSION
        if header.messages == END_OF_SESSION:
            self._gapped.pop(header.session, None)
        self._next[header.session] = max(expected, header.sequence + messages)
        return header


def _carries_itch(packet: bytes) -> bool:
    """Whether a payload is a MoldUDP64 packet whose first message is one of ITCH 5.0."""
    header = read_header(packet)
    if header is None or header.messages in (0, END_OF_SESSION) or len(packet) < HEADER_BYTES + 3:
        return False
    size = int.from_bytes(packet[HEADER_BYTES : HEADER_BYTES + 2], "big")
    return LENGTHS.get(packet[HEADER_BYTES + 2]) == size and len(packet) >= HEADER_BYTES + 2 + size
