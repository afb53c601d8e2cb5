"""Binance's books: begun by a snapshot, kept in step by update ids, lost at a gap, and back by the next snapshot."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.decoding import DECODED, Decoded, DecodedRows, Reason
from pipelines.domain.market import Flag, Kind, Status
from pipelines.feeds.protocols.binance import Binance
from tests.support.binance_frames import E_MS, bare, quote, spot_quote, trade, wrapped
from tests.support.depth_frames import futures_update, spot_snapshot, spot_update, text

INDEX = {"BTCUSDT": 0, "ETHUSDT": 1}
ONE_BID = [("100.0", "5")]


def decode(*frames: bytes) -> Decoded:
    return Binance(INDEX).decode(frames, [0] * len(frames))


def said(decoded: Decoded) -> list[Any]:
    """Rows as (position, what): a level, a quote, or a status."""
    found: list[Any] = []
    for row in decoded.rows:
        at, kind, flags = int(row["position"]), int(row["kind"]), int(row["flags"])
        if kind == Kind.STATUS:
            found.append((at, Status(int(row["code"]))))
        elif kind == Kind.LEVEL:
            found.append((at, "ask" if flags & Flag.ASK else "bid", float(row["bid"]), float(row["bid_size"])))
        else:
            found.append((at, Kind(kind).name, float(row["bid"]), float(row["ask"])))
    return found


def aggregate(a: int, symbol: str = "BTCUSDT", **changed: Any) -> bytes:
    event = {"e": "aggTrade", "E": E_MS, "s": symbol, "a": a, "p": "61800.30", "q": "0.5", "f": 1, "l": 2, "T": E_MS}
    return wrapped(f"{symbol.lower()}@aggTrade", event | {"m": True, "M": True}, changed)


def test_updates_before_the_snapshot_are_kept_and_what_it_has_is_dropped() -> None:
    #  update ids   8-10  11-12  | snapshot 10 |  13
    decoded = decode(
        spot_update(8, 10, bids=[("98.0", "9")]),
        spot_update(11, 12, bids=ONE_BID),
        spot_snapshot(10),
        spot_update(13, 13, asks=[("101.0", "0")]),
    )
    assert said(decoded) == [
        (2, "bid", 100.0, 1.0),
        (2, "bid", 99.0, 2.0),
        (2, "ask", 101.0, 3.0),
        (2, "ask", 102.0, 4.0),
        (2, "QUOTE", 100.0, 101.0),
        (2, "bid", 100.0, 5.0),
        (2, "QUOTE", 100.0, 101.0),
        (3, "ask", 101.0, 0.0),
        (3, "QUOTE", 100.0, 102.0),
    ]
    assert decoded.rows["venue_sequence"].tolist() == [10] * 5 + [12] * 2 + [13] * 2
    assert (decoded.rows["flags"][:4] & Flag.SNAPSHOT).all()
    assert not (decoded.rows["flags"][4:] & Flag.SNAPSHOT).any()


@pytest.mark.parametrize(
    ("frames", "in_step"),
    [
        ([spot_snapshot(10), spot_update(9, 10), spot_update(9, 11), spot_update(12, 12)], True),
        ([spot_snapshot(10), spot_update(11, 12), spot_update(13, 13)], True),
        ([spot_snapshot(10), spot_update(12, 12)], False),
        ([spot_snapshot(10), spot_update(11, 12), spot_update(14, 14)], False),
        ([spot_snapshot(10), spot_update(11, 12), spot_update(12, 14)], False),
        ([spot_snapshot(10), futures_update(9, 10, 8), futures_update(20, 22, 10)], True),
        ([spot_snapshot(10), futures_update(8, 9, 7), futures_update(10, 12, 9)], True),
        ([spot_snapshot(10), futures_update(11, 12, 10)], False),
        ([spot_snapshot(10), futures_update(9, 12, 8), futures_update(15, 16, 13)], False),
    ],
)
def test_updates_go_on_from_a_snapshot_and_from_each_other_as_binance_prescribes(
    frames: list[bytes], in_step: bool
) -> None:
    decoded = decode(*frames)
    assert (decoded.missing == ()) == in_step
    assert (Status.BOOK_LOST in decoded.rows["code"][decoded.rows["kind"] == Kind.STATUS]) != in_step


def test_at_a_gap_the_book_is_lost_says_nothing_and_comes_back_with_the_next_snapshot() -> None:
    decoder = Binance(INDEX)
    frames = [spot_snapshot(10), spot_update(11, 11), spot_update(15, 15, bids=ONE_BID), spot_update(16, 16)]
    decoded = decoder.decode(frames, [0] * 4)
    assert said(decoded)[5:] == [(2, Status.BOOK_LOST)]
    (gap,) = decoded.missing
    assert (gap.position, gap.symbol, gap.count) == (2, "BTCUSDT", 0)
    assert gap.detail.startswith("BTCUSDT book: updates are missing after 11: the next is of 15 to 15")
    assert decoder.wants() == ("BTCUSDT",)
    assert said(decoder.decode([spot_snapshot(12)], [0])) == []  # older than what was kept: another is needed
    assert decoder.wants() == ("BTCUSDT",)
    back = said(decoder.decode([spot_snapshot(15, bids=ONE_BID, asks=[]), spot_update(17, 17)], [0, 0]))
    assert back == [(0, Status.BOOK_BACK), (0, "bid", 100.0, 5.0), (0, "QUOTE", 100.0, 0.0)]
    assert decoder.wants() == ()


def test_a_snapshot_of_a_book_that_is_in_step_is_passed_over() -> None:
    decoded = decode(spot_snapshot(10), spot_snapshot(12, bids=[], asks=[]), spot_update(11, 11, bids=ONE_BID))
    assert said(decoded)[-2:] == [(2, "bid", 100.0, 5.0), (2, "QUOTE", 100.0, 101.0)]


def test_best_quotes_are_the_quotes_from_the_first_of_them_on() -> None:
    decoded = decode(
        spot_snapshot(10), spot_quote(u=11), spot_update(11, 11, bids=[("100.5", "1")]), spot_snapshot(3, "ETHUSDT")
    )
    quotes = decoded.rows[decoded.rows["kind"] == Kind.QUOTE]
    assert quotes["position"].tolist() == [0, 1, 3]


@pytest.mark.parametrize(("first", "second"), [(trade(t=7), aggregate(3)), (aggregate(3), trade(t=7))])
def test_of_trades_and_aggregate_trades_the_one_that_came_first_gives_the_ticks(first: bytes, second: bytes) -> None:
    decoded = decode(first, second, first)
    assert decoded.rows["position"].tolist() == [0, 2]
    assert sum(decoded.messages.values()) == 3


def test_what_is_not_kept_is_counted_by_its_name() -> None:
    depth20 = spot_update(1, 2).replace(b"@depth@", b"@depth20@")
    levels = text({"stream": "btcusdt@depth5", "data": {"lastUpdateId": 1, "bids": [], "asks": []}})
    events = [text({"e": kind, "E": E_MS}) for kind in ("kline", "24hrTicker", "markPriceUpdate", "forceOrder")]
    array = text([{"e": "24hrMiniTicker"}, {"e": "24hrMiniTicker"}])
    decoded = decode(*events, text({"result": None, "id": 1}), depth20, levels, array)
    assert (len(decoded.rows), decoded.faults) == (0, ())
    assert decoded.messages == dict.fromkeys(
        ["kline", "24hrTicker", "markPriceUpdate", "forceOrder", "result", "depth20", "depth5", "24hrMiniTicker"], 1
    )


@pytest.mark.parametrize(
    ("frame", "detail", "field"),
    [
        (spot_update(1, 2, bids=[("-1", "2")]), "b[0][0]: '-1': expected a decimal of 0 or more", b'"b"'),
        (spot_update(1, 2, asks=[("1", "2"), ("3", "x")]), "a[1][1]: 'x': expected a decimal of at most", b'"a"'),
        (spot_update(1, 2, bids=[("1",)]), "b[0]: ['1']: expected `array` of length 2", b'"b"'),  # type: ignore[list-item]
        (bare(spot_snapshot(1)), "stream: a book's snapshot without its symbol", b'"lastUpdateId"'),
    ],
)
def test_a_book_frame_that_cannot_be_read_says_which_level(frame: bytes, detail: str, field: bytes) -> None:
    (fault,) = decode(frame).faults
    assert fault.reason == Reason.UNDECODABLE
    assert fault.detail.startswith(detail)
    assert fault.offset == frame.find(field)


def test_a_book_of_an_instrument_that_is_not_listed_is_a_fault_of_its_own() -> None:
    (fault,) = decode(spot_update(1, 2, symbol="DOGEUSDT")).faults
    assert (fault.reason, fault.symbol) == (Reason.UNKNOWN_INSTRUMENT, "DOGEUSDT")


def test_bytes_that_are_no_state_are_refused() -> None:
    decoder = Binance(INDEX)
    decoder.decode([spot_snapshot(1)], [0])
    state = decoder.dump()
    for spoiled in (b"\x09" + state[1:], state[:-1], state + b"x", b"\x01"):
        with pytest.raises(ValueError, match="state of a session's books"):
            Binance(INDEX).load(spoiled)


prices = st.sampled_from(["99.5", "100.0", "100.5", "101.0", "101.5", "102.0"])
sides = st.lists(st.tuples(prices, st.sampled_from(["0", "1", "2.5"])), max_size=4)
steps = st.lists(
    st.tuples(
        st.sampled_from(["update"] * 6 + ["lost", "snapshot", "quote", "trade", "garbage", "other"]), sides, sides
    ),
    max_size=40,
)


def played(plan: Sequence[tuple[str, Any, Any]]) -> tuple[list[bytes], dict[str, dict[str, str]]]:
    """Frames of a session in which updates are lost and snapshots come, and the true book at its end."""
    book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
    update = 10
    frames = []
    for kind, bids, asks in plan:
        if kind in ("update", "lost"):
            update += 1
            for side, levels in (("bids", bids), ("asks", asks)):
                for price, size in levels:
                    book[side][price] = size
                    if size == "0":
                        del book[side][price]
            if kind == "update":
                frames.append(spot_update(update, update, bids, asks))
        elif kind == "snapshot":
            frames.append(spot_snapshot(update, **{side: list(levels.items()) for side, levels in book.items()}))
        else:
            made = {"quote": quote("ETHUSDT", u=update), "trade": trade(t=update), "garbage": b"{", "other": b"{}"}
            frames.append(made[kind])
    return frames, book


def rebuilt(rows: DecodedRows) -> dict[str, dict[float, float]]:
    book: dict[str, dict[float, float]] = {"bids": {}, "asks": {}}
    for row in rows:
        if row["kind"] == Kind.STATUS and row["code"] == Status.BOOK_LOST:
            book = {"bids": {}, "asks": {}}
        if row["kind"] == Kind.LEVEL:
            side = book["asks" if row["flags"] & Flag.ASK else "bids"]
            side[float(row["bid"])] = float(row["bid_size"])
            if not row["bid_size"]:
                del side[float(row["bid"])]
    return book


@settings(max_examples=80, deadline=None)
@given(steps)
def test_after_gaps_and_a_snapshot_the_book_is_that_of_an_undisturbed_run(plan: list[tuple[str, Any, Any]]) -> None:
    frames, book = played([*plan, ("lost", [], []), ("update", [], []), ("snapshot", [], []), ("update", [], [])])
    found = rebuilt(decode(*frames).rows)
    assert found == {
        side: {float(price): float(size) for price, size in levels.items()} for side, levels in book.items()
    }


@settings(max_examples=80, deadline=None)
@given(steps, st.lists(st.integers(0, 40), max_size=6), st.booleans())
def test_frames_cut_anywhere_and_state_carried_over_give_the_same(
    plan: list[tuple[str, Any, Any]], cuts: list[int], reloaded: bool
) -> None:
    frames, _ = played(plan)
    together = decode(*frames)
    decoder = Binance(INDEX)
    rows, faults, missing = [np.zeros(0, DECODED)], [], []
    places = sorted({0, len(frames), *(cut for cut in cuts if cut < len(frames))})
    for first, last in pairwise(places):
        decoded = decoder.decode(frames[first:last], [0] * (last - first))
        part = decoded.rows.copy()
        part["position"] += first
        rows.append(part)
        faults += [(fault.position + first, fault.detail) for fault in decoded.faults]
        missing += [(gap.position + first, gap.detail) for gap in decoded.missing]
        if reloaded:
            state, decoder = decoder.dump(), Binance(INDEX)
            decoder.load(state)
            assert decoder.dump() == state
    assert np.concatenate(rows).tolist() == together.rows.tolist()
    assert faults == [(fault.position, fault.detail) for fault in together.faults]
    assert missing == [(gap.position, gap.detail) for gap in together.missing]
