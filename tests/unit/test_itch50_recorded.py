"""Recorded TotalView-ITCH 5.0: its books against the published ones, every field against another parser."""

import gzip
import json
from collections import Counter, defaultdict
from pathlib import Path

import itch.messages as itchfeed
import numpy as np
import pytest

from pipelines.domain.decoding import Decoded, Discovered
from pipelines.domain.market import Condition, Kind, Status
from pipelines.feeds.files import pcap
from pipelines.feeds.files.frame_file import FrameFile
from pipelines.feeds.files.itch50 import open_file
from pipelines.feeds.files.reading import Found, read_through
from pipelines.feeds.protocols.itch50.decoder import Itch50
from pipelines.feeds.protocols.itch50.layouts import LAYOUTS, LENGTHS, time_ns
from tests.support.itch_messages import (
    OPEN_NS,
    RECEIVED_NS,
    RECORDINGS,
    framed,
    message,
    needs_recordings,
    recorded_aapl,
    split,
)

CAPTURES = sorted((RECORDINGS / "pcap").glob("*/*.pcap"))

Quote = tuple[float, float, float, float]
"""Bid, its size, ask, its size."""


def quotes_after(decoded: Decoded, frames: int) -> list[Quote | None]:
    """The best quote after each frame; None before there is one, and while the book is lost."""
    said: list[Quote | None] = [None] * frames
    changes = defaultdict(list)
    for row in decoded.rows[np.isin(decoded.rows["kind"], (Kind.QUOTE, Kind.STATUS))]:
        changes[int(row["position"])].append(row)
    now: Quote | None = None
    for position in range(frames):
        for row in changes[position]:
            if row["kind"] == Kind.QUOTE:
                now = (row["bid"], row["bid_size"], row["ask"], row["ask_size"])
            elif row["code"] == Status.BOOK_LOST:
                now = None
        said[position] = now
    return said


def expected_quote(row: dict[str, str]) -> Quote:
    bid, bid_size, ask, ask_size = (
        float(row[name]) for name in ("bid_price_1", "bid_size_1", "ask_price_1", "ask_size_1")
    )
    return bid, bid_size, ask, ask_size


def orders_before(messages: list[bytes], rows: list[dict[str, str]]) -> list[bytes]:
    """What rested before the recording begins, as far as its messages refer to it: the columns beside them say side,
    price and size. Of four replaced orders the old price is nowhere: they are put far from the market. One order is
    never referred to: 4 shares bid at 162.60, seen when that price is the best."""
    read: set[bytes] = set()
    size: Counter[bytes] = Counter()
    side_price: dict[bytes, tuple[str, int]] = {}
    for each, row in zip(messages, rows, strict=True):
        kind, reference, side = chr(each[0]), each[11:19], "B" if row["direction"] == "1" else "S"
        if kind in "AF":
            read.add(reference)
        elif reference not in read and kind == "U":
            size[reference] += int(float(row["old_size"]))
            side_price[reference] = side, 100 if side == "B" else 1_999_990_000
        elif reference not in read:
            size[reference] += int(row["size"])
            side_price[reference] = side, round(float(row["price"]) * 10_000)
        if kind == "U":
            read.add(each[19:27])
    early = [message("S", 0, event="O"), message("R", 14, stock="AAPL")]
    for reference, (side, price) in side_price.items():
        number = int.from_bytes(reference, "big")
        early.append(
            message("A", 14, OPEN_NS, reference=number, side=side, shares=size[reference], stock="AAPL", price=price)
        )
    early.append(message("A", 14, OPEN_NS, reference=1, side="B", shares=4, stock="AAPL", price=1_626_000))
    return early


@needs_recordings
def test_with_the_orders_from_before_the_best_quote_is_the_expected_one_after_each_of_4000_messages() -> None:
    messages, rows = recorded_aapl()
    frames = [framed(*orders_before(messages, rows)), *(framed(each) for each in messages)]
    decoded = Itch50(Discovered(), levels=False).decode(frames, [RECEIVED_NS] * len(frames))
    assert not decoded.faults
    assert not decoded.missing
    assert quotes_after(decoded, len(frames))[1:] == [expected_quote(row) for row in rows]


@needs_recordings
def test_joined_midway_a_quote_is_told_only_where_it_is_proven_and_then_it_is_the_expected_one() -> None:
    messages, rows = recorded_aapl()
    frames = [framed(each) for each in messages]
    decoded = Itch50(Discovered(), levels=False).decode(frames, [RECEIVED_NS] * len(frames))
    told = quotes_after(decoded, len(frames))
    proven = [place for place, quote in enumerate(told) if quote]
    assert [told[place] for place in proven] == [expected_quote(rows[place]) for place in proven]
    assert len(proven) == 943
    assert [missing.symbol for missing in decoded.missing] == ["AAPL"]
    assert not decoded.faults


