"""TotalView-ITCH 5.0: what each message makes of a book, and what is said where one cannot be taken."""

import re

import numpy as np
import pytest

from pipelines.domain.decoding import Decoded, Discovered, Reason
from pipelines.domain.market import Condition, Flag, Kind, Status
from pipelines.feeds.protocols.itch50.decoder import Itch50
from tests.support.itch_messages import MIDNIGHT_NS, OPEN_NS, RECEIVED_NS, add, framed, message, start

Row = tuple[str, float, float, float, float]


def decode(*messages: bytes, index: dict[str, int] | None = None, levels: bool = True) -> Decoded:
    decoder = Itch50(Discovered() if index is None else index, levels)
    return decoder.decode([framed(*messages)], [RECEIVED_NS])


def shown(decoded: Decoded) -> list[Row]:
    return [
        (Kind(row["kind"]).name, *(float(row[name]) for name in ("bid", "bid_size", "ask", "ask_size")))
        for row in decoded.rows
    ]


def of(kind: Kind, decoded: Decoded) -> np.ndarray:
    return decoded.rows[decoded.rows["kind"] == kind]


QUOTED = (*start("AAPL"), add(1, "B", 100, 1_000_000), add(2, "S", 50, 1_010_000), add(3, "S", 70, 1_010_000))
"""100 bid at 100, 50 and then 70 offered at 101."""


def test_orders_are_levels_and_a_quote_where_the_best_changed() -> None:
    assert shown(decode(*QUOTED, add(4, "B", 30, 990_000))) == [
        ("LEVEL", 100.0, 100.0, 100.0, 100.0), ("QUOTE", 100.0, 100.0, 0.0, 0.0),
        ("LEVEL", 101.0, 50.0, 101.0, 50.0), ("QUOTE", 100.0, 100.0, 101.0, 50.0),
        ("LEVEL", 101.0, 120.0, 101.0, 120.0), ("QUOTE", 100.0, 100.0, 101.0, 120.0),
        ("LEVEL", 99.0, 30.0, 99.0, 30.0),
    ]  # fmt: skip


def test_without_levels_there_are_quotes_and_trades_alone() -> None:
    assert {name for name, *_ in shown(decode(*QUOTED, levels=False))} == {"QUOTE"}


def test_a_level_of_asks_is_flagged_and_gone_at_size_0() -> None:
    rows = of(Kind.LEVEL, decode(*QUOTED, message("D", reference=1), message("D", reference=2)))
    assert rows["flags"].tolist() == [0, Flag.ASK, Flag.ASK, 0, Flag.ASK]
    assert rows["bid_size"].tolist() == [100.0, 50.0, 120.0, 0.0, 70.0]


def test_event_times_are_of_the_date_in_new_york() -> None:
    assert set(decode(*QUOTED).rows["event_ns"].tolist()) == {MIDNIGHT_NS + OPEN_NS}
    assert set(decode(*QUOTED).rows["venue_sequence"].tolist()) == {-1}


def test_an_execution_is_a_trade_at_the_price_of_the_order_that_rested() -> None:
    decoded = decode(*QUOTED, message("E", reference=2, shares=20), message("E", reference=1, shares=100))
    trades = of(Kind.TRADE, decoded)
    assert trades["bid"].tolist() == [101.0, 100.0]
    assert trades["bid_size"].tolist() == [20.0, 100.0]
    assert trades["flags"].tolist() == [Flag.BUYER_AGGRESSOR, 0]
    assert shown(decoded)[-1] == ("QUOTE", 0.0, 0.0, 101.0, 100.0)


@pytest.mark.parametrize(("printable", "code"), [("Y", 0), ("N", int(Condition.NOT_LAST))])
def test_an_execution_at_another_price_says_whether_it_counts_for_the_last(printable: str, code: int) -> None:
    traded = message("C", reference=2, shares=20, printable=printable, price=1_005_000)
    trade = of(Kind.TRADE, decode(*QUOTED, traded))[0]
    assert (trade["bid"], trade["bid_size"], trade["code"], trade["flags"]) == (100.5, 20.0, code, Flag.BUYER_AGGRESSOR)


def test_a_partial_cancel_leaves_an_order_where_it_is_in_the_queue() -> None:
    decoder = Itch50(Discovered())
    decoder.decode([framed(*QUOTED, message("X", reference=2, shares=10))], [RECEIVED_NS])
    assert decoder.queue("AAPL", True, 101.0) == [(2, 40), (3, 70)]
    assert decoder.depth("AAPL", True) == [(101.0, 110, 2)]


