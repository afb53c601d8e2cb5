"""Random histories of an account, longer than hypothesis makes them: thousands of events, hundreds of turns of a pair.

    python -m tests.support.long_walk --events 1000000

walks until so many events were taken, by all the machines in turn, and says how many; a law that does not hold ends it
with the machine and the seed that find it again.
"""

import argparse
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from itertools import count

from pipelines.domain.trading import Action, Command, Report, Signal
from tests.support.accounts import NAMES
from tests.support.limited_machine import LimitedMachine
from tests.support.trader_machine import (
    ACTS,
    MIDS,
    PAIRS,
    SCOPES,
    SIGNALS,
    WORDS,
    BustMachine,
    CompletingMachine,
    LateFillMachine,
    StrategiesMachine,
    TakingMachine,
    TraderMachine,
    UnwindingMachine,
)

MACHINES = [
    TraderMachine,
    LateFillMachine,
    LimitedMachine,
    BustMachine,
    StrategiesMachine,
    CompletingMachine,
    TakingMachine,
    UnwindingMachine,
]


def walk(machine: type[TraderMachine], seed: int, steps: int = 2_500) -> TraderMachine:
    """A random history of so many steps, of an event or three each, the laws held after each."""
    chance = random.Random(seed)
    walked = machine()
    walked.begin()
    for _ in range(steps):
        match chance.randrange(12):
            case 0 | 1 | 2:
                walked.marks(0, 0, set(NAMES))
                walked.marks(1, 0, set(NAMES))
                walked.signals(
                    chance.choice(PAIRS),
                    chance.choice(list(Action)),
                    chance.randint(-1, 3),
                    chance.choice(MIDS),
                    chance.choice(SIGNALS),
                )
            case 3 if walked.venue:
                walked.an_intent_is_written(chance.randint(1, 4))
            case 4 | 5 if walked.words:
                walked.a_report_arrives_late_or_again(chance.randint(1, 20))
            case 6:
                walked.time_passes(chance.choice([1, 50, 5_000, 60_000, -500]))
                walked.any_event_is_delivered_again(chance.randrange(1_000_000))
            case 7 if chance.random() < 0.6:
                walked.commands(chance.choice(WORDS), chance.choice(SCOPES))
            case 7 if walked.busts and walked.words:
                walked.the_venue_takes_a_fill_back(chance.randint(1, 12), chance.choice([0, 0, 1, 30]))
            case 8 if chance.random() < 0.3:
                walked.risk_is_measured(chance.choice([0.0, 10.0, 60.0]), chance.choice([0, 0, 5]))
            case _ if walked.venue:
                walked.the_venue_acts(
                    chance.randint(1, 8), chance.choice(ACTS), chance.randint(9_000, 11_000), chance.random() < 0.8
                )
        walked.every_position_is_the_sum_of_its_fills()
        walked.no_limit_is_exceeded_by_filled_working_and_unknown()
        walked.open_orders_are_those_without_a_last_word()
        if isinstance(walked, LimitedMachine):
            walked.the_gross_limit_is_not_exceeded_by_filled_working_and_unknown()
    return walked


def walked(of: tuple[int, str]) -> Counter[str]:
    """One walk to its end: how many events of which kind it was."""
    seed, name = of
    machine = {each.__name__: each for each in MACHINES}[name]
    try:
        whole = walk(machine, seed)
        whole.teardown()
    except AssertionError as error:
        raise AssertionError(f"{name} {seed}: {error}") from error
    kinds = Counter(type(event.body).__name__ for event in whole.events)
    seen: set[str] = set()
    for event in whole.events:
        kinds["delivered again"] += event.event_id in seen
        seen.add(event.event_id)
        if isinstance(event.body, Report):
            kinds["amended"] += bool(event.body.amends)
        if isinstance(event.body, Command):
            kinds[event.body.command] += 1
        if isinstance(event.body, Signal):
            kinds["entries"] += event.body.action is not Action.EXIT
    return kinds + Counter(events=len(whole.events), orders=len(whole.ledger.orders))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the first walk")
    given = parser.parse_args()
    total: Counter[str] = Counter()
    of = ((seed, machine.__name__) for seed in count(given.seed) for machine in MACHINES)
    with ProcessPoolExecutor(given.processes) as pool:
        while total["events"] < given.events:
            for found in pool.map(walked, [next(of) for _ in range(4 * given.processes)]):
                total += found
            print(f"{total['events']:,} events", flush=True)
    print(dict(total))


if __name__ == "__main__":
    main()
