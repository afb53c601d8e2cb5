"""Where a BinaryFILE of TotalView-ITCH 5.0 can be cut: at message ends, found without looking into the messages."""

from pipelines.domain.compiled import compiled
from pipelines.domain.market import NS_PER_S
from pipelines.feeds.protocols.itch50.layouts import DAY_NS
from pipelines.feeds.protocols.itch50.wire import Bytes, Integers, u16, u48

FRAME_BYTES = 1 << 16

FRAME_NS = NS_PER_S
"""Most event time in a frame: all of it is received when its last message is."""

AT, FRAMES, BROKEN = range(3)
"""Places in what `cut` says: how far it got, frames found, whether what comes then is no message (1) or cut off (0)."""

HEAD_BYTES = 13
"""Length, type, locate, tracking, time: what every message has."""


@compiled
def message_size(octets: Bytes, at: int, lengths: Integers) -> int:
    """Bytes of the message at a place, its length in front not counted; 0 where none begins there, -1 where what there
    is of it does not tell. A length of 0 stands for the type's."""
    if len(octets) - at < 3:
        return -1
    size, expected = u16(octets, at), lengths[octets[at + 2]]
    return int(expected) if size in (0, expected) else 0


@compiled
def fitting(octets: Bytes, at: int, lengths: Integers, most: int) -> int:
    """How many messages in a row fit from a place on, up to `most`: known types, lengths, times that do not fall."""
    found, time_ns = 0, 0
    while found < most:
        size = message_size(octets, at, lengths)
        if size <= 0 or at + 2 + size > len(octets):
            break
        stamp = u48(octets, at + 7)
        if stamp >= DAY_NS or stamp < time_ns:
            break
        found, time_ns, at = found + 1, stamp, at + 2 + size
    return found


@compiled
def next_fitting(octets: Bytes, at: int, lengths: Integers, chain: int) -> int:
    """The first place from `at` on where `chain` messages fit in a row, or fewer up to the very end; -1 for none."""
    while at < len(octets):
        if fitting(octets, at, lengths, chain) == chain:
            return at
        at += 1
    return -1


@compiled
def cut(
    octets: Bytes, start: int, lengths: Integers, ends: Integers, counts: Integers, times: Integers, told: Integers
) -> None:
    """Cut frames from `start` on; lengths of 0 are filled in. Of each frame: its end, its messages, the time of its
    last. What is left when the bytes end is the last frame, which may go on."""
    at, frames, count, first, last_ns, first_ns = start, 0, 0, start, 0, 0
    told[BROKEN] = 0
    while frames < len(ends) - 1:
        size = message_size(octets, at, lengths)
        if size == 0:
            told[BROKEN] = 1
            break
        if size < 0 or at + 2 + size > len(octets):
            break
        stamp = u48(octets, at + 7)
        if count > 0 and (at - first >= FRAME_BYTES or stamp - first_ns > FRAME_NS):
            ends[frames], counts[frames], times[frames] = at, count, last_ns
            frames, first, count = frames + 1, at, 0
        if count == 0:
            first_ns = stamp
        octets[at], octets[at + 1] = size >> 8, size & 255
        last_ns = stamp
        count += 1
        at += 2 + size
    if count > 0:
        ends[frames], counts[frames], times[frames] = at, count, last_ns
        frames += 1
    told[AT], told[FRAMES] = at, frames
