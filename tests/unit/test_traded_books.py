"""What was traded between two times: the same however the log is cut up and however often it is read."""

from itertools import pairwise

import pytest

from pipelines.domain.market import Kind
from pipelines.domain.matching import Quote
from pipelines.execution.books import BeforeWindow, NotYet
from pipelines.execution.traded_books import TradedBooks
from tests.unit.test_venue_books import Row, block

TRADES: list[Row] = [("A", 10, 1.0), ("B", 15, 9.0), ("A", 20, 2.0), ("A", 30, 2.0)]
"""Of one unit each."""


def read(*cuts: int) -> TradedBooks:
    books = TradedBooks(["A", "B"])
    edges = [0, *cuts, len(TRADES)]
    for first, last in pairwise(edges):
        books.take(block(TRADES[first:last], first_sequence=first + 1, kind=Kind.TRADE))
        books.take(block(TRADES[first:last], first_sequence=first + 1, kind=Kind.TRADE))
    books.take(block([("beat", 99, 0.0)], first_sequence=9))
    return books


@pytest.mark.parametrize("cuts", [(), (1,), (1, 2, 3)])
def test_trades_after_one_time_and_until_another_are_summed(cuts: tuple[int, ...]) -> None:
    books = read(*cuts)
    assert [books.traded("A", *span) for span in ((0, 98), (10, 20), (10, 30), (30, 98))] == [3.0, 1.0, 2.0, 0.0]
    assert books.traded("B", 0, 98) == 1.0


def test_nothing_is_told_of_a_time_that_shard_time_has_not_passed() -> None:
    with pytest.raises(NotYet):
        read().traded("A", 0, 99)


def test_what_was_forgotten_is_not_told_as_if_it_had_not_been() -> None:
    books = read(1, 2, 3)
    books.forget(20)
    with pytest.raises(BeforeWindow):
        books.traded("A", 10, 30)
    assert books.traded("A", 20, 30) == 1.0


def test_trades_are_no_quotes() -> None:
    books = TradedBooks(["A"])
    books.take(block([("A", 10, 1.0)]))
    books.take(block([("A", 20, 7.0), ("beat", 30, 0.0)], first_sequence=2, kind=Kind.TRADE))
    assert books.quote("A", 25) == Quote(1.0, 1.0, 2.0, 2.0)
