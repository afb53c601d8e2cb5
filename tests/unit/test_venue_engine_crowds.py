"""The laws of the simulated venue's engine in crowded books: a seed makes a market and a dozen orders that meet."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from pipelines.domain.market import Condition, Status
from pipelines.domain.trading import Side
from pipelines.domain.venue_engine import EngineConfig
from pipelines.domain.venue_orders import OrderKind, TimeInForce, VenueOrder, VenueReport
from pipelines.domain.venue_rows import Row
from tests.support.venue_tape import Venue, beat, cancel, change, order, quote, status, trade
from tests.unit.test_venue_engine_laws import CONFIG, Sent, account, at_once, by_order, in_time, send

FORCES = [TimeInForce.DAY] * 5 + [TimeInForce.IMMEDIATE, TimeInForce.ALL_OR_NOTHING, TimeInForce.OPENING]


def market(random: Random) -> list[Row]:
    tape = [quote(1, 99.9, 4, 100.1, 3)]
    for time_ns in sorted(random.choices(range(2, 400), k=60)):
        what = random.random()
        if what < 0.4:
            bid = random.randint(997, 1001)
            ask = bid + random.randint(1, 3)
            tape.append(quote(time_ns, bid / 10, random.randint(1, 12), ask / 10, random.randint(1, 12)))
        elif what < 0.9:
            price, buyer = random.randint(997, 1003) / 10, random.random() < 0.5
            tape.append(trade(time_ns, price, random.randint(1, 12), buyer=buyer))
        elif what < 0.93:
            tape.append(trade(time_ns, random.randint(998, 1002) / 10, random.randint(1, 30), Condition.OPENING))
        else:
            tape.append(status(time_ns, random.choice([Status.HALTED, Status.TRADING, Status.TRADING])))
    return [*tape, beat(401), beat(900)]


def crowd(random: Random, dark: bool = False) -> list[Sent]:
    found: list[Sent] = []
    for number in range(12):
        price = random.choice([0.0, 0.0, *(ticks / 10 for ticks in range(997, 1004))])
        made = order(
            f"o{number}",
            random.choice(list(Side)),
            random.randint(1, 40),
            price,
            random.randint(1, 400),
            random.choice(FORCES[:-1] if dark else FORCES),
            by=random.choice("xyz"),
        )
        found.append(replace(made, kind=OrderKind.MIDPOINT) if dark else made)
        at_ns, what = made.event_time_ns + random.randint(0, 100), random.random()
        if what < 0.3:
            found.append(cancel(f"c{number}", f"o{number}", at_ns, made.participant))
        elif what < 0.5:
            lots, price = random.randint(1, 40), random.randint(997, 1003) / 10
            found.append(change(f"r{number}", f"o{number}", lots, price, at_ns, made.participant))
    return sorted(found, key=lambda each: each.event_time_ns)


def told_of(made: Sent, reports: Sequence[VenueReport]) -> list[VenueReport]:
    names = {made.client_order_id, "r" + made.client_order_id[1:]}
    mine = [each for each in reports if each.participant == made.participant and each.client_order_id in names]
    return sorted(mine, key=lambda each: each.number)


def windowed(random: Random, dark: bool) -> EngineConfig:
    """With more of the market in memory, or less."""
    kept = {"window_ns": random.choice([40, 400]), "window_rows": random.choice([0, 7, 10_000])}
    return replace(CONFIG, midpoint=dark, fill_chance=0.3, **kept)


def orders_of(sent: Sequence[Sent]) -> list[VenueOrder]:
    return [each for each in sent if isinstance(each, VenueOrder)]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_cuts_change_nothing(seed: int, dark: bool) -> None:
    random = Random(seed)
    tape, sent = market(random), crowd(random, dark)
    config = windowed(random, dark)
    cuts = [random.randint(1, 9) for _ in range(12)]
    whole = at_once(tape, sent, config)
    account(whole, orders_of(sent))
    assert by_order(in_time(tape, sent, config, cuts)) == by_order(whole)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("seed", range(80))
def test_late_orders_and_requests_leave_what_was_told(seed: int, dark: bool) -> None:
    random = Random(seed)
    tape, sent = market(random), crowd(random, dark)
    random.shuffle(sent)
    config = windowed(random, dark)
    venue, out = Venue(tape, config), []
    for each in sent:
        out += venue.go(random.randint(0, 10)) if random.random() < 0.4 else []
        out += send(venue, each)
    account(out + venue.go(), orders_of(sent))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_a_new_process_goes_on_where_the_old_one_ended(seed: int, dark: bool) -> None:
    random = Random(seed)
    tape, sent = market(random), crowd(random, dark)
    config = replace(CONFIG, midpoint=dark, fill_chance=0.3)
    first, second = Venue(tape, config), Venue(tape, config)
    out = [report for each in sent for report in send(first, each)]
    out += first.go(random.randint(0, 60))
    made = list(out)
    for each in sent:
        out += second.engine.take(each, told_of(each, made)) if isinstance(each, VenueOrder) else send(second, each)
    out += second.go()
    account(out, orders_of(sent))
    assert by_order(out) == by_order(at_once(tape, sent, config))
