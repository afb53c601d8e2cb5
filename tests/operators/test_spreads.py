"""The spreads operator in a fake Flink: what goes to which topic, what is kept, and what is refused."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from pyflink.common import Row

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import Codec
from pipelines.domain.spread_model import Every, Moments
from pipelines.operators.spreads import Spreads
from tests.support.fake_flink import KeyedHarness, Snapshot, emitted, record
from tests.support.shards import random_log, strategy
from tests.support.spread_runs import SCHEMA_IDS, run

TOPICS = Topics("test.")
STRATEGY = strategy(("A", "B", "C"), (("A", "B", 0.7), ("B", "C", 1.25)), Moments(40, 10, Every.TICK))
KEY = shard_key(0, 1)
LOG = random_log(600, STRATEGY, seed=11)
CODEC = BlockCodec(SCHEMA_IDS["helios.market.TickBlock"])


def operator(snapshot: Snapshot | None = None) -> KeyedHarness:
    return KeyedHarness(Spreads(STRATEGY, TOPICS, SCHEMA_IDS), snapshot=snapshot)


def rows(blocks: Iterable[TickBlock]) -> list[Row]:
    return [record(CODEC.encode(block), key=KEY, offset=offset) for offset, block in enumerate(blocks)]


def rejects(made: list[Row]) -> list[dict[str, object]]:
    codec = Codec("helios.market.Reject", SCHEMA_IDS["helios.market.Reject"])
    assert {row[0] for row in made} <= {TOPICS.rejects}
    return [codec.decode(value) for _, _, value, _ in emitted(made)]


def test_each_topic_gets_what_the_engine_makes_under_its_key() -> None:
    records = emitted(operator().feed_all(rows(LOG.every(50))))
    marks, bars, samples, events, minutes, _ = run(STRATEGY, LOG.every(50))
    for topic, key, expected in (
        (TOPICS.events, "main", marks),
        (TOPICS.bars, KEY, bars),
        (TOPICS.samples, KEY, samples),
        (TOPICS.spreads, KEY, events),
        (TOPICS.pair_bars, KEY, minutes),
    ):
        assert [(value, time_ms) for its, _, value, time_ms in records if its == topic] == expected
        assert {its_key for its, its_key, _, _ in records if its == topic} == {key}


def test_a_block_gives_at_most_one_row_a_topic_marks_first() -> None:
    running = operator()
    names = (TOPICS.events, TOPICS.bars, TOPICS.samples, TOPICS.pair_bars, TOPICS.spreads)
    order = {name: place for place, name in enumerate(names)}
    topics = [[order[row[0]] for row in running.feed(each)] for each in rows(LOG.every(50))]
    assert all(each == sorted(set(each)) for each in topics)
    assert {place for each in topics for place in each} == {0, 1, 2, 3, 4}
    assert max(map(len, topics)) >= 3


def test_a_restart_from_a_checkpoint_goes_on_to_the_same_records() -> None:
    undisturbed = operator().feed_all(rows(LOG.every(50)))
    first = operator()
    before = first.feed_all(rows(LOG.every(50))[:5])
    saved = first.snapshot()
    first.feed_all(rows(LOG.every(50))[5:8])
    after = operator(saved).feed_all(rows(LOG.every(50))[5:])
    assert emitted(before + after) == emitted(undisturbed)


def test_shards_keep_their_state_apart() -> None:
    of = replace(STRATEGY, shards=2, pairs=(STRATEGY.pairs[0], replace(STRATEGY.pairs[1], shard=1)))
    running = KeyedHarness(Spreads(of, TOPICS, SCHEMA_IDS))
    for block in LOG.every(200):
        for shard in (0, 1):
            running.feed(record(CODEC.encode(replace(block, shard=shard)), key=shard_key(shard, 2)))
    pairs = {shard: running.state("spreads-names", shard_key(shard, 2)) for shard in (0, 1)}
    assert b'"A-B"' in pairs[0]
    assert b'"B-C"' not in pairs[0]
    assert b'"B-C"' in pairs[1]


GOOD = CODEC.encode(LOG.block(0, 50))
WRONG_TIME = LOG.block(0, 50)
WRONG_TIME.ticks["event_ns"][3] = -1


@pytest.mark.parametrize(
    ("value", "key", "says"),
    [
        (b"", KEY, "not in Confluent's wire format"),
        (b"garbage", KEY, "not in Confluent's wire format"),
        (GOOD[:-1], KEY, "ends too early"),
        (GOOD[:4] + b"\x63" + GOOD[5:], KEY, "schema id 99"),
        (CODEC.encode(replace(LOG.block(0, 50), shard=7)), KEY, "shard 7: the strategy has shards 0 to 0"),
        (GOOD, "another key", "under the key 'another key'"),
        (CODEC.encode(WRONG_TIME), KEY, "event_ns: -1 to"),
    ],
    ids=["empty", "garbage", "truncated", "another schema", "unknown shard", "another key", "no time"],
)
def test_a_bad_block_is_a_reject_and_nothing_else_changes(value: bytes, key: str, says: str) -> None:
    running = operator()
    blocks = rows(LOG.every(50))
    before = running.feed_all(blocks[:5])
    made = running.feed(record(value, key=key, partition=3, offset=41, timestamp=1_700_000_000_000))
    after = running.feed_all(blocks[5:])
    assert emitted(before + after) == emitted(operator().feed_all(blocks))
    (reject,) = rejects(made)
    assert reject["reason"] == "bad_record"
    assert str(reject["detail"]).startswith("test.market.ticks partition 3 offset 41: ")
    assert says in str(reject["detail"])
    assert (reject["raw_topic"], reject["raw_partition"], reject["raw_offset"]) == (TOPICS.ticks, 3, 41)
    assert (reject["payload"], reject["frames"]) == (value[:512], 0)


def test_two_bad_blocks_have_ids_of_their_own() -> None:
    made = operator().feed_all([record(b"x", key=KEY, offset=offset) for offset in (1, 2)])
    assert (
        len({(reject["venue"], reject["session"], reject["frame"], reject["reason"]) for reject in rejects(made)}) == 2
    )
