"""Coinbase, Kraken and Bitstamp: what a frame of each gives, when a book is lost, and what each refuses."""

import json
import tarfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.decoding import Decoded, OpenDecoder, Reason
from pipelines.domain.market import Flag, Kind, Status
from pipelines.feeds.protocols.bitstamp import Bitstamp
from pipelines.feeds.protocols.coinbase import Coinbase
from pipelines.feeds.protocols.kraken import Kraken
from pipelines.feeds.protocols.websocket.json_decoder import JsonDecoder
from tests.support.depth_frames import (
    COINBASE_NS,
    COINBASE_TIME,
    EXISTING,
    bitstamp,
    coinbase,
    coinbase_match,
    kraken_checksum,
    kraken_snapshot,
    kraken_update,
    text,
)

INDEX = {"BTC-USD": 0, "XBT/USD": 1, "btcusd": 2, "BTC/USD": 3}
JSON_SUITE = Path(__file__).parents[3] / "shared/data/json/JSONTestSuite_half_A.tar.gz"

SNAPSHOT = coinbase("snapshot", **EXISTING)
UPDATE = coinbase("l2update", changes=[["buy", "100.0", "7"]], time=COINBASE_TIME)
TICKER = coinbase("ticker", sequence=9, best_bid="99", best_ask="103", time=COINBASE_TIME)
KRAKEN_TICKER = text([1, {"a": ["103", 1, "1.5"], "b": ["99", 2, "2.5"]}, "ticker", "XBT/USD"])
BIDS, ASKS = EXISTING["bids"], EXISTING["asks"]


def decode(opened: OpenDecoder, *frames: bytes) -> Decoded:
    return opened(INDEX).decode(frames, [0] * len(frames))


def kinds(decoded: Decoded) -> list[tuple[int, str]]:
    return [
        (int(row["position"]), Status(int(row["code"])).name if row["kind"] == Kind.STATUS else Kind(row["kind"]).name)
        for row in decoded.rows
    ]


def quotes(decoded: Decoded) -> list[tuple[float, float]]:
    found = decoded.rows[decoded.rows["kind"] == Kind.QUOTE]
    return list(zip(found["bid"].tolist(), found["ask"].tolist(), strict=True))


def test_a_coinbase_book_is_a_snapshot_and_its_updates_timed_to_the_microsecond() -> None:
    decoded = decode(Coinbase, SNAPSHOT, UPDATE)
    assert kinds(decoded) == [(0, "LEVEL")] * 4 + [(0, "QUOTE"), (1, "LEVEL"), (1, "QUOTE")]
    assert decoded.rows["event_ns"].tolist() == [0] * 5 + [COINBASE_NS] * 2
    assert decoded.rows["bid_size"][-1] == 7.0


def test_a_coinbase_trade_is_numbered_and_its_taker_is_not_the_maker() -> None:
    bought, sold = decode(Coinbase, coinbase_match(5, side="sell"), coinbase_match(6, side="buy")).rows
    assert (bought["venue_sequence"], bought["bid"], bought["ask_size"]) == (5, 100.5, 2.0)
    assert (bought["flags"], sold["flags"]) == (Flag.BUYER_AGGRESSOR, 0)


def test_tickers_give_quotes_only_while_there_is_no_book() -> None:
    assert quotes(decode(Coinbase, TICKER, SNAPSHOT, TICKER)) == [(99.0, 103.0), (100.0, 101.0)]
    assert quotes(decode(Kraken, KRAKEN_TICKER, kraken_snapshot(), KRAKEN_TICKER)) == [(99.0, 103.0), (100.0, 101.0)]


def test_a_spread_stream_is_better_than_a_ticker() -> None:
    spread = text([1, ["100", "101", "1618678133.365913", "1", "2"], "spread", "XBT/USD"])
    decoded = decode(Kraken, KRAKEN_TICKER, spread, KRAKEN_TICKER)
    assert quotes(decoded) == [(99.0, 103.0), (100.0, 101.0)]
    assert decoded.rows["event_ns"].tolist() == [0, 1618678133365913000]


def test_a_frame_that_may_have_been_an_update_loses_books_that_nothing_else_would_show_wrong() -> None:
    decoder = Coinbase(INDEX)
    decoded = decoder.decode([SNAPSHOT, b"{", UPDATE, TICKER], [0] * 4)
    assert kinds(decoded)[5:] == [(1, "BOOK_LOST"), (3, "QUOTE")]
    assert decoded.missing[0].symbol == "BTC-USD"
    assert decoder.wants() == ("BTC-USD",)
    assert kinds(decoder.decode([SNAPSHOT], [0]))[0] == (0, "BOOK_BACK")


def test_a_broken_trade_loses_no_book() -> None:
    decoded = decode(Coinbase, SNAPSHOT, coinbase_match(5).replace(b'"100.5"', b'"x"'), UPDATE)
    assert "BOOK_LOST" not in dict(kinds(decoded)).values()
    assert [fault.detail[:10] for fault in decoded.faults] == ["price: 'x'"]


