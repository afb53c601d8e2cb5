"""The unwinding of a strategy file: how its account takes itself down when a limit breaks.

```yaml
unwind:
  every: 1s                     # a stage each; ns, us, ms, s, min or h
  participation: 0.1            # of what trades in that time, at most
  impact: 0.002                 # a share of the price that a stage may move it by, at most
  fraction: 0.25                # of what is held, where no volume is known
  hysteresis: 0.1               # how far below its limit all must be, as a share, until it is over
  drift: 0.1                    # how far beyond a limit of money prices alone may carry it
  patience: 20                  # stages in a row that move nothing, until a person is needed
```

What is left out is as above.
"""

import re

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.limits import MOST
from pipelines.domain.market import NS_PER_MS, NS_PER_S
from pipelines.domain.unwinding import USUAL, Unwinding

_NS = {"h": 3600 * NS_PER_S, "min": 60 * NS_PER_S, "s": NS_PER_S, "ms": NS_PER_MS, "us": 1000, "ns": 1}
_MOST_NS = 24 * 3600 * NS_PER_S


def read_unwinding(section: Section | None) -> Unwinding:
    """Of a section, faults noted in it."""
    if section is None:
        return USUAL
    how = Unwinding(
        every_ns=_duration(section, "every", USUAL.every_ns),
        participation=section.share("participation", USUAL.participation),
        impact=section.share("impact", USUAL.impact),
        fraction=section.share("fraction", USUAL.fraction),
        hysteresis=section.between("hysteresis", 0.0, 0.99, USUAL.hysteresis),
        drift=section.between("drift", 0.0, 10.0, USUAL.drift),
        patience=section.whole("patience", 1, MOST, default=USUAL.patience),
    )
    section.done()
    return how


def dump_unwinding(how: Unwinding) -> dict[str, object]:
    """The section that reads as this unwinding."""
    unit = next(unit for unit, ns in _NS.items() if how.every_ns % ns == 0)
    names = ("participation", "impact", "fraction", "hysteresis", "drift", "patience")
    return {"every": f"{how.every_ns // _NS[unit]}{unit}"} | {name: getattr(how, name) for name in names}


def _duration(section: Section, name: str, default_ns: int) -> int:
    if not section.has(name):
        return default_ns
    text = section.text(name)
    match = re.fullmatch(r"(?P<count>[1-9]\d{0,17})\s*(?P<unit>[a-z]+)", text)
    found = int(match["count"]) * _NS.get(match["unit"], 0) if match else 0
    if not 0 < found <= _MOST_NS:
        section.fault(name, f"{text!r} is no time of up to a day: give one such as 500ms, 1s or 5min")
        return default_ns
    return found
