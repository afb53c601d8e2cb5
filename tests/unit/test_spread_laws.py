"""The laws of the spread kernel: what comes out is a function of the rows alone, and of those up to now."""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.ladder import ALL_LEVELS, Levels
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.universe import Strategy
from tests.support.shards import Log, random_log, strategy
from tests.support.spread_reference import SpreadReference
from tests.support.spread_runs import Output, but_heartbeats, decoded, engine, feed, joined, save
from tests.support.spread_runs import run as run_with_heartbeats

INSTRUMENTS = ("A", "B", "C", "D", "E", "alone")
PAIRS = (("A", "B", 0.7), ("B", "C", 1.25), ("A", "D", 0.33), ("E", "A", 2.0))
STRATEGY = strategy(INSTRUMENTS, PAIRS, Moments(40, 10, Every.TICK))
FEW = Levels.parse("0.5, 1.5..")
ROWS = 900

seeds = st.integers(0, 10_000)
sessions = st.integers(1, 3)
cuts = st.lists(st.integers(1, ROWS - 1), max_size=40)


def run(of: Strategy, blocks: list[TickBlock]) -> Output:
    return but_heartbeats(run_with_heartbeats(of, blocks))


@cache
def log_of(seed: int, count: int) -> Log:
    return random_log(ROWS, STRATEGY, seed, count)


@cache
def whole(seed: int, count: int) -> Output:
    """What the log gives when each session's stretch is one block."""
    return run(STRATEGY, log_of(seed, count).blocks(()))


def test_the_logs_of_these_tests_have_everything_in_them() -> None:
    marks, bars, samples, events, *_ = decoded(run_with_heartbeats(STRATEGY, log_of(1, 2).every(7)))
    kinds = Counter(event["kind"] for event in events)
    assert min(kinds[kind] for kind in ("crossing", "heartbeat")) > 50, kinds
    assert kinds["end"] == 1
    assert len(samples) > 10
    assert len(marks) > 10
    assert {bar["trades"] > 0 for bar in bars} == {True, False}


@given(seeds, sessions, st.sampled_from([ALL_LEVELS, FEW]))
@settings(max_examples=60, deadline=None)
def test_the_kernel_equals_a_plain_reading_of_its_specification(seed: int, count: int, levels: Levels) -> None:
    log = log_of(seed, count)
    rungs = [number for number in range(4000) if number in levels.at or number >= (levels.beyond or 0)]
    reference = SpreadReference(STRATEGY, 0, sorted({sign * 0.25 * each for each in rungs for sign in (-1, 1)}))
    for row, session in zip(log.rows, log.session, strict=True):
        reference.take("SIM", log.sessions[session], log.instruments, row)
    of = replace(STRATEGY, levels=levels)
    marks, bars, samples, events, *_ = decoded(run(of, log.blocks(())))
    assert events == reference.spreads
    assert samples == reference.samples
    assert marks == reference.marks
    assert bars == reference.bars


@given(seeds, sessions, cuts)
@settings(max_examples=40, deadline=None)
def test_blocks_cut_anywhere_give_the_same_bytes(seed: int, count: int, where: list[int]) -> None:
    assert run(STRATEGY, log_of(seed, count).blocks(where)) == whole(seed, count)


@pytest.mark.parametrize("rows_a_block", [1, 7, 500])
def test_blocks_of_one_size_give_the_same_bytes(rows_a_block: int) -> None:
    assert run(STRATEGY, log_of(3, 2).every(rows_a_block)) == whole(3, 2)


@given(seeds, st.lists(st.sampled_from(INSTRUMENTS), min_size=6, max_size=6, unique=True))
@settings(max_examples=20, deadline=None)
def test_how_a_block_numbers_its_instruments_does_not_matter(seed: int, names: list[str]) -> None:
    log = log_of(seed, 1)
    place = {-1: -1} | {number: names.index(name) for number, name in enumerate(log.instruments)}
    rows = log.rows.copy()
    rows["instrument"] = [place[number] for number in rows["instrument"]]
    assert run(STRATEGY, replace(log, rows=rows, instruments=tuple(names)).every(100)) == whole(seed, 1)


