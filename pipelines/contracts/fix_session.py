"""What a file says of a FIX session, whichever side it is of: when it may be, and when its messages count from 1."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from pipelines.contracts.marked_yaml import Section

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Reset(StrEnum):
    """When both sides begin to count their messages from 1 again."""

    NEVER = "never"
    LOGON = "logon"
    LOGOUT = "logout"
    DISCONNECT = "disconnect"


@dataclass(frozen=True, slots=True)
class Hours:
    """When a session may be, UTC: HH:MM:SS each; with days (`monday`) once a week, else daily.
    Sequence numbers begin anew with each."""

    start: str
    end: str
    start_day: str = ""
    end_day: str = ""


def read_hours(section: Section | None, on: date | None = None) -> Hours | None:
    """Of a section `{start: "08:00", end: "17:00", start_day: monday, end_day: friday}`, faults noted in it; None where
    it is left out: always. With a day `on`, also by the clock of a `zone`, as it is on that day."""
    if section is None:
        return None
    zone = section.zone("zone", default="UTC") if on else None
    start, end = (_clock(section, name, zone, on) for name in ("start", "end"))
    start_day, end_day = (section.one_of(name, DAYS, "day", "") for name in ("start_day", "end_day"))
    if bool(start_day) != bool(end_day):
        section.fault("end_day" if start_day else "start_day", "missing: give both days, or neither")
    if start == end and start and start_day == end_day:
        section.fault("end", f"{end} is the start: leave `hours` out for a session that never ends")
    section.done()
    return Hours(start, end, start_day, end_day)


def read_reset(section: Section) -> Reset:
    """Of the field `reset`; never where it is left out."""
    return Reset(section.one_of("reset", tuple(Reset), "reset", Reset.NEVER.value) or Reset.NEVER)


def _clock(section: Section, name: str, zone: ZoneInfo | None, on: date | None) -> str:
    text = section.text(name)
    try:
        found = time.fromisoformat(text) if ":" in text else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        section.fault(name, f"{text!r} is not a time of day: give HH:MM or HH:MM:SS, in quotes")
        return ""
    if zone is None or on is None:
        return f"{found:%H:%M:%S}"
    return f"{datetime.combine(on, found, zone).astimezone(UTC):%H:%M:%S}"