def test_a_replaced_order_has_its_side_a_new_number_and_the_last_place_in_the_queue() -> None:
    decoder = Itch50(Discovered())
    replaced = message("U", reference=2, new_reference=9, shares=60, price=1_010_000)
    decoded = decoder.decode([framed(*QUOTED, replaced)], [RECEIVED_NS])
    assert decoder.queue("AAPL", True, 101.0) == [(3, 70), (9, 60)]
    assert shown(decoded)[-2:] == [("LEVEL", 101.0, 130.0, 101.0, 130.0), ("QUOTE", 100.0, 100.0, 101.0, 130.0)]


def test_a_trade_against_a_hidden_order_changes_no_book() -> None:
    hidden = message("P", side="B", shares=10, stock="AAPL", price=1_004_500)
    decoded = decode(*QUOTED, hidden)
    assert shown(decoded)[-1] == ("TRADE", 100.45, 10.0, 100.45, 10.0)
    assert decoded.rows[-1]["code"] == Condition.HIDDEN


@pytest.mark.parametrize(
    ("cross", "condition"),
    [("O", Condition.OPENING), ("C", Condition.CLOSING), ("H", Condition.REOPENING), ("I", Condition(0))],
)
def test_a_cross_is_a_trade_of_its_auction(cross: str, condition: Condition) -> None:
    row = decode(*start("AAPL"), message("Q", shares=5000, stock="AAPL", price=1_000_000, cross=cross)).rows[0]
    assert (row["kind"], row["bid"], row["bid_size"]) == (Kind.TRADE, 100.0, 5000.0)
    assert row["code"] == Condition.CROSS | condition


def test_a_cross_without_shares_is_no_trade() -> None:
    decoded = decode(*start("AAPL"), message("Q", stock="AAPL", cross="O"))
    assert not len(decoded.rows)
    assert decoded.messages["Q"] == 1


def test_an_imbalance_is_what_is_paired_and_where_it_would_clear() -> None:
    told = message(
        "I", paired=900, imbalance=300, direction="S", stock="AAPL", far_price=990_000, near_price=995_000,
        reference_price=1_000_000, cross="C", variation="1",
    )  # fmt: skip
    decoded = decode(*start("AAPL"), told)
    assert shown(decoded) == [("AUCTION", 100.0, 900.0, 0.0, 300.0), ("INDICATIVE", 99.5, 0.0, 99.0, 0.0)]
    assert decoded.rows["flags"].tolist() == [Flag.ASK, 0]
    assert decoded.rows["code"].tolist() == [Condition.CLOSING, Condition.CLOSING]


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (message("H", stock="AAPL", state="H", reason="T1"), Status.HALTED),
        (message("H", stock="AAPL", state="P", reason="LUDP"), Status.PAUSED),
        (message("H", stock="AAPL", state="Q"), Status.QUOTING),
        (message("H", stock="AAPL", state="T"), Status.TRADING),
        (message("h", stock="AAPL", market="Q", action="H"), Status.HALTED),
        (message("h", stock="AAPL", market="Q", action="T"), Status.TRADING),
        (message("Y", stock="AAPL", action="0"), Status.SHORT_SALE_FREE),
        (message("Y", stock="AAPL", action="1"), Status.SHORT_SALE_RESTRICTED),
        (message("Y", stock="AAPL", action="2"), Status.SHORT_SALE_RESTRICTED),
    ],
)
def test_a_status_of_an_instrument_is_told(told: bytes, status: Status) -> None:
    rows = decode(*start("AAPL"), told).rows
    assert rows["kind"].tolist() == [Kind.STATUS]
    assert rows["code"].tolist() == [status]


def test_a_halt_of_another_market_is_counted_alone() -> None:
    decoded = decode(*start("AAPL"), message("h", stock="AAPL", market="B", action="H"))
    assert not len(decoded.rows)
    assert decoded.messages["h"] == 1


def test_a_broken_trade_is_named_by_its_number() -> None:
    row = decode(*start("AAPL"), message("B", match=4711)).rows[0]
    assert (row["kind"], row["code"], row["bid_size"]) == (Kind.STATUS, Status.TRADE_BROKEN, 4711.0)


@pytest.mark.parametrize("kind", "KJVWLNO")
def test_what_is_not_kept_is_counted_by_its_letter(kind: str) -> None:
    decoded = decode(*start("AAPL"), message(kind))
    assert decoded.messages == {"S": 1, "R": 1, kind: 1}
    assert not len(decoded.rows)
    assert not decoded.faults


def test_what_is_not_listed_is_passed_over() -> None:
    decoded = decode(
        *start("MSFT", "AAPL"), add(1, "B", 5, 10_000, "MSFT"), add(2, "B", 7, 20_000, locate=2), index={"AAPL": 3}
    )
    assert set(decoded.rows["instrument"].tolist()) == {3}
    assert decoded.messages["A"] == 2
    assert not decoded.faults


