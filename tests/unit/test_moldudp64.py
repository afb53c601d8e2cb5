"""MoldUDP64: packets in order, late, twice, lost; and what a gap does to the books."""

import pytest

from pipelines.domain.decoding import Decoded, Discovered, Reason
from pipelines.domain.market import NS_PER_MS, Kind, Status
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.moldudp64 import HOLD_NS, HOLD_PACKETS, MoldUDP64
from tests.support.itch_messages import OPEN_NS, RECEIVED_NS, add, framed, message, packet, start

EARLY = packet(1, *start("AAPL"))
BID, ASK, MORE = add(1, "B", 100, 1_000_000), add(2, "S", 50, 1_010_000), add(3, "B", 10, 1_000_100)


def decode(*packets: bytes, after_ns: int = NS_PER_MS) -> Decoded:
    """Packets of a feed, one every `after_ns`."""
    times = [RECEIVED_NS + place * after_ns for place in range(len(packets))]
    return MoldUDP64(Discovered()).decode(packets, times)


def shown(decoded: Decoded) -> list[tuple[int, str, float]]:
    return [(int(row["position"]), Kind(row["kind"]).name, float(row["bid_size"])) for row in decoded.rows]


def codes(decoded: Decoded) -> list[str]:
    return [Status(row["code"]).name for row in decoded.rows if row["kind"] == Kind.STATUS]


def test_packets_in_order_are_read_as_their_messages_are() -> None:
    plain = Itch50(Discovered()).decode([framed(*start("AAPL"), BID, ASK, MORE)], [RECEIVED_NS])
    decoded = decode(EARLY, packet(3, BID), packet(4, ASK, MORE))
    assert decoded.rows[["kind", "bid", "ask"]].tolist() == plain.rows[["kind", "bid", "ask"]].tolist()
    assert decoded.messages == plain.messages


def test_a_late_packet_fills_the_gap_before_those_that_waited_for_it() -> None:
    #  packet    1 . 4 5 3
    #  told at           └ 3 4 5
    decoded = decode(EARLY, packet(4, ASK), packet(5, MORE), packet(3, BID))
    assert [position for position, *_ in shown(decoded)] == [3] * 6
    assert [size for _, name, size in shown(decoded) if name == "LEVEL"] == [100.0, 50.0, 10.0]
    assert not decoded.missing


def test_what_came_before_is_dropped_by_its_number_and_the_rest_of_its_packet_read() -> None:
    decoded = decode(EARLY, packet(3, BID), packet(3, BID), packet(3, BID, ASK), EARLY)
    assert decoded.messages["duplicate packet"] == 2
    assert [name for _, name, _ in shown(decoded)] == ["LEVEL", "QUOTE", "LEVEL", "QUOTE"]
    assert not decoded.faults


def test_a_gap_that_nothing_fills_is_told_with_its_count_and_loses_the_books() -> None:
    decoded = decode(EARLY, packet(3, BID), packet(6, ASK), packet(7, MORE), after_ns=2 * HOLD_NS)
    assert [(gap.count, gap.detail) for gap in decoded.missing] == [
        (2, "session 0000000001: messages 4 to 5 never came")
    ]
    assert codes(decoded) == ["BOOK_LOST"]
    assert decoded.missing[0].position == 3
    assert [name for _, name, _ in shown(decoded)].count("QUOTE") == 1


def test_a_gap_before_the_system_opens_loses_no_book() -> None:
    early = message("H", time_ns=3 * 3600 * 10**9, stock="AAPL", state="T")
    decoded = decode(EARLY, packet(5, early), packet(6, BID), after_ns=2 * HOLD_NS)
    assert sum(gap.count for gap in decoded.missing) == 2
    assert codes(decoded) == ["TRADING"]
    assert shown(decoded)[-1][1] == "QUOTE"


def test_no_more_packets_are_held_than_there_is_room_for() -> None:
    ahead = [packet(5 + place, message("V", 0)) for place in range(HOLD_PACKETS + 1)]
    decoded = decode(EARLY, packet(3, BID), *ahead, after_ns=10)
    assert [gap.count for gap in decoded.missing] == [1]
    assert decoded.messages["V"] == HOLD_PACKETS + 1


def test_a_heartbeat_tells_of_messages_that_are_missing() -> None:
    decoded = decode(EARLY, packet(3, BID), packet(6), packet(6), after_ns=2 * HOLD_NS)
    assert decoded.messages["heartbeat"] == 2
    assert not decoded.missing  # the first begins the waiting; what is missing may still come, also at the second
    later = decode(EARLY, packet(3, BID), packet(6), packet(6, MORE), packet(7), after_ns=2 * HOLD_NS)
    assert [gap.count for gap in later.missing] == [2]


def test_the_end_of_a_session_gives_up_what_never_came() -> None:
    decoded = decode(EARLY, packet(4, ASK), packet(7, count=0xFFFF))
    told = [gap.detail.partition(": ")[2] for gap in decoded.missing]
    assert told == ["messages 3 to 3 never came", "messages 5 to 6 never came"]
    assert sum(gap.count for gap in decoded.missing) == 3
    assert decoded.messages["A"] == 1
    assert decoded.messages["end of session"] == 1


def test_each_session_has_numbers_and_books_of_its_own() -> None:
    other = [
        packet(place, each, session=b"0000000002")
        for place, each in enumerate((*start("MSFT"), add(1, "B", 7, 5_000, "MSFT")), 1)
    ]
    decoded = decode(EARLY, other[0], packet(3, BID), *other[1:], packet(4, ASK))
    assert not decoded.missing
    assert not decoded.faults
    assert decoded.rows[decoded.rows["kind"] == Kind.QUOTE]["instrument"].tolist() == [0, 1, 0]


def test_packets_without_numbers_are_taken_as_they_come() -> None:
    decoded = decode(packet(0, *start("AAPL")), packet(0, BID), packet(0, ASK))
    assert decoded.messages == {"S": 1, "R": 1, "A": 2}


@pytest.mark.parametrize(
    ("damaged", "detail"),
    [
        (b"\0" * 19, "packet: 19 bytes: expected a MoldUDP64 header of 20; 19 bytes passed over"),
        (packet(3, BID, count=2), "messages: other than the packet's count says; 0 bytes passed over"),
        (packet(3, BID, ASK, count=1), "messages: other than the packet's count says; 38 bytes passed over"),
        (
            packet(3, BID)[:-1],
            "message length: 36, 35 bytes left: expected a message's length and the message; 37 bytes passed over",
        ),
    ],
)
def test_a_damaged_packet_is_told(damaged: bytes, detail: str) -> None:
    decoded = decode(EARLY, damaged)
    assert [(fault.position, fault.reason, fault.detail) for fault in decoded.faults] == [
        (1, Reason.UNDECODABLE, detail)
    ]


def test_event_times_are_the_messages_own() -> None:
    decoded = decode(EARLY, packet(4, ASK), packet(3, BID))
    assert {int(row["event_ns"]) - RECEIVED_NS for row in decoded.rows} == {0}
    assert OPEN_NS == 34_200 * 10**9
