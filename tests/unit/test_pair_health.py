"""Pairs at full minutes: their health against statsmodels over the same minutes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.adfvalues import mackinnoncrit
from statsmodels.tsa.stattools import adfuller

from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.closing_prices import ClosingPrices
from pipelines.contracts.wire import Codec
from pipelines.domain.live import DRIFTED, GROWN, NOT_CORRELATED, NOT_STATIONARY
from pipelines.domain.market import NS_PER_S
from pipelines.domain.pair_health import critical_value
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, SpreadModel
from pipelines.research.pair_statistics import half_life
from tests.support.shards import MS, START_NS, VENUE, strategy, tick, ticks
from tests.support.spread_runs import MADE, SCHEMA_IDS, decoded, engine, feed

MINUTE_NS = 60 * NS_PER_S
WINDOW = 90
MODEL = SpreadModel(
    Hedge(Method.STATIC),
    Moments(20, 5, Every.MINUTE),
    Health(stale_ns=300 * NS_PER_S, window=WINDOW, least_correlation=0.3, most_drift=0.5, most_growth=3.0),
)
Floats = NDArray[np.float64]


def walk(minutes: int, seed: int, pull: float = 0.3, noise: float = 0.05) -> tuple[Floats, Floats]:
    """B a random walk, A half of it and a deviation that is pulled back: cointegrated unless `pull` is 0."""
    rng = np.random.default_rng(seed)
    b = 100 + np.cumsum(rng.normal(0, 0.05, minutes))
    deviation = np.zeros(minutes)
    for n in range(1, minutes):
        deviation[n] = (1 - pull) * deviation[n - 1] + rng.normal(0, noise)
    return 30 + 0.5 * b + deviation, b


def minute_bars(a: Floats, b: Floats, model: SpreadModel = MODEL, beta: float = 0.5) -> list[dict[str, Any]]:
    """What is told of the pair at each minute: both legs quote once in each."""
    of = strategy(("A", "B"), (("A", "B", beta),))
    of = replace(of, pairs=tuple(replace(pair, model=model) for pair in of.pairs))
    rows = [
        tick(0, START_NS + minute * MINUTE_NS + leg * NS_PER_S, leg, mid - 0.01, mid + 0.01)
        for minute, mids in enumerate(zip(a, b, strict=True))
        for leg, mid in enumerate(mids)
    ]
    made = ticks([*rows, tick(0, START_NS + len(a) * MINUTE_NS + MS, 0, a[-1] - 0.01, a[-1] + 0.01)])
    made["sequence"] = np.arange(1, made.size + 1)
    *_, minutes, _ = decoded(feed(engine(of), [TickBlock(VENUE, "s", 0, 0, 0, ("A", "B"), made)]))
    return [minute["bars"][0] | {"event_time_ns": minute["event_time_ns"]} for minute in minutes]


@pytest.mark.parametrize("pull", [0.0, 0.1, 0.4])
def test_dickey_fuller_half_life_and_correlation_are_those_of_statsmodels_and_numpy(pull: float) -> None:
    a, b = walk(200, seed=7, pull=pull)
    told = minute_bars(a, b)
    assert len(told) == 200
    for last in (40, 120, 200):
        part = slice(max(0, last - WINDOW), last)
        spread = a[part] - 0.5 * b[part]
        bar = told[last - 1]
        t = adfuller(spread, maxlag=1, regression="c", autolag=None, result_object=False)[0]
        assert bar["adf_t"] == pytest.approx(t, rel=1e-6)
        returns = [np.diff(each[part]) / each[part][:-1] for each in (a, b)]
        assert bar["correlation"] == pytest.approx(np.corrcoef(*returns)[0, 1], rel=1e-6)
        theirs = half_life(spread[1:])  # of the rows that the test is of, which has a lag
        assert bar["half_life_s"] == pytest.approx(60 * theirs if theirs else 0.0, rel=1e-6)
        assert bar["bars"] == min(last, WINDOW)
        assert bool(bar["breaks"] & NOT_STATIONARY) == (t >= bar["adf_critical"])


@pytest.mark.parametrize("rows", [30, 88, 1000])
def test_critical_values_are_mackinnons(rows: int) -> None:
    assert critical_value(False, rows) == pytest.approx(mackinnoncrit(1, "c", rows)[1], abs=1e-4)
    assert critical_value(True, rows) == pytest.approx(mackinnoncrit(2, "c", rows)[1], abs=1e-4)


def test_a_pair_that_comes_back_is_stationary_and_one_that_wanders_is_not() -> None:
    assert not minute_bars(*walk(200, 3, pull=0.5))[-1]["breaks"] & NOT_STATIONARY
    assert minute_bars(*walk(200, 3, pull=0.0))[-1]["breaks"] & NOT_STATIONARY


def test_legs_that_stop_moving_together_are_told() -> None:
    a, b = walk(200, 4, noise=0.001)
    apart, _ = walk(200, 5)
    assert not minute_bars(a, b)[-1]["breaks"] & NOT_CORRELATED
    assert minute_bars(np.append(a[:100], a[99] + apart[100:] - apart[100]), b)[-1]["breaks"] & NOT_CORRELATED


def test_a_deviation_that_has_grown_is_told() -> None:
    a, b = walk(200, 6, pull=0.5)
    grown = a.copy()
    grown[-WINDOW // 4 :] += 10 * (grown - 0.5 * b - 30)[-WINDOW // 4 :]
    assert not minute_bars(a, b)[-1]["breaks"] & GROWN
    assert minute_bars(grown, b)[-1]["breaks"] & GROWN


def test_a_slope_far_from_the_given_beta_is_told() -> None:
    model = replace(MODEL, hedge=Hedge(Method.ROLLING, window=WINDOW))
    a, b = walk(200, 8, noise=0.01)
    assert not minute_bars(a, b, model)[-1]["breaks"] & DRIFTED
    assert minute_bars(a, b, model, beta=0.2)[-1]["breaks"] & DRIFTED


def test_too_few_minutes_give_no_figures_and_no_breaks() -> None:
    bar = minute_bars(*walk(20, 9))[-1]
    assert (bar["bars"], bar["adf_t"], bar["half_life_s"], bar["breaks"]) == (20, 0.0, 0.0, 0)


def test_minutes_that_do_not_follow_each_other_are_no_change() -> None:
    #  minutes  |0......59|  a night  |........100 more: as if each half were a series of its own
    a, b = walk(160, 10)
    night = 8 * 3600 * NS_PER_S
    of = strategy(("A", "B"), (("A", "B", 0.5),))
    of = replace(of, pairs=tuple(replace(pair, model=replace(MODEL, health=Health(window=200))) for pair in of.pairs))
    times = START_NS + MINUTE_NS * np.arange(1, 161) + night * (np.arange(160) >= 60)
    running = engine(of)
    running.warm_up(ClosingPrices(Every.MINUTE, times, np.stack([a, b])))
    at = int(times[-1])
    rows = [tick(1, at + MS, 0, a[-1], a[-1]), tick(2, at + 2 * MS, 1, b[-1], b[-1])]
    made = ticks([*rows, tick(3, at + MINUTE_NS + MS, 0, a[-1], a[-1])])
    (minute,) = decoded(feed(running, [TickBlock(VENUE, "s", 0, 0, 0, ("A", "B"), made)]))[4]
    returns = [
        np.concatenate([np.diff(part) / part[:-1] for part in (each[:60], np.append(each[60:], each[-1]))])
        for each in (a, b)
    ]
    assert minute["bars"][0]["correlation"] == pytest.approx(np.corrcoef(*returns)[0, 1], rel=1e-6)


def test_a_heartbeat_follows_each_minute_by_a_millisecond() -> None:
    of = strategy(("A", "B"), (("A", "B", 0.5),))
    rows = [tick(n, START_NS + n * 30 * NS_PER_S, n % 2, 99.0, 101.0) for n in range(1, 12)]
    made = feed(engine(of), [TickBlock(VENUE, "s", 0, 0, 0, ("A", "B"), ticks(rows))])
    for place, name in ((1, "kind"), (4, "bars")):
        codec = Codec(MADE[place], SCHEMA_IDS[MADE[place]])
        told = [codec.decode(value) for value, _ in made[place]]
        beats = [each for each in told if each[name] in ("heartbeat", [])]
        ends = [each["event_time_ms"] for each in told if each not in beats]
        assert {end + 1 for end in ends} <= {each["event_time_ms"] for each in beats}
        assert ends
        assert len(beats) == 5
