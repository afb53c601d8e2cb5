"""The sizing of a strategy file: how much an entry buys.

```yaml
sizing:
  leg_notional: 10000           # money of the first leg, the second by beta; a pair's `capital` stands instead of it
  mode: volatility              # fixed (if left out), volatility, kelly
  risk: 500                     # of volatility: money of standard deviation a day, by the last risk update
  kelly: 0.5                    # of kelly: the share of the Kelly fraction
  cap: 3                        # of both: so many times the leg's money at most
  trips: 20                     # of kelly: round trips of a pair before it is sized by them
  units: 1                      # entries one way that a strategy may add up in a pair
  flips: false                  # whether an entry the other way turns the pair around in one move
  broken: unwind                # of an entry of which one leg filled alone: unwind (if left out) or complete
```
"""

from pipelines.contracts.marked_yaml import Section
from pipelines.domain.limits import MOST
from pipelines.domain.sizing import Broken, Mode, Sizing

_USUAL = Sizing(0.0)
_NUMBER_OF = {Mode.VOLATILITY: "risk", Mode.KELLY: "kelly"}


def read_sizing(section: Section | None) -> Sizing:
    """Of a section, faults noted in it: also a mode that lacks its number."""
    if section is None:
        return _USUAL
    mode = section.one_of("mode", tuple(Mode), "mode", default=_USUAL.mode)
    broken = section.one_of("broken", tuple(Broken), "way", default=_USUAL.broken)
    sizing = Sizing(
        leg_notional=section.number("leg_notional", positive=True),
        mode=Mode(mode) if mode else _USUAL.mode,
        risk=section.number("risk", positive=True, default=_USUAL.risk),
        kelly=section.number("kelly", positive=True, default=_USUAL.kelly),
        cap=section.number("cap", positive=True, default=_USUAL.cap),
        trips=section.whole("trips", 1, MOST, default=_USUAL.trips),
        units=section.whole("units", 1, MOST, default=_USUAL.units),
        flips=section.flag("flips", default=_USUAL.flips),
        broken=Broken(broken) if broken else _USUAL.broken,
    )
    lacks = _NUMBER_OF.get(sizing.mode)
    if lacks and not section.has(lacks):
        section.fault(lacks, f"missing: mode {sizing.mode} needs it: give a number greater than 0, or mode: fixed")
    section.done()
    return sizing


def dump_sizing(sizing: Sizing) -> dict[str, object]:
    """The section that reads as this sizing."""
    told: dict[str, object] = {"leg_notional": sizing.leg_notional}
    for name in ("mode", "risk", "kelly", "cap", "trips", "units", "flips", "broken"):
        value = getattr(sizing, name)
        if value != getattr(_USUAL, name) or name == _NUMBER_OF.get(sizing.mode):
            told[name] = str(value) if isinstance(value, Mode | Broken) else value
    return told
