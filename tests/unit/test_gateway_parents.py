"""Orders that are worked by a gateway that dies between any two acts: each child is sent once, each fill told once."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.parent_rules import Algo, WorkRule
from pipelines.domain.parent_words import as_child
from pipelines.domain.trading import TERMINAL, Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from tests.unit.gateway_parent_world import NAMES, S, World, order, rule

TWAP = replace(rule(), algo=Algo.TWAP, duration_ns=9 * S, slices=3)
KEPT_BACK = ("canceled before it was sent", "canceled before its venue had it")
BOTH = (rule("A", legs_in_step=True), rule("B", legs_in_step=True))


@contextmanager
def a_world(*rules: WorkRule) -> Iterator[World]:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder), *rules)
        try:
            yield world
        finally:
            world.close()


def reports(world: World, name: str) -> list[Report]:
    return [e.body for e in world.log if isinstance(e.body, Report) and e.body.client_order_id == name]


def children(world: World) -> list[OrderRequest]:
    return [event.body for event in world.log if isinstance(event.body, OrderRequest) and event.body.target]


def check(world: World) -> None:
    events = Counter(event.event_id for event in world.log)
    assert [each for each, count in events.items() if count > 1] == []

    sent = [
        *children(world),
        *(each for each in world.orders if each.action is Decision.NEW and not _worked(world, each)),
    ]
    received = Counter(name for venue in world.venues.values() for name in venue.journal.orders_received())
    assert set(received.values()) <= {1}
    kept_back = {e.body.child for e in world.log if isinstance(e.body, Report) and e.body.text in KEPT_BACK}
    assert {each.client_order_id for each in sent} - set(received) <= kept_back

    place = {event.event_id: number for number, event in enumerate(world.log)}
    heard = {_said(as_child(event)) for event in world.log if isinstance(event.body, Report)}
    for child in children(world):
        for event in world.venues[child.venue].journal.reports(child.client_order_id):
            assert isinstance(event.body, Report)
            if event.body.status is not OrderStatus.NEW:  # an acknowledgement may be lost with its link
                assert _said(event) in heard
                assert (
                    place[f"intent/{child.target}"] < place[f"intent/{child.client_order_id}"] < place[event.event_id]
                )

    for parent in world.orders:
        if parent.action is Decision.NEW and _worked(world, parent):
            told = reports(world, parent.client_order_id)
            lots = sum(each.last_quantity for each in told)
            assert lots == sum(each.last_quantity for each in _fills(world, parent.client_order_id)) <= parent.quantity
            assert (told[-1].status in TERMINAL, told[-1].cumulative_quantity) == (True, lots)


def _worked(world: World, order: OrderRequest) -> bool:
    return world.rules.of(order) is not None


def _said(event: TradingEvent) -> tuple[object, ...]:
    report = event.body
    assert isinstance(report, Report)
    numbers = (report.last_quantity, report.last_price, report.cumulative_quantity)
    return event.event_id, event.event_time_ns, report.client_order_id, report.status, *numbers


def _fills(world: World, name: str) -> Iterator[Report]:
    for child in children(world):
        if child.target == name:
            for event in world.venues[child.venue].journal.reports(child.client_order_id):
                assert isinstance(event.body, Report)
                yield event.body


def test_a_plain_session_fills_the_order_by_slices_over_both_venues() -> None:
    with a_world(TWAP) as world:
        world.orders += [order(0, quantity=12), order(1, Decision.DRAIN)]
        world.settle()
        check(world)
        sent = Counter((child.event_time_ns, child.venue) for child in children(world))
        assert sorted(sent) == [(10 * S + at * S, name) for at in (0, 3, 6) for name in sorted(NAMES)]
        assert reports(world, "new-0-0")[-1].status is OrderStatus.FILLED
        done = [e.body.command for e in world.log if isinstance(e.body, Command)]
        assert done == ["gateway_started", "drained"]
        last = max(number for number, event in enumerate(world.log) if isinstance(event.body, Report))
        assert world.log[-1].event_id == "drained/drain-1-0"
        assert last < len(world.log) - 1


def test_a_drain_waits_for_an_order_whose_next_slice_is_not_due() -> None:
    with a_world(TWAP) as world:
        world.orders += [order(0), order(1, Decision.DRAIN)]
        for _ in range(300):
            found = [act for act in world.acts() if act != "market" or len(children(world)) < 2]
            if not found:
                break
            world.do(found[0])
        assert len(children(world)) == 2
        assert "drained/drain-1-0" not in {event.event_id for event in world.log}


def test_legs_in_step_are_both_filled_the_second_after_the_first() -> None:
    with a_world(*BOTH) as world:
        world.orders += [order(0), order(0, leg=1)]
        world.settle()
        check(world)
        assert [reports(world, each.client_order_id)[-1].status for each in world.orders] == [OrderStatus.FILLED] * 2
        filled = Counter[str]()
        for event in world.log:
            if isinstance(event.body, OrderRequest) and event.body.target == "new-0-1":
                filled["sent"] += event.body.quantity
                assert filled["sent"] <= filled["new-0-0"]
            if isinstance(event.body, Report):
                filled[event.body.client_order_id] += event.body.last_quantity


def test_a_cancel_brings_a_sliced_order_to_its_end() -> None:
    with a_world(TWAP) as world:
        world.orders += [order(0, quantity=30)]
        for _ in range(60):
            if children(world):
                break
            world.do(world.acts()[0])
        world.orders.append(order(1, Decision.CANCEL, target="new-0-0"))
        world.settle()
        check(world)
        assert len({child.event_time_ns for child in children(world)}) == 1
        assert reports(world, "new-0-0")[-1].status in TERMINAL


def test_a_gateway_that_dies_at_any_act_sends_the_same_children_and_none_twice() -> None:
    for rules, orders in (
        ((TWAP,), [order(0, quantity=12), order(1, Decision.DRAIN)]),
        (BOTH, [order(0), order(0, leg=1)]),
        ((rule(tries=1),), [order(0, quantity=9), order(1, quantity=3, instrument="B.Q")]),
    ):
        with a_world(*rules) as world:
            world.orders += orders
            plain = 0
            while world.acts():
                world.do(world.acts()[0])
                plain += 1
            world.settle()
            wanted = sorted((c.client_order_id, c.quantity, c.venue, c.event_time_ns) for c in children(world))
        for victim in ("gateway", "Q", "drop N"):
            for point in range(plain):
                with a_world(*rules) as world:
                    world.orders += orders
                    for _ in range(point):
                        world.do(world.acts()[0])
                    _kill(world, victim)
                    world.settle()
                    check(world)
                    found = sorted((c.client_order_id, c.quantity, c.venue, c.event_time_ns) for c in children(world))
                    assert found == wanted, (victim, point)


def _kill(world: World, victim: str) -> None:
    if victim == "gateway":
        world.process = None
    elif victim in NAMES:
        world.restart_venue(victim)
    else:
        world.drop(victim.split()[1])


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_dies_whenever_children_are_sent_once_and_their_fills_are_told(seed: int) -> None:
    dice = random.Random(seed)
    with a_world(TWAP, rule("B")) as world:
        for number in range(dice.randint(1, 4)):
            world.orders += [
                order(number, quantity=dice.randint(1, 20)),
                order(number, leg=1, quantity=dice.randint(1, 9)),
            ]
        for _ in range(dice.randint(10, 300)):
            chance = dice.random()
            if chance < 0.04:
                _kill(world, dice.choice(["gateway", *NAMES, "drop Q", "drop N"]))
            elif chance < 0.1:
                world.look()
            elif chance < 0.13 and world.process is not None:
                number = dice.randrange(4)
                cancel = order(100 + len(world.orders), Decision.CANCEL, target=f"new-{number}-0")
                if any(each.client_order_id == cancel.target for each in world.orders):
                    world.orders.append(cancel)
            elif acts := world.acts():
                world.do(dice.choice(acts))
        world.settle()
        check(world)
        assert world.process is not None
        assert world.process.core.open == {}
        assert world.process.core.worked.parents.working() == []
