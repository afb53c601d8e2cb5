"""Signals against the real planner: what state they keep, what is refused, and what is said of it."""

from pathlib import Path
from typing import Any

import pytest

from infra.settings import ROOT
from pipelines.operators.flink import environment
from pipelines.signals.explained import Explained, explain_signal
from pipelines.signals.signal_file import SignalError, load_signal

GIVEN = "pair, event_time, 'exit' AS action, z, beta, mid_a, mid_b, shard, `sequence` AS last_sequence"
OF_BOTH = (
    "a.pair, a.event_time, 'exit' AS action, a.z, a.beta, a.mid_a, a.mid_b, a.shard, a.`sequence` AS last_sequence"
)
HIGHEST = ", ".join(f"MAX({name}) AS {name}" for name in ("z", "beta", "mid_a", "mid_b", "shard"))
HIGHEST += ", MAX(`sequence`) AS last_sequence"
WATCH = (
    f"SELECT {GIVEN} FROM spreads MATCH_RECOGNIZE (PARTITION BY pair ORDER BY event_time MEASURES "
    + ", ".join(f"B.{name} AS {name}" for name in ("event_time", "z", "beta", "mid_a", "mid_b", "shard", "`sequence`"))
    + " PATTERN (A%s B)%s DEFINE A AS A.z > 1, B AS B.z < 1)"
)
AVERAGE = (
    f"SELECT {GIVEN} FROM (SELECT *, AVG(z) OVER (PARTITION BY %s ORDER BY event_time %s PRECEDING AND CURRENT ROW)"
    " AS m FROM spreads) WHERE z > m"
)


@pytest.fixture(scope="module")
def t_env() -> Any:
    return environment()[1]


def explained(t_env: Any, folder: Path, body: str, header: str = "") -> Explained:
    path = folder / "mine.sql"
    path.write_text(f"-- signal: mine\n{header}{body}\n")
    return explain_signal(t_env, load_signal(path).bound({}))


@pytest.mark.parametrize(
    ("body", "keeps"),
    [
        (f"SELECT {GIVEN} FROM crossings WHERE z > 2", []),
        (WATCH % ("", ""), ["Match by pair: as many rows as the pattern has for each pair"]),
        (
            WATCH % ("+", " WITHIN INTERVAL '90' SECOND"),
            ["Match by pair: the rows of a match begun, of 90 seconds at most for each pair"],
        ),
        (
            AVERAGE % ("pair", "RANGE BETWEEN INTERVAL '1' HOUR"),
            ["OverAggregate by pair: the rows of 1 hour for each pair"],
        ),
        (AVERAGE % ("pair", "ROWS BETWEEN 9"), ["OverAggregate by pair: 10 rows for each pair"]),
        (
            f"SELECT pair, window_time AS event_time, 'exit' AS action, {HIGHEST} FROM "
            "TABLE(TUMBLE(TABLE spreads, DESCRIPTOR(event_time), INTERVAL '1' MINUTE)) "
            "GROUP BY pair, window_start, window_end, window_time",
            ["LocalWindowAggregate by pair: a row of each open window", "GlobalWindowAggregate by pair: a row of each"],
        ),
        (
            f"SELECT {OF_BOTH} FROM crossings a JOIN spreads b ON a.pair = b.pair "
            "AND b.event_time BETWEEN a.event_time - INTERVAL '5' MINUTE AND a.event_time",
            ["IntervalJoin: the rows of 5 minutes of both sides"],
        ),
        (
            f"SELECT {GIVEN} FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY pair ORDER BY event_time) AS n "
            "FROM spreads) WHERE n = 1",
            ["Deduplicate by pair: a row for each pair"],
        ),
    ],
)
def test_state_that_is_bounded_is_told_step_by_step(t_env: Any, tmp_path: Path, body: str, keeps: list[str]) -> None:
    found = explained(t_env, tmp_path, body)
    told = [f"{step.step}: {step.keeps}" for step in found.steps if "by shard" not in step.step]
    assert len(told) == len(keeps)
    for said, expected in zip(told, keeps, strict=True):
        assert said.startswith(expected)
    assert "Sink(" in found.plan


ENDLESS = [
    (f"SELECT {OF_BOTH} FROM crossings a JOIN spreads b ON a.pair = b.pair", "every row of both sides"),
    (WATCH % ("+", ""), "the rows of a match begun, which has no WITHIN"),
    (AVERAGE % ("`sequence`", "ROWS BETWEEN 9"), "10 rows for every sequence that there will ever be"),
]


@pytest.mark.parametrize(("body", "said"), ENDLESS)
def test_state_without_an_end_is_refused_unless_the_header_says_so(
    t_env: Any, tmp_path: Path, body: str, said: str
) -> None:
    with pytest.raises(SignalError) as error:
        explained(t_env, tmp_path, body)
    assert str(error.value).startswith(f"{tmp_path}/mine.sql:2:")
    assert "state without an end: " in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    found = explained(t_env, tmp_path, body, "-- state: forever\n")
    assert [step.bounded for step in found.steps].count(False) == 1


@pytest.mark.parametrize(
    ("body", "header", "said"),
    [
        (
            f"SELECT pair, MAX(event_time) AS event_time, 'exit' AS action, {HIGHEST} FROM crossings GROUP BY pair",
            "",
            "GroupAggregate changes rows that it has given",
        ),
        (
            f"SELECT {GIVEN} FROM (SELECT *, AVG(z) OVER (PARTITION BY pair ORDER BY event_time_ns) AS m "
            "FROM spreads) WHERE z > m",
            "",
            "OverAggregate changes rows that it has given, and a signal is given once: order by event_time",
        ),
        (WATCH.replace("ORDER BY event_time", "ORDER BY `sequence`") % ("", ""), "", "order by event_time as a view"),
        (f"SELECT {GIVEN} FROM crossings", "-- inputs: spreads\n", "inputs: spreads: the text reads crossings"),
        (
            f"SELECT {GIVEN} FROM market_spreads",
            "",
            "market_spreads is not for signals to read: there are crossings, spreads, book_imbalance",
        ),
        (f"SELECT {GIVEN} FROM spread", "", "Object 'spread' not found: did you mean spreads?"),
    ],
)
def test_what_cannot_run_is_told_in_one_line_with_the_way_out(
    t_env: Any, tmp_path: Path, body: str, header: str, said: str
) -> None:
    with pytest.raises(SignalError) as error:
        explained(t_env, tmp_path, body, header)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_every_signal_of_the_library_keeps_bounded_state(t_env: Any) -> None:
    files = sorted((ROOT / "sql" / "signals").glob("*.sql"))
    assert files
    for path in files:
        found = explain_signal(t_env, load_signal(path).bound({}))
        assert all(step.bounded for step in found.steps)
        assert load_signal(path).inputs