@pytest.mark.parametrize(
    ("wrong", "detail", "offset"),
    [
        (add(9, "X", 5, 10_000), r"A side: b'X': expected B or S", 21),
        (add(9, "B", 0, 10_000), r"A shares: 0: expected above 0", 22),
        (add(9, "B", 5, 0), r"A price: 0: expected above 0 and at most \$200,000", 34),
        (add(9, "B", 5, 2_000_000_001), r"A price: 2000000001: expected", 34),
        (add(9, "B", 5, 10_000, "MSFT"), r"A stock: b'MSFT    ': expected the symbol of its locate code", 26),
        (add(1, "B", 5, 10_000), r"A reference: 1: expected one that is not on a book", 13),
        (message("E", reference=2, shares=51), r"E shares: 51: expected at most what is left of the order", 21),
        (message("X", reference=2, shares=0), r"X shares: 0: expected above 0", 21),
        (message("C", reference=2, shares=5, printable="?", price=1), r"C printable: b'\?': expected a code", 33),
        (message("U", reference=2, new_reference=3, shares=1, price=1), r"U new_reference: 3: expected one", 21),
        (message("D", time_ns=86_400_000_000_000, reference=2), r"D timestamp: 86400000000000 ns: expected less", 7),
        (message("H", stock="AAPL", state="?"), r"H state: b'\?': expected a code", 21),
        (message("S", 0, event="?"), r"S event: b'\?': expected a code", 13),
        (message("D", reference=2)[:-1], r"D message length: 18: expected 19", 0),
        (b"z" + message("D", reference=2)[1:], r"type: b'z': expected one of SRHY", 0),
        (add(9, "B", 5, 10_000, "A PL", locate=7), r"A stock: b'A PL    ': expected the symbol", 26),
        (add(9, "B", 5, 10_000, "AAPL", locate=7), r"A stock: b'AAPL    ': expected the symbol of its locate code", 26),
    ],
)
def test_a_message_that_cannot_be_taken_is_told_with_field_value_and_place(
    wrong: bytes, detail: str, offset: int
) -> None:
    decoded = decode(*QUOTED, wrong)
    assert [fault.reason for fault in decoded.faults] == [Reason.UNDECODABLE]
    assert re.match(detail, decoded.faults[0].detail)
    assert decoded.faults[0].offset == len(framed(*QUOTED)) + offset


def test_a_frame_that_breaks_off_loses_the_books() -> None:
    decoder = Itch50(Discovered())
    decoded = decoder.decode([framed(*QUOTED) + b"\x00\x24A\x00", framed(add(5, "B", 10, 995_000))], [RECEIVED_NS] * 2)
    assert (
        decoded.faults[0].detail
        == "message length: 36, 2 bytes left: expected a message's length and the message; 4 bytes passed over"
    )
    assert decoded.rows[-1]["code"] == Status.BOOK_LOST
    assert decoder.depth("AAPL", False) == [(99.5, 10, 1)]


def test_an_order_that_contradicts_its_book_takes_the_book_and_no_other() -> None:
    decoded = decode(
        *start("AAPL", "MSFT"), add(1, "B", 5, 10_000), add(2, "B", 5, 10_000, "MSFT", 2),
        message("E", reference=1, shares=9),
        add(3, "S", 5, 11_000), add(4, "S", 5, 11_000, "MSFT", 2),
    )  # fmt: skip
    assert [(row["instrument"], row["code"]) for row in of(Kind.STATUS, decoded)] == [(0, Status.BOOK_LOST)]
    assert decoded.rows[-1]["instrument"] == 1
    assert shown(decoded)[-1] == ("QUOTE", 1.0, 5.0, 1.1, 5.0)


