"""How many lots an entry is: by money, by risk, by what the pair has made. Prices are 100, A-B has a beta of 0.7."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.domain.sizing import Mode, Sizing, kelly_share
from tests.support.accounts import strategy
from tests.support.clocked import EXIT, LONG, Clocked, clocked, moves, words

VOLATILITY = Sizing(1_000.0, Mode.VOLATILITY, risk=40.0, cap=2.0)
KELLY = Sizing(1_000.0, Mode.KELLY, kelly=0.5, cap=2.0, trips=2)


def sized(at: Clocked) -> tuple[int, ...]:
    return tuple(lots for _, _, lots in moves(at.sign("A-B", LONG)))


def with_capital(capital: float) -> dict[str, Any]:
    return {"pairs": tuple(replace(pair, capital=capital) for pair in strategy().pairs)}


def trip(at: Clocked, price: float) -> None:
    """In at 100, out of the first leg at a price."""
    at.at(at.now_ms + 1, A=100.0)
    at.fill(at.sign("A-B", LONG))
    at.at(at.now_ms + 1, A=price)
    at.fill(at.sign("A-B", EXIT))
    at.at(at.now_ms + 1, A=100.0)


def test_fixed_is_the_same_money_each_time() -> None:
    assert sized(clocked(of={"sizing": Sizing(2_500.0)})) == (25, -18)


def test_the_capital_of_a_pair_stands_instead() -> None:
    assert sized(clocked(of=with_capital(300.0))) == (3, -2)


def test_volatility_is_as_many_lots_as_have_the_risk_together() -> None:
    at = clocked(of={"sizing": VOLATILITY})
    at.measure(deviation_per_lot=(2.5,) * 4)
    assert sized(at) == (16, -11)  # 40 / 2.5


def test_volatility_is_at_most_so_many_times_the_money() -> None:
    at = clocked(of={"sizing": VOLATILITY})
    at.measure(deviation_per_lot=(0.5,) * 4)
    assert sized(at) == (20, -14)  # and not 80


def test_volatility_caps_the_capital_of_the_pair() -> None:
    at = clocked(of={"sizing": VOLATILITY} | with_capital(300.0))
    at.measure(deviation_per_lot=(0.5,) * 4)
    assert sized(at) == (6, -4)


@pytest.mark.parametrize("deviations", [(), (0.0,) * 4])
def test_volatility_that_was_not_measured_is_the_money(deviations: tuple[float, ...]) -> None:
    at = clocked(of={"sizing": VOLATILITY})
    at.measure(deviation_per_lot=deviations)
    assert sized(at) == (10, -7)


def test_volatility_before_a_risk_update_is_the_money() -> None:
    assert sized(clocked(of={"sizing": VOLATILITY})) == (10, -7)


def test_kelly_before_so_many_round_trips_is_the_money() -> None:
    at = clocked(of={"sizing": KELLY})
    trip(at, 110.0)
    assert sized(at) == (10, -7)


def test_kelly_is_a_share_of_mean_to_variance() -> None:
    #  returns of 2 and -1 (of 1,000: +2,000, -1,000): mean 0.5, variance 2.25; half of 0.2222 is 0.1111 of 1,000
    at = clocked(of={"sizing": KELLY})
    trip(at, 300.0)
    trip(at, 0.02)
    book = at.state.books["test"]["A-B"]
    assert (book.trips, round(book.returns, 2)) == (2, 1.0)
    assert sized(at) == (1, -1)


def test_kelly_is_at_most_so_many_times_the_money() -> None:
    at = clocked(of={"sizing": KELLY})
    trip(at, 110.0)
    trip(at, 111.0)
    assert sized(at) == (20, -14)


def test_a_pair_that_lost_on_average_is_not_entered() -> None:
    at = clocked(of={"sizing": KELLY})
    trip(at, 90.0)
    trip(at, 95.0)
    assert words(at.sign("A-B", LONG)) == [
        "zero_quantity: A-B sized 0/0 lots, limit 1 a leg and 2147483648 at most (mid_a 100, beta 0.7)"
    ]


def test_kelly_is_each_pairs_own() -> None:
    at = clocked(of={"sizing": KELLY})
    trip(at, 90.0)
    trip(at, 95.0)
    assert moves(at.sign("A-C", LONG)) == [("A-C", "A", 10), ("A-C", "C", -12)]


@pytest.mark.parametrize(
    ("returns", "share"),
    [
        ([0.1, 0.1], 3.0),  # never lost: the cap
        ([0.3, -0.1], 0.5 * 0.1 / 0.04),
        ([0.1, -0.1], 0.0),
        ([-0.1, -0.1], 0.0),
        ([0.02, 0.01], 3.0),  # 0.5 * 0.015 / 0.000025 = 300
    ],
)
def test_the_share_by_hand(returns: list[float], share: float) -> None:
    squares = sum(each * each for each in returns)
    assert kelly_share(len(returns), sum(returns), squares, 0.5, 3.0) == pytest.approx(share)
