"""What a gateway is given to work orders: the rules of a file, for venues that it reaches, and a market to look at."""

from pathlib import Path

import pytest

from infra.settings import Settings
from jobs.demo_plans import simulated_plan
from jobs.worked import book_watch, work_rules
from pipelines.contracts.blocks import BlockCodec
from pipelines.contracts.strategy_file import load_strategy
from pipelines.domain.parent_rules import WorkRules

EXAMPLES = Path(__file__).parents[2] / "examples" / "execution"
STRATEGY = load_strategy(EXAMPLES / "aig-bac.strategy.yaml")


def test_without_a_file_nothing_is_worked_and_no_market_is_read() -> None:
    assert work_rules(None, STRATEGY, ["Q"]) == WorkRules()
    assert book_watch(WorkRules(), STRATEGY, "", "", BlockCodec(1)) is None


def test_a_venue_of_a_rule_has_to_be_one_that_is_reached() -> None:
    file = EXAMPLES / "aig-bac.yaml"
    assert len(work_rules(file, STRATEGY, ["Q", "N"]).rules) == 2
    with pytest.raises(ValueError, match=r"aig-bac.yaml: no N among --venue and --fix: Q"):
        work_rules(file, STRATEGY, ["Q"])


def test_the_demos_rules_are_for_its_venues_that_list_the_same(tmp_path: Path) -> None:
    plan, feed = simulated_plan(Settings(home=tmp_path), 1, 6, 10.0, 100.0, 4.0, 2, cross_listed=True)
    strategy = load_strategy(plan.strategy_file)
    assert [each.id for each in strategy.instruments if each.venue == "venue2"] == [f"S00{n}V2" for n in range(6)]
    assert [pair.name for pair in strategy.pairs] == ["S000-S001", "S002-S003", "S004-S005"]
    assert len(feed.beside) == 1
    rules = work_rules(EXAMPLES / "demo.yaml", strategy, ["venue1", "venue2"]).rules
    assert [rule.told for rule in rules] == [
        "twap: 4 slices over 4 s; legs in step",
        "twap: 4 slices over 4 s; legs in step",
        "twap: 2 slices over 5 s",
        "pov: 0.2 of the volume over 8 s",
        "now: at once",
        "now: at once",
    ]
