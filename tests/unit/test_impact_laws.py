"""Laws of impact, against the worked example of their paper."""

import pytest

from pipelines.domain.impact_laws import SHORTEST_DAYS, almgren_2005, square_root


@pytest.mark.parametrize(
    ("deviation", "outstanding_days", "permanent_bps", "costs_bps"),
    [
        (0.0157, 1728 / 6.561, 20, {0.1: 32, 0.2: 25, 0.5: 18}),  # IBM
        (0.0226, 168 / 1.929, 22, {0.1: 43, 0.2: 32, 0.5: 23}),  # DRI
    ],
)
def test_the_papers_example_of_a_tenth_of_a_days_volume(
    deviation: float, outstanding_days: float, permanent_bps: int, costs_bps: dict[float, int]
) -> None:
    """Table 3 of Almgren, Thum, Hauptmann, Li (2005), in basis points, to their digits."""
    for days, cost_bps in costs_bps.items():
        permanent, cost = almgren_2005(deviation, 0.1, days, outstanding_days)
        assert (round(1e4 * permanent), round(1e4 * cost)) == (permanent_bps, cost_bps)


def test_an_order_of_no_time_is_one_of_a_minute() -> None:
    assert almgren_2005(0.02, 1e-4, 0.0) == almgren_2005(0.02, 1e-4, SHORTEST_DAYS)


def test_the_square_root_law() -> None:
    assert square_root(0.02, 0.01) == pytest.approx(0.002)
