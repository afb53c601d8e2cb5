"""The risk of a strategy file: how it is told of its account, once a second and at each change of its lots.

```yaml
risk:                           # may be left out, and so may each line of it
  method: historical            # parametric, cornish-fisher, ewma, filtered, monte-carlo
  confidence: 0.99
  window: 500                   # rows of returns: minutes, scaled to days
  day_minutes: 390              # minutes of a trading day
  capital: 1000000              # leverage is of it; in the account's currency
  benchmark: SPY                # instrument that beta is of
  participation: 0.1            # share of the volume that is ours when all is closed
  every: 1                      # seconds of account time between updates
  seed: 1                       # of monte-carlo, with its draws
  draws: 2000
  decay: 0.94                   # of ewma and filtered
  history: closes.csv           # daily closing prices (pipelines/contracts/closing_prices.py) that fill the window
  stress: stress.yaml           # scenarios (pipelines/contracts/stress_file.py)
```

Files are from the strategy file's folder. Without `history` the window is filled from the strategy's own.
"""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.contracts.closing_prices import read_prices
from pipelines.contracts.marked_yaml import Section
from pipelines.contracts.stress_file import StressFileError, load_stress
from pipelines.domain.market import NS_PER_S
from pipelines.domain.risk_settings import METHODS, RiskSettings, Scenario
from pipelines.domain.universe import Strategy

MOST_ROWS = 100_000
MOST_DRAWS = 1_000_000


def read_risk(
    section: Section | None, folder: Path, instruments: Sequence[str], currencies: Sequence[str]
) -> RiskSettings:
    """Of a section, faults noted in it; what is left out is as `RiskSettings` has it."""
    least = RiskSettings()
    if section is None:
        return least
    method = section.one_of("method", METHODS, "method", default=least.method)
    confidence = section.number("confidence", default=least.confidence)
    if not 0.5 <= confidence < 1:
        section.fault("confidence", f"{confidence:g} is out of range: give 0.5 or more and below 1, such as 0.99")
    participation = section.number("participation", positive=True, default=least.participation)
    if participation > 1:
        section.fault("participation", f"{participation:g} is out of range: give a share of the volume, 1 at most")
    decay = section.number("decay", positive=True, default=least.decay)
    if decay >= 1:
        section.fault("decay", f"{decay:g} is out of range: give one above 0 and below 1, such as 0.94")
    every_s = section.number("every", positive=True, default=least.every_ns / NS_PER_S)
    if 0 < every_s < 1:
        section.fault("every", f"{every_s:g} is out of range: account time beats once a second: give 1 or more")
    stress, scenarios = _stress(section, folder, instruments, currencies)
    settings = RiskSettings(
        method=next((each for each in METHODS if each == method), least.method),
        confidence=confidence,
        window=section.whole("window", 20, MOST_ROWS, default=least.window),
        day_minutes=section.whole("day_minutes", 1, 1440, default=least.day_minutes),
        capital=section.number("capital", positive=True) if section.has("capital") else least.capital,
        benchmark=section.one_of("benchmark", instruments, "instrument", default=least.benchmark),
        participation=participation,
        every_ns=round(every_s * NS_PER_S),
        seed=section.whole("seed", 0, 2**31 - 1, default=least.seed),
        draws=section.whole("draws", 100, MOST_DRAWS, default=least.draws),
        decay=decay,
        history=_file(section, "history", folder),
        stress=stress,
        scenarios=scenarios,
    )
    section.done()
    return settings


def dump_risk(settings: RiskSettings) -> dict[str, object]:
    """The section that reads as these settings: what differs from the defaults. Scenarios lie in their own file."""
    least = RiskSettings()
    told = {
        each.name: getattr(settings, each.name)
        for each in fields(settings)
        if each.name != "scenarios" and getattr(settings, each.name) != getattr(least, each.name)
    }
    return {"every" if name == "every_ns" else name: _plain(name, value) for name, value in told.items()}


def load_history(strategy: Strategy) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """Times (ns) and prices, shape (instruments, times), that the window is filled from; None where there are none.
    Raises ClosingPricesError."""
    file = strategy.risk.history or strategy.history
    return read_prices(Path(file), tuple(each.id for each in strategy.instruments)) if file else None


def _plain(name: str, value: object) -> object:
    return value / NS_PER_S if name == "every_ns" and isinstance(value, int) else value


def _file(section: Section, name: str, folder: Path) -> str:
    """In full."""
    file = section.text(name, default="")
    if file and not (folder / file).is_file():
        section.fault(name, f"no file {file} in {folder}")
        return ""
    return str((folder / file).resolve()) if file else ""


def _stress(
    section: Section, folder: Path, instruments: Sequence[str], currencies: Sequence[str]
) -> tuple[str, tuple[Scenario, ...]]:
    file = _file(section, "stress", folder)
    if not file:
        return "", ()
    try:
        return file, load_stress(Path(file), instruments, currencies)
    except StressFileError as error:
        for line in str(error).splitlines():
            section.fault("stress", line)
        return file, ()
