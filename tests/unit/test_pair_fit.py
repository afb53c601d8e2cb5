"""Hedge ratios and moments of pairs at bars, against NumPy over the mids that a plain reading of the log finds
there."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipelines.domain import hedge
from pipelines.domain.market import NS_PER_S, Kind
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, Neutral, SpreadModel
from pipelines.domain.universe import Strategy
from tests.support.shards import MS, START_NS, Log, random_log, strategy, tick, ticks
from tests.support.spread_runs import Output, but_heartbeats, decoded, engine, feed, joined, run, save

INSTRUMENTS = ("A", "B", "C", "D")
PAIRS = (("A", "B", 0.7), ("B", "C", 1.25), ("A", "D", 0.33))
WARMUP, SPAN, WINDOW = 8, 20, 12
MODELS = {
    "static": SpreadModel(Hedge(Method.STATIC), Moments(SPAN, WARMUP, Every.SECOND)),
    "rolling": SpreadModel(Hedge(Method.ROLLING, window=WINDOW), Moments(SPAN, WARMUP, Every.SECOND)),
    "total": SpreadModel(Hedge(Method.TOTAL_LEAST_SQUARES, window=WINDOW), Moments(SPAN, WARMUP, Every.SECOND)),
    "ewma": SpreadModel(Hedge(Method.EWMA), Moments(SPAN, WARMUP, Every.SECOND)),
    "kalman": SpreadModel(Hedge(Method.KALMAN, delta=1e-3, noise=0.5), Moments(SPAN, WARMUP, Every.SECOND)),
    "ewma of ticks": SpreadModel(Hedge(Method.EWMA), Moments(SPAN, WARMUP, Every.TICK)),
    "kalman of ticks": SpreadModel(Hedge(Method.KALMAN, delta=1e-3, noise=0.5), Moments(SPAN, WARMUP, Every.TICK)),
    "rolling logarithms": SpreadModel(
        Hedge(Method.ROLLING, window=WINDOW), Moments(SPAN, WARMUP, Every.SECOND), neutral=Neutral.DOLLAR, logs=True
    ),
}
Floats = NDArray[np.float64]


def of_model(model: SpreadModel) -> Strategy:
    """Of pairs without a beta but where it is static: a filter then begins at 0, as `hedge.kalman` does."""
    of = strategy(INSTRUMENTS, PAIRS)
    static = model.hedge.method is Method.STATIC
    return replace(of, pairs=tuple(replace(pair, model=model, beta=pair.beta if static else 0.0) for pair in of.pairs))


@cache
def log_of(seed: int, sessions: int = 1) -> Log:
    return random_log(1500, strategy(INSTRUMENTS, PAIRS), seed, sessions)


def closes(log: Log) -> list[tuple[int, dict[str, float]]]:
    """The last mids at every second that a row passed, in the log's order."""
    time, mids, found = 0, {}, []
    for row in log.rows[:-1]:
        event_ns = int(row["event_ns"])
        while time and (time // NS_PER_S + 1) * NS_PER_S <= event_ns:
            time = (time // NS_PER_S + 1) * NS_PER_S
            found.append((time, dict(mids)))
        time = max(time, event_ns)
        if row["kind"] == Kind.QUOTE:
            mids[log.instruments[row["instrument"]]] = 0.5 * (float(row["bid"]) + float(row["ask"]))
    return found


def legs_at_seconds(log: Log, a: str, b: str) -> tuple[list[int], Floats, Floats]:
    there = [(time, mids[a], mids[b]) for time, mids in closes(log) if a in mids and b in mids]
    return [time for time, _, _ in there], np.array([y for _, y, _ in there]), np.array([x for _, _, x in there])


def lines(name: str, y: Floats, x: Floats) -> list[tuple[float, float, float]]:
    """Slope, mean and deviation after each row, NaN before there are any: by domain.hedge, and NumPy's variances."""
    if name == "kalman":
        path = hedge.kalman(y, x, 1e-3, 0.5)
        return list(zip(path.slope.tolist(), path.intercept.tolist(), [math.nan] * len(y), strict=True))
    if name == "ewma":
        path, alpha = hedge.weighted(y, x, SPAN), 2.0 / (SPAN + 1)
        weights = [alpha * (1 - alpha) ** np.arange(n, -1, -1) for n in range(len(y))]
        for each in weights:
            each[0] /= alpha
        found = []
        for n, weight in enumerate(weights):
            left = y[: n + 1] - path.slope[n] * x[: n + 1]
            deviation = math.sqrt(max(float(weight @ (left - weight @ left) ** 2), 0.0)) if n else math.nan
            found.append((float(path.slope[n]), float(path.intercept[n]), deviation))
        return found
    logs = name.endswith("logarithms")
    y, x = (np.log(y), np.log(x)) if logs else (y, x)
    fit = hedge.total_least_squares if name == "total" else hedge.least_squares
    found = []
    for n in range(len(y)):
        part = slice(max(0, n + 1 - WINDOW), n + 1)
        if n + 1 < WARMUP:
            found.append((math.nan,) * 3)
            continue
        with np.errstate(invalid="ignore"):  # a leg that stood still in the window has no line, and makes no crossing
            line = fit(y[part], x[part])
        left = y[part] - line.slope * x[part]
        found.append((line.slope, line.intercept, float(left.std())))
    return found


@pytest.mark.parametrize("name", ["rolling", "total", "ewma", "kalman", "rolling logarithms"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crossing_is_told_by_the_line_of_the_seconds_before_it(name: str, seed: int) -> None:
    log = log_of(seed)
    *_, events, _, _ = decoded(run(of_model(MODELS[name]), log.every(100)))
    checked = 0
    for a, b, _ in PAIRS:
        times, y, x = legs_at_seconds(log, a, b)
        known = lines(name, y, x)
        for event in (each for each in events if each["pair"] == f"{a}-{b}"):
            passed = sum(time <= event["event_time_ns"] for time in times)
            slope, mean, std = known[passed - 1]
            assert event["slope"] == pytest.approx(slope, rel=1e-6, abs=1e-9)
            assert event["mean"] == pytest.approx(mean, rel=1e-6, abs=1e-6)
            if not math.isnan(std):
                assert event["std"] == pytest.approx(std, rel=1e-6)
            assert event["z"] == pytest.approx((event["spread"] - event["mean"]) / event["std"], rel=1e-9)
            checked += 1
    assert checked > 30


def test_a_static_slope_has_moments_of_seconds_in_which_a_busy_leg_weighs_no_more() -> None:
    log = log_of(4)
    *_, events, _, _ = decoded(run(of_model(MODELS["static"]), log.every(100)))
    alpha, checked = 2.0 / (SPAN + 1), 0
    for a, b, beta in PAIRS:
        times, y, x = legs_at_seconds(log, a, b)
        mean, var, known = 0.0, 0.0, []
        for n, spread in enumerate((y - beta * x).tolist()):
            d = spread - mean
            mean, var = (spread, 0.0) if n == 0 else (mean + alpha * d, (1 - alpha) * (var + alpha * d * d))
            known.append((mean, math.sqrt(var)))
        for event in (each for each in events if each["pair"] == f"{a}-{b}"):
            passed = sum(time <= event["event_time_ns"] for time in times)
            assert passed >= WARMUP
            assert (event["mean"], event["std"]) == pytest.approx(known[passed - 1], rel=1e-12)
            checked += 1
    assert checked > 30


def test_a_filters_deviation_is_what_it_predicts_of_the_next_row() -> None:
    log = log_of(5)
    *_, events, _, _ = decoded(run(of_model(MODELS["kalman"]), log.every(100)))
    a, b, _ = PAIRS[0]
    times, y, x = legs_at_seconds(log, a, b)
    mine = [event for event in events if event["pair"] == f"{a}-{b}"]
    assert len(mine) > 10
    for event in mine:
        passed = sum(time <= event["event_time_ns"] for time in times)
        path = hedge.kalman(np.append(y[:passed], event["mid_a"]), np.append(x[:passed], event["mid_b"]), 1e-3, 0.5)
        assert event["std"] == pytest.approx(path.deviation[-1], rel=1e-9)
        assert event["spread"] - event["mean"] == pytest.approx(path.error[-1], rel=1e-6, abs=1e-9)


def test_what_hedges_is_told_in_units_of_the_second_leg() -> None:
    logs = MODELS["rolling logarithms"]
    for model, units in (
        (logs, lambda event: math.copysign(event["mid_a"] / event["mid_b"], event["slope"])),
        (replace(logs, neutral=Neutral.BETA), lambda event: event["slope"] * event["mid_a"] / event["mid_b"]),
        (MODELS["rolling"], lambda event: event["slope"]),
    ):
        *_, events, _, _ = decoded(run(of_model(model), log_of(6).every(100)))
        told = [event for event in events if event["pair"]]
        assert len(told) > 20
        assert [event["beta"] for event in told] == pytest.approx([units(event) for event in told])


seeds, models = st.integers(0, 500), st.sampled_from(sorted(MODELS))
cuts = st.lists(st.integers(1, 1499), max_size=40)


@cache
def whole(name: str, seed: int) -> Output:
    return but_heartbeats(run(of_model(MODELS[name]), log_of(seed).blocks(())))


@given(models, seeds, cuts)
@settings(max_examples=40)
def test_blocks_cut_anywhere_give_the_same_bytes_by_every_model(name: str, seed: int, where: list[int]) -> None:
    assert but_heartbeats(run(of_model(MODELS[name]), log_of(seed).blocks(where))) == whole(name, seed)


@given(models, seeds, st.integers(1, 1499))
@settings(max_examples=40)
def test_state_saved_and_read_again_goes_on_to_the_same_bytes_by_every_model(name: str, seed: int, stop: int) -> None:
    log, of = log_of(seed), of_model(MODELS[name])
    first = engine(of)
    made = feed(first, [log.block(0, stop)])
    rest = feed(engine(of, save(first)), [log.block(stop, log.rows.size)])
    assert but_heartbeats(joined(made, rest)) == whole(name, seed)


@given(models, seeds, st.integers(200, 1400), st.integers(0, 500))
@settings(max_examples=40)
def test_what_a_row_makes_does_not_depend_on_later_rows_by_any_model(
    name: str, seed: int, now: int, other: int
) -> None:
    log, of = log_of(seed), of_model(MODELS[name])
    changed = log.rows.copy()
    shift = np.random.default_rng(other).uniform(0.5, 1.5, log.rows.size - now)
    for side in ("bid", "ask"):
        changed[side][now:] *= shift
    known, same = (feed(engine(of), replace(log, rows=rows).blocks([now]))[:] for rows in (log.rows, changed))
    upto = [len(each) for each in feed(engine(of), [log.block(0, now)])]
    assert [each[:n] for each, n in zip(known, upto, strict=True)] == [
        each[:n] for each, n in zip(same, upto, strict=True)
    ]


def test_the_slow_part_of_a_state_is_written_where_bars_close_alone() -> None:
    of = of_model(MODELS["rolling"])
    running = engine(of)
    quotes = [tick(n, START_NS + n * MS, n % 4, 99.0, 101.0) for n in range(1, 40)]
    feed(running, [replace(log_of(1).block(0, 1), ticks=ticks(quotes[:20]))])
    save(running)  # the first names
    feed(running, [replace(log_of(1).block(0, 1), ticks=ticks(quotes[20:]))])
    assert not running.state.slow_changed
    feed(running, [replace(log_of(1).block(0, 1), ticks=ticks([tick(50, START_NS + 1000 * MS, 0, 99.0, 101.0)]))])
    assert running.state.slow_changed
    running.state.dump()
    assert not running.state.slow_changed


def test_a_pair_whose_model_changed_starts_afresh_and_leaves_others_alone() -> None:
    of = of_model(MODELS["rolling"])
    running = engine(of)
    feed(running, [log_of(1).block(0, 800)])
    changed = replace(of, pairs=(replace(of.pairs[0], model=MODELS["kalman"]), *of.pairs[1:]))
    after = engine(changed, save(running))
    assert after.state.kernel.pairs["updates"].tolist()[0] == 0
    assert after.state.kernel.pairs["updates"].tolist()[1:] == running.state.kernel.pairs["updates"].tolist()[1:]


def test_a_longer_window_goes_on_with_the_bars_that_are_known() -> None:
    of = of_model(MODELS["rolling"])
    running = engine(of)
    feed(running, [log_of(1).block(0, 1200)])
    wider = of_model(replace(MODELS["rolling"], hedge=Hedge(Method.ROLLING, window=3 * WINDOW), health=Health()))
    kept = engine(wider, save(running)).state.kernel
    before = running.state.kernel
    bars = int(before.closed[0])
    was = np.arange(bars - WINDOW, bars)
    assert bars > WINDOW
    assert kept.second_times[was % kept.second_times.size].tolist() == before.second_times[was % WINDOW].tolist()
    np.testing.assert_array_equal(
        kept.second_mids[:, was % kept.second_times.size], before.second_mids[:, was % WINDOW]
    )
