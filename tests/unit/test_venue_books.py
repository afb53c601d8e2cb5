"""The quote as of a time: the same from the log's beginning, from its middle, cut up in any way, read twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import TICK, Kind
from pipelines.domain.matching import Quote
from pipelines.execution.books import BeforeWindow, NotYet, ShardBooks

Row = tuple[str, int, float]
"""What, event time in ns, bid. An instrument's name, or "beat"."""


def block(rows: list[Row], first_sequence: int = 1, session: str = "s", kind: Kind = Kind.QUOTE) -> TickBlock:
    names = sorted({name for name, _, _ in rows if name != "beat"})
    ticks = np.zeros(len(rows), TICK)
    for number, (name, event_ns, bid) in enumerate(rows):
        tick = ticks[number]
        tick["sequence"], tick["event_ns"] = first_sequence + number, event_ns
        tick["instrument"] = -1 if name == "beat" else names.index(name)
        tick["kind"] = Kind.HEARTBEAT if name == "beat" else kind
        tick["bid"], tick["bid_size"], tick["ask"], tick["ask_size"] = bid, 1.0, bid + 1, 2.0
    return TickBlock("sim", session, 0, 0, 0, tuple(names), ticks)


def bid(books: ShardBooks, instrument: str, at_ns: int) -> float | None:
    quote = books.quote(instrument, at_ns)
    return quote.bid if quote else None


def test_a_quote_stands_from_its_own_time_until_the_next() -> None:
    books = ShardBooks(["A", "B"])
    books.take(block([("A", 10, 1.0), ("B", 15, 9.0), ("A", 20, 2.0), ("beat", 99, 0.0)]))
    assert [bid(books, "A", at) for at in (9, 10, 19, 20, 98)] == [None, 1.0, 1.0, 2.0, 2.0]
    assert books.quote("B", 98) == Quote(9.0, 1.0, 10.0, 2.0)


def test_nothing_is_told_of_a_time_that_shard_time_has_not_passed() -> None:
    books = ShardBooks(["A"])
    books.take(block([("A", 10, 1.0), ("A", 20, 2.0)]))
    with pytest.raises(NotYet):
        books.quote("A", 20)
    books.take(block([("beat", 21, 0.0)], first_sequence=3))
    assert bid(books, "A", 20) == 2.0


def test_a_late_row_counts_where_it_lies_in_the_log() -> None:
    #  event   10   30  20(late)  40
    #  time    10   30  30        40      at 25 the row of 20 had not been told yet
    books = ShardBooks(["A", "B"])
    books.take(block([("A", 10, 1.0), ("B", 30, 9.0), ("A", 20, 2.0), ("B", 40, 9.0)]))
    assert [bid(books, "A", at) for at in (25, 30)] == [1.0, 2.0]


def test_trades_and_foreign_instruments_move_time_and_no_quote() -> None:
    books = ShardBooks(["A"])
    books.take(block([("A", 10, 1.0), ("X", 20, 5.0)]))
    books.take(block([("A", 30, 7.0)], first_sequence=3, kind=Kind.TRADE))
    assert (books.time_ns, bid(books, "A", 29)) == (30, 1.0)


def test_a_repeated_read_changes_nothing() -> None:
    first, second = block([("A", 10, 1.0)]), block([("A", 20, 2.0), ("beat", 30, 0.0)], first_sequence=2)
    books = ShardBooks(["A"])
    for each in (first, second, first, second):
        books.take(each)
    assert [bid(books, "A", at) for at in (15, 29)] == [1.0, 2.0]


def test_what_is_forgotten_leaves_the_last_quote_behind() -> None:
    books = ShardBooks(["A", "B", "C"])
    books.take(block([("A", 10, 1.0), ("A", 20, 2.0), ("B", 30, 3.0), ("B", 90, 4.0), ("beat", 100, 0.0)]))
    books.forget(80)
    assert (bid(books, "A", 95), bid(books, "B", 85), bid(books, "C", 95)) == (2.0, 3.0, None)
    with pytest.raises(BeforeWindow):
        books.quote("A", 29)


def test_a_reader_from_the_middle_does_not_take_silence_for_no_quote() -> None:
    books = ShardBooks(["A", "B"], since_ns=50)
    books.take(block([("A", 60, 1.0), ("beat", 100, 0.0)], first_sequence=7))
    assert bid(books, "A", 70) == 1.0
    for instrument, at_ns in (("A", 55), ("B", 70), ("A", 40)):
        with pytest.raises(BeforeWindow):
            books.quote(instrument, at_ns)


ROWS = st.lists(st.tuples(st.sampled_from(["A", "B", "beat"]), st.integers(0, 30), st.floats(1, 9)), min_size=1)


@settings(max_examples=80, deadline=None)
@given(
    rows=ROWS,
    cuts=st.lists(st.integers(1, 5), min_size=60, max_size=60),
    at_ns=st.integers(0, 60),
    keep=st.integers(0, 60),
)
def test_cutting_and_forgetting_never_change_an_answer(rows: list[Row], cuts: list[int], at_ns: int, keep: int) -> None:
    log = [(name, 10 + 2 * number + late, price) for number, (name, late, price) in enumerate(rows)]
    whole = ShardBooks(["A", "B"])
    whole.take(block(log))
    pieces = ShardBooks(["A", "B"])
    start = 0
    for cut in cuts:
        if log[start : start + cut]:
            pieces.take(block(log[start : start + cut], first_sequence=1 + start))
            pieces.forget(min(keep, at_ns))
        start += cut
    pieces.take(block(log[start:], first_sequence=1 + start) if log[start:] else block([("beat", 0, 0.0)]))
    time_ns = max(event_ns for _, event_ns, _ in log)
    before: list[float] = []
    running = 0
    for name, event_ns, price in log:
        running = max(running, event_ns)
        if running <= at_ns and name == "A":
            before.append(price)
    if at_ns < time_ns:
        assert bid(whole, "A", at_ns) == bid(pieces, "A", at_ns) == (before[-1] if before else None)
