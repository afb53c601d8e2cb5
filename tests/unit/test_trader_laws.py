"""Laws 3, 4 and 5 of the design for the trader, on random histories (see tests/support/trader_machine.py)."""

import pytest
from hypothesis import HealthCheck, settings

from pipelines.domain import worth_checks
from pipelines.domain.replay import replay
from pipelines.domain.trading import Action
from tests.support.accounts import config, filled, marks, signal
from tests.support.limited_machine import LimitedMachine
from tests.support.long_walk import MACHINES, walk
from tests.support.trader_machine import (
    BustMachine,
    CompletingMachine,
    LateFillMachine,
    StrategiesMachine,
    TraderMachine,
    UnwindingMachine,
)

_SETTINGS = settings(
    max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
TestTraderLaws = TraderMachine.TestCase
TestTraderLaws.settings = _SETTINGS
TestTraderLawsWithLateFills = LateFillMachine.TestCase
TestTraderLawsWithLateFills.settings = _SETTINGS

TestTraderLawsWithAllLimits = LimitedMachine.TestCase
TestTraderLawsWithAllLimits.settings = _SETTINGS
TestTraderLawsWithBusts = BustMachine.TestCase
TestTraderLawsWithBusts.settings = _SETTINGS
TestTraderLawsWithTwoStrategies = StrategiesMachine.TestCase
TestTraderLawsWithTwoStrategies.settings = _SETTINGS
TestTraderLawsWithEntriesCompleted = CompletingMachine.TestCase
TestTraderLawsWithEntriesCompleted.settings = _SETTINGS

TestTraderLawsWithLimitsThatBreak = UnwindingMachine.TestCase
TestTraderLawsWithLimitsThatBreak.settings = _SETTINGS


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_laws_hold_on_a_long_walk(machine: type[TraderMachine], seed: int) -> None:
    """Histories too long for hypothesis: thousands of events, hundreds of turns of each pair."""
    walked = walk(machine, seed)
    walked.bytes_and_back_is_the_same_state()
    assert len(walked.ledger.orders) > (25 if machine in (LimitedMachine, UnwindingMachine) else 100)
    walked.teardown()


@pytest.mark.parametrize(
    ("check", "more"),
    [
        ("_order_size", {"pair_notional": 9_000.0}),
        ("_positions", {}),
        ("_self_match", {"sector_notional": 9_000.0, "net_notional": 4_000.0, "es": 1_000.0, "short_lots": {}}),
        ("_rates", {}),
        ("_pair_and_sectors", {"pair_notional": 1_800.0}),
        ("_account", {}),
        ("_credit", {"credit": 20_000.0}),
        ("_expected_shortfall", {}),
    ],
)
def test_a_check_that_is_left_out_is_found(check: str, more: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    machine = type("Broken", (LimitedMachine,), {"more": LimitedMachine.more | more})
    monkeypatch.setattr(worth_checks, check, lambda *_: iter(()))
    assert any(is_found(machine, seed) for seed in range(1, 13))


def is_found(machine: type[TraderMachine], seed: int) -> bool:
    try:
        walk(machine, seed)
    except AssertionError:
        return True
    return False


def test_a_full_turn_gives_profit_by_the_fills_own_prices() -> None:
    account = config()
    entry = [marks(0, 1), signal("A-B", Action.ENTER_LONG, 1)]
    _, (a, b) = replay(account, entry)
    opened = [*entry, filled(a, price=100.0), filled(b, price=50.0), signal("A-B", Action.EXIT, 2)]
    _, (_, _, close_a, close_b) = replay(account, opened)
    state, _ = replay(account, [*opened, filled(close_a, price=101.0), filled(close_b, price=49.0)])
    assert state.position("A").realised == 10 * 100  # 10 lots x 1.00 = 100 ticks
    assert state.position("B").realised == 7 * 100
