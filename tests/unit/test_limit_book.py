"""Books of single orders: who is where in a queue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.limit_book import Entry, Level, LimitBook, reaches
from pipelines.domain.trading import Side

A, B = ("desk", "a"), ("desk", "b")


def test_the_best_price_comes_first_on_either_side() -> None:
    book = LimitBook()
    for number, price in enumerate((5, 7, 6)):
        book.add(Side.BUY, price, ("buyer", str(number)), 1)
        book.add(Side.SELL, price + 3, ("seller", str(number)), 1)
    assert list(book.prices(Side.BUY)) == [7, 6, 5]
    assert list(book.prices(Side.SELL)) == [8, 9, 10]
    assert (book.best(Side.BUY), book.best(Side.SELL)) == (7, 8)


def test_an_order_stands_behind_what_was_there_when_it_came() -> None:
    book = LimitBook()
    book.add(Side.BUY, 5, A, 2, ahead=4)
    book.add(Side.BUY, 5, B, 3, ahead=99)
    level = book.level(Side.BUY, 5)
    assert level is not None
    assert level.queue == [Entry(4), Entry(2, A), Entry(3, B)]
    assert (level.ahead(A), level.ahead(B), level.anonymous) == (4, 6, 4)


def test_a_level_goes_with_the_last_order_of_a_participant() -> None:
    book = LimitBook()
    book.add(Side.BUY, 5, A, 2, ahead=4)
    book.add(Side.BUY, 5, B, 2)
    book.remove(Side.BUY, 5, A)
    assert book.best(Side.BUY) == 5
    book.reduce(Side.BUY, 5, B, 2)
    assert book.best(Side.BUY) is None
    assert book.level(Side.BUY, 5) is None


def test_an_order_that_is_not_there_is_an_error() -> None:
    book = LimitBook()
    book.add(Side.BUY, 5, A, 2)
    with pytest.raises(KeyError, match="no order"):
        book.remove(Side.BUY, 5, B)


def test_a_copy_does_not_follow_its_original() -> None:
    book = LimitBook()
    book.add(Side.BUY, 5, A, 2)
    copied = book.copy()
    book.reduce(Side.BUY, 5, A, 1)
    level = copied.level(Side.BUY, 5)
    assert level is not None
    assert level.queue == [Entry(2, A)]


def test_growth_joins_behind_and_what_goes_goes_in_proportion() -> None:
    level = Level([Entry(4), Entry(2, A)])
    level.show(8)
    assert level.queue == [Entry(4), Entry(2, A), Entry(4)]
    level.show(5)
    assert level.queue == [Entry(3), Entry(2, A), Entry(2)]
    level.show(0)
    assert level.queue == [Entry(2, A)]


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(0, 30))
def test_a_level_shows_what_it_is_told_and_nobody_gets_in_before_an_order(shown: list[int], ahead: int) -> None:
    level = Level()
    level.join(ahead)
    level.join(3, A)
    before = ahead
    for lots in shown:
        level.show(lots)
        assert level.anonymous == lots
        assert level.ahead(A) <= before
        assert all(entry.lots > 0 for entry in level.queue)
        before = level.ahead(A)


@pytest.mark.parametrize(
    ("side", "limit", "price", "trades"),
    [
        (Side.BUY, 5, 5, True),
        (Side.BUY, 5, 6, False),
        (Side.SELL, 5, 5, True),
        (Side.SELL, 5, 4, False),
        (Side.BUY, None, 9, True),
    ],
)
def test_a_limit_is_the_worst_price(side: Side, limit: int | None, price: int, trades: bool) -> None:
    assert reaches(side, limit, price) is trades
