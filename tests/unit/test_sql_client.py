"""What `helios sql -e` lets through of Flink's SQL client, whose output is recorded here."""

import os
import sys

import pytest

from infra.flink_jobs import FlinkError
from jobs.cli.sql import _run

BEFORE = """\
Successfully initialized from sql script: /tmp/x/tables.sql
Nov 21, 2026 7:28:46 PM org.jline.utils.Log logr
WARNING: Unable to create a system terminal, creating a dumb terminal (enable debug logging for more information)
\x1b[34;1m[INFO] Executing SQL from file.\x1b[0m

Command history file path: /root/.flink-sql-history
"""
AFTER = """
Shutting down the session...
done.
"""
ROWS = """\
+-----------+-----+
|      kind |   z |
+-----------+-----+
| heartbeat | 0.0 |
+-----------+-----+
1 row in set (9.58 seconds)
"""
FAULT = """\
Flink SQL> 2026-11-21 19:28:46,277 ERROR OperationManager Failed to execute the operation 85e4a078.
org.apache.flink.table.api.ValidationException: SQL validation failed. From line 1: Column 'kin' not found in any table
\tat org.apache.flink.table.planner.calcite.FlinkPlannerImpl.validate(FlinkPlannerImpl.scala:200)
\t... 22 more
Caused by: org.apache.calcite.runtime.CalciteContextException: From line 1
End of exception on server side>]
\x1b[31;1m[ERROR] Could not execute SQL statement. Reason:
org.apache.calcite.sql.validate.SqlValidatorException: Column 'kin' not found in any table\x1b[0m
"""


def ran(output: str) -> None:
    _run((sys.executable, "-c", f"print({output!r}, end='')"), dict(os.environ))


def test_of_a_statement_that_works_only_its_rows_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    ran(BEFORE + "Flink SQL> " + ROWS + AFTER)
    assert capsys.readouterr().out == ROWS


def test_of_a_statement_that_fails_only_the_reason_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(FlinkError, match=r"^sql: Column 'kin' not found in any table$"):
        ran(BEFORE + FAULT + AFTER)
    assert capsys.readouterr().out == ""


def test_a_client_that_dies_is_told() -> None:
    with pytest.raises(FlinkError, match="sql: the client ended with status 3"):
        _run((sys.executable, "-c", "raise SystemExit(3)"), dict(os.environ))
