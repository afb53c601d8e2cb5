"""Doubtful rows: what is found, and what the rules of a venue do with it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.domain.decoding import DECODED
from pipelines.domain.market import NS_PER_S, Condition, Flag, Kind, Status
from pipelines.domain.quality import ACTIONS, BAND, LEAST, WINDOW, Action, Rules, outside, remember
from pipelines.domain.sequencing import FLAG_OF, Judged, Terms, Verdict, dump, judge, load, new_session

NOW = 1_700_000_000 * NS_PER_S


def row(kind: Kind = Kind.QUOTE, bid: float = 100.0, ask: float = 100.02, **more: Any) -> np.void:
    made = np.zeros(1, DECODED)
    made["position"] = 0
    made["kind"], made["bid"], made["ask"], made["event_ns"], made["venue_sequence"] = kind, bid, ask, NOW, -1
    made["bid_size"] = made["ask_size"] = 1.0
    if kind in (Kind.TRADE, Kind.LEVEL):
        made["ask"] = bid
    for name, value in more.items():
        made[name] = value
    one: np.void = made[0]
    return one


def judged(*rows: np.void, tick_size: float = 0.01, **rules: Any) -> Judged:
    batch = np.array([each.item() for each in rows], DECODED)
    batch["position"] = np.arange(len(batch))
    received = np.full(len(batch), NOW, np.int64)
    return judge(new_session(1), batch, received, 0, Terms(np.array([tick_size]), 0, Rules(**rules)))


def flags(made: Judged, place: int = -1) -> Flag:
    return Flag(int(made.ticks["flags"][place]))


DOUBTFUL = {
    "duplicate": [row(venue_sequence=5), row(venue_sequence=5)],
    "out_of_order": [row(venue_sequence=5), row(venue_sequence=4)],
    "crossed": [row(bid=100.03)],
    "locked": [row(bid=100.02)],
    "off_tick": [row(bid=99.995)],
    "outlier": [row(bid=100 + i / 100, ask=100.02 + i / 100) for i in range(LEAST)] + [row(bid=140.0, ask=140.02)],
    "stale": [row(event_ns=NOW - 61 * NS_PER_S)],
    "halted": [row(Kind.STATUS, 0.0, 0.0, code=Status.HALTED), row()],
}


def test_every_finding_has_a_case() -> None:
    assert set(DOUBTFUL) == set(ACTIONS)


@pytest.mark.parametrize("finding", ACTIONS)
def test_a_finding_is_let_pass_flagged_or_rejected_as_the_rule_says(finding: str) -> None:
    rows = DOUBTFUL[finding]
    passed, flagged, rejected = (judged(*rows, **{finding: action}) for action in Action)
    flag = FLAG_OF[finding]
    assert len(passed.ticks) == len(flagged.ticks) == len(rows)
    assert not flags(passed) & flag
    assert flags(flagged) & flag
    assert len(rejected.ticks) == len(rows) - 1
    assert Verdict(int(rejected.verdicts[-1])).name.lower() == finding


@pytest.mark.parametrize("finding", ACTIONS)
def test_good_rows_have_no_finding(finding: str) -> None:
    rows = [row(bid=100 + i / 100, ask=100.02 + i / 100, venue_sequence=i) for i in range(50)]
    made = judged(*rows, **{finding: Action.REJECT})
    assert len(made.ticks) == 50
    assert not made.ticks["flags"].any()


def test_an_out_of_order_row_that_passes_does_not_turn_the_count_back() -> None:
    made = judged(*(row(venue_sequence=n) for n in (5, 4, 5)), out_of_order=Action.FLAG, duplicate=Action.REJECT)
    assert made.verdicts.tolist() == [Verdict.GOOD, Verdict.GOOD, Verdict.DUPLICATE]


@pytest.mark.parametrize(
    ("rows", "good"),
    [
        (row(bid=0.0, bid_size=0.0), True),  # a side that is not there
        (row(bid=0.0, bid_size=0.0, ask=0.0, ask_size=0.0), True),
        (row(bid=0.0), False),
        (row(bid=-1.0, bid_size=0.0), False),
        (row(bid=float("nan")), False),
        (row(Kind.LEVEL, bid_size=0.0, ask_size=0.0), True),  # a level that is gone
        (row(Kind.LEVEL, bid=0.0), False),
        (row(Kind.TRADE, bid_size=0.0), False),
        (row(Kind.AUCTION, 100.0, 0.0, ask_size=0.0), True),
        (row(Kind.AUCTION, -100.0, 0.0), False),
    ],
)
def test_what_prices_and_quantities_may_be(rows: np.void, good: bool) -> None:
    assert (judged(rows).verdicts[0] == Verdict.GOOD) == good


def test_a_quote_with_one_side_is_neither_crossed_nor_off_tick() -> None:
    assert flags(judged(row(ask=0.0, ask_size=0.0))) == Flag(0)


@pytest.mark.parametrize("price", [0.07, 1.1, 100.01, 4_999.99, 61_800.3, 123_456.78])
def test_decimals_that_no_double_holds_are_whole_ticks(price: float) -> None:
    assert flags(judged(row(Kind.TRADE, price), tick_size=0.01)) == Flag(0)
    assert flags(judged(row(Kind.TRADE, price + 0.004), tick_size=0.01)) & Flag.OFF_TICK


def test_where_the_tick_size_is_not_known_no_price_is_off_it() -> None:
    assert flags(judged(row(bid=1 / 3, ask=0.5), tick_size=0.0)) == Flag(0)


def test_a_halt_ends_when_the_venue_says_so() -> None:
    halt, resume = row(Kind.STATUS, 0.0, 0.0, code=Status.HALTED), row(Kind.STATUS, 0.0, 0.0, code=Status.TRADING)
    made = judged(row(), halt, row(), resume, row())
    assert [bool(Flag.HALTED & flags(made, place)) for place in (0, 2, 4)] == [False, True, False]


def test_a_move_that_lasts_is_the_new_level_after_half_a_window() -> None:
    rows = [row(bid=100 + i % 2 / 100) for i in range(WINDOW)] + [row(bid=140.0, ask=140.02) for _ in range(WINDOW)]
    marked = (judged(*rows).ticks["flags"] & Flag.OUTLIER) != 0
    assert marked[WINDOW]
    assert not marked[-WINDOW // 2 + 1 :].any()


def test_trades_that_do_not_move_the_last_price_are_not_held_against_the_band() -> None:
    rows = [row(bid=100 + i / 100, ask=100.02 + i / 100) for i in range(LEAST)]
    aside = row(Kind.TRADE, 140.0, code=Condition.NOT_LAST)
    assert not flags(judged(*rows, aside)) & Flag.OUTLIER
    assert flags(judged(*rows, row(Kind.TRADE, 140.0))) & Flag.OUTLIER


def test_what_was_received_at_no_known_time_is_neither_future_nor_stale() -> None:
    made = judge(
        new_session(1),
        np.array([row(event_ns=NOW * 2).item()], DECODED),
        np.zeros(1, np.int64),
        0,
        Terms(np.zeros(1), 7),
    )
    assert made.verdicts.tolist() == [Verdict.GOOD]
    assert made.ticks["receive_ns"][0] == NOW * 2 - 7


@given(st.lists(st.integers(1, 40).map(lambda n: n / 8), min_size=1, max_size=120), st.floats(0.01, 8))
def test_the_band_is_that_of_median_and_median_deviation(prices: list[float], mads: float) -> None:
    band = np.zeros(1, BAND)[0]
    ring, ordered, count, following = band["ring"], band["ordered"], 0, 0
    for place, price in enumerate(prices):
        last = sorted(prices[max(0, place - WINDOW) : place])
        assert ordered[:count].tolist() == last
        if count >= LEAST:
            middle = float(np.median(last))
            deviation = sorted(abs(each - middle) for each in last)[(count - 1) // 2]
            beyond = abs(price - middle)
            expected = beyond > 0.01 * middle and beyond > mads * deviation
            assert outside(ring, ordered, count, price, mads, 0.01) == expected
        else:
            assert not outside(ring, ordered, count, price, mads, 0.01)
        remember(ring, ordered, count, following, price)
        following, count = (following + 1) % WINDOW, min(count + 1, WINDOW)


def test_state_goes_on_from_its_bytes_as_if_it_had_not_been_written_down() -> None:
    rng = np.random.default_rng(5)
    mids = np.round(100 + rng.normal(0, 0.5, 200).cumsum() / 10, 2)
    mids[150] = 250.0
    rows = np.array(
        [row(bid=mid - 0.01, ask=mid + 0.01, venue_sequence=n).item() for n, mid in enumerate(mids)], DECODED
    )
    rows["position"] = np.arange(len(rows)) % 100
    received, terms = np.full(100, NOW, np.int64), Terms(np.array([0.01]))
    first = judge(new_session(1), rows[:100], received, 0, terms)
    state = replace(new_session(1), seen=first.seen)
    again = load(dump(state, ("X",)), ("X",))
    straight, resumed = (judge(each, rows[100:], received, 100, terms) for each in (state, again))
    assert straight.ticks.tobytes() == resumed.ticks.tobytes()
    assert straight.ticks["flags"][50] & Flag.OUTLIER
