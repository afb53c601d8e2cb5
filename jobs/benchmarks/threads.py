"""CPU seconds by thread: what a figure stands on where others use the machine, as wall time moves and these do not."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.settings import Settings
from infra.supervision import Supervision

TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")

ROLES = (
    ("kafka", r"data-plane", "broker"),
    ("kafka", r"C\d Compiler", "JIT compiler"),
    ("kafka", r".*", "broker, the rest"),
    ("flink-jobmanager", r".*", "JobManager"),
    ("flink-taskmanager", r"C\d Compiler", "JIT compiler"),
    ("flink-taskmanager", r"VM Thread|GC Thread|G1 ", "garbage collector"),
    ("flink-taskmanager", r"Source Data Fet", "Kafka consumers"),
    ("flink-taskmanager", r"kafka-producer", "Kafka producers"),
    ("flink-taskmanager", r"spreads -> emit|Source: spreads", "spreads job: source, Python, sink"),
    ("flink-taskmanager", r"Source: market_", "signals job: source"),
    ("flink-taskmanager", r"OverAggregate|StreamRecordTim|Constraint|Calc|Rank|Sink", "signals job: SQL and sink"),
    ("flink-taskmanager", r".*", "TaskManager, the rest"),
)
"""Program, thread (its name in Linux is cut at 15 letters) and what it does, the first that fits."""

Seconds = Mapping[tuple[str, int, str], float]
"""By program, thread id and thread name."""


def seconds(settings: Settings) -> Seconds:
    """CPU seconds of each thread of a stack since it began; none of services that are somebody else's."""
    found: dict[tuple[str, int, str], float] = {}
    for process in Supervision(settings).processes():
        for thread in _threads(process.pid) if process.pid else ():
            try:
                stat = thread.joinpath("stat").read_text()
            except OSError:  # it has ended
                continue
            name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
            found[process.program, int(thread.name), name] = (int(fields[11]) + int(fields[12])) * TICK_S
    return found


def used(before: Seconds, after: Seconds) -> dict[str, float]:
    """CPU seconds between two looks by what the threads do, the most first."""
    spent: dict[str, float] = defaultdict(float)
    for thread, by_then in after.items():
        spent[role(thread[0], thread[2])] += by_then - before.get(thread, 0.0)
    return {name: spent[name] for name in sorted(spent, key=lambda each: -spent[each]) if spent[name] > 0}


def role(program: str, thread: str) -> str:
    for of, pattern, does in ROLES:
        if program.startswith(of) and re.match(pattern, thread):
            return does
    return program


def _threads(pid: int) -> Iterable[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return ()
