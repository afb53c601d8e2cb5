"""UDP payloads of pcap and pcapng files, plain or gzip, with the time and place of each.

Link layers: Ethernet with or without VLAN tags, Linux cooked (1 and 2), BSD loopback, raw IP; IPv4 and IPv6. What else
was captured is passed over, and so are fragments and packets that the capture has cut short.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import dpkt

from pipelines.domain.market import NS_PER_S
from pipelines.feeds.files.frame_file import BrokenFile
from pipelines.feeds.files.octets import OctetStream

PCAP = frozenset((b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1"))
PCAPNG = b"\x0a\x0d\x0d\x0a"

LATEST_NS = 1 << 62
"""In the year 2116: a later time of a packet is none, and counts as not known."""

_BLOCK_HEAD = 20
"""Bytes of a pcapng packet block between its length and the packet."""


def _ip(packet: bytes) -> Any:
    return dpkt.ip6.IP6(packet) if packet[:1] and packet[0] >> 4 == 6 else dpkt.ip.IP(packet)


_LINKS: Mapping[int, Callable[[bytes], Any]] = MappingProxyType(
    {
        dpkt.pcap.DLT_NULL: lambda packet: dpkt.loopback.Loopback(packet).data,
        dpkt.pcap.DLT_LOOP: lambda packet: dpkt.loopback.Loopback(packet).data,
        dpkt.pcap.DLT_EN10MB: lambda packet: dpkt.ethernet.Ethernet(packet).data,
        dpkt.pcap.DLT_LINUX_SLL: lambda packet: dpkt.sll.SLL(packet).data,
        dpkt.pcap.DLT_LINUX_SLL2: lambda packet: dpkt.sll2.SLL2(packet).data,
        12: _ip,
        14: _ip,
        101: _ip,
        dpkt.pcap.DLT_IPV4: _ip,
        dpkt.pcap.DLT_IPV6: _ip,
    }
)
"""By link type, how the network packet is had. Raw IP is 101, and 12 or 14 by the numbers of some systems."""


class Payload(NamedTuple):
    """What a UDP packet carries, when it was captured (UTC ns), and where in the file it begins."""

    received_ns: int
    octets: bytes
    place: int


def is_capture(head: bytes) -> bool:
    """Whether a file begins as pcap or pcapng."""
    return head[:4] in PCAP or head[:4] == PCAPNG


def payloads(path: Path, stream: OctetStream) -> Iterator[Payload]:
    """All UDP payloads of a capture. BrokenFile where it is damaged or cut off, after all before."""
    try:
        head = stream.read(24)
        blocks = head[:4] == PCAPNG
        reader = (dpkt.pcapng.Reader if blocks else dpkt.pcap.Reader)(_After(head, stream))
        reader._divisor = Decimal(int(reader._divisor))  # a float of seconds has no room for nanoseconds
        link = _LINKS.get(reader.datalink())
        if link is None:
            raise BrokenFile(path, "byte", 20, f"link type {reader.datalink()}: of {sorted(_LINKS)} can be read")
        for when, packet in reader:
            if found := _payload(link, reader.datalink(), packet):
                place = stream.began + (_BLOCK_HEAD if blocks else 0) + packet.find(found)
                received_ns = int(when * NS_PER_S)
                yield Payload(received_ns if 0 <= received_ns <= LATEST_NS else 0, found, place)
    except (dpkt.Error, ValueError) as error:
        if isinstance(error, BrokenFile):
            raise
        raise BrokenFile(path, "byte", stream.began, f"no record of a capture: {error}") from error


class _After:
    """A stream of which the first bytes were read already."""

    def __init__(self, head: bytes, stream: OctetStream) -> None:
        self._head, self._stream, self.name = head, stream, "capture"

    def read(self, size: int) -> bytes:
        found, self._head = self._head[:size], self._head[size:]
        return found + self._stream.read(size - len(found)) if len(found) < size else found


def _payload(link: Callable[[bytes], Any], link_type: int, packet: bytes) -> bytes:
    """The UDP payload of a packet; empty where it has none, or not all of one."""
    plain = link_type == dpkt.pcap.DLT_EN10MB and packet[12:15] == b"\x08\x00\x45" and packet[20] & 0x3F == 0
    if plain and len(packet) > 42 and packet[21] == 0 and packet[23] == dpkt.ip.IP_PROTO_UDP:
        # Ethernet, IPv4 without options: nearly all that a feed's capture holds, and twenty times as fast so.
        end = 34 + int.from_bytes(packet[38:40], "big")
        return packet[42:end] if end <= len(packet) else b""
    try:
        network = link(packet)
        transport = getattr(network, "data", None)
        if (
            not isinstance(transport, dpkt.udp.UDP)
            or getattr(network, "mf", False)
            or len(transport.data) < transport.ulen - 8
        ):
            return b""
        return bytes(transport.data)[: transport.ulen - 8]
    except (dpkt.Error, ValueError, IndexError):
        return b""
