"""The risk of an account: rows of the window, what is told and when, days, and the state over restarts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as given_any
from hypothesis import settings as tried
from hypothesis import strategies as st

from pipelines.domain.market import NS_PER_S
from pipelines.domain.risk import LEAST_WINDOW, Bar, RiskState
from pipelines.domain.risk_config import RiskConfig
from pipelines.domain.risk_saved import dump, load
from pipelines.domain.risk_settings import RiskSettings, Scenario
from pipelines.domain.risk_told import update
from pipelines.domain.trading import RiskUpdate
from pipelines.domain.universe import CorporateAction, Instrument
from pipelines.domain.value_at_risk import METHODS, historical, student_t
from pipelines.research.portfolio_risk import Options, tail_risk
from tests.support.accounts import NAMES
from tests.support.risk_records import (
    MINUTE_NS,
    SETTINGS,
    START_NS,
    beat,
    given,
    heartbeat,
    minutes,
    position,
    session,
    state,
    strategy,
)

DAY_S = 86_400.0


def held(settings: RiskSettings = SETTINGS) -> RiskState:
    """A-B long and A-C short, after an hour of minutes."""
    found = state(settings)
    given(found, *minutes(61), position(1, "A-B", 10, -7, 3600), position(2, "A-C", -5, 6, 3600))
    return found


def test_a_minute_is_a_row_once_every_shard_has_passed_it() -> None:
    #  shard 0   |--bar--|--bar--| beat
    #  shard 1   |--bar--|       |        beat
    found = state()
    given(found, Bar(0, START_NS, "A", 100.0, 1.0), Bar(1, START_NS, "C", 50.0, 1.0), beat(0, 1), beat(1, 1))
    given(found, Bar(0, START_NS + MINUTE_NS, "A", 101.0, 1.0), beat(0, 2))
    assert found.window.rows.shape[1] == 0
    given(found, beat(1, 2))
    (row,) = found.window.rows.T
    assert row == pytest.approx([0.01 * math.sqrt(390), 0.0, 0.0, 0.0])


def test_a_bar_says_that_the_minutes_before_it_are_through() -> None:
    found = state()
    for minute, price in enumerate((100.0, 101.0, 102.0)):
        start_ns = START_NS + minute * MINUTE_NS
        given(found, Bar(0, start_ns, "A", price, 1.0), Bar(1, start_ns, "C", price, 1.0))
    assert found.window.rows.shape[1] == 1  # of the first two; the third may have more


def test_a_bar_that_is_there_twice_changes_nothing() -> None:
    once, twice = state(), state()
    records = list(minutes(30))
    given(once, *records)
    given(twice, *(each for record in records for each in (record, record)), *records)
    assert dump(once) == dump(twice)


def test_the_row_after_a_pause_of_all_is_of_the_whole_pause() -> None:
    found = state()
    for minute, price in ((0, 100.0), (1, 100.0), (11, 101.0), (2000, 102.01)):
        given(found, *(Bar(shard, START_NS + minute * MINUTE_NS, "A", price, 1.0) for shard in (0, 0)))
        given(found, beat(0, minute + 1), beat(1, minute + 1))
    assert found.window.rows[0] == pytest.approx([0.0, 0.01 * math.sqrt(39), 0.01])


def test_a_shard_that_is_silent_does_not_hold_minutes_up_for_ever() -> None:
    found = state()
    for minute in range(2_010):
        given(found, Bar(0, START_NS + minute * MINUTE_NS, "A", 100.0, 1.0))
    assert (len(found.minutes.pending), found.window.rows.shape[1]) == (2_000, 9)


def test_a_split_is_no_return() -> None:
    split = CorporateAction("A", START_NS + 2 * MINUTE_NS + 1, factor=0.5)
    found = RiskState.empty(RiskConfig.of(replace(strategy(), actions=(split,))))
    for minute, price in enumerate((100.0, 100.0, 50.5)):
        given(found, Bar(0, START_NS + minute * MINUTE_NS, "A", price, 1.0), beat(0, minute + 1), beat(1, minute + 1))
    assert found.window.rows[0] == pytest.approx([0.0, 0.01 * math.sqrt(390)])


def test_the_window_keeps_the_newest_rows() -> None:
    found = state(replace(SETTINGS, window=25))
    given(found, *minutes(60))
    whole = state()
    given(whole, *minutes(60))
    assert np.array_equal(found.window.rows, whole.window.rows[:, -25:])


def test_daily_closing_prices_fill_the_window_as_they_are() -> None:
    found = state()
    prices = np.array([[100.0, np.nan, 110.0], [50.0, 51.0, 51.0], [np.nan] * 3, [np.nan, 10.0, 11.0]])
    found.fill(START_NS - np.array([3, 2, 1]) * 1440 * MINUTE_NS, prices)
    assert found.window.rows == pytest.approx(np.array([[0.0, 0.1], [0.02, 0.0], [0.0, 0.0], [0.0, 0.1]]))
    assert found.window.prices == pytest.approx([110.0, 51.0, np.nan, 11.0], nan_ok=True)


def test_nothing_is_told_of_too_few_rows() -> None:
    found = state()
    assert given(found, *minutes(LEAST_WINDOW), position(1, "A-B", 1, -1)) == []
    assert len(given(found, *minutes(1, first=LEAST_WINDOW), position(2, "A-B", 1, -1))) == 1


def test_nothing_is_told_while_something_held_has_no_price() -> None:
    found = state()
    given(found, *(record for record in minutes(40) if not (isinstance(record, Bar) and record.instrument == "C")))
    assert given(found, position(1, "A-C", 1, -1)) == []
    assert len(given(found, position(2, "A-C", 0, 0))) == 1


def test_it_is_told_at_each_change_and_once_a_second() -> None:
    found = held()
    times = [("change", 3600.2), ("beat", 3600.3), ("beat", 3601.0), ("change", 3601.5), ("beat", 3602.1)]
    told = []
    for number, (what, at_s) in enumerate(times, start=3):
        record = heartbeat(number, at_s) if what == "beat" else position(number, "A-B", number, -1, at_s)
        told += [at_s for _ in given(found, record)]
    assert told == [3600.2, 3601.0, 3601.5, 3602.1]


def test_every_so_many_seconds_where_the_strategy_says_so() -> None:
    found = held(replace(SETTINGS, every_ns=5 * NS_PER_S))
    first = START_NS // NS_PER_S % 5
    told = [at for at in range(3600, 3620) if given(found, heartbeat(at, float(at)))]
    assert [(at + first) % 5 for at in told[1:]] == [0] * len(told[1:])
    assert len(told) in (3, 4)


def test_a_position_that_is_told_twice_is_taken_once() -> None:
    found = held()
    before = dump(found)
    assert given(found, position(2, "A-C", 99, 99, 3600)) == []
    assert dump(found) == before


def test_lots_of_a_pair_that_is_not_known_are_refused() -> None:
    with pytest.raises(ValueError, match="lots of 'X-Y', which is no pair of the strategy"):
        given(held(), position(9, "X-Y", 1, 1, 3700))


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (Bar(0, START_NS, "X", 1.0, 1.0), "a bar of 'X', which is no instrument"),
        (Bar(2, START_NS, "A", 1.0, 1.0), "shard 2: the strategy has shards 0 to 1"),
        ((-1, START_NS), "shard -1: the strategy has"),
    ],
)
def test_bars_of_something_else_are_refused(record: Bar | tuple[int, int], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        given(state(), record)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_value_at_risk_of_the_profits_of_what_is_held(method: str) -> None:
    found = held(replace(SETTINGS, method=method, draws=500))  # type: ignore[arg-type]
    told = update(found)
    rows, exposures = found.window.rows, found.exposures
    assert exposures == pytest.approx(np.array([5, -7, 6, 0]) * found.window.prices)
    if method == "monte-carlo":
        expected = historical(student_t(rows.T, 500, 1) @ exposures, 0.99)
    else:
        expected = tail_risk(exposures @ rows, Options(method, 0.99))  # type: ignore[arg-type]
    assert (told.var, told.es) == pytest.approx(expected, rel=1e-9)
    assert (told.method, told.confidence) == (method, 0.99)
    assert told.scenarios == (500 if method == "monte-carlo" else 60)


@pytest.mark.parametrize("method", METHODS)
def test_what_pairs_have_in_it_adds_up_and_one_alone_has_all(method: str) -> None:
    found = held(replace(SETTINGS, method=method, draws=500))  # type: ignore[arg-type]
    told = update(found)
    assert told.pairs == ("A-B", "A-C")
    assert sum(told.pair_es) == pytest.approx(told.es, rel=1e-9)
    given(found, position(3, "A-C", 0, 0, 3601))
    alone = update(found)
    assert alone.pairs == ("A-B",)
    assert (*alone.pair_es, *alone.pair_incremental) == pytest.approx([alone.es, alone.es], rel=1e-9)
    assert told.pair_incremental[1] == pytest.approx(told.es - alone.es, rel=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_of_one_lot_the_worse_of_long_and_short_is_told(method: str) -> None:
    found = state(replace(SETTINGS, method=method, draws=500))  # type: ignore[arg-type]
    given(found, *minutes(61))
    for place, pair, leg in ((0, "A-B", 0), (3, "D-B", 0)):
        each = []
        for number, lots in enumerate((1, -1), start=1):
            (told,) = given(
                found, position(found.sequence + number, pair, *((lots, 0) if leg == 0 else (0, lots)), 3600)
            )
            each.append(told.es)
        assert told.es_per_lot[place] == pytest.approx(max(each), rel=1e-9)
        given(found, position(found.sequence + 9, pair, 0, 0, 3600))


def test_everything_else_that_is_told() -> None:
    found = held()
    told = update(found)
    a, b, c, d = found.window.prices
    assert told.gross == pytest.approx(15 * a + 7 * b + 6 * c)
    assert told.net == pytest.approx(5 * a - 7 * b + 6 * c)
    assert told.leverage == pytest.approx(told.gross / 10_000)
    assert told.stress == ("crash", "rise")
    assert told.stress_loss == pytest.approx((1.5 * a - 0.7 * b + 0.6 * c, -0.05 * told.net))
    assert told.deviation_per_lot == pytest.approx(found.window.rows.std(axis=1) * (a, b, c, d))
    assert told.volume_per_day == pytest.approx((390.0**2, 390.0**2, 390.0**2 * 2 / 3, 390.0**2))
    assert told.liquidity_s == pytest.approx(max(7 / 39, 6 / 26) * 60)
    rows = found.window.rows
    expected = np.cov(found.exposures @ rows, rows[3], ddof=0)[0, 1] / rows[3].var()
    assert told.beta == pytest.approx(expected)
    assert told.instruments == NAMES
    assert told.as_of_ns == START_NS + 3600 * NS_PER_S


def test_without_volume_capital_or_benchmark_nothing_is_said_of_them() -> None:
    found = state(RiskSettings())
    given(found, *(replaced(record) for record in minutes(61)), position(1, "A-B", 1, -1, 3600))
    told = update(found)
    assert (told.liquidity_s, told.leverage, told.beta, told.stress, told.zone) == (0.0, 0.0, 0.0, (), "")


def replaced(record: object) -> object:
    return record._replace(volume=0.0) if isinstance(record, Bar) else record


def test_an_instrument_in_another_currency_counts_at_its_rate_and_moves_with_it() -> None:
    crash = Scenario("crash", 0.0, {"A": -0.5}, {"EUR": -0.2})
    base = strategy(RiskSettings(scenarios=(crash,)))
    euro = Instrument("A", "sim", "A", 0.01, 10.0, "EUR")
    limits = replace(base.limits, rates={"EUR": 2.0})
    config = RiskConfig.of(replace(base, instruments=(euro, *base.instruments[1:]), limits=limits))
    found = RiskState.empty(config)
    given(found, *minutes(61), position(1, "A-B", 1, 0, 3600))
    told = update(found)
    assert told.gross == pytest.approx(20 * found.window.prices[0])
    assert told.stress_loss == pytest.approx([0.6 * told.gross])


def test_days_are_held_against_what_was_told_before_them() -> None:
    found = state()
    #  day 0: told, long A; day 1: A has fallen by half; day 2: it has risen again; day 3: nothing was held
    given(found, *minutes(30), position(1, "A-B", 100, 0, 1800))
    told = []
    for day, price in ((1, 50.0), (2, 60.0), (3, 60.0)):
        minute = day * 1440
        given(found, Bar(0, START_NS + minute * MINUTE_NS, "A", price, 1.0), beat(0, minute + 1), beat(1, minute + 1))
        told += given(found, position(found.sequence + 1, "A-B", 0 if day == 2 else 100, 0, day * DAY_S + 120))
        told += given(found, heartbeat(found.sequence + 1, day * DAY_S + 125))
    assert [(each.days, each.exceptions, each.zone) for each in told[::2]] == [
        (1, 1, "red"),
        (2, 1, "red"),
        (2, 1, "red"),
    ]
    assert found.days.exceeded == b"\x01\x00"
    tested = found.days.tested(0.99)
    assert tested is not None
    assert (tested.exceptions, tested.observations) == (1, 2)


@tried(max_examples=30)
@given_any(at=st.integers(0, len(session())), method=st.sampled_from(METHODS))
def test_saved_and_loaded_anywhere_it_goes_on_the_same(at: int, method: str) -> None:
    settings = replace(SETTINGS, method=method, draws=200)  # type: ignore[arg-type]
    records, whole, first = session(), state(settings), state(settings)
    undisturbed = given(whole, *records)
    before = given(first, *records[:at])
    again = load(dump(first), first.config)
    assert before + given(again, *records[at:]) == undisturbed
    assert dump(again) == dump(whole)
    assert len(undisturbed) > 10


@tried(max_examples=20)
@given_any(order=st.permutations(range(4)), method=st.sampled_from(METHODS[:-1]))
def test_the_order_of_instruments_changes_nothing(order: list[int], method: str) -> None:
    settings = replace(SETTINGS, method=method)  # type: ignore[arg-type]
    base = strategy(settings)
    other = replace(base, instruments=tuple(base.instruments[place] for place in order))
    first, second = (RiskState.empty(RiskConfig.of(each)) for each in (base, other))
    for one, two in zip(given(first, *session()), given(second, *session()), strict=True):
        assert by_name(one) == pytest.approx(by_name(two), rel=1e-6, abs=1e-9)


def by_name(told: RiskUpdate) -> dict[str, float]:
    numbers = ("var", "es", "gross", "net", "leverage", "beta", "liquidity_s", "days", "exceptions")
    found = {name: float(getattr(told, name)) for name in numbers}
    for name in ("es_per_lot", "deviation_per_lot", "volume_per_day"):
        found |= {f"{name} {each}": value for each, value in zip(told.instruments, getattr(told, name), strict=True)}
    for name in ("pair_es", "pair_incremental"):
        found |= {f"{name} {each}": value for each, value in zip(told.pairs, getattr(told, name), strict=True)}
    return found | dict(zip(told.stress, told.stress_loss, strict=True))


def test_state_is_read_by_a_strategy_that_lists_its_instruments_otherwise() -> None:
    found = held()
    base = strategy()
    more = (Instrument("E", "sim", "E", 0.01, 1.0), *base.instruments[::-1])
    again = load(dump(found), RiskConfig.of(replace(base, instruments=more)))
    told, before = update(again), update(found)
    assert (told.var, told.es, *told.pair_es) == pytest.approx((before.var, before.es, *before.pair_es))
    assert told.es_per_lot[0] == 0.0


@pytest.mark.parametrize("data", [b"", b"\x09old", dump(held())[:-8], dump(held())[:40]])
def test_bytes_that_are_no_state_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="risk of account desk: state"):
        load(data, RiskConfig.of(strategy()))
