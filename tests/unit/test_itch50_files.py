"""Files of TotalView-ITCH 5.0: cut at message ends, dated by their names, told where they break."""

import gzip
import struct
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dpkt
import pytest
import zstandard

from pipelines.domain.decoding import Discovered
from pipelines.feeds.files import itch50, pcap
from pipelines.feeds.files.frame_file import BrokenFile, FrameFile, Piece
from pipelines.feeds.files.reading import read_through
from tests.support.itch_messages import MIDNIGHT_NS, OPEN_NS, RECEIVED_NS, add, framed, message, packet, start

DAY = [*start("AAPL"), *(add(1 + place, "B", 100, 1_000_000 + place) for place in range(3_000))]
NAME = "AAPL_20190130.itch50"


def write(folder: Path, content: bytes, name: str = NAME) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def read(file: FrameFile) -> tuple[list[Piece], BrokenFile | None]:
    pieces = []
    try:
        for piece in file.pieces():
            pieces.append(piece)
    except BrokenFile as error:
        return pieces, error
    return pieces, None


def joined(pieces: list[Piece]) -> bytes:
    return b"".join(frame for piece in pieces for frame in piece.frames)


@pytest.mark.parametrize(
    "packed",
    [
        bytes,
        gzip.compress,
        zstandard.compress,
        lambda octets: gzip.compress(octets[:999]) + gzip.compress(octets[999:]),
    ],
    ids=["plain", "gzip", "zstd", "gzip in two parts"],
)
def test_frames_are_all_of_the_file_cut_at_message_ends(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    content = framed(*DAY)
    pieces, broken = read(itch50.open_file(write(tmp_path, packed(content))))
    assert broken is None
    assert joined(pieces) == content
    places = [place for piece in pieces for place in piece.places]
    sizes = [len(frame) for piece in pieces for frame in piece.frames]
    assert places == [sum(sizes[:place]) for place in range(len(sizes))]
    assert sum(count for piece in pieces for count in piece.count or []) == len(DAY)
    assert max(sizes) < 70_000
    assert len(sizes) == 3  # the directory is hours before the rest


def test_a_frame_is_received_at_the_event_time_of_its_last_message(tmp_path: Path) -> None:
    times = [OPEN_NS, OPEN_NS + 400_000_000, OPEN_NS + 1_100_000_000]
    path = write(tmp_path, framed(*(message("S", 0, at, event="M") for at in times)))
    pieces, _ = read(itch50.open_file(path))
    assert pieces[0].receive_ns == [MIDNIGHT_NS + times[1], MIDNIGHT_NS + times[2]]
    assert pieces[0].count == [2, 1]


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("AAPL_20190130_0930.itch50.gz", date(2019, 1, 30)), ("01302020.NASDAQ_ITCH50.gz", date(2020, 1, 30)),
        ("S013020-v50.txt.gz", date(2020, 1, 30)), ("ex20101224.TEST_ITCH_50", date(2010, 12, 24)),
        ("sample.itch", None), ("99999999.bin", None), ("20191399.bin", None),
    ],
)  # fmt: skip
def test_the_date_is_in_the_name(name: str, day: date | None) -> None:
    assert itch50.session_date(Path(name)) == day


def test_a_date_that_is_given_goes_before_the_name_and_without_one_it_is_1970(tmp_path: Path) -> None:
    content = framed(*DAY[:3])
    given, _ = read(itch50.open_file(write(tmp_path, content), day=date(2019, 1, 31)))
    assert given[0].receive_ns[-1] == RECEIVED_NS + 86_400 * 10**9
    undated, _ = read(itch50.open_file(write(tmp_path, content, "sample.itch")))
    assert undated[0].receive_ns[-1] == OPEN_NS + 5 * 3600 * 10**9


def test_empty_lengths_are_filled_in(tmp_path: Path) -> None:
    content = b"".join(b"\0\0" + each for each in DAY)
    path = write(tmp_path, content)
    assert itch50.recognise(path, content[:65536])
    pieces, broken = read(itch50.open_file(path))
    assert broken is None
    assert joined(pieces) == framed(*DAY)


def test_a_message_that_is_cut_off_is_told_after_all_before_it(tmp_path: Path) -> None:
    content = framed(*DAY)
    pieces, broken = read(itch50.open_file(write(tmp_path, content[:-10])))
    assert joined(pieces) == content[:-38]
    assert str(broken).endswith(
        f"{NAME}: byte {len(content) - 38}: the file is cut off in a message: 28 bytes of it are there"
    )


