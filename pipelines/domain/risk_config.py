"""What telling an account's risk needs to know that is in no record: its strategy, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.risk_settings import RiskSettings
from pipelines.domain.tails import Rule
from pipelines.domain.universe import CorporateAction, Strategy

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """Instruments and pairs by their places in the strategy file. `lot_size`: units of a lot; `lot_rate`: money of a
    lot at a price of 1, in the account's currency; `legs`: places of a pair's instruments, shape (pairs, 2); `moves`:
    shares by which worths change in each stress scenario, shape (scenarios, instruments)."""

    account: str
    shards: int
    settings: RiskSettings
    instruments: tuple[str, ...]
    places: Mapping[str, int]
    lot_size: Floats
    lot_rate: Floats
    pairs: tuple[str, ...]
    pair_places: Mapping[str, int]
    legs: NDArray[np.int64]
    moves: Floats
    actions: tuple[CorporateAction, ...]
    """By time."""

    @classmethod
    def of(cls, strategy: Strategy) -> "RiskConfig":
        instruments = strategy.instruments
        places = {instrument.id: place for place, instrument in enumerate(instruments)}
        lot_size = np.array([instrument.lot_size for instrument in instruments])
        rates = np.array([strategy.limits.rate(instrument.currency) for instrument in instruments])
        scenarios = strategy.risk.scenarios
        moves = [[scenario.move(each.id, each.currency) for each in instruments] for scenario in scenarios]
        return cls(
            account=strategy.account,
            shards=strategy.shards,
            settings=strategy.risk,
            instruments=tuple(places),
            places=places,
            lot_size=lot_size,
            lot_rate=lot_size * rates,
            pairs=tuple(pair.name for pair in strategy.pairs),
            pair_places={pair.name: place for place, pair in enumerate(strategy.pairs)},
            legs=np.array([(places[pair.a], places[pair.b]) for pair in strategy.pairs], np.int64).reshape(-1, 2),
            moves=np.array(moves, np.float64).reshape(len(scenarios), len(instruments)),
            actions=tuple(each for each in strategy.actions if each.instrument in places),
        )

    @property
    def rule(self) -> Rule:
        return Rule(self.settings.method, self.settings.confidence, self.settings.decay)
