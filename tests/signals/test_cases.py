"""Every signal of sql/signals against the cases beside it, on a MiniCluster."""

from pathlib import Path
from typing import Any

import pytest

from infra.settings import ROOT
from pipelines.operators.flink import environment
from pipelines.signals.cases import Case, load_cases, matches, run_cases
from pipelines.signals.signal_file import load_signal

SIGNALS = sorted((ROOT / "sql" / "signals").glob("*.sql"))


@pytest.fixture(scope="module")
def t_env() -> Any:
    return environment()[1]


@pytest.mark.parametrize("path", SIGNALS, ids=lambda path: path.stem)
def test_every_case_of_a_signal_gives_the_rows_that_it_expects(t_env: Any, path: Path, tmp_path: Path) -> None:
    signal = load_signal(path)
    cases = load_cases(path.with_suffix(".test.yaml"))
    found = run_cases(t_env, signal.bound({}), cases, tmp_path)
    wrong = [
        f"{case.name}\n  expected {[dict(row) for row in case.expect]}\n  found    {_seen(case, rows)}"
        for case, rows in zip(cases, found, strict=True)
        if not matches(rows, case.expect)
    ]
    assert not wrong, "\n".join(wrong)


def _seen(case: Case, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    columns = list(case.expect[0]) if case.expect else ["pair", "action", "z", "last_sequence"]
    return [{name: row[name] for name in columns} for row in rows]
