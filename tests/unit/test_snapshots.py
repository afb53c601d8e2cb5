"""Snapshots of instruments over intervals of shard time: what was quoted, traded and said, and the imbalance by
time."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.contracts.blocks import TickBlock
from pipelines.domain.market import Flag, Kind, Status
from pipelines.domain.universe import Strategy
from tests.support.shards import MS, START_NS, VENUE, random_log, strategy, tick, ticks
from tests.support.spread_runs import but_heartbeats, decoded, engine, feed, run

INTERVAL_MS = 200
STRATEGY = replace(
    strategy(("A", "B", "C"), (("A", "B", 1.0), ("C", "A", 0.5)), shards=2), snapshots_ns=INTERVAL_MS * MS
)
HOME, BUYER = int(Flag.HOME), int(Flag.BUYER_AGGRESSOR)
Row = tuple[int | float, ...]


def quote(ms: float, bid_size: float, ask_size: float, instrument: int = 0) -> Row:
    row = list(tick(0, START_NS + int(ms * MS), instrument, 99.0, 101.0))
    row[9], row[11] = bid_size, ask_size
    return tuple(row)


def trade(ms: float, price: float, size: float, flags: int = HOME) -> Row:
    return tick(0, START_NS + int(ms * MS), 0, price, price, Kind.TRADE, size, flags)


def status(ms: float, code: Status) -> Row:
    row = list(tick(0, START_NS + int(ms * MS), 0, kind=Kind.STATUS, size=0.0))
    row[5] = int(code)
    return tuple(row)


def snapshots(rows: list[Row], of: Strategy = STRATEGY) -> list[dict[str, Any]]:
    made = ticks(rows)
    made["sequence"] = range(1, made.size + 1)
    *_, told = decoded(feed(engine(of), [TickBlock(VENUE, "s", 0, 0, 0, ("A", "B", "C"), made)]))
    return told


def test_an_interval_has_its_quotes_and_the_imbalance_by_time() -> None:
    #  ms   0         50            150       200
    #       |  +0.5    |    -0.5     |   0     |       (0.5 * 50 - 0.5 * 100) / 200
    (told, *_) = snapshots([quote(0, 300, 100), quote(50, 100, 300), quote(150, 200, 200), quote(210, 1, 1, 1)])
    assert told["event_time_ns"] == START_NS + 200 * MS
    (snapshot,) = told["snapshots"]
    assert snapshot["imbalance"] == pytest.approx((0.5 * 50 - 0.5 * 100) / 200)
    assert (snapshot["instrument"], snapshot["quotes"], snapshot["bid_size"], snapshot["ask_size"]) == (
        "A",
        3,
        200,
        200,
    )
    assert snapshot["legs"] == [{"pair": "A-B", "leg": "a"}, {"pair": "C-A", "leg": "b"}]
    assert snapshot["home"] is True


def test_the_imbalance_of_the_interval_before_goes_on_until_the_next_quote() -> None:
    told = snapshots([quote(0, 300, 100), quote(300, 100, 300), quote(410, 1, 1, 1)])
    assert told[1]["snapshots"][0]["imbalance"] == pytest.approx((0.5 * 100 - 0.5 * 100) / 200)


def test_an_interval_has_its_trades() -> None:
    (told, *_) = snapshots(
        [trade(10, 10.0, 5, HOME | BUYER), trade(20, 12.0, 3), trade(30, 9.0, 2), quote(210, 1, 1, 1)]
    )
    (snapshot,) = told["snapshots"]
    assert {name: snapshot[name] for name in ("trades", "last", "high", "low", "volume", "buy_volume")} == {
        "trades": 3,
        "last": 9.0,
        "high": 12.0,
        "low": 9.0,
        "volume": 10.0,
        "buy_volume": 5.0,
    }
    assert snapshot["vwap"] == pytest.approx((10 * 5 + 12 * 3 + 9 * 2) / 10)


def test_what_a_venue_says_stays_until_it_says_something_else() -> None:
    told = snapshots([status(10, Status.HALTED), trade(210, 10.0, 1), trade(410, 10.0, 1), quote(610, 1, 1, 1)])
    said = [(s["status"], s["status_changed"], s["status_time_ns"]) for each in told for s in each["snapshots"][:1]]
    at_ns = START_NS + 10 * MS
    assert said == [("halted", True, at_ns), ("halted", False, at_ns), ("halted", False, at_ns)]


def test_an_interval_in_which_nothing_came_is_told_as_time_that_has_passed() -> None:
    told = snapshots([quote(10, 1, 1), tick(2, START_NS + 250 * MS), tick(3, START_NS + 450 * MS)])
    assert [len(each["snapshots"]) for each in told] == [1, 0]
    assert [each["sequence"] for each in told] == [1, 2]


def test_without_intervals_in_the_strategy_there_are_no_snapshots() -> None:
    assert snapshots([quote(10, 1, 1), quote(500, 1, 1)], replace(STRATEGY, snapshots_ns=0)) == []


def test_an_instrument_is_at_home_in_one_shard_and_has_the_legs_of_each() -> None:
    of = replace(STRATEGY, pairs=(STRATEGY.pairs[0], replace(STRATEGY.pairs[1], shard=1)))
    made = ticks([quote(0, 1, 1), quote(210, 1, 1)])
    made["sequence"] = (1, 2)
    found = {}
    for shard in (0, 1):
        block = TickBlock(VENUE, "s", shard, 0, 0, ("A", "B", "C"), made)
        (told,) = decoded(feed(engine(of, shard=shard), [block]))[5]
        (snapshot,) = told["snapshots"]
        found[shard] = (snapshot["home"], [leg["pair"] for leg in snapshot["legs"]])
    assert found == {0: (True, ["A-B"]), 1: (False, ["C-A"])}


@given(st.integers(0, 200), st.lists(st.integers(1, 599), max_size=20))
def test_blocks_cut_anywhere_give_the_same_snapshots(seed: int, where: list[int]) -> None:
    of = replace(STRATEGY, shards=1)
    log = random_log(600, of, seed)
    whole, cut = (but_heartbeats(run(of, log.blocks(cuts))) for cuts in ((), where))
    assert whole == cut
    assert len(whole[5]) > 5
