"""Order books against plain dicts, on random flows of orders, with hash tables and arrays too small at first."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.order_book import clear, find, reduce, remove
from pipelines.domain.order_books import OrderBooks
from pipelines.domain.order_references import drop, find_slot, free_slots, put

Flow = list[tuple[int, int, int, int]]
"""What to do (0, 1 add, 2 reduce, 3 remove), and three numbers that choose the order, its price and size."""

FLOWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 500)), max_size=300
)


class PlainBooks:
    """The same books as lists of orders by side and price."""

    def __init__(self) -> None:
        self.orders: dict[int, list[int]] = {}
        """By reference: ladder, price, size; in order of arrival."""

    def queue(self, ladder: int, price: int) -> list[tuple[int, int]]:
        return [(ref, size) for ref, (side, at, size) in self.orders.items() if (side, at) == (ladder, price)]

    def depth(self, ladder: int) -> list[tuple[int, int, int]]:
        levels: dict[int, list[int]] = defaultdict(list)
        for side, price, size in self.orders.values():
            if side == ladder:
                levels[price].append(size)
        return [(price, sum(levels[price]), len(levels[price])) for price in sorted(levels, reverse=ladder % 2 == 0)]


def apply(flow: Flow, books: OrderBooks, plain: PlainBooks) -> None:
    for number, (what, choice, price, size) in enumerate(flow):
        alive = list(plain.orders)
        if what <= 1 or not alive:
            ladder, reference = choice % 6, number * 8 + choice % 8
            books.add(ladder // 2, bool(ladder % 2), price, reference, size)
            plain.orders[reference] = [ladder, price, size]
            continue
        reference = alive[choice % len(alive)]
        order = find(books.memory, reference)
        if what == 2 and plain.orders[reference][2] > size:
            reduce(books.memory, order, size)
            plain.orders[reference][2] -= size
        else:
            remove(books.memory, order)
            del plain.orders[reference]


def same(books: OrderBooks, plain: PlainBooks) -> None:
    assert books.orders == len(plain.orders)
    for ladder in range(6):
        depth = books.depth(ladder // 2, bool(ladder % 2))
        assert depth == plain.depth(ladder)
        for price, _, _ in depth:
            assert books.queue(ladder // 2, bool(ladder % 2), price) == plain.queue(ladder, price)


@settings(max_examples=60, deadline=None)
@given(FLOWS)
def test_any_flow_gives_the_queues_and_totals_of_plain_books(flow: Flow) -> None:
    books, plain = OrderBooks(3, orders=4), PlainBooks()
    apply(flow, books, plain)
    same(books, plain)


@settings(max_examples=25, deadline=None)
@given(FLOWS, FLOWS)
def test_books_of_their_bytes_go_on_as_the_ones_they_were_made_of(before: Flow, after: Flow) -> None:
    books, plain = OrderBooks(3, orders=4), PlainBooks()
    apply(before, books, plain)
    again = OrderBooks.load(books.dump())
    assert again.dump() == books.dump()
    apply([(what, choice, price, size) for what, choice, price, size in after if what > 1], again, plain)
    same(again, plain)


@pytest.mark.parametrize("cut", [0, 5, 12, 40, -1])
def test_bytes_that_are_not_all_there_are_refused(cut: int) -> None:
    books = OrderBooks(1)
    books.add(0, False, 100, 7, 10)
    with pytest.raises(ValueError, match="order books: "):
        OrderBooks.load(books.dump()[:cut])


def test_a_long_flow_outgrows_its_memory_many_times_and_is_still_right() -> None:
    random = np.random.default_rng(7)
    flow = list(
        zip(
            *(random.integers(low, high, 4000).tolist() for low, high in ((0, 4), (0, 10_000), (1, 400), (1, 500))),
            strict=True,
        )
    )
    books, plain = OrderBooks(3, orders=2), PlainBooks()
    apply(flow, books, plain)
    same(books, plain)
    assert len(books.memory.slots) >= 2 * len(plain.orders)


def test_a_book_that_is_cleared_leaves_the_others_and_its_memory_is_used_again() -> None:
    books = OrderBooks(2)
    for reference in range(100):
        books.add(reference % 2, bool(reference % 3), 100 + reference % 5, reference, 10)
    used = books.memory.pool.copy()
    clear(books.memory, 0, 0)
    assert not books.depth(0, False)
    assert books.orders == 50
    for reference in range(200, 250):
        books.add(0, True, 7, reference, 1)
    assert books.depth(0, True) == [(7, 50, 50)]
    assert books.memory.pool[1] == used[1]  # no more orders were ever used at once


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=200),
    st.sampled_from([1, 8, 1 << 40, (1 << 55) + 3]),
)
def test_a_hash_table_is_a_dict_whatever_comes_and_goes(steps: list[tuple[bool, int]], spread: int) -> None:
    slots, plain = free_slots(128), {}
    for adds, number in steps:
        reference = number * spread - (1 << 62)
        at = find_slot(slots, reference)
        assert (at >= 0) == (reference in plain)
        if adds and at < 0:
            put(slots, reference, number)
            plain[reference] = number
        elif not adds and at >= 0:
            drop(slots, at)
            del plain[reference]
    assert {int(slot["reference"]): int(slot["order"]) for slot in slots if slot["order"] >= 0} == plain
    assert all(slots["order"][find_slot(slots, reference)] == number for reference, number in plain.items())
