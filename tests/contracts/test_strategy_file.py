"""Strategy files: what they become, and what is said of each fault."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy, signal_path
from pipelines.domain.universe import (
    Instrument,
    Limits,
    Moments,
    Pair,
    SignalUse,
    Sizing,
    Strategy,
    Venue,
    stable_shard,
)

GOOD = """\
strategy: demo
account: paper
shards: 2
venues:
  sim: {protocol: binance, clock_skew_ms: 0.5}
instruments:
  - {id: S000, venue: sim, symbol: ON, tick_size: 1e-5, lot_size: 1, currency: EUR}
  - {id: 0700, venue: sim, symbol: S001/USDT, tick_size: 0.01, lot_size: 0.1}
pairs:
  - {name: S000-0700, a: S000, b: 0700, beta: -1.02, shard: 1}
  - {name: 0700-S000, a: 0700, b: S000, beta: 1}
moments: {span: 100}
signals:
  - file: reversion.sql
    parameters: {entry_z: 2.0, fast: 1e-1, rungs: 3, shadow: yes, hold: 30 minutes}
sizing: {leg_notional: 10000}
limits: {position_lots: 1000, stale_marks_ms: 2000}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "reversion.sql").write_text("SELECT 1")
    return tmp_path


def load(folder: Path, text: str) -> Strategy:
    (folder / "strategy.yaml").write_text(text)
    return load_strategy(folder / "strategy.yaml")


def faults(folder: Path, text: str) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(StrategyError) as error:
        load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(error.value).splitlines()]


def test_a_file_becomes_a_strategy(folder: Path) -> None:
    assert load(folder, GOOD) == Strategy(
        name="demo",
        account="paper",
        shards=2,
        venues=(Venue("sim", "binance", 500_000),),
        instruments=(
            Instrument("S000", "sim", "ON", 1e-5, 1.0, "EUR"),
            Instrument("0700", "sim", "S001/USDT", 0.01, 0.1, "USD"),
        ),
        pairs=(
            Pair("S000-0700", "S000", "0700", -1.02, 1),
            Pair("0700-S000", "0700", "S000", 1.0, stable_shard("0700-S000", 2)),
        ),
        moments=Moments(span=100, warmup=200),
        signals=(
            SignalUse(
                file=str(folder / "reversion.sql"),
                parameters={"entry_z": 2.0, "fast": 0.1, "rungs": 3, "shadow": True, "hold": "30 minutes"},
                name="reversion",
            ),
        ),
        sizing=Sizing(10_000.0),
        limits=Limits(1000, 2000),
    )


def test_a_signal_file_is_found_from_the_repositorys_root_too_and_then_named_from_there(folder: Path) -> None:
    use = load(folder, GOOD.replace("reversion.sql", "pyproject.toml\n    name: reversion")).signals[0]
    assert (use.file, use.name) == ("pyproject.toml", "reversion")
    assert signal_path(use).is_file()


def test_a_strategy_written_as_a_file_loads_as_itself(folder: Path) -> None:
    strategy = load(folder, GOOD)
    assert load(folder, dump_strategy(strategy)) == strategy


numbers = st.floats(1e-12, 1e12)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,8}", fullmatch=True)


@settings(max_examples=50, deadline=None)
@given(
    legs=st.lists(names, min_size=2, max_size=6, unique=True),
    symbol=st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=5),
    size=numbers,
    beta=st.floats(-1e6, 1e6).filter(bool),
    skew_ns=st.integers(-(10**12), 10**12),
    parameter=st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | names,
)
def test_any_strategy_written_as_a_file_loads_as_itself(
    tmp_path_factory: pytest.TempPathFactory,
    legs: list[str],
    symbol: str,
    size: float,
    beta: float,
    skew_ns: int,
    parameter: int | float | bool | str,
) -> None:
    strategy = Strategy(
        name="drawn",
        account="paper",
        shards=5,
        venues=(Venue("sim", "binance", skew_ns),),
        instruments=tuple(Instrument(leg, "sim", f"{symbol}{leg}", size, size) for leg in legs),
        pairs=(Pair(f"{legs[0]}-{legs[1]}", legs[0], legs[1], beta, 3),),
        moments=Moments(),
        signals=(SignalUse("pyproject.toml", {"parameter": parameter}, "name"),),
        sizing=Sizing(size),
        limits=Limits(1, 2),
    )
    assert load(tmp_path_factory.mktemp("strategy"), dump_strategy(strategy)) == strategy


