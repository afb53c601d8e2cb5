"""Show 7: broken signals, broken tests of signals, and the line that is said of each: where, what, the way out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.operators.flink import environment
from pipelines.signals.case_file import load_cases
from pipelines.signals.explained import explain_signal
from pipelines.signals.signal_file import SignalError, load_signal

HEAD = "-- signal: mine\n"
GIVEN = "pair, event_time, 'exit' AS action, z, beta, mid_a, mid_b, shard, `sequence` AS last_sequence"
OF_A = "a.pair, a.event_time, 'exit' AS action, a.z, a.beta, a.mid_a, a.mid_b, a.shard"
GOOD = f"{HEAD}SELECT {GIVEN}\nFROM crossings\nWHERE z > 2\n"
WITH_Z = f"{HEAD}-- param: entry_z z = 2.0 range 0.5..6\nSELECT {GIVEN} FROM crossings WHERE z > :entry_z\n"
WITH_HOLD = (
    f"{HEAD}-- param: hold interval = 1 day\nSELECT {GIVEN} FROM crossings WHERE event_time > event_time - :hold\n"
)
WITH_NAME = f"{HEAD}-- param: name string = KO\nSELECT {GIVEN} FROM crossings WHERE pair = :name\n"
PATTERN = f"""{HEAD}SELECT {GIVEN}
FROM spreads MATCH_RECOGNIZE (
  PARTITION BY pair ORDER BY %s
  MEASURES B.event_time AS event_time, B.z AS z, B.beta AS beta, B.mid_a AS mid_a, B.mid_b AS mid_b, B.shard AS shard,
    B.`sequence` AS `sequence`
  PATTERN (A+ B) DEFINE A AS A.z > 1, B AS B.z < 1)
"""
AVERAGE = f"""{HEAD}SELECT {GIVEN}
FROM (SELECT *, AVG(z) OVER (PARTITION BY pair ORDER BY %s ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) AS m FROM spreads)
WHERE z > m
"""
TESTED = """- case: one
  rows: |
    pair | event_time | z
    A-B  | 10:00:00   | 2.5
  expect: ""
