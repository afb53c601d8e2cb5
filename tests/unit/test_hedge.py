"""Hedge ratios: exact on exact lines, as NumPy and plain recursions have them, and blind to what comes after."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.domain.hedge import Path, kalman, least_squares, rolling, total_least_squares, weighted

Floats = NDArray[np.float64]

PATHS = {
    "rolling": lambda y, x: rolling(y, x, 20),
    "rolling total": lambda y, x: rolling(y, x, 20, total=True),
    "weighted": lambda y, x: weighted(y, x, 30.0),
    "kalman": kalman,
}


def walk(seed: int, rows: int = 200) -> tuple[Floats, Floats]:
    """A pair: y follows 3 + 1.7 x."""
    rng = np.random.default_rng(seed)
    x = 100 + np.cumsum(rng.normal(size=rows))
    return 3 + 1.7 * x + rng.normal(scale=0.5, size=rows), x


@given(st.floats(-5, 5).filter(lambda slope: abs(slope) > 0.01), st.floats(-50, 50))
def test_points_on_a_line_give_the_line(slope: float, intercept: float) -> None:
    _, x = walk(1)
    y = intercept + slope * x
    for line in (least_squares(y, x), total_least_squares(y, x), rolling(y, x, 50).last):
        assert line == pytest.approx((slope, intercept), abs=1e-6)


@given(st.integers(0, 10_000))
def test_least_squares_is_numpys(seed: int) -> None:
    y, x = walk(seed)
    assert least_squares(y, x) == pytest.approx(np.polyfit(x, y, 1))
    assert least_squares(y, x, constant=False) == pytest.approx((np.linalg.lstsq(x[:, None], y, rcond=None)[0][0], 0))
    path = rolling(y, x, 30)
    assert np.isnan(path.slope[:29]).all()
    for row in (29, 100, 199):
        there = slice(row - 29, row + 1)
        assert (path.slope[row], path.intercept[row]) == pytest.approx(np.polyfit(x[there], y[there], 1))


@given(st.integers(0, 10_000))
def test_total_least_squares_is_the_first_principal_component(seed: int) -> None:
    y, x = walk(seed)
    axis = np.linalg.svd(np.column_stack((x - x.mean(), y - y.mean())))[2][0]
    assert total_least_squares(y, x).slope == pytest.approx(axis[1] / axis[0])
    assert total_least_squares(x, y).slope == pytest.approx(axis[0] / axis[1])


@given(st.integers(0, 10_000))
def test_exponential_weights_are_weights(seed: int) -> None:
    y, x = walk(seed, 60)
    weights = (1 - 2 / 21.0) ** np.arange(59, -1, -1.0)
    weights[1:] *= 2 / 21.0  # the first row counts whole
    assert weighted(y, x, 20.0).last == pytest.approx(np.polyfit(x, y, 1, w=np.sqrt(weights)))


@given(st.integers(0, 10_000))
def test_the_kalman_filter_is_that_of_matrices(seed: int) -> None:
    y, x = walk(seed)
    path = kalman(y, x, 1e-3, 0.01)
    state, covariance = np.zeros(2), np.zeros((2, 2))
    for row in range(len(y)):
        covariance = covariance + (np.eye(2) * 1e-3 / (1 - 1e-3) if row else 0)
        seen = np.array([x[row], 1.0])
        variance = seen @ covariance @ seen + 0.01
        error = y[row] - seen @ state
        assert path.error[row] == pytest.approx(error, abs=1e-7)
        assert path.deviation[row] == pytest.approx(np.sqrt(variance))
        gain = covariance @ seen / variance
        state = state + gain * error
        covariance = covariance - np.outer(gain, seen) @ covariance
    assert path.last == pytest.approx(tuple(state))


@pytest.mark.parametrize("name", PATHS)
@given(st.integers(0, 10_000), st.integers(1, 199))
def test_no_row_knows_of_a_later_one(name: str, seed: int, row: int) -> None:
    y, x = walk(seed)
    whole: Path = PATHS[name](y, x)
    y[row:], x[row:] = 7.0, np.arange(200.0 - row)
    other: Path = PATHS[name](y, x)
    for column, otherwise in zip(whole, other, strict=True):
        np.testing.assert_array_equal(column[:row], otherwise[:row])
