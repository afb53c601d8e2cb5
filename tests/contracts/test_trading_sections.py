"""What a strategy file says of trading: sizing, hours, unwinding, costs; read, written again, and what is amiss."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from pathlib import Path
from types import NoneType
from typing import get_args, get_type_hints

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts import limits_file
from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy
from pipelines.domain.limits import BY_NAME, NUMBERS, REQUIRED, Limits, change
from pipelines.domain.session_times import SessionTimes
from pipelines.domain.sizing import Broken, Mode, Sizing
from pipelines.domain.universe import SignalUse, Strategy, Venue
from pipelines.domain.unwinding import USUAL, Unwinding
from tests.support.shards import VENUE, strategy

PLAIN = strategy(("A", "B"), (("A", "B", 0.7),))


def loaded(folder: Path, text: str) -> Strategy:
    (folder / "strategy.yaml").write_text(text)
    return load_strategy(folder / "strategy.yaml")


def with_section(name: str, text: str) -> str:
    """The plain strategy's file with a section in one line, the last."""
    content = yaml.safe_load(dump_strategy(PLAIN))
    content.pop(name, None)
    return f"{yaml.safe_dump(content, sort_keys=False)}{name}: {text}"


def fault(folder: Path, text: str) -> str:
    """The one fault of a file, without the file's name; it is of the last line, or of one of a list."""
    with pytest.raises(StrategyError) as told:
        loaded(folder, text)
    (line,) = str(told.value).splitlines()
    return line.removeprefix(f"{folder}/strategy.yaml:").partition(": ")[2]


shares = st.floats(0.001, 1.0)
times = st.times().map(lambda each: each.replace(microsecond=0))
sizings = st.builds(
    Sizing,
    leg_notional=st.floats(1, 1e9),
    mode=st.sampled_from(Mode),
    risk=st.floats(1, 1e6),
    kelly=shares,
    cap=st.floats(0.1, 10),
    trips=st.integers(1, 500),
    units=st.integers(1, 9),
    flips=st.booleans(),
    broken=st.sampled_from(Broken),
)
unwindings = st.builds(
    Unwinding,
    every_ns=st.integers(1, 3600 * 10**9) | st.sampled_from([10**9, 250 * 10**6, 5 * 60 * 10**9, 3600 * 10**9]),
    participation=shares,
    impact=shares,
    fraction=shares,
    hysteresis=st.floats(0, 0.9),
    drift=st.floats(0, 2),
    patience=st.integers(1, 1000),
)


@st.composite
def sessions(draw: st.DrawFn) -> SessionTimes:
    begin, end, flat = sorted(draw(st.lists(times, min_size=3, max_size=3, unique=True)))
    which = draw(st.integers(1, 7))
    zone = draw(st.sampled_from(["UTC", "America/New_York", "Asia/Hong_Kong"]))
    return SessionTimes(zone, begin if which & 1 else None, end if which & 2 else None, flat if which & 4 else None)


@settings(max_examples=60, deadline=None)
@given(sizing=sizings, unwinding=unwindings, hours=sessions(), rate=st.floats(0, 1), fee=st.floats(-5, 5))
def test_any_way_of_trading_written_as_a_file_loads_as_itself(
    tmp_path_factory: pytest.TempPathFactory,
    sizing: Sizing,
    unwinding: Unwinding,
    hours: SessionTimes,
    rate: float,
    fee: float,
) -> None:
    drawn = replace(
        PLAIN,
        sizing=sizing,
        unwinding=unwinding,
        times=hours,
        borrow={"B": rate},
        venues=(Venue(VENUE, "simulated", fee_bps=fee, fee_per_lot=rate),),
        instruments=(replace(PLAIN.instruments[0], sector="food & drink"), PLAIN.instruments[1]),
        pairs=(replace(PLAIN.pairs[0], capital=25_000.0),),
        signals=(SignalUse("pyproject.toml", {}, "a", "carry"), SignalUse("pyproject.toml", {}, "b")),
    )
    assert loaded(tmp_path_factory.mktemp("strategy"), dump_strategy(drawn)) == drawn


def test_what_is_left_out_is_as_usual(tmp_path: Path) -> None:
    found = loaded(tmp_path, dump_strategy(PLAIN))
    assert (found.unwinding, found.times, found.borrow) == (USUAL, SessionTimes(), {})
    assert "unwind" not in dump_strategy(PLAIN)
    assert loaded(tmp_path, with_section("unwind", "{every: 5min}")).unwinding == replace(USUAL, every_ns=300 * 10**9)


