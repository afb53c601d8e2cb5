"""What the spread kernel does with a handful of rows. Times in ms after START; pair A-B with beta 1."""

from collections.abc import Iterable
from typing import Any

import pytest

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import Flag, Kind, Status
from pipelines.domain.spread_model import Every, Moments
from tests.support.shards import MS, START_NS, VENUE, strategy, tick, ticks
from tests.support.spread_runs import decoded, engine, feed, run

STRATEGY = strategy(moments=Moments(20, 2, Every.TICK))
A, B, UNKNOWN = 0, 1, 2
NAMES = ("A", "B", "unknown")


def block(rows: Iterable[tuple[int | float, ...]], session: str = "s") -> TickBlock:
    return TickBlock(VENUE, session, 0, 0, 0, NAMES, ticks(rows))


def at(ms: float) -> int:
    return START_NS + int(ms * MS)


def quotes(*mids: tuple[float, int, float]) -> list[tuple[int | float, ...]]:
    """Rows of (ms, instrument, mid), numbered from 1."""
    return [tick(n, at(ms), instrument, mid - 0.5, mid + 0.5) for n, (ms, instrument, mid) in enumerate(mids, 1)]


def beat(sequence: int, ms: float) -> tuple[int | float, ...]:
    return tick(sequence, at(ms), kind=Kind.HEARTBEAT, size=0.0)


def end(sequence: int, ms: float) -> tuple[int | float, ...]:
    return tick(sequence, at(ms), kind=Kind.END, size=0.0)


def made(*blocks: TickBlock) -> tuple[list[dict[str, Any]], ...]:
    return decoded(run(STRATEGY, blocks))