def test_a_gzip_file_that_is_cut_off_gives_what_it_has(tmp_path: Path) -> None:
    packed = gzip.compress(framed(*DAY))
    pieces, broken = read(itch50.open_file(write(tmp_path, packed[: len(packed) // 2])))
    assert broken is not None
    assert "the gzip file is cut off here" in broken.why
    assert framed(*DAY).startswith(joined(pieces))
    assert len(joined(pieces)) > 1000


@pytest.mark.parametrize("damage", [b"\xff\xff", b"\x00\x25A", b"\x00\x24z", b"garbage that is no message"])
def test_after_damage_messages_go_on_where_several_in_a_row_fit(tmp_path: Path, damage: bytes) -> None:
    messages = [framed(each) for each in DAY]
    broken_one = damage + messages[1_000][len(damage) :]
    path = write(tmp_path, b"".join([*messages[:1_000], broken_one, *messages[1_001:]]))
    pieces, broken = read(itch50.open_file(path))
    assert broken is None
    assert joined(pieces) == path.read_bytes()
    found = read_through(itch50.open_file(path))
    assert sum(found.messages.values()) == len(DAY) - 1
    assert found.rejects == {"undecodable": 1}
    at = sum(map(len, messages[:1_000]))
    assert at <= found.places[0].at <= at + 4


def test_damage_after_which_nothing_fits_ends_the_file_there(tmp_path: Path) -> None:
    content = framed(*DAY[:100])
    pieces, broken = read(itch50.open_file(write(tmp_path, content + b"\xff" * 500)))
    assert joined(pieces) == content
    assert broken is not None
    assert broken.place == len(content)
    assert "no message of ITCH 5.0 begins here" in broken.why


@pytest.mark.parametrize(
    "head", [b"", b"{}", b"\x00\x24", b"\x00\x13D", b"1565308456000 {}\n", framed(*DAY[:3])[:-1], b"\0" * 64]
)
def test_what_is_no_such_file_is_not_taken_for_one(head: bytes) -> None:
    assert not itch50.recognise(Path("x"), head)


def test_a_short_file_is_recognised_where_its_messages_are_all_of_it() -> None:
    assert itch50.recognise(Path("x"), framed(*DAY[:3]))


def udp(payload: bytes, source: bytes = b"\x0a\0\0\1") -> dpkt.ip.IP:
    carried = dpkt.udp.UDP(sport=1, dport=2, data=payload, ulen=8 + len(payload))
    return dpkt.ip.IP(src=source, dst=b"\xe9\0\0\1", p=17, data=carried, len=28 + len(payload))


def udp6(payload: bytes) -> dpkt.ip6.IP6:
    carried = dpkt.udp.UDP(sport=1, dport=2, data=payload, ulen=8 + len(payload))
    return dpkt.ip6.IP6(src=b"\1" * 16, dst=b"\2" * 16, nxt=17, plen=8 + len(payload), data=carried)


ETHERNET = b"\1" * 6 + b"\2" * 6
LINKS = {
    "ethernet": (1, lambda payload: ETHERNET + b"\x08\x00" + bytes(udp(payload))),
    "padded": (1, lambda payload: ETHERNET + b"\x08\x00" + bytes(udp(payload)) + b"\0" * 18),
    "vlan": (1, lambda payload: ETHERNET + b"\x81\x00\x00\x05\x08\x00" + bytes(udp(payload))),
    "ethernet of IPv6": (1, lambda payload: ETHERNET + b"\x86\xdd" + bytes(udp6(payload))),
    "linux cooked": (113, lambda payload: struct.pack(">HHH8sH", 0, 1, 6, b"\1" * 8, 0x0800) + bytes(udp(payload))),
    "linux cooked 2": (276, lambda payload: struct.pack(">HHIHBB8s", 0x0800, 0, 1, 1, 0, 6, b"") + bytes(udp(payload))),
    "raw IP": (101, lambda payload: bytes(udp(payload))),
    "raw IPv6": (101, lambda payload: bytes(udp6(payload))),
}  # fmt: skip

PAYLOADS = [packet(1, *start("AAPL")), packet(3, add(1, "B", 5, 10_000)), packet(4, add(2, "S", 5, 11_000))]


def capture(path: Path, link: int, packets: list[bytes], blocks: bool = False) -> Path:
    """A capture of packets a nanosecond apart; pcapng where `blocks`."""
    with path.open("wb") as file:
        if blocks:
            described = dpkt.pcapng.InterfaceDescriptionBlockLE(
                linktype=link,
                opts=[dpkt.pcapng.PcapngOptionLE(code=9, data=b"\x09"), dpkt.pcapng.PcapngOptionLE(code=0)],
            )
            dpkt.pcapng.Writer(file, idb=described)
            for place, each in enumerate(packets):
                stamp = RECEIVED_NS + place
                file.write(bytes(dpkt.pcapng.EnhancedPacketBlockLE(
                    ts_high=stamp >> 32, ts_low=stamp & 0xFFFFFFFF, caplen=len(each), pkt_len=len(each), pkt_data=each,
                )))  # fmt: skip
            return path
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, link))
        for place, each in enumerate(packets):
            stamp = RECEIVED_NS + place
            file.write(struct.pack("<IIII", stamp // 10**9, stamp % 10**9, len(each), len(each)) + each)
    return path


@pytest.mark.parametrize("blocks", [False, True], ids=["pcap", "pcapng"])
@pytest.mark.parametrize("link", LINKS)
def test_packets_of_every_link_are_read_with_their_times_and_places(tmp_path: Path, link: str, blocks: bool) -> None:
    number, wrap = LINKS[link]
    path = capture(tmp_path / "feed.pcap", number, [wrap(payload) for payload in PAYLOADS], blocks)
    content = path.read_bytes()
    assert pcap.recognise(path, content)
    pieces, broken = read(pcap.open_file(path))
    assert broken is None
    assert pieces[0].frames == PAYLOADS
    assert pieces[0].receive_ns == [RECEIVED_NS + place for place in range(3)]
    assert [
        content[place : place + len(payload)] for place, payload in zip(pieces[0].places, PAYLOADS, strict=True)
    ] == PAYLOADS
    assert pieces[0].count == [2, 1, 1]


def test_other_packets_are_passed_over(tmp_path: Path) -> None:
    wrap = LINKS["ethernet"][1]
    fragment = bytearray(wrap(PAYLOADS[1]))
    fragment[20] |= 0x20
    others = [
        b"",
        b"\0" * 12,
        ETHERNET + b"\x08\x06" + b"\0" * 28,
        wrap(b"hello"),
        bytes(fragment),
        wrap(PAYLOADS[1])[:-4],
    ]
    path = capture(tmp_path / "feed.pcap", 1, [wrap(PAYLOADS[0]), *others, wrap(PAYLOADS[1])])
    pieces, broken = read(pcap.open_file(path))
    assert broken is None
    assert pieces[0].frames == PAYLOADS[:2]
    assert not pcap.recognise(path, capture(path, 1, others).read_bytes())


def test_a_capture_that_is_cut_off_gives_what_it_has_and_says_where(tmp_path: Path) -> None:
    wrap = LINKS["ethernet"][1]
    path = capture(tmp_path / "feed.pcap", 1, [wrap(payload) for payload in PAYLOADS])
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    pieces, broken = read(pcap.open_file(path))
    assert pieces[0].frames == PAYLOADS[:2]
    assert broken is not None
    assert broken.place == len(content) - len(wrap(PAYLOADS[2]))
    assert pcap.recognise(path, content[:-5])


def test_what_is_held_for_a_gap_is_read_when_the_file_ends(tmp_path: Path) -> None:
    wrap = LINKS["ethernet"][1]
    path = capture(tmp_path / "feed.pcap", 1, [wrap(PAYLOADS[0]), wrap(PAYLOADS[2])])
    pieces, _ = read(pcap.open_file(path))
    decoded = pcap.open_file(path).protocol(Discovered()).decode(pieces[0].frames, pieces[0].receive_ns)
    assert decoded.messages == {"S": 1, "R": 1, "A": 1, "end of session": 1}
    assert [gap.count for gap in decoded.missing] == [1]


def test_a_link_that_is_not_known_is_named(tmp_path: Path) -> None:
    path = capture(tmp_path / "feed.pcap", 147, [b"x"])
    _, broken = read(pcap.open_file(path))
    assert broken is not None
    assert "link type 147" in broken.why
