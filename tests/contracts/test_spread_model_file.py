"""How spreads are made, as a strategy file says it: read, written again, and refused with the line and the way out."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy
from pipelines.domain.market import NS_PER_S
from pipelines.domain.spread_model import Every, Health, Hedge, Method, Moments, Neutral, SpreadModel
from pipelines.domain.universe import CorporateAction, Strategy

TOP = """\
strategy: demo
account: paper
venues:
  sim: {protocol: binance}
instruments:
  - {id: A, venue: sim, symbol: A, tick_size: 0.01, lot_size: 1, calendar: XNYS}
  - {id: B, venue: sim, symbol: B, tick_size: 0.01, lot_size: 1}
sizing: {leg_notional: 10000}
limits: {position_lots: 1000, stale_marks_ms: 2000}
"""


def load(folder: Path, text: str) -> Strategy:
    (folder / "strategy.yaml").write_text(TOP + text)
    return load_strategy(folder / "strategy.yaml")


def test_moments_are_of_seconds_where_nothing_is_said(tmp_path: Path) -> None:
    strategy = load(tmp_path, "pairs: [{name: A-B, a: A, b: B, beta: 1}]")
    assert strategy.model_of(strategy.pairs[0]) == SpreadModel(moments=Moments(1000, 200, Every.SECOND))


def test_a_pair_says_what_is_another_with_it_and_takes_the_rest_from_the_top(tmp_path: Path) -> None:
    strategy = load(
        tmp_path,
        """\
prices: log
hedge: {method: rolling, window: 50}
moments: {span: 60, every: 1min}
pairs:
  - {name: one, a: A, b: B}
  - {name: two, a: B, b: A, beta: 2, hedge: {method: kalman}, neutral: dollar, health: {stale_s: 1.5}}
""",
    )
    one, two = (strategy.model_of(pair) for pair in strategy.pairs)
    assert one == SpreadModel(Hedge(Method.ROLLING, 50), Moments(60, 200, Every.MINUTE), logs=True)
    assert two == SpreadModel(
        Hedge(Method.KALMAN, 50), one.moments, Health(stale_ns=1_500_000_000), Neutral.DOLLAR, logs=True
    )
    assert [pair.beta for pair in strategy.pairs] == [0.0, 2.0]


models = st.builds(
    SpreadModel,
    hedge=st.builds(
        Hedge,
        st.sampled_from(list(Method)),
        st.integers(3, 10_000),
        st.floats(1e-9, 0.99),
        st.floats(1e-12, 1e6),
    ),
    moments=st.builds(
        Moments, st.integers(1, 10**6), st.integers(1, 10**6), st.sampled_from([Every.SECOND, Every.MINUTE])
    ),
    health=st.builds(
        Health,
        st.integers(1, 10**6).map(lambda ms: ms * 1_000_000),
        st.integers(0, 100),
        st.integers(3, 10_000),
        st.floats(-1, 1),
        st.floats(1e-3, 1e3),
        st.floats(1e-3, 1e3),
    ),
    neutral=st.sampled_from(list(Neutral)),
    logs=st.booleans(),
)


@given(models, st.floats(0.5, 4.0), st.floats(0, 10))
@settings(max_examples=50)
def test_any_model_written_as_a_file_loads_as_itself(
    tmp_path_factory: pytest.TempPathFactory, model: SpreadModel, factor: float, amount: float
) -> None:
    folder = tmp_path_factory.mktemp("strategy")
    strategy = load(folder, "pairs: [{name: A-B, a: A, b: B, beta: 1.5}]")
    drawn = replace(
        strategy,
        pairs=(replace(strategy.pairs[0], model=model),),
        moments=Moments(7, 3, Every.TICK),
        actions=(CorporateAction("B", 1_700_000_000 * NS_PER_S, factor, amount),),
    )
    (folder / "again.yaml").write_text(dump_strategy(drawn))
    assert load_strategy(folder / "again.yaml") == drawn


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hedge: {method: kalmann}", "10: hedge.method: unknown method 'kalmann': did you mean kalman?"),
        ("hedge: {window: 2}", "10: hedge.window: 2 is out of range: give 3 to 100000"),
        ("hedge: {delta: 1}", "10: hedge.delta: 1 is out of range: give one above 0 and below 1"),
        (
            "hedge: {method: rolling}\nmoments: {every: tick}",
            "10: hedge: rolling has a window of bars: give moments.every as 1s or 1min",
        ),
        ("moments: {every: 2s}", "10: moments.every: unknown interval '2s'"),
        ("prices: logs", "10: prices: unknown kind of price 'logs': did you mean log?"),
        ("neutral: cash", "10: neutral: unknown neutrality 'cash'"),
        ("health: {stale: 3}", "10: health.stale: unknown field: did you mean stale_s?"),
        ("pairs: [{name: A-B, a: A, b: B}]", "10: pairs[0].beta: missing: give a number"),
        ("history: closes.csv", "10: history: no file closes.csv in "),
        ("actions: [{instrument: C, time: 2026-01-05T05:00:00Z}]", "10: actions[0].instrument: unknown instrument 'C'"),
        (
            "actions: [{instrument: A, time: noon}]",
            "10: actions[0].time: 'noon' is no time: give one as 2026-01-05T05:00:00Z",
        ),
        (
            "actions: [{instrument: A, time: 2026-01-05T05:00:00}]",
            "10: actions[0].time: '2026-01-05T05:00:00' is of no zone",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StrategyError) as told:
        load(tmp_path, text)
    line = str(told.value).removeprefix(f"{tmp_path}/strategy.yaml:")
    assert line.startswith(says)
    assert "\n" not in line


def test_a_calendar_that_is_none_is_told(tmp_path: Path) -> None:
    text = TOP.replace("XNYS", "XNYZ")
    (tmp_path / "strategy.yaml").write_text(text)
    with pytest.raises(StrategyError, match=r"strategy\.yaml:6: instruments\[0\]\.calendar: 'XNYZ' is no calendar"):
        load_strategy(tmp_path / "strategy.yaml")


def test_a_references_splits_dividends_and_calendars_are_the_strategys(tmp_path: Path) -> None:
    (tmp_path / "reference.yaml").write_text("""\
reference: desk
version: 1
venues: {nasdaq: {protocol: itch50, time_zone: America/New_York, calendar: XNYS}}
instruments:
  - {id: A, venue: nasdaq, symbol: A, asset_class: equity, currency: USD, tick_size: 0.01, lot_size: 1,
     valid_from: 2006-04-10}
splits: [{instrument: A, ex_date: 2020-04-29, new: 1, old: 8}]
dividends: [{instrument: A, ex_date: 2013-09-20, amount: 0.5}]
""")
    (tmp_path / "strategy.yaml").write_text("""\
strategy: demo
account: paper
reference: reference.yaml
venues: {nasdaq: {}}
instruments: [{id: A}]
sizing: {leg_notional: 10000}
limits: {position_lots: 1000, stale_marks_ms: 2000}
""")
    strategy = load_strategy(tmp_path / "strategy.yaml")
    midnights = [1379649600, 1588132800]  # 2013-09-20 and 2020-04-29, 04:00 UTC
    assert strategy.actions == (
        CorporateAction("A", midnights[0] * NS_PER_S, amount=0.5),
        CorporateAction("A", midnights[1] * NS_PER_S, factor=8.0),
    )
    assert dict(strategy.calendars) == {"A": "XNYS"}
