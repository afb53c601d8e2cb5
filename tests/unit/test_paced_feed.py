"""The feed of benchmarks: what it writes is what the feed handler and the market job would."""

from jobs.benchmarks.paced_feed import Record, Sent, raw_records, tick_records
from pipelines.contracts.frames import RECORD, FramesCodec
from pipelines.contracts.topics import Topics
from pipelines.feeds.simulated import SimulatedSource, Simulation
from tests.support.spread_runs import SCHEMA_IDS
from tests.support.tick_log import tick_log

SIMULATION = Simulation(seed=3, instruments=4, seconds=5.0, ticks_per_second=200.0, shards=1)


def test_blocks_of_ticks_are_those_that_the_market_operator_makes() -> None:
    made = tick_records(SIMULATION, SIMULATION.strategy(), SCHEMA_IDS, Topics(), 40.0)
    logged = tick_log(SIMULATION, SCHEMA_IDS, window_ms=40)
    assert [(each.key.decode(), each.value, each.time_ms) for each in made] == [tuple(block) for block in logged]
    assert sum(each.count for each in made) >= SIMULATION.events(0)


def test_raw_records_are_the_sources_own_each_due_at_its_event_time() -> None:
    made = raw_records(SIMULATION, SCHEMA_IDS, Topics("t."), 40.0)
    codec = FramesCodec(SCHEMA_IDS[RECORD])
    batches = list(SimulatedSource(SIMULATION).batches({}, 40_000_000))
    assert [codec.decode(each.value) for each in made] == [batch.record for batch in batches]
    assert {each.topic for each in made} == {"t.raw.simulated"}
    assert [each.due_ns for each in made] == [batch.due_ns - SIMULATION.start_ns for batch in batches]


def test_a_thing_was_sent_with_the_record_that_holds_it() -> None:
    sent = Sent()
    for first, count, now in ((0, 0, 5), (0, 3, 10), (3, 2, 20)):
        sent.take(Record("t", b"", b"", 0, 0, first, count), now)
    assert [sent.at_ns(number) for number in range(5)] == [10, 10, 10, 20, 20]
    assert sent.things == 5