@needs_recordings
def test_trades_are_those_of_known_orders_at_their_prices() -> None:
    messages, rows = recorded_aapl()
    frames = [framed(*orders_before(messages, rows)), *(framed(each) for each in messages)]
    decoded = Itch50(Discovered(), levels=False).decode(frames, [RECEIVED_NS] * len(frames))
    trades = decoded.rows[decoded.rows["kind"] == Kind.TRADE]
    executed = [(place, row) for place, row in enumerate(rows, start=1) if row["message_type"] in "EC"]
    assert trades["position"].tolist() == [place for place, _ in executed]
    prices = [float(row["execution_price"] or row["price"]) for _, row in executed]
    assert trades["bid"].tolist() == pytest.approx(prices)
    assert trades["bid_size"].tolist() == [float(row["size"]) for _, row in executed]
    assert [flags > 0 for flags in trades["flags"].tolist()] == [row["direction"] == "-1" for _, row in executed]
    assert (trades["event_ns"] - RECEIVED_NS + OPEN_NS).tolist() == [int(row["timestamp_ns"]) for _, row in executed]


def read(file: FrameFile) -> Found:
    found = read_through(file)
    assert not found.broken
    return found


@needs_recordings
def test_the_head_of_a_day_has_the_messages_that_it_is_known_to_have() -> None:
    found = read(open_file(RECORDINGS / "itch50_head1000_20191230.bin"))
    assert found.messages == {"R": 993, "H": 3, "Y": 3, "S": 1}
    assert found.ticks == {"status": 6}
    assert len(found.symbols) == 993
    assert found.frames == 1000


@needs_recordings
def test_a_file_with_empty_lengths_is_read_by_the_lengths_of_its_types() -> None:
    found = read(open_file(RECORDINGS / "SYNTHETIC_ritch_ex20101224.TEST_ITCH_50.gz"))
    assert sum(found.messages.values()) == found.frames == 12_012
    assert found.messages["P"] == 5000
    assert found.symbols == ("ALC", "BOB", "CHAR")
    assert set(found.rejects) == {"crossed"}  # its simulated books cross


@needs_recordings
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_is_the_golden_decode_field_by_field(path: Path) -> None:
    with gzip.open(RECORDINGS / "pcap_decoded.jsonl.gz", "rt") as lines:
        golden = [each for each in map(json.loads, lines) if each["file"].endswith(f"{path.parent.name}/{path.name}")]
    if path.parent.name.startswith("Nasdaq.Nsm.Ouch"):
        assert not golden
        assert not pcap.recognise(path, path.read_bytes())
        return
    assert pcap.recognise(path, path.read_bytes())
    file = pcap.open_file(path)
    messages = [each for piece in file.pieces() for frame in piece.frames for each in split(frame[20:])]
    assert [told(each) for each in messages] == [
        {name: value for name, value in each.items() if name not in ("file", "packet", "mold_seq", "index")}
        for each in golden
    ]
    assert read(file).messages == Counter(each["type"] for each in golden)


NAMES = {
    "locate": "stock_locate", "reference": "order_ref", "new_reference": "new_ref", "participant": "mpid",
    "far_price": "far", "near_price": "near", "reference_price": "ref", "upper_price": "upper", "lower_price": "lower",
    "extension": "ext", "variation": "var",
}  # fmt: skip
"""Fields as the golden decode calls them."""


def told(each: bytes) -> dict[str, object]:
    """A message as the golden decode has it."""
    kind = chr(each[0])
    row = np.frombuffer(each, LAYOUTS[kind])[0]
    found: dict[str, object] = {"len": len(each), "type": kind, "ts_ns": time_ns(each)}
    for name in row.dtype.names or ():
        if name in ("type", "time_high", "time_low", "reserved"):
            continue
        value = row[name]
        shown = value.decode().rstrip() if isinstance(value, bytes) else int(value)
        found[NAMES.get(name, name)] = shown / 10_000 if name.endswith("price") and isinstance(shown, int) else shown
    return found


@pytest.mark.parametrize("kind", LAYOUTS)
def test_every_field_of_every_type_is_where_itchfeed_has_it(kind: str) -> None:
    random = np.random.default_rng(ord(kind))
    theirs = itchfeed.messages[kind.encode()]
    assert LENGTHS[ord(kind)] == theirs.message_size
    for _ in range(20):
        octets = kind.encode() + random.integers(1, 256, LENGTHS[ord(kind)] - 1, np.uint8).tobytes()
        other = theirs(octets)
        row = np.frombuffer(octets, LAYOUTS[kind])[0]
        ours = [
            row[name]
            for name in row.dtype.names or ()
            if name not in ("type", "tracking", "locate", "time_high", "time_low")
        ]
        fields = [name for name in vars(other) if name not in ("stock_locate", "tracking_number", "timestamp")]
        assert [getattr(other, name) for name in fields] == ours
        assert (other.stock_locate, other.tracking_number, other.timestamp) == (
            row["locate"],
            row["tracking"],
            time_ns(octets),
        )


@needs_recordings
def test_the_recorded_cross_prints_are_trades_of_an_auction_and_empty_ones_are_none() -> None:
    path = next(path for path in CAPTURES if path.name == "CrossTrade.pcap")
    piece = next(iter(pcap.open_file(path).pieces()))
    rows = pcap.open_file(path).protocol(Discovered()).decode(piece.frames, piece.receive_ns).rows
    assert set(rows["code"].tolist()) == {Condition.CROSS | Condition.OPENING}
    printed = [int.from_bytes(frame[22 + 11 : 22 + 19], "big") for frame in piece.frames]
    assert rows["bid_size"].tolist() == [float(shares) for shares in printed if shares]
