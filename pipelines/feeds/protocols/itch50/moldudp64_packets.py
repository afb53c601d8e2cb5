"""The packets of MoldUDP64: their header, and a kernel that finds those which come in their turn."""

import struct
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.compiled import compiled
from pipelines.feeds.protocols.itch50.wire import Bytes, Integers, u16, u64

_HEADER = struct.Struct(">10sQH")
HEADER_BYTES = _HEADER.size
END_OF_SESSION = 0xFFFF

LARGEST_SEQUENCE = 1 << 62
"""Beyond it there is no session of this world, and numbers would not fit."""


class Header(NamedTuple):
    """Session, number of the first message, how many there are."""

    session: bytes
    sequence: int
    messages: int


def read_header(packet: bytes) -> Header | None:
    """The header of a packet; None where it has none."""
    if len(packet) < HEADER_BYTES:
        return None
    header = Header(*_HEADER.unpack_from(packet))
    return header if header.sequence <= LARGEST_SEQUENCE else None


def end_of_session(session: bytes, sequence: int) -> bytes:
    """The packet that ends a session; `sequence`: of the message that would have come next."""
    return _HEADER.pack(session, sequence, END_OF_SESSION)


@compiled
def take_in_order(
    buffer: Bytes, bases: Integers, ends: Integers, first: int, state: Integers, starts: Integers, counts: Integers,
    taken: NDArray[np.int64],
) -> int:  # fmt: skip
    """From packet `first` on, all of its session that come in their turn; where that ends. `state`: next number, then
    the packets taken (their places in `taken`, their messages' begin and count beside it), heartbeats, duplicates."""
    place = first
    while place < len(bases):
        at = bases[place]
        if ends[place] - at < HEADER_BYTES:
            return place
        for octet in range(10):
            if buffer[at + octet] != buffer[bases[first] + octet]:
                return place
        sequence, count = u64(buffer, at + 10), u16(buffer, at + 18)
        if count == END_OF_SESSION or sequence < 0 or sequence > LARGEST_SEQUENCE:
            return place
        if count > 0 and sequence > 0 and state[0] == 0:
            state[0] = sequence
        if sequence > state[0]:
            return place
        if count == 0:
            state[2] += 1
        elif sequence > 0 and sequence + count <= state[0]:
            state[3] += 1
        elif sequence > 0 and sequence < state[0]:
            return place
        else:
            taken[state[1]], starts[state[1]], counts[state[1]] = place, at + HEADER_BYTES, count
            state[1] += 1
            if sequence > 0:
                state[0] = sequence + count
        place += 1
    return place
