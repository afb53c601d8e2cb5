"""A shard: the pairs that live together, their instruments, and who is whose leg, as the kernel reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipelines.domain.hours import ALWAYS, Hours
from pipelines.domain.ladder import Ladder, Levels
from pipelines.domain.spread_model import Every, Method, Neutral, SpreadModel
from pipelines.domain.universe import Instrument, Pair, Strategy

Indices = NDArray[np.int64]
Rows = NDArray[np.void]

TICK, SECOND, MINUTE = range(3)
STATIC, ROLLING, TOTAL_LEAST_SQUARES, EWMA, KALMAN = range(5)
_EVERY = {Every.TICK: TICK, Every.SECOND: SECOND, Every.MINUTE: MINUTE}
_METHODS = {
    Method.STATIC: STATIC,
    Method.ROLLING: ROLLING,
    Method.TOTAL_LEAST_SQUARES: TOTAL_LEAST_SQUARES,
    Method.EWMA: EWMA,
    Method.KALMAN: KALMAN,
}

MODEL = np.dtype(
    [
        *((name, "i8") for name in ("method", "every", "logs", "dollar", "warmup", "window", "settle", "stale_ns")),
        ("health_window", "i8"),
        *((name, "f8") for name in ("beta", "alpha", "step", "noise")),
        *((name, "f8") for name in ("least_correlation", "most_drift", "most_growth")),
    ]
)
"""A pair's SpreadModel as numbers. `step`: by how much the variances of a Kalman filter grow from row to row."""

ACTION = np.dtype([("time_ns", "i8"), ("instrument", "i8"), ("factor", "f8"), ("amount", "f8")])
"""A CorporateAction of one of the shard's instruments."""


class Legs(NamedTuple):
    """The pairs of a shard by index: their legs' instruments, shape (pairs,), and MODELs. Of instrument i, the pairs
    are `leg_pair[leg_start[i]:leg_start[i + 1]]`, ascending; `logs[i]`: whether one of them is of logarithms. `ladder`:
    which crossings of z are told of. `hours`: when instruments trade; `actions`: rows of ACTION, by time.
    `patience_ns`: the longest that a leg may go unquoted. `snapshots_ns`: length of their intervals, 0 for none."""

    a: Indices
    b: Indices
    models: Rows
    leg_start: Indices
    leg_pair: Indices
    logs: Indices
    ladder: Ladder
    hours: Hours
    actions: Rows
    patience_ns: int
    snapshots_ns: int


@dataclass(frozen=True)
class Shard:
    """Pairs in the strategy file's order, and every instrument whose ticks come here, in a pair or not.

    `second_bars`, `minute_bars`: how many bars back the closing prices of instruments are to be remembered.
    """

    number: int
    pairs: tuple[Pair, ...]
    models: tuple[SpreadModel, ...]
    instruments: tuple[Instrument, ...]
    homes: tuple[bool, ...]
    legs: Legs
    levels: Levels
    calendars: tuple[str, ...]
    """By instrument; empty for one that is always open."""
    second_bars: int
    minute_bars: int

    @classmethod
    def of(cls, strategy: Strategy, number: int) -> "Shard":
        instruments = tuple(each for each in strategy.instruments if number in strategy.shards_by_instrument[each.id])
        pairs = strategy.pairs_of_shard(number)
        models = tuple(strategy.model_of(pair) for pair in pairs)
        index = {instrument.id: place for place, instrument in enumerate(instruments)}
        pairs_of: list[list[int]] = [[] for _ in instruments]
        for place, pair in enumerate(pairs):
            for leg in (pair.a, pair.b):
                pairs_of[index[leg]].append(place)
        legs = Legs(
            a=np.array([index[pair.a] for pair in pairs], np.int64),
            b=np.array([index[pair.b] for pair in pairs], np.int64),
            models=np.array([_numbers(pair, model) for pair, model in zip(pairs, models, strict=True)], MODEL),
            leg_start=np.cumsum([0, *map(len, pairs_of)], dtype=np.int64),
            leg_pair=np.array([place for places in pairs_of for place in places], np.int64),
            logs=np.array([any(models[place].logs for place in places) for places in pairs_of], np.int64),
            ladder=Ladder.of(strategy.levels),
            hours=ALWAYS.of(len(instruments)),
            actions=np.array(
                [
                    (each.time_ns, index[each.instrument], each.factor, each.amount)
                    for each in strategy.actions
                    if each.instrument in index
                ],
                ACTION,
            ),
            patience_ns=max((model.health.stale_ns for model in models), default=0),
            snapshots_ns=strategy.snapshots_ns,
        )
        return cls(
            number,
            pairs,
            models,
            instruments,
            tuple(strategy.shards_by_instrument[each.id][0] == number for each in instruments),
            legs,
            strategy.levels,
            tuple(strategy.calendars.get(each.id, "") for each in instruments),
            second_bars=_longest_window(models, Every.SECOND),
            minute_bars=max(
                _longest_window(models, Every.MINUTE), max((model.health.window for model in models), default=0)
            ),
        )

    @cached_property
    def instrument_index(self) -> Mapping[str, int]:
        return MappingProxyType({instrument.id: place for place, instrument in enumerate(self.instruments)})

    def places(self, instruments: tuple[str, ...]) -> Indices:
        """Where each of a block's instruments is in the shard; -1 for one that is not (it has left the strategy)."""
        index = self.instrument_index
        return np.array([index.get(name, -1) for name in instruments], np.int64)


def _longest_window(models: tuple[SpreadModel, ...], every: Every) -> int:
    windowed = (Method.ROLLING, Method.TOTAL_LEAST_SQUARES)
    mine = (each.hedge for each in models if each.moments.every is every)
    return max((hedge.window for hedge in mine if hedge.method in windowed), default=0)


def _numbers(pair: Pair, model: SpreadModel) -> tuple[int | float, ...]:
    moments, hedge, health = model.moments, model.hedge, model.health
    numbers: dict[str, int | float] = {
        "method": _METHODS[hedge.method],
        "every": _EVERY[moments.every],
        "logs": model.logs,
        "dollar": model.neutral is Neutral.DOLLAR,
        "warmup": moments.warmup,
        "window": hedge.window,
        "settle": health.settle,
        "stale_ns": health.stale_ns,
        "health_window": health.window,
        "beta": pair.beta,
        "alpha": 2.0 / (moments.span + 1),
        "step": hedge.delta / (1.0 - hedge.delta),
        "noise": hedge.noise,
        "least_correlation": health.least_correlation,
        "most_drift": health.most_drift,
        "most_growth": health.most_growth,
    }
    return tuple(numbers[name] for name in MODEL.names or ())
