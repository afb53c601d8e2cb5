"""Compiled Avro of spread events, bars and marks: fastavro reads from it what was put in, and writes the same bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.spreads import BarWriter, MarksWriter, SamplesWriter, SpreadWriter, long_bytes
from pipelines.contracts.trading import EventCodec
from pipelines.contracts.wire import Codec
from pipelines.domain.bars import BAR
from pipelines.domain.identity import marks_id
from pipelines.domain.spread_rows import EVENT_KINDS, MARKED, MARKS, SAMPLED, SAMPLES, SPREAD
from pipelines.domain.trading import Marks, TradingEvent
from tests.support.shards import shard_of, strategy

ID = 12345
SESSIONS = [("SIM", "first"), ("SIM", "zweite Sitzung ü")]
SHARD = shard_of(strategy(instruments=("AAA", "B", "Crédit"), pairs=(("AAA", "B", 0.5), ("B", "Crédit", 1.5))))
PAIRS = [pair.name for pair in SHARD.pairs]
ns = st.integers(-(2**62), 2**62)
number = st.floats(allow_nan=False)


def rows(dtype: np.dtype, **columns: st.SearchStrategy) -> st.SearchStrategy[np.ndarray]:
    names = dtype.names
    row = st.tuples(*(columns.get(name, number if dtype[name].kind == "f" else ns) for name in names))
    return st.lists(row, max_size=5).map(lambda found: np.array(found, dtype))


@given(
    rows(
        SPREAD,
        kind=st.integers(0, 2),
        pair=st.integers(-1, len(PAIRS) - 1),
        rung=st.integers(-(2**31), 2**31 - 1),
        flags=st.integers(0, 127),
        session=st.integers(0, 1),
    )
)
@settings(max_examples=60, deadline=None)
def test_a_spread_event_is_what_fastavro_writes(events: np.ndarray) -> None:
    codec = Codec("helios.market.SpreadEvent", ID)
    expected = [
        {
            "kind": EVENT_KINDS[event["kind"]],
            "shard": SHARD.number,
            "sequence": event["sequence"].item(),
            "pair": PAIRS[event["pair"]] if event["pair"] >= 0 else "",
            "event_time_ms": event["event_ns"].item() // 1_000_000,
            "event_time_ns": event["event_ns"].item(),
            **{
                name: event[name].item()
                for name in SPREAD.names or ()
                if name in ("rung", "beta", "flags") or SPREAD[name].kind == "f"
            },
            "tick_session": SESSIONS[event["session"]][1],
            "tick_sequence": event["tick_sequence"].item(),
        }
        for event in events
    ]
    values, times_ms = SpreadWriter(ID, SHARD).encode(events, SESSIONS)
    assert values == [codec.encode(each) for each in expected]
    assert times_ms == [each["event_time_ms"] for each in expected]


rung = st.integers(-(2**31), 2**31 - 1)


@given(
    st.lists(rows(SAMPLED, pair=st.integers(0, 1), rung=rung, flags=st.integers(0, 127)).filter(len), max_size=4),
    st.integers(1, 10**12),
    ns,
)
@settings(max_examples=60, deadline=None)
def test_samples_are_what_fastavro_writes(seconds: list[np.ndarray], sequence: int, event_ns: int) -> None:
    codec = Codec("helios.market.SpreadSamples", ID)
    firsts = np.cumsum([0, *map(len, seconds)]).tolist()
    samples = np.array([(sequence + i, event_ns, firsts[i], len(each)) for i, each in enumerate(seconds)], SAMPLES)
    expected = [
        {
            "shard": SHARD.number,
            "sequence": sequence + i,
            "event_time_ms": event_ns // 1_000_000,
            "event_time_ns": event_ns,
            "samples": [
                {name: PAIRS[row[name]] if name == "pair" else row[name].item() for name in SAMPLED.names or ()}
                for row in each
            ],
        }
        for i, each in enumerate(seconds)
    ]
    sampled = np.concatenate([np.zeros(0, SAMPLED), *seconds])
    values, times_ms = SamplesWriter(ID, SHARD).encode(samples, sampled)
    assert values == [codec.encode(each) for each in expected]
    assert times_ms == [event_ns // 1_000_000] * len(seconds)


@given(rows(BAR, instrument=st.integers(0, 2), trades=st.integers(0, 9), quotes=st.integers(0, 2**40)))
@settings(max_examples=60, deadline=None)
def test_a_bar_is_what_fastavro_writes(bars: np.ndarray) -> None:
    codec = Codec("helios.market.Bar", ID)
    expected = [
        {
            "kind": "bar",
            "venue": "SIM",
            "instrument": SHARD.instruments[bar["instrument"]].id,
            "shard": SHARD.number,
            "interval_s": 60,
            "start_ms": bar["start_ns"].item() // 1_000_000,
            "event_time_ms": (bar["start_ns"].item() + 60_000_000_000) // 1_000_000,
            **{name: bar[name].item() for name in BAR.names or () if name not in ("instrument", "start_ns")},
        }
        for bar in bars
    ]
    values, times_ms = BarWriter(ID, SHARD).encode(bars)
    assert values == [codec.encode(each) for each in expected]
    assert times_ms == [each["event_time_ms"] for each in expected]


@given(
    st.lists(rows(MARKED, instrument=st.integers(0, 2), state=st.integers(0, 3)).filter(len), max_size=4),
    st.integers(1, 10**12),
    ns,
)
@settings(max_examples=60, deadline=None)
def test_marks_are_what_fastavro_writes(quotes: list[np.ndarray], sequence: int, event_ns: int) -> None:
    codec = EventCodec(ID)
    firsts = np.cumsum([0, *map(len, quotes)]).tolist()
    marks = np.array([(sequence + i, event_ns, firsts[i], len(each)) for i, each in enumerate(quotes)], MARKS)
    expected = [
        TradingEvent(
            event_id=marks_id(SHARD.number, sequence + i),
            account="main",
            event_time_ns=event_ns,
            body=Marks(
                shard=SHARD.number,
                sequence=sequence + i,
                instruments=tuple(SHARD.instruments[place].id for place in each["instrument"]),
                bid=tuple(each["bid"].tolist()),
                ask=tuple(each["ask"].tolist()),
                time_ns=tuple(each["time_ns"].tolist()),
                state=tuple(each["state"].tolist()),
            ),
        )
        for i, each in enumerate(quotes)
    ]
    marked = np.concatenate([np.zeros(0, MARKED), *quotes])
    values, times_ms = MarksWriter(ID, SHARD, "main").encode(marks, marked)
    assert values == [codec.encode(each) for each in expected]
    assert times_ms == [event_ns // 1_000_000] * len(quotes)


@pytest.mark.parametrize(
    ("value", "written"), [(0, "00"), (-1, "01"), (63, "7e"), (64, "8001"), (-(2**63), "ff" * 9 + "01")]
)
def test_a_long_is_a_zig_zag_varint(value: int, written: str) -> None:
    assert long_bytes(value).hex() == written
