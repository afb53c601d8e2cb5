"""How the risk of an account is told: the method, what it looks back on, and the stress scenarios."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pipelines.domain.market import NS_PER_S

Method = Literal["historical", "parametric", "cornish-fisher", "ewma", "filtered", "monte-carlo"]
METHODS: tuple[Method, ...] = get_args(Method)
"""Of `value_at_risk.py`. They stand here because every strategy names one, and few who read it need statistics."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day that might come. Moves are shares of the price: -0.2 is a fifth down. An instrument moves as `instruments`
    says, or else by `all`; a currency's rate moves as `currencies` says, and all that is priced in it with it."""

    name: str
    all: float = 0.0
    instruments: Mapping[str, float] = field(default_factory=dict)
    currencies: Mapping[str, float] = field(default_factory=dict)

    def move(self, instrument: str, currency: str) -> float:
        """By which share the worth of an instrument changes, in the account's money."""
        own = self.instruments.get(instrument, self.all)
        return (1.0 + own) * (1.0 + self.currencies.get(currency, 0.0)) - 1.0


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Of an account; the defaults are those of a strategy that says nothing."""

    method: Method = "historical"
    confidence: float = 0.99
    window: int = 500
    """Rows of returns that risk is told by."""
    day_minutes: int = 390
    """Minutes of a trading day: a minute's return times the root of it is a day's."""
    capital: float = 0.0
    """Money that leverage is of; 0: none is given."""
    benchmark: str = ""
    """Instrument that beta is of; empty: none."""
    participation: float = 0.1
    """Share of the volume that is ours when positions are closed."""
    every_ns: int = NS_PER_S
    """Account time between two updates; a change of a position is told at once."""
    seed: int = 1
    """Of the Monte Carlo."""
    draws: int = 2_000
    """Of the Monte Carlo."""
    decay: float = 0.94
    """Of exponential weights (ewma, filtered), a row."""
    history: str = ""
    """File of closing prices, a day or less apart, that the window is filled from; empty: the strategy's own."""
    stress: str = ""
    """File that `scenarios` are from."""
    scenarios: tuple[Scenario, ...] = ()
