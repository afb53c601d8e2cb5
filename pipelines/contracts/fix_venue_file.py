"""A simulated venue that speaks FIX 4.4, in a file: who may log on, how it matches, what goes wrong on purpose. YAML.

```yaml
comp_id: XSIM                            # the venue's, in every message
port: 17010
allowed: [127.0.0.1]                     # addresses that may connect; it listens on all of its machine's
heartbeat_s: 5
reset: never                             # never, logon, logout, disconnect: when messages count from 1
hours: {start: "00:00:00", end: "21:00:00"}    # UTC; left out: always. With start_day and end_day: once a week
participants:
  - {comp_id: DESK, username: desk, password: {file: desk.secret}}     # or {environment: DESK_PASSWORD}
drop_copies:                             # hear what is said to others, and send no orders
  - {comp_id: RISK, username: risk, password: {environment: RISK_PASSWORD}, of: [DESK]}
latency_ms: {min: 1, max: 5}             # of event time, from decision to book
seed: 7                                  # of latencies and hidden lots
levels: 100                              # of depth shown
impact: 1.0                              # lots that a lot of ours takes out of what is shown
half_life_ms: 1000                       # after so long half of them are back
midpoint: {fill_chance: 0.1}             # a dark venue; left out: a lit one
faults:                                  # left out: none. Each fault's rate is the share of orders that meet it
  seed: 7
  reject: 0.01
  lost_acknowledgement: 0.02
  fill_first: 0.02                       # the fill is told before the acknowledgement
  duplicate_fill: 0.02
  bust: 0.01
  correct: 0.01
  amend_after_ms: 50                     # of event time, after the order's last word: busts and corrections
  correct_ticks: 1
  disconnect: {rate: 0.01, when: after_first_word}     # or before_first_word
  sequence_gap: {rate: 0.01, numbers: 3}
  slow: {rate: 0.05, ms: 200, in_order: true}          # in_order: words of one order stay in their order
```
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.contracts import marked_yaml
from pipelines.contracts.fix_session import Hours, Reset, read_hours, read_reset
from pipelines.contracts.marked_yaml import Section, Unique
from pipelines.contracts.secret import Secret, read_secret
from pipelines.domain.fault_plan import Fault, FaultPlan
from pipelines.domain.market import NS_PER_MS

MOST_MS = 3_600_000.0
PLAIN = (Fault.REJECT, Fault.LOST_ACKNOWLEDGEMENT, Fault.FILL_FIRST, Fault.DUPLICATE_FILL, Fault.BUST, Fault.CORRECT)
"""Faults that are told by their rate alone."""

_FIRST_WORD = ("before_first_word", "after_first_word")


class FixVenueFileError(ValueError):
    """What is wrong with the file: one line a fault, `file:line: field: what: way out`."""


@dataclass(frozen=True, slots=True)
class Member:
    """Who may log on, by the comp id of its session. `of`: a drop copy's participants; empty of a participant."""

    comp_id: str
    username: str
    password: Secret
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FixVenueFile:
    """What a file says. Latencies and the half-life in ns of event time; `fill_chance` None: a lit venue."""

    comp_id: str
    port: int
    participants: tuple[Member, ...]
    drop_copies: tuple[Member, ...] = ()
    allowed: tuple[str, ...] = ("127.0.0.1",)
    heartbeat_s: int = 5
    reset: Reset = Reset.NEVER
    hours: Hours | None = None
    min_latency_ns: int = NS_PER_MS
    max_latency_ns: int = 5 * NS_PER_MS
    seed: int = 7
    levels: int = 100
    impact: float = 1.0
    half_life_ns: int = 1_000 * NS_PER_MS
    fill_chance: float | None = None
    faults: FaultPlan = field(default_factory=FaultPlan)


