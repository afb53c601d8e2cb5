"""What holds of TotalView-ITCH 5.0 whatever comes: the same rows however frames are cut, also through a restart; no
byte of damaged messages is lost sight of; no book that contradicts the flow."""

import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.benchmarks.itch_flow import RECEIVED_NS, flow
from pipelines.domain.decoding import DECODED, Decoded, Decoder, Discovered, Reason
from pipelines.domain.market import Flag, Kind, Status
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.layouts import LENGTHS
from pipelines.feeds.protocols.itch50.moldudp64 import MoldUDP64
from tests.support.itch_messages import framed, packet, split

DAY = list(split(flow(3, 3_000, instruments=5)))

Gathered = tuple[bytes, Counter[str], list[str], list[str]]


def gathered(parts: list[Decoded]) -> Gathered:
    """Rows without their positions, messages, faults and gaps of several batches."""
    rows = np.concatenate([np.empty(0, DECODED), *(part.rows for part in parts)])
    rows["position"] = 0
    messages = sum((Counter(part.messages) for part in parts), Counter[str]())
    faults = [fault.detail for part in parts for fault in part.faults]
    return rows.tobytes(), messages, faults, [gap.detail for part in parts for gap in part.missing]


def decode(decoder: Decoder, frames: list[bytes]) -> Decoded:
    return decoder.decode(frames, [RECEIVED_NS] * len(frames))


def cut(messages: list[bytes], places: set[int]) -> list[bytes]:
    ends = sorted({place % len(messages) for place in places} | {len(messages)})
    return [framed(*messages[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


CUTS = st.sets(st.integers(0, 10_000), max_size=12)


@pytest.mark.parametrize("joined_at", [0, 600])
@settings(max_examples=15, deadline=None)
@given(frames_at=CUTS, batches_at=CUTS, restarts=st.booleans())
def test_rows_are_the_same_however_messages_are_cut_and_through_restarts(
    joined_at: int, frames_at: set[int], batches_at: set[int], restarts: bool
) -> None:
    day = DAY[joined_at:]
    once = gathered([decode(Itch50(Discovered()), [framed(*day)])])
    frames = cut(day, frames_at)
    ends = sorted({place % len(frames) for place in batches_at} | {len(frames)})
    decoder, parts = Itch50(Discovered()), []
    for start, end in zip([0, *ends], ends, strict=False):
        parts.append(decode(decoder, frames[start:end]))
        if restarts:
            kept, decoder = decoder.dump(), Itch50(Discovered())
            decoder.load(kept)
            assert decoder.dump() == kept
    assert gathered(parts) == once
    assert len(once[0]) > 500 * DECODED.itemsize


@settings(max_examples=15, deadline=None)
@given(packets_at=CUTS, batches_at=CUTS, restarts=st.booleans(), swapped=st.sets(st.integers(0, 10), max_size=4))
def test_packets_in_any_near_order_give_the_rows_of_the_messages(
    packets_at: set[int], batches_at: set[int], restarts: bool, swapped: set[int]
) -> None:
    once = gathered([decode(Itch50(Discovered()), [framed(*DAY)])])
    ends = sorted({place % len(DAY) + 1 for place in packets_at} | {len(DAY)})
    packets = [packet(start + 1, *DAY[start:end]) for start, end in zip([0, *ends], ends, strict=False)]
    for place in swapped:
        if 0 < place < len(packets) - 1:
            packets[place], packets[place + 1] = packets[place + 1], packets[place]
    packets = [each for pair in zip(packets, packets, strict=True) for each in pair]  # two lines of one feed
    stops = sorted({place % len(packets) for place in batches_at} | {len(packets)})
    decoder, parts = MoldUDP64(Discovered()), []
    for start, stop in zip([0, *stops], stops, strict=False):
        parts.append(decode(decoder, packets[start:stop]))
        if restarts:
            kept, decoder = decoder.dump(), MoldUDP64(Discovered())
            decoder.load(kept)
    rows, messages, faults, missing = gathered(parts)
    messages.pop("duplicate packet", None)
    assert (rows, messages, faults, missing) == once


FLIPS = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 7)), max_size=12)


@settings(max_examples=80, deadline=None)
@given(flips=FLIPS, cut_off=st.integers(0, 60), begin=st.integers(0, 2_000))
def test_of_damaged_frames_every_byte_is_in_a_message_or_in_a_fault(
    flips: list[tuple[int, int]], cut_off: int, begin: int
) -> None:
    octets = bytearray(framed(*DAY[begin : begin + 200]))
    for place, bit in flips:
        octets[place % len(octets)] ^= 1 << bit
    frame = bytes(octets[: len(octets) - cut_off])
    decoded = decode(Itch50(Discovered()), [framed(*DAY[:begin]), frame])
    first = decode(Itch50(Discovered()), [framed(*DAY[:begin])])
    read = Counter(decoded.messages) - Counter(first.messages)
    passed = 0
    for fault in decoded.faults:
        assert fault.reason is Reason.UNDECODABLE
        assert 0 <= fault.offset <= len(frame)
        passed += int(re.search(r"(\d+) bytes passed over", fault.detail)[1])  # type: ignore[index]
    assert sum((LENGTHS[ord(kind)] + 2) * count for kind, count in read.items()) + passed == len(frame)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_no_bytes_stop_a_decoder(frame: bytes, in_packets: bool) -> None:
    decoder = MoldUDP64(Discovered()) if in_packets else Itch50(Discovered())
    decoded = decode(decoder, [frame, packet(1, frame), framed(frame)])
    assert all(0 <= fault.position < 3 for fault in decoded.faults)


@settings(max_examples=40, deadline=None)
@given(flips=FLIPS)
def test_whatever_is_damaged_the_levels_told_add_up_to_the_quotes_told(flips: list[tuple[int, int]]) -> None:
    octets = bytearray(framed(*DAY))
    for place, bit in flips:
        octets[place % len(octets)] ^= 1 << bit
    rows = decode(Itch50(Discovered()), [bytes(octets)]).rows
    books: dict[int, tuple[dict[float, float], dict[float, float]]] = {}
    for row in rows:
        sides = books.setdefault(int(row["instrument"]), ({}, {}))
        if row["kind"] == Kind.STATUS and row["code"] == Status.BOOK_LOST:
            sides[0].clear()
            sides[1].clear()
        elif row["kind"] == Kind.LEVEL:
            side = sides[1 if row["flags"] & Flag.ASK else 0]
            side[float(row["bid"])] = float(row["bid_size"])
            if not row["bid_size"]:
                del side[float(row["bid"])]
        elif row["kind"] == Kind.QUOTE:
            bid, ask = max(sides[0], default=0.0), min(sides[1], default=0.0)
            assert (row["bid"], row["bid_size"]) == (bid, sides[0].get(bid, 0.0))
            assert (row["ask"], row["ask_size"]) == (ask, sides[1].get(ask, 0.0))


@pytest.mark.parametrize("protocol", [Itch50, MoldUDP64])
@pytest.mark.parametrize("cut_off", [0, 1, 20, -1])
def test_state_that_is_not_all_there_is_refused(protocol: type[Itch50] | type[MoldUDP64], cut_off: int) -> None:
    decoder = protocol(Discovered())
    decode(decoder, [packet(1, *DAY[:100]) if protocol is MoldUDP64 else framed(*DAY[:100])])
    with pytest.raises(ValueError, match=r"decoder: |order books: "):
        protocol(Discovered()).load(decoder.dump()[:cut_off])
