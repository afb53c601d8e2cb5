"""Corporate actions of a strategy file, and those that its reference knows of its instruments.

```yaml
actions:
  - {instrument: KO, time: 2026-01-05T05:00:00Z, factor: 0.5, amount: 0}
```
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.reference_file import ReferenceFileError, ReferenceUse, load_reference
from pipelines.domain.market import NS_PER_S
from pipelines.domain.universe import CorporateAction


def read_reference(top: Section, folder: Path) -> ReferenceUse:
    """What a file's `reference` and `reference_on` name, faults noted in it."""
    file = top.text("reference", default="")
    day = top.text("reference_on", default="")
    if day and not file:
        top.fault("reference_on", "no reference is given: give one, or leave this out")
    try:
        on = date.fromisoformat(day) if day else None
    except ValueError:
        top.fault("reference_on", f"{day!r} is no day: give one as 2013-10-07")
        on = None
    if not file:
        return ReferenceUse()
    try:
        return ReferenceUse(load_reference(folder / file), on)
    except ReferenceFileError as error:
        for line in str(error).splitlines():
            top.fault("reference", line)
        return ReferenceUse()


def read_actions(top: Section, reference: ReferenceUse, instruments: Sequence[str]) -> tuple[CorporateAction, ...]:
    """By time: what a file's top says, faults noted in it, and what the reference knows."""
    found = [*_actions(top, instruments), *_known_actions(reference, instruments)]
    return tuple(sorted(found, key=lambda each: each.time_ns))


def dump_action(action: CorporateAction) -> dict[str, object]:
    """The section that reads as this action."""
    return {
        "instrument": action.instrument,
        "time": datetime.fromtimestamp(action.time_ns // NS_PER_S, UTC).isoformat(),
        "factor": action.factor,
        "amount": action.amount,
    }


def _actions(top: Section, instruments: Sequence[str]) -> Iterator[CorporateAction]:
    for section in top.sections("actions", required=False):
        text = section.text("time")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            section.fault("time", f"{text!r} is no time: give one as 2026-01-05T05:00:00Z")
            at = datetime.fromtimestamp(0, UTC)
        if at.tzinfo is None:
            section.fault("time", f"{text!r} is of no zone: give one as 2026-01-05T05:00:00Z")
            at = at.replace(tzinfo=UTC)
        yield CorporateAction(
            instrument=section.one_of("instrument", instruments, "instrument"),
            time_ns=round(at.timestamp()) * NS_PER_S,
            factor=section.number("factor", positive=True, default=1.0),
            amount=section.number("amount", default=0.0),
        )
        section.done()


def _known_actions(use: ReferenceUse, instruments: Sequence[str]) -> Iterator[CorporateAction]:
    """Splits and dividends of the reference, from the beginning of their ex-date where the instrument trades."""
    if use.reference is None:
        return
    for id in set(instruments) & set(use.reference.ids):
        zone = ZoneInfo(use.reference.venue(use.reference.instrument(id, None).venue).time_zone)

        def start_ns(day: date, zone: ZoneInfo = zone) -> int:
            return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS_PER_S

        for split in use.reference.splits_of(id):
            yield CorporateAction(id, start_ns(split.ex_date), factor=split.old / split.new)
        for dividend in use.reference.dividends_of(id):
            yield CorporateAction(id, start_ns(dividend.ex_date), amount=dividend.amount)
