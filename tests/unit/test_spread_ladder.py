"""The ladder: which z crosses what, and which crossing is damped."""

import pytest

from pipelines.domain.ladder import DOWN, FARTHEST_Z, STAYS, UP, direction_of, level_crossed, rung_of


def walk(*path: float) -> list[tuple[int, float]]:
    """The rungs crossed to on a path of z, each with the z that crossed; the first z sets the rung."""
    rung, level, direction = rung_of(path[0]), 0, STAYS
    crossed = []
    for z in path[1:]:
        turned = direction_of(z, rung, level, direction)
        if turned != STAYS:
            rung = rung_of(z)
            level, direction = level_crossed(rung, turned), turned
            crossed.append((rung, z))
    return crossed


def test_a_rung_starts_at_its_level() -> None:
    assert [rung_of(z) for z in (-0.26, -0.25, -0.01, 0.0, 0.24, 0.25, 2.1)] == [-2, -1, -1, 0, 0, 1, 8]


def test_the_first_crossing_of_a_level_is_exact() -> None:
    assert walk(0.1, 0.2499, 0.25) == [(1, 0.25)]
    assert walk(0.1, 0.0, -0.0001) == [(-1, -0.0001)]


def test_a_level_crossed_straight_back_counts_only_past_the_hysteresis() -> None:
    #  0.55 |            .
    #  0.50 |--.--.--.-----   up, (back) , down
    #  0.44 |     .      .
    assert walk(0.4, 0.51, 0.46, 0.51, 0.44) == [(2, 0.51), (1, 0.44)]
    assert walk(0.6, 0.49, 0.54, 0.56) == [(1, 0.49), (2, 0.56)]


def test_the_next_level_is_exact_while_the_last_one_is_damped() -> None:
    assert walk(0.6, 0.49, 0.51, 0.2499) == [(1, 0.49), (0, 0.2499)]


def test_a_level_crossed_the_same_way_again_is_exact() -> None:
    assert walk(0.6, 0.49, 0.56, 0.7499, 0.75) == [(1, 0.49), (2, 0.56), (3, 0.75)]


def test_a_jump_over_many_levels_is_one_crossing_and_damps_the_nearest() -> None:
    assert walk(0.1, 2.02, 1.99, 1.94) == [(8, 2.02), (7, 1.94)]
    assert walk(2.1, 0.1, 0.26, 0.31) == [(0, 0.1), (1, 0.31)]


@pytest.mark.parametrize("z", [float("inf"), 1e300, -1e300, float("-inf")])
def test_a_z_beyond_the_ladder_stays_on_its_last_rung(z: float) -> None:
    assert abs(rung_of(z)) == int(FARTHEST_Z / 0.25)
    assert direction_of(z, rung_of(z), 0, STAYS) == STAYS
    assert direction_of(-z, rung_of(z), 0, STAYS) == (DOWN if z > 0 else UP)
