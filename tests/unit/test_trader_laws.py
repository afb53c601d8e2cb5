"""Laws 3, 4 and 5 of the design for the trader, on random histories (see tests/support/trader_machine.py)."""

import random

import pytest
from hypothesis import HealthCheck, settings

from pipelines.domain.replay import replay
from pipelines.domain.trading import Action
from tests.support.accounts import NAMES, config, filled, marks, signal
from tests.support.trader_machine import ACTS, MIDS, PAIRS, WORDS, LateFillMachine, TraderMachine

_SETTINGS = settings(
    max_examples=80, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
TestTraderLaws = TraderMachine.TestCase
TestTraderLaws.settings = _SETTINGS
TestTraderLawsWithLateFills = LateFillMachine.TestCase
TestTraderLawsWithLateFills.settings = _SETTINGS


@pytest.mark.parametrize("machine", [TraderMachine, LateFillMachine])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_laws_hold_on_a_long_walk(machine: type[TraderMachine], seed: int) -> None:
    """Histories too long for hypothesis: thousands of events, hundreds of turns of each pair."""
    chance = random.Random(seed)
    walk = machine()
    walk.begin()
    for _ in range(2_500):
        match chance.randrange(12):
            case 0 | 1 | 2:
                walk.marks(0, 0, set(NAMES))
                walk.marks(1, 0, set(NAMES))
                walk.signals(
                    chance.choice(PAIRS), chance.choice(list(Action)), chance.randint(-1, 3), chance.choice(MIDS)
                )
            case 3 if walk.venue:
                walk.an_intent_is_written(chance.randint(1, 4))
            case 4 | 5 if walk.words:
                walk.a_report_arrives_late_or_again(chance.randint(1, 20))
            case 6:
                walk.time_passes(chance.choice([1, 50]))
                walk.any_event_is_delivered_again(chance.randrange(1_000_000))
            case 7 if chance.random() < 0.2:
                walk.commands(chance.choice(WORDS))
            case _ if walk.venue:
                walk.the_venue_acts(
                    chance.randint(1, 8), chance.choice(ACTS), chance.randint(9_000, 11_000), chance.random() < 0.8
                )
        walk.every_position_is_the_sum_of_its_fills()
        walk.no_limit_is_exceeded_by_filled_working_and_unknown()
        walk.open_orders_are_those_without_a_last_word()
    walk.bytes_and_back_is_the_same_state()
    assert len(walk.ledger.orders) > 150
    walk.teardown()


def test_a_full_turn_gives_profit_by_the_fills_own_prices() -> None:
    account = config()
    entry = [marks(0, 1), signal("A-B", Action.ENTER_LONG, 1)]
    _, (a, b) = replay(account, entry)
    opened = [*entry, filled(a, price=100.0), filled(b, price=50.0), signal("A-B", Action.EXIT, 2)]
    _, (_, _, close_a, close_b) = replay(account, opened)
    state, _ = replay(account, [*opened, filled(close_a, price=101.0), filled(close_b, price=49.0)])
    assert state.position("A").realised == 10 * 100  # 10 lots x 1.00 = 100 ticks
    assert state.position("B").realised == 7 * 100
