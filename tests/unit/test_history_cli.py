"""What `helios history` understands and refuses, without a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer

from jobs.cli.history_market import _times, length_of, moment_of, span_of
from pipelines.history.asked import Span, rollup
from pipelines.history.questions import nearest


def test_a_time_without_a_zone_is_utc() -> None:
    assert span_of("2026-10-30T14:30", "2026-10-30T18:00+02:00") == (
        Span(datetime(2026, 10, 30, 14, 30, tzinfo=UTC), datetime(2026, 10, 30, 16, 0, tzinfo=UTC))
    )


def test_an_open_span_has_no_ends() -> None:
    assert span_of("", "") == Span(None, None)


def test_a_word_is_not_a_time() -> None:
    with pytest.raises(typer.BadParameter, match="--from 'yesterday' is not a time: write it as"):
        span_of("yesterday", "")


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="is not before"):
        span_of("2026-10-31", "2026-10-30")


@pytest.mark.parametrize(
    ("text", "seconds"), [("100ms", 0.1), ("5s", 5), ("1m", 60), ("15m", 900), ("2h", 7200), ("1d", 86400)]
)
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert length_of(text, "--every") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0m", "5", "m", "1.5h", "-1m", "99999999d", "5 m"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"--every '{text}' is not a length of time: write it as 100ms"):
        length_of(text, "--every")


@pytest.mark.parametrize(
    ("seconds", "start", "table"),
    [
        (86400, "2026-10-30", "ohlcv_1d"),
        (86400, "2026-10-30T14:30", "ohlcv_1m"),
        (300, "2026-10-30", "ohlcv_1m"),
        (90, "2026-10-30", "ohlcv_1s"),
        (60, "2026-10-30T00:00:01", "ohlcv_1s"),
        (0.5, "2026-10-30", None),
        (60, "2026-10-30T00:00:00.5", None),
    ],
)
def test_bars_come_of_the_longest_that_fit(seconds: float, start: str, table: str | None) -> None:
    assert rollup(timedelta(seconds=seconds), Span.of(start)) == table


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [
        (10.0, 12.0, (10, 12)),
        (10.25, 12.75, (11, 12)),
        (10.25, 11.5, (11, 11)),
        (10.25, 10.5, (10.5, 10.5)),
        (10.25, 11.0, (11, 11)),
        (10.0, 10.5, (10, 10)),
    ],
)
def test_the_whole_seconds_of_a_span_lie_in_it(start: float, end: float, whole: tuple[float, float]) -> None:
    times = [datetime.fromtimestamp(each, UTC) for each in (start, end, *whole)]
    assert Span(*times[:2]).whole_seconds() == Span(*times[2:])


def test_a_file_of_times_is_of_the_instruments_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "fills.csv"
    file.write_text("time,instrument\n2026-10-30T14:30,KO\n2026-10-30T14:31,PEP\n")
    at = datetime(2026, 10, 30, 14, 30, tzinfo=UTC)
    assert _times(file, "") == [("KO", at), ("PEP", at + timedelta(minutes=1))]
    assert [name for name, _ in _times(file, "BTC")] == ["BTC", "BTC"]


def test_a_fault_in_a_file_of_times_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "fills.csv"
    file.write_text("time\n2026-10-30\nyesterday\n")
    with pytest.raises(typer.BadParameter, match=r"fills.csv:3: 'yesterday' is not a time"):
        _times(file, "KO")
    with pytest.raises(typer.BadParameter, match=r"fills.csv:1: no column instrument"):
        _times(file, "")


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    assert moment_of("2026-10-30T10:30-04:00", "--at") == datetime(2026, 10, 30, 14, 30, tzinfo=UTC)


def test_an_unknown_name_is_answered_with_thenearest() -> None:
    assert nearest("btcusd", ["BTCUSDT", "ETHUSDT", "KO"]).startswith("did you mean BTCUSDT")


def test_a_name_like_no_other_is_answered_with_what_there_is() -> None:
    assert nearest("zzz", [f"I{number}" for number in range(10)]) == "there are 10: I0, I1, I2, I3, I4, I5, I6, I7, ..."
