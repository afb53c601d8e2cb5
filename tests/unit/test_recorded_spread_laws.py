"""The laws of the spread kernel on recorded ticks: re-blocking, no look-ahead, replay, by several models at once."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.market import NS_PER_S, Flag, Kind, Ticks
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, SpreadModel
from pipelines.domain.universe import Pair, Strategy
from pipelines.feeds.files.formats import open_frames
from pipelines.feeds.files.reading import read_through
from tests.support.lean_minutes import RECORDINGS
from tests.support.shards import MS, Log, strategy, tick
from tests.support.spread_runs import Output, but_heartbeats, decoded, engine, feed, joined, run, save

pytestmark = pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"{RECORDINGS} is not on this machine")

ROWS = 12_000
FILES = {
    "equities": {
        leg: RECORDINGS / "equity_ticks" / "tick" / leg.lower() / "20131008_quote.zip" for leg in ("AIG", "BAC")
    },
    "coins": {
        leg: RECORDINGS / "ws_binance" / f"usdm_{leg.lower()}_20240808.jsonl.gz" for leg in ("BTCUSDT", "ETHUSDT")
    },
    "currencies": {
        leg: RECORDINGS / "fx_ticks" / "oanda" / "tick" / leg.lower() / "20140502_quote.zip"
        for leg in ("EURUSD", "NZDUSD")
    },
}
SECONDS = Moments(60, 10, Every.SECOND)
MODELS = (
    SpreadModel(moments=Moments(200, 50, Every.TICK)),
    SpreadModel(Hedge(Method.ROLLING, window=30), SECONDS, logs=True),
    SpreadModel(Hedge(Method.KALMAN, noise=1e-4), SECONDS, Health(stale_ns=5 * NS_PER_S)),
    SpreadModel(Hedge(Method.EWMA), Moments(5, 2, Every.MINUTE)),
)


def quotes_of(path: Path) -> Ticks:
    """The file's quotes that have both sides."""
    found: list[Ticks] = []

    def take(ticks: Ticks, instruments: tuple[str, ...]) -> None:
        found.append(ticks[(ticks["kind"] == Kind.QUOTE) & (ticks["bid"] > 0) & (ticks["ask"] > 0)].copy())

    read_through(open_frames(path, ""), take=take)
    return np.concatenate(found)


@cache
def log_of(name: str) -> Log:
    """The first rows in which both legs are quoted, as one session, with its end."""
    legs = [quotes_of(path) for path in FILES[name].values()]
    for number, rows in enumerate(legs):
        rows["instrument"] = number
    start = max(int(rows["event_ns"][0]) for rows in legs)
    merged = np.concatenate(legs)
    merged = merged[np.argsort(merged["event_ns"], kind="stable")]
    merged = merged[merged["event_ns"] >= start][:ROWS]
    merged["flags"] |= int(Flag.HOME)
    end = np.array([tick(0, int(merged["event_ns"].max()) + 86_400_000 * MS, kind=Kind.END, size=0.0)], merged.dtype)
    rows = np.concatenate([merged, end])
    rows["sequence"] = rows["frame"] = np.arange(1, rows.size + 1)
    return Log(rows, np.zeros(rows.size, np.int64), ("recorded",), tuple(FILES[name]))


@cache
def of_market(name: str) -> Strategy:
    log = log_of(name)
    a, b = log.instruments
    mids = [float(log.rows["bid"][log.rows["instrument"] == leg][0]) for leg in (0, 1)]
    pairs = tuple(Pair(f"{a}-{b}/{n}", a, b, mids[0] / mids[1], 0, model) for n, model in enumerate(MODELS))
    return replace(strategy((a, b), ()), pairs=pairs, snapshots_ns=100 * MS)


@cache
def whole(name: str) -> Output:
    return but_heartbeats(run(of_market(name), log_of(name).every(500)))


markets = pytest.mark.parametrize("name", sorted(FILES))


@markets
def test_every_model_has_something_to_tell_of_it(name: str) -> None:
    marks, _, samples, events, _, snapshots = decoded(whole(name))
    crossed = {event["pair"] for event in events if event["kind"] == "crossing"}
    assert len(crossed) >= len(MODELS) - 1  # a few minutes are not enough for moments of minutes in each
    assert min(map(len, (marks, samples, snapshots))) > 20


@markets
@pytest.mark.parametrize("rows_a_block", [1, 7, 5000])
def test_recorded_ticks_in_blocks_of_any_size_give_the_same_bytes(name: str, rows_a_block: int) -> None:
    log = log_of(name)
    short = replace(log, rows=log.rows[-3000:], session=log.session[-3000:]) if rows_a_block == 1 else log
    expected = whole(name) if short is log else but_heartbeats(run(of_market(name), short.every(500)))
    assert but_heartbeats(run(of_market(name), short.every(rows_a_block))) == expected


@markets
@given(where=st.lists(st.integers(1, ROWS), max_size=60))
@settings(max_examples=5)
def test_recorded_ticks_cut_anywhere_give_the_same_bytes(name: str, where: list[int]) -> None:
    assert but_heartbeats(run(of_market(name), log_of(name).blocks(where))) == whole(name)


@markets
@given(stop=st.integers(1, ROWS - 1))
@settings(max_examples=5)
def test_recorded_ticks_replayed_from_a_checkpoint_give_the_same_bytes(name: str, stop: int) -> None:
    log, of = log_of(name), of_market(name)
    first = engine(of)
    made = feed(first, [log.block(0, stop)])
    rest = feed(engine(of, save(first)), [log.block(stop, log.rows.size)])
    assert but_heartbeats(joined(made, rest)) == whole(name)


@markets
@given(now=st.integers(ROWS // 3, ROWS - 1))
@settings(max_examples=5)
def test_what_recorded_ticks_make_does_not_depend_on_later_ones(name: str, now: int) -> None:
    log, of = log_of(name), of_market(name)
    other = log.rows.copy()
    other["bid"][now:] *= 1.01
    other["ask"][now:] *= 1.01
    known = feed(engine(of), [log.block(0, now)])
    both = but_heartbeats(run(of, replace(log, rows=other).blocks([now])))
    for upto, told in zip(but_heartbeats(known), both, strict=True):
        assert told[: len(upto)] == upto
