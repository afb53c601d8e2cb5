"""Books of price levels, held against plain dictionaries."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.level_book import CHANGE, Changes, Stamp
from pipelines.domain.level_books import LevelBooks
from pipelines.domain.market import Flag, Kind

STAMP = Stamp(3, 5, 7, 9)

levels = st.tuples(st.integers(0, 1), st.integers(1, 40), st.integers(0, 3))
messages = st.lists(st.tuples(st.booleans(), st.lists(levels, max_size=30)), max_size=25)


def changes(found: list[tuple[int, int, int]]) -> Changes:
    made = np.zeros(len(found), CHANGE)
    for row, (side, price, size) in zip(made, found, strict=True):
        row["side"], row["price"], row["size"] = side, price / 4, size
        row["price_digits"], row["size_digits"] = price, size
    return made


Plain = tuple[dict[float, float], dict[float, float]]


def take(plain: Plain, found: list[tuple[int, int, int]], depth: int) -> None:
    for side, price, size in found:
        if size:
            plain[side][price / 4] = float(size)
        else:
            plain[side].pop(price / 4, None)
    if depth:
        for price in sorted(plain[0], reverse=True)[depth:]:
            del plain[0][price]
        for price in sorted(plain[1])[depth:]:
            del plain[1][price]


@settings(max_examples=200, deadline=None)
@given(messages, st.sampled_from([0, 3]), st.booleans())
def test_a_book_is_what_a_dictionary_would_be_and_its_rows_rebuild_it(
    found: list[tuple[bool, list[tuple[int, int, int]]]], depth: int, digits: bool
) -> None:
    books = LevelBooks(digits)
    books.add(2)
    plain: Plain = ({}, {})
    rebuilt: Plain = ({}, {})
    best: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    for snapshot, message in found:
        if snapshot:
            plain[0].clear()
            plain[1].clear()
        take(plain, message, depth)
        rows = books.change(1, changes(message), STAMP, snapshot=snapshot, depth=depth)
        assert books.side(1, 0) == sorted(plain[0].items(), reverse=True)
        assert books.side(1, 1) == sorted(plain[1].items())
        for row in rows[rows["kind"] == Kind.LEVEL]:
            side = rebuilt[1 if row["flags"] & Flag.ASK else 0]
            side[float(row["bid"])] = float(row["bid_size"])
            if not row["bid_size"]:
                del side[float(row["bid"])]
        assert rebuilt == plain
        now = (*max(plain[0].items(), default=(0.0, 0.0)), *min(plain[1].items(), default=(0.0, 0.0)))
        quotes = rows[rows["kind"] == Kind.QUOTE]
        assert [tuple(row) for row in quotes[["bid", "bid_size", "ask", "ask_size"]].tolist()] == [now] * (now != best)
        best = now
    assert books.count(0) == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(levels, max_size=200), st.lists(levels, max_size=50), st.booleans())
def test_a_book_goes_on_after_its_bytes_were_loaded_as_if_nothing_had_been(
    before: list[tuple[int, int, int]], after: list[tuple[int, int, int]], digits: bool
) -> None:
    books, loaded = LevelBooks(digits), LevelBooks(digits)
    books.add()
    loaded.add(3)
    books.change(0, changes(before), STAMP)
    assert len(loaded.load(2, memoryview(books.dump(0) + b"rest"))) == 4
    assert loaded.change(2, changes(after), STAMP).tolist() == books.change(0, changes(after), STAMP).tolist()
    assert loaded.dump(2) == books.dump(0)


def test_rows_say_whose_they_are() -> None:
    books = LevelBooks()
    books.add()
    level, quote = books.change(0, changes([(1, 8, 2)]), STAMP, snapshot=True)
    assert level[["position", "instrument", "event_ns", "venue_sequence"]].tolist() == tuple(STAMP)
    assert (level["kind"], level["flags"], level["bid"], level["ask_size"]) == (2, Flag.ASK | Flag.SNAPSHOT, 2.0, 2.0)
    assert (quote["bid"], quote["bid_size"], quote["ask"], quote["ask_size"]) == (0.0, 0.0, 2.0, 2.0)


def test_a_level_told_again_and_one_taken_away_that_was_not_there_change_nothing() -> None:
    books = LevelBooks()
    books.add()
    books.change(0, changes([(0, 4, 1)]), STAMP)
    assert len(books.change(0, changes([(0, 4, 1), (0, 9, 0), (1, 9, 0)]), STAMP)) == 0


def test_bytes_cut_short_are_refused() -> None:
    books = LevelBooks()
    books.add()
    books.change(0, changes([(0, 4, 1)]), STAMP)
    with pytest.raises(ValueError, match="levels of a book"):
        LevelBooks.skip(memoryview(books.dump(0)[:-1]), False)
