"""The market operator against a fake of Flink: records in, blocks and rejects out, whatever is in the records."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipelines.contracts.blocks import BlockCodec, TickBlock
from pipelines.contracts.frames import FramesCodec, RawFrames
from pipelines.contracts.schemas import records
from pipelines.contracts.topics import Topics, shard_key
from pipelines.contracts.wire import Codec
from pipelines.domain.market import Flag, Kind
from pipelines.domain.universe import Instrument, Limits, Moments, Pair, Sizing, Strategy, Venue
from pipelines.feeds.protocols.binance import Binance
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.simulated_faults import FaultRates
from pipelines.operators.market import Market
from tests.support.binance_frames import E_MS, RECEIVE_NS, quote, trade
from tests.support.fake_flink import KeyedHarness, Snapshot, record

IDS = {name: number for number, name in enumerate(records(), start=1)}
FRAMES = FramesCodec(IDS["helios.market.RawFrames"])
BLOCKS = BlockCodec(IDS["helios.market.TickBlock"])
REJECTS = Codec("helios.market.Reject", IDS["helios.market.Reject"])
TOPICS = Topics("t.")
SESSION = "s1"
CLOCK_NS = E_MS * 1_000_000

STRATEGY = Strategy(
    name="test",
    account="desk",
    shards=2,
    venues=(Venue("binance", "binance", 1_270_000_000),),
    instruments=tuple(Instrument(s[:3], "binance", s, 0.01, 0.001) for s in ("BTCUSDT", "ETHUSDT", "SOLUSDT")),
    pairs=(Pair("be", "BTC", "ETH", 20.0, 0), Pair("bs", "BTC", "SOL", 300.0, 1)),
    moments=Moments(),
    signals=(),
    sizing=Sizing(1e5),
    limits=Limits(100, 1000),
)


def market(strategy: Strategy = STRATEGY, venue: str = "binance", snapshot: Snapshot | None = None) -> KeyedHarness:
    return KeyedHarness(Market(strategy, venue, Binance, TOPICS, IDS), snapshot=snapshot)


def raw(first: int, *frames: bytes, clock_ns: int = 0, end: bool = False, symbols: Sequence[str] = ()) -> RawFrames:
    return RawFrames("binance", SESSION, first, clock_ns, end, tuple(symbols), [RECEIVE_NS] * len(frames), list(frames))


def row(value: RawFrames, offset: int = 0) -> Any:
    return record(FRAMES.encode(value), key=value.session, offset=offset, partition=1, timestamp=E_MS)


def ticks(emitted: Iterable[Any]) -> list[TickBlock]:
    return [BLOCKS.decode(value) for each in emitted if each[0] == TOPICS.ticks for value in each[2]]


def rejects(emitted: Iterable[Any]) -> list[dict[str, Any]]:
    return [REJECTS.decode(value) for each in emitted if each[0] == TOPICS.rejects for value in each[2]]


def test_a_record_gives_one_block_a_shard_under_its_key_and_time() -> None:
    emitted = market().feed(row(raw(0, quote("BTCUSDT"), trade("ETHUSDT"), trade("SOLUSDT")), offset=42))
    assert [(topic, key, times) for topic, key, _, times in emitted] == [
        ("t.market.ticks", shard_key(0, 2), [E_MS]),
        ("t.market.ticks", shard_key(1, 2), [E_MS]),
    ]
    first, second = ticks(emitted)
    assert (first.shard, first.instruments, first.ticks["sequence"].tolist()) == (0, ("BTC", "ETH"), [1, 2])
    assert (second.shard, second.instruments, second.ticks["sequence"].tolist()) == (1, ("BTC", "SOL"), [1, 3])
    assert (first.venue, first.session, first.raw_partition, first.raw_offset) == ("binance", SESSION, 1, 42)


def test_a_reject_says_where_its_frame_lies() -> None:
    (reject,) = rejects(market().feed(row(raw(0, b"junk"), offset=7)))
    assert reject | {"detail": ""} == {
        "venue": "binance",
        "session": SESSION,
        "frame": 0,
        "frames": 1,
        "reason": "undecodable",
        "instrument": "",
        "detail": "",
        "event_time_ms": E_MS,
        "raw_topic": "t.raw.binance",
        "raw_partition": 1,
        "raw_offset": 7,
        "payload": b"junk",
    }


def test_hello_heartbeats_and_end_tell_the_time_to_the_shards_of_the_sessions_symbols() -> None:
    operator = market()
    said = [
        *operator.feed(row(raw(0, clock_ns=CLOCK_NS, symbols=["SOLUSDT"]))),
        *operator.feed(row(raw(0, clock_ns=CLOCK_NS + 10))),
        *operator.feed(row(raw(0, clock_ns=CLOCK_NS + 20, end=True))),
    ]
    assert [(block.shard, block.ticks["kind"].item(), block.ticks["event_ns"].item()) for block in ticks(said)] == [
        (1, Kind.HEARTBEAT, CLOCK_NS),
        (1, Kind.HEARTBEAT, CLOCK_NS + 10),
        (1, Kind.END, CLOCK_NS + 20),
    ]


def test_a_record_that_comes_again_gives_nothing() -> None:
    operator = market()
    said = [raw(0, clock_ns=CLOCK_NS, symbols=["BTCUSDT"]), raw(0, quote()), raw(1, clock_ns=CLOCK_NS + 10)]
    assert all(operator.feed(row(each)) for each in said)
    assert [operator.feed(row(each)) for each in said] == [[], [], []]


def test_a_restarted_operator_goes_on_as_one_that_never_stopped() -> None:
    said = [raw(0, quote(u=1), trade(t=1)), raw(2, quote(u=1), trade(t=3)), raw(4, clock_ns=CLOCK_NS + 5)]
    whole = market()
    undisturbed = [whole.feed(row(each, offset)) for offset, each in enumerate(said)]
    snapshot: Snapshot | None = None
    restarted = []
    for offset, each in enumerate(said):
        operator = market(snapshot=snapshot)
        restarted.append(operator.feed(row(each, offset)))
        snapshot = operator.snapshot()
    assert [list(map(tuple, made)) for made in restarted] == [list(map(tuple, made)) for made in undisturbed]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        (b"", "not in Confluent's wire format"),
        (b"\x00\x00\x00\x00\xff1234", "written with schema id 255"),
        (FRAMES.encode(raw(0, quote()))[:-3], "helios.market.RawFrames"),
        (FRAMES.encode(replace(raw(0), venue="kraken")), "venue 'kraken' on the topic of binance"),
        (FRAMES.encode(replace(raw(0), session="s2")), "session 's2' under the key 's1'"),
        (FRAMES.encode(raw(-1, quote())), "first_sequence: -1"),
        (FRAMES.encode(raw(1 << 60, quote())), "first_sequence: 1152921504606846976: far beyond 0"),
        (FRAMES.encode(raw(0, clock_ns=1 << 62)), "clock_ns: 4611686018427387904: not a time"),
        (FRAMES.encode(replace(raw(0, quote()), receive_ns=[-5])), "receive_ns: -5 to -5: not times"),
    ],
)
def test_a_record_that_cannot_be_used_is_told_and_stops_nothing(value: bytes, detail: str) -> None:
    operator = market()
    bad = record(value, key=SESSION, offset=9, partition=1, timestamp=E_MS)
    (told,) = rejects(operator.feed(bad))
    assert (told["reason"], told["frames"], told["raw_offset"]) == ("bad_record", 0, 9)
    assert told["detail"].startswith("t.raw.binance partition 1 offset 9: ")
    assert detail in told["detail"]
    assert len(ticks(operator.feed(row(raw(0, quote()))))) == 2


def test_a_simulated_session_comes_out_with_every_fault_told_where_it_was_put_and_nothing_lost() -> None:
    source = SimulatedSource(Simulation(7, instruments=8, seconds=20, shards=2, faults=FaultRates.each(0.01)))
    strategy = source.simulation.strategy()
    operator = market(strategy, "simulated")
    frames, emitted = 0, []
    for offset, batch in enumerate(source.batches({}, 0)):
        frames += len(batch.record.frames)
        emitted.extend(operator.feed(row(batch.record, offset)))
    told = rejects(emitted)
    injected = source.book.injected
    assert len(injected) > 300
    assert {(one.session, one.frame, one.reason) for one in injected} == {
        (one["session"], one["frame"], one["reason"]) for one in told
    }
    assert len(told) == len(injected)
    kept = np.concatenate([block.ticks for block in ticks(emitted)])
    home = kept[(kept["flags"] & Flag.HOME) != 0]
    assert len(home) + sum(one["frames"] for one in told) == frames
    assert {block.shard for block in ticks(emitted)} == {0, 1}
    assert (kept["kind"] == Kind.END).sum() == 2


def test_a_session_taken_up_from_its_journal_goes_on_as_if_nothing_had_been(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at every place of a long session, before and after its base was made anew."""
    monkeypatch.setattr("pipelines.operators.journal.LEAST_BYTES", 2_500)
    monkeypatch.setattr("pipelines.operators.journal.TIMES_BASE", 0)
    values = [raw(first, *(quote(u=first + n) for n in range(3)), trade(t=first)) for first in range(0, 60, 4)]
    values[7] = raw(28, quote(u=1), quote(u=29), trade(t=27), trade(t=28))
    undisturbed = market()
    whole = [undisturbed.feed(row(value, offset)) for offset, value in enumerate(values)]
    disturbed, sizes = market(), set()
    for offset, value in enumerate(values):
        assert rowed(disturbed.feed(row(value, offset))) == rowed(whole[offset])
        saved = disturbed.snapshot()
        sizes.add(len(saved["market-since"].get(SESSION, ())))
        disturbed = market(snapshot=saved)
    assert len(sizes) > 2
    assert max(sizes) < 5


def test_no_id_is_given_twice_where_the_strategy_lists_less_after_a_restart() -> None:
    operator = market()
    before = ticks(operator.feed(row(raw(0, quote("BTCUSDT", u=1), quote("SOLUSDT", u=1), quote("ETHUSDT", u=1)))))
    less = replace(STRATEGY, instruments=STRATEGY.instruments[:2], pairs=STRATEGY.pairs[:1])
    after = ticks(market(less, snapshot=operator.snapshot()).feed(row(raw(3, quote("ETHUSDT", u=2)), 1)))
    highest = max(int(block.ticks["sequence"].max()) for block in before)
    assert min(int(block.ticks["sequence"].min()) for block in after) == highest + 1


def rowed(emitted: Iterable[Any]) -> list[tuple[Any, ...]]:
    return [(each[0], each[1], list(each[2]), list(each[3])) for each in emitted]
