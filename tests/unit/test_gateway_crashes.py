"""One intent, one order (law 4): whatever dies between whichever two acts, and whichever wire breaks."""

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.domain.trading import TERMINAL, Command, Decision, OrderRequest, OrderStatus, Report, TradingEvent
from pipelines.execution.plan import Look
from tests.unit.gateway_world import World, order

ACTS = (
    "order", "order", "drain", "read", "read", "step", "step", "step", "act", "act", "act", "hear", "hear", "hear",
    "venue", "venue", "venue", "venue old", "match", "connect", "connect", "drop", "time", "time", "look", "look",
    "kill gateway", "start gateway", "kill venue",
)  # fmt: skip


def play(world: World, act: str, which: int) -> None:
    process = world.processes[which % len(world.processes)] if world.processes else None
    match act:
        case "order":
            world.orders.append(order(len(world.orders)))
        case "drain":
            world.orders.append(order(len(world.orders), Decision.DRAIN))
        case "venue old" if world.connections:
            world.venue_reads(world.connections[which % len(world.connections)])
        case "venue" if world.connections:
            world.venue_reads(world.connections[-1])
        case "match":
            world.venue_matches()
        case "time":
            world.now_s += 0.7
        case "kill venue":
            world.restart_venue()
        case "start gateway" if len(world.processes) < 3:
            world.start_gateway()
    if process is None:
        return
    match act:
        case "read":
            world.read_order(process)
        case "step":
            world.step(process)
        case "act":
            world.act(process)
        case "hear":
            world.hear(process)
        case "connect":
            world.connect(process)
        case "drop":
            world.drop(process)
        case "look":
            process.inbox.append(Look())
        case "kill gateway":
            world.kill(process)


def status(event: TradingEvent) -> OrderStatus:
    assert isinstance(event.body, Report)
    return event.body.status


def check(world: World) -> None:
    new = [each.client_order_id for each in world.orders if each.action == Decision.NEW]
    assert world.venue.journal.orders_received() == dict.fromkeys(new, 1)

    events = Counter(event.event_id for event in world.log)
    assert [each for each, count in events.items() if count > 1] == []

    place = {event.event_id: number for number, event in enumerate(world.log)}
    ended = {}
    for identity in new:
        # An acknowledgement may be lost with its link: the fills behind it say all that it said.
        told = [each for each in world.venue.journal.reports(identity) if status(each) != OrderStatus.NEW]
        assert [event.event_id for event in told if event.event_id not in place] == []
        assert all(place[f"intent/{identity}"] < place[event.event_id] for event in told)
        assert status(told[-1]) in TERMINAL
        ended[identity] = max(place[event.event_id] for event in told)

    for number, drain in enumerate(world.orders):
        if drain.action == Decision.DRAIN:
            before = [each.client_order_id for each in world.orders[:number] if each.action == Decision.NEW]
            seen = place[f"drained/{drain.client_order_id}"]
            assert all(ended[identity] < seen for identity in before)


@contextmanager
def a_world() -> Iterator[World]:
    """In memory where the machine has such a folder: sqlite syncs its files when it opens and closes them."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        world = World(Path(folder))
        try:
            yield world
        finally:
            world.venue.journal.close()


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_each_order_reaches_its_venue_once_and_every_report_reaches_the_log(seed: int) -> None:
    dice = random.Random(seed)
    with a_world() as world:
        world.start_gateway()
        for _ in range(dice.randint(20, 400)):
            play(world, dice.choice(ACTS), dice.randrange(8))
            intended = {e.body.client_order_id for e in world.log if isinstance(e.body, OrderRequest)}
            assert set(world.venue.journal.orders_received()) <= intended
        world.settle()
        check(world)
        assert [process.core.open for process in world.processes][-1] == {}


def test_a_crash_between_any_two_acts_of_a_plain_session_loses_and_doubles_nothing() -> None:
    plain = ["connect", "venue", "hear", "read", "step", "act", "act", "venue", "hear", "match", "hear", "hear"]
    plain += ["step", "act", "read", "step", "act", "act", "venue", "match", "hear", "hear", "hear", "step", "act"]
    for victim in ("kill gateway", "kill venue", "drop", "start gateway"):
        for point in range(len(plain) + 1):
            with a_world() as world:
                world.orders += [order(0), order(1), order(2, Decision.DRAIN)]
                world.start_gateway()
                for number, act in enumerate([*plain, ""]):
                    if number == point:
                        play(world, victim, 0)
                    play(world, act, 0)
                world.settle()
                check(world)


def test_the_plain_session_is_settled_without_any_mishap() -> None:
    with a_world() as world:
        world.orders += [order(0), order(1), order(2, Decision.DRAIN)]
        world.start_gateway()
        world.settle()
        check(world)
        statuses = [e.body.status for e in world.log if isinstance(e.body, Report)]
        assert Counter(statuses) == {
            OrderStatus.NEW: 2, OrderStatus.PARTIALLY_FILLED: 2, OrderStatus.FILLED: 2
        }  # fmt: skip
        assert [e.body.command for e in world.log if isinstance(e.body, Command)] == ["gateway_started", "drained"]
