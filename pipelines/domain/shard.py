"""A shard: the pairs that live together, their instruments, and who is whose leg, as the kernel reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.ladder import Ladder, Levels
from pipelines.domain.universe import Instrument, Pair, Strategy

Indices = NDArray[np.int64]


class Legs(NamedTuple):
    """The pairs of a shard by index: their legs' instruments and betas, shape (pairs,). Of instrument i, the pairs are
    `leg_pair[leg_start[i]:leg_start[i + 1]]`, ascending. `alpha` and `warmup` (updates) are those of the moments;
    `ladder`: which crossings of z are told of."""

    a: Indices
    b: Indices
    beta: NDArray[np.float64]
    leg_start: Indices
    leg_pair: Indices
    alpha: float
    warmup: int
    ladder: Ladder


@dataclass(frozen=True)
class Shard:
    """Pairs in the strategy file's order, and every instrument whose ticks come here, in a pair or not."""

    number: int
    pairs: tuple[Pair, ...]
    instruments: tuple[Instrument, ...]
    legs: Legs
    levels: Levels

    @classmethod
    def of(cls, strategy: Strategy, number: int) -> "Shard":
        instruments = tuple(each for each in strategy.instruments if number in strategy.shards_by_instrument[each.id])
        pairs = strategy.pairs_of_shard(number)
        index = {instrument.id: place for place, instrument in enumerate(instruments)}
        pairs_of: list[list[int]] = [[] for _ in instruments]
        for place, pair in enumerate(pairs):
            for leg in (pair.a, pair.b):
                pairs_of[index[leg]].append(place)
        legs = Legs(
            a=np.array([index[pair.a] for pair in pairs], np.int64),
            b=np.array([index[pair.b] for pair in pairs], np.int64),
            beta=np.array([pair.beta for pair in pairs], np.float64),
            leg_start=np.cumsum([0, *map(len, pairs_of)], dtype=np.int64),
            leg_pair=np.array([place for places in pairs_of for place in places], np.int64),
            alpha=2.0 / (strategy.moments.span + 1),
            warmup=strategy.moments.warmup,
            ladder=Ladder.of(strategy.levels),
        )
        return cls(number, pairs, instruments, legs, strategy.levels)

    @cached_property
    def instrument_index(self) -> Mapping[str, int]:
        return MappingProxyType({instrument.id: place for place, instrument in enumerate(self.instruments)})

    def places(self, instruments: tuple[str, ...]) -> Indices:
        """Where each of a block's instruments is in the shard; -1 for one that is not (it has left the strategy)."""
        index = self.instrument_index
        return np.array([index.get(name, -1) for name in instruments], np.int64)
