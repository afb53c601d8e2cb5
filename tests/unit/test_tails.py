"""Many columns at once against value_at_risk.py, one at a time; and what must hold of parts of a whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipelines.domain.tails import Rule, portfolio_tail, shares, tails
from pipelines.domain.value_at_risk import METHODS, components, historical
from pipelines.research.portfolio_risk import Options, tail_risk

ROUNDED = st.floats(-0.2, 0.2).map(lambda value: round(value, 6))
SHAPES = st.tuples(st.integers(1, 5), st.integers(20, 60))
RETURNS = SHAPES.flatmap(lambda shape: arrays(np.float64, shape, elements=ROUNDED))
TOLD_AS_ROWS = tuple(method for method in METHODS if method != "monte-carlo")


@pytest.mark.parametrize("method", TOLD_AS_ROWS)
@given(returns=RETURNS, confidence=st.sampled_from([0.9, 0.95, 0.975, 0.99]))
def test_each_column_is_told_as_it_is_told_alone(method: str, returns: np.ndarray, confidence: float) -> None:
    found = tails(returns, Rule(method, confidence))
    for column, var, es in zip(returns, *found, strict=True):
        if method == "cornish-fisher" and column.std() < 1e-9:
            continue  # nothing but rounding moves
        alone = tail_risk(column, Options(method, confidence))
        assert (var, es) == pytest.approx(alone, rel=1e-9, abs=1e-10)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("rows", [20, 101, 500, 1000])
def test_a_portfolio_is_told_as_its_column_of_profits(rows: int, confidence: float) -> None:
    random = np.random.default_rng(rows)
    returns, exposures = random.normal(0, 0.01, (40, rows)), random.normal(0, 1e5, 40)
    assert portfolio_tail(exposures, returns, confidence) == pytest.approx(historical(exposures @ returns, confidence))


@pytest.mark.parametrize("method", METHODS)
@given(parts=RETURNS)
def test_what_parts_have_in_the_whole_adds_up_to_it(method: str, parts: np.ndarray) -> None:
    whole, rule = parts.sum(axis=0), Rule(method, 0.95)
    if 0 < whole.std() < 1e-9:
        return
    assert shares(whole, parts, rule).sum() == pytest.approx(tails(whole[None], rule).es[0], rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_part_has_is_the_derivative_along_it(method: str) -> None:
    random = np.random.default_rng(3)
    parts = random.standard_t(5, (4, 300)) * 0.01 + 0.002 * random.normal(size=300)
    rule = Rule(method, 0.975)

    def of(weights: np.ndarray) -> tuple[float, float]:
        told = tails((weights @ parts)[None], rule)
        return float(told.var[0]), float(told.es[0])

    by_steps = components(of, np.ones(4)).es  # type: ignore[arg-type]
    assert shares(parts.sum(axis=0), parts, rule) == pytest.approx(by_steps, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_of_nothing_nothing_is_lost(method: str) -> None:
    still = np.zeros((2, 50))
    assert np.array_equal(np.abs(tails(still, Rule(method, 0.99))), np.zeros((2, 2)))
    assert np.array_equal(np.abs(shares(still[0], still, Rule(method, 0.99))), np.zeros(2))
