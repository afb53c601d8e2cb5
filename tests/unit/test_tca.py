"""What trading cost, on orders made by hand: a sale of 10 lots of 2 units, decided at 100, at its venue at 99.9."""

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.tca import (
    FEWEST,
    HORIZONS_S,
    LAWS,
    Costs,
    Fill,
    Traded,
    at_venues,
    coefficients,
    costs,
    expected_bps,
    summed,
)
from pipelines.pages.tca_page import tca_page

AFTER = (98.0, 97.0, None, None, 99.0)
ORDER = Traded(
    order_id="0123456789abcdef",
    pair="A-B",
    strategy="test",
    venue="sim",
    instrument="A",
    sign=-1,
    lots=10,
    lot_size=2.0,
    decided_ns=1_700_000_000_000_000_000,
    decision=100.0,
    arrival=99.9,
    spread=0.2,
    last=99.0,
    fills=(Fill(0, 4, 99.8, 99.9, AFTER), Fill(1, 2, 99.5, 99.7, AFTER)),
    fee_bps=1.0,
    fee_per_lot=0.05,
)


def test_the_shortfall_of_a_sale_is_what_it_is_made_of() -> None:
    made = costs(ORDER)
    assert made.delay == pytest.approx(0.1 * 6 * 2)
    assert made.spread == pytest.approx(0.1 * 6 * 2)
    assert made.timing == pytest.approx(0.2 * 2 * 2)  # of the second fill alone
    assert made.impact == pytest.approx((0.1 - 0.1) * 4 * 2 + (0.2 - 0.1) * 2 * 2)
    assert made.fees == pytest.approx(6 * 0.05 + (4 * 99.8 + 2 * 99.5) * 2 / 1e4)
    assert made.opportunity == pytest.approx(1.0 * 4 * 2)
    assert made.total == pytest.approx((4 * 0.2 + 2 * 0.5) * 2 + made.fees + made.opportunity)


def test_what_may_still_fill_is_no_opportunity_lost() -> None:
    assert costs(replace(ORDER, over=False)).opportunity == 0.0


def test_a_fill_without_a_mid_has_its_cost_as_impact() -> None:
    made = costs(replace(ORDER, fills=(Fill(0, 10, 99.0),)))
    assert (made.timing, made.impact) == (0.0, pytest.approx((0.9 - 0.1) * 20))


prices = st.floats(50.0, 150.0)
some_fills = st.lists(st.builds(Fill, st.integers(0, 9), st.integers(1, 5), prices, st.none() | prices), max_size=4)


@given(
    st.builds(
        replace,
        st.just(ORDER),
        sign=st.sampled_from([1, -1]),
        lots=st.integers(20, 40),
        decision=prices,
        arrival=prices,
        spread=st.floats(0.0, 1.0),
        last=prices,
        fills=some_fills.map(tuple),
    )
)
def test_the_parts_add_up_to_what_the_paper_portfolio_made_more(order: Traded) -> None:
    made = costs(order)
    of_fills = sum(order.sign * (fill.price - order.decision) * fill.lots for fill in order.fills) * 2
    of_rest = order.sign * (order.last - order.decision) * (order.lots - order.filled) * 2
    assert made.total == pytest.approx(of_fills + of_rest + made.fees, abs=1e-6)


def test_lines_are_by_a_key_and_add_up() -> None:
    bought = replace(ORDER, sign=1, pair="C-D")
    c, a, whole = summed([bought, ORDER], lambda order: "b" if order is bought else "a")
    assert [c.name, a.name, whole.name] == ["a", "b", "all"]
    assert whole.costs == c.costs + a.costs
    assert whole.notional == 2 * 100.0 * 10 * 2
    assert whole.bps() == pytest.approx(1e4 * whole.costs.total / whole.notional)
    assert math.isnan(c.error_bps)
    assert whole.error_bps == pytest.approx(abs(c.bps() - a.bps()) / 2 / math.sqrt(2))


def test_an_order_at_several_venues_is_split_by_its_fills_and_adds_up() -> None:
    there = replace(ORDER.fills[1], venue="elsewhere", fees=(2.0, 0.1))
    order = replace(ORDER, fills=(ORDER.fills[0], there))
    parts = at_venues(order)
    assert [(part.venue, part.lots, part.filled) for part in parts] == [("sim", 8, 4), ("elsewhere", 2, 2)]
    whole = sum(map(costs, parts), Costs())
    assert vars_of(whole) == pytest.approx(vars_of(costs(order)))
    assert at_venues(replace(ORDER, fills=())) == [replace(ORDER, fills=())]


def vars_of(made: Costs) -> list[float]:
    return [getattr(made, each.name) for each in fields(made)]


def test_mark_outs_are_in_the_orders_favour_by_what_was_filled() -> None:
    (line, _) = summed([ORDER], lambda order: order.pair)
    first = (4 * 99.8 * (1.8 / 99.8) + 2 * 99.5 * (1.5 / 99.5)) / (4 * 99.8 + 2 * 99.5)
    assert line.after_bps[0] == pytest.approx(1e4 * first)
    assert line.after_bps[2:4] == (None, None)
    assert len(line.after_bps) == len(HORIZONS_S)


@pytest.mark.parametrize("law", LAWS)
def test_a_law_is_fitted_to_own_fills(law: str) -> None:
    scale = 0.7
    orders = []
    for lots in range(1, FEWEST + 1):
        order = replace(ORDER, lots=lots, deviation=0.02, volume=1000.0, days=0.1)
        moved = 99.9 * scale * LAWS[law](order)
        orders.append(replace(order, fills=(Fill(0, lots, 99.9 - 0.1 - moved, 99.9 - moved),)))
    assert coefficients(orders)[law] == pytest.approx(scale)
    assert coefficients(orders[1:])[law] is None
    expected = expected_bps(orders[3], law, scale)
    assert expected == pytest.approx(1e4 * (0.1 / 99.9 + scale * LAWS[law](orders[3])))
    assert expected_bps(ORDER, law) is None


def test_no_costs_are_nothing() -> None:
    assert Costs().total == 0.0
    (whole,) = summed([], lambda order: order.pair)
    assert (whole.bps(), set(whole.expected_bps.values())) == (0.0, {None})


def test_a_page_has_the_figures_of_each_order() -> None:
    orders = [ORDER, replace(ORDER, order_id="<b>", pair="C-D")]
    page = tca_page("0a1b2c3d4e", {"pair": summed(orders, lambda order: order.pair)}, orders, {"square_root": 0.5})
    assert "Costs of session 0a1b2c3d" in page
    assert f"{costs(ORDER).total:,.2f}" in page
    assert "&lt;b&gt;" in page
    assert page.count("<tr>") == 2 + 3 + 2
