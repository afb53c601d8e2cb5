"""State of a shard as bytes, found again by name when the strategy has changed."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.domain.ladder import Levels
from pipelines.domain.shard import Shard
from pipelines.domain.spread_model import Every, Moments
from pipelines.domain.spread_state import Saved, SpreadState
from pipelines.domain.universe import Strategy
from tests.support.shards import random_log, strategy
from tests.support.spread_runs import decoded, engine, feed, save

MOMENTS = Moments(40, 10, Every.TICK)
OLD = strategy(("A", "B", "C"), (("A", "B", 0.7), ("B", "C", 1.25)), MOMENTS)
LOG = random_log(600, OLD, seed=5)
BLOCKS = LOG.every(50)


def saved(of: Strategy = OLD) -> Saved:
    running = engine(of)
    feed(running, BLOCKS[:6])
    return save(running)


def events_of(pair: str, of: Strategy) -> list[dict[str, object]]:
    """What a restart with strategy `of` makes of a pair; numbers of the shard left out, other pairs move them."""
    events = decoded(feed(engine(of, saved()), BLOCKS[6:]))[3]
    return [event | {"sequence": 0} for event in events if event["pair"] == pair]


def test_bytes_read_and_written_again_are_the_same() -> None:
    before = saved()
    assert save(engine(OLD, before)) == before
    assert {part[0] for part in before if part} == {4}


def test_names_are_written_when_they_change_alone() -> None:
    running = engine(OLD)
    assert running.state.names_changed
    feed(running, BLOCKS[:1])
    running.state.dump_names()
    feed(running, BLOCKS[1:6])
    assert not running.state.names_changed
    running.state.session("sim", "another")
    assert running.state.names_changed
    assert running.state.slow_changed  # which is found by the names too


@pytest.mark.parametrize(
    "changed",
    [
        strategy(("A", "B", "C", "D"), (("A", "B", 0.7), ("B", "C", 1.25), ("A", "D", 2.0)), MOMENTS),
        strategy(("D", "C", "B", "A"), (("D", "A", 2.0), ("B", "C", 1.25), ("A", "B", 0.7)), MOMENTS),
        strategy(("A", "B"), (("A", "B", 0.7),), MOMENTS),
    ],
    ids=["a pair added last", "a pair added first, instruments in another order", "a pair and its instrument removed"],
)
def test_a_pair_goes_on_unchanged_when_others_come_and_go(changed: Strategy) -> None:
    assert len(events_of("A-B", OLD)) > 20
    assert events_of("A-B", changed) == events_of("A-B", OLD)


def test_a_pair_whose_beta_changed_starts_afresh() -> None:
    state = SpreadState.load(
        saved(), Shard.of(strategy(("A", "B", "C"), (("A", "B", 0.8), ("B", "C", 1.25)), MOMENTS), 0)
    )
    assert state.kernel.pairs["updates"][0] == 0
    assert state.kernel.pairs["updates"][1] > 100


def test_marks_owed_for_instruments_that_left_are_forgotten() -> None:
    running = engine(OLD)
    feed(running, [LOG.block(0, 300)])
    owed = int(running.state.kernel.clock["changed"][0])
    names = [OLD.instruments[place].id for place in running.state.kernel.changed[:owed]]
    state = SpreadState.load(save(running), Shard.of(strategy(("C", "A"), (("C", "A", 1.0),)), 0))
    kept = state.kernel.changed[: int(state.kernel.clock["changed"][0])]
    assert [("C", "A")[place] for place in kept] == [name for name in names if name != "B"]
    assert np.flatnonzero(state.kernel.quotes["changed"]).tolist() == sorted(kept.tolist())


@pytest.mark.parametrize("names", [b"", b"\x01", b"\x07whatever", b"\x04\x00"])
def test_bytes_of_another_version_are_refused(names: bytes) -> None:
    with pytest.raises(ValueError, match="spread state"):
        SpreadState.load(saved()._replace(names=names), Shard.of(OLD, 0))


def test_bytes_cut_short_are_refused() -> None:
    cut = saved()._replace(fast=saved().fast[:-1])
    with pytest.raises(ValueError, match=r"spread state: \d+ bytes expected, not \d+"):
        SpreadState.load(cut, Shard.of(OLD, 0))


def test_parts_of_other_names_are_refused() -> None:
    other = saved(strategy(("A", "B"), (("A", "B", 0.7),), MOMENTS))
    for mixed in (saved()._replace(fast=other.fast), saved()._replace(slow=other.slow)):
        with pytest.raises(ValueError, match=r"spread state: .* of other names"):
            SpreadState.load(mixed, Shard.of(OLD, 0))


def test_other_levels_are_taken_up_from_where_z_is() -> None:
    few = replace(OLD, levels=Levels.parse("0.5, 2.."))
    state = SpreadState.load(saved(), Shard.of(few, 0))
    for pair in state.kernel.pairs:
        assert pair["lower"] <= pair["z"] < pair["upper"]
        assert {abs(pair["lower"]), abs(pair["upper"])} & {0.5, 2.0, 2.25}
    crossed = [(event["pair"], event["tick_sequence"]) for event in decoded(feed(engine(few, saved()), BLOCKS[6:]))[3]]
    afresh = [(event["pair"], event["tick_sequence"]) for event in decoded(feed(engine(few), BLOCKS))[3]]
    assert crossed[-10:] == afresh[-10:]  # with the same moments, and once a level has been crossed, the same