@pytest.mark.parametrize(
    ("right", "wrong", "fault"),
    [
        ("demo", "[demo]", "1: strategy: a text expected, not a list"),
        ("paper", "pa/per", "2: account: 'pa/per' is not a name: use letters, digits and . _ : + -"),
        ("account: paper", "acount: paper", "2: acount: unknown field: did you mean account?"),
        ("shards: 2", "shards: 129", "3: shards: 129 is out of range: give 1 to 128"),
        ("shards: 2", "shards: two", "3: shards: 'two' is not a whole number: give one from 1 to 128"),
        (
            "clock_skew_ms: 0.5",
            "clock_skew_ms: .inf",
            "5: venues.sim.clock_skew_ms: '.inf' is not a number: give",
        ),
        ("protocol: binance, ", "", "5: venues.sim.protocol: missing: give a text"),
        ("sim: {", "s im: {", "5: venues.s im: 's im' is not a name"),
        ("lot_size: 1,", "lot_size: -1,", "7: instruments[0].lot_size: -1 is out of range: give one greater than 0"),
        ("tick_size: 0.01", "tick_size: 0", "8: instruments[1].tick_size: 0 is out of range: give one greater than 0"),
        ("tick_size: 0.01", "tick: 0.01", "8: instruments[1].tick_size: missing: give a number"),
        ("tick_size: 0.01", "tick: 0.01", "8: instruments[1].tick: unknown field: did you mean tick_size?"),
        ("0700, venue: sim", "0700, venue: smi", "8: instruments[1].venue: unknown venue 'smi': did you mean sim?"),
        ("id: 0700", "id: S000", "8: instruments[1].id: 'S000' is taken, in line 7: give another"),
        ("S001/USDT", "ON", "8: instruments[1].symbol: 'ON' is taken, in line 7: give another"),
        ("  - {id: 0700", "  - foo\n  - {id: 0700", "8: instruments[1]: fields expected, such as {name: value}"),
        ("beta: -1.02", "beta: x", "10: pairs[0].beta: 'x' is not a number: give one that is not 0"),
        ("beta: -1.02", "beta: nan", "10: pairs[0].beta: nan is out of range: give one that is not 0"),
        ("beta: -1.02", "beta: 0.0", "10: pairs[0].beta: 0.0 is out of range: give one that is not 0"),
        ("beta: -1.02", "beta:", "10: pairs[0].beta: missing: give a number"),
        ("shard: 1", "shard: 2", "10: pairs[0].shard: 2 is out of range: give 0 to 1"),
        ("a: S000, b: 0700", "a: S00, b: 0700", "10: pairs[0].a: unknown instrument 'S00': did you mean S000?"),
        ("a: S000, b: 0700", "a: S000, b: XYZ", "10: pairs[0].b: unknown instrument 'XYZ': there is S000, 0700"),
        ("a: S000, b: 0700", "a: S000, b: S000", "10: pairs[0].b: S000 is the first leg too: give another instrument"),
        ("name: 0700-S000", "name: S000-0700", "11: pairs[1].name: 'S000-0700' is taken, in line 10: give another"),
        ("moments: {span: 100}", "levels: 0.3", "12: levels: 0.3: levels are multiples of 0.25 from 0 on"),
        ("moments: {span: 100}", "levels: 0.5, 40", "12: levels: levels 0.5, 40: the ladder reaches from 0 to 19.75"),
        (
            "moments: {span: 100}",
            "snapshots: 250ms",
            "12: snapshots: '250ms' is no multiple of 100 ms: give one such as",
        ),
        (
            "moments: {span: 100}",
            "snapshots: often",
            "12: snapshots: 'often' is no multiple of 100 ms: give one such as",
        ),
        ("moments: {span: 100}", "levels: few", "12: levels: could not convert string to float: 'few'"),
        ("span: 100", "span: 0", "12: moments.span: 0 is out of range: give 1 to 2147483647"),
        ("file: reversion.sql", "file: revers.sql", "14: signals[0].file: no file revers.sql in "),
        ("rungs: 3", "rungs: [3]", "15: signals[0].parameters.rungs: one value expected, not a list"),
        ("rungs: 3", "fast: 3", "15: signals[0].parameters.fast: given twice, first in line 15"),
        (
            "leg_notional: 10000",
            "leg_notional: 0",
            "16: sizing.leg_notional: 0 is out of range: give one greater than 0",
        ),
        (
            "position_lots: 1000",
            "position_lots: 1.5",
            "17: limits.position_lots: '1.5' is not a whole number: give one",
        ),
        ("limits: {", "limits: {x: 1, ", "17: limits.x: unknown field: there is collar, credit, daily_loss, "),
        ("limits: {position_lots: 1000, stale_marks_ms: 2000}\n", "", "1: limits: missing: give fields"),
        ("limits: {position_lots: 1000, stale_marks_ms: 2000}", "limits: 5", "17: limits: fields expected, such as"),
        ("shards: 2", "shards: 2\nshards: 3", "4: shards: given twice, first in line 3"),
    ],
)
def test_a_fault_names_its_line_its_field_and_the_way_out(folder: Path, right: str, wrong: str, fault: str) -> None:
    assert right in GOOD
    found = faults(folder, GOOD.replace(right, wrong, 1))
    assert [line for line in found if line.startswith(f"strategy.yaml:{fault}")], found


