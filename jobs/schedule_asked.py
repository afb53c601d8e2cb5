"""What is asked of a schedule's preview: the order, the model's numbers, and when it trades."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.domain.almgren_chriss import LEAST_DAYS
from pipelines.domain.market import NS_PER_S
from pipelines.domain.rollups import DAY_NS, MINUTE_NS
from pipelines.domain.schedules import Jitter, ScheduleError, check


@dataclass(frozen=True, slots=True)
class Asked:
    """A schedule to be shown. Names of one letter and Greek ones are the paper's (`aversion` is its lambda); what is
    None is not known. `start`, `end`: times of the day HH:MM or HH:MM:SS, by the clock of the curve."""

    algo: str
    X: float
    N: int
    T: float | None = None
    start: str = ""
    end: str = ""
    day_hours: float = 6.5
    S0: float | None = None
    sigma: float | None = None
    epsilon: float | None = None
    gamma: float | None = None
    eta: float | None = None
    alpha: float = 0.0
    aversion: float | None = None
    spread: float | None = None
    adv: float | None = None
    curve: Sequence[Path] = ()
    symbol: str = ""
    participation: float | None = None
    cap: float | None = None
    lot: float = 1.0
    least: int = 1
    jitter: Jitter | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When it trades. `start_ns`: of the day; None where only the time it takes is known. `day_ns`: how much of it is
    one of the paper's days; `days`: how many of them it is."""

    start_ns: int | None
    duration_ns: int
    day_ns: int
    days: float

    @property
    def minutes(self) -> tuple[float, float]:
        """Of the day it begins and ends at; the whole day where that is not known."""
        if self.start_ns is None:
            return 0.0, DAY_NS / MINUTE_NS
        end = self.start_ns + self.duration_ns
        return self.start_ns / MINUTE_NS, (end if end <= DAY_NS else end % DAY_NS) / MINUTE_NS


def window_of(asked: Asked) -> Window:
    """From --from and --until, or from --T days."""
    check("day_hours", asked.day_hours, least=0.01, most=24.0)
    day_ns = round(asked.day_hours * 3600 * NS_PER_S)
    if asked.start or asked.end:
        if asked.T is not None:
            raise ScheduleError("T: --from and --until say how long: leave one of them out")
        start, end = clock_ns("from", asked.start), clock_ns("until", asked.end)
        duration = end - start if end > start else end - start + DAY_NS
        if duration in (0, DAY_NS) and (start, end) != (0, DAY_NS):
            raise ScheduleError(f"until: {asked.end}: it ends when it begins: give another time")
        return Window(start % DAY_NS, duration, day_ns, duration / day_ns)
    if asked.T is None:
        raise ScheduleError("T: how long? Give --from and --until, or --T in days")
    check("T", asked.T, least=LEAST_DAYS, most=10_000)
    return Window(None, round(asked.T * day_ns), day_ns, asked.T)


def clock_ns(name: str, text: str) -> int:
    """Of HH:MM or HH:MM:SS, after midnight; 24:00 is the next."""
    try:
        parts = [int(part) for part in text.split(":")]
        hours, minutes, seconds = (*parts, 0) if len(parts) == 2 else parts
        if not (0 <= minutes < 60 and 0 <= seconds < 60 and 0 <= hours * 3600 + minutes * 60 + seconds <= 86_400):
            raise ValueError
    except ValueError:
        raise ScheduleError(f"{name}: {text!r}: give a time of the day such as 09:30 or 15:59:30") from None
    return (hours * 3600 + minutes * 60 + seconds) * NS_PER_S


def clock(ns: int) -> str:
    """HH:MM:SS of a time after midnight, to the second below."""
    seconds = ns // NS_PER_S % 86_400
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
