"""Trading sessions by calendar, from exchange_calendars: holidays, early closes, clocks that are set."""

from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar


class UnknownCalendar(ValueError):
    """A calendar that exchange_calendars does not have: offers those that come near."""


def check_calendar(name: str) -> None:
    """UnknownCalendar where there is none of this name."""
    from difflib import get_close_matches

    from exchange_calendars import get_calendar_names

    known = get_calendar_names()
    if name not in known:
        near = ", ".join(get_close_matches(name, known, n=3, cutoff=0.5)) or "XNYS, CMES, 24/7"
        raise UnknownCalendar(f"{name!r} is no calendar of exchange_calendars: did you mean {near}?")


def session(calendar: str, day: date) -> tuple[int, int] | None:
    """When the session of a day opens and closes, UTC ns; None where there is none. A session may open on the evening
    before, as of futures. UnknownCalendar for a name that is none; ValueError for a day out of what is known."""
    found = _calendar(calendar, day.year - day.year % 10)
    if not found.first_session.date() <= day <= found.last_session.date():
        raise ValueError(
            f"calendar {calendar}: known from {found.first_session:%Y-%m-%d} to {found.last_session:%Y-%m-%d}"
        )
    shown = day.isoformat()
    if not found.is_session(shown):
        return None
    return int(found.session_open(shown).value), int(found.session_close(shown).value)


def sessions(calendar: str, first: date, last: date) -> dict[date, tuple[int, int]]:
    """The sessions from a day to another, both included, by day; as `session` has each."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    found = {day: session(calendar, day) for day in days}
    return {day: hours for day, hours in found.items() if hours is not None}


@lru_cache(maxsize=32)
def _calendar(name: str, decade: int) -> "ExchangeCalendar":
    """A calendar over a decade and the days around it: made for all of its years it takes seconds."""
    from exchange_calendars import get_calendar
    from exchange_calendars.errors import InvalidCalendarName

    try:
        return get_calendar(name, start=f"{decade - 1}-12-01", end=f"{decade + 10}-01-31")
    except InvalidCalendarName:
        check_calendar(name)
        raise
