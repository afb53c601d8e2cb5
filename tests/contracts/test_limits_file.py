"""The limits of a strategy file: read, written again, and what is said of one that is amiss."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.contracts.strategy_file import StrategyError, dump_strategy, load_strategy
from pipelines.domain.limits import Limits
from tests.support.shards import strategy

EUROS = replace(
    strategy(("A", "B"), (("A", "B", 0.7),)),
    instruments=tuple(
        replace(instrument, currency=currency)
        for instrument, currency in zip(strategy(("A", "B"), ()).instruments, ("USD", "EUR"), strict=True)
    ),
)
ALL = Limits(
    position_lots=1000,
    stale_marks_ms=2000,
    order_lots=500,
    order_notional=60_000.0,
    collar=0.02,
    pair_notional=100_000.0,
    gross_notional=2e6,
    net_notional=2e5,
    daily_loss=2e4,
    orders_per_second=50,
    entries_per_minute=3,
    restricted=("A",),
    short_lots={"B": 0},
    no_self_match=True,
    rates={"EUR": 1.08},
)


def written(tmp_path: Path, limits: str) -> Path:
    file = tmp_path / "strategy.yaml"
    lines = dump_strategy(EUROS).splitlines()
    file.write_text("\n".join(f"limits: {limits}" if line.startswith("limits:") else line for line in lines))
    return file


def test_limits_are_written_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "strategy.yaml"
    file.write_text(dump_strategy(replace(EUROS, limits=ALL)))
    assert load_strategy(file).limits == ALL


def test_what_is_left_out_is_not_limited(tmp_path: Path) -> None:
    limits = load_strategy(written(tmp_path, "{position_lots: 5, stale_marks_ms: 10}")).limits
    assert limits == Limits(5, 10)
    assert limits.gross_notional is None


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ("order_lots: 0", "limits.order_lots: 0 is out of range: give 1 to 2147483647"),
        ("collar: -1", "limits.collar: -1 is out of range: give one greater than 0"),
        ("gros_notional: 5", "limits.gros_notional: unknown field: did you mean gross_notional?"),
        ("restricted: 'A, X'", "limits.restricted: 'X' is no instrument of the strategy"),
        ("short_lots: {X: 5}", "limits.short_lots.X: X is no instrument"),
        ("short_lots: {A: 1.5}", "limits.short_lots.A: '1.5' is not a whole number: give one"),
        ("no_self_match: perhaps", "limits.no_self_match: 'perhaps' is neither true nor false"),
        ("rates: {GBP: 1.2}", "limits.rates.GBP: GBP is no currency of the instruments"),
        ("net_notional: 5", "limits: rates: instruments are in EUR, USD: give what one unit of all but"),
        ("drawdown: 5", "limits: rates: instruments are in EUR, USD: give what one unit of all but"),
    ],
)
def test_what_is_amiss_is_told_with_its_place(tmp_path: Path, limits: str, says: str) -> None:
    file = written(tmp_path, f"{{position_lots: 5, stale_marks_ms: 10, {limits}}}")
    with pytest.raises(StrategyError) as told:
        load_strategy(file)
    place, _, message = str(told.value).partition(": ")
    assert place.startswith(f"{file}:")
    assert message.replace("limits.rates: ", "limits: rates: ").startswith(says)
