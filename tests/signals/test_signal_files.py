"""Headers, parameters and the statement that a job runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.domain.ladder import Levels
from pipelines.domain.universe import SignalUse
from pipelines.signals.of_strategy import bound_signals
from pipelines.signals.parameters import Parameter, ParameterError
from pipelines.signals.reads import tables_of
from pipelines.signals.signal_file import SignalError, load_signal
from pipelines.signals.sources import VIEWS
from tests.support.shards import strategy

GOOD = "-- signal: mine\n-- param: entry_z z = 2.0 range 0.5..6\nSELECT * FROM spreads WHERE z > :entry_z\n"


def written(folder: Path, text: str, name: str = "mine.sql") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def fault(path: Path, **given: object) -> str:
    with pytest.raises(SignalError) as error:
        load_signal(path).bound(given, "strategy.yaml")
    return str(error.value)


def test_parameters_are_bound_as_literals_of_their_type(tmp_path: Path) -> None:
    signal = load_signal(written(tmp_path, GOOD)).bound({"entry_z": 1.5})
    assert signal.sql.endswith("WHERE z > 1.5E0")


def test_a_name_in_a_string_or_a_comment_is_text(tmp_path: Path) -> None:
    text = "-- signal: mine\nSELECT ':entry_z' FROM spreads -- at :noon\n"
    assert ":entry_z" in load_signal(written(tmp_path, text)).bound({}).sql


def test_the_version_is_of_the_text_and_its_parameters(tmp_path: Path) -> None:
    signal = load_signal(written(tmp_path, GOOD))
    versions = {signal.bound({"entry_z": z}).version for z in (1.5, 2.0, "2.0")}
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("two", "'two' is not a number"),
        (7, "7 is outside 0.5..6"),
        (2.1, "take 2"),
        (True, "True is not a number"),
        ("1 OR 1=1", "is not a number"),
        (float("nan"), "not a finite number"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_refused_with_its_place(tmp_path: Path, value: object, said: str) -> None:
    told = fault(written(tmp_path, GOOD), entry_z=value)
    assert said in told
    assert "mine.sql:2" in told
    assert "strategy.yaml" in told


def levels(folder: Path, text: str, **given: object) -> str:
    header = f"-- signal: mine\n-- param: entry_z z = 2.0 range 0.5..6\n{text}"
    return str(load_signal(written(folder, f"{header}SELECT 1 FROM crossings\n")).bound(given).levels)


def test_a_signal_says_which_levels_it_reads_and_reads_all_if_it_does_not(tmp_path: Path) -> None:
    assert levels(tmp_path, "") == "0.."
    assert levels(tmp_path, "-- levels: 0.5, entry_z..\n") == "0.5, 2.."
    assert levels(tmp_path, "-- levels: 0.5, entry_z..\n", entry_z=0.5) == "0.5.."


def test_a_signal_that_reads_no_crossings_reads_no_levels(tmp_path: Path) -> None:
    path = written(tmp_path, "-- signal: mine\nSELECT 1 FROM spreads\n")
    assert str(load_signal(path).bound({}).levels) == "none"
    use = SignalUse(str(path), {}, "mine")
    assert len(bound_signals(replace(strategy(), signals=(use,), levels=Levels.parse("0.5")))) == 1


def test_other_levels_make_another_version(tmp_path: Path) -> None:
    versions = set()
    for text in ("", "-- levels: 0.5, 2..\n"):
        versions.add(load_signal(written(tmp_path, f"-- signal: mine\n{text}SELECT 1\n")).bound({}).version)
    assert len(versions) == 2


def test_a_signal_that_reads_what_the_strategy_leaves_out_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "-- signal: mine\n-- levels: 1.5\nSELECT 1\n")
    use = SignalUse(str(path), {}, "mine")
    assert len(bound_signals(replace(strategy(), signals=(use,)))) == 1
    with pytest.raises(SignalError, match=r"mine reads crossings of z at 1\.5 .*levels are 0\.5, 2\.\.: add them"):
        bound_signals(replace(strategy(), signals=(use,), levels=Levels.parse("0.5, 2..")))


@pytest.mark.parametrize("view", ["quotes", "trades", "sessions"])
def test_a_signal_that_reads_snapshots_is_refused_where_the_strategy_has_none(tmp_path: Path, view: str) -> None:
    path = written(tmp_path, f"-- signal: mine\nSELECT 1 FROM {view}\n")
    use = SignalUse(str(path), {}, "mine")
    assert len(bound_signals(replace(strategy(), signals=(use,), snapshots_ns=100_000_000))) == 1
    with pytest.raises(SignalError, match=rf"mine reads {view} \(.*no snapshots: add a line `snapshots: 100ms`"):
        bound_signals(replace(strategy(), signals=(use,)))


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT quotes, 'FROM trades' FROM spreads -- FROM bars\nWHERE bars > 1", {"spreads"}),
        (
            "SELECT a FROM crossings c, spreads AS s, LATERAL TABLE(f(x)) WHERE x IN (1, quotes)",
            {"crossings", "spreads"},
        ),
        ("SELECT * FROM TABLE(TUMBLE(TABLE `pair_bars`, DESCRIPTOR(event_time), INTERVAL '1' MINUTE))", {"pair_bars"}),
        (
            "WITH m AS (SELECT * FROM quotes), n AS (SELECT 1) SELECT a, trades FROM m JOIN bars ON a = b",
            {"quotes", "bars"},
        ),
        ("SELECT 1 FROM (SELECT a, sessions FROM trades MATCH_RECOGNIZE (PARTITION BY a, positions))", {"trades"}),
    ],
)
def test_the_tables_of_a_text_are_the_names_in_their_places(sql: str, tables: set[str]) -> None:
    assert tables_of(sql) & VIEWS.keys() == tables


def test_an_unknown_parameter_is_told_the_nearest(tmp_path: Path) -> None:
    told = fault(written(tmp_path, GOOD), entri_z=2)
    assert told == "strategy.yaml: signal mine has no parameter 'entri_z': did you mean entry_z?"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1\n", "no name"),
        ("-- signal: other\nSELECT 1\n", "give both one name"),
        ("-- signal: mine\n-- abuot: x\nSELECT 1\n", "did you mean about"),
        ("-- signal: mine\n-- param: z\nSELECT 1\n", "NAME TYPE = DEFAULT"),
        ("-- signal: mine\n-- param: a number = 1\nSELECT 1\n", "one of z, double"),
        ("-- signal: mine\n-- param: a z = 9 range 1..2\nSELECT 1\n", "outside 1..2"),
        ("-- signal: mine\n-- param: a z = 1\n-- param: a z = 1\nSELECT 1\n", "declared twice"),
        ("-- signal: mine\n", "no body"),
        ("-- signal: mine\n-- levels: two\nSELECT 1\n", "mine.sql:2: levels: 'two': two is no parameter of type z"),
        ("-- signal: mine\n-- levels: 0.3..\nSELECT 1\n", "between the rungs of z, which are 0.25 apart: take 0.25"),
        ("-- signal: mine\n-- levels: 30\nSELECT 1\n", "beyond the ladder, whose last level is 19.75"),
        ("-- signal: mine\n-- levels: 1, ,2\nSELECT 1\n", "a number or a parameter of type z expected"),
        ("-- signal: mine\nSELECT :limit\n", "mine.sql:2:8: :limit is no parameter"),
    ],
)
def test_a_faulty_file_is_told_by_line(tmp_path: Path, text: str, said: str) -> None:
    told = fault(written(tmp_path, text))
    assert said in told
    assert "mine.sql:" in told


@pytest.mark.parametrize(
    ("text", "value", "literal"),
    [
        ("a double = 1", -0.5, "(-0.5E0)"),
        ("a double = 1", 1e-7, "1E-7"),
        ("a int = 3", "4", "4"),
        ("a interval = 30 minutes", "90 seconds", "INTERVAL '90' SECOND"),
        ("a string = x", "it's", "'it''s'"),
    ],
)
def test_literals(text: str, value: object, literal: str) -> None:
    assert Parameter.parse(text, 1).literal(value) == literal


@pytest.mark.parametrize(
    ("text", "value"), [("a interval = 1 day", "1' DAY; DROP"), ("a string = x", "a\nb"), ("a int = 1", 1.5)]
)
def test_what_is_not_a_value_is_refused(text: str, value: object) -> None:
    with pytest.raises(ParameterError):
        Parameter.parse(text, 1).literal(value)
