"""What a gateway is given to work orders: the rules of a file, for venues that it reaches, and a market to look at."""

from pathlib import Path

import pytest

from jobs.worked import book_watch, work_rules
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.parent_rules import WorkRules

EXAMPLES = Path(__file__).parents[2] / "examples" / "execution"
STRATEGY = load_strategy(EXAMPLES / "aig-bac.strategy.yaml")


def test_without_a_file_nothing_is_worked_and_no_market_is_read() -> None:
    assert work_rules(None, STRATEGY, ["Q"]) == WorkRules()
    assert book_watch(WorkRules(), STRATEGY, "", "", {}, None) is None  # type: ignore[arg-type]


def test_a_venue_of_a_rule_has_to_be_one_that_is_reached() -> None:
    file = EXAMPLES / "aig-bac.yaml"
    assert len(work_rules(file, STRATEGY, ["Q", "N"]).rules) == 2
    with pytest.raises(ValueError, match=r"aig-bac.yaml: no N among --venue and --fix: Q"):
        work_rules(file, STRATEGY, ["Q"])
