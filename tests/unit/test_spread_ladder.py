"""The ladder: which levels there are, and between which z nothing is told."""

import math

import pytest

from pipelines.domain.ladder import (
    ALL_LEVELS,
    FARTHEST_Z,
    RUNG_Z,
    Ladder,
    Levels,
    level_above,
    level_below,
    rung_of,
)


def between(levels: Levels, z: float) -> tuple[float, float]:
    """The levels next to a z."""
    ladder = Ladder.of(levels)
    return level_below(ladder, rung_of(z)), level_above(ladder, rung_of(z))


def test_a_rung_starts_at_its_level() -> None:
    assert [rung_of(z) for z in (-0.26, -0.25, -0.01, 0.0, 0.24, 0.25, 2.1)] == [-2, -1, -1, 0, 0, 1, 8]


@pytest.mark.parametrize("z", [0.0, 0.1, -0.1, 2.1, -7.3, 19.9, -20.0, 20.0, 20.3, -20.3, 4711.1, -4711.1])
def test_of_all_levels_those_next_to_a_z_are_a_rung_apart(z: float) -> None:
    below, above = between(ALL_LEVELS, z)
    assert below <= z < above == below + RUNG_Z


@pytest.mark.parametrize(
    ("text", "z", "expected"),
    [
        ("0.5, 2..", 0.1, (-0.5, 0.5)),
        ("0.5, 2..", 0.5, (0.5, 2.0)),
        ("0.5, 2..", 1.99, (0.5, 2.0)),
        ("0.5, 2..", -0.51, (-2.0, -0.5)),
        ("0.5, 2..", -2.0, (-2.0, -0.5)),
        ("0.5, 2..", -2.01, (-2.25, -2.0)),
        ("0.5, 2..", 2.3, (2.25, 2.5)),
        ("0.5, 2..", 300.3, (300.25, 300.5)),
        ("1", 0.0, (-1.0, 1.0)),
        ("1", 1.0, (1.0, math.inf)),
        ("1", -30.0, (-math.inf, -1.0)),
        ("0", -0.1, (-math.inf, 0.0)),
        ("19.75", 25.0, (19.75, math.inf)),
    ],
)
def test_the_levels_next_to_a_z(text: str, z: float, expected: tuple[float, float]) -> None:
    assert between(Levels.parse(text), z) == expected


@pytest.mark.parametrize("z", [float("inf"), 1e300])
def test_a_z_beyond_the_ladder_stays_on_its_last_rung(z: float) -> None:
    assert abs(rung_of(z)) == int(FARTHEST_Z / RUNG_Z)
    assert between(ALL_LEVELS, z)[1] == math.inf
    assert between(ALL_LEVELS, -z)[0] == -math.inf


@pytest.mark.parametrize(("text", "same"), [("2.., 0.5", "0.5, 2.."), ("2, 2.., 3", "2.."), ("0..", "0..")])
def test_levels_are_read_and_written(text: str, same: str) -> None:
    assert str(Levels.parse(text)) == same
    assert Levels.parse(same) == Levels.parse(text)


@pytest.mark.parametrize("text", ["", "two", "0.3", "-1", "nan", "inf..", "1,,2"])
def test_what_is_no_level_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"levels|could not convert"):
        Levels.parse(text)


def test_a_level_beyond_the_ladder_is_refused() -> None:
    with pytest.raises(ValueError, match=r"levels 20: the ladder reaches from 0 to 19\.75"):
        Ladder.of(Levels.parse("20"))


def test_levels_hold_others_or_not() -> None:
    assert Levels.parse("0.5, 2..") >= Levels.parse("0.5, 3, 5..")
    assert not Levels.parse("0.5, 2..") >= Levels.parse("1.75")
    assert not Levels.parse("0.5, 2") >= Levels.parse("2..")
