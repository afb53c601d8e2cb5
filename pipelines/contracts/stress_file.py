"""Stress scenarios: what each would do to prices and currencies, as shares of them.

```yaml
crash:                                          # its name: free
  all: -0.08                                    # instruments that are not named; 0 where left out
  instruments: {SPY: -0.2, GLD: 0.05}
  currencies: {EUR: -0.1}                       # what one euro is worth; all that is priced in it moves with it
dollar up: {currencies: {EUR: -0.05, GBP: -0.05}}
```
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.contracts import marked_yaml
from pipelines.contracts.marked_yaml import Section
from pipelines.domain.risk_settings import Scenario


class StressFileError(ValueError):
    """What is wrong with a file of scenarios: one line a fault, `file:line: field: what: way out`."""


def load_stress(path: Path, instruments: Sequence[str], currencies: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of a file, in its order. `currencies`: those of the instruments. Raises StressFileError."""
    top, faults = marked_yaml.read(path)
    found = []
    for name in top.names():
        section = top.section(name)
        if section is not None:
            found.append(_scenario(name, section, instruments, currencies))
    if not faults and not found:
        faults.add(1, "", "no scenario in it: give one, such as `crash: {all: -0.08}`")
    if faults:
        raise StressFileError(str(faults))
    return tuple(found)


def _scenario(name: str, section: Section, instruments: Sequence[str], currencies: Sequence[str]) -> Scenario:
    scenario = Scenario(
        name,
        _move(section, "all", 0.0),
        _moves(section, "instruments", instruments, "instrument of the strategy"),
        _moves(section, "currencies", currencies, "currency of the strategy's instruments"),
    )
    section.done()
    if scenario == Scenario(name):
        section.fault("all", "nothing moves in it: give all, instruments or currencies")
    return scenario


def _moves(section: Section, name: str, known: Sequence[str], what: str) -> Mapping[str, float]:
    inner = section.section(name, required=False)
    if inner is None:
        return {}
    for key in inner.names():
        if key not in known:
            inner.fault(key, f"{key} is no {what}")
    return {key: _move(inner, key, None) for key in inner.names()}


def _move(section: Section, name: str, default: float | None) -> float:
    value = section.number(name, default=default)
    if value < -1.0:
        section.fault(name, f"{value:g} is out of range: more than all of a price cannot be lost: give -1 or more")
    return value
