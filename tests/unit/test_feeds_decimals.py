"""Decimal columns against Python's own float."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.feeds.protocols.decimals import read_decimal, read_decimals

digits = st.text("0123456789", min_size=1, max_size=24)
decimals = st.one_of(
    digits,
    st.builds(lambda sign, whole, part: f"{sign}{whole}.{part}", st.sampled_from(["", "-"]), digits, digits),
    st.floats(0, 1e12).map(lambda value: f"{value:.8f}"),
)


def same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


@settings(max_examples=100, deadline=None)
@given(st.lists(decimals, max_size=20))
def test_a_column_reads_to_the_bit_as_python_reads_each_text(texts: list[str]) -> None:
    assert all(map(same, read_decimals(texts).tolist(), map(read_decimal, texts)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(decimals, st.text(max_size=6)), min_size=1, max_size=10))
def test_text_that_is_no_number_is_nan_and_its_neighbours_are_read(texts: list[str]) -> None:
    assert all(map(same, read_decimals(texts).tolist(), map(read_decimal, texts)))


@pytest.mark.parametrize(
    "text",
    [
        "1000000000000001",
        "",
        "-",
        ".",
        "1.",
        ".5",
        "+1",
        "1e5",
        "nan",
        "inf",
        "-inf",
        " 1",
        "1 ",
        "1_0",
        "0x1",
        "1.2.3",
        "１",
        "1,2",
        "9" * 400,
    ],
)
def test_what_is_not_a_plain_decimal_is_refused(text: str) -> None:
    first, bad, last = read_decimals(["1.5", text, "2.25"]).tolist()
    assert (first, last) == (1.5, 2.25)
    assert math.isnan(bad)


def test_the_venues_own_texts_read_exactly() -> None:
    texts = ["61837.63000000", "0.00001234", "-5", "123456789.12345678", "0.1", "0"]
    assert read_decimals(texts).tolist() == [61837.63, 0.00001234, -5.0, 123456789.12345678, 0.1, 0.0]


@pytest.mark.parametrize("text", ["1000000000000001", "-1000000000000001", "9" * 400, "0." + "0" * 40])
def test_a_number_beyond_any_price_or_longer_than_any_is_refused(text: str) -> None:
    assert math.isnan(read_decimals([text]).item())