def test_all_faults_come_at_once_in_the_order_of_the_file(folder: Path) -> None:
    text = GOOD.replace("shards: 2", "shards: x").replace("beta: 1}", "beta: y}").replace("venue: sim", "venue: s", 1)
    assert [line.split(":")[1] for line in faults(folder, text)] == ["3", "7", "11"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("beta: -1.02", "beta: x"),
        ("shards: 2", "shards: x"),
        ("S000", "S 000"),
        ("sim: {protocol: binance", "sim: {protocol: a b"),
        ("position_lots: 1000", "position_lots: x"),
    ],
)
def test_one_fault_is_one_line_and_brings_no_others(folder: Path, right: str, wrong: str) -> None:
    text = GOOD.replace("S000-0700", "one").replace("0700-S000", "two")
    assert len(faults(folder, text.replace(right, wrong))) == 1


def test_instruments_may_share_a_symbol_at_different_venues(folder: Path) -> None:
    text = GOOD.replace("instruments:", "  two: {protocol: binance}\ninstruments:").replace("S001/USDT", "ON")
    assert load(folder, text.replace("0700, venue: sim", "0700, venue: two")).instruments[1].symbol == "ON"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "1: fields expected at the top, such as `strategy: NAME`"),
        ("- 1", "1: fields expected at the top"),
        ("strategy: demo\nshards: [", "2: not YAML: expected the node content"),
        ("strategy: a: b", "1: not YAML: mapping values are not allowed here"),
        ("strategy: !!python/object/apply:os.system [echo]", "1: strategy: a text expected, not a list"),
    ],
)
def test_what_is_no_strategy_file_at_all_says_so(folder: Path, text: str, fault: str) -> None:
    assert faults(folder, text)[0].startswith(f"strategy.yaml:{fault}")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"none\.yaml:1: cannot be read: No such file or directory"):
        load_strategy(tmp_path / "none.yaml")


def test_bytes_that_are_no_text_say_so(tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"strategy: \xff\xfe")
    with pytest.raises(StrategyError, match=r"bytes\.yaml:1: not YAML: 'utf-8' codec"):
        load_strategy(tmp_path / "bytes.yaml")


@pytest.mark.parametrize(("text", "every_ms"), [("", 0), ("snapshots: 100ms\n", 100), ("snapshots: 2 s\n", 2000)])
def test_how_often_snapshots_are_taken_is_read_and_written(folder: Path, text: str, every_ms: int) -> None:
    found = load(folder, GOOD + text)
    assert found.snapshots_ns == every_ms * 1_000_000
    assert load(folder, dump_strategy(found)).snapshots_ns == found.snapshots_ns
