"""Answers as files and frames, the form that a command gives them, and turns of a writing thread."""

import json
import time
from datetime import UTC, datetime
from datetime import time as time_of_day
from pathlib import Path
from threading import Event

import pandas as pd
import pytest

from jobs.cli.answers import Form
from pipelines.history.answers import Answer
from pipelines.history.asked import EVERYTHING
from pipelines.history.timescale import HistoryError
from pipelines.history.turns import Turns

AT = datetime(2026, 1, 5, 14, 30, 0, 250_000, tzinfo=UTC)
ANSWER = Answer(
    ("time", "slot", "bid", "trades"), ((AT, time_of_day(9, 30), 1.5, 3), (None, time_of_day(9, 35), None, 4))
)


def test_a_frame_has_utc_times_and_holes_where_nothing_is_known() -> None:
    frame = ANSWER.frame()
    assert frame["time"].dtype == "datetime64[us, UTC]"
    assert frame["time"].isna().tolist() == [False, True]
    assert frame["bid"].isna().tolist() == [False, True]
    assert frame["trades"].tolist() == [3, 4]


def test_an_answer_without_rows_is_a_frame_with_its_columns() -> None:
    assert Answer(("time", "bid"), (), "nothing").frame().columns.tolist() == ["time", "bid"]


def test_json_has_iso_times() -> None:
    first, second = json.loads(ANSWER.json())
    assert first == {"time": "2026-01-05T14:30:00.250000+00:00", "slot": "09:30:00", "bid": 1.5, "trades": 3}
    assert second["time"] is None


def test_a_csv_file_can_be_read_back(tmp_path: Path) -> None:
    ANSWER.write_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[1] == "2026-01-05T14:30:00.250000Z,09:30:00,1.5,3"


def test_a_parquet_file_keeps_its_types(tmp_path: Path) -> None:
    ANSWER.write_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), ANSWER.frame())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"nowhere/a.csv: cannot be written"):
        ANSWER.write_csv(tmp_path / "nowhere" / "a.csv")


def test_a_screen_shows_the_newest_rows_and_a_file_holds_all(tmp_path: Path) -> None:
    assert Form().limit(None) == 60
    assert Form(csv=tmp_path / "a.csv").limit(None) == EVERYTHING
    assert Form(parquet=tmp_path / "a.parquet").limit(5) == 5


def test_an_answer_goes_to_its_file_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Form(csv=tmp_path / "a.csv").show(ANSWER)
    said = capsys.readouterr()
    assert said.out == ""
    assert "a.csv: 2 rows" in said.err


def test_an_empty_answer_says_why_beside_its_json(capsys: pytest.CaptureFixture[str]) -> None:
    Form(as_json=True).show(Answer(("time",), (), "nothing of KO in that time"))
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert "nothing of KO in that time" in said.err


def test_a_turn_begins_when_the_one_before_is_done() -> None:
    done: list[int] = []
    may = [Event() for _ in range(3)]

    def task(number: int) -> None:
        may[number].wait(10)
        done.append(number)

    with Turns() as turns:
        for number in range(3):
            turns.take(lambda number=number: task(number))
            assert done == list(range(number))
            may[number].set()
    assert done == [0, 1, 2]


def test_the_fault_of_a_turn_is_told_at_the_next_and_only_once() -> None:
    def fail() -> None:
        raise HistoryError("superseded")

    with Turns() as turns:
        turns.take(fail)
        with pytest.raises(HistoryError, match="superseded"):
            turns.take(lambda: None)
        turns.wait()


def test_leaving_waits_for_the_turn_under_way() -> None:
    over = Event()
    with Turns() as turns:
        turns.take(lambda: (time.sleep(0.05), over.set())[1])
    assert over.is_set()