def test_times_of_day_need_no_quotes(tmp_path: Path) -> None:
    text = "{zone: America/New_York, entries_from: 09:35, entries_until: 15:45:30, flatten_at: 15:55}"
    assert loaded(tmp_path, with_section("session", text)).times == SessionTimes(
        "America/New_York", time(9, 35), time(15, 45, 30), time(15, 55)
    )


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "sizing",
            "{leg_notional: 5, mode: volatility}",
            "sizing.risk: missing: mode volatility needs it: give a number",
        ),
        ("sizing", "{leg_notional: 5, mode: kelly}", "sizing.kelly: missing: mode kelly needs it: give a number"),
        ("sizing", "{leg_notional: 5, mode: kely}", "sizing.mode: unknown mode 'kely': did you mean kelly?"),
        ("sizing", "{leg_notional: 5, risk: -1}", "sizing.risk: -1 is out of range: give one greater than 0"),
        ("sizing", "{leg_notional: 5, trips: 0}", "sizing.trips: 0 is out of range: give 1 to "),
        ("sizing", "{leg_notional: 5, units: 1.5}", "sizing.units: '1.5' is not a whole number: give one from 1 to"),
        ("sizing", "{leg_notional: 5, flips: maybe}", "sizing.flips: 'maybe' is neither true nor false"),
        ("sizing", "{leg_notional: 5, broken: keep}", "sizing.broken: unknown way 'keep': there is unwind, complete"),
        ("sizing", "{leg_notional: 5, kap: 3}", "sizing.kap: unknown field: did you mean cap?"),
        ("session", "{zone: Mars/Base, flatten_at: 15:55}", "session.zone: unknown zone 'Mars/Base': give one of IANA"),
        ("session", "{zone: ../x, flatten_at: 15:55}", "session.zone: unknown zone '../x': give one of IANA"),
        ("session", "{zone: UTC}", "session.entries_from: no time is given: give one of entries_from, entries_until"),
        ("session", "{flatten_at: 25:00}", "session.flatten_at: '25:00' is no time of day: give one such as 09:35"),
        ("session", "{flatten_at: 0955}", "session.flatten_at: '0955' is no time of day: give one such as 09:35"),
        ("session", "{flatten_at: '09:55+01:00'}", "session.flatten_at: '09:55+01:00' is no time of day: give one"),
        (
            "session",
            "{entries_from: 15:00, entries_until: 09:00}",
            "session.entries_until: 09:00:00 is not after entries_from 15:00:00: give one after it",
        ),
        (
            "session",
            "{entries_until: 15:45, flatten_at: 15:40}",
            "session.flatten_at: 15:40:00 is before entries_until 15:45:00: give one not before it",
        ),
        (
            "session",
            "{entries_from: 09:00, flatten_at: 08:00}",
            "session.flatten_at: 08:00:00 is not after entries",
        ),
        ("unwind", "{every: 1 fortnight}", "unwind.every: '1 fortnight' is no time of up to a day: give one such as"),
        ("unwind", "{every: 25h}", "unwind.every: '25h' is no time of up to a day: give one such as 500ms, 1s or 5min"),
        ("unwind", "{participation: 2}", "unwind.participation: 2 is out of range: give a share greater than 0, 1 at"),
        ("unwind", "{fraction: 0}", "unwind.fraction: 0 is out of range: give one greater than 0"),
        ("unwind", "{hysteresis: 1}", "unwind.hysteresis: 1 is out of range: give one from 0 to 0.99"),
        ("unwind", "{drift: -0.1}", "unwind.drift: -0.1 is out of range: give one from 0 to 10"),
        ("unwind", "{patience: 0}", "unwind.patience: 0 is out of range: give 1 to "),
        (
            "venues",
            "{SIM: {protocol: simulated, fee_bps: x}}",
            "venues.SIM.fee_bps: 'x' is not a number: give",
        ),
        (
            "signals",
            "[{file: pyproject.toml, strategy: a b}]",
            "signals[0].strategy: 'a b' is not a name: use letters, digits and",
        ),
        ("pairs", "[{name: x, a: A, b: B, beta: 1, capital: 0}]", "pairs[0].capital: 0 is out of range: give one"),
    ],
)
def test_what_is_amiss_is_told_with_its_place_and_the_way_out(tmp_path: Path, name: str, text: str, says: str) -> None:
    assert fault(tmp_path, with_section(name, text)).startswith(says)


def test_a_rate_of_borrowing_is_a_share_not_below_zero(tmp_path: Path) -> None:
    text = dump_strategy(PLAIN).replace("currency: USD", "currency: USD, borrow: -0.01", 1)
    assert fault(tmp_path, text) == "instruments[0].borrow: -0.01 is out of range: give one from 0 to 100"


def test_every_limit_is_said_in_the_documentation_and_of_the_kind_that_it_is() -> None:
    documented = yaml.safe_load((limits_file.__doc__ or "").split("```yaml")[1].split("```")[0])["limits"]
    assert documented.keys() == BY_NAME.keys()
    hints = get_type_hints(Limits)
    for name in NUMBERS:
        kind = BY_NAME[name].metadata["kind"]
        assert {kind} == set(get_args(hints[name]) or (hints[name],)) - {NoneType}, name


@pytest.mark.parametrize("name", NUMBERS)
def test_each_limit_that_is_a_number_is_set_and_lifted_through_the_log(name: str) -> None:
    least = Limits(1, 1)
    now: Mapping[str, object] = {"value": getattr(change(least, f"{name}=25"), name)}
    assert now == {"value": 25}
    if name not in REQUIRED:
        assert getattr(change(change(least, f"{name}=25"), f"{name}=none"), name) is None


@pytest.mark.parametrize("name", ["var", "es", "drawdown", "sector_notional", "credit"])
def test_a_limit_of_money_over_several_currencies_needs_their_rates(tmp_path: Path, name: str) -> None:
    text = dump_strategy(PLAIN).replace("currency: USD", "currency: EUR", 1)
    limits = f"limits: {{position_lots: 5, stale_marks_ms: 10, {name}: 5}}"
    lines = [limits if line.startswith("limits:") else line for line in text.splitlines()]
    assert fault(tmp_path, "\n".join(lines)).startswith("limits.rates: instruments are in EUR, USD: give what one")
