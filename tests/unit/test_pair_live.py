"""Legs that cannot be compared: stale, halted, closed, after a gap, after a corporate action. Nothing is bridged in
silence: no bar is taken meanwhile, and what is told is flagged."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipelines.contracts.blocks import TickBlock
from pipelines.contracts.closing_prices import ClosingPrices, ClosingPricesError, load_closing_prices
from pipelines.domain.live import ADJUSTED, CLOSED, GAP, HALTED, REOPENED, STALE_B
from pipelines.domain.market import NS_PER_S, Flag, Kind, Status
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, SpreadModel
from pipelines.domain.universe import CorporateAction, Strategy
from tests.support.shards import START_NS, VENUE, strategy, tick, ticks
from tests.support.spread_runs import decoded, engine, feed

SETTLE = 3
MODEL = SpreadModel(moments=Moments(20, 5, Every.SECOND), health=Health(stale_ns=10 * NS_PER_S, settle=SETTLE))
Row = tuple[int | float, ...]


def of_model(model: SpreadModel = MODEL, **more: Any) -> Strategy:
    of = strategy(("A", "B"), (("A", "B", 1.0),))
    return replace(of, pairs=tuple(replace(pair, model=model) for pair in of.pairs), **more)


def quotes(seconds: Iterable[float], legs: str = "AB", seed: int = 0, scale: float = 1.0) -> list[Row]:
    """Quotes of the legs at these seconds after START, mids near 100; `scale` times that of A."""
    rng = np.random.default_rng(seed)
    rows = []
    for second in seconds:
        for leg in legs:
            mid = (100 + rng.normal()) * (scale if leg == "A" else 1.0)
            rows.append(tick(0, START_NS + round(second * NS_PER_S), "AB".index(leg), mid * 0.999, mid * 1.001))
    return rows


def status(second: float, leg: str, code: Status) -> Row:
    row = list(tick(0, START_NS + round(second * NS_PER_S), "AB".index(leg), kind=Kind.STATUS, size=0.0))
    row[5] = int(code)
    return tuple(row)


def block(rows: list[Row]) -> TickBlock:
    made = ticks(sorted(rows, key=lambda row: row[6]))
    made["sequence"] = np.arange(1, made.size + 1)
    return TickBlock(VENUE, "s", 0, 0, 0, ("A", "B"), made)


def flags_at(rows: list[Row], of: Strategy | None = None) -> dict[int, int]:
    """What the samples say of the pair, by second."""
    _, _, samples, *_ = decoded(feed(engine(of or of_model()), [block(rows)]))
    return {(each["event_time_ns"] - START_NS) // NS_PER_S: each["samples"][0]["flags"] for each in samples}


def steps(first: float, last: float, step: float = 0.5) -> list[float]:
    return np.arange(first, last, step).tolist()


def test_a_pair_whose_legs_quote_has_no_flags() -> None:
    flags = flags_at(quotes(steps(0.1, 30)))
    assert len(flags) > 20
    assert set(flags.values()) == {0}


def test_a_leg_is_stale_after_its_time_and_settles_when_it_is_back() -> None:
    #  A  |0....................................60     every half second
    #  B  |0.......20                   40......60
    flags = flags_at(quotes(steps(0.1, 60), "A") + quotes([*steps(0.1, 20), *steps(40, 60)], "B", seed=1))
    assert {flags[second] for second in range(10, 29)} == {0}
    assert {flags[second] for second in range(31, 40)} == {STALE_B}
    assert [flags[second] for second in range(41, 46)] == [REOPENED] * SETTLE + [0, 0]


def test_no_bar_is_taken_of_a_stale_leg() -> None:
    running = engine(of_model())
    feed(running, [block(quotes(steps(0.1, 20)) + quotes(steps(20, 60), "B"))])
    assert running.state.kernel.pairs["updates"].tolist() == [29]  # seconds 1 to 29: A is stale from 29.6 on
    assert running.state.kernel.pairs["out"].tolist() == [1]


def test_a_halt_and_its_end() -> None:
    said = [status(20.2, "A", Status.HALTED), status(30.2, "A", Status.QUOTING), status(40.2, "A", Status.TRADING)]
    flags = flags_at(quotes(steps(0.1, 60)) + said)
    assert (flags[20], flags[21], flags[31], flags[40]) == (0, HALTED, HALTED, HALTED)
    assert [flags[second] for second in range(41, 46)] == [REOPENED] * SETTLE + [0, 0]


def test_a_book_that_is_lost_is_as_a_halt_until_it_is_back() -> None:
    said = [status(20.2, "B", Status.BOOK_LOST), status(25.2, "B", Status.BOOK_BACK)]
    flags = flags_at(quotes(steps(0.1, 40)) + said)
    assert (flags[20], flags[21], flags[25], flags[26]) == (0, HALTED, HALTED, REOPENED)


def test_a_gap_is_flagged_until_the_second_after_it() -> None:
    #  seq   .. n   [gap]  m ..
    rows = quotes(steps(0.1, 40))
    late = tick(0, START_NS + round(20.3 * NS_PER_S), 0, 99.9, 100.1, flags=Flag.HOME | Flag.AFTER_GAP)
    flags = flags_at([*rows, late])
    assert [flags[second] for second in range(20, 24)] == [0, GAP, 0, 0]


def test_a_leg_of_another_venue_is_closed_outside_of_its_hours() -> None:
    # 2024-01-02 is a Tuesday; New York opens at 14:30 UTC, where START is, and closes at 21:00
    close = 6.5 * 3600
    of = of_model(calendars={"A": "XNYS"})
    flags = flags_at(quotes(steps(close - 60, close + 60)), of)
    before, after = (round(close) + at for at in (-5, 5))
    assert (flags[before], flags[after]) == (0, CLOSED)


def test_an_instrument_without_a_calendar_is_always_open() -> None:
    flags = flags_at(quotes(steps(6.5 * 3600 - 60, 6.5 * 3600 + 60)))
    assert set(flags.values()) == {0}


METHODS = {
    "static": (Hedge(Method.STATIC), False),
    "static logarithms": (Hedge(Method.STATIC), True),
    "rolling": (Hedge(Method.ROLLING, window=20), False),
    "total": (Hedge(Method.TOTAL_LEAST_SQUARES, window=20), True),
    "ewma": (Hedge(Method.EWMA), False),
    "ewma logarithms": (Hedge(Method.EWMA), True),
    "kalman logarithms": (Hedge(Method.KALMAN), True),
}
"""A Kalman filter of prices has noise in their squares, so it is not the same in another unit; and the steps of its
slope are about the origin of the second leg, so that it is nearly the same only where that moves."""


@pytest.mark.parametrize(
    ("name", "leg"), [(name, leg) for name in sorted(METHODS) for leg in "AB" if name + leg != "kalman logarithmsB"]
)
def test_after_a_split_z_is_what_it_would_have_been_without_it(name: str, leg: str) -> None:
    hedge, logs = METHODS[name]
    model = replace(MODEL, hedge=hedge, logs=logs)
    rows = quotes(steps(0.1, 60))
    at_ns = START_NS + round(30.05 * NS_PER_S)
    index = "AB".index(leg)
    split = [
        (*row[:8], row[8] / 4, row[9], row[10] / 4, row[11]) if row[6] > at_ns and row[2] == index else row
        for row in rows
    ]
    action = CorporateAction(leg, at_ns, factor=0.25)
    whole = decoded(feed(engine(of_model(model)), [block(rows)]))[2]
    cut = decoded(feed(engine(of_model(model, actions=(action,))), [block(split)]))[2]
    seconds = [(each["event_time_ns"], each["samples"][0]) for each in cut]
    assert [each["z"] for _, each in seconds] == pytest.approx([each["samples"][0]["z"] for each in whole], rel=1e-6)
    adjusted = [(at - START_NS) // NS_PER_S for at, each in seconds if each["flags"] & ADJUSTED]
    assert adjusted == [31, 32, 33][: len(adjusted)]
    assert len(adjusted) >= SETTLE - 1


def test_a_dividend_takes_its_amount_off_what_was_known() -> None:
    of = of_model(actions=(CorporateAction("A", START_NS + 20 * NS_PER_S, amount=5.0),))
    running = engine(of)
    rows = quotes(steps(0.1, 19))
    feed(running, [block(rows)])
    before = float(running.state.kernel.quotes["mid"][0])
    later = block([*rows, *quotes([25.0], "B")])
    feed(running, [later])
    assert running.state.kernel.quotes["mid"][0] == pytest.approx(before - 5.0)


def closes(rows: int, every: Every = Every.SECOND) -> ClosingPrices:
    step = NS_PER_S if every is Every.SECOND else 60 * NS_PER_S
    rng = np.random.default_rng(3)
    times = START_NS - step * np.arange(rows, 0, -1)
    return ClosingPrices(every, times, 100 + rng.normal(size=(2, rows)))


def test_moments_warmed_up_from_closing_prices_give_a_z_at_once() -> None:
    cold, warm = engine(of_model()), engine(of_model())
    warm.warm_up(closes(50))
    first = block(quotes([0.1, 0.3]))
    assert "A-B" in [event["pair"] for event in decoded(feed(warm, [first]))[3]]
    assert [event["pair"] for event in decoded(feed(cold, [first]))[3] if event["pair"]] == []


def test_closing_prices_of_minutes_do_not_touch_moments_of_seconds() -> None:
    running = engine(of_model())
    running.warm_up(closes(50, Every.MINUTE))
    assert running.state.kernel.pairs["updates"].tolist() == [0]
    assert running.state.kernel.closed.tolist() == [0, 50]  # and are what health is of


def test_warming_up_is_as_having_seen_the_same_bars() -> None:
    prices = closes(30)
    warm, seen = engine(of_model()), engine(of_model())
    warm.warm_up(prices)
    rows = [
        tick(0, int(at) - NS_PER_S // 2, leg, mid - 0.01, mid + 0.01)
        for at, mids in zip(prices.times_ns, prices.mids.T, strict=True)
        for leg, mid in enumerate(mids)
    ]
    feed(seen, [block([*rows, tick(0, START_NS - NS_PER_S // 2, 0, 99.0, 101.0)])])
    for name in ("updates", "mean", "var", "slope"):
        assert warm.state.kernel.pairs[name] == pytest.approx(seen.state.kernel.pairs[name], rel=1e-9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("when,A\n2026-01-05T14:31:00Z,1\n", "no column `time`"),
        ("time,A\n2026-01-05T14:31:00Z,1\n", "two rows or more expected"),
        ("time,A\n2026-01-05T14:31:00Z,1\n2026-01-05T14:31:07Z,2\n", "rows 7 s apart: full seconds or full minutes"),
        ("time,A\n2026-01-05T14:31:00Z,1\n2026-01-05T14:32:00Z,-2\n", "row 2, A: -2 is no price"),
        ("time,A\n2026-01-05T14:31:00Z,1\n2026-01-05T14:32:00Z,x\n", "could not convert string to float: 'x'"),
        ("time,A\nnoon,1\nnight,2\n", "noon"),
    ],
    ids=["no time", "one row", "odd spacing", "negative", "no number", "no time of day"],
)
def test_a_file_of_closing_prices_that_is_none_says_why(tmp_path: Any, text: str, says: str) -> None:
    file = tmp_path / "closes.csv"
    file.write_text(text)
    with pytest.raises(ClosingPricesError, match=r"closes\.csv: ") as told:
        load_closing_prices(file, ("A", "B"))
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_closing_prices_are_read_by_instrument(tmp_path: Any) -> None:
    file = tmp_path / "closes.csv.gz"
    import pandas

    pandas.DataFrame(
        {"time": ["2026-01-05T14:31:00Z", "2026-01-05T14:32:00Z"], "B": [2.0, None], "C": [3.0, 4.0]}
    ).to_csv(file, index=False)
    found = load_closing_prices(file, ("A", "B", "C"))
    assert found.every is Every.MINUTE
    np.testing.assert_array_equal(found.mids, [[np.nan, np.nan], [2.0, np.nan], [3.0, 4.0]])
