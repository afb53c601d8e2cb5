"""Sessions cut into records: heartbeats by the frames alone, whatever the speed; going on from a mark; pacing."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.frames import RawFrames
from pipelines.feeds.handler import Clock, Pace, handle
from pipelines.feeds.simulated import SimulatedSource, Simulation
from pipelines.feeds.source import END_NS, HEARTBEAT_NS, MOST_FRAMES, Batch, Mark, Run, Session

MS = 1_000_000
START_NS = 1_000 * HEARTBEAT_NS


def runs(offsets_ms: list[float], chunk: int = 1000) -> Iterator[Run]:
    times = START_NS + (np.array(offsets_ms) * MS).astype(np.int64)
    frames = [b"%d" % number for number in range(len(times))]
    for first in range(0, len(times), chunk):
        part = times[first : first + chunk]
        yield Run(part, part.tolist(), frames[first : first + chunk])


def cut(offsets_ms: list[float], chunk: int = 1000, mark: Mark | None = None, window_ns: int = 0) -> list[Batch]:
    return list(Session("v", "s", ("A",)).batches(runs(offsets_ms, chunk), START_NS, mark, window_ns))


def told(batches: list[Batch]) -> list[str | int]:
    """Frames by number; heartbeats as their ms after the start."""
    said: list[str | int] = []
    for batch in batches:
        record = batch.record
        said += [frame.decode() for frame in record.frames] or [(record.clock_ns - START_NS) // MS]
    return said


def test_a_heartbeat_stands_at_each_ten_milliseconds_in_which_nothing_was_written() -> None:
    #  ms     0    10   20   30   40   50
    #  frame    0             1 2      3
    #  beat        (has 0)  20  (1, 2)  (3 at 45 is in the cell of 50)
    assert told(cut([4, 31, 33, 45]))[:-1] == [0, "0", 20, 30, "1", "2", "3"]


def test_a_frame_on_the_grid_is_not_told_twice() -> None:
    assert told(cut([10, 30, 30]))[:-1] == [0, "0", 20, "1", "2"]


def test_a_session_begins_with_its_symbols_and_ends_a_day_later() -> None:
    first, *_, last = cut([1.0])
    assert first.record == RawFrames("v", "s", 0, START_NS, symbols=("A",))
    assert last.record == RawFrames("v", "s", 1, START_NS + MS + END_NS, end=True)
    assert last.due_ns == START_NS + MS


def test_a_record_holds_no_more_frames_than_allowed_nor_more_time_than_the_window() -> None:
    many = cut([0.001] * 1201)
    assert [len(batch.record.frames) for batch in many] == [0, MOST_FRAMES, MOST_FRAMES, 201, 0]
    assert [len(batch.record.frames) for batch in cut([0.5, 1, 1.9, 2.1, 3], window_ns=2 * MS)] == [0, 3, 2, 0]


offsets = st.lists(st.floats(0, 25), max_size=40).map(lambda steps: np.cumsum(steps).round(3).tolist())


@settings(max_examples=60, deadline=None)
@given(offsets, st.integers(1, 9), st.sampled_from([0, 2 * MS, 40 * MS]), st.data())
def test_however_it_is_cut_or_interrupted_a_session_says_the_same(
    times: list[float], chunk: int, window_ns: int, data: st.DataObject
) -> None:
    whole = told(cut(times))
    assert told(cut(times, chunk, window_ns=window_ns)) == whole
    written = cut(times, chunk, window_ns=window_ns)
    written = written[: data.draw(st.integers(1, len(written)))]
    last = written[-1].record
    mark = Mark(last.first_sequence + len(last.frames), last.clock_ns, last.end)
    rest = cut(times, mark=mark)
    assert told(written) + told(rest) == whole
    assert all(batch.record.first_sequence >= mark.next_frame for batch in rest)


class Written:
    """A log in memory."""

    def __init__(self) -> None:
        self.records: list[RawFrames] = []
        self.flushed = 0

    def write(self, record: RawFrames) -> None:
        self.records.append(record)

    def flush(self) -> None:
        self.flushed = len(self.records)


class Wall:
    """A wall clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now_ns = 5_000

    def sleep(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


def small() -> SimulatedSource:
    return SimulatedSource(Simulation(1, instruments=4, seconds=3, ticks_per_second=100, shards=2))


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 3.0), (20.0, 0.15), (0.0, 0.0)])
def test_a_feed_takes_its_event_time_over_its_speed(speed: float, seconds: float) -> None:
    wall = Wall()
    handled = handle(small(), Written(), {}, Pace(speed), clock=Clock(lambda: wall.now_ns, wall.sleep))
    assert handled.seconds == pytest.approx(seconds, abs=0.02)
    assert (handled.frames, handled.finished) == (300, True)


def test_a_feed_told_to_stop_writes_no_end_and_another_goes_on_from_there() -> None:
    whole, first, second = Written(), Written(), Written()
    handle(small(), whole, {})
    stop, wall = threading.Event(), Wall()

    def sleep(seconds: float) -> None:
        wall.sleep(seconds)
        if wall.now_ns > 1e9:
            stop.set()

    stopped = handle(small(), first, {}, Pace(1.0), stop=stop, clock=Clock(lambda: wall.now_ns, sleep))
    assert not stopped.finished
    assert first.flushed == len(first.records) > 0
    last = {record.session: record for record in first.records}
    marks = {name: Mark(it.first_sequence + len(it.frames), it.clock_ns, it.end) for name, it in last.items()}
    went_on = handle(small(), second, marks)
    assert went_on.finished
    assert sum(went_on.position.values()) == 300
    assert by_session(first.records + second.records) == by_session(whole.records)


def by_session(records: list[RawFrames]) -> dict[str, list[bytes | int]]:
    said: dict[str, list[bytes | int]] = {}
    for record in records:
        said.setdefault(record.session, []).extend(record.frames or [record.clock_ns])
    return said


def test_a_finished_session_is_not_written_again() -> None:
    done = {name: Mark(150, ended=True) for name in small().sessions}
    log = Written()
    assert handle(small(), log, done).finished
    assert log.records == []
