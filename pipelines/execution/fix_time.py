"""FIX's UTCTimestamp, `YYYYMMDD-HH:MM:SS` with up to nine decimals, as UTC ns."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_TIME = re.compile(r"(\d{8})-(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?", re.ASCII)
_NS_PER_S = 1_000_000_000


def read_time(text: str | None) -> int | None:
    """UTC ns; None for what is no time."""
    found = _TIME.fullmatch(text) if text else None
    if found is None:
        return None
    day, hour, minute, second, fraction = found.groups()
    midnight = _midnight(day)
    if midnight is None:
        return None
    seconds = (int(hour) * 60 + int(minute)) * 60 + int(second)
    return (midnight + seconds) * _NS_PER_S + int((fraction or "").ljust(9, "0"))


def write_time(time_ns: int) -> str:
    """With nine decimals, of a time in the years 1 to 9999."""
    seconds, fraction = divmod(time_ns, _NS_PER_S)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y%m%d-%H:%M:%S}.{fraction:09d}"


@lru_cache(maxsize=64)
def _midnight(day: str) -> int | None:
    try:
        return int(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
