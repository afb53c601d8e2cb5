"""Parents that take part in the volume: a share of what was traded since their start, step by step, and no more."""

from dataclasses import replace

from pipelines.domain.parent_rules import Algo
from pipelines.domain.trading import OrderRequest
from tests.unit.parent_world import NOW, T0, Desk, S, books, order, rules

POV = replace(NOW, algo=Algo.POV, duration_ns=10 * S, rate=0.1)


def seen(desk: Desk, volume: float, at_ns: int | None = None) -> list[OrderRequest]:
    """The children of a step in which so much is traded, half of it at each place."""
    due_ns = at_ns or desk.orders.due_ns()
    assert due_ns is not None
    volumes = {"A.Q": volume / 2, "A.N": volume / 2, "B.Q": 1e9}
    work = desk.orders.moved(due_ns, books(Q=50, N=50), volumes=volumes)
    desk._do(work)
    return list(work.children)


def lots(children: list[OrderRequest]) -> int:
    return sum(child.quantity for child in children)


def begun(of: int = 100) -> Desk:
    desk = Desk(rules(POV))
    desk.take(order(lots=of, event_time_ns=T0 - S // 2))
    return desk


def test_a_share_of_the_volume_is_sent_at_the_end_of_each_step_after_the_start() -> None:
    desk = begun()
    assert desk.orders.due_ns() == T0 + S  # the step that it began in is not whole
    assert [lots(seen(desk, volume)) for volume in (100, 0, 55, 45)] == [10, 0, 5, 5]
    assert desk.orders.due_ns() == T0 + 5 * S


def test_nothing_is_due_between_steps() -> None:
    desk = begun()
    assert seen(desk, 1_000, T0 + S // 2) == []
    assert lots(seen(desk, 100)) == 10


def test_what_did_not_fill_is_due_again_with_the_next_step() -> None:
    desk = begun()
    for child in seen(desk, 100):
        desk.say(child, "canceled", cumulative=0)
    assert lots(seen(desk, 50)) == 15


def test_no_more_is_sent_than_the_order_has() -> None:
    desk = begun(15)
    assert [lots(seen(desk, 100)), lots(seen(desk, 1_000))] == [10, 5]
    assert desk.orders.due_ns() is None


def test_it_is_over_when_its_time_is_and_what_is_left_is_not_sent() -> None:
    desk = begun()
    for child in seen(desk, 100):
        desk.fill(child)
    while desk.orders.due_ns() is not None:
        seen(desk, 0)
    last = desk.told()[-1]
    assert (last.status, last.cumulative_quantity, last.leaves_quantity) == ("canceled", 10, 0)


def test_after_a_missed_while_it_catches_up_at_its_cap() -> None:
    desk = Desk(rules(replace(POV, cap=0.2)))
    desk.take(order(lots=100, event_time_ns=T0))
    sent = []
    for volume in (100, 100, 100):
        children = seen(desk, volume)
        sent.append(lots(children))
        for child in children:
            desk.say(child, "canceled")
    assert sent == [10, 20, 20]


def test_after_a_restart_the_steps_are_seen_again_and_nothing_is_sent_twice() -> None:
    plain, broken = begun(), begun()
    for volume in (100, 30, 70):
        for child in [*seen(plain, volume), *seen(broken, volume)]:
            assert child.quantity
    broken.restart()
    assert broken.orders.due_ns() == T0 + S
    assert [seen(broken, volume) for volume in (100, 30, 70)] == [[], [], []]
    assert [each.client_order_id for each in seen(broken, 50)] == [each.client_order_id for each in seen(plain, 50)]
