"""Fees and borrowing: in what was made, in the loss of the day, in the books of strategies."""

from typing import Any

import pytest

from pipelines.domain.exposure import lost, made
from pipelines.domain.universe import Venue
from tests.support.accounts import filled
from tests.support.clocked import EXIT, LONG, Clocked, clocked, words

# A-B is 10 and -7 lots at 100: 1,700 are traded. T0 is 22:13:20 UTC, so 6,400 s before midnight.
BPS: dict[str, Any] = {"venues": (Venue("sim", "binance", fee_bps=10.0),)}
A_LOT: dict[str, Any] = {"venues": (Venue("sim", "binance", fee_per_lot=0.5),)}
BORROW: dict[str, Any] = {"borrow": {"B": 0.36}}
MIDNIGHT, DAY = 6_400_000, 86_400_000


@pytest.mark.parametrize(
    ("fees", "cost"),
    [(BPS, 1.70), (A_LOT, 8.50), ({"venues": (Venue("sim", "binance", fee_bps=10.0, fee_per_lot=0.5),)}, 10.20)],
)
def test_a_fee_is_a_share_of_what_was_traded_and_money_a_lot(fees: dict[str, Any], cost: float) -> None:
    at = clocked(of=fees).hold("A-B")
    assert at.state.costs == pytest.approx(cost)
    assert at.state.books["test"]["A-B"].costs == pytest.approx(cost)
    assert made(at.state) == pytest.approx(-cost)
    assert lost(at.state) == pytest.approx(cost)


def test_fees_of_another_venue_are_not_taken() -> None:
    at = clocked(of={"venues": (Venue("sim", "binance"), Venue("alt", "binance", fee_bps=99.0))}).hold("A-B")
    assert at.state.costs == 0.0


def test_a_fee_is_at_the_price_of_the_fill() -> None:
    at = clocked(of=BPS)
    a, _ = at.sign("A-B", LONG)
    at.give(filled(a, price=110.0))
    assert at.state.costs == pytest.approx(1.10)


def test_fees_break_the_limit_of_a_days_loss() -> None:
    at = clocked(of=BPS, daily_loss=3.0).hold("A-B")
    outputs = at.fill(at.sign("A-B", EXIT))
    assert words(outputs) == ["reducing: daily_loss 3.40, limit 3.00"]


def test_being_short_overnight_costs_by_the_mark_and_the_year_of_360_days() -> None:
    #  7 B at 100, 36 % a year: 0.70 a night
    at = clocked(of=BORROW).hold("A-B")
    at.at(MIDNIGHT - 1)
    assert at.state.costs == 0.0
    at.at(MIDNIGHT)
    assert at.state.costs == pytest.approx(0.70)
    assert at.state.books["test"]["A-B"].costs == pytest.approx(0.70)


def test_borrowing_is_taken_once_a_night() -> None:
    at = clocked(of=BORROW).hold("A-B")
    at.at(MIDNIGHT)
    at.at(MIDNIGHT + 1_000)
    assert at.state.costs == pytest.approx(0.70)


def test_nights_without_marks_count_too() -> None:
    at = clocked(of=BORROW).hold("A-B")
    at.at(MIDNIGHT + 2 * DAY)
    assert at.state.costs == pytest.approx(2.10)


def test_borrowing_is_in_the_loss_of_the_day_that_begins() -> None:
    at = clocked(of=BORROW, daily_loss=0.5).hold("A-B")
    assert words(at.at(MIDNIGHT)) == ["reducing: daily_loss 0.70, limit 0.50"]
    assert lost(at.state) == pytest.approx(0.70)
    assert at.state.day.made == 0.0


def test_being_long_and_being_flat_cost_nothing() -> None:
    at = clocked(of={"borrow": {"A": 0.36}}).hold("A-B")
    at.at(MIDNIGHT)
    assert at.state.costs == 0.0


def test_each_strategy_pays_for_what_it_is_short() -> None:
    at: Clocked = clocked(of=BORROW).hold("A-B", "D-B")  # 7 B short and 5 long: borrowed 7
    at.at(MIDNIGHT)
    assert at.state.books["test"]["A-B"].costs == pytest.approx(0.70)
    assert at.state.books["test"]["D-B"].costs == 0.0


def test_a_round_trip_returns_what_is_left_after_fees() -> None:
    at = clocked(of=BPS).hold("A-B")
    at.at(100, A=110.0)
    at.fill(at.sign("A-B", EXIT))
    # 100 made, 1.00 + 0.70 to enter, 1.10 + 0.70 to leave, on 1,000
    assert at.state.books["test"]["A-B"].returns == pytest.approx((100 - 3.5) / 1_000)
