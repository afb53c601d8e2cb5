"""Hours that grow by whole years as ticks need them, and are looked up no sooner."""

from dataclasses import replace
from datetime import UTC, datetime

from pipelines.domain.hours import is_open
from pipelines.operators.trading_hours import TradingHours
from tests.support.shards import shard_of, strategy


def ns(*at: int) -> int:
    return int(datetime(*at, tzinfo=UTC).timestamp()) * 1_000_000_000


def hours(**calendars: str) -> TradingHours:
    return TradingHours(shard_of(replace(strategy(), calendars=calendars)))


def test_times_of_years_that_are_covered_change_nothing() -> None:
    found = hours(A="XNYS")
    told = [found.cover(at, at) for at in (ns(2024, 7, 1), ns(2024, 1, 1), ns(2025, 1, 1) - 1, ns(2025, 1, 1))]
    assert told == [True, False, False, True]
    assert not found.cover(ns(2024, 1, 1), ns(2026, 1, 1) - 1)
    assert found.cover(ns(2023, 12, 31), ns(2024, 1, 2))


def test_years_that_were_covered_stay_so() -> None:
    found = hours(A="XNYS")
    for year in (2024, 2022, 2025):
        found.cover(ns(year, 6, 3), ns(year, 6, 3))
    noons = [ns(year, 6, day, 16) for year, day in ((2022, 1), (2023, 1), (2024, 3), (2025, 2))]
    assert all(is_open(found.hours, 0, noon) for noon in noons)


def test_where_nothing_has_a_calendar_nothing_is_covered() -> None:
    assert not hours().cover(ns(2024, 7, 1), ns(2024, 7, 1))
