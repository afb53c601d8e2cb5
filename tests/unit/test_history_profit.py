"""Profit of pairs on fills made by hand."""

import pytest

from pipelines.domain.trading import Side
from pipelines.history.profit import Fill, PairProfit, Terms, profit

TERMS = {
    "KO": Terms(tick_size=0.01, lot_size=10.0, currency="USD"),
    "PEP": Terms(tick_size=0.01, lot_size=1.0, currency="USD"),
    "SAP": Terms(tick_size=0.01, lot_size=1.0, currency="EUR"),
}
MIDS = {"KO": 60.50, "PEP": 170.00, "SAP": 120.00}


def buy(instrument: str, lots: int, price: float, pair: str = "KO-PEP") -> Fill:
    return Fill(pair, instrument, Side.BUY, lots, price)


def sell(instrument: str, lots: int, price: float, pair: str = "KO-PEP") -> Fill:
    return Fill(pair, instrument, Side.SELL, lots, price)


def of(fills: list[Fill], pair: str = "total", currency: str = "USD", mids: dict[str, float] = MIDS) -> PairProfit:
    (found,) = [each for each in profit(fills, mids, TERMS) if (each.pair, each.currency) == (pair, currency)]
    return found


def test_a_round_trip_makes_the_difference_of_its_prices_times_lots_times_lot_size() -> None:
    made = of([buy("KO", 3, 60.00), sell("KO", 3, 60.40)])
    assert made.realised == pytest.approx(0.40 * 3 * 10)
    assert made.unrealised == 0
    assert made.held == {}


def test_open_lots_are_marked_at_the_mid() -> None:
    made = of([buy("KO", 2, 60.00)])
    assert made.realised == 0
    assert made.unrealised == pytest.approx(0.50 * 2 * 10)
    assert made.held == {"KO": 2}


def test_a_partial_close_realises_by_average_cost() -> None:
    #  bought 1 at 60 and 3 at 64: average 63; sold 2 at 66: 3 each; 2 left, marked at 60.50
    made = of([buy("KO", 1, 60.00), buy("KO", 3, 64.00), sell("KO", 2, 66.00)])
    assert made.realised == pytest.approx((66 - 63) * 2 * 10)
    assert made.unrealised == pytest.approx((60.50 - 63) * 2 * 10)


def test_a_short_gains_when_the_price_falls() -> None:
    made = of([sell("PEP", 4, 172.00)])
    assert made.unrealised == pytest.approx((172 - 170) * 4)
    assert made.held == {"PEP": -4}


def test_a_fill_through_zero_closes_and_opens_at_its_own_price() -> None:
    made = of([buy("PEP", 2, 169.00), sell("PEP", 5, 171.00)])
    assert made.realised == pytest.approx((171 - 169) * 2)
    assert made.unrealised == pytest.approx((171 - 170) * 3)


def test_both_legs_of_a_pair_make_its_profit() -> None:
    fills = [buy("KO", 3, 60.00), sell("PEP", 10, 171.00), sell("KO", 3, 60.20), buy("PEP", 10, 170.50)]
    made = of(fills, "KO-PEP")
    assert made.realised == pytest.approx(0.20 * 3 * 10 + 0.50 * 10)
    assert (made.fills, made.held) == (4, {})
    assert made.traded == pytest.approx(3 * 10 * (60.00 + 60.20) + 10 * (171.00 + 170.50))


def test_pairs_that_share_an_instrument_keep_their_costs_apart() -> None:
    fills = [buy("PEP", 1, 100.0, "A"), buy("PEP", 1, 200.0, "B"), sell("PEP", 1, 150.0, "A")]
    assert of(fills, "A").realised == pytest.approx(50)
    assert of(fills, "B").realised == 0
    assert of(fills, "B").unrealised == pytest.approx(-30)


def test_the_total_is_the_sum_of_the_pairs_of_a_currency() -> None:
    fills = [buy("KO", 1, 60.0, "A"), sell("PEP", 1, 171.0, "B"), buy("SAP", 2, 119.0, "C")]
    assert of(fills).total == pytest.approx(0.50 * 10 + 1.0)
    assert of(fills, currency="EUR").total == pytest.approx(2.0)


def test_lots_of_two_pairs_against_each_other_are_not_held_in_total() -> None:
    made = of([buy("KO", 1, 60.0, "A"), sell("KO", 1, 61.0, "B")])
    assert made.held == {}
    assert made.total == pytest.approx(10.0)


def test_an_instrument_without_a_quote_leaves_the_open_profit_unknown() -> None:
    made = of([buy("KO", 1, 60.0), sell("PEP", 1, 171.0)], mids={"KO": 61.0})
    assert made.unrealised is None
    assert made.total is None


def test_a_flat_instrument_needs_no_quote() -> None:
    assert of([buy("KO", 1, 60.0), sell("KO", 1, 61.0)], mids={}).total == pytest.approx(10.0)


def test_without_terms_a_lot_is_one_unit() -> None:
    (pair, total) = profit([Fill("X-Y", "X", Side.BUY, 3, 0.1)], {"X": 0.2}, {})
    assert pair.unrealised == pytest.approx(0.3)
    assert total.pair == "total"


def test_no_fills_make_no_profit() -> None:
    assert profit([], MIDS, TERMS) == ()


def told(execution: str, lots: int, price: float, amends: str = "") -> Fill:
    return Fill("KO-PEP", "KO", Side.BUY, lots, price, execution, amends)


def test_a_fill_that_is_taken_back_leaves_neither_lots_nor_profit() -> None:
    #  bought 2 at 60 and 2 at 62, the second taken back: 2 at 60 are left, and nothing was made
    rows = [told("x/1", 2, 60.00), told("x/2", 2, 62.00), told("x/3", -2, 62.00, "x/2")]
    made = of(rows)
    assert (made.fills, made.realised, made.held) == (1, 0.0, {"KO": 2})
    assert made.unrealised == pytest.approx((60.50 - 60) * 2 * 10)


def test_a_corrected_fill_stands_where_the_wrong_one_was() -> None:
    #  bought 2 at 62 (should have been 60), sold 1 at 61: the sale made 1 a unit
    rows = [told("x/1", 2, 62.00), sell("KO", 1, 61.00), told("x/3", -2, 62.00, "x/1"), told("x/3", 2, 60.00)]
    assert of(rows).realised == pytest.approx((61 - 60) * 1 * 10)


def test_a_correction_can_be_taken_back_too() -> None:
    rows = [told("x/1", 2, 62.0), told("x/2", -2, 62.0, "x/1"), told("x/2", 3, 60.0), told("x/3", -3, 60.0, "x/2")]
    assert profit(rows, MIDS, TERMS) == ()


def test_what_takes_back_a_fill_that_is_not_there_still_counts() -> None:
    rows = [told("x/1", 2, 62.0), told("x/3", -1, 62.0, "x/0")]
    assert of(rows).held == {"KO": 1}
