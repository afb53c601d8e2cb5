"""What `helios history` understands and refuses, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from jobs.cli.history import _length, _span
from pipelines.history.queries import Span, _nearest


def test_a_time_without_a_zone_is_utc() -> None:
    assert _span("2026-10-30T14:30", "2026-10-30T18:00+02:00") == (
        Span(datetime(2026, 10, 30, 14, 30, tzinfo=UTC), datetime(2026, 10, 30, 16, 0, tzinfo=UTC))
    )


def test_an_open_span_has_no_ends() -> None:
    assert _span("", "") == Span(None, None)


def test_a_word_is_not_a_time() -> None:
    with pytest.raises(typer.BadParameter, match="--from 'yesterday' is not a time: write it as"):
        _span("yesterday", "")


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="is not before"):
        _span("2026-10-31", "2026-10-30")


@pytest.mark.parametrize(("text", "minutes"), [("1m", 1), ("15m", 15), ("2h", 120), ("1d", 1440)])
def test_lengths_of_bars(text: str, minutes: int) -> None:
    assert _length(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "0m", "5", "5s", "m", "1.5h", "-1m", "99999999m"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="as 5m, 1h or 1d"):
        _length(text)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert _nearest("btcusd", ["BTCUSDT", "ETHUSDT", "KO"]).startswith("did you mean BTCUSDT")


def test_a_name_like_no_other_is_answered_with_what_there_is() -> None:
    assert (
        _nearest("zzz", [f"I{number}" for number in range(10)]) == "there are 10: I0, I1, I2, I3, I4, I5, I6, I7, ..."
    )
