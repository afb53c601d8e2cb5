"""Every signal of sql/signals against the cases beside it: all of them in one job on a MiniCluster."""

from pathlib import Path
from typing import Any

import pytest

from infra.settings import ROOT
from pipelines.domain.identity import signal_id
from pipelines.operators.flink import environment
from pipelines.signals.case_file import Case, load_cases
from pipelines.signals.case_rows import Row
from pipelines.signals.cases import matches, run_cases, seen
from pipelines.signals.signal_file import SignalError, SignalFile, load_signal

FILES = [load_signal(path) for path in sorted((ROOT / "sql" / "signals").glob("*.sql"))]
SIGNALS = [(file, load_cases(Path(file.path).with_suffix(".test.yaml"))) for file in FILES]
NAMED = [(file, number) for file, cases in SIGNALS for number in range(len(cases))]


@pytest.fixture(scope="module")
def t_env() -> Any:
    return environment()[1]


@pytest.fixture(scope="module")
def found(t_env: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Row, ...]]]:
    rows = run_cases(t_env, SIGNALS, tmp_path_factory.mktemp("cases"))
    return {file.name: of_cases for (file, _), of_cases in zip(SIGNALS, rows, strict=True)}


@pytest.mark.parametrize(
    ("file", "number"), NAMED, ids=lambda it: it.name if isinstance(it, SignalFile) else str(it + 1)
)
def test_a_case_gives_the_rows_that_it_expects(
    found: dict[str, list[tuple[Row, ...]]], file: SignalFile, number: int
) -> None:
    case, rows = dict(SIGNALS)[file][number], found[file.name][number]
    assert matches(rows, case.expect), f"{case.name}\nexpected {list(case.expect)}\nfound    {seen(case, rows)}"


def test_the_ids_made_in_sql_are_those_of_the_domain(found: dict[str, list[tuple[Row, ...]]]) -> None:
    checked = 0
    for file, cases in SIGNALS:
        for case, rows in zip(cases, found[file.name], strict=True):
            version = file.bound(case.parameters).version
            for row in rows:
                name, _, rest = row["event_id"].removeprefix(f"signal/{file.name}/{version}/").partition("#")
                made = f"signal/{file.name}/{version}/{rest}"
                assert name.isdigit()  # the case's number, which keeps its pairs apart
                assert made == signal_id(file.name, version, row["pair"], int(row["last_sequence"]), row["action"])
                checked += 1
    assert checked


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("SELECT pair, zed\nFROM crossings", "mine.sql:2:14: Column 'zed' not found in any table: the views have"),
        ("SELECT pair, sprad\nFROM crossings", ": did you mean spread?"),
        ("SELECT pair FROM\n  crosings", "mine.sql:3:3: Object 'crosings' not found: did you mean crossings?"),
        ("SELECT pair FORM crossings", 'mine.sql:2:18: Encountered "crossings"'),
        ("SELECT pair FROM crossings WHERE z > 'a' + DATE '2026-01-01'", "mine.sql:2:"),
        ("SELECT pair, event_time FROM crossings", "gives no column action, z, beta"),
    ],
)
def test_what_the_planner_refuses_is_told_at_its_place_in_the_file(
    t_env: Any, tmp_path: Path, body: str, said: str
) -> None:
    path = tmp_path / "mine.sql"
    path.write_text(f"-- signal: mine\n{body}\n")
    case = Case("any", {}, (("crossings", {"pair": "A-B", "event_time": "10:00:00"}),), ())
    with pytest.raises(SignalError) as error:
        run_cases(t_env, [(load_signal(path), [case])], tmp_path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_the_view_spreads_has_every_pair_once_a_second_each_second_once(t_env: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.sql"
    path.write_text(
        "-- signal: mine\nSELECT pair, event_time, 'exit' AS action, z, beta, mid_a, mid_b, shard,\n"
        "  `sequence` AS last_sequence FROM spreads WHERE z > 1\n"
    )
    times = (("10:00:01", "2.5", "3"), ("10:00:02", "0.5", "4"), ("10:00:01", "2.5", "3"), ("10:00:03", "1.5", "6"))
    rows = tuple(
        ("spreads", {"pair": "A-B", "event_time": time, "z": z, "sequence": number}) for time, z, number in times
    )
    ((seen,),) = run_cases(t_env, [(load_signal(path), [Case("any", {}, rows, ())])], tmp_path)
    assert [(row["z"], row["last_sequence"]) for row in seen] == [("2.5", "3"), ("1.5", "6")]


def test_what_a_signal_leaves_out_is_filled(t_env: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.sql"
    path.write_text(
        "-- signal: mine\nSELECT pair, event_time, 'exit' AS action, z, beta, mid_a, mid_b, shard,\n"
        "  `sequence` AS last_sequence FROM crossings WHERE z > 1\n"
    )
    row = {"pair": "A-B", "event_time": "10:00:00.250", "z": "1.5", "mid_a": "7", "mid_b": "2", "beta": "3"}
    (((seen,),),) = run_cases(t_env, [(load_signal(path), [Case("any", {}, (("crossings", row),), ())])], tmp_path)
    assert (seen["first_sequence"], seen["spread"]) == ("1", "1.0")
    assert seen["event_time_ns"].endswith("250000000")