class TestJoinedLate:
    """Without the day's first messages."""

    def test_orders_from_before_are_told_missing_once_an_instrument(self) -> None:
        decoded = decode(add(1, "B", 5, 10_000), message("D", reference=77), message("D", reference=78))
        assert [(gap.symbol, gap.count) for gap in decoded.missing] == [("AAPL", 0)]
        assert decoded.messages == {"A": 1, "D": 2}
        assert not decoded.faults

    #   100.03      bid, gone: no ask of before is left at or below it
    #   100.02                    ask  ┐ both inside: proven
    #   100.01                    bid  ┘
    #   100.00      ask, gone: no bid of before is left at or above it
    PROVEN = (
        add(1, "S", 10, 1_000_000), message("D", reference=1), add(2, "B", 10, 1_000_300), message("D", reference=2),
        add(3, "B", 7, 1_000_100), add(4, "S", 5, 1_000_200),
    )  # fmt: skip

    def test_a_book_is_back_when_its_best_prices_are_inside_of_what_was_quoted_since(self) -> None:
        decoded = decode(*self.PROVEN)
        assert [Status(row["code"]).name for row in of(Kind.STATUS, decoded)] == ["BOOK_LOST", "BOOK_BACK"]
        assert shown(decoded)[-3:] == [
            ("LEVEL", 100.01, 7.0, 100.01, 7.0), ("LEVEL", 100.02, 5.0, 100.02, 5.0),
            ("QUOTE", 100.01, 7.0, 100.02, 5.0),
        ]  # fmt: skip
        assert decoded.rows["flags"][-3:].tolist() == [Flag.SNAPSHOT, Flag.SNAPSHOT | Flag.ASK, 0]

    def test_it_is_lost_again_when_a_best_price_leaves_there(self) -> None:
        decoded = decode(*self.PROVEN, add(5, "B", 9, 999_900), message("D", reference=3), add(6, "B", 8, 1_000_100))
        names = [Status(row["code"]).name for row in of(Kind.STATUS, decoded)]
        assert names == ["BOOK_LOST", "BOOK_BACK", "BOOK_LOST", "BOOK_BACK"]
        assert of(Kind.QUOTE, decoded)["bid_size"].tolist() == [7.0, 8.0]

    def test_levels_are_told_only_where_they_are_certain(self) -> None:
        decoded = decode(*self.PROVEN, add(5, "B", 9, 999_900), add(6, "B", 4, 1_000_000))
        assert shown(decoded)[-1] == ("LEVEL", 100.0, 4.0, 100.0, 4.0)
        assert 99.99 not in of(Kind.LEVEL, decoded)["bid"]

    def test_an_execution_says_that_nothing_better_rests(self) -> None:
        decoded = decode(
            add(1, "B", 10, 1_000_000), message("E", reference=1, shares=1), add(2, "S", 10, 1_000_400),
            add(3, "B", 10, 1_000_399), message("D", reference=3), add(4, "B", 2, 1_000_001), add(5, "S", 3, 1_000_399),
        )  # fmt: skip
        assert shown(decoded)[-1] == ("QUOTE", 100.0001, 2.0, 100.0399, 3.0)

    def test_a_replaced_order_of_before_is_of_the_side_that_does_not_cross(self) -> None:
        decoder = Itch50(Discovered())
        replaced = message("U", reference=77, new_reference=78, shares=6, price=1_000_400)
        decoder.decode([framed(*self.PROVEN, replaced)], [RECEIVED_NS])
        assert decoder.depth("AAPL", True) == [(100.02, 5, 1), (100.04, 6, 1)]

    def test_one_between_the_best_prices_may_be_of_either_and_puts_the_book_in_doubt(self) -> None:
        replaced = message("U", reference=77, new_reference=78, shares=6, price=1_000_150)
        decoded = decode(*self.PROVEN, replaced)
        assert shown(decoded)[-1][0] == "STATUS"
        assert decoded.rows[-1]["code"] == Status.BOOK_LOST

    def test_a_halted_book_may_be_crossed_and_proves_nothing(self) -> None:
        halted = message("H", stock="AAPL", state="Q")
        assert not len(of(Kind.QUOTE, decode(halted, *self.PROVEN)))


def test_a_new_day_forgets_the_books_of_the_last() -> None:
    decoder = Itch50(Discovered())
    decoder.decode([framed(*QUOTED)], [RECEIVED_NS])
    day = 86_400_000_000_000
    decoder.decode([framed(message("D", reference=1))], [RECEIVED_NS + day])
    assert decoder.depth("AAPL", False) == []


def test_a_frame_without_a_time_is_of_1970() -> None:
    decoded = Itch50(Discovered()).decode([framed(*QUOTED)], [0])
    assert set(decoded.rows["event_ns"].tolist()) == {OPEN_NS + 5 * 3600 * 10**9}


def test_state_finds_its_instruments_by_symbol_in_another_listing() -> None:
    before = Itch50({"AAPL": 0, "MSFT": 1})
    before.decode(
        [framed(*start("AAPL", "MSFT"), add(1, "B", 5, 10_000), add(2, "B", 6, 10_000, "MSFT", 2))], [RECEIVED_NS]
    )
    after = Itch50({"MSFT": 7})
    after.load(before.dump())
    decoded = after.decode([framed(add(3, "S", 5, 11_000), add(4, "S", 9, 11_000, "MSFT", 2))], [RECEIVED_NS])
    assert set(decoded.rows["instrument"].tolist()) == {7}
    assert shown(decoded)[-1] == ("QUOTE", 1.0, 6.0, 1.1, 9.0)