@pytest.mark.parametrize(
    ("opened", "frame", "detail"),
    [
        (Coinbase, UPDATE.replace(b"04-17T", b"13-17T"), "time: '2021-13-17T16:43:37.075687Z': expected a time"),
        (Coinbase, UPDATE.replace(b"-04-17", b"-02-30"), "time: '2021-02-30T16:43:37.075687Z': expected a time"),
        (Coinbase, UPDATE.replace(b'"buy"', b'"bid"'), "changes[0][0]: 'bid': invalid enum value 'bid'"),
        (Coinbase, coinbase("candle"), "type: 'candle': expected a type of Coinbase's channels"),
        (Kraken, b"[1,{},3]", "frame: [1, {}, 3]: expected channel, data, name and pair"),
        (Kraken, kraken_snapshot(11), "[2]: 'book-11': invalid enum value 'book-11'"),
        (Kraken, text({"channel": "x"}), "channel: 'x' of type None: expected one of Kraken's"),
        (Bitstamp, bitstamp(0), "microtimestamp: '0': expected a time in microseconds"),
        (Bitstamp, b'{"event":"data2"}', "event: 'data2' of channel None: expected one of Bitstamp's"),
    ],
)
def test_a_frame_that_is_not_the_venues_says_field_value_and_what_was_expected(
    opened: OpenDecoder, frame: bytes, detail: str
) -> None:
    (fault,) = decode(opened, frame).faults
    assert (fault.reason, fault.detail[: len(detail)]) == (Reason.UNDECODABLE, detail)


def test_a_kraken_update_with_the_checksum_of_its_book_is_taken_and_with_another_the_book_is_lost() -> None:
    bids = (("100.0", "9"), BIDS[1])
    good = kraken_update("b", bids[:1], kraken_checksum(bids, ASKS))
    decoder = Kraken(INDEX)
    decoded = decoder.decode([kraken_snapshot(), good, kraken_update("b", bids[:1], 12345), good], [0] * 4)
    assert kinds(decoded)[4:] == [(0, "QUOTE"), (1, "LEVEL"), (1, "QUOTE"), (2, "BOOK_LOST")]
    (gap,) = decoded.missing
    assert gap.detail == (
        f"XBT/USD book: checksum 12345, of the book here {kraken_checksum(bids, ASKS)}: it is lost until a snapshot"
    )
    assert decoder.wants() == ("XBT/USD",)


def test_kraken_levels_beyond_the_depth_subscribed_go() -> None:
    bids = tuple((f"{100 - at}.0", "1") for at in range(10))
    better = (("100.5", "1"), *bids)
    update = kraken_update("b", better[:1], kraken_checksum(better, ASKS))
    decoded = decode(Kraken, kraken_snapshot(10, bids=bids, asks=ASKS), update)
    gone = [row for row in decoded.rows if row["position"] == 1 and row["bid_size"] == 0]
    assert [float(row["bid"]) for row in gone] == [91.0]
    assert decoded.missing == ()


def test_kraken_trades_come_several_to_a_frame_each_with_its_own_time() -> None:
    one = ["354.11", "0.5", "1618678142.557535", "s", "l", ""]
    other = ["354.12", "0.25", "1618678142.6", "b", "m", ""]
    rows = decode(Kraken, text([993, [one, other], "trade", "XBT/USD"])).rows
    assert rows[["bid", "ask_size", "event_ns", "venue_sequence", "flags"]].tolist() == [
        (354.11, 0.5, 1618678142557535000, -1, 0),
        (354.12, 0.25, 1618678142600000000, -1, Flag.BUYER_AGGRESSOR),
    ]


def v2_book(kind: str, bids: str, asks: str, checksum: int) -> bytes:
    return (
        f'{{"channel":"book","type":"{kind}","data":[{{"symbol":"BTC/USD","bids":[{bids}],"asks":[{asks}],'
        f'"checksum":{checksum},"timestamp":"2023-10-06T17:35:55.440295Z"}}]}}'
    ).encode()


def test_kraken_v2_checksums_count_the_zeros_that_a_number_ends_in() -> None:
    bids, asks = (("45283.5", "0.10000000"),), (("45285.2", "0.00100000"),)
    snapshot = v2_book(
        "snapshot", '{"price":45283.5,"qty":0.10000000}', '{"price":45285.2,"qty":0.00100000}',
        kraken_checksum(bids, asks),
    )  # fmt: skip
    update = v2_book("update", '{"price":45283.5,"qty":0.00000000}', "", kraken_checksum((), asks))
    decoded = decode(Kraken, snapshot, update)
    assert quotes(decoded) == [(45283.5, 45285.2), (0.0, 45285.2)]
    assert decoded.missing == ()
    assert len(decode(Kraken, snapshot.replace(b"0.10000000", b"0.1")).missing) == 1


