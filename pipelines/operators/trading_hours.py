"""The hours of a shard's instruments, from their calendars, for as long as ticks need them."""

from datetime import UTC, date, datetime, timedelta

from pipelines.contracts.calendars import sessions
from pipelines.domain.hours import Hours, hours_of
from pipelines.domain.market import NS_PER_S
from pipelines.domain.shard import Shard

AROUND = timedelta(days=7)
"""Before and after the years of the ticks: sessions begin on the evening before."""


class TradingHours:
    """Hours that cover all times asked for until now, by whole years."""

    def __init__(self, shard: Shard) -> None:
        self._calendars = shard.calendars
        self.wanted = any(shard.calendars)
        """Whether any instrument has a calendar."""
        self._years: tuple[int, int] | None = None
        self._from_ns = self._until_ns = 0
        self.hours: Hours = shard.legs.hours

    def cover(self, first_ns: int, last_ns: int) -> bool:
        """Make `hours` cover these times too; whether that changed them. UnknownCalendar for a name that is none."""
        if not self.wanted or self._from_ns <= first_ns <= last_ns < self._until_ns:
            return False
        first, last = (datetime.fromtimestamp(at // NS_PER_S, UTC).year for at in (first_ns, last_ns))
        if self._years:
            first, last = min(first, self._years[0]), max(last, self._years[1])
        self._years = first, last
        self._from_ns, self._until_ns = _begins_ns(first), _begins_ns(last + 1)
        days = date(first, 1, 1) - AROUND, date(last, 12, 31) + AROUND
        known = {name: sorted(sessions(name, *days).values()) for name in set(self._calendars) if name}
        self.hours = hours_of([known.get(name, []) for name in self._calendars])
        return True


def _begins_ns(year: int) -> int:
    return int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * NS_PER_S
