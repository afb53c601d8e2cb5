"""What a file says of a FIX session, whichever side it is of: when it may be, and when its messages count from 1."""

import re
from dataclasses import dataclass
from enum import StrEnum

from pipelines.contracts.marked_yaml import Section

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


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


def read_hours(section: Section | None) -> Hours | None:
    """Of a section `{start: "08:00:00", end: "17:00:00", start_day: monday, end_day: friday}`, faults noted in it; None
    where it is left out: always."""
    if section is None:
        return None
    start, end = _clock(section, "start"), _clock(section, "end")
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


def _clock(section: Section, name: str) -> str:
    value = section.text(name)
    if value and not _CLOCK.fullmatch(value):
        section.fault(name, f"{value!r} is not a time of day: give HH:MM:SS, UTC, in quotes")
    return value
