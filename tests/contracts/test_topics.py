"""Where keys fall: one shard, one partition, one subtask."""

import pytest
from kafka.partitioner import murmur2

from pipelines.contracts.schemas import records
from pipelines.contracts.topics import MAX_PARALLELISM, RECORDS, Topics, flink_subtask, kafka_partition, shard_key


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 32])
def test_each_shard_has_a_partition_and_a_subtask_of_its_own(shards: int) -> None:
    keys = [shard_key(shard, shards) for shard in range(shards)]
    assert [kafka_partition(key.encode(), shards) for key in keys] == list(range(shards))
    assert [flink_subtask(key, shards) for key in keys] == list(range(shards))


def test_keys_never_change_because_state_and_partitions_hang_on_them() -> None:
    assert [shard_key(shard, 2) for shard in range(2)] == ["shard-0-5", "shard-1-0"]
    assert [shard_key(shard, 4) for shard in range(4)] == ["shard-0-5", "shard-1-7", "shard-2-37", "shard-3-30"]


@pytest.mark.parametrize(("shard", "shards"), [(3, 3), (-1, 3), (0, 129), (0, 0)])
def test_a_shard_that_there_cannot_be_is_refused(shard: int, shards: int) -> None:
    with pytest.raises(
        ValueError, match=f"no shard {shard} of {shards}: shards are numbered from 0, and are 128 at most"
    ):
        shard_key(shard, shards)


@pytest.mark.parametrize(
    ("key", "parallelism", "subtask"),
    [
        ("", 3, 0),
        ("a", 8, 4),
        ("shard-0-0", 8, 6),
        ("shard-63-4242", 3, 2),
        ("shard-63-4242", 8, 7),
        ("Ünï", 3, 0),
        ("Ünï", 8, 1),
    ],
)
def test_subtasks_are_those_of_flink_2_2(key: str, parallelism: int, subtask: int) -> None:
    """Taken from KeyGroupRangeAssignment.assignKeyToParallelOperator(Row.of(key), 128, parallelism) on the JVM."""
    assert flink_subtask(key, parallelism, MAX_PARALLELISM) == subtask


def test_partitions_are_those_of_kafkas_own_partitioner() -> None:
    """Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2."""
    assert [murmur2(key) - (1 << 32) * (murmur2(key) >> 31) for key in (b"21", b"foobar", b"abc")] == [
        -973932308,
        -790332482,
        479470107,
    ]
    assert kafka_partition(b"21", 7) == (-973932308 & 0x7FFFFFFF) % 7


def test_a_prefix_keeps_sessions_apart() -> None:
    ours, theirs = (Topics(prefix).partitions(("sim",), 2).keys() for prefix in ("a.", "b."))
    assert ours.isdisjoint(theirs)


def test_topics_by_shard_have_a_partition_for_each_and_decisions_have_one_log() -> None:
    partitions = Topics("t.").partitions(("sim", "binance"), 5)
    by_shard = ("ticks", "spreads", "samples", "bars")
    assert {partitions[f"t.market.{name}"] for name in by_shard} == {5}
    assert partitions["t.trading.events"] == partitions["t.trading.orders"] == 1
    assert {"t.raw.sim", "t.raw.binance"} <= partitions.keys()


def test_every_topic_holds_a_record_that_has_a_schema() -> None:
    assert set(RECORDS.values()) <= set(records())
