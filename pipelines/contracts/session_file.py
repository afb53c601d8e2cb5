"""The session of a strategy file: the hours in which its account takes entries and keeps pairs.

```yaml
session:
  zone: America/New_York        # whose clock; UTC if left out
  entries_from: 09:35           # HH:MM or HH:MM:SS; from midnight if left out
  entries_until: 15:45          # before this; until flatten_at, or midnight, if left out
  flatten_at: 15:55             # everything is closed; never if left out
```
"""

from datetime import time

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.session_times import ALL_DAY, SessionTimes

_TIMES = ("entries_from", "entries_until", "flatten_at")


def read_session(section: Section | None) -> SessionTimes:
    """Of a section, faults noted in it: also times that do not follow each other."""
    if section is None:
        return ALL_DAY
    zone = section.zone("zone", default=ALL_DAY.zone)
    times = SessionTimes(zone.key, *(_time(section, name) for name in _TIMES))
    if not (times.entries_from or times.entries_until or times.flatten_at or any(map(section.has, _TIMES))):
        section.fault("entries_from", "no time is given: give one of entries_from, entries_until, flatten_at")
    _check_order(section, times)
    section.done()
    return times


def dump_session(times: SessionTimes) -> dict[str, object]:
    """The section that reads as these times."""
    given = {name: getattr(times, name) for name in _TIMES}
    return {"zone": times.zone} | {name: value.isoformat() for name, value in given.items() if value is not None}


def _time(section: Section, name: str) -> time | None:
    if not section.has(name):
        return None
    text = section.text(name)
    try:
        found = time.fromisoformat(text) if ":" in text else None
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:
        section.fault(name, f"{text!r} is no time of day: give one such as 09:35, by the clock of `zone`")
        return None
    return found


def _check_order(section: Section, times: SessionTimes) -> None:
    begin, end, flat = times.entries_from, times.entries_until, times.flatten_at
    within = "give one after it; hours over midnight are said in a zone in which they are within a day"
    if begin is not None and end is not None and end <= begin:
        section.fault("entries_until", f"{end} is not after entries_from {begin}: {within}")
    elif begin is not None and flat is not None and flat <= begin:
        section.fault("flatten_at", f"{flat} is not after entries_from {begin}: {within}")
    elif end is not None and flat is not None and flat < end:
        section.fault("flatten_at", f"{flat} is before entries_until {end}: give one not before it")
