"""A small account to tell the risk of: prices that walk, bars of minutes, and where its pairs stand."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pipelines.domain.risk import Bar, RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_settings import RiskSettings, Scenario
from pipelines.domain.risk_told import update
from pipelines.domain.standing import Standing
from pipelines.domain.trading import RiskUpdate
from pipelines.domain.universe import Strategy
from tests.support.accounts import ACCOUNT, NAMES, T0
from tests.support.accounts import strategy as account_strategy

MINUTE_NS = 60_000_000_000
START_NS = T0 // MINUTE_NS * MINUTE_NS
SCENARIOS = (Scenario("crash", -0.1, {"A": -0.3}), Scenario("rise", 0.05))
SETTINGS = RiskSettings(capital=10_000.0, benchmark="D", scenarios=SCENARIOS)
HOMES = {"A": 0, "B": 0, "C": 1, "D": 1}
"""Shards that tell of the instruments' bars."""

Record = Bar | tuple[int, int] | Standing


def strategy(settings: RiskSettings = SETTINGS) -> Strategy:
    """Four pairs of four instruments in two shards."""
    return replace(account_strategy(), risk=settings)


def state(settings: RiskSettings = SETTINGS) -> RiskState:
    return RiskState.empty(RiskConfig.of(strategy(settings)))


def beat(shard: int, minute: int) -> tuple[int, int]:
    """A heartbeat of the bars at the beginning of a minute."""
    return shard, START_NS + minute * MINUTE_NS


def position(sequence: int, pair: str, lots_a: int, lots_b: int, seconds: float = 0.0) -> Standing:
    time_ns = START_NS + round(seconds * 1e9)
    return Standing("position", ACCOUNT, sequence, time_ns, pair, "long", lots_a, lots_b, "cause")


def heartbeat(sequence: int, seconds: float) -> Standing:
    return Standing("heartbeat", ACCOUNT, sequence, START_NS + round(seconds * 1e9), "", "", 0, 0, "")


def minutes(count: int, seed: int = 1, first: int = 0) -> Iterator[Record]:
    """Bars of each minute and, by shard, the heartbeat after it; C is silent in each third."""
    walk = np.random.default_rng(seed).normal(0, 1e-3, (count, len(NAMES)))
    prices = 100.0 * np.exp(np.cumsum(walk, axis=0))
    for minute in range(count):
        for shard in (0, 1):
            for place, name in enumerate(NAMES):
                if HOMES[name] == shard and not (name == "C" and minute % 3 == 2):
                    start_ns = START_NS + (first + minute) * MINUTE_NS
                    yield Bar(shard, start_ns, name, float(prices[minute, place]), 390.0)
            yield beat(shard, first + minute + 1)


def given(to: RiskState, *records: Record) -> list[RiskUpdate]:
    """What is told of the records, in their order."""
    told = []
    for record in records:
        match record:
            case Bar():
                to.take_bar(record)
            case Standing():
                if to.take_position(record):
                    told.append(update(to))
            case (shard, time_ns):
                to.take_beat(shard, time_ns)
    return told


def session() -> list[Record]:
    """Three days: half an hour, entries, changes, heartbeats; the last bars of a day are followed by the next day's."""
    records: list[Record] = []
    sequence = 0
    for day in range(3):
        first = day * 1440
        records += minutes(30, seed=day, first=first)
        for number, (pair, lots_a, lots_b) in enumerate(
            [("A-B", 10, -7), ("A-C", -5, 6), ("D-B", 3, 3), ("A-B", 0, 0)]
        ):
            at_s = (first + 30) * 60.0 + number * 0.7
            sequence += 2
            records += [position(sequence - 1, pair, lots_a, lots_b, at_s), heartbeat(sequence, at_s + 0.4)]
        records += minutes(5, seed=10 + day, first=first + 31)
    return records