def load_fix_venue(path: Path) -> FixVenueFile:
    """Read a file. Raises FixVenueFileError with all that is wrong with it; secrets are not looked at."""
    try:
        top, faults = marked_yaml.read(path)
    except RecursionError:
        raise FixVenueFileError(f"{path}:1: nested too deep: three levels are enough") from None
    comp_ids = Unique("comp_id")
    comp_id = top.name("comp_id")
    comp_ids.take(top, comp_id, comp_id)
    participants = tuple(_members(top, "participants", comp_ids, path.parent, ()))
    names = tuple(dict.fromkeys(each.comp_id for each in participants))
    copies = tuple(_members(top, "drop_copies", comp_ids, path.parent, names))
    low_ns, high_ns = _latency(top.section("latency_ms", required=False))
    made = FixVenueFile(
        comp_id=comp_id,
        port=top.whole("port", 1, 65_535),
        participants=participants,
        drop_copies=copies,
        allowed=tuple(_addresses(top)),
        heartbeat_s=top.whole("heartbeat_s", 1, 3_600, 5),
        reset=read_reset(top),
        hours=read_hours(top.section("hours", required=False)),
        min_latency_ns=low_ns,
        max_latency_ns=high_ns,
        seed=top.whole("seed", 0, 2**63 - 1, 7),
        levels=top.whole("levels", 1, 10_000, 100),
        impact=top.between("impact", 0.0, 1_000.0, 1.0),
        half_life_ns=max(1, round(top.between("half_life_ms", 0.001, MOST_MS, 1_000.0) * NS_PER_MS)),
        fill_chance=_midpoint(top.section("midpoint", required=False)),
        faults=_faults(top.section("faults", required=False)),
    )
    top.done()
    if faults:
        raise FixVenueFileError(str(faults))
    return made


def _members(top: Section, name: str, taken: Unique, folder: Path, known: tuple[str, ...]) -> Iterator[Member]:
    copies = name == "drop_copies"
    for section in top.sections(name, required=not copies):
        comp_id = section.name("comp_id")
        taken.take(section, comp_id, comp_id)
        username = section.text("username")
        password = read_secret(section.section("password"), folder) or Secret()
        of: tuple[str, ...] = ()
        if copies:
            of = section.texts("of")
            for each in of:
                if each not in known:
                    section.fault("of", f"unknown participant {each!r}: there is {', '.join(known)}")
        section.done()
        yield Member(comp_id, username, password, of)


def _addresses(top: Section) -> Iterator[str]:
    for address in top.texts("allowed", ("127.0.0.1",)):
        try:
            ipaddress.IPv4Address(address)
        except ValueError:
            top.fault("allowed", f"{address!r} is no address: give such as 10.0.0.5, each by itself")
        yield address


def _latency(section: Section | None) -> tuple[int, int]:
    if section is None:
        return NS_PER_MS, 5 * NS_PER_MS
    low, high = section.between("min", 0.0, MOST_MS), section.between("max", 0.0, MOST_MS)
    if low > high:
        section.fault("max", f"{high:g} is below the minimum, {low:g}: give it or more")
    section.done()
    return round(low * NS_PER_MS), round(high * NS_PER_MS)


def _midpoint(section: Section | None) -> float | None:
    if section is None:
        return None
    chance = section.between("fill_chance", 0.0, 1.0, 0.1)
    section.done()
    return chance


def _faults(section: Section | None) -> FaultPlan:
    if section is None:
        return FaultPlan()
    usual = FaultPlan()
    rates = {fault: section.between(fault, 0.0, 1.0, 0.0) for fault in PLAIN}
    cut, gap, slow = (section.section(each, required=False) for each in ("disconnect", "sequence_gap", "slow"))
    for fault, inner in ((Fault.DISCONNECT, cut), (Fault.SEQUENCE_GAP, gap), (Fault.SLOW, slow)):
        rates[fault] = inner.between("rate", 0.0, 1.0) if inner else 0.0
    plan = FaultPlan(
        seed=section.whole("seed", 0, 2**63 - 1, usual.seed),
        rates=rates,
        after_first_word=cut is None or cut.one_of("when", _FIRST_WORD, "time", _FIRST_WORD[1]) != _FIRST_WORD[0],
        amend_after_ns=round(section.between("amend_after_ms", 0.0, MOST_MS, 50.0) * NS_PER_MS),
        correct_ticks=section.whole("correct_ticks", 1, 1_000, usual.correct_ticks),
        slow_ns=round(slow.between("ms", 0.0, MOST_MS, 200.0) * NS_PER_MS) if slow else usual.slow_ns,
        slow_in_order=slow.flag("in_order", default=True) if slow else True,
        gap=gap.whole("numbers", 1, 1_000, usual.gap) if gap else usual.gap,
    )
    for inner in (section, cut, gap, slow):
        if inner is not None:
            inner.done()
    return plan
