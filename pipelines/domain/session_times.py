"""The hours in which an account takes entries and keeps pairs, by the clock of a place."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from pipelines.domain.market import NS_PER_S


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """Times of day in `zone`, an IANA name. Entries are taken from `entries_from` to before `entries_until`; at
    `flatten_at` all is closed. None: at any time, and never."""

    zone: str = "UTC"
    entries_from: time | None = None
    entries_until: time | None = None
    flatten_at: time | None = None

    def at(self, time_ns: int) -> tuple[int, time]:
        """The day (its number, from year 1) and the time of day at a UTC time."""
        return _local(self.zone, time_ns // NS_PER_S)

    def takes_entries(self, time_ns: int) -> bool:
        if self.entries_from is None and self.entries_until is None:
            return True
        _, now = self.at(time_ns)
        return (self.entries_from is None or now >= self.entries_from) and (
            self.entries_until is None or now < self.entries_until
        )

    def flattens(self, time_ns: int) -> int:
        """The number of the day whose `flatten_at` a time is past; -1 where it is not."""
        if self.flatten_at is None:
            return -1
        day, now = self.at(time_ns)
        return day if now >= self.flatten_at else -1


ALL_DAY = SessionTimes()


@lru_cache(maxsize=16)
def _local(zone: str, second: int) -> tuple[int, time]:
    there = datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone))
    return there.toordinal(), there.time()