def test_kraken_v2_trades_are_numbered_and_of_one_instrument() -> None:
    trade = {
        "symbol": "BTC/USD", "side": "sell", "price": 0.5147, "qty": 6423.46326, "ord_type": "limit",
        "trade_id": 4665846, "timestamp": "2023-09-25T07:48:36.925533Z",
    }  # fmt: skip
    frame = {"channel": "trade", "type": "update", "data": [trade, trade | {"trade_id": 4665847}]}
    rows = decode(Kraken, text(frame)).rows
    assert rows["venue_sequence"].tolist() == [4665846, 4665847]
    frame["data"] = [trade, trade | {"symbol": "ETH/USD"}]
    (fault,) = decode(Kraken, text(frame)).faults
    assert "expected one instrument in a message" in fault.detail


def test_a_bitstamp_book_takes_what_is_not_older_than_its_snapshot() -> None:
    decoder = Bitstamp(INDEX)
    before = decoder.decode([bitstamp(1_000_000, bids=BIDS[:1]), bitstamp(3_000_000, bids=[("100.5", "1")])], [0, 0])
    assert len(before.rows) == 0
    assert decoder.wants() == ("btcusd",)
    decoded = decoder.decode([bitstamp(2_000_000, "snapshot", **EXISTING), bitstamp(1_500_000, bids=BIDS)], [0, 0])
    assert quotes(decoded) == [(100.0, 101.0), (100.5, 101.0)]
    assert decoder.wants() == ()


SESSIONS: dict[str, tuple[OpenDecoder, list[bytes]]] = {
    "coinbase": (Coinbase, [SNAPSHOT, UPDATE, TICKER, coinbase_match(5), coinbase("heartbeat"), b"{", UPDATE]),
    "kraken": (
        Kraken,
        [
            kraken_snapshot(),
            kraken_update("a", [("101.0", "8")], kraken_checksum(BIDS, (("101.0", "8"), ASKS[1]))),
            kraken_update("b", [("101.0", "8")], 1),
            KRAKEN_TICKER,
            b'{"event":"heartbeat"}',
            b"[",
        ],
    ),
    "bitstamp": (
        Bitstamp,
        [bitstamp(3, bids=[("100.5", "1")]), bitstamp(2, "snapshot", **EXISTING), bitstamp(4, asks=ASKS[:1]), b"{"],
    ),
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(SESSIONS)), st.data())
def test_frames_cut_anywhere_and_state_carried_over_give_the_same(venue: str, data: st.DataObject) -> None:
    opened, pool = SESSIONS[venue]
    frames = data.draw(st.lists(st.sampled_from(pool), max_size=20))
    cuts = data.draw(st.lists(st.integers(0, 20), max_size=4))
    together = decode(opened, *frames)
    rows, faults, missing = [together.rows[:0]], [], []
    state = b""
    for first, last in pairwise(sorted({0, len(frames), *(cut for cut in cuts if cut < len(frames))})):
        decoder = opened(INDEX)
        decoder.load(state)
        decoded = decoder.decode(frames[first:last], [0] * (last - first))
        state = decoder.dump()
        part = decoded.rows.copy()
        part["position"] += first
        rows.append(part)
        faults += [(fault.position + first, fault.detail) for fault in decoded.faults]
        missing += [(gap.position + first, gap.detail) for gap in decoded.missing]
    assert np.concatenate(rows).tolist() == together.rows.tolist()
    assert faults == [(fault.position, fault.detail) for fault in together.faults]
    assert missing == [(gap.position, gap.detail) for gap in together.missing]


def must_reject() -> Iterator[Any]:
    if not JSON_SUITE.exists():
        yield pytest.param(b"", marks=pytest.mark.skip(reason=f"{JSON_SUITE} is not on this machine"))
        return
    with tarfile.open(JSON_SUITE) as suite:
        for member in suite:
            name = member.name.rpartition("/")[2]
            content = suite.extractfile(member)
            if name.startswith("n_") and content is not None:
                yield pytest.param(content.read(), id=name.removesuffix(".json"))


CARRIERS: list[tuple[type[JsonDecoder], bytes]] = [
    (Coinbase, UPDATE[:-1] + b',"Z":?}'),
    (Kraken, b'{"event":"heartbeat","Z":?}'),
    (Bitstamp, bitstamp(5)[:-1] + b',"Z":?}'),
]


@pytest.mark.parametrize("content", list(must_reject()))
def test_what_json_forbids_is_refused_alone_and_inside_a_frame(content: bytes) -> None:
    for opened, carrier in CARRIERS:
        faults = decode(opened, content, carrier.replace(b"?", content)).faults
        assert [fault.reason for fault in faults] == [Reason.UNDECODABLE] * 2, opened.__name__


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SESSIONS)), st.integers(0, 5), st.integers(0, 200), st.integers(0, 255))
def test_a_frame_with_any_byte_changed_is_taken_or_refused_and_never_raises(
    venue: str, which: int, at: int, byte: int
) -> None:
    opened, pool = SESSIONS[venue]
    frame = pool[which % len(pool)]
    spoiled = frame[:at] + bytes([byte]) + frame[at + 1 :]
    decoded = decode(opened, spoiled)
    assert len(decoded.faults) <= 1
    assert len(decoded.faults) + sum(decoded.messages.values()) >= 1
    try:
        json.loads(spoiled)
    except ValueError:
        assert len(decoded.faults) == 1
