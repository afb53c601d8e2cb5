"""The venues of a strategy file: their protocols, clocks, what is done with doubtful rows, and what they take.

```yaml
venues:
  sim:
    protocol: binance
    clock_skew_ms: 0.5          # added to our receive time to get the venue's; 0 where left out
    fee_bps: 0.3                # of what is traded, in 1/10,000; below zero where the venue pays
    fee_per_lot: 0.002          # in the instrument's currency
    quality: {crossed: reject, outlier_mads: 12}
```
"""

from collections.abc import Iterator
from typing import Any

from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.reference_file import ReferenceUse
from pipelines.domain.market import NS_PER_MS
from pipelines.domain.quality import ACTIONS, MEASURES, Action, Rules
from pipelines.domain.universe import Venue

_COSTS = ("fee_bps", "fee_per_lot")


def read_venues(venues: Section | None, reference: ReferenceUse) -> Iterator[Venue]:
    """Of a section, faults noted in it."""
    for name in venues.names() if venues else ():
        venue = venues.section(name) if venues else None
        if not venues or not venue:
            continue
        venues.check_name(name, name)
        skew_ms = venue.number("clock_skew_ms", default=0)
        yield Venue(
            name=name,
            protocol=venue.name("protocol", default=reference.protocols.get(name)),
            clock_skew_ns=round(skew_ms * NS_PER_MS),
            rules=_rules(venue.section("quality", required=False)),
            fee_bps=venue.number("fee_bps", default=0.0),
            fee_per_lot=venue.number("fee_per_lot", default=0.0),
        )
        venue.done()


def dump_venue(venue: Venue) -> dict[str, object]:
    """The fields that read as this venue."""
    told: dict[str, object] = {"protocol": venue.protocol, "clock_skew_ms": venue.clock_skew_ns / NS_PER_MS}
    told |= {name: getattr(venue, name) for name in _COSTS if getattr(venue, name)}
    return told | ({"quality": _dumped(venue.rules)} if venue.rules != Rules() else {})


def _rules(section: Section | None) -> Rules:
    """What is left out is as `Rules` has it."""
    if section is None:
        return Rules()
    least = Rules()
    words = [action.name.lower() for action in Action]
    given: dict[str, Any] = {}
    for name in ACTIONS:
        word = section.one_of(name, words, "action", default=getattr(least, name).name.lower())
        given[name] = Action[word.upper()] if word in words else getattr(least, name)
    for name in MEASURES:
        given[name] = section.number(name, positive=True, default=getattr(least, name))
    section.done()
    return Rules(**given)


def _dumped(rules: Rules) -> dict[str, object]:
    actions: dict[str, object] = {name: getattr(rules, name).name.lower() for name in ACTIONS}
    return actions | {name: getattr(rules, name) for name in MEASURES}