def brief(events: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Kind and ms after START of each event."""
    return [(event["kind"], (event["event_time_ns"] - START_NS) / MS) for event in events]


CROSSED = quotes((1, A, 110), (2, B, 100), (3, A, 111), (4, A, 112), (5, A, 114))
"""Spreads 10 (the first), 11, 12, 14: past the warm-up of two updates from the third on, at 4 ms."""


def test_no_event_before_the_warm_up_and_the_first_z_crosses() -> None:
    _, _, _, events, *_ = made(block(CROSSED[:4]))
    assert brief(events) == [("crossing", 4)]


def test_a_crossing_tells_the_moments_from_before_its_tick() -> None:
    _, _, _, events, *_ = made(block(CROSSED[:4]))
    alpha = 2 / 21
    mean, var = 10 + alpha, (1 - alpha) * alpha
    expected = {
        "spread": 12.0,
        "mean": mean,
        "std": var**0.5,
        "z": (12 - mean) / var**0.5,
        "mid_a": 112.0,
        "mid_b": 100.0,
    }
    assert {name: events[0][name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert (events[0]["rung"], events[0]["tick_session"], events[0]["tick_sequence"]) == (25, "s", 4)


def test_an_unchanged_spread_never_has_a_z() -> None:
    _, _, _, events, *_ = made(block(quotes(*((ms / 10, ms % 2, 100) for ms in range(50)))))
    assert [event["kind"] for event in events] == ["heartbeat"]


def test_a_crossing_tells_its_mids_and_has_no_marks_of_its_own() -> None:
    marks, _, _, events, *_ = made(block(CROSSED))
    assert brief(events) == [("crossing", 4), ("crossing", 5)]
    assert [(event["mid_a"], event["mid_b"]) for event in events] == [(112.0, 100.0), (114.0, 100.0)]
    assert marks == []


def test_marks_have_the_last_quote_of_each_instrument_and_its_time() -> None:
    marks, *_ = made(block([*CROSSED, beat(6, 100)]))
    assert marks[0]["event_id"] == "marks/0/1"
    assert marks[0]["marks"] == {
        "shard": 0,
        "sequence": 1,
        "instruments": ["A", "B"],
        "bid": [113.5, 99.5],
        "ask": [114.5, 100.5],
        "time_ns": [at(5), at(2)],
        "state": [0, 0],
    }


def test_marks_every_100_ms_only_while_quotes_change() -> None:
    marks, _, _, _, *_ = made(block([*quotes((1, A, 110), (50, B, 100)), beat(3, 120), beat(4, 350)]))
    assert [(mark["event_time_ns"], mark["marks"]["instruments"]) for mark in marks] == [(at(100), ["A", "B"])]


def test_a_boundary_is_passed_with_values_from_before_the_row_that_passed_it() -> None:
    marks, _, _, _, *_ = made(block(quotes((1, A, 110), (101, A, 120), (202, A, 130))))
    assert [mark["marks"]["bid"] for mark in marks] == [[109.5], [119.5]]


def test_samples_every_second_of_pairs_past_their_warm_up() -> None:
    # ms    4, 5 crossings      1000 passed by 1001     2000 and 3000 passed by 3500: the latest only
    _, _, samples, events, *_ = made(block([*CROSSED, beat(6, 1001), beat(7, 1500), beat(8, 3500)]))
    assert [(each["event_time_ns"], each["sequence"]) for each in samples] == [(at(1000), 3), (at(3000), 4)]
    (sample,) = samples[0]["samples"]
    assert sample == {name: events[1][name] for name in sample if name in events[1]} | {
        "imbalance_a": 0.0,
        "imbalance_b": 0.0,
    }
    assert made(block([*CROSSED[:3], beat(4, 1001)]))[2] == []


def test_a_heartbeat_at_the_end_of_a_block_when_an_event_waits_or_none_came_for_10_ms() -> None:
    blocks = [
        block(CROSSED),  # ends with a crossing: time has not gone on
        block([beat(6, 6)]),  # the crossing at 5 waits
        block([beat(7, 15.9)]),  # nothing waits, and less than 10 ms went by
        block([beat(8, 16), beat(9, 40)]),
    ]
    _, _, _, events, *_ = made(*blocks)
    assert brief(events) == [("crossing", 4), ("crossing", 5), ("heartbeat", 6), ("heartbeat", 40)]
    assert [(each["pair"], each["sequence"], each["tick_sequence"]) for each in events[2:]] == [("", 2, 6), ("", 2, 9)]


def test_within_a_millisecond_there_is_no_heartbeat_as_sql_could_not_tell_it_from_the_event() -> None:
    assert brief(made(block([*CROSSED, beat(6, 5.9)]))[3]) == [("crossing", 4), ("crossing", 5)]


def test_one_row_gives_its_outputs_in_order_samples_crossing() -> None:
    _, _, samples, events, *_ = made(block([*CROSSED, tick(6, at(1015), A, 89.5, 90.5)]))
    assert brief(events) == [("crossing", 4), ("crossing", 5), ("crossing", 1015)]
    assert [each["sequence"] for each in (*events, *samples)] == [1, 2, 4, 3]


def test_a_crossing_tells_the_z_of_the_one_before_it() -> None:
    _, _, _, events, *_ = made(block([*CROSSED, tick(6, at(7), A, 89.5, 90.5)]))
    assert [each["z_before"] for each in events] == [events[0]["z"], events[0]["z"], events[1]["z"]]


def test_shard_time_is_the_running_maximum() -> None:
    _, _, _, events, *_ = made(block([*CROSSED[:3], beat(4, 9), tick(5, at(2), A, 111.5, 112.5)]))
    assert brief(events) == [("crossing", 9)]


def test_a_bar_closes_when_time_passes_its_end_and_empty_ones_are_not_written() -> None:
    def trade(sequence: int, ms: float, price: float, flags: int = Flag.HOME) -> tuple[int | float, ...]:
        return tick(sequence, at(ms), A, price, price, kind=Kind.TRADE, size=2.0, flags=flags)

    rows = [*quotes((1, A, 110), (2, B, 100)), trade(3, 3, 111), trade(4, 4, 108), trade(5, 5, 109), trade(6, 6, 1, 0)]
    _, bars, _, _, *_ = made(block([*rows, beat(7, 59_999), beat(8, 60_000), beat(9, 200_000)]))
    of_a = {"open": 111.0, "high": 111.0, "low": 108.0, "close": 109.0, "volume": 6.0, "trades": 3, "quotes": 1}
    of_b = dict.fromkeys(("open", "high", "low", "close"), 100.0) | {"volume": 0.0, "trades": 0, "quotes": 1}
    assert [(bar["instrument"], {name: bar[name] for name in of_a}) for bar in bars] == [("A", of_a), ("B", of_b)]
    assert {(bar["start_ms"] * MS, bar["event_time_ms"] * MS) for bar in bars} == {(at(0), at(60_000))}


def test_the_end_closes_bars_and_makes_one_event_without_samples_for_the_jump() -> None:
    marks, bars, _, events, *_ = made(block([*CROSSED, end(6, 86_400_005)]))
    assert brief(events)[2:] == [("end", 86_400_005)]
    assert [bar["instrument"] for bar in bars] == ["A", "B"]
    assert marks == []


def test_the_end_of_one_session_waits_for_the_others_of_its_shard() -> None:
    #  one    |--A--B--A--end
    #  other       |--A---------A--end        time and bars go on until both are over
    other = [tick(1, at(2.5), A, 109.5, 110.5), tick(2, at(8), A, 113.5, 114.5), end(3, 86_400_008)]
    blocks = [block(CROSSED[:2]), block(other[:1], "other"), block([end(3, 86_400_005)]), block(other[1:], "other")]
    _, bars, _, events, *_ = made(*blocks)
    assert [kind for kind in brief(events) if kind[0] != "heartbeat"] == [("end", 86_400_008)]
    assert [bar["quotes"] for bar in bars] == [3, 1]


def test_rows_not_above_the_sessions_mark_are_dropped_and_other_sessions_have_their_own() -> None:
    running = engine(STRATEGY)
    first = feed(running, [block(CROSSED)])
    assert feed(running, [block(CROSSED)]) == ([],) * 6
    assert len(first[3]) == 2
    assert len(feed(running, [block(CROSSED, "another")])[3]) > 0


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 1e300])
def test_a_price_that_is_none_does_not_touch_the_moments(price: float) -> None:
    spoilt = [tick(0, at(4.5), A, price, price), *CROSSED]
    numbered = [(n, *row[1:]) for n, row in enumerate([*CROSSED[:4], spoilt[0], CROSSED[4]], 1)]
    _, _, _, events, *_ = made(block(numbered))
    assert [event["z"] for event in events] == [event["z"] for event in made(block(CROSSED))[3]]


def test_an_instrument_that_is_not_of_the_shard_only_moves_time() -> None:
    marks, bars, _, events, *_ = made(
        block([tick(1, at(1), UNKNOWN, 9, 10), tick(2, at(25), UNKNOWN, 9, 10), end(3, 100)])
    )
    assert (marks, bars, brief(events)) == ([], [], [("end", 100)])


def test_more_output_than_there_is_room_for_comes_out_in_parts_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [*CROSSED, *(tick(n, at(n), A, 100.0 + n % 7 * 9, 101.0 + n % 7 * 9) for n in range(6, 300))]
    expected = run(STRATEGY, [block(rows)])
    running = engine(STRATEGY)
    tight = type(running.out)(*(part[: part.size - 4096].copy() for part in running.out[:-1]), running.out.counts)
    running.out = tight
    assert tight.spreads.size < 10
    assert feed(running, [block(rows)]) == expected


def test_marks_tell_of_a_halt_and_of_its_end_though_no_quote_came() -> None:
    #  ms   1 A  2 B quoted   50 A halted   100 marks   150 A trades   200 marks
    halt = tick(4, at(50), A, kind=Kind.STATUS, size=0.0)
    back = tick(6, at(150), A, kind=Kind.STATUS, size=0.0)
    rows = ticks([*CROSSED[:2], halt, beat(5, 100), back, beat(7, 200)])
    rows["code"][2], rows["code"][4] = Status.HALTED, Status.TRADING
    marks, *_ = made(TickBlock(VENUE, "s", 0, 0, 0, NAMES, rows))
    told = [(each["marks"]["instruments"], each["marks"]["state"], each["marks"]["bid"]) for each in marks]
    assert told == [(["A", "B"], [1, 0], [109.5, 99.5]), (["A"], [0], [109.5])]