@given(seeds, sessions, st.integers(1, ROWS - 1))
@settings(max_examples=40, deadline=None)
def test_state_saved_and_read_again_goes_on_to_the_same_bytes(seed: int, count: int, stop: int) -> None:
    blocks = log_of(seed, count).blocks([stop])
    starts = [block.raw_offset for block in blocks]
    before, after = blocks[: starts.index(stop)], blocks[starts.index(stop) :]
    first = engine(STRATEGY)
    made = feed(first, before)
    rest = feed(engine(STRATEGY, save(first)), after)
    assert but_heartbeats(joined(made, rest)) == whole(seed, count)


@given(seeds, st.integers(100, ROWS - 1))
@settings(max_examples=30, deadline=None)
def test_a_restart_repeats_the_ids_that_it_gave_since_its_checkpoint(seed: int, crash: int) -> None:
    #  log   |......checkpoint........crash     all of that is made again: at-least-once, and readers know the ids
    #                    |............crash.......end
    log = log_of(seed, 1)
    blocks = log.every(50)
    first = engine(STRATEGY)
    made = feed(first, blocks[:2])
    checkpoint = save(first)
    lost = feed(first, blocks[2 : crash // 50 + 1])
    again = feed(engine(STRATEGY, checkpoint), blocks[2:])
    assert all(repeat[: len(one)] == one for repeat, one in zip(again, lost, strict=True))
    assert but_heartbeats(joined(made, again)) == whole(seed, 1)


@given(seeds, sessions, st.integers(0, 17))
@settings(max_examples=30, deadline=None)
def test_blocks_delivered_again_make_nothing(seed: int, count: int, back_to: int) -> None:
    blocks = log_of(seed, count).every(50)
    running = engine(STRATEGY)
    feed(running, blocks)
    saved = save(running)
    assert feed(running, blocks[back_to:]) == ([],) * 6
    assert save(running) == saved


@given(seeds, sessions, st.integers(1, ROWS - 1), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_what_a_row_makes_does_not_depend_on_later_rows(seed: int, count: int, now: int, other: int) -> None:
    log, rows = log_of(seed, count), log_of(seed, count).rows.copy()
    future = log_of(other, count).rows
    for name in ("bid", "ask", "bid_size", "event_ns", "flags"):
        rows[name][now:] = future[name][now:]
    so_far = run(STRATEGY, [block for block in log.blocks([now]) if block.raw_offset < now])
    with_another_future = run(STRATEGY, replace(log, rows=rows).blocks(()))
    for one, known in zip(with_another_future, so_far, strict=True):
        assert one[: len(known)] == known


@given(seeds, sessions)
@settings(max_examples=20, deadline=None)
def test_time_and_numbers_of_what_comes_out_never_fall(seed: int, count: int) -> None:
    marks, bars, samples, events, *_ = decoded(run_with_heartbeats(STRATEGY, log_of(seed, count).every(9)))
    for made in (marks, bars, samples, events):
        times = [each["event_time_ms"] for each in made]
        assert times == sorted(times)
    numbered = [each["sequence"] for each in (*samples, *events) if each.get("kind") != "heartbeat"]
    assert sorted(numbered) == list(range(1, len(numbered) + 1))
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
    assert [each["marks"]["sequence"] for each in marks] == list(range(1, len(marks) + 1))


@given(seeds, sessions, cuts)
@settings(max_examples=30, deadline=None)
def test_heartbeats_let_no_event_wait_beyond_its_block_and_go_ahead_of_none(
    seed: int, count: int, where: list[int]
) -> None:
    running = engine(STRATEGY)
    reached, number = 0, 0
    for block in log_of(seed, count).blocks(where):
        _, _, _, events, *_ = decoded(feed(running, [block]))
        for event in events:
            assert event["event_time_ms"] >= reached  # behind a heartbeat it would be lost
            assert event["kind"] != "heartbeat" or event["sequence"] >= number
            reached, number = event["event_time_ms"], event["sequence"]
        now_ms = int(running.state.kernel.clock["time_ns"][0]) // 1_000_000
        crossed = [event["event_time_ms"] for event in events if event["kind"] == "crossing"]
        assert not crossed or reached > max(crossed) or now_ms == max(crossed)
        assert now_ms - reached < 10 or not reached


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_fewer_levels_give_fewer_crossings(seed: int) -> None:
    log = log_of(seed, 1)
    every, few = (
        [event for event in decoded(run(replace(STRATEGY, levels=levels), log.blocks(())))[3] if event["pair"]]
        for levels in (ALL_LEVELS, FEW)
    )
    assert 0 < len(few) < len(every)
