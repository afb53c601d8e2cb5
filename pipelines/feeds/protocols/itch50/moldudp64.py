"""Nasdaq TotalView-ITCH 5.0 in MoldUDP64 packets: put in order by sequence number, gaps waited for, then told.

Source: "MoldUDP64 Protocol Specification" 1.0: session (10 bytes), sequence number of the first message (8), count (2),
then messages, each behind its length. A count of 0 is a heartbeat, 0xFFFF the end of the session; both carry the next
number. Packets that arrive twice, as of a feed's second line, are dropped by their numbers.

A packet ahead of its turn is held, so that a late or retransmitted one still fills the gap before it: at most `HOLD_NS`
of receive time and `HOLD_PACKETS`. After that the messages in between are lost: their number is told, and every book is
in doubt until the flow proves it again (`session`).

Each session has books of its own. Two feeds in one capture (Nasdaq, BX and PSX all speak ITCH 5.0) are two sessions of
the same symbols: give each to a decoder of its own. Numbers begin at 1; packets of number 0, as captures with their
headers blanked have them, are taken as they come.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.domain.decoding import Decoded, Fault, Missing, Reason
from pipelines.domain.market import NS_PER_MS
from pipelines.feeds.protocols.itch50.layouts import time_ns
from pipelines.feeds.protocols.itch50.moldudp64_packets import (
    END_OF_SESSION,
    HEADER_BYTES,
    Header,
    read_header,
    take_in_order,
)
from pipelines.feeds.protocols.itch50.output import Output
from pipelines.feeds.protocols.itch50.session import SYSTEM_OPENS_NS, Itch50Session
from pipelines.feeds.protocols.itch50.state import dump_session, load_session

HOLD_PACKETS = 512
HOLD_NS = 200 * NS_PER_MS

HOLD_MESSAGES = 1 << 16
"""A gap of more messages than could be held is none that anything will fill."""

SESSIONS = 8
"""Sessions remembered; of more, the one longest without a packet is forgotten."""


_VERSION = 1
_LINE = struct.Struct("<10sqqIQ")
_HELD = struct.Struct("<qqI")


@dataclass(slots=True)
class Line:
    """A session's place: the number of its next message (0 before the first packet), packets held ahead of it by their
    number with their receive times, and since when there is a gap (0: none)."""

    itch: Itch50Session
    next: int = 0
    held: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    gap_since_ns: int = 0


class MoldUDP64:
    """The decoder of a feed's packets. `levels` as in `Itch50`."""

    def __init__(self, index: Mapping[str, int], levels: bool = True) -> None:
        self._index, self._levels = index, levels
        self._lines: dict[bytes, Line] = {}
        self._output = Output()

    def decode(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> Decoded:
        if not frames:
            return self._output.decoded()
        sizes = np.fromiter(map(len, frames), np.int64, len(frames))
        ends = np.cumsum(sizes)
        bases = ends - sizes
        buffer = b"".join(frames)
        octets = np.frombuffer(buffer, np.uint8)
        starts, counts, taken = (np.empty(len(frames), np.int64) for _ in range(3))
        at = 0
        while at < len(frames):
            header = read_header(frames[at])
            line = self._line(header.session) if header else None
            if line and not line.held and not line.gap_since_ns:
                state = np.array([line.next, 0, 0, 0], np.int64)
                after = take_in_order(octets, bases, ends, at, state, starts, counts, taken)
                line.next = int(state[0])
                self._count(int(state[2]), int(state[3]))
                if state[1]:
                    mine = taken[: state[1]]
                    line.itch.read(
                        buffer, bases[mine], starts[: state[1]], ends[mine], counts[: state[1]],
                        [receive_ns[place] for place in mine.tolist()], mine, self._output,
                    )  # fmt: skip
                if after > at:
                    at = after
                    continue
            self._take(frames[at], receive_ns[at], at, header, line)
            at += 1
        return self._output.decoded()

    def dump(self) -> bytes:
        """Version, then of each session: its place, what is held, its books."""
        parts = [struct.pack("<BI", _VERSION, len(self._lines))]
        for session, line in self._lines.items():
            itch = dump_session(line.itch)
            parts.append(_LINE.pack(session, line.next, line.gap_since_ns, len(line.held), len(itch)))
            for number, (received, frame) in line.held.items():
                parts += (_HELD.pack(number, received, len(frame)), frame)
            parts.append(itch)
        return b"".join(parts)

    def load(self, data: bytes) -> None:
        lines: dict[bytes, Line] = {}
        try:
            version, count = struct.unpack_from("<BI", data)
            if version != _VERSION:
                raise ValueError(f"moldudp64 decoder: state of version {version}, this code reads {_VERSION}")
            at = struct.calcsize("<BI")
            for _ in range(count):
                session, number, gap_since_ns, held, size = _LINE.unpack_from(data, at)
                line = Line(Itch50Session(self._index, self._levels), number, gap_since_ns=gap_since_ns)
                at += _LINE.size
                for _ in range(held):
                    ahead, received, length = _HELD.unpack_from(data, at)
                    at += _HELD.size + length
                    line.held[ahead] = received, data[at - length : at]
                load_session(line.itch, data[at : at + size])
                at += size
                lines[session] = line
        except struct.error as error:
            raise ValueError(f"moldudp64 decoder: {len(data)} bytes of state, cut short") from error
        if at != len(data):
            raise ValueError(f"moldudp64 decoder: {len(data)} bytes of state, {at} expected")
        self._lines = lines

    def _line(self, session: bytes) -> Line:
        line = self._lines.pop(session, None) or Line(Itch50Session(self._index, self._levels))
        self._lines[session] = line  # the last one is the latest
        while len(self._lines) > SESSIONS:
            del self._lines[next(iter(self._lines))]
        return line

    def _count(self, heartbeats: int, duplicates: int) -> None:
        for name, count in (("heartbeat", heartbeats), ("duplicate packet", duplicates)):
            if count:
                self._output.packets[name] = self._output.packets.get(name, 0) + count

    def _take(self, frame: bytes, received: int, position: int, header: Header | None, line: Line | None) -> None:
        """Take a packet that is not simply the next one."""
        if header is None or line is None:
            size = len(frame)
            detail = f"packet: {size} bytes: expected a MoldUDP64 header of {HEADER_BYTES}; {size} bytes passed over"
            self._output.faults.append(Fault(position, Reason.UNDECODABLE, detail))
            return
        if header.sequence == 0 and header.messages not in (0, END_OF_SESSION):
            self._read(line, frame, received, position, 0)
            return
        if line.next == 0:
            line.next = header.sequence
        if line.gap_since_ns and received - line.gap_since_ns > HOLD_NS:
            self._give_up(line, position, header.session)
        if header.sequence > line.next:
            self._hold(line, frame, received, position, header)
        elif header.messages not in (0, END_OF_SESSION):
            self._turn(line, frame, received, position, header)
        if header.messages == 0:
            self._count(1, 0)
        elif header.messages == END_OF_SESSION:
            self._end(line, position, header)

    def _hold(self, line: Line, frame: bytes, received: int, position: int, header: Header) -> None:
        """A packet ahead of its turn: the messages before it are late, or lost."""
        if header.messages not in (0, END_OF_SESSION):
            line.held.setdefault(header.sequence, (received, frame))
        line.gap_since_ns = line.gap_since_ns or max(received, 1)
        hopeless = header.sequence - line.next > HOLD_MESSAGES
        if hopeless or len(line.held) > HOLD_PACKETS or header.messages == END_OF_SESSION:
            self._give_up(line, position, header.session, header.sequence)

    def _turn(self, line: Line, frame: bytes, received: int, position: int, header: Header) -> None:
        """A packet whose turn it is, or of which a part was read before; then those held that follow it."""
        known = line.next - header.sequence
        if known >= header.messages:
            self._count(0, 1)
            return
        self._read(line, frame, received, position, known)
        line.next = header.sequence + header.messages
        self._release(line, position)

    def _release(self, line: Line, position: int) -> None:
        """Read what is held and no longer ahead."""
        while line.held:
            first = min(line.held)
            if first > line.next:
                return
            received, frame = line.held.pop(first)
            header = read_header(frame)
            if header and first + header.messages > line.next:
                self._read(line, frame, received, position, line.next - first)
                line.next = first + header.messages
            else:
                self._count(0, 1)
        line.gap_since_ns = 0

    def _give_up(self, line: Line, position: int, session: bytes, known: int = 0) -> None:
        """The messages before what is held, and before the number `known` from a heartbeat, will not come."""
        while line.held or known > line.next:
            first = min(line.held) if line.held else known
            if known > line.next and not line.held:
                first = known
            lost = first - line.next
            name = session.decode("latin-1").strip(" \0") or "without a name"
            detail = f"session {name}: messages {line.next} to {first - 1} never came"
            self._output.missing.append(Missing(position, detail, count=lost))
            if not line.held or not _before_the_open(line.held[first][1]):
                line.itch.lose(position, self._output)
            line.next = first
            self._release(line, position)
        line.gap_since_ns = 0

    def _end(self, line: Line, position: int, header: Header) -> None:
        self._give_up(line, position, header.session, header.sequence)
        self._output.packets["end of session"] = self._output.packets.get("end of session", 0) + 1

    def _read(self, line: Line, frame: bytes, received: int, position: int, known: int) -> None:
        """Read a packet's messages but for the first `known`."""
        header = read_header(frame)
        at = HEADER_BYTES
        for _ in range(known):
            at += 2 + int.from_bytes(frame[at : at + 2], "big")
        count = header.messages - known if header else 0
        at = min(at, len(frame))
        base, start, end, left, place = (np.array([value], np.int64) for value in (0, at, len(frame), count, position))
        line.itch.read(frame, base, start, end, left, [received], place, self._output)


def _before_the_open(frame: bytes) -> bool:
    """Whether a packet's first message is of a time when no order could have rested: nothing of a book is lost."""
    message = frame[HEADER_BYTES + 2 :]
    return len(message) >= 11 and time_ns(message) < SYSTEM_OPENS_NS