"""


HIGHEST = ", ".join(f"MAX({name}) AS {name}" for name in ("event_time", "z", "beta", "mid_a", "mid_b", "shard"))
HIGHEST += ", MAX(`sequence`) AS last_sequence"


@pytest.fixture(scope="module")
def t_env() -> Any:
    return environment()[1]


def said(t_env: Any, folder: Path, sql: str, tests: str, given: Mapping[str, object]) -> str:
    """What is said of a signal and its tests, the folder left out."""
    path = folder / "mine.sql"
    path.write_text(sql)
    path.with_suffix(".test.yaml").write_text(tests)
    with pytest.raises(SignalError) as error:
        validated(t_env, path, given)
    return str(error.value).replace(f"{folder}/", "")


def validated(t_env: Any, path: Path, given: Mapping[str, object]) -> None:
    """As validate and test do it."""
    file = load_signal(path)
    explain_signal(t_env, file.bound(given, "strategy.yaml"))
    for case in load_cases(path.with_suffix(".test.yaml")):
        file.bound(case.parameters, case.place)


SIGNALS: list[tuple[str, str, Mapping[str, object], str]] = [
    (
        "syntax error",
        f"{HEAD}SELECT {GIVEN}\nFORM crossings\n",
        {},
        'mine.sql:3:1: Encountered "FORM": did you mean FROM?',
    ),
    (
        "bracket left open",
        f"{HEAD}SELECT {GIVEN}\nFROM crossings\nWHERE (z > 2\n",
        {},
        'mine.sql:4:12: Encountered "<EOF>": the text ends too early: close what is open, a bracket or a quote',
    ),
    (
        "unknown column",
        GOOD.replace("z > 2", "zz > 2 AND sprad > 1"),
        {},
        "mine.sql:4:7: Column 'zz' not found in any table: did you mean z?",
    ),
    (
        "column of another view",
        GOOD.replace("z > 2", "imbalance_a > 0.5"),
        {},
        "mine.sql:4:7: Column 'imbalance_a' not found in any table: spreads, book_imbalance have it, crossings not",
    ),
    (
        "unknown table",
        GOOD.replace("FROM crossings", "FROM crosings"),
        {},
        "mine.sql:3:6: Object 'crosings' not found: did you mean crossings?",
    ),
    (
        "table behind the views",
        GOOD.replace("FROM crossings", "FROM market_spreads"),
        {},
        "mine.sql:3:6: market_spreads is not for signals to read: there are crossings, spreads, "
        "book_imbalance, bars, pair_bars, quotes, trades, sessions, positions",
    ),
    (
        "unknown function",
        GOOD.replace("z > 2", "ABSOLUT(z) > 2"),
        {},
        "mine.sql:4:7: No match found for function signature ABSOLUT(<NUMERIC>): did you mean ABS?",
    ),
    (
        "type mismatch",
        GOOD.replace("z > 2", "z > DATE '2026-01-05'"),
        {},
        "mine.sql:4:7: Cannot apply '>' to arguments of type '<DOUBLE> > <DATE>': CAST one side to the "
        "type of the other, or compare what is of one type",
    ),
    (
        "text for a number",
        GOOD.replace("z > 2", "pair AND z > 2"),
        {},
        "mine.sql:4:7: Cannot apply 'AND' to arguments of type '<VARCHAR(2147483647)> AND <BOOLEAN>': "
        "CAST one side to the type of the other, or compare what is of one type",
    ),
    (
        "parameter out of range",
        WITH_Z,
        {"entry_z": 7},
        "signal mine: parameter entry_z: 7 is outside 0.5..6: give one within (mine.sql:2, given in strategy.yaml)",
    ),
    (
        "parameter of a wrong type",
        WITH_Z,
        {"entry_z": "two"},
        "signal mine: parameter entry_z: 'two' is not a number: give one such as 2 or 0.5 (mine.sql:2, "
        "given in strategy.yaml)",
    ),
    (
        "parameter between rungs",
        WITH_Z,
        {"entry_z": 2.1},
        "signal mine: parameter entry_z: 2.1 is between the rungs of z, which are 0.25 apart: take 2 "
        "(mine.sql:2, given in strategy.yaml)",
    ),
    (
        "parameter that is not there",
        WITH_Z,
        {"entri_z": 2},
        "strategy.yaml: signal mine has no parameter 'entri_z': did you mean entry_z?",
    ),
    (
        "parameter that is not declared",
        GOOD.replace("z > 2", "z > :entry_z"),
        {},
        "mine.sql:4:11: :entry_z is no parameter of this signal: declare it with `-- param:` in the header",
    ),
    (
        "default out of range",
        WITH_Z.replace("= 2.0", "= 7"),
        {},
        "mine.sql:2: param: 7 is outside 0.5..6: give one within",
    ),
    (
        "injection in a number",
        WITH_Z,
        {"entry_z": "2 OR 1=1"},
        "signal mine: parameter entry_z: '2 OR 1=1' is not a number: give one such as 2 or 0.5 "
        "(mine.sql:2, given in strategy.yaml)",
    ),
    (
        "injection in an interval",
        WITH_HOLD,
        {"hold": "1' DAY; DROP TABLE crossings"},
        'signal mine: parameter hold: "1\' DAY; DROP TABLE crossings" is not an interval such as `30 '
        "minutes`: a number and second, minute, hour or day (mine.sql:2, given in strategy.yaml)",
    ),
    (
        "injection in a text of two lines",
        WITH_NAME,
        {"name": "KO'\n; DROP TABLE crossings"},
        'signal mine: parameter name: "KO\'\\n; DROP TABLE crossings" is not a text of one line: give '
        "letters, digits and signs alone (mine.sql:2, given in strategy.yaml)",
    ),
    (
        "unbounded join",
        f"{HEAD}SELECT {OF_A}, a.`sequence` AS last_sequence\nFROM crossings a JOIN spreads b ON a.pair = b.pair\n",
        {},
        "mine.sql:3:18: state without an end: Join keeps every row of both sides: bound it in time (a "
        "window, WITHIN, BETWEEN of event times), or write `-- state: forever` in the header",
    ),
    (
        "unbounded group by",
        f"{HEAD}SELECT pair, 'exit' AS action, {HIGHEST}\nFROM crossings GROUP BY pair\n",
        {},
        "mine.sql:3:16: GroupAggregate changes rows that it has given, and a signal is given once: "
        "aggregate over a window",
    ),
    (
        "pattern without an end",
        PATTERN % "event_time",
        {},
        "mine.sql:3:14: state without an end: Match by pair keeps the rows of a match begun, which has "
        "no WITHIN for each pair: bound it in time (a window, WITHIN, BETWEEN of event times), or write "
        "`-- state: forever` in the header",
    ),
    (
        "pattern ordered by another column",
        PATTERN % "event_time_ns",
        {},
        "mine.sql:4:21: You must specify either rowtime or proctime for order by as the first one: order "
        "by event_time as a view has it: no other column, and nothing made of it, has a watermark",
    ),
    (
        "window ordered by another column",
        AVERAGE % "event_time_ns",
        {},
        "mine.sql:3:24: OverAggregate changes rows that it has given, and a signal is given once: order by event_time",
    ),
    (
        "key that always has new values",
        AVERAGE.replace("PARTITION BY pair", "PARTITION BY `sequence`") % "event_time",
        {},
        "mine.sql:3:24: state without an end: OverAggregate by sequence keeps 10 rows for every sequence "
        "that there will ever be: bound it in time (a window, WITHIN, BETWEEN of event times), or write "
        "`-- state: forever` in the header",
    ),
    (
        "missing column",
        GOOD.replace("beta, mid_a, ", " "),
        {},
        "mine.sql:2: signal mine gives no column beta, mid_a: add it to the SELECT, which gives pair, "
        "event_time, action, z, mid_b, shard, last_sequence",
    ),
    (
        "wrong action",
        GOOD.replace("'exit'", "'buy'"),
        {},
        "mine.sql:2:26: 'buy' is no action: there are enter_long, enter_short, exit",
    ),
    (
        "wrong action in a case",
        GOOD.replace("'exit' AS action", "CASE WHEN z > 3 THEN 'exit' ELSE 'enter_shrt' END AS action"),
        {},
        "mine.sql:2:59: 'enter_shrt' is no action: did you mean enter_short?",
    ),
    (
        "two statements",
        GOOD.rstrip() + ";\nDROP TABLE crossings\n",
        {},
        "mine.sql:4:12: a second statement after `;`: a signal is one SELECT: leave the rest out",
    ),
    (
        "no SELECT",
        f"{HEAD}INSERT INTO trading_events SELECT * FROM crossings\n",
        {},
        "mine.sql:2:1: INSERT: a signal is a SELECT (or WITH and SELECT) over views: its rows go to the "
        "trader by themselves",
    ),
    (
        "header typo",
        GOOD.replace("-- signal: mine\n", "-- signal: mine\n-- input: crossings\n"),
        {},
        "mine.sql:2: header 'input': did you mean inputs?",
    ),
    (
        "another name",
        GOOD.replace("signal: mine", "signal: other"),
        {},
        "mine.sql:1: signal 'other' in a file called mine.sql: give both one name",
    ),
    (
        "inputs that do not match",
        GOOD.replace("-- signal: mine\n", "-- signal: mine\n-- inputs: crossings, spread\n"),
        {},
        "mine.sql:2: inputs: crossings, spread: the text reads crossings: write that",
    ),
    (
        "levels off the ladder",
        GOOD.replace("-- signal: mine\n", "-- signal: mine\n-- levels: 0.3, 2..\n"),
        {},
        "mine.sql:2: levels: '0.3': 0.3 is between the rungs of z, which are 0.25 apart: take 0.25",
    ),
    (
        "sequence of several logs",
        f"{HEAD}SELECT {GIVEN} FROM crossings\nUNION ALL SELECT {GIVEN} FROM pair_bars\n",
        {},
        "mine.sql:2: last_sequence of a signal that reads logs of several counts (spreads, pair_bars): "
        "leave it out, it is then the event time in ns",
    ),
    ("no body", HEAD, {}, "mine.sql:1: no body: give a SELECT over the views of docs/signals.md"),
]

TESTS: list[tuple[str, str, str]] = [
    (
        "no YAML",
        TESTED.replace("  rows: |", " rows: [|"),
        "mine.test.yaml:2:2: not YAML: expected <block end>, but found '<block mapping start>': indent "
        "by blanks, and give tables after `rows: |`",
    ),
    (
        "no list",
        "case: one\n",
        "mine.test.yaml:1: a list of cases expected, each `- case: NAME` with rows and expect under it",
    ),
    (
        "unknown field",
        TESTED.replace("expect:", "expected:"),
        "mine.test.yaml:5: one: field 'expected': did you mean expect?",
    ),
    ("no rows", '- case: one\n  expect: ""\n', 'mine.test.yaml:1: one: rows missing: write a table, or `""` for none'),
    (
        "wrong column",
        TESTED.replace("| z\n", "| zscore\n"),
        "mine.test.yaml:4: one: no column 'zscore' of crossings: there are pair, z, spread, mean, std, "
        "beta, slope, mid_a, mid_b, rung, flags, z_before, event_time, sequence",
    ),
    (
        "no column pair",
        TESTED.replace("pair |", "name |"),
        "mine.test.yaml:4: one: no column 'name' of crossings: there are pair, z, spread, mean, std, "
        "beta, slope, mid_a, mid_b, rung, flags, z_before, event_time, sequence",
    ),
    (
        "no time",
        TESTED.replace("10:00:00  ", "ten o'clock"),
        'mine.test.yaml:4: one: event_time: "ten o\'clock" is not a time such as 10:00:01 or 10:00:01.250',
    ),
    ("text for a number", TESTED.replace("2.5", "high"), "mine.test.yaml:4: one: z: 'high' is not a number"),
    (
        "a cell too few",
        TESTED.replace("   | 2.5", " "),
        "mine.test.yaml:4: one: a row of 2 cells under 3 columns (pair | event_time | z): A-B | 10:00:00",
    ),
    (
        "unknown view",
        TESTED.replace("rows: |", "rows:\n    crosings: |")
        .replace("    pair", "      pair")
        .replace("    A-B", "      A-B"),
        "mine.test.yaml:3: one: no view 'crosings': did you mean crossings?",
    ),
    (
        "unknown column expected",
        TESTED.replace('expect: ""', "expect: |\n    pair | acton\n    A-B | exit"),
        "mine.test.yaml:7: one: expect: no column 'acton' of a signal: did you mean action?",
    ),
    (
        "unknown parameter",
        TESTED.replace("  rows", "  parameters: {entry: 2}\n  rows"),
        "mine.test.yaml:1: signal mine has no parameter 'entry': it has none",
    ),
]


@pytest.mark.parametrize(("sql", "given", "message"), [each[1:] for each in SIGNALS], ids=[each[0] for each in SIGNALS])
def test_what_is_wrong_with_a_signal_is_said_in_one_line(
    t_env: Any, tmp_path: Path, sql: str, given: Mapping[str, object], message: str
) -> None:
    assert said(t_env, tmp_path, sql, TESTED, given) == message


@pytest.mark.parametrize(("tests", "message"), [each[1:] for each in TESTS], ids=[each[0] for each in TESTS])
def test_what_is_wrong_with_a_test_is_said_in_one_line(t_env: Any, tmp_path: Path, tests: str, message: str) -> None:
    assert said(t_env, tmp_path, GOOD, tests, {}) == message


def test_the_good_ones_of_which_they_are_made_are_good(t_env: Any, tmp_path: Path) -> None:
    for number, text in enumerate((GOOD, WITH_Z, WITH_HOLD, WITH_NAME, AVERAGE % "event_time")):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / "mine.sql"
        path.write_text(text)
        explain_signal(t_env, load_signal(path).bound({}))


def test_an_injection_in_a_text_is_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.sql"
    path.write_text(WITH_NAME)
    assert load_signal(path).bound({"name": "x' OR 1=1 --"}).sql.endswith("WHERE pair = 'x'' OR 1=1 --'")
