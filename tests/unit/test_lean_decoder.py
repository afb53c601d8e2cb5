"""LEAN's lines as rows: what a line of a trade or a quote is made into, what is counted, and what is a fault."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.decoding import Decoded, Discovered, Reason
from pipelines.domain.market import Condition, Kind, Status
from pipelines.feeds.protocols.lean.decoder import Lean

MIDNIGHT_NS = 1_381_118_400_000_000_000
"""2013-10-07 in New York."""
OPEN_MS = 34_200_000


def frame(kind: str, *lines: str, head: str = "equity usa tick {} 20131007 AIG", first: int = 1) -> bytes:
    return f"lean {head.format(kind)} {first}\n".encode() + "".join(f"{line}\n" for line in lines).encode()


def decode(*frames: bytes, decoder: Lean | None = None) -> Decoded:
    return (decoder or Lean(Discovered())).decode(frames, [0] * len(frames))


def prices(found: Decoded) -> list[tuple[float, ...]]:
    return [tuple(float(row[name]) for name in ("bid", "bid_size", "ask", "ask_size")) for row in found.rows]


def test_a_trade_has_its_price_in_dollars_and_its_time_in_utc() -> None:
    found = decode(frame("trade", "34200000.5,488700,2000,Q,1,0"))
    row = found.rows[0]
    assert (row["kind"], row["event_ns"]) == (Kind.TRADE, MIDNIGHT_NS + 34_200_000_500_000)
    assert prices(found) == [(48.87, 2000.0, 48.87, 2000.0)]
    assert (row["venue_sequence"], row["code"]) == (-1, 0)


@pytest.mark.parametrize(
    ("flags", "condition"),
    [
        ("1", Condition(0)),
        ("20000020", Condition.SWEEP),
        ("20002020", Condition.SWEEP | Condition.EXTENDED_HOURS),
        ("40", Condition.OPENING),
        ("80", Condition.CLOSING),
        ("100", Condition.REOPENING),
        ("200", Condition.NOT_LAST),
        ("400", Condition.EXTENDED_HOURS),
        ("4800", Condition.OUT_OF_SEQUENCE),
        ("100000", Condition.NOT_LAST),
        ("200000", Condition.CROSS),
        ("80000000", Condition.ODD_LOT | Condition.NOT_LAST),
        ("2", Condition.NOT_LAST),
        ("40000", Condition.NOT_LAST),
        ("10000000", Condition(0)),
    ],
)
def test_a_sale_condition_says_whether_a_trade_sets_the_last_price(flags: str, condition: Condition) -> None:
    assert decode(frame("trade", f"{OPEN_MS},488700,100,Q,{flags},0")).rows["code"].tolist() == [condition]


def test_a_suspicious_trade_is_kept_and_marked() -> None:
    assert decode(frame("trade", f"{OPEN_MS},488700,100,Q,1,1")).rows["code"].tolist() == [Condition.SUSPICIOUS]


@pytest.mark.parametrize("flags", ["1000000", "4000000", "1000001"])
def test_an_official_price_repeats_an_auction_and_is_no_trade(flags: str) -> None:
    found = decode(frame("trade", f"{OPEN_MS},488700,251288,P,{flags},0"))
    assert (len(found.rows), found.messages) == (0, {"official_price": 1})


def test_a_bid_and_its_ask_are_one_update() -> None:
    found = decode(frame("quote", f"{OPEN_MS},488700,100,0,0,Q,1,0", f"{OPEN_MS},0,0,488800,300,P,1,0"))
    assert prices(found) == [(48.87, 100.0, 48.88, 300.0)]
    assert found.messages == {"quote": 2}


def test_a_side_replaces_that_side_whichever_exchange_said_it() -> None:
    #  Q bids 48.87; then P's 48.85 is the best of the country: Q's is gone, though nothing says so.
    first, second = "34200000", "34200001"
    found = decode(
        frame("quote", f"{first},488700,100,0,0,Q,1,0", f"{first},0,0,488800,300,P,1,0",
              f"{second},488500,200,0,0,P,1,0", f"{second},0,0,488800,300,P,1,0")
    )  # fmt: skip
    assert prices(found)[1] == (48.85, 200.0, 48.88, 300.0)


def test_a_line_of_one_side_alone_is_an_update_of_its_own() -> None:
    found = decode(frame("quote", f"{OPEN_MS},0,0,488800,300,P,1,0", f"{OPEN_MS + 1},488700,100,0,0,Q,1,0"))
    assert prices(found) == [(0.0, 0.0, 48.88, 300.0), (48.87, 100.0, 48.88, 300.0)]


def test_a_zero_filled_line_takes_both_sides_away() -> None:
    found = decode(frame("quote", f"{OPEN_MS},488700,100,488800,300,P,1,0", f"{OPEN_MS + 1},0,0,0,0,P,1,0"))
    assert prices(found)[-1] == (0.0, 0.0, 0.0, 0.0)


def test_a_suspicious_quote_and_an_indication_change_nothing() -> None:
    sound = f"{OPEN_MS},488700,100,488800,300,P,1,0"
    found = decode(frame("quote", sound, f"{OPEN_MS},900000,100,0,0,P,1,1", f"{OPEN_MS},900000,100,0,0,P,40,0", sound))
    assert prices(found) == [(48.87, 100.0, 48.88, 300.0)] * 2
    assert found.messages == {"quote": 2, "suspicious_quote": 1, "indication": 1}


def test_a_quote_that_is_not_firm_is_no_price_to_trade_at() -> None:
    found = decode(frame("quote", f"{OPEN_MS},488700,100,488800,300,P,1,0", f"{OPEN_MS},488900,100,0,0,P,400,0"))
    assert prices(found)[-1] == (0.0, 0.0, 48.88, 300.0)


def test_a_halt_is_told_once_and_ends_with_a_resumption_or_a_trade() -> None:
    halt, resumed = f"{OPEN_MS},0,0,0,0,N,20,0", f"{OPEN_MS},0,0,0,0,N,2000,0"
    found = decode(frame("quote", halt, halt, resumed, halt), frame("trade", f"{OPEN_MS},488700,100,N,1,0"))
    kinds = [(Kind(int(row["kind"])), int(row["code"])) for row in found.rows]
    stopped, going = (Kind.STATUS, int(Status.HALTED)), (Kind.STATUS, int(Status.TRADING))
    assert kinds == [stopped, going, stopped, going, (Kind.TRADE, 0)]


def test_lines_of_currencies_and_coins_are_in_utc_and_unscaled() -> None:
    found = decode(
        frame("quote", "292,1.38676,1.38686\r", head="forex oanda tick {} 20140501 EURUSD"),
        frame("trade", "86400,232.4,93.1", head="crypto coinbase tick {} 20170903 BTCUSD"),
    )
    assert prices(found) == [(1.38676, 0.0, 1.38686, 0.0), (232.4, 93.1, 232.4, 93.1)]
    assert found.rows["event_ns"].tolist() == [1_398_902_400_292_000_000, 1_504_396_886_400_000_000]


@pytest.mark.parametrize(
    ("day", "wall_ms", "utc_hour"),
    [("20131103", 1_800_000, 4.5), ("20131103", 10_800_000, 8.0), ("20130310", 5_400_000, 6.5),
     ("20130310", 10_800_000, 7.0)],
)  # fmt: skip
def test_on_the_days_when_clocks_are_set_time_goes_by_the_wall(day: str, wall_ms: int, utc_hour: float) -> None:
    found = decode(frame("trade", f"{wall_ms},488700,100,Q,1,0", head=f"equity usa tick {{}} {day} AIG"))
    since_midnight_ns = int(found.rows["event_ns"][0]) % 86_400_000_000_000
    assert since_midnight_ns == int(utc_hour * 3600) * 1_000_000_000


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("12,abc,100,Q,1,0", "price: b'abc': expected a decimal price"),
        ("86400000,1,100,Q,1,0", "time: b'86400000': expected milliseconds since midnight"),
        ("-1,1,100,Q,1,0", "time: b'-1': expected"),
        ("12.,1,100,Q,1,0", "time: b'12.': expected"),
        ("12,1,-100,Q,1,0", "quantity: b'-100': expected a decimal quantity of 0 or more"),
        ("12,1e5,100,Q,1,0", "price: b'1e5': expected a decimal price"),
        ("12,1,100,QQ,1,0", "exchange: b'QQ': expected an exchange's letter"),
        ("12,1,100,Q,1G,0", "sale condition: b'1G': expected hexadecimal flags"),
        ("12,1,100,Q,123456789,0", "sale condition: b'123456789': expected"),
        ("12,1,100,Q,1,2", "suspicious: b'2': expected 0 or 1"),
        ("12,1,100,Q,1", "5 fields, expected 6: time, price"),
        ("12,1,100,Q,1,0,7", "7 fields, expected 6"),
        ("", "time: b'': expected milliseconds"),
        ("12,9999999999999999999999,100,Q,1,0", "price: b'9999999999999999999999': expected"),
    ],
)
def test_a_line_that_is_none_is_a_fault_with_its_number_field_and_value(line: str, told: str) -> None:
    good = "12,1,100,Q,1,0"
    found = decode(frame("trade", good, line, good, first=501))
    (fault,) = found.faults
    assert fault.reason is Reason.UNDECODABLE
    assert "equity usa tick trade 20131007 AIG line 502: " in fault.detail
    assert told in fault.detail
    assert (len(found.rows), found.messages) == (2, {"trade": 2})


@pytest.mark.parametrize(
    "header",
    [b"", b"lean", b"lean equity usa tick trade 20131007 AIG\n", b"lean equity mars tick trade 20131007 AIG 1\n",
     b"lean equity usa tick trade 20131307 AIG 1\n", b"lean equity usa year trade 20131007 AIG 1\n",
     b"lean option usa tick trade 20131007 AIG 1\n", b"lean equity usa daily trade 20131007 AIG 1\n",
     b"lean equity usa tick trade 20131007 aig 1\n", b"\xff\xfe\n"],
)  # fmt: skip
def test_a_frame_without_a_header_that_can_be_read_is_one_fault(header: bytes) -> None:
    found = decode(header + b"12,1,100,Q,1,0\n")
    assert [fault.reason for fault in found.faults] == [Reason.UNDECODABLE]
    assert not len(found.rows)


def test_lines_of_several_streams_in_a_frame_keep_their_order_and_their_own_numbers() -> None:
    head = b"lean equity usa tick quote 20131007 AIG 11;equity usa tick trade 20131007 BAC 7\n"
    found = decode(head + b"A1,488700,1,488800,2,P,1,0\nB2,138000,5,Q,1,0\nBx,1,1,Q,1,0\nA4,488700,1,488900,2,P,1,0\n")
    assert found.rows["instrument"].tolist() == [0, 1, 0]
    assert [fault.detail for fault in found.faults] == [
        "equity usa tick trade 20131007 BAC line 8: time: b'x': expected milliseconds since midnight, below 86400000"
    ]


def test_a_line_of_no_stream_of_its_frame_is_a_fault() -> None:
    head = b"lean equity usa tick quote 20131007 AIG 1;equity usa tick trade 20131007 BAC 1\n"
    assert "expected a letter that names one of 2 streams" in decode(head + b"C1,1,1,Q,1,0\n").faults[0].detail


def test_an_instrument_that_is_not_listed_is_a_fault_of_the_frame() -> None:
    found = decode(frame("trade", "12,1,100,Q,1,0", "13,1,100,Q,1,0"), decoder=Lean({"BAC": 0}))
    assert [(fault.reason, fault.symbol) for fault in found.faults] == [(Reason.UNKNOWN_INSTRUMENT, "AIG")]
    assert found.messages == {"trade": 2}


def test_bars_of_trades_and_of_hours_are_counted_and_give_no_ticks() -> None:
    found = decode(
        frame("trade", "0,4,5,3,4,9", head="equity usa minute {} 20131007 AIG"),
        frame("trade", "20131007 00:00,4,5,3,4,9", head="equity usa daily {} - AIG"),
        frame("quote", "20131007 09:00,1,2,1,2,0,3,4,3,4,9", head="future cme hour {} - ES201312"),
    )
    assert (len(found.rows), found.messages, found.faults) == (0, {"bar": 3}, ())


@pytest.mark.parametrize(("resolution", "length_ns"), [("second", 1_000_000_000), ("minute", 60_000_000_000)])
def test_a_bar_of_quotes_is_its_closing_quote_at_its_end(resolution: str, length_ns: int) -> None:
    line = f"{OPEN_MS},10000,30000,10000,20000,7,30000,50000,30000,40000,9"
    (row,) = decode(frame("quote", line, head=f"equity usa {resolution} {{}} 20131007 AIG")).rows
    (tick,) = decode(frame("trade", f"{OPEN_MS},10000,100,Q,1,0")).rows
    assert (row["kind"], row["bid"], row["bid_size"], row["ask"], row["ask_size"]) == (Kind.QUOTE, 2.0, 7.0, 4.0, 9.0)
    assert row["event_ns"] == tick["event_ns"] + length_ns


def test_a_side_that_nobody_quoted_in_a_bar_is_not_there() -> None:
    line = "0,,,,,0,4,5,3,4,9"
    (row,) = decode(
        frame("quote", line, head="future cme minute {} 20131007 ES201312"), decoder=Lean({"ES201312": 0})
    ).rows
    assert (row["bid"], row["bid_size"], row["ask"], row["ask_size"]) == (0.0, 0.0, 4.0, 9.0)


def test_a_bar_of_quotes_leaves_the_book_of_ticks_as_it_is() -> None:
    found = decode(
        frame("quote", f"{OPEN_MS},480000,1,490000,2,P,1,0"),
        frame("quote", f"{OPEN_MS - 1000},10000,30000,10000,20000,7,30000,50000,30000,40000,9",
              head="equity usa second {} 20131007 AIG"),
        frame("quote", f"{OPEN_MS + 1},0,0,500000,3,P,1,0"),
    )  # fmt: skip
    assert found.rows["bid"].tolist() == [48.0, 2.0, 48.0]


@pytest.mark.parametrize("line", ["0,4,3,5,4,9", "0,6,5,3,4,9", "0,4,5,3,2,9"])
def test_a_bar_whose_prices_contradict_each_other_is_a_fault(line: str) -> None:
    found = decode(frame("trade", line, head="equity usa minute {} 20131007 AIG"))
    assert "expected low <= open, close <= high" in found.faults[0].detail


def test_a_decoder_taken_up_again_goes_on_where_it_was() -> None:
    before = frame("quote", f"{OPEN_MS},488700,100,488800,300,P,1,0", f"{OPEN_MS},0,0,0,0,N,20,0")
    after = frame("quote", f"{OPEN_MS + 1},0,0,488900,200,Q,1,0", f"{OPEN_MS + 2},0,0,0,0,N,2000,0")
    whole, first = Lean({"AIG": 0}), Lean({"AIG": 0})
    expected = decode(before, after, decoder=whole).rows
    decode(before, decoder=first)
    second = Lean({"BAC": 0, "AIG": 1})
    second.load(first.dump())
    found = decode(after, decoder=second).rows
    assert found["bid"].tolist() == expected["bid"][2:].tolist() == [48.87, 0.0]
    assert found["kind"].tolist() == [Kind.QUOTE, Kind.STATUS]
    assert second.dump() == whole.dump()


@pytest.mark.parametrize("data", [b"\x02", b"\x01", b"\x01\x01\x00\x00\x00\x03\x00\x00\x00AIG", b"\x01" + b"\xff" * 60])
def test_other_bytes_are_not_taken_for_state(data: bytes) -> None:
    with pytest.raises(ValueError, match="lean decoder"):
        Lean({}).load(data)


LINES = st.lists(
    st.one_of(
        st.binary(max_size=60).filter(lambda line: b"\n" not in line),
        st.from_regex(rb"[0-9]{1,9},[0-9.]{0,8},[0-9]{1,4},[A-Z],[0-9A-F]{1,9},[012]", fullmatch=True),
    ),
    max_size=30,
)


@given(LINES, st.sampled_from(["trade", "quote"]))
def test_every_line_is_a_message_or_a_fault_whatever_is_in_it(lines: Sequence[bytes], kind: str) -> None:
    found = decode(frame(kind) + b"".join(line + b"\n" for line in lines))
    assert sum(found.messages.values()) + len(found.faults) == len(lines)
    assert (np.diff(found.rows["position"]) >= 0).all()
    assert all(fault.detail and fault.offset > 0 for fault in found.faults)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_at_all_bring_a_decoder_down(header: bytes, body: bytes) -> None:
    decode(header, b"lean " + header + b"\n" + body, frame("quote") + body, frame("trade", head="x {}") + body)


@given(st.integers(0, 10**12), st.integers(0, 12))
def test_a_decimal_is_the_nearest_double(digits: int, places: int) -> None:
    text = f"{digits:0{places + 1}d}"
    text = f"{text[:-places]}.{text[-places:]}" if places else text
    found = decode(frame("trade", f"0,{text},{text}", head="crypto coinbase tick {} 20170903 BTCUSD"))
    assert prices(found)[0][:2] == (float(text), float(text))
